"""Nothing that a system leaves out, and nothing that looks right by chance, counts as knowledge (contract payamgostar §3)."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from siaghsync import clock
from siaghsync.state import webhook_queue
from siaghsync.state.audit import stamp
from siaghsync.state.database import open_state
from siaghsync.state.webhook_queue import Call
from tests.engine.fake_documents import rows
from tests.engine.paging import Clocks
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "P-1", "count": 2, "baseUnitPrice": 1000}
LATER = 1500.0
"""Seconds after which a list of changes does not show what was in it."""
REFUSAL = '{"Errors":[{"Description":"نه","ErrorType":"ErrError"}],"ReturnValue":false}'.encode()
BOGUS = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """Both systems have the same eight customers, and they are linked."""
    return indoors(make_world(customers=8, also_in_crm=8)).set(**SINCE).imported()


def fact(world: Indoors, question: str) -> Any:
    ((value,),) = world.rows("SELECT value FROM meta WHERE name = ?", f"fact: {question}")
    return json.loads(value)["answer"]


def email(world: Indoors, crm_id: str) -> Any:
    return world.finance.contacts[world.code_of(crm_id)]["Email"]


def posted(world: Indoors) -> set[str]:
    return {crm_id for (crm_id,) in world.rows("SELECT crm_id FROM posted_documents")}


def persons(world: Indoors) -> list[str]:
    return sorted(crm_id for crm_id in world.crm.records if world.crm.kind(crm_id) == "person")


# --- a condition by date that hides records ----------------------------------------------------------------


@pytest.mark.parametrize("meaning", ["utc", "equals"])
def test_nothing_is_lost_where_the_condition_by_date_hides_too_much(world: Indoors, meaning: Any) -> None:
    world.crm.since_means = meaning
    clocks, customers = Clocks(world.sandbox, 0), sorted(world.crm.records)
    with clocks.set():
        world.json("sync")
        for number, crm_id in enumerate(customers[:3]):
            clocks.advance(5 * 3600)
            world.crm.edit(crm_id, email=f"edit{number}@example.com")
            world.crm.add_quote(customers[4], rows(5 + number), number=f"Q-{number}")
            world.json("sync")
        assert fact(world, "find_filters_by_date") == "hides"
        assert [email(world, crm_id) for crm_id in customers[:3]] == [f"edit{n}@example.com" for n in range(3)]
        assert len(world.finance.preinvoices) == 3
        world.crm.since_means = "from"
        clocks.advance(5 * 3600)
        world.json("sync")
        assert fact(world, "find_filters_by_date") is True


@pytest.mark.parametrize("meaning", ["utc", "equals"])
def test_check_apis_sees_that_the_condition_by_date_hides_records(world: Indoors, meaning: Any) -> None:
    for number, crm_id in enumerate(sorted(world.crm.records)):
        world.crm.edit(crm_id, modifyDate=f"2026-01-{number + 1:02}T10:00:00")
    world.crm.since_means = meaning
    found = json.loads(world.run("check-apis", "--deep", "--json").stdout)["facts"]
    assert [each["answer"] for each in found if each["question"] == "find_filters_by_date"] == ["hides"]


# --- unknown ids -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", ["404", "null", "400", "403", "object", "empty"])
def test_one_record_that_is_gone_keeps_no_other_from_being_synced(world: Indoors, answer: Any) -> None:
    """A customer that waits is deleted, and a webhook tells of an id that never was."""
    world.crm.unknown_id = answer
    clocks, (gone, other) = Clocks(world.sandbox, 0), persons(world)[:2]
    with clocks.set():
        world.json("sync")
        world.arm("json", "finance:SaveFormData", body=REFUSAL)
        world.crm.edit(gone, email="a@example.com")
        world.run("sync")
        world.crm.delete(gone)
        with closing(open_state(world.state_file)) as state:
            calls = [Call("person", BOGUS, "update"), Call("invoice", BOGUS, "update")]
            assert webhook_queue.keep(state, calls, stamp(clock.now()), 1000)
        for number in range(3):
            clocks.advance(86400)
            world.crm.edit(other, email=f"{number}@example.com")
            assert world.run("sync").exit_code in (0, 1)
        assert email(world, other) == "2@example.com"


def test_a_living_link_stays_where_its_record_is_not_shown_for_a_moment(make_world: Maker) -> None:
    world = indoors(make_world()).set(**SINCE)
    code = world.finance.add_contact(Name="علی رضایی", Email="a@example.com")
    world.imported().json("sync")
    old = world.crm_of(code)
    number = world.crm.records[old]["customerNumber"]
    world.crm.add_person(nickName="علی رضایی", customerNumber=number, email="double@example.com")
    world.crm.unshown = {old}
    for command in (("sync",), ("sync", "--full")):
        world.run(*command)
        assert (world.crm_of(code), world.finance.contacts[code]["Email"]) == (old, "a@example.com")


def test_a_document_that_is_not_shown_for_a_moment_is_read_out_of_the_list(world: Indoors) -> None:
    clocks, customer = Clocks(world.sandbox, 0), world.crm.add_person(lastName="نفر")
    with clocks.set():
        document = world.crm.add_invoice(customer, [ROW], number="1", crmObjectTypeCode="PI_5")
        world.run("sync")
        clocks.advance(LATER)
        world.crm.unshown = {document}
        world.crm.edit(customer, customerNumber="900")
        world.json("sync")
    assert posted(world) == {document}


@pytest.mark.parametrize("address", ["empty", "404"])
def test_addresses_that_are_away_for_one_run_lose_nothing(world: Indoors, address: Any) -> None:
    clocks, customer = Clocks(world.sandbox, 0), world.crm.add_person(lastName="نفر")
    with clocks.set():
        document = world.crm.add_invoice(customer, [ROW], number="1", crmObjectTypeCode="PI_5")
        world.run("sync")
        clocks.advance(LATER)
        world.crm.missing, world.crm.unknown_address = {"invoice/sales/get", "invoice/sales/find"}, address
        world.crm.edit(customer, customerNumber="900")
        world.run("sync")
        world.crm.missing = set()
        for _ in range(3):
            clocks.advance(LATER)
            world.run("sync")
        for item in world.json("review")["items"]:
            world.json("review", "resolve", str(item["id"]), "--retry")
        world.run("sync")
    assert posted(world) == {document}


@pytest.mark.parametrize("address", ["empty", "404"])
def test_a_waiting_invoice_is_found_by_its_type_where_there_is_no_get(world: Indoors, address: Any) -> None:
    world.crm.missing, world.crm.unknown_address = {"invoice/sales/get"}, address
    world.crm.empty_type_key_means_all = False
    clocks, customer = Clocks(world.sandbox, 0), world.crm.add_person(lastName="نفر")
    with clocks.set():
        document = world.crm.add_invoice(customer, [ROW], number="1", crmObjectTypeCode="PI_5")
        for _ in range(2):
            world.run("sync")
            clocks.advance(LATER)
        world.crm.edit(customer, customerNumber="900")
        world.json("sync")
    assert posted(world) == {document}


@pytest.mark.parametrize(("switch", "position"), [("typeless_type", "PI_6"), ("since_means", "equals")])
def test_a_document_is_not_gone_where_a_list_leaves_it_out_as_well(world: Indoors, switch: str, position: str) -> None:
    clocks, customer = Clocks(world.sandbox, 0), world.crm.add_person(lastName="نفر")
    with clocks.set():
        other = world.crm.add_quote(min(world.crm.records), rows(5), number="0", crmObjectTypeCode="PI_6")
        document = world.crm.add_quote(customer, [ROW], number="1", crmObjectTypeCode="PI_5")
        world.run("sync")
        clocks.advance(LATER)
        setattr(world.crm, switch, position)
        world.crm.unshown = {document}
        world.crm.edit(customer, customerNumber="900")
        world.run("sync")
    assert posted(world) == {other, document}


# --- lists that leave something out ------------------------------------------------------------------------


def test_documents_of_each_type_are_posted_where_a_list_without_type_shows_one_type(world: Indoors) -> None:
    world.crm.typeless_type = "PI_6"
    for number, code in enumerate(("PI_5", "PI_6")):
        world.crm.add_quote(min(world.crm.records), rows(5 + number), number=str(number), crmObjectTypeCode=code)
    world.json("sync")
    assert fact(world, "find_without_type") is False
    assert len(world.finance.preinvoices) == 2


def test_types_are_found_from_whichever_page_their_list_begins(world: Indoors) -> None:
    world.crm.types_from, world.crm.empty_type_key_means_all = 0, False
    world.crm.add_quote(min(world.crm.records), rows(5), number="1", crmObjectTypeCode="PI_5")
    world.json("sync")
    assert len(world.finance.preinvoices) == 1


@pytest.mark.parametrize("address", ["empty", "404"])
def test_documents_that_no_list_can_be_asked_for_are_told_about(world: Indoors, address: Any) -> None:
    world.crm.missing, world.crm.unknown_address = {"crmobjecttype/search"}, address
    world.crm.empty_type_key_means_all = False
    world.crm.add_quote(min(world.crm.records), rows(5), number="1", crmObjectTypeCode="PI_5")
    assert "quote" in world.run("sync").stderr
    assert fact(world, "find_without_type") is False


def test_an_import_stops_where_a_customer_is_listed_and_not_shown(make_world: Maker) -> None:
    world = indoors(make_world(customers=5, also_in_crm=5)).set(**SINCE)
    world.crm.missing = {"person/find", "organization/find"}
    world.crm.unshown = {persons(world)[0]}
    assert world.json("initial-import", "--yes", exit_code=3)["error"]["kind"] == "no_answer"
    assert len(world.crm.records) == 5
    world.crm.unshown = set()
    assert world.json("initial-import", "--yes")["customers"]["created"] == 0


def test_one_customer_that_can_not_be_read_by_its_id_is_told_about_and_keeps_no_other(world: Indoors) -> None:
    world.crm.missing = {"person/find", "organization/find"}
    hidden, other = persons(world)[:2]
    world.crm.unshown = {hidden}
    world.crm.edit(other, email="b@example.com")
    told = world.json("sync", exit_code=1)
    assert {each["crm_id"] for each in told["failures"]} == {hidden}
    assert email(world, other) == "b@example.com"


def test_an_import_from_a_siagh_that_shows_nobody_warns(make_world: Maker) -> None:
    world = indoors(make_world(customers=2))
    world.arm("json", "finance:GetAll", times=None, body=b"[]")
    assert "not even its admin users" in " ".join(world.run("initial-import", "--yes").text.split())


# --- answers to writes -------------------------------------------------------------------------------------


def test_a_yes_with_an_error_beside_it_is_a_question_and_is_not_sent_again(world: Indoors) -> None:
    world.finance.error_beside_success = True
    world.crm.add_quote(min(world.crm.records), rows(5), number="1")
    for _ in range(4):
        world.run("sync")
    assert len(world.finance.preinvoices) == 1
    assert [each["reason"] for each in world.json("review")["items"]] == ["unknown_outcome"]


def test_a_contact_that_was_saved_with_an_error_beside_it_is_not_made_twice(world: Indoors) -> None:
    world.finance.error_beside_success = True
    before, clocks = len(world.finance.contacts), Clocks(world.sandbox, 0)
    with clocks.set():
        newcomer = world.crm.add_person(nickName="نفر تازه", customerNumber="900")
        for _ in range(3):
            world.run("sync")
            clocks.advance(LATER)
    assert len(world.finance.contacts) == before + 1
    assert world.code_of(newcomer)


def test_what_the_crm_only_says_to_have_deleted_keeps_its_link_though_somebody_deletes_another(
    make_world: Maker,
) -> None:
    world = indoors(make_world(customers=6)).set(**SINCE)
    world.json("initial-import", "--yes")
    world.crm.deletes = "ignore"
    first = persons(world)[0]
    world.sandbox.on_event(
        lambda _, endpoint, stage: (
            world.crm.delete(first)
            if endpoint == "person/delete" and stage == "received" and first in world.crm.records
            else None
        )
    )
    world.run("undo", "1", "--yes", env={"CONCURRENCY": "1"})
    linked = {crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings")}
    assert linked >= set(world.crm.records)


# --- clocks and earlier links ------------------------------------------------------------------------------


@pytest.mark.parametrize("date_header", [True, False])
def test_a_document_made_after_the_import_is_posted_where_the_crms_clock_is_behind(
    make_world: Maker, date_header: bool
) -> None:
    world = indoors(make_world(customers=3, also_in_crm=3))
    world.crm.date_header = date_header
    clocks = Clocks(world.sandbox, -208.0)
    customer = min(world.crm.records)
    with clocks.set():
        for crm_id in world.crm.records:
            world.crm.edit(crm_id, description="x")
        world.crm.add_quote(customer, rows(5), number="before")
        clocks.advance(5)
        world.imported()
        clocks.advance(30)
        after = world.crm.add_quote(customer, rows(7), number="after")
        clocks.advance(30)
        world.json("sync")
    assert posted(world) == {after}


@pytest.mark.parametrize("address", ["empty", "404"])
def test_an_earlier_synchronisers_invoices_are_taken_over_where_there_is_no_get(
    make_world: Maker, address: Any
) -> None:
    world = indoors(make_world(customers=2, also_in_crm=2)).set(**SINCE)
    invoice = world.crm.add_invoice(min(world.crm.records), [ROW], number="1", crmObjectTypeCode="PI_5")
    world.crm.missing, world.crm.unknown_address = {"invoice/sales/get"}, address
    world.imported()
    file = world.folder / "old.csv"
    file.write_text(f"entityType,crmId,financeId\nPREINVOICE,{invoice},2488\n", "utf-8")
    assert world.run("links", "import", str(file), "--json").exit_code == 0
    world.json("sync")
    assert world.finance.preinvoices == []


# --- an unknown id that is refused with an error -----------------------------------------------------------


def test_one_record_is_found_by_its_id_where_the_other_kinds_get_refuses_it(world: Indoors) -> None:
    world.crm.unknown_id = "400"
    firm = next(crm_id for crm_id in sorted(world.crm.records) if world.crm.kind(crm_id) == "organization")
    world.crm.edit(firm, email="firm@example.com")
    world.json("sync", "--id", firm)
    assert email(world, firm) == "firm@example.com"


def test_rows_that_can_not_be_fetched_keep_no_other_document_from_being_posted(world: Indoors) -> None:
    world.crm.unknown_id, world.crm.details_in_find = "403", "null"
    hidden, other = (world.crm.add_quote(min(world.crm.records), rows(5 + n), number=str(n)) for n in range(2))
    world.crm.unshown = {hidden}
    told = world.json("sync", exit_code=1)
    assert {each["crm_id"] for each in told["failures"]} == {hidden}
    assert posted(world) == {other}


def test_a_rehearsal_removes_its_persons_where_an_unknown_id_is_refused(world: Indoors) -> None:
    world.crm.unknown_id = "400"
    document = json.loads(world.run("rehearse", "--yes", "--only", "crm", "--json").stdout)
    assert [step["outcome"] for step in document["steps"]] == ["done"]
    assert document["left_behind"] == []


# --- types, once more --------------------------------------------------------------------------------------


@pytest.mark.parametrize("meaning", ["from", "equals"])
def test_documents_are_found_by_their_types_where_a_list_without_type_shows_none_of_them(
    world: Indoors, meaning: Any
) -> None:
    world.crm.typeless_type, world.crm.since_means = "PI_6", meaning
    world.crm.add_quote(min(world.crm.records), rows(5), number="1", crmObjectTypeCode="PI_5")
    world.json("sync", "--full")
    assert len(world.finance.preinvoices) == 1


def test_types_that_fill_several_pages_from_nought_on_are_all_found(world: Indoors) -> None:
    world.crm.types_from, world.crm.page_cap, world.crm.empty_type_key_means_all = 0, 3, False
    for number in range(5, 9):
        code = f"PI_{number}"
        world.crm.add_quote(min(world.crm.records), rows(number), number=str(number), crmObjectTypeCode=code)
    world.json("sync")
    assert len(world.finance.preinvoices) == 4


def test_check_apis_sees_customers_whatever_a_condition_by_date_means(world: Indoors) -> None:
    world.crm.since_means = "equals"
    assert "not a single customer" not in " ".join(world.run("check-apis", "--deep").text.split())
