"""What a record more costs, counted and not timed: requests, and statements to the state file.

A change of kind shows here at once: a query that runs for each record, a list that is read for each customer.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from tests.indoors import Indoors, indoors
from tests.world import Maker

FEW, MORE = 30, 60
SPARED = {
    "asyncio", "jinja2", "prometheus_client", "starlette", "uvicorn", "siaghsync.demo", "siaghsync.sandbox", "siaghsync.web",
    "siaghsync.features.check_apis", "siaghsync.features.explain", "siaghsync.features.invoice_report",
    "siaghsync.features.lint", "siaghsync.features.verify",
}  # fmt: skip
"""What a run that finds nothing to do has no use for."""


class Statements:
    """Counts what is said to SQLite in this process while `counting`, by the first word."""

    def __init__(self) -> None:
        self._now: Counter[str] = Counter()

    def _said(self, statement: str) -> None:
        if not statement.startswith("--"):
            self._now[statement.split(maxsplit=1)[0].upper()] += 1

    @contextmanager
    def counting(self) -> Iterator[Counter[str]]:
        self._now = Counter()
        connect = sqlite3.connect

        def traced(*arguments: Any, **options: Any) -> sqlite3.Connection:
            connection = connect(*arguments, **options)
            connection.set_trace_callback(self._said)
            return connection

        with patch("sqlite3.connect", traced):
            yield self._now


@pytest.fixture(scope="module")
def statements() -> Statements:
    return Statements()


def for_one_more(statements: Statements, run: Callable[[int], None]) -> dict[str, float]:
    """What `run` says to SQLite for each record above FEW."""
    counts = []
    for size in (FEW, MORE):
        with statements.counting() as found:
            run(size)
        counts.append(found)
    return {word: (counts[1][word] - counts[0][word]) / (MORE - FEW) for word in counts[0] | counts[1]}


def assert_at_most(each: dict[str, float], limits: dict[str, float]) -> None:
    """How many commits there are depends on how quickly answers come: one for each record is already more than usual.

    With intents in it, a commit reads and writes the state file's counter.
    """
    limits = {"BEGIN": 1, "COMMIT": 1, **limits}
    for word in ("SELECT", "INSERT"):
        limits[word] = limits.get(word, 0) + each["COMMIT"]
    # One statement more in a whole run, as commits happen to fall, is none for each record.
    assert not {word: number for word, number in each.items() if number > limits.get(word, 0) + 2 / (MORE - FEW)}, each


def changed(world: Indoors, count: int) -> None:
    for crm_id in sorted(world.crm.records)[:count]:
        world.crm.edit(crm_id, email=f"{world.crm.stamp()}-{crm_id[:8]}@example.com")


def test_an_import_says_little_for_each_contact(make_world: Maker, statements: Statements) -> None:
    def run(size: int) -> None:
        indoors(make_world(customers=size)).imported()

    # It is read, planned and told; its intent opens and closes; its mapping and its line in the trail are written.
    assert_at_most(for_one_more(statements, run), {"SELECT": 2, "INSERT": 4, "UPDATE": 1, "DELETE": 0})


def test_an_import_that_links_shares_its_commits(make_world: Maker, statements: Statements) -> None:
    def run(size: int) -> None:
        indoors(make_world(customers=size, also_in_crm=size)).imported()

    # Five of the inserts are the keys by which pairs under other numbers are found, as soon as one contact has no number's match.
    each = for_one_more(statements, run)
    assert_at_most(each, {"SELECT": 11, "INSERT": 10, "DELETE": 1, "BEGIN": 0, "COMMIT": 0})


def test_a_changed_customer_says_little(make_world: Maker, statements: Statements) -> None:
    world = indoors(make_world(customers=MORE, also_in_crm=MORE)).imported()
    world.json("sync")

    def run(size: int) -> None:
        changed(world, size)
        assert world.json("sync")["customers"]["updated"] == size

    assert_at_most(for_one_more(statements, run), {"SELECT": 6, "INSERT": 3, "UPDATE": 2, "DELETE": 1})


def test_a_crowd_under_one_number_is_gathered_once_and_named_in_part(make_world: Maker, statements: Statements) -> None:
    def run(size: int) -> None:
        world = indoors(make_world(customers=3)).imported()
        for number in range(size):
            world.crm.add_person(nickName=f"تازه {number}", nationalCode=f"{number:010d}", customerNumber="8000")
        world.run("sync")
        world.run("sync", "--full")  # the state file knows them all as questions by then
        details = [json.loads(text) for (text,) in world.rows("SELECT details FROM reviews")]
        assert [(len(each["other_crm_ids"]), each["more_crm_ids"]) for each in details] == [(20, size - 21)] * size
        assert f", +{size - 21}" in world.run("review", "show", "1").stdout

    assert for_one_more(statements, run)["SELECT"] <= 20


def test_customers_that_did_not_change_cost_nothing(make_world: Maker, statements: Statements) -> None:
    said = []
    for size in (FEW, MORE):
        world = indoors(make_world(customers=size, also_in_crm=size))
        for crm_id in world.crm.records:
            world.crm.edit(crm_id, modifyDate="2026-01-05T10:00:00")
        world.crm.add_person(nickName="تازه", customerNumber="")
        world.crm.add_organization(nickName="تازه", customerNumber="")
        world.imported().json("sync")
        with statements.counting() as found:
            assert world.json("sync")["requests"] == {"crm": 5, "finance": 1}
        said.append(found.total())
    assert said[0] == said[1]


@pytest.mark.parametrize("count", [1, 20])
def test_newcomers_cost_one_list_and_one_write_each(make_world: Maker, count: int) -> None:
    world = indoors(make_world(customers=3, also_in_crm=3)).imported()
    world.json("sync")
    for number in range(count):
        world.crm.add_person(nickName=f"تازه {number}", customerNumber=str(9_000 + number))
    assert world.json("sync")["requests"] == {"crm": 5, "finance": 2 + count}
    assert world.journal.count("finance", "GetAll") == 1


@pytest.mark.parametrize("count", [1, 20])
def test_a_changed_customer_costs_one_read_and_one_write(make_world: Maker, count: int) -> None:
    world = indoors(make_world(customers=20, also_in_crm=20)).imported()
    world.json("sync")
    changed(world, count)
    assert world.json("sync")["requests"] == {"crm": 5, "finance": 1 + 2 * count}


def test_a_brake_speaks_before_everything_is_read_and_planned(make_world: Maker) -> None:
    world = indoors(make_world(customers=20, also_in_crm=20)).imported()
    world.json("sync")
    changed(world, 20)
    stopped = world.json("sync", exit_code=1, env={"MAX_UPDATES_PER_RUN": "3", "CONCURRENCY": "1"})
    assert "at least 8 records" in stopped["error"]["message"]
    assert world.journal.count("finance") == 1 + 8
    for number in range(101):
        world.crm.add_person(nickName=f"تازه {number}", customerNumber=str(9_000 + number))
    stopped = world.json("sync", exit_code=1, env={"MAX_CREATES_PER_RUN": "3"})
    assert "at least 100 new records" in stopped["error"]["message"]
    assert world.journal.count("finance", "SaveFormData") == 0


@pytest.mark.parametrize("count", [1, 25])
@pytest.mark.parametrize("date_header", [True, False])
def test_an_import_costs_one_request_for_each_contact(make_world: Maker, count: int, date_header: bool) -> None:
    world = indoors(make_world(customers=count))
    world.crm.date_header = date_header
    document = world.json("initial-import", "--yes")
    pages = 3  # two of find; one of the light list, since the CRM seems to be empty
    pages += 0 if date_header else 2  # the newest quote and invoice say what time it is
    assert document["requests"]["crm"] + document["requests"]["finance"] == document["customers"]["created"] + pages + 3


def test_a_sync_that_finds_nothing_loads_what_it_uses_alone(make_world: Maker) -> None:
    world = indoors(make_world(customers=3, also_in_crm=3)).imported()
    world.json("sync")
    code = "import sys; from siaghsync.__main__ import run; run(sys.argv[1:]); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", code, "--env-file", str(world.env_file), "sync", "--quiet"]
    world.journal.reset()
    ended = subprocess.run(command, cwd=world.folder, capture_output=True, text=True, check=True)
    assert world.journal.count("finance", "LoginUser") == 1
    loaded = SPARED & set(ended.stderr.split())
    assert not loaded
