"""`sync --customer`, `--document` and `--id`: just that record, changed or not, under the same rules."""

from __future__ import annotations

from typing import Any

import pytest

from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """Contacts 700 and 701, both in step with the CRM; a first sync has gone through."""
    found = indoors(make_world()).set(**SINCE)
    found.finance.add_contact(Code=700, Name="شرکت نمونه", TowardType=True, MobileNo="09001112233")
    found.finance.add_contact(Code=701, Name="علی رضایی", MobileNo="09001112244")
    found.imported()
    found.json("sync")
    return found


def edit_both(world: Indoors) -> None:
    for code in (700, 701):
        world.crm.edit(world.crm_of(code), email=f"new{code}@example.com")


def emails(world: Indoors) -> list[str]:
    return [world.finance.contacts[code]["Email"] or "" for code in (700, 701)]


def codes(document: dict[str, Any]) -> list[str]:
    return [change["finance_code"] for change in document["changes"]]


@pytest.mark.parametrize("how", ["number", "persian", "id"])
def test_only_that_customer_is_written_and_the_others_stay_to_be_done(world: Indoors, how: str) -> None:
    edit_both(world)
    option = {
        "number": ("--customer", "701"), "persian": ("--customer", "۷۰۱"), "id": ("--id", world.crm_of(701).upper()),
    }[how]  # fmt: skip
    document = world.json("sync", *option)
    assert codes(document) == ["701"]
    assert document["customers"]["seen"] == 1
    assert emails(world) == ["", "new701@example.com"]
    assert codes(world.json("sync")) == ["700"]
    assert emails(world) == ["new700@example.com", "new701@example.com"]


def test_a_customer_that_did_not_change_is_compared_all_the_same(world: Indoors) -> None:
    world.crm.edit(world.crm_of(701), email="a@example.com")
    world.json("sync")
    world.finance.contacts[701]["Email"] = "by.hand@example.com"
    assert codes(world.json("sync")) == []
    assert codes(world.json("sync", "--customer", "701")) == ["701"]
    assert emails(world)[1] == "a@example.com"


def test_only_that_document_is_posted_and_its_customer_comes_first(world: Indoors) -> None:
    customer = world.crm.add("person", {"customerNumber": "900", "firstName": "زهرا", "lastName": "کریمی"})
    quotes = [
        world.crm.add("quote", {"identityId": customer, "number": number, "details": [ROW]}) for number in ("11", "12")
    ]
    document = world.json("sync", "--document", "12")
    assert {change["crm_id"] for change in document["changes"]} == {customer, quotes[1]}
    assert world.json("sync")["invoices"]["created"] == 1
    assert len(world.finance.preinvoices) == 2


def test_a_dry_run_and_a_saved_plan_hold_that_record_alone(world: Indoors) -> None:
    edit_both(world)
    plan = world.folder / "plan.jsonl"
    assert codes(world.json("sync", "--customer", "700", "--dry-run", "--save-plan", str(plan))) == ["700"]
    assert emails(world) == ["", ""]
    assert codes(world.json("sync", "--plan", str(plan))) == ["700"]
    assert emails(world) == ["new700@example.com", ""]


@pytest.mark.parametrize(
    "options",
    [
        ("--customer", "999"), ("--document", "999"), ("--id", "no-id"),
        ("--id", "0a4d6378-4a12-4572-aa48-62dfe167821c"), ("--customer", ""),
        ("--customer", "700", "--full"), ("--customer", "700", "--id", "1"), ("--document", "1", "--only", "invoices"),
    ],
)  # fmt: skip
def test_what_is_not_there_or_can_not_be_combined_is_wrong_use(world: Indoors, options: tuple[str, ...]) -> None:
    error = world.json("sync", *options, exit_code=2)["error"]
    assert error["kind"] == "usage"
    assert error["hint"]
    edit_both(world)
    assert sorted(codes(world.json("sync"))) == ["700", "701"]
