"""How `sync` reads the CRM: nothing is skipped, whatever its dates, pages and answers look like."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.world import Maker, World

PAGE = 200
"""The page size that sync asks for."""


def crm_time(world: World, **ago: float) -> str:
    """The CRM's own time, so long ago."""
    return (world.crm.now().replace(tzinfo=None) - timedelta(**ago)).isoformat(timespec="milliseconds")


def cursors(world: World) -> dict[str, str]:
    return dict(world.rows("SELECT source, modified FROM cursors"))


def shift(world: World, moment: str, seconds: float) -> str:
    return (datetime.fromisoformat(moment) + timedelta(seconds=seconds)).isoformat(timespec="milliseconds")


def fill(world: World, count: int, **fields: Any) -> list[str]:
    """So many CRM persons with numbers from 100001 on, in no other system."""
    return [world.crm.add_person(nickName=f"نفر {i}", customerNumber=str(100_001 + i), **fields) for i in range(count)]


def settled(world: World) -> set[str]:
    """The CRM ids that are linked."""
    return {crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings")}


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    return make_template().imported()


@pytest.fixture
def empty(world: World, template: World) -> World:
    """An import of nothing is over, so that every CRM record is new to sync."""
    return world.set(MAX_CREATES_PER_RUN="100000").twin_of(template)


# --- dates -------------------------------------------------------------------------------------------------


def test_thousands_with_the_very_same_date(make_world: Maker) -> None:
    world = make_world()
    moment = crm_time(world, days=1)
    for number in range(2 * PAGE + 50):
        code = world.finance.add_contact(Name=f"نفر {number}")
        world.crm.add_person(nickName=f"نفر {number}", customerNumber=str(code), modifyDate=moment)
    world.imported().json("sync")
    # A bulk edit gives all of them one new date; three quarters of them really differ.
    bulk = crm_time(world)
    for number, crm_id in enumerate(world.crm.records):
        world.crm.edit(crm_id, modifyDate=bulk, **({"email": f"a{number}@example.com"} if number % 4 else {}))
    assert world.json("sync")["customers"]["updated"] == sum(1 for n in range(2 * PAGE + 50) if n % 4)
    assert sum(1 for contact in world.finance.contacts.values() if contact["Email"]) == 337
    done = world.json("sync")
    assert done["customers"]["updated"] == 0
    assert world.journal.count("finance", "SaveFormData") == 0


def test_records_that_change_while_they_are_paged(empty: World) -> None:
    ids = fill(empty, 3 * PAGE, modifyDate=crm_time(empty, days=1))
    for i, crm_id in enumerate(ids):
        empty.crm.edit(crm_id, modifyDate=crm_time(empty, days=1, seconds=-i))
    answered = threading.Event()

    def move(_system: str, endpoint: str, stage: str) -> None:
        # After the first page every tenth record moves to the end of the order, the ones on that page, too.
        if endpoint == "person/find" and stage == "answered" and not answered.is_set():
            answered.set()
            for crm_id in ids[::10]:
                empty.crm.edit(crm_id, email="moved@example.com")

    empty.sandbox.on_event(move)
    empty.json("sync")
    empty.json("sync")
    assert answered.is_set()
    assert settled(empty) == set(ids)
    emails = {contact["tmpid"]: contact["Email"] for contact in empty.finance.contacts.values()}
    moved = {empty.crm.records[crm_id]["customerNumber"] for crm_id in ids[::10]}
    assert {number for number, email in emails.items() if email == "moved@example.com"} == moved


def test_a_record_that_becomes_visible_late_is_not_stepped_over(empty: World) -> None:
    late_date = crm_time(empty, seconds=30)
    fill(empty, 1)
    empty.json("sync")
    assert cursors(empty)["person"] > late_date
    late = empty.crm.add_person(nickName="دیر", customerNumber="9001", modifyDate=late_date)
    assert empty.json("sync")["customers"]["created"] == 1
    assert late in settled(empty)


def test_a_record_that_becomes_visible_late_behind_a_full_page(empty: World) -> None:
    fill(empty, PAGE + 50, modifyDate=crm_time(empty, seconds=5))
    empty.json("sync")
    fill_date = crm_time(empty, minutes=5)
    late = empty.crm.add_person(nickName="دیر", customerNumber="9001", modifyDate=fill_date)
    empty.json("sync")
    assert late in settled(empty)


def test_an_edit_within_the_tick_of_the_last_look(empty: World) -> None:
    empty.crm.date_precision = "seconds"
    (crm_id,) = fill(empty, 1)
    moment = empty.crm.records[crm_id]["modifyDate"]
    empty.json("sync")
    assert "." not in moment
    empty.crm.edit(crm_id, email="same@example.com", modifyDate=moment)
    assert empty.json("sync")["customers"]["updated"] == 1
    assert empty.finance.contacts[empty.code_of(crm_id)]["Email"] == "same@example.com"


@pytest.mark.parametrize("offset", [-7200.0, 7200.0])
def test_a_clock_that_differs_from_ours(empty: World, offset: float) -> None:
    empty.crm.clock_offset = offset
    (first,) = fill(empty, 1)
    empty.json("sync")
    for mail in ("b@example.com", "c@example.com"):
        empty.crm.edit(first, email=mail)
        assert empty.json("sync")["customers"]["updated"] == 1
        assert empty.finance.contacts[empty.code_of(first)]["Email"] == mail


def test_a_bogus_date_in_the_future_does_not_drag_the_cursor_along(empty: World) -> None:
    bogus = empty.crm.add_person(nickName="از آینده", customerNumber="9001", modifyDate="2099-01-01T00:00:00")
    (other,) = fill(empty, 1)
    empty.json("sync")
    assert settled(empty) == {bogus, other}
    assert cursors(empty)["person"] < crm_time(empty, minutes=-5)
    empty.crm.edit(other, email="later@example.com")
    assert empty.json("sync")["customers"]["updated"] == 1
    # It is read again and again, but nothing is done about it.
    done = empty.json("sync")
    assert (done["customers"]["updated"], empty.journal.count("finance", "SaveFormData")) == (0, 0)


def test_records_without_a_date_are_found_by_the_first_and_by_every_full_sync(empty: World) -> None:
    first = fill(empty, PAGE + 10, modifyDate=None)
    dated = empty.crm.add_person(nickName="با تاریخ", customerNumber="9001")
    empty.json("sync")
    assert settled(empty) == {*first, dated}
    later = empty.crm.add_person(nickName="بی تاریخ", customerNumber="9002", modifyDate=None)
    empty.json("sync", "--full")
    assert later in settled(empty)


# --- pages and shapes --------------------------------------------------------------------------------------


def test_a_server_that_caps_its_pages_lower_than_asked(empty: World) -> None:
    empty.crm.page_cap = 7
    dated = [empty.crm.add_person(nickName=f"الف {i}", customerNumber=str(8001 + i)) for i in range(30)]
    ids = fill(empty, 20, modifyDate=crm_time(empty, days=1))
    empty.json("sync")
    assert settled(empty) == {*ids, *dated}
    for crm_id in dated:
        empty.crm.edit(crm_id, email="capped@example.com")
    assert empty.json("sync")["customers"]["updated"] == 30


def test_pascal_case_camel_case_seconds_and_null_lists(make_world: Maker) -> None:
    world = make_world(customers=4, also_in_crm=2)
    world.crm.pascal_case = world.finance.camel_case = True
    world.crm.date_precision = "seconds"
    world.crm.answer_key = "id"
    world.imported()
    new = world.crm.add_person(
        nickName="تازه", customerNumber="9001", phoneContacts=None, addressContacts=None, categories=None,
        extendedProperties=None, tags=None, email=None, description=None,
    )  # fmt: skip
    assert world.json("sync")["customers"]["created"] == 1
    world.crm.edit(new, nickName="تازه تر")
    assert world.json("sync")["customers"]["updated"] == 1
    done = world.json("sync", "--full")
    assert (done["customers"]["unchanged"], world.journal.count("finance", "SaveFormData")) == (5, 0)


def test_a_bad_record_waits_while_the_others_go_on(empty: World) -> None:
    bad = empty.crm.add_person(nickName={"odd": "shape"}, customerNumber="9001")
    good = fill(empty, 3)
    done = empty.json("sync", exit_code=1)
    assert (done["customers"]["created"], done["customers"]["failed"]) == (3, 1)
    assert bad in done["failures"][0]["message"]
    assert "nickname" in done["failures"][0]["message"].lower()
    assert settled(empty) == set(good)
    # It is tried again, then put before a person, then left in peace.
    assert empty.json("sync", exit_code=1)["customers"]["review"] == 1
    assert empty.json("sync")["customers"]["review"] == 0
    assert empty.json("status", exit_code=1)["review"] == 1
    # Once it is mended it is an ordinary new customer, and the question is settled.
    empty.crm.edit(bad, nickName="درست شد")
    assert empty.json("sync")["customers"]["created"] == 1
    assert empty.json("status")["review"] == 0


# --- answers that are no lists -----------------------------------------------------------------------------

NO_LISTS: dict[str, dict[str, Any]] = {
    "null": {"kind": "json", "body": b"null"},
    "null data": {"kind": "json", "body": b'{"data": null, "total": 0}'},
    "array": {"kind": "json", "body": b"[]"},
    "html": {"kind": "html"},
    "cut": {"kind": "cut", "size": 10},
    "no id": {"kind": "json", "body": b'{"data": [{"nickName": "x"}], "total": 1}'},
}


def test_a_crm_answer_that_is_no_list_fails_the_run_and_moves_no_cursor(empty: World) -> None:
    (crm_id,) = fill(empty, 1)
    empty.json("sync")
    before = cursors(empty)
    empty.crm.edit(crm_id, email="new@example.com")
    for name, fault in NO_LISTS.items():
        empty.arm(where="crm:organization/find", times=None, **fault)
        ended = empty.run("sync", "--json", env={"MAX_RETRY_ATTEMPTS": "1"})
        assert (name, ended.exit_code) == (name, 3)
        assert "organization" in ended.json["error"]["message"]
        assert ended.json["error"]["hint"]
        assert cursors(empty) == before
        empty.sandbox.faults.clear()
    assert empty.json("sync")["customers"]["updated"] == 1


def test_a_finance_answer_that_is_no_list_fails_the_run_before_it_writes(empty: World) -> None:
    empty.finance.add_contact(Name="نفر 0", Description="[CRM 100001]")
    (crm_id,) = fill(empty, 1)
    for name in ("null", "html", "cut"):
        empty.arm(where="finance:GetAll", times=None, **NO_LISTS[name])
        ended = empty.run("sync", "--json", env={"MAX_RETRY_ATTEMPTS": "1"})
        assert (name, ended.exit_code) == (name, 3)
        assert "list all contacts" in ended.json["error"]["message"]
        assert empty.journal.count("finance", "SaveFormData") == 0
        assert cursors(empty) == {}
        empty.sandbox.faults.clear()
    assert empty.json("sync")["customers"]["linked"] == 1
    assert settled(empty) == {crm_id}
