"""What one run has read, plans and has to tell, in SQLite's temporary tables: the part that knows no customers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from siaghsync.rules.plan import Action
from siaghsync.store.state import State

_TABLES = (
    """CREATE TEMP TABLE reading (
        source TEXT, crm_id TEXT, modified TEXT, checksum TEXT, PRIMARY KEY (source, crm_id)) WITHOUT ROWID""",
    "CREATE TEMP TABLE calm (crm_id TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE plans (position INTEGER PRIMARY KEY, name TEXT NOT NULL, action TEXT NOT NULL)",
    "CREATE TEMP TABLE changes (position INTEGER PRIMARY KEY, change TEXT)",
)
BATCH = 500
"""How many rows are taken in, or read back, at once."""


class Notebook:
    """The course of one run: what was read of each source, the plan, the changes to tell."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.atomic():
            for statement in _TABLES:
                state.execute(statement)

    def keep_reading(self, source: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Notes (CRM id, date, checksum) of records read."""
        with self._state.atomic():
            self._state.execute_many(
                "INSERT OR REPLACE INTO temp.reading VALUES (?, ?, ?, ?)", ((source, *row) for row in rows)
            )

    def reading_count(self, source: str) -> int:
        """How many different records of a source were read."""
        return int(self._state.value("SELECT count(*) FROM temp.reading WHERE source = ?", (source,)))

    def readings(self, source: str, crm_ids: Sequence[str]) -> dict[str, str]:
        """CRM id -> date, for those of `crm_ids` that were read in this run already."""
        marks = ", ".join("?" * len(crm_ids))
        sql = f"SELECT crm_id, modified FROM temp.reading WHERE source = ? AND crm_id IN ({marks})"
        return {row["crm_id"]: row["modified"] for row in self._state.rows(sql, (source, *crm_ids))}

    def highest_reading(self, source: str) -> str | None:
        """The highest date that was read, or None."""
        found: str | None = self._state.value("SELECT max(modified) FROM temp.reading WHERE source = ?", (source,))
        return found or None

    def keep_calm(self, crm_ids: Iterable[str]) -> None:
        """Notes customers that are linked and as they were; `keep_customers` takes them back."""
        with self._state.atomic():
            self._state.execute_many("INSERT OR IGNORE INTO temp.calm VALUES (?)", ((i,) for i in crm_ids))

    def count_calm(self) -> int:
        """How many customers were read and are as they were."""
        return int(self._state.value("SELECT count(*) FROM temp.calm"))

    def keep_plan(self, actions: Iterable[Action]) -> None:
        """Adds actions to the plan."""
        with self._state.atomic():
            self._state.execute_many(
                "INSERT INTO temp.plans (name, action) VALUES (?, ?)",
                ((action.action, to_json(action.as_json())) for action in actions),
            )

    def planned(self, name: str) -> Iterator[Action]:
        """The actions of the plan with this name, in order."""
        last = -1
        sql = "SELECT position, action FROM temp.plans WHERE position > ? AND name = ? ORDER BY position LIMIT ?"
        while rows := self._state.rows(sql, (last, name, BATCH)):
            yield from (Action.from_json(json.loads(row["action"])) for row in rows)
            last = rows[-1]["position"]

    def keep_change(self, change: Mapping[str, Any]) -> None:
        """Adds an entry to what the run has to tell."""
        with self._state.atomic():
            self._state.execute("INSERT INTO temp.changes (change) VALUES (?)", (to_json(change),))

    def changes(self) -> Iterator[dict[str, Any]]:
        """What the run has to tell, in order."""
        last = -1
        sql = "SELECT position, change FROM temp.changes WHERE position > ? ORDER BY position LIMIT ?"
        while rows := self._state.rows(sql, (last, BATCH)):
            yield from (json.loads(row["change"]) for row in rows)
            last = rows[-1]["position"]


def to_json(value: Any) -> str:
    """Plain data as the JSON text that is stored."""
    return json.dumps(value, ensure_ascii=False)
