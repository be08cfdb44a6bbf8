"""Who is who when the world has changed: numbers given twice, exchanged or reused, records deleted and entered again."""

from __future__ import annotations

from typing import Any

import pytest

from siaghsync.sandbox.people import national_code
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ALI, MINA, SARA = national_code(123456789), national_code(987654321), national_code(112233445)
PHONE = "09001112233"
ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    return indoors(make_world())


def ready(world: Indoors) -> Indoors:
    """The world after an import of nothing much and a first sync."""
    world.finance.add_contact(Code=1, Name="کسی دیگر")
    world.imported().json("sync")
    return world


def reviews(world: Indoors) -> list[tuple[str, str | None, str | None]]:
    return [(each["reason"], each["customer_number"], each["finance_code"]) for each in world.json("review")["items"]]


def phones(number: str = PHONE) -> dict[str, Any]:
    return {"phoneContacts": [{"phoneNumber": number, "phoneType": "Mobile", "default": True}]}


# --- a stranger under the number ---


@pytest.mark.parametrize(
    ("why", "contact", "record"),
    [
        ("two firms on one switchboard", {"Name": "شرکت بازرگانی آلفا", "TowardType": True},
         {"nickName": "شرکت بازرگانی بتا"}),
        ("another valid code", {"Name": "علی رضایی", "NationalCode": ALI}, {"nickName": "علی رضایی", "nationalCode": MINA}),
        ("a person and an organization", {"Name": "علی رضایی"}, {"nickName": "علی رضایی"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["sync", "initial-import"])
def test_what_contradicts_is_never_linked(
    world: Indoors, why: str, contact: dict[str, Any], record: dict[str, Any], command: str
) -> None:
    if command == "sync":
        ready(world)
    world.finance.add_contact(Code=1100, MobileNo=PHONE, **contact)
    add = world.crm.add_organization if why != "another valid code" else world.crm.add_person
    add(customerNumber="1100", **phones(), **record)
    before = world.finance.snapshot()
    world.json(*([command] if command == "sync" else [command, "--yes"]), exit_code=1)
    assert [reason for reason, _, _ in reviews(world)] == ["stranger"], why
    assert world.finance.snapshot() == before
    assert world.rows("SELECT 1 FROM customer_mappings WHERE finance_code = 1100") == []


def test_a_dry_run_of_a_link_shows_both_names(world: Indoors) -> None:
    ready(world)
    world.finance.add_contact(Code=1100, Name="رضا در سیاق", MobileNo=PHONE)
    world.crm.add_person(nickName="رضا در سی آر ام", customerNumber="1100", **phones())
    (change,) = world.json("sync", "--dry-run")["changes"]
    assert change["names"] == {"crm": "رضا در سی آر ام", "finance": "رضا در سیاق"}
    shown = world.run("sync", "--dry-run").stdout
    assert "رضا در سیاق" in shown
    assert "رضا در سی آر ام" in shown


# --- numbers that move ---


def created(world: Indoors, number: str, name: str, code: str) -> str:
    crm_id: str = world.crm.add_person(nickName=name, nationalCode=code, customerNumber=number)
    return crm_id


def test_numbers_that_were_exchanged_exchange_no_ledgers_even_without_the_state_file(world: Indoors) -> None:
    ready(world)
    ali, mina = created(world, "9001", "علی رضایی", ALI), created(world, "9002", "مینا نوری", MINA)
    world.json("sync")
    codes = {ali: world.code_of(ali), mina: world.code_of(mina)}
    world.crm.edit(ali, customerNumber="9002")
    world.crm.edit(mina, customerNumber="9001")
    world.json("sync")
    notes = {crm_id: world.finance.contacts[code]["Description"] for crm_id, code in codes.items()}
    assert notes == {ali: "[CRM 9002]", mina: "[CRM 9001]"}
    world.state_file.unlink()
    world.json("initial-import", "--yes")
    world.json("sync")
    assert {crm_id: world.code_of(crm_id) for crm_id in codes} == codes
    assert [world.finance.contacts[code]["Name"] for code in codes.values()] == ["علی رضایی", "مینا نوری"]


def test_a_mark_that_stands_on_somebody_else_is_no_proof(world: Indoors) -> None:
    ready(world)
    ali = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(ali)
    world.finance.contacts[code].update(Name="مینا نوری", NationalCode=MINA)
    world.state_file.unlink()
    world.json("initial-import", "--yes", exit_code=1)
    assert [reason for reason, _, _ in reviews(world)] == ["stranger"]
    world.json("sync", exit_code=1)
    assert world.finance.contacts[code]["Name"] == "مینا نوری"


def test_a_customer_that_was_entered_again_under_another_number_keeps_its_contact(world: Indoors) -> None:
    ready(world)
    ali = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(ali)
    twin = created(world, "9005", "علی رضایی", ALI)
    world.json("sync", exit_code=1)
    assert [reason for reason, _, _ in reviews(world)] == ["double_in_crm"]
    world.crm.delete(ali)
    world.crm.edit(twin, email="new@example.com")
    assert [(c["action"], c["reason"]) for c in world.json("sync")["changes"]] == [("link", "relinked")]
    assert (world.code_of(twin), reviews(world)) == (code, [])
    assert world.finance.contacts[code]["Email"] == "new@example.com"
    assert world.json("verify")["in_step"] == 2


def test_the_mark_follows_the_number_of_a_customer_that_was_entered_again(world: Indoors) -> None:
    ready(world)
    ali = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(ali)
    world.crm.delete(ali)
    heir = created(world, "9005", "علی رضایی", ALI)
    (change,) = world.json("sync")["changes"]
    assert (change["action"], change["reason"], world.code_of(heir)) == ("link", "relinked", code)
    assert world.finance.contacts[code]["Description"].endswith("[CRM 9005]")
    created(world, "9001", "مینا نوری", MINA)
    world.json("sync")
    marks = [each["Description"] for each in world.finance.contacts.values() if each["Description"]]
    assert sorted(mark[-10:] for mark in marks) == ["[CRM 9001]", "[CRM 9005]"]
    assert world.json("sync", "--full")["customers"]["updated"] == 0


def test_only_one_of_two_that_were_entered_again_gets_the_contact(world: Indoors) -> None:
    ready(world)
    ali = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(ali)
    world.crm.delete(ali)
    new = [created(world, number, "علی رضایی", ALI) for number in ("9005", "9006")]
    for _ in range(2):
        world.run("sync", "--full")
        linked = world.rows("SELECT crm_id FROM customer_mappings WHERE finance_code = ?", code)
        assert len(linked) == 1
        assert linked[0][0] in new
    assert [reason for reason, _, _ in reviews(world)] == ["double_in_crm"]
    assert len([each for each in world.finance.contacts.values() if each["Name"] == "علی رضایی"]) == 1


def test_a_customer_that_was_entered_again_under_its_number_keeps_its_contact(world: Indoors) -> None:
    ready(world).set(**SINCE)
    first = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(first)
    world.crm.delete(first)
    second = created(world, "9001", "علی رضایی", ALI)
    world.crm.add_quote(second, [ROW], number="100-1405/1")
    done = world.json("sync")
    assert [(each["action"], each["reason"]) for each in done["changes"] if each["entity"] == "customer"] == [
        ("link", "relinked")
    ]
    assert world.code_of(second) == code
    assert done["invoices"]["created"] == 1
    assert "relinked" in str(world.json("log", "--customer", "9001")["entries"])
    assert reviews(world) == []
    assert len([each for each in world.finance.contacts.values() if each["Name"] == "علی رضایی"]) == 1


def test_while_the_first_record_is_there_its_number_on_another_is_a_question(world: Indoors) -> None:
    ready(world)
    first = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    created(world, "9001", "علی رضایی", ALI)
    world.json("sync", exit_code=1)
    assert [reason for reason, _, _ in reviews(world)] == ["number_twice"]
    assert world.code_of(first)


def test_somebody_else_under_the_number_of_a_record_that_is_gone_is_a_question(world: Indoors) -> None:
    ready(world)
    first = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(first)
    world.crm.delete(first)
    created(world, "9001", "مینا نوری", MINA)
    world.json("sync", exit_code=1)
    assert [reason for reason, _, _ in reviews(world)] == ["stranger"]
    assert world.finance.contacts[code]["Name"] == "علی رضایی"


def test_the_contact_of_a_record_that_is_gone_can_be_linked_to_its_heir(world: Indoors) -> None:
    """Somebody else has the number too, so the program can't tell who inherits."""
    ready(world)
    first = created(world, "9001", "علی رضایی", ALI)
    world.json("sync")
    code = world.code_of(first)
    created(world, "9001", "مینا نوری", MINA)
    world.crm.delete(first)
    heir = created(world, "9001", "علی رضایی", ALI)
    world.json("sync", exit_code=1)
    items = {item["crm_id"]: item for item in world.json("review")["items"]}
    assert items[heir]["reason"] == "number_twice"
    world.json("review", "resolve", str(items[heir]["id"]), "--link", str(code))
    world.crm.edit(heir, email="new@example.com")
    world.run("sync")
    assert world.code_of(heir) == code
    assert world.finance.contacts[code]["Email"] == "new@example.com"


# --- the same customer under unrelated numbers ---


@pytest.mark.parametrize("decision", ["link", "retry"])
def test_a_possible_duplicate_is_asked_about_by_sync_and_never_made_silently(world: Indoors, decision: str) -> None:
    ready(world)
    world.finance.add_contact(Code=700, Name="علی رضایی", MobileNo=PHONE)
    crm_id = world.crm.add_person(nickName="علی رضایی", customerNumber="9001", **phones())
    world.json("sync", exit_code=1)
    (item,) = world.json("review")["items"]
    assert item["reason"] == "possible_duplicate"
    assert len(world.finance.contacts) == 2 + admins(world)
    world.finance.contacts[700]["MobileNo"] = PHONE if decision == "link" else ""  # Siagh takes no phone twice
    option = ["--link", "700"] if decision == "link" else ["--retry"]
    world.json("review", "resolve", str(item["id"]), *option)
    world.json("sync")
    assert (world.code_of(crm_id) == 700) is (decision == "link")
    assert reviews(world) == []


@pytest.mark.parametrize("decision", ["link", "retry"])
def test_a_possible_duplicate_is_asked_about_by_the_import(world: Indoors, decision: str) -> None:
    world.finance.add_contact(Code=700, Name="علی رضایی", MobileNo=PHONE)
    crm_id = world.crm.add_person(nickName="علی رضایی", customerNumber="9001", **phones())
    world.json("initial-import", "--yes", exit_code=1)
    (item,) = world.json("review")["items"]
    assert item["reason"] == "possible_duplicate"
    assert len(world.crm.records) == 1
    option = ["--link", "9001"] if decision == "link" else ["--retry"]
    world.json("review", "resolve", str(item["id"]), *option)
    world.json("initial-import", "--yes")
    assert (world.crm_of(700) == crm_id) is (decision == "link")
    assert len(world.crm.records) == (1 if decision == "link" else 2)


def admins(world: Indoors) -> int:
    return sum(1 for each in world.finance.contacts.values() if each["IsAdminUser"])


# --- invisible characters ---


def test_invisible_characters_in_a_number_are_dropped_and_noted(world: Indoors) -> None:
    ready(world)
    crm_id = world.crm.add_person(nickName="علی رضایی", customerNumber="\u200f90\u200c01\u00ad")
    done = world.json("sync")
    assert done["customers"]["created"] == 1
    assert world.finance.contacts[world.code_of(crm_id)]["Description"] == "[CRM 9001]"
    assert "nvisible characters" in str(world.json("log", "--customer", "9001")["entries"])


@pytest.mark.parametrize("command", ["sync", "initial-import"])
def test_the_same_code_under_a_second_name_is_no_silent_duplicate(world: Indoors, command: str) -> None:
    if command == "sync":
        ready(world)
    world.finance.add_contact(Code=700, Name="شرکت آلفا گستر", NickName="علی رضایی", NationalCode=ALI)
    world.crm.add_person(nickName="علی رضایی", nationalCode=ALI, customerNumber="9001")
    world.json(*([command] if command == "sync" else [command, "--yes"]), exit_code=1)
    assert [reason for reason, _, _ in reviews(world)] == ["possible_duplicate"]
