"""What a run keeps on disk while it works: customers of both systems, readings, sheets."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from siaghsync.domain.customer import Contact, CustomerMapping, identity_key
from siaghsync.domain.normalize import marker
from siaghsync.errors import Interrupted
from siaghsync.state import duplicates
from siaghsync.state.cursors import Cursors, Seen
from siaghsync.state.database import State, memory_state
from siaghsync.state.mappings import Mappings
from siaghsync.state.staging import BATCH, Staging
from tests.sample_records import contact, customer, mapping

AT = "2026-01-05T10:00:00.000+00:00"


@pytest.fixture
def state() -> Iterator[State]:
    opened = memory_state()
    yield opened
    opened.close()


@pytest.fixture
def staging(state: State) -> Staging:
    return Staging(state)


def link(state: State, *pairs: CustomerMapping) -> None:
    with state.atomic():
        for pair in pairs:
            Mappings(state).add(pair, "number", AT)


def codes(contacts: list[Contact]) -> list[int]:
    return [found.code for found in contacts]


def test_contacts_come_back_as_they_were(staging: Staging) -> None:
    known = [contact(2, notes=f"خوب {marker('100-7')}", extra={"mobile2": "0912"}), contact(1), contact(3, admin=True)]
    assert staging.add_contacts(iter(known)) == 3
    assert [staging.contact(code) for code in (1, 2, 3, 4)] == [known[1], known[0], known[2], None]
    assert staging.count_contacts() == 2
    assert staging.any_marker()
    assert codes(staging.contacts_with_marker("100-7", "p-1")) == [2]
    assert staging.contacts_with_marker("", "p-1") == []
    assert codes(staging.contacts_with_identity(identity_key(known[1]))) == [1, 2]
    assert codes(staging.contacts_with_name("علي رضايي")) == [1, 2]
    assert staging.contacts_with_identity(None) == []
    staging.clear_contacts()
    assert staging.count_contacts() == 0
    assert not staging.any_marker()


def test_a_signal_ends_the_making_of_keys(state: State) -> None:
    cancel = threading.Event()
    staging = Staging(state, cancel)
    staging.add_contacts([contact(1)])
    cancel.set()
    with pytest.raises(Interrupted):
        staging.contacts_like(customer())


def test_unlinked_contacts_come_by_code_however_many(state: State, staging: Staging) -> None:
    count = 2 * BATCH + 3
    staging.add_contacts(contact(code) for code in range(count, 0, -1))
    link(state, mapping(finance_code=5))
    assert codes(list(staging.unlinked_contacts())) == [code for code in range(1, count + 1) if code != 5]
    assert staging.count_linked_contacts() == 1


def test_doubles_of_linked_contacts_are_found(state: State, staging: Staging) -> None:
    somebody = contact(4, name="مریم کاظمی")
    staging.add_contacts([contact(1), contact(2), contact(3, active="0"), somebody, contact(5, admin=True)])
    link(state, mapping(finance_code=1))
    assert [(found.code, twin) for found, twin in staging.unlinked_doubles()] == [(2, 1)]


def test_customers_come_in_the_order_in_which_they_came_and_newer_copies_replace_older_ones(staging: Staging) -> None:
    first, second, newer = customer(crm_id="a"), customer(crm_id="b"), customer(crm_id="a", name="نام تازه")
    staging.add_unchanged(["a", "x"])
    staging.add_customers([(first, False), (second, False), (customer(crm_id="c", number="9"), True)])
    staging.add_customers([(newer, False)])
    assert [found.crm_id for found in staging.customers(linked=False)] == ["b", "a"]
    assert staging.customer("a") == newer
    assert staging.customer("z") is None
    assert (staging.count_customers(linked=False), staging.count_customers(linked=True)) == (2, 1)
    assert [found.crm_id for found in staging.customers_with_number("100-1234")] == ["b", "a"]
    assert [found.crm_id for found in staging.customers_with_identity(identity_key(second))] == ["b", "c"]
    assert staging.count_unchanged() == 1


def test_readings_are_counted_once_and_become_the_window_of_the_cursor(state: State, staging: Staging) -> None:
    staging.add_readings("person", [("a", "2026-01-05T09:00:00", "1"), ("b", "2026-01-05T10:00:00", "2")])
    staging.add_readings("person", [("a", "2026-01-05T11:00:00", "3"), ("c", "", "4")])
    staging.add_readings("quote", [("q", "2026-01-05T12:00:00", "5")])
    assert (staging.reading_count("person"), staging.reading_count("invoice")) == (3, 0)
    assert staging.readings("person", ["a", "z"]) == {"a": "2026-01-05T11:00:00"}
    assert staging.highest_reading("person") == "2026-01-05T11:00:00"
    assert staging.highest_reading("invoice") is None
    cursors = Cursors(state)
    with state.atomic():
        cursors.move("person", "2026-01-05T11:00:00", ("2026-01-05T10:30:00", AT), AT, whole=True)
    assert cursors.get("person") == "2026-01-05T11:00:00"
    assert cursors.window("person") == ("2026-01-05T10:30:00", AT)
    assert cursors.seen("person", ["a", "b", "c"]) == {"a": Seen("2026-01-05T11:00:00", "3")}
    assert (cursors.seen_count("person"), cursors.all()) == (1, {"person": "2026-01-05T11:00:00"})


@pytest.mark.parametrize(("whole", "left"), [(True, ["new"]), (False, ["new", "old"])])
def test_a_window_that_was_read_as_a_whole_forgets_what_it_did_not_meet(
    state: State, staging: Staging, whole: bool, left: list[str]
) -> None:
    with state.atomic():
        state.execute("INSERT INTO seen VALUES ('person', 'old', '2026-01-05T10:00:00', 'o')")
    staging.add_readings("person", [("new", "2026-01-05T11:00:00", "n")])
    with state.atomic():
        Cursors(state).move("person", "2026-01-05T11:00:00", ("2026-01-05T09:00:00", AT), AT, whole=whole)
    assert sorted(Cursors(state).seen("person", ["old", "new"])) == left


def test_sheets_keep_plain_data_in_order(staging: Staging) -> None:
    for n in range(2 * BATCH + 1):
        staging.put("even" if n % 2 == 0 else "odd", {"n": n, "text": "یک\nدو"})
    assert staging.sheet_count("even") == BATCH + 1
    assert [value["n"] for value in staging.sheet("even")] == list(range(0, 2 * BATCH + 1, 2))
    assert next(staging.sheet("odd")) == {"n": 1, "text": "یک\nدو"}
    staging.put("odd", {"n": "last"})
    assert list(staging.sheet("odd"))[-1] == {"n": "last"}
    assert (staging.sheet_count("odd"), staging.sheet_count("none")) == (BATCH + 1, 0)
    assert list(staging.sheet("none")) == []


def test_what_contacts_have_to_do_with_anything_else(state: State, staging: Staging) -> None:
    alone = contact(3, name="مریم کاظمی", national_code="10101234567")
    staging.add_contacts([contact(1), contact(2), alone, contact(4, notes=marker("9"), national_code="")])
    staging.add_customers([(customer(number="100-1"), False)])
    assert duplicates.entangled(state, [1, 2, 3, 4], ["100-1", "100-2"]) == ({1, 2, 4}, {"100-1"})


def test_duplicates_in_both_lists(state: State, staging: Staging) -> None:
    staging.add_contacts([contact(1), contact(2), contact(3, admin=True)])
    twins = [customer(crm_id=crm_id, national_code="", number="7") for crm_id in "ab"]
    staging.add_customers([(twin, False) for twin in twins])
    assert duplicates.duplicates(state) == [
        duplicates.Duplicate("crm", "number", "7", ("a", "b")),
        duplicates.Duplicate("finance", "identity", "13542419", ("1", "2")),
    ]


def test_notes_of_customers_are_kept(staging: Staging) -> None:
    odd = customer(national_code="123")
    assert odd.notes
    staging.add_customers([(odd, False)])
    assert staging.customer(odd.crm_id) == odd
