"""Documents that have to be read by their ids, from a CRM that has no `get` for invoices."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.paging import Clocks
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

ROW = {"productCode": "P-1", "count": 2, "baseUnitPrice": 1000}
LATER = 1500.0
"""Seconds after which a list of changes does not show what was in it."""


@pytest.fixture(params=["empty", "404"])
def world(make_world: Maker, request: pytest.FixtureRequest) -> Indoors:
    world = indoors(make_world(customers=2, also_in_crm=2)).set(**SINCE).imported()
    world.crm.date_header = True
    world.crm.missing, world.crm.unknown_address = {"invoice/sales/get"}, request.param
    return world


def invoice(world: Indoors, customer: str, number: str) -> str:
    return world.crm.add_invoice(customer, [ROW], number=number, crmObjectTypeCode="PI_5")


def posted(world: Indoors) -> list[str]:
    return [crm_id for (crm_id,) in world.rows("SELECT crm_id FROM posted_documents")]


@pytest.mark.parametrize("switches", [{}, {"page_cap": 2}, {"find_refuses": {"modifyDate", "orders"}}])
def test_what_waits_is_posted_when_its_customer_has_a_number(world: Indoors, switches: dict[str, Any]) -> None:
    for name, value in switches.items():
        setattr(world.crm, name, value)
    clocks = Clocks(world.sandbox, 0)
    customer = world.crm.add_person(lastName="نفر")
    waiting = {invoice(world, customer, str(number)) for number in range(5)}
    with clocks.set():
        for _ in range(2):
            world.run("sync")
            clocks.advance(LATER)
        assert len(world.json("waiting")["items"]) >= len(waiting)
        world.crm.edit(customer, customerNumber="900")
        world.json("sync")
    assert set(posted(world)) == waiting
    assert len(world.finance.preinvoices) == len(waiting)


def test_a_list_that_does_not_show_everything_lets_nothing_count_as_gone(world: Indoors) -> None:
    clocks = Clocks(world.sandbox, 0)
    customer = world.crm.add_person(lastName="نفر")
    with clocks.set():
        waiting = {invoice(world, customer, str(number)) for number in range(5)}
        world.run("sync")
        clocks.advance(LATER)
        world.crm.page_cap, world.crm.find_pages = 2, False
        world.crm.edit(customer, customerNumber="900")
        told = world.json("sync", exit_code=1)
        assert waiting >= {each["crm_id"] for each in told["failures"]} != set()
        world.crm.page_cap, world.crm.find_pages = 500, True
        clocks.advance(LATER)
        world.json("sync")
    assert set(posted(world)) == waiting


def test_what_was_deleted_is_gone_and_what_was_posted_is_asked_about(world: Indoors) -> None:
    clocks = Clocks(world.sandbox, 0)
    customer, without = min(world.crm.records), world.crm.add_person(lastName="نفر")
    sent, waits, stays = invoice(world, customer, "1"), invoice(world, without, "2"), invoice(world, customer, "3")
    with clocks.set():
        world.run("sync")
        assert set(posted(world)) == {sent, stays}
        world.crm.delete(sent)
        world.crm.delete(waits)
        clocks.advance(LATER)
        world.crm.edit(without, customerNumber="900")
        world.run("sync")
        assert not [each for each in world.json("waiting")["items"] if each["crm_id"] == waits]
        world.json("sync", "--full", exit_code=1)
        (item,) = world.json("review")["items"]
        assert (item["crm_id"], item["reason"]) == (sent, "deleted_after_posting")
        counts = world.json("report", "invoices")["counts"]
        assert counts["documents"] == 2
