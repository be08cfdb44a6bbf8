"""CUSTOMERS_WITHOUT_NUMBER: customers that have no number in the CRM are known by their CRM id, or passed over."""

from __future__ import annotations

from typing import Any

import pytest

from siaghsync.sandbox.people import national_code
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ALI, MINA = national_code(123456789), national_code(987654321)
PHONE = "09001112233"
ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """After an import of nothing much and a first sync."""
    world = indoors(make_world()).set(CUSTOMERS_WITHOUT_NUMBER="create", UNKNOWN_GRACE_SECONDS="0", **SINCE)
    world.finance.add_contact(Code=1, Name="کسی دیگر")
    world.imported().json("sync")
    return world


def add(world: Indoors, name: str = "علی رضایی", code: str = ALI, **more: Any) -> str:
    phones = [{"phoneNumber": PHONE, "phoneType": "Mobile", "default": True}] if more.pop("phone", False) else []
    crm_id: str = world.crm.add_person(
        nickName=name, nationalCode=code, customerNumber="", phoneContacts=phones, **more
    )
    return crm_id


def notes(world: Indoors, crm_id: str) -> str:
    return str(world.finance.contacts[world.code_of(crm_id)]["Description"])


def reasons(world: Indoors) -> list[str]:
    return [each["reason"] for each in world.json("review")["items"]]


def test_several_are_created_at_once_each_with_the_mark_of_its_id(world: Indoors) -> None:
    ids = [add(world), add(world, "مینا نوری", MINA), add(world, "بی کد", "")]
    assert world.json("sync")["customers"]["created"] == 3
    assert [notes(world, crm_id) for crm_id in ids] == [f"[CRM {crm_id.lower()}]" for crm_id in ids]
    contacts = world.finance.snapshot()
    assert world.json("sync", "--full")["changes"] == []
    assert world.finance.snapshot() == contacts
    assert world.json("verify")["in_step"] == 4


def test_one_that_agrees_is_linked(world: Indoors) -> None:
    world.finance.add_contact(Code=1100, Name="علی رضایی", NationalCode=ALI)
    crm_id = add(world)
    assert world.json("sync")["customers"]["linked"] == 1
    assert world.code_of(crm_id) == 1100


def test_one_that_agrees_in_two_is_asked_about(world: Indoors) -> None:
    world.finance.add_contact(Code=1100, Name="علی رضایی", MobileNo=PHONE)
    add(world, code="", phone=True)
    world.json("sync", exit_code=1)
    assert reasons(world) == ["possible_duplicate"]


def test_its_documents_are_posted(world: Indoors) -> None:
    crm_id = add(world)
    world.crm.add_invoice(crm_id, [ROW], number="100-1405/1")
    assert [change["entity"] for change in world.json("sync")["changes"]] == ["customer", "invoice"]
    assert world.finance.preinvoices[0].customer == world.code_of(crm_id)


def test_a_number_that_comes_later_keeps_the_link_and_the_mark_follows(world: Indoors) -> None:
    crm_id = add(world)
    world.json("sync")
    code = world.code_of(crm_id)
    world.crm.edit(crm_id, customerNumber="9001")
    assert world.json("sync")["customers"]["updated"] == 1
    assert (world.code_of(crm_id), notes(world, crm_id)) == (code, "[CRM 9001]")
    assert world.json("sync", "--full")["changes"] == []


@pytest.mark.parametrize("setting", ["create", "skip"])
@pytest.mark.parametrize("number", ["", "9001"], ids=["still without", "with a number by now"])
def test_without_the_state_file_the_mark_leads_back(world: Indoors, setting: str, number: str) -> None:
    crm_id = add(world)
    world.json("sync")
    code, records = world.code_of(crm_id), len(world.crm.records)
    contacts = len(world.finance.contacts)
    world.crm.edit(crm_id, customerNumber=number)
    world.state_file.unlink()
    world.set(CUSTOMERS_WITHOUT_NUMBER=setting)
    world.json("initial-import", "--yes")
    world.json("sync", "--full")
    assert world.code_of(crm_id) == code
    assert (len(world.crm.records), len(world.finance.contacts)) == (records, contacts)
    assert notes(world, crm_id) == f"[CRM {number or crm_id.lower()}]"


def test_a_mark_with_an_id_is_no_proof_for_a_stranger(world: Indoors) -> None:
    crm_id = add(world)
    world.json("sync")
    world.finance.contacts[world.code_of(crm_id)].update(Name="مینا نوری", NationalCode=MINA)
    world.state_file.unlink()
    world.json("initial-import", "--yes", exit_code=1)
    assert reasons(world) == ["stranger"]


@pytest.mark.parametrize("kind", ["reset_after", "reset_before"])
def test_a_create_in_doubt_is_looked_up_by_its_mark(world: Indoors, kind: str) -> None:
    crm_id = add(world, code="")
    world.arm(kind=kind, where="finance:SaveFormData")
    world.run("sync", "--json")
    for _ in range(3):
        world.run("sync", "--json")
    assert world.json("status")["pending"] == 0
    assert notes(world, crm_id) == f"[CRM {crm_id.lower()}]"
    assert len(world.finance.contacts) == 2


def test_back_to_skip_the_linked_ones_go_on_and_new_ones_are_passed_over(world: Indoors) -> None:
    linked = add(world)
    world.json("sync")
    world.set(CUSTOMERS_WITHOUT_NUMBER="skip")
    world.crm.edit(linked, nickName="علی رضایی نو")
    add(world, "مینا نوری", MINA)
    done = world.json("sync")["customers"]
    assert (done["updated"], done["skipped"], done["created"]) == (1, 1, 0)
    assert world.finance.contacts[world.code_of(linked)]["Name"] == "علی رضایی نو"
    assert notes(world, linked) == f"[CRM {linked.lower()}]"
