"""Phone numbers that Siagh refuses because another contact has them: the rest goes on, and exchanges are solved."""

from __future__ import annotations

from typing import Any

import pytest

from siaghsync.sandbox.people import national_code
from tests.indoors import Indoors, indoors
from tests.world import Maker

FIRST, SECOND, THIRD = "09120000011", "09120000022", "09120000033"


def phones(mobile: str = "", office: str = "") -> dict[str, Any]:
    numbers = [("Mobile", mobile), ("Phone", office)]
    return {
        "phoneContacts": [
            {"phoneNumber": number, "phoneType": label, "default": True} for label, number in numbers if number
        ]
    }


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    return indoors(make_world())


def linked(world: Indoors, *people: dict[str, Any]) -> list[str]:
    """Customers that were created and synced, each with an address; their CRM ids."""
    world.finance.add_contact(Code=1, Name="کسی دیگر")
    world.imported().json("sync")
    ids = [
        world.crm.add_person(
            nickName=f"مشتری شمارهٔ {place}",
            nationalCode=national_code(400 + place),
            customerNumber=str(9000 + place),
            **given,
        )
        for place, given in enumerate(people)
    ]
    assert world.json("sync")["customers"]["created"] == len(ids)
    return ids


def shown(world: Indoors, crm_id: str) -> tuple[str, str]:
    contact = world.finance.contacts[world.code_of(crm_id)]
    return contact["MobileNo"], contact["TelNo"]


def waiting(world: Indoors) -> list[tuple[str, str]]:
    return [(each["reason"], each["message"]) for each in world.json("waiting")["items"]]


def test_an_exchange_is_solved_in_one_run(world: Indoors) -> None:
    ali, mina = linked(world, phones(FIRST, "02111111"), phones(SECOND, "02122222"))
    world.crm.edit(ali, **phones(SECOND, "02122222"))
    world.crm.edit(mina, **phones(FIRST, "02111111"))
    customers = world.json("sync")["customers"]
    assert (customers["updated"], customers["failed"]) == (2, 0)
    assert shown(world, ali) == (SECOND, "02122222")
    assert shown(world, mina) == (FIRST, "02111111")
    assert waiting(world) == []
    again = world.json("sync", "--full")
    assert (again["customers"]["unchanged"], again["changes"]) == (3, [])


def test_a_ring_of_three_and_one_who_waits_for_it(world: Indoors) -> None:
    a, b, c, d = linked(world, phones(FIRST), phones(SECOND), phones(THIRD), phones("09120000044"))
    for crm_id, number in ((d, FIRST), (a, SECOND), (b, THIRD), (c, "09120000044")):
        world.crm.edit(crm_id, **phones(number))
    assert world.json("sync")["customers"]["failed"] == 0
    assert [shown(world, each)[0] for each in (a, b, c, d)] == [SECOND, THIRD, "09120000044", FIRST]


def test_a_new_customer_gets_the_number_that_another_gives_up(world: Indoors) -> None:
    (ali,) = linked(world, phones(FIRST))
    world.crm.edit(ali, **phones(SECOND))
    new = world.crm.add_person(nickName="تازه", customerNumber="9100", **phones(FIRST))
    assert world.json("sync")["customers"]["failed"] == 0
    assert shown(world, new)[0] == FIRST


def test_the_rest_is_sent_and_the_message_says_who_has_the_number(world: Indoors) -> None:
    ali, mina = linked(world, phones(FIRST), phones(SECOND))
    world.crm.edit(ali, website="new.example", **phones(SECOND))
    document = world.json("sync", exit_code=1)
    assert document["customers"]["failed"] == 1
    contact = world.finance.contacts[world.code_of(ali)]
    assert (contact["MobileNo"], contact["WebSiteAddress"]) == (FIRST, "new.example")
    assert shown(world, mina)[0] == SECOND
    ((reason, message),) = waiting(world)
    assert reason == "phone_taken"
    assert f"{world.code_of(mina)}, مشتری شمارهٔ 1" in message
    world.json("sync", "--full", exit_code=1)
    (review,) = world.json("review")["items"]
    assert (review["reason"], review["ways_out"]) == ("phone_taken", ["link", "retry", "discard"])
    assert world.json("sync", "--full")["customers"]["review"] == 1
    world.crm.edit(mina, **phones(THIRD))
    world.json("sync")
    world.json("review", "resolve", str(review["id"]), "--retry")
    world.json("sync")
    assert shown(world, ali)[0] == SECOND
    assert world.json("review")["items"] == []


def test_both_numbers_taken_by_different_contacts(world: Indoors) -> None:
    ali, _, _ = linked(world, phones(FIRST, "02100001"), phones(SECOND), phones("", "02133333"))
    world.crm.edit(ali, website="new.example", **phones(SECOND, "02133333"))
    world.json("sync", exit_code=1)
    assert shown(world, ali) == (FIRST, "02100001")
    assert world.finance.contacts[world.code_of(ali)]["WebSiteAddress"] == "new.example"


@pytest.mark.parametrize(
    "switch", [{"phones_compared": "across"}, {"phone_spelling": "national"}, {"phone_spelling": "exact"}]
)
def test_however_numbers_are_compared(world: Indoors, switch: dict[str, Any]) -> None:
    for name, value in switch.items():
        setattr(world.finance, name, value)
    ali, mina = linked(world, phones(FIRST), phones("", "02122222"))
    world.crm.edit(ali, **phones("02122222"))
    world.crm.edit(mina, **phones("", FIRST))
    assert world.json("sync")["customers"]["failed"] == 0
    assert (shown(world, ali)[0], shown(world, mina)[1]) == ("02122222", FIRST)


def test_a_server_that_keeps_what_is_sent_empty(world: Indoors) -> None:
    world.finance.empty_key_empties = False
    ali, mina = linked(world, phones(FIRST), phones(SECOND))
    world.crm.edit(ali, website="a.example", **phones(SECOND))
    world.crm.edit(mina, website="b.example", **phones(FIRST))
    assert world.json("sync", exit_code=1)["customers"]["failed"] == 2
    assert (shown(world, ali)[0], shown(world, mina)[0]) == (FIRST, SECOND)
    assert world.finance.contacts[world.code_of(mina)]["WebSiteAddress"] == "b.example"
    assert {reason for reason, _ in waiting(world)} == {"phone_taken"}


def test_a_saved_plan_is_carried_out_whole_or_not(world: Indoors) -> None:
    ali, _ = linked(world, phones(FIRST), phones(SECOND))
    world.crm.edit(ali, website="new.example", **phones(SECOND))
    plan = str(world.folder / "plan.json")
    world.json("sync", "--dry-run", "--save-plan", plan)
    world.json("sync", "--plan", plan, exit_code=1)
    assert not world.finance.contacts[world.code_of(ali)]["WebSiteAddress"]


def test_what_is_out_of_reach_does_not_hold_up_an_exchange(world: Indoors) -> None:
    ali, mina = linked(world, phones(FIRST), phones(SECOND, "02122222"))
    world.crm.edit(ali, **phones(SECOND, "02122222"))
    world.crm.edit(mina, **phones(FIRST))
    document = world.json("sync", exit_code=1)
    assert (document["customers"]["updated"], document["customers"]["failed"]) == (1, 1)
    assert shown(world, ali) == (SECOND, "")
    assert shown(world, mina) == (FIRST, "02122222"), "an empty field of the CRM keeps what Siagh has"
    ((reason, message),) = waiting(world)
    assert (reason, "02122222" in message) == ("phone_taken", True)
