"""Which CRM documents stand in Finance: the invoice mappings in the state file."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, cast

from siaghsync.domain.document import DocumentSource, Posted, plain
from siaghsync.state.database import Row, State


class PostedDocuments:
    """The documents that were posted. Every method that writes belongs inside `State.atomic`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self) -> int:
        """How many documents stand in Finance."""
        return int(self._state.value("SELECT count(*) FROM invoice_mappings"))

    def of(self, crm_id: str) -> Posted | None:
        """What was posted for a document, or None."""
        return _posted(self._state.row("SELECT * FROM invoice_mappings WHERE crm_id = ?", (crm_id,)))

    def made_from(self, quote_id: str, *, other_than: str = "") -> Posted | None:
        """A posted invoice, other than the named one, that was made from this quote, or None."""
        sql = "SELECT * FROM invoice_mappings WHERE related_quote_id = ? AND crm_id <> ? ORDER BY posted_at LIMIT 1"
        return _posted(self._state.row(sql, (quote_id, other_than)))

    def ids(self) -> list[tuple[str, str]]:
        """(CRM id, source) of every posted document."""
        rows = self._state.rows("SELECT crm_id, source FROM invoice_mappings ORDER BY posted_at, crm_id")
        return [(row["crm_id"], row["source"]) for row in rows]

    def add(self, posted: Posted, customer_number: str, related_quote_id: str | None, posted_by: str, at: str) -> None:
        """Remembers a document as posted. Raises sqlite3.IntegrityError if it is already."""
        snapshot = dict(posted.snapshot)
        self._state.execute(
            "INSERT INTO invoice_mappings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                posted.crm_id, posted.source, snapshot.get("number") or "", related_quote_id, snapshot.get("customer") or "",
                customer_number, posted.number, posted.key, None if posted.net is None else plain(posted.net), posted.checksum,
                json.dumps(snapshot, ensure_ascii=False), posted_by, at,
            ),
        )  # fmt: skip


def _posted(row: Row | None) -> Posted | None:
    if row is None:
        return None
    snapshot: dict[str, Any] = json.loads(row["snapshot"])
    net = None if row["net"] is None else Decimal(row["net"])
    source = cast(DocumentSource, row["source"])
    return Posted(
        row["crm_id"], source, row["finance_number"], row["finance_key"] or "", row["checksum"], snapshot, net
    )
