"""Whom pre-invoices are booked on: decided by the setting or by the contacts, and nothing is posted while it is open."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import Any

import pytest

from tests.engine.test_documents import customer, invoice, quote, told
from tests.environment import SINCE
from tests.world import Maker, World


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    """Contacts have account parties that are other numbers than their codes: party 5500000 + code."""
    world = make_template(customers=3, also_in_crm=3).set(**SINCE)
    for code in list(world.finance.contacts)[:4]:
        world.finance.edit(code, AccountPartyCode=5500000 + code)
    world.imported()
    world.json("sync")
    return world


@pytest.fixture
def world(make_world: Maker, template: World) -> World:
    return make_world().set(**SINCE).twin_of(template)


def code_of_customer(world: World) -> int:
    return world.code_of(customer(world))


def posts(world: World) -> list[Any]:
    return [entry for entry in world.journal.entries if "SaveFormData" in entry.endpoint]


def lists(world: World) -> int:
    """How often the whole finance list was read since the last command was started."""
    return sum(entry.endpoint == "GetAll" for entry in world.journal.of("finance"))


def failures(document: dict[str, Any]) -> list[str]:
    return [failure["reason"] for failure in document["failures"]]


def test_nothing_is_posted_while_the_codes_differ_and_nobody_has_decided(world: World) -> None:
    first = quote(world)
    document = world.json("sync", exit_code=1)
    assert (told(document), failures(document)) == ([], ["customer_code_undecided"])
    assert (world.finance.preinvoices, posts(world)) == ([], [])
    assert failures(world.json("sync", "--dry-run", "--full", exit_code=1)) == ["customer_code_undecided"]
    second = invoice(world)
    world.json("sync", exit_code=1)
    quiet = world.json("sync")  # what waits is neither read again nor told again
    assert quiet["invoices"]["seen"] == 0
    assert [item["crm_id"] for item in world.json("waiting")["items"]] == [first, second]
    status = world.run("status")
    assert status.exit_code == 1
    assert "PREINVOICE_CUSTOMER" in status.stdout
    assert world.finance.preinvoices == []


def test_the_next_run_after_the_decision_posts_what_waits(world: World) -> None:
    quote(world)
    invoice(world)
    world.json("sync", exit_code=1)
    assert told(world.json("sync", env={"PREINVOICE_CUSTOMER": "contact"})) == [("create", None)] * 2
    assert [posted.customer for posted in world.finance.preinvoices] == [code_of_customer(world)] * 2
    assert world.run("status").exit_code == 0


def test_what_waits_counts_for_the_brake_once_it_can_be_posted(world: World) -> None:
    quote(world)
    invoice(world)
    world.json("sync", exit_code=1, env={"MAX_CREATES_PER_RUN": "1"})  # nothing would be created
    world.json("sync", exit_code=1, env={"MAX_CREATES_PER_RUN": "1", "PREINVOICE_CUSTOMER": "contact"})
    assert world.finance.preinvoices == []


@pytest.mark.parametrize("parties", ["none", "equal"])
def test_codes_that_agree_need_no_decision(make_world: Maker, parties: str) -> None:
    world = make_world(customers=3, also_in_crm=3).set(**SINCE)
    if parties == "equal":
        for code in list(world.finance.contacts):
            world.finance.edit(code, AccountPartyCode=code)
    world.imported()
    world.json("sync")
    quote(world)
    assert told(world.json("sync")) == [("create", None)]
    assert world.finance.preinvoices[0].customer == code_of_customer(world)


def test_a_code_that_comes_to_differ_later_is_noticed(make_world: Maker) -> None:
    world = make_world(customers=3, also_in_crm=3).set(**SINCE).imported()
    world.json("sync")
    world.finance.edit(code_of_customer(world), AccountPartyCode=77)
    world.crm.edit(customer(world), email="new@example.com")
    quote(world)
    assert failures(world.json("sync", exit_code=1)) == ["customer_code_undecided"]
    assert world.finance.preinvoices == []
    quote(world, number="100-1405/9")
    assert failures(world.json("sync", exit_code=1)) == ["customer_code_undecided"]


def test_a_state_file_that_knows_nothing_of_it_asks_the_list_once(world: World) -> None:
    with closing(sqlite3.connect(world.state_file)) as db, db:
        assert db.execute("DELETE FROM meta WHERE name LIKE 'fact:%'").rowcount
    world.json("sync")
    assert lists(world) == 0
    quote(world)
    assert failures(world.json("sync", exit_code=1)) == ["customer_code_undecided"]
    assert lists(world) == 1
    invoice(world)
    assert failures(world.json("sync", exit_code=1)) == ["customer_code_undecided"]
    assert lists(world) == 0
