"""Which CRM documents stand in Finance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from siaghsync.domain.document import Posted, plain
from siaghsync.state.columns import Record
from siaghsync.state.database import State


@dataclass(frozen=True, slots=True)
class PostedEntry:
    """A posted document with what the state file knows beside it.

    `place` is its place in the list, `crm_number` its number in the CRM when it was posted, `posted_by` who made it count as
    posted (`create`, `link`, `person`), `posted_at` a stored text.
    """

    place: int
    posted: Posted
    crm_number: str
    related_quote_id: str | None
    customer_crm_id: str
    customer_number: str
    posted_by: str
    posted_at: str


class PostedDocuments:
    """The documents that were posted. Every method that writes belongs inside `State.atomic`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self) -> int:
        """How many documents stand in Finance."""
        return self._state.db.table("posted_documents").count

    def of(self, crm_id: str) -> Posted | None:
        """What was posted for a document, or None."""
        row = self._state.row("SELECT * FROM posted_documents WHERE crm_id = ?", (crm_id,))
        return _posted(row) if row else None

    def made_from(self, quote_id: str, *, other_than: str = "") -> Posted | None:
        """A posted invoice, other than the named one, that was made from this quote, or None."""
        sql = "SELECT * FROM posted_documents WHERE related_quote_id = ? AND crm_id <> ? ORDER BY posted_at LIMIT 1"
        row = self._state.row(sql, (quote_id, other_than))
        return _posted(row) if row else None

    def ids(self) -> list[tuple[str, str]]:
        """(CRM id, source) of every posted document."""
        rows = self._state.rows("SELECT crm_id, source FROM posted_documents ORDER BY posted_at, crm_id")
        return [(row["crm_id"], row["source"]) for row in rows]

    def entry(self, crm_id: str) -> PostedEntry | None:
        """What was posted for a document, with all that is known beside it, or None."""
        row = self._state.row("SELECT rowid AS place, * FROM posted_documents WHERE crm_id = ?", (crm_id,))
        return _entry(row) if row else None

    def of_customer(self, customer_crm_id: str) -> list[PostedEntry]:
        """The posted documents of a customer, the newest last."""
        return self._entries("customer_crm_id = ?", [customer_crm_id], "posted_at")

    def page(self, limit: int, after: int = 0, search: str = "") -> list[PostedEntry]:
        """Posted documents in the order in which they were posted, those behind the place `after`.

        With `search` those with that customer number, number in the CRM, or pre-invoice number.
        """
        where = "rowid > :after AND (:q = '' OR customer_number = :q OR crm_number = :q OR finance_number = :q)"
        return self._entries(where, {"after": after, "q": search}, "rowid", limit)

    def add(self, posted: Posted, customer_number: str, related_quote_id: str | None, posted_by: str, at: str) -> None:
        """Remembers a document as posted. Raises sqlite3.IntegrityError if it is already."""
        snapshot = dict(posted.snapshot)
        self._state.db.table("posted_documents").insert(
            {
                "crm_id": posted.crm_id,
                "source": posted.source,
                "crm_number": snapshot.get("number") or "",
                "related_quote_id": related_quote_id,
                "customer_crm_id": snapshot.get("customer") or "",
                "customer_number": customer_number,
                "finance_number": posted.number,
                "finance_key": posted.key,
                "net": None if posted.net is None else plain(posted.net),
                "checksum": posted.checksum,
                "snapshot": snapshot,
                "posted_by": posted_by,
                "posted_at": at,
            }
        )

    def _entries(self, where: str, values: Any, order_by: str, limit: int | None = None) -> list[PostedEntry]:
        found = self._state.db.table("posted_documents").rows_where(
            where, values, order_by=order_by, select="rowid AS place, *", limit=limit
        )
        return list(map(_entry, found))


def _posted(row: Record) -> Posted:
    net = None if row["net"] is None else Decimal(row["net"])
    snapshot = json.loads(row["snapshot"])
    return Posted(
        row["crm_id"], row["source"], row["finance_number"], row["finance_key"] or "", row["checksum"], snapshot, net
    )


def _entry(row: Record) -> PostedEntry:
    return PostedEntry(
        place=row["place"],
        posted=_posted(row),
        crm_number=row["crm_number"],
        related_quote_id=row["related_quote_id"],
        customer_crm_id=row["customer_crm_id"],
        customer_number=row["customer_number"],
        posted_by=row["posted_by"],
        posted_at=row["posted_at"],
    )
