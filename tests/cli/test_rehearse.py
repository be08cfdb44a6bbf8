"""`rehearse`: marked test records in both systems, what they teach, what is left behind, and whom they never touch."""

from __future__ import annotations

import copy
import threading
from typing import Any

import pytest

from siaghsync.domain.site import BY_NAME
from tests.patience import PATIENCE
from tests.world import Maker, World, holding

MARK = "SIAGHSYNC TEST"
ANSWERS = f'preinvoice_customer = "{MARK}"\nscript_error_saves_nothing = true\n'


@pytest.fixture
def world(make_world: Maker) -> World:
    """Customers in both systems, and a quote with a product; nothing imported yet."""
    world = make_world(customers=5, also_in_crm=2)
    customer = next(iter(world.crm.tables["person"].records), None) or world.crm.add("person", {"nickName": "x"})
    rows = [{"productCode": "P-1", "productName": "کالا", "count": 1, "baseUnitPrice": 10}]
    world.crm.add("quote", {"identityId": customer, "crmObjectTypeCode": "PI_5", "details": rows})
    return world


def books(world: World) -> dict[str, Any]:
    """All records of both systems that bear no mark."""
    everything = {
        "contacts": {c["Code"]: c for c in world.finance.contacts.values() if MARK not in str(c["Name"])},
        "documents": [p for p in world.finance.preinvoices if MARK not in str(p.fields)],
    }
    tables = {kind: [r for r in t.records.values() if MARK not in str(r)] for kind, t in world.crm.tables.items()}
    return copy.deepcopy({**everything, **tables})


def rehearse(world: World, *args: str, exit_code: int = 0) -> dict[str, Any]:
    (world.folder / "answers.toml").write_text(ANSWERS, "utf-8")
    return world.json("rehearse", "--yes", "--answers", "answers.toml", *args, exit_code=exit_code)


def answers(document: dict[str, Any]) -> dict[str, Any]:
    assert {fact["how"] for fact in document["facts"]} == {"rehearsal"}
    assert {fact["question"] for fact in document["facts"]} <= BY_NAME.keys()
    return {fact["question"]: fact["answer"] for fact in document["facts"]}


def marked(world: World) -> list[str]:
    return [str(c["Name"]) for c in world.finance.contacts.values() if MARK in str(c["Name"])]


def test_it_learns_how_a_usual_site_behaves_before_any_import(world: World) -> None:
    before = books(world)
    document = rehearse(world)
    assert answers(document) == {
        "crm_refuses_doubles": [],
        "tmpid_stored": False,
        "passno_arrives": True,
        "empty_key_empties": True,
        "partial_update_keeps": True,
        "phones_compared": ["same_field", "punctuation"],
        "preinvoice_customer": "contact",
        "cells_as_numbers": True,
        "net_contains_vat": False,
        "script_error_saves_nothing": True,
    }
    assert [step["outcome"] for step in document["steps"]] == ["done"] * 6
    assert books(world) == before, "a real record was touched"
    # What can be deleted is gone, what can't is listed, with the pre-invoice that a script error may have saved.
    assert not [r for r in world.crm.tables["person"].records.values() if MARK in str(r)]
    left = [(each["kind"], each["sure"]) for each in document["left_behind"]]
    assert left == [("contact", True), ("contact", True), ("preinvoice", True), ("preinvoice", False)]
    (posted,) = world.finance.preinvoices
    assert world.finance.contacts[posted.customer or 0]["Name"].startswith(MARK)
    assert [row["price"] for row in posted.rows] == [1]
    # The state file is there now, and no first run.
    assert world.run("sync").exit_code == 2
    names = {name for (name,) in world.rows("SELECT name FROM meta WHERE name LIKE 'fact: %'")}
    assert names == {f"fact: {question}" for question in answers(document)}


def test_it_learns_how_a_site_with_account_parties_behaves(world: World) -> None:
    world.finance.account_party, world.finance.customer_key = "other", "party"
    world.finance.reports_tax_in_net, world.finance.untaxed_sale_kinds = True, {"1"}
    world.finance.update_keeps = False
    world.finance.shows_tmpid, world.finance.ignored_keys = True, {"gn_web_users.tmpid"}
    world.finance.phones_compared, world.finance.phone_spelling = "across", "national"
    world.crm.refuse_double_number, world.crm.refuse_doubles = True, {"phone"}
    world.set(SIAGHSYNC_MAPPING=str(world.folder / "mapping.toml"))
    (world.folder / "mapping.toml").write_text("[documents.PI_5]\nsale_kind = 2\n", "utf-8")
    before = books(world)
    document = rehearse(world)
    assert answers(document) == {
        "crm_refuses_doubles": ["number", "phone"],
        "tmpid_stored": True,
        "passno_arrives": True,
        "empty_key_empties": True,
        "partial_update_keeps": False,
        "phones_compared": ["same_field", "other_field", "punctuation", "country_code"],
        "preinvoice_customer": "party",
        "cells_as_numbers": True,
        "net_contains_vat": {"1": False, "2": True},
        "script_error_saves_nothing": True,
    }
    assert books(world) == before


def test_it_learns_how_an_odd_site_behaves(world: World) -> None:
    world.finance.account_party, world.finance.customer_key = "other", "contact"
    world.finance.whole_quantities = world.finance.reports_tax_in_net = True
    world.finance.ignored_keys = {"gn_web_users.passno"}
    world.finance.empty_key_empties = False
    world.finance.unique_phones = ()
    world.crm.checks_national_codes = True
    before = books(world)
    document = rehearse(world)
    assert answers(document) == {
        "crm_refuses_doubles": ["national_code"],
        "tmpid_stored": False,
        "passno_arrives": False,
        "empty_key_empties": False,
        "partial_update_keeps": True,
        "phones_compared": [],
        "preinvoice_customer": "contact",
        "cells_as_numbers": False,
        "net_contains_vat": True,
        "script_error_saves_nothing": True,
    }
    assert books(world) == before


def test_nothing_is_posted_where_a_code_could_mean_a_real_customer(world: World) -> None:
    world.finance.account_party, world.finance.script_errors = "null", set()
    following = max(world.finance.contacts) + 2
    code = world.finance.add_contact(Name="مشتری", AccountPartyCode=following)
    document = rehearse(world, "--only", "documents")
    assert world.finance.contacts[code]["AccountPartyCode"] == following == code + 1
    assert [step["outcome"] for step in document["steps"]] == ["passed_over"] * 2
    assert not world.finance.preinvoices


@pytest.mark.parametrize(("part", "touched"), [("crm", {"crm"}), ("contacts", {"finance"}), ("documents", {"finance"})])
def test_only_one_part(world: World, part: str, touched: set[str]) -> None:
    document = rehearse(world, "--only", part)
    assert {step["part"] for step in document["steps"]} == {part}
    writes = {(each.system, each.endpoint) for each in world.journal.entries if each.method == "POST"}
    assert {system for system, its in writes if "create" in its or "preinvoice" in its} == touched


def test_without_a_terminal_it_refuses_and_makes_nothing(world: World) -> None:
    refused = world.run("rehearse", "--json")
    assert refused.exit_code == 2
    assert refused.json["error"]["kind"] == "usage"
    assert not world.state_file.exists()
    assert not world.journal.entries


@pytest.mark.parametrize("text", ["preinvoice_customer = 5", "preinvoice_custumer = 'x'", "no toml"])
def test_answers_that_are_none_are_refused(world: World, text: str) -> None:
    (world.folder / "answers.toml").write_text(text, "utf-8")
    assert world.run("rehearse", "--yes", "--answers", "answers.toml").exit_code == 2
    assert not world.journal.entries


def test_what_nobody_said_is_taken_later_without_writing_again(world: World) -> None:
    first = world.run("rehearse", "--yes", "--json")
    assert "نام چه کسی" in first.stderr
    assert answers(first.json)["preinvoice_customer"] is None
    count = len(world.finance.preinvoices)
    later = rehearse(world)
    assert answers(later) == {"preinvoice_customer": "contact", "script_error_saves_nothing": True}
    assert later["steps"] == []
    assert len(world.finance.preinvoices) == count
    assert "fact: preinvoice_customer" in {name for (name,) in world.rows("SELECT name FROM meta")}


def test_another_name_on_the_pre_invoice_answers_nothing(world: World) -> None:
    (world.folder / "other.toml").write_text('preinvoice_customer = "بازرگانی دیگر"', "utf-8")
    document = world.json("rehearse", "--yes", "--answers", "other.toml", "--only", "documents")
    assert answers(document)["preinvoice_customer"] is None


def killed(world: World, endpoint: str) -> None:
    """A rehearsal that is killed while the server is at work on a request, which it carries out nevertheless."""
    reached, carried_out = threading.Event(), threading.Event()
    signs = {"received": reached, "committed": carried_out}
    forget = world.sandbox.on_event(
        lambda _system, its, stage: signs[stage].set() if its.startswith(endpoint) and stage in signs else None
    )
    with holding(world, endpoint):
        process = world.start("rehearse", "--yes", "--json")
        assert reached.wait(PATIENCE)
        process.kill()
        process.communicate()
    assert carried_out.wait(PATIENCE)
    forget()


ENDPOINTS = ["person/create", "SaveFormData/create", "SaveFormData/update", "SaveFormData/preinvoice"]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_killed_rehearsal_is_told_and_no_run_trips_over_it(world: World, endpoint: str) -> None:
    before = books(world)
    killed(world, endpoint)
    assert MARK in str([*world.finance.contacts.values(), *world.crm.tables["person"].records.values()])
    world.json("initial-import", "--yes")
    links = world.rows("SELECT crm_id, finance_code FROM customer_mappings")
    codes = {c["Code"] for c in world.finance.contacts.values() if MARK in str(c["Name"])}
    assert not codes & {code for _, code in links}, "a test contact was imported"
    contacts = set(world.finance.contacts)
    synced = world.json("sync", "--full")
    assert not [change for change in synced["changes"] if change["action"] in ("create", "link", "review")]
    assert set(world.finance.contacts) == contacts
    assert world.rows("SELECT * FROM reviews") == []
    after = world.run("rehearse", "--yes", "--json")
    assert after.exit_code == 0, after.text
    assert MARK in after.stderr
    assert not [r for r in world.crm.tables["person"].records.values() if MARK in str(r)], "the CRM was not cleaned up"
    listed = {each["name"] for each in after.json["left_behind"] if each["kind"] == "contact"}
    assert listed == set(marked(world))
    assert books(world)["contacts"] == before["contacts"]


@pytest.mark.parametrize(
    ("switch", "value", "subtype"),
    [("find_empty_queries", "none", "person"), ("find_empty_queries", "400", "person"), ("find_orders", False, "M_01")],
)
def test_a_test_person_in_doubt_is_found_wherever_the_list_has_it(
    world: World, switch: str, value: Any, subtype: str
) -> None:
    world.crm.type_codes["person"].add("M_01")
    world.set(CRM_PERSON_TYPE=subtype)
    for number in range(5):
        world.crm.add_person(lastName=f"مشتری {number}", crmObjectTypeCode=subtype)
    setattr(world.crm, switch, value)
    world.crm.page_cap = 2
    killed(world, "person/create")
    after = rehearse(world, "--only", "crm")
    assert [step["outcome"] for step in after["steps"]] == ["done", "done"]
    assert not [r for r in world.crm.tables["person"].records.values() if MARK in str(r)]
    assert len(rehearse(world, "--only", "documents")["left_behind"]) > 1, "a document tells of a product"


def test_the_contacts_that_somebody_deleted_are_forgotten(world: World) -> None:
    rehearse(world, "--only", "contacts")
    for code in [c["Code"] for c in list(world.finance.contacts.values()) if MARK in str(c["Name"])]:
        world.finance.delete(code)
    assert rehearse(world, "--only", "crm")["left_behind"] == []


def test_a_request_without_an_answer_leaves_its_record_in_doubt(world: World) -> None:
    world.arm("reset_after", "finance:SaveFormData/create")
    document = rehearse(world, "--only", "contacts", exit_code=1)
    assert document["steps"][0]["outcome"] == "unknown"
    assert {each["name"] for each in document["left_behind"]} == set(marked(world))
