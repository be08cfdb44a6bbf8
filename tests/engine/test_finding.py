"""Nothing is lost where the CRM's `find` does not do what it is asked, with edits made while its pages are read."""

from __future__ import annotations

import json
import random
from itertools import combinations
from typing import Any

import pytest

from siaghsync.domain.site import BY_NAME
from tests.engine.fake_documents import rows
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker, World

DOCUMENTS = {"quote/sales/find", "invoice/sales/find"}
SWITCHES: dict[str, Any] = {
    "find_filters_by_date": False,
    "find_orders": False,
    "find_pages": False,
    "find_empty_queries": "none",
    "find_filters_by_type": False,
    "empty_type_key_means_all": False,
    "find_refuses": {"modifyDate", "orders"},
    "missing": {"person/find", "organization/find"},
}
SETS = [(), *((name,) for name in SWITCHES), *combinations(SWITCHES, 2), tuple(list(SWITCHES)[:7])]
WITHOUT_ANY_LIST = {"find_empty_queries", "find_refuses"}
"""Nothing without a condition, and no condition: customers are known by the search, documents by nothing but webhooks."""
SHOWN_BY_A_WHOLE_READING = {"find_empty_queries", "empty_type_key_means_all"}
SINGLE: list[tuple[str, Any, str, Any, str]] = [
    ("find_filters_by_date", False, "find_filters_by_date", False, "does not filter by date"),
    ("find_orders", False, "find_orders", False, "does not keep the order"),
    ("find_pages", False, "find_pages", False, "the first page again"),
    ("find_empty_queries", "none", "find_empty_queries", "none", "nothing without a condition"),
    ("find_empty_queries", "400", "find_empty_queries", "refused", "nothing without a condition"),
    ("find_filters_by_type", False, "find_filters_by_type", False, "of other subtypes"),
    ("empty_type_key_means_all", False, "find_without_type", False, "nothing without a subtype"),
    ("find_refuses", {"modifyDate"}, "find_filters_by_date", "refused", "does not filter by date"),
    ("find_refuses", {"orders"}, "find_orders", "refused", "does not keep the order"),
    ("missing", {"person/find", "organization/find"}, "find_customers", False, "no find for customers"),
    ("missing", DOCUMENTS, "find_documents", False, "no find for documents"),
]
COUNT = 14


def date_records(world: World) -> None:
    """Half of the records bear one date, the others, persons all of them, one each: an order shows in many dates of one list."""
    downwards = sorted(world.crm.records, reverse=True)
    for number, crm_id in enumerate(sorted(downwards, key=lambda i: world.crm.kind(i) == "person")):
        world.crm.edit(crm_id, modifyDate=f"2026-01-{max(1, number - COUNT // 2):02}T10:00:00")


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    world = make_template(customers=COUNT, also_in_crm=COUNT)
    date_records(world)
    world.imported().json("sync")
    return world


@pytest.fixture
def synced(world: World, template: World) -> Indoors:
    return indoors(world.twin_of(template))


def edit_while_paging(world: Indoors, seed: int) -> None:
    """After each of the first answers some records change: those that were read, and those that were not."""
    order = random.Random(seed)
    left = [4]

    def edit(system: str, endpoint: str, stage: str) -> None:
        if system == "crm" and stage == "answered" and endpoint.endswith(("find", "search", "get")) and left[0]:
            left[0] -= 1
            for crm_id in order.sample(sorted(world.crm.records), 3):
                world.crm.edit(crm_id, email=f"e{left[0]}-{crm_id[:8]}@example.com")

    world.sandbox.on_event(edit)


def facts(world: World) -> dict[str, Any]:
    """Question -> answer, of those about find."""
    stored = world.rows("SELECT name, value FROM meta WHERE name LIKE 'fact: find_%'")
    return {name.removeprefix("fact: "): json.loads(value)["answer"] for name, value in stored}


@pytest.mark.parametrize("cap", [500, 4])
@pytest.mark.parametrize("broken", SETS, ids="+".join)
def test_no_change_is_lost(synced: Indoors, broken: tuple[str, ...], cap: int) -> None:
    stranger = synced.crm.add_person(lastName="بیگانه", crmObjectTypeCode="lead", customerNumber="987")
    for name in broken:
        setattr(synced.crm, name, SWITCHES[name])
    synced.crm.page_cap = cap
    customers = sorted(set(synced.crm.records) - {stranger})
    if SHOWN_BY_A_WHOLE_READING.intersection(broken):
        synced.json("sync", "--full", env=SINCE)
    for seed in range(2):
        for crm_id in customers[seed::3]:
            synced.crm.edit(crm_id, website=f"https://{seed}.example.com")
        synced.crm.add_quote(customers[seed], rows(5), number=f"Q-{seed}")
        synced.crm.add_invoice(customers[seed + 3], rows(7), number=f"I-{seed}")
        edit_while_paging(synced, seed)
        synced.json("sync", env=SINCE)
        synced.json("sync", env=SINCE)
        for crm_id in customers:
            record, contact = synced.crm.records[crm_id], synced.finance.contacts[synced.code_of(crm_id)]
            assert (contact["Email"] or "", contact["WebSiteAddress"] or "") == (record["email"], record["website"])
        if WITHOUT_ANY_LIST.issubset(broken):
            assert any("no find for documents" in told for told in synced.run("status", "--json").json["fallbacks"])
        else:
            assert len(synced.finance.preinvoices) == 2 * (seed + 1)
    synced.json("verify")
    assert "بیگانه" not in str(synced.finance.contacts.values())
    assert facts(synced).keys() <= BY_NAME.keys()


@pytest.mark.parametrize(("switch", "value", "question", "answer", "words"), SINGLE)
def test_what_find_does_not_do_is_known_until_it_does_it(
    make_world: Maker, switch: str, value: Any, question: str, answer: Any, words: str
) -> None:
    world = indoors(make_world(customers=COUNT, also_in_crm=COUNT))
    usual = getattr(world.crm, switch)
    customer = min(world.crm.records)
    world.crm.add_person(lastName="بیگانه", crmObjectTypeCode="lead", customerNumber="987")
    date_records(world)
    world.crm.page_cap = 4 if switch == "find_pages" else 500  # an order shows in a long page, a number in a short one
    assert world.run("status", "--json").json["fallbacks"] == []
    setattr(world.crm, switch, value)
    world.imported().json("sync", env=SINCE)
    world.crm.add_quote(customer, rows(5), number="Q-1")
    world.json("sync", env=SINCE)
    assert len(world.finance.preinvoices) == (value != DOCUMENTS)
    assert facts(world)[question] == answer
    (shown,) = world.run("status", "--json").json["fallbacks"]
    assert words in shown
    assert "records were looked at" in shown
    assert words in " ".join(world.run("status").text.split())
    setattr(world.crm, switch, usual)
    world.json("sync", "--full", env=SINCE)
    world.json("sync", env=SINCE)
    assert facts(world)[question] == ("all" if question == "find_empty_queries" else True)
    assert world.run("status", "--json").json["fallbacks"] == []


def test_documents_are_found_by_their_types_whatever_index_these_have(make_world: Maker) -> None:
    world = indoors(make_world(customers=COUNT, also_in_crm=COUNT))
    world.crm.document_indexes = {"quote": 11, "invoice": 12}
    world.crm.empty_type_key_means_all = False
    world.imported().json("sync", env=SINCE)
    world.crm.add_quote(min(world.crm.records), rows(5), number="Q-1")
    world.crm.add_invoice(max(world.crm.records), rows(7), number="I-1")
    world.json("sync", env=SINCE)
    assert len(world.finance.preinvoices) == 2


@pytest.mark.parametrize("answer", ["none", "400"])
def test_an_import_makes_no_doubles_of_customers_that_an_empty_query_does_not_show(
    make_world: Maker, answer: Any
) -> None:
    world = indoors(make_world(customers=5, also_in_crm=5))
    world.crm.find_empty_queries = answer
    before = set(world.crm.records)
    counts = world.imported().json("initial-import", "--yes")["customers"]
    assert (counts["created"], set(world.crm.records)) == (0, before)


def test_an_import_makes_no_doubles_of_customers_that_only_the_search_shows(make_world: Maker) -> None:
    """Whatever find is asked, it answers that there is nothing."""
    world = indoors(make_world(customers=4, also_in_crm=4))
    for kind in ("person", "organization"):
        world.arm("json", f"crm:{kind}/find", times=None, body=b'{"data": [], "total": 0}')
    customers = world.json("initial-import", "--yes")["customers"]
    assert (customers["created"], customers["linked"]) == (0, 4)
    assert len(world.crm.records) == 4


@pytest.mark.parametrize(
    ("switch", "value", "without_condition"),
    [("find_filters_by_number", False, "all"), ("find_refuses", {"customerNumber"}, "all"),
     ("find_refuses", {"customerNumber"}, "none")],
)  # fmt: skip
def test_creates_in_doubt_are_found_where_find_does_not_know_numbers(
    make_world: Maker, switch: str, value: Any, without_condition: Any
) -> None:
    """The look-up by number then shows all customers, a page at a time."""
    world = indoors(make_world())
    for number in range(6):
        world.finance.add_contact(Name=f"نفر {number}")
    setattr(world.crm, switch, value)
    world.crm.page_cap, world.crm.find_empty_queries = 2, without_condition
    world.arm("reset_after", "crm:person/create", times=None)
    assert world.json("initial-import", "--yes")["customers"]["created"] == 6
    assert len(world.crm.records) == 6


def test_what_a_crm_without_customers_is_asked_costs_one_request(make_world: Maker) -> None:
    world = indoors(make_world(customers=1))
    world.json("initial-import", "--yes")
    assert world.journal.count("crm", "identity/search") == 1
    world.json("sync")
    world.json("sync")
    assert world.journal.count("crm", "identity/search") == 0
    assert world.json("sync")["requests"] == {"crm": 5, "finance": 1}


def test_a_crm_that_has_nobody_but_leads_has_a_find(make_world: Maker) -> None:
    world = indoors(make_world(customers=1))
    for number in range(3):
        world.crm.add_person(lastName=f"سرنخ {number}", crmObjectTypeCode="lead")
    for contact in world.finance.contacts.values():
        contact["IsAdminUser"] = True
    world.imported().json("sync", "--full", env=SINCE)
    assert facts(world)["find_customers"] is True
    assert world.json("status")["fallbacks"] == []
    world.json("sync", env=SINCE)  # what the whole reading saw is missing in the list, and is looked at once more
    world.json("sync", env=SINCE)
    assert world.journal.count("crm", "person/get") == 0, "they are looked at by a whole reading only"
    newcomer = world.crm.add_person(lastName="مشتری", customerNumber="77")
    world.json("sync", env=SINCE)
    assert world.finance.contacts[world.code_of(newcomer)]["Name"] == "مشتری"
