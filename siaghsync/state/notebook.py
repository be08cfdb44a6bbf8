"""What one run has read, plans and has to tell, in SQLite's temporary tables: the part that knows no customers.

Plans and changes are gathered in memory and written down hundreds at a time: they are needed in this process only, and
gone with it anyway, so nothing is lost that the state file should hold.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from siaghsync.domain.action import Action
from siaghsync.state.database import State

_TABLES = (
    """CREATE TEMP TABLE reading (
        source TEXT, crm_id TEXT, modified TEXT, checksum TEXT, PRIMARY KEY (source, crm_id)) WITHOUT ROWID""",
    "CREATE TEMP TABLE calm (crm_id TEXT PRIMARY KEY) WITHOUT ROWID",
    # JSON texts, many in a row, one on a line each.
    "CREATE TEMP TABLE written (position INTEGER PRIMARY KEY, sheet TEXT NOT NULL, lines TEXT NOT NULL)",
)
_CHANGES = "changes"
BATCH = 500
"""How many rows are taken in, or read back, at once."""


class Notebook:
    """The course of one run: what was read of each source, the plan, the changes to tell."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._sheets: dict[str, list[str]] = {}
        self._read: Counter[str] = Counter()
        with state.atomic():
            for statement in _TABLES:
                state.execute(statement)

    def keep_reading(self, source: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Notes (CRM id, date, checksum) of records read."""
        rows = list(rows)
        ids = {crm_id for crm_id, _, _ in rows}
        # Counted as they come: asked after every page, a count of the whole table would cost more than all else.
        self._read[source] += len(ids) - len(self.readings(source, list(ids)))
        with self._state.atomic():
            self._state.execute_many(
                "INSERT OR REPLACE INTO temp.reading VALUES (?, ?, ?, ?)", ((source, *row) for row in rows)
            )

    def reading_count(self, source: str) -> int:
        """How many different records of a source were read."""
        return self._read[source]

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
        for action in actions:
            self._write(f"plan of {action.action}", action.as_json())

    def planned(self, name: str) -> Iterator[Action]:
        """The actions of the plan with this name, in order."""
        return map(Action.from_json, self._lines(f"plan of {name}"))

    def keep_change(self, change: Mapping[str, Any]) -> None:
        """Adds an entry to what the run has to tell."""
        self._write(_CHANGES, change)

    def changes(self) -> Iterator[dict[str, Any]]:
        """What the run has to tell, in order."""
        return self._lines(_CHANGES)

    def _write(self, sheet: str, value: Any) -> None:
        lines = self._sheets.setdefault(sheet, [])
        lines.append(to_json(value))
        if len(lines) >= BATCH:
            self._put_down(sheet)

    def _put_down(self, sheet: str) -> None:
        if lines := self._sheets.pop(sheet, None):
            with self._state.atomic():
                values = (sheet, "\n".join(lines))
                self._state.execute("INSERT INTO temp.written (sheet, lines) VALUES (?, ?)", values)

    def _lines(self, sheet: str) -> Iterator[Any]:
        self._put_down(sheet)
        last = -1
        sql = "SELECT position, lines FROM temp.written WHERE position > ? AND sheet = ? ORDER BY position LIMIT 1"
        while row := self._state.row(sql, (last, sheet)):
            yield from map(json.loads, row["lines"].split("\n"))
            last = row["position"]


_encode = json.JSONEncoder(ensure_ascii=False).encode


def to_json(value: Any) -> str:
    """Plain data as the JSON text that is stored: one line."""
    return _encode(value)
