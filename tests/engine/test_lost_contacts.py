"""Linked customers whose contact is not there any more, or is somebody else by now, and the ways out of that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.engine.backups import SiaghCopy
from tests.environment import SINCE
from tests.indoors import indoors
from tests.world import Maker, World

CODE_A, CODE_B = "0012345679", "0499370899"
"""Two valid national codes."""
ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    world = make_template()
    world.finance.add_contact(Name="علی رضایی", MobileNo="09120000001", NationalCode=CODE_A)
    world.finance.add_contact(Name="مریم کاظمی", MobileNo="09120000002")
    world.imported()
    world.json("sync")
    return world


@pytest.fixture
def world(make_world: Maker, template: World) -> World:
    return make_world().set(**SINCE).twin_of(template)


def one(world: World) -> tuple[str, int]:
    """The first customer and its contact."""
    ((crm_id, code),) = world.rows("SELECT crm_id, finance_code FROM customer_mappings ORDER BY finance_code LIMIT 1")
    return crm_id, code


def quote(world: World, crm_id: str, number: str = "100-1405/1") -> str:
    return world.crm.add_quote(crm_id, [ROW], number=number)


def replace_contact(world: World, code: int, **fields: Any) -> None:
    """Somebody else gets the code of a contact that is gone."""
    world.finance.delete(code)
    world.finance.add_contact(**{"Code": code, "Name": "کس دیگر", "MobileNo": "09127777777", **fields})


def review(world: World) -> dict[str, Any]:
    (item,) = world.json("review")["items"]
    assert isinstance(item, dict)
    return item


def resolve(world: World, *way: str) -> None:
    ended = world.run("review", "resolve", str(review(world)["id"]), *way)
    assert ended.exit_code == 0, ended.text


def writes(world: World) -> int:
    return sum(entry.endpoint.startswith("SaveFormData") for entry in world.journal.entries)


def test_nothing_is_written_to_a_stranger_and_nothing_booked_on_him(world: World) -> None:
    crm_id, code = one(world)
    replace_contact(world, code)
    stranger = world.finance.contacts[code]
    world.crm.edit(crm_id, nickName="نام تازه")
    quote(world, crm_id)
    done = world.json("sync", exit_code=1)
    assert writes(world) == 0
    assert review(world)["reason"] == "contact_replaced"
    shown = world.run("review", "show", str(review(world)["id"]))
    assert shown.exit_code == 0
    assert "کس دیگر" in shown.stdout
    assert review(world)["ways_out"] == ["link", "recreate", "unlink", "retry"]
    assert [failure["reason"] for failure in done["failures"]] == ["customer_in_review"]
    world.json("sync", "--full", exit_code=1)
    assert (world.finance.contacts[code], world.finance.preinvoices) == (stranger, [])


@pytest.mark.parametrize("listed", [False, True])
@pytest.mark.parametrize("fate", ["contact_replaced", "missing_in_finance"])
def test_a_document_alone_shows_that_the_contact_is_lost(world: World, fate: str, listed: bool) -> None:
    crm_id, code = one(world)
    if fate == "contact_replaced":
        replace_contact(world, code)
    else:
        world.finance.delete(code)
    quote(world, crm_id)
    dry = world.json("sync", "--dry-run", *(["--full"] if listed else []), exit_code=1)
    assert [failure["reason"] for failure in dry["failures"]] == ["customer_waits"]
    world.json("sync", *(["--full"] if listed else []), exit_code=1)
    assert review(world)["reason"] == fate
    assert world.finance.preinvoices == []


def test_what_waits_for_a_customer_in_doubt_is_left_alone_until_that_is_decided(world: World) -> None:
    crm_id, code = one(world)
    world.finance.delete(code)
    quote(world, crm_id)
    world.json("sync", exit_code=1)
    before = world.rows("SELECT count(*) FROM audit")
    world.json("sync")
    assert world.rows("SELECT count(*) FROM audit") == before
    quote(world, crm_id, "100-1405/2")
    world.json("sync", exit_code=1)
    assert world.finance.preinvoices == []


@pytest.mark.parametrize("shown", [None, "00000000-0000-0000-0000-000000000000"])
def test_without_record_ids_another_national_code_gives_a_stranger_away(world: World, shown: str | None) -> None:
    first, second = (code for (code,) in world.rows("SELECT finance_code FROM customer_mappings ORDER BY finance_code"))
    for code in (first, second):
        replace_contact(world, code, RecordId=shown, NationalCode=CODE_B)
        world.crm.edit(world.crm_of(code), email="a@example.com")
    world.json("sync", exit_code=1)
    assert review(world)["crm_id"] == world.crm_of(first)
    assert world.finance.contacts[first]["Email"] is None
    assert world.finance.contacts[second]["Email"] == "a@example.com"  # nothing contradicts


def test_the_record_id_of_a_new_contact_is_learned_when_it_is_read(world: World) -> None:
    crm_id = world.crm.add_person(nickName="تازه وارد", customerNumber="9001")
    world.json("sync")
    code = world.code_of(crm_id)
    quote(world, crm_id)
    world.json("sync")
    assert len(world.finance.preinvoices) == 1
    replace_contact(world, code)
    quote(world, crm_id, "100-1405/2")
    world.json("sync", exit_code=1)
    assert review(world)["reason"] == "contact_replaced"
    assert len(world.finance.preinvoices) == 1


@pytest.mark.parametrize("fate", ["contact_replaced", "missing_in_finance"])
def test_a_lost_contact_is_made_anew_and_gets_what_waited(world: World, fate: str) -> None:
    crm_id, code = one(world)
    if fate == "contact_replaced":
        replace_contact(world, code)
    else:
        world.finance.delete(code)
    quote(world, crm_id)
    world.json("sync", exit_code=1)
    resolve(world, "--recreate")
    assert world.json("review")["items"] == []
    done = world.json("sync")
    assert [(c["entity"], c["action"], c["reason"]) for c in done["changes"]] == [
        ("customer", "create", "recreated"),
        ("invoice", "create", None),
    ]
    new = world.code_of(crm_id)
    assert new != code or fate == "missing_in_finance"
    assert world.finance.contacts[new]["Name"] == "علی رضایی"
    assert world.finance.preinvoices[0].customer == new
    assert world.rows("SELECT resolution FROM reviews") == [("recreate",)]
    assert world.rows("SELECT count(*) FROM decisions") == [(0,)]
    world.json("sync", "--full")
    assert writes(world) == 0


def test_a_refused_new_contact_keeps_the_question_open_and_says_why(world: World) -> None:
    crm_id, code = one(world)
    replace_contact(world, code, MobileNo="09120000001")
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    resolve(world, "--recreate")
    world.json("sync", exit_code=1)
    asked = review(world)
    assert (asked["reason"], asked["finance_code"]) == ("contact_replaced", str(code))
    assert "کس دیگر" in asked["message"]
    assert world.rows("SELECT resolution FROM reviews") == [(None,)]
    world.json("sync")
    assert writes(world) == 0
    world.finance.edit(code, MobileNo="09127777777")
    resolve(world, "--recreate")
    assert world.json("sync")["customers"]["created"] == 1


def test_a_contact_that_came_back_is_not_made_anew(world: World) -> None:
    crm_id, code = one(world)
    contact = world.finance.contacts[code]
    world.finance.delete(code)
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    resolve(world, "--recreate")
    world.finance.add_contact(**contact)
    assert world.json("sync")["customers"]["updated"] == 1
    assert world.code_of(crm_id) == code
    assert world.rows("SELECT resolution FROM reviews") == [("settled",)]
    assert world.rows("SELECT count(*) FROM decisions") == [(0,)]


def both_lost(world: World) -> tuple[str, int, str, int]:
    """Siagh was put back to a day before it had either contact, and has given the first one's code to somebody else since."""
    (first, code), (second, other) = world.rows(
        "SELECT crm_id, finance_code FROM customer_mappings ORDER BY finance_code"
    )
    early = SiaghCopy.of(world.finance)
    SiaghCopy([], [], replace(early.counters, contact=code - 1)).put_back(world.finance)
    world.finance.add_contact(Name="کس دیگر", MobileNo="09127777777")
    assert (world.finance.contacts.keys(), other) == ({code}, code + 1)
    for crm_id in (first, second):
        world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    return first, code, second, other


def ask_again(world: World, crm_id: str) -> dict[str, Any]:
    (item,) = (each for each in world.json("review")["items"] if each["crm_id"] == crm_id)
    assert isinstance(item, dict)
    return item


def decide(world: World, crm_id: str, *way: str) -> None:
    ended = world.run("review", "resolve", str(ask_again(world, crm_id)["id"]), *way)
    assert ended.exit_code == 0, ended.text


def test_two_that_are_made_anew_at_once_each_get_a_contact_of_their_own(world: World) -> None:
    first, _, second, other = both_lost(world)
    for crm_id in (first, second):
        decide(world, crm_id, "--recreate")
    done = world.json("sync")
    assert [change["reason"] for change in done["changes"]] == ["recreated", "recreated"]
    assert (world.code_of(first), world.code_of(second)) == (other, other + 1)
    assert world.finance.contacts[other]["Name"] == "علی رضایی"
    assert world.finance.contacts[other + 1]["Name"] == "مریم کاظمی"
    assert world.json("review")["items"] == []
    world.json("sync", "--full")
    assert writes(world) == 0


@pytest.mark.parametrize("way", ["--recreate", "--unlink"])
def test_who_is_not_decided_yet_gives_the_code_up_and_is_asked_about_still(world: World, way: str) -> None:
    first, _, second, other = both_lost(world)
    decide(world, first, "--recreate")
    assert world.json("sync")["customers"]["created"] == 1
    assert world.code_of(first) == other
    world.json("sync", "--full")
    assert (ask_again(world, second)["reason"], writes(world)) == ("missing_in_finance", 0)
    log = world.json("log", "--customer", world.crm.records[second]["customerNumber"])["entries"]
    assert (str(other), "unlink") in [(line["finance_code"], line["action"]) for line in log]
    decide(world, second, way)
    assert world.json("sync")["customers"]["created"] == 1
    assert world.code_of(second) == other + 1
    world.json("sync", "--full")
    assert (world.json("review")["items"], writes(world)) == ([], 0)


def test_a_person_links_the_contact_under_the_code_of_somebody_who_lost_it(world: World) -> None:
    first, _, second, other = both_lost(world)
    world.finance.add_contact(Code=other, Name="علی رضایی", MobileNo="09120000001", NationalCode=CODE_A)
    decide(world, first, "--link", str(other))
    world.run("sync", "--full")
    assert world.code_of(first) == other
    assert ask_again(world, second)["reason"] == "missing_in_finance"


@pytest.mark.parametrize("by", ["mark", "code and name"])
def test_no_second_contact_is_made_where_one_of_the_customers_own_stands(world: World, by: str) -> None:
    crm_id, code = one(world)
    number = world.crm.records[crm_id]["customerNumber"]
    replace_contact(world, code)
    own = {"Description": f"[CRM {number}]"} if by == "mark" else {"NationalCode": CODE_A}
    stands = world.finance.add_contact(Name="علی رضایی", MobileNo="09120000001", **own)
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    resolve(world, "--recreate")
    done = world.json("sync")
    assert [(change["action"], change["finance_code"]) for change in done["changes"]] == [("link", str(stands))]
    assert world.code_of(crm_id) == stands
    assert world.finance.contacts[stands]["Email"] == "a@example.com"
    assert (world.json("review")["items"], world.rows("SELECT count(*) FROM decisions")) == ([], [(0,)])


def test_the_mark_becomes_that_of_the_customer_whom_a_person_links(world: World) -> None:
    crm_id, code = one(world)
    replace_contact(world, code, Name="علی رضایی", Description="[CRM 77001]")
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    resolve(world, "--link", str(code))
    world.json("sync")
    assert world.crm.records[crm_id]["customerNumber"] in str(world.finance.contacts[code]["Description"])
    assert "77001" not in str(world.finance.contacts[code])


def test_an_ended_link_leaves_a_customer_to_the_usual_rules(world: World) -> None:
    crm_id, code = one(world)
    contact = world.finance.contacts[code]
    replace_contact(world, code)
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    moved = world.finance.add_contact(**{**contact, "Code": None, "RecordId": "moved"})
    resolve(world, "--unlink")
    world.json("sync", exit_code=1)
    assert review(world)["reason"] == "stranger"
    resolve(world, "--link", str(moved))
    assert world.json("sync")["customers"]["updated"] == 1
    assert world.finance.contacts[moved]["Email"] == "a@example.com"


def test_a_replaced_contact_can_be_linked_as_it_is(world: World) -> None:
    crm_id, code = one(world)
    replace_contact(world, code, Name="علی رضایی")
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    resolve(world, "--link", str(code))
    assert world.json("sync")["customers"]["updated"] == 1
    assert world.finance.contacts[code]["Email"] == "a@example.com"


@pytest.mark.parametrize("mark", ["true", "false"])
def test_a_contact_that_a_sync_made_and_never_looked_at_again_is_told_from_the_next_with_its_code(
    make_world: Maker, mark: str
) -> None:
    """Nothing is known of it but its code: no RecordId yet, and the customer has no national code."""
    world = indoors(make_world())
    world.set(**SINCE, FINANCE_NOTE_MARKER=mark)
    world.finance.add_contact(Code=1, Name="کسی دیگر")
    world.imported().json("sync")
    crm_id = world.crm.add_person(nickName="نام تنها", customerNumber="9001")
    world.json("sync")
    code = world.code_of(crm_id)
    world.finance.delete(code)
    world.finance.add_contact(Code=code, Name="مردی دیگر", MobileNo="09129998877")
    world.crm.add_quote(crm_id, [{"productCode": "P", "count": 1, "baseUnitPrice": 100}], number="1")
    world.json("sync", exit_code=1)
    world.crm.edit(crm_id, email="new@example.com")
    world.run("sync")
    assert [each["reason"] for each in world.json("review")["items"]] == ["contact_replaced"]
    assert world.finance.contacts[code]["Name"] == "مردی دیگر"
    assert world.finance.preinvoices == []
