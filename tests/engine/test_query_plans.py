"""No query that runs once a record reads a whole table: SQLite itself is asked how it would find the rows."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from tests.engine.test_documents import row
from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

FEW, MORE = 4, 9
_VALUE = re.compile(r"'(?:[^']|'')*'|\b\d+\b|NULL")
_VALUES = re.compile(r"\((?:\?, ?)+\?\)")
_FEW_AND_WHOLE = "FROM decisions d JOIN"
"""What waits for the next run is read whole, once a command; here each command is about one record."""
_WHOLE = re.compile(r"SCAN (?!CONSTANT ROW|json_each|\d)|SEARCH (audit|intents) .*>")


class Asked:
    """What was said to SQLite while `listening`: each kind of statement with how often, and how SQLite goes about it."""

    def __init__(self) -> None:
        self.times: Counter[str] = Counter()
        self.plans: dict[str, list[str]] = {}

    def explain(self, connection: sqlite3.Connection, said: list[str]) -> None:
        """Takes in what was said on a connection, which is still open: its temporary tables go with it."""
        for statement in said:
            kind = _VALUES.sub("(?)", _VALUE.sub("?", " ".join(statement.split())))
            self.times[kind] += 1
            if kind not in self.plans and kind.split()[0] in ("SELECT", "UPDATE", "DELETE", "INSERT", "WITH"):
                self.plans[kind] = self._plan_of(connection, statement)

    @staticmethod
    def _plan_of(connection: sqlite3.Connection, statement: str) -> list[str]:
        try:
            return [step[3] for step in connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
        except sqlite3.OperationalError as error:
            if "no such table" not in str(error):  # one that only stood while the tables were made
                raise
            return []

    @contextmanager
    def listening(self) -> Iterator[None]:
        connect, asked = sqlite3.connect, self

        class Heard(sqlite3.Connection):
            def __init__(self, *arguments: Any, **options: Any) -> None:
                super().__init__(*arguments, **options)
                self.said: list[str] = []
                self.set_trace_callback(self.said.append)

            def close(self) -> None:
                self.set_trace_callback(None)
                self.row_factory = None
                asked.explain(self, [statement for statement in self.said if not statement.startswith("--")])
                super().close()

        with patch("sqlite3.connect", lambda *values, **options: connect(*values, factory=Heard, **options)):
            yield


def whole_readings(run: Callable[[int], object]) -> dict[str, list[str]]:
    """Of the statements that `run` says more often for more records: those that read a table from end to end, and how."""
    few, more = Asked(), Asked()
    for size, asked in ((FEW, few), (MORE, more)):
        with asked.listening():
            run(size)
    often = [
        kind
        for kind, times in more.times.items()
        if times >= few.times[kind] + MORE - FEW and _FEW_AND_WHOLE not in kind
    ]
    assert often
    return {kind: scans for kind in often if (scans := list(filter(_WHOLE.match, more.plans.get(kind, []))))}


def newcomers(world: Indoors, count: int, **values: str) -> None:
    for number in range(count):
        made = {"customerNumber": str(9_000 + len(world.crm.records)), **values}
        world.crm.add_person(nickName=f"تازه {number}", nationalCode=f"{number:010d}", **made)


def with_documents(world: Indoors, count: int) -> None:
    for crm_id in sorted(world.crm.records)[:count]:
        number = f"100-1405/{len(world.crm.tables['quote'].records)}"
        quote = world.crm.add_quote(crm_id, [row()], number=number, crmObjectTypeCode="PI_5")
        world.crm.add_invoice(crm_id, [row()], number=number, relatedQuoteId=quote)


def test_an_import(make_world: Maker) -> None:
    assert not whole_readings(lambda size: indoors(make_world(customers=size)).imported())
    assert not whole_readings(lambda size: indoors(make_world(customers=size, also_in_crm=size)).imported())


@pytest.mark.parametrize("in_doubt", [False, True])
def test_a_sync_with_unlinked_customers(make_world: Maker, in_doubt: bool) -> None:
    world = indoors(make_world(customers=3)).imported()

    def run(size: int) -> None:
        newcomers(world, size)
        if in_doubt:
            world.arm("close_after", "finance:SaveFormData/create", times=size)
        world.run("sync")
        world.run("sync")

    assert not whole_readings(run)


def test_a_sync_with_records_of_one_number(make_world: Maker) -> None:
    world = indoors(make_world(customers=3)).imported()

    def run(size: int) -> None:
        newcomers(world, size, customerNumber="8000")
        world.run("sync")

    assert not whole_readings(run)


def test_a_sync_with_changed_customers(make_world: Maker) -> None:
    world = indoors(make_world(customers=MORE)).imported()
    world.json("sync")

    def run(size: int) -> None:
        for crm_id in sorted(world.crm.records)[:size]:
            world.crm.edit(crm_id, email=f"{world.crm.stamp()}-{crm_id[:8]}@example.com")
        world.run("sync")
        world.run("sync", "--full")

    assert not whole_readings(run)


def test_documents_and_reviews(make_world: Maker) -> None:
    def run(size: int) -> None:
        world = indoors(make_world(customers=MORE)).set(**SINCE, PREINVOICE_CUSTOMER="contact").imported()
        with_documents(world, size)
        world.run("sync")
        newcomers(world, size, customerNumber="8000")
        world.run("sync", "--full")
        for crm_id in sorted(world.crm.records)[:size]:
            world.run("explain", world.crm.records[crm_id]["customerNumber"])
        for item in world.json("review")["items"]:
            world.run("review", "show", str(item["id"]))
            world.run("review", "resolve", str(item["id"]), "--discard")
            world.run("review", "reopen", str(item["id"]))

    assert not whole_readings(run)
