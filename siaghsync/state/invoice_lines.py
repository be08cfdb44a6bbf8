"""The lines of the invoice report while they are gathered, on disk instead of in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from siaghsync.state.columns import encode
from siaghsync.state.database import State

_TABLES = """
CREATE TEMP TABLE invoice_lines (
    crm_id TEXT PRIMARY KEY, day TEXT, source TEXT, number TEXT, family TEXT, counted INTEGER, line TEXT);
CREATE INDEX temp.invoice_lines_family ON invoice_lines (family);
CREATE INDEX temp.invoice_lines_order ON invoice_lines (day, source, number, crm_id);
"""
_BATCH = 500


class InvoiceLines:
    """One line for each document. `family` is the CRM id of the quote that a document is or was made from."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.atomic():
            state.db.executescript(_TABLES)

    def put(
        self, crm_id: str, order: tuple[str, str, str], family: str, *, counted: bool, line: Mapping[str, Any]
    ) -> None:
        """Keeps a line, plain data; a newer one for the same document replaces it. `order` is (date, source, number)."""
        with self._state.atomic():
            self._state.execute(
                "INSERT OR REPLACE INTO temp.invoice_lines VALUES (?, ?, ?, ?, ?, ?, ?)",
                (crm_id, *order, family, int(counted), encode(line)),
            )

    def another_counts(self, family: str, crm_id: str) -> bool:
        """Whether another document of the family counts already."""
        sql = "SELECT 1 FROM temp.invoice_lines WHERE family = ? AND crm_id <> ? AND counted"
        return self._state.value(sql, (family, crm_id)) is not None

    def all(self) -> Iterator[dict[str, Any]]:
        """Each line, by date, then by source and number."""
        last: tuple[str, ...] = ("", "", "", "")
        sql = (
            "SELECT day, source, number, crm_id, line FROM temp.invoice_lines "
            "WHERE (day, source, number, crm_id) > (?, ?, ?, ?) ORDER BY day, source, number, crm_id LIMIT ?"
        )
        while rows := self._state.rows(sql, (*last, _BATCH)):
            yield from (json.loads(row["line"]) for row in rows)
            last = tuple(rows[-1])[:4]
