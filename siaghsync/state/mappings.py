"""Linked pairs: the customers of both systems that are the same, and the documents that were posted. And what is still
open about either side of a pair."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from siaghsync.domain.customer import CustomerMapping, Kind
from siaghsync.domain.document import Posted, plain
from siaghsync.domain.normalize import ascii_digits
from siaghsync.state.audit import NAMED, last_name, last_names, spellings
from siaghsync.state.columns import Record
from siaghsync.state.database import Row, State
from siaghsync.state.outbox import UNSETTLED

_OPEN = (
    ("waiting", "retries", ""),
    ("skips", "skips", ""),
    ("reviews", "reviews", " AND resolution IS NULL"),
    ("intents", "intents", f" AND {UNSETTLED}"),
)
OF_PAIR = " UNION ALL ".join(
    [
        "SELECT 'mapping' FROM customer_mappings WHERE crm_id = :record1 OR finance_code = :record2",
        *(
            f"SELECT '{word}' FROM {table} WHERE entity = 'customer' AND target = :target{side} AND record = :record{side}{more}"
            for word, table, more in _OPEN
            for side in (1, 2)
        ),
        "SELECT 'undone' FROM undone WHERE crm_id = :record1",
    ]
)


def of_pair(state: State, crm_id: str, code: int) -> set[str]:
    """What there is about a CRM record or a finance contact: one query instead of a dozen.

    Any of `mapping` (either side is linked), `waiting` (for another try), `skips`, `reviews` (open ones), `intents`
    (unsettled ones), `undone` (values that were undone).
    """
    names = {"target1": "finance", "record1": crm_id, "target2": "crm", "record2": str(code)}
    return {row[0] for row in state.rows(OF_PAIR, names)}


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

    def with_number(self, source: str, number: str) -> list[PostedEntry]:
        """The posted quotes, or invoices, that had this number in the CRM when they were posted, the oldest first."""
        return self._entries("crm_number = ? AND source = ?", [number, source], "posted_at")

    def possible_twins(self, customer_crm_id: str, source: str) -> list[PostedEntry]:
        """What was posted for a customer and may belong to a document of this source, the oldest first: quotes to an invoice, and
        to a quote those invoices of which the CRM did not say from which quote they were made."""
        other = "'quote'" if source == "invoice" else "'invoice' AND instr(snapshot, '\"quote_is_unknown\"')"
        return self._entries(f"customer_crm_id = ? AND source = {other}", [customer_crm_id], "posted_at")

    def with_finance_number(self, number: str) -> list[PostedEntry]:
        """The documents that stand in Siagh under this number."""
        return self._entries("finance_number = ?", [number], "posted_at")

    def numbers_around(self, at: str) -> list[int]:
        """The numbers of the twenty pre-invoices that were posted nearest to a moment (a stored text), in either direction."""
        sql = (
            "SELECT CAST(finance_number AS INTEGER) FROM posted_documents WHERE finance_number GLOB '[0-9]*' "
            "ORDER BY abs(julianday(posted_at) - julianday(?)) LIMIT 20"
        )
        return [row[0] for row in self._state.rows(sql, (at,))]

    def numbers_since(self, at: str) -> list[int]:
        """The numbers that are known to be posted since a moment (a stored text), by whomever, in order, after the last one from
        before it if that is lower. Empty if the program itself has posted none since."""
        number = "CAST(finance_number AS INTEGER)"
        known = f"SELECT {number} FROM posted_documents WHERE finance_number GLOB '[0-9]*' AND posted_at"
        if not self._state.value(f"SELECT EXISTS({known} >= ? AND posted_by = 'create')", (at,)):
            return []
        fresh = sorted(row[0] for row in self._state.rows(f"{known} >= ?", (at,)))
        last = self._state.value(f"{known} < ? ORDER BY posted_at DESC, {number} DESC LIMIT 1", (at,))
        return [last, *fresh] if last is not None and last < fresh[0] else fresh

    def correct(self, now: Posted) -> None:
        """The pre-invoice says by now what `now` holds; its number and key stay."""
        changed = {
            "snapshot": dict(now.snapshot),
            "checksum": now.checksum,
            "net": None if now.net is None else plain(now.net),
            "crm_number": now.snapshot.get("number") or "",
            "customer_crm_id": now.snapshot.get("customer") or "",
        }
        self._state.db.table("posted_documents").update(now.crm_id, changed)

    def forget(self, crm_id: str) -> None:
        """The document does not count as posted any more."""
        self._state.execute("DELETE FROM posted_documents WHERE crm_id = ?", (crm_id,))

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

    def page(self, limit: int, place: int = 0, search: str = "") -> list[tuple[PostedEntry, str]]:
        """Posted documents with the names of their customers, the newest first, from the `place`-th on.

        With `search` those with it in the customer number, number in the CRM, or pre-invoice number, and those of customers whose
        name it is a part of.
        """
        where = (
            ":q = '' OR instr(lower(customer_number), :q) OR instr(lower(crm_number), :q) OR instr(finance_number, :q) "
            f"OR (:ascii <> '' AND customer_crm_id IN ({NAMED}))"
        )
        found = self._state.db.table("posted_documents").rows_where(
            where, _search(search), order_by="rowid DESC", select="rowid AS place, *", limit=limit, offset=place
        )
        return [(entry, last_name(self._state, entry.customer_crm_id)) for entry in map(_entry, found)]

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

    def remove(self, posted: Posted) -> None:
        """Forgets a document as posted, and those that count as posted by the same pre-invoice."""
        self._state.execute(
            "DELETE FROM posted_documents WHERE crm_id = ?1 OR (coalesce(?2, ?3) <> '' AND finance_number IS ?2 "
            "AND coalesce(finance_key, '') = ?3)",
            (posted.crm_id, posted.number, posted.key),
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


_PAGE = 500


@dataclass(frozen=True, slots=True)
class Link:
    """A linked pair as people look at it. `linked_by` says how the two were found (`Match`), times are stored texts.

    `checksum` None: the two have not been compared since they were linked.
    """

    crm_id: str
    finance_code: int
    kind: Kind
    customer_number: str
    checksum: str | None
    linked_by: str
    linked_at: str
    updated_at: str


class Mappings:
    """The customer mappings. Every method that writes belongs inside `State.atomic`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self) -> int:
        """How many customers are linked."""
        return self._state.db.table("customer_mappings").count

    def of_crm(self, crm_id: str) -> CustomerMapping | None:
        """The mapping of a CRM record, or None."""
        return _mapping(self._state.row("SELECT * FROM customer_mappings WHERE crm_id = ?", (crm_id,)))

    def of_code(self, code: int) -> CustomerMapping | None:
        """The mapping of a finance contact, or None."""
        return _mapping(self._state.row("SELECT * FROM customer_mappings WHERE finance_code = ?", (code,)))

    def with_number(self, number: str) -> list[CustomerMapping]:
        """The mappings whose CRM record carries this customer number."""
        rows = self._state.rows("SELECT * FROM customer_mappings WHERE customer_number = ?", (number,))
        return [m for row in rows if (m := _mapping(row))]

    def all(self) -> Iterator[CustomerMapping]:
        """Every mapping, by finance code."""
        last = -1
        while found := self.next_after(last, _PAGE):
            yield from found
            last = found[-1].finance_code

    def next_after(self, code: int, limit: int) -> list[CustomerMapping]:
        """So many mappings above a finance code, by finance code."""
        sql = "SELECT * FROM customer_mappings WHERE finance_code > ? ORDER BY finance_code LIMIT ?"
        return [m for row in self._state.rows(sql, (code, limit)) if (m := _mapping(row))]

    def links(self) -> list[tuple[Link, str]]:
        """Every linked pair by finance code, each with the name that the customer was last known by, or ""."""
        sql = (
            "SELECT *, coalesce((SELECT name FROM audit WHERE entity = 'customer' AND crm_id = m.crm_id AND name <> '' "
            "ORDER BY id DESC LIMIT 1), '') AS name FROM customer_mappings m ORDER BY finance_code"
        )
        return [(_link(row), row["name"]) for row in self._state.rows(sql)]

    def link_of(self, crm_id: str) -> Link | None:
        """The linked pair of a CRM record with all that is known of the link, or None."""
        found = self._state.db.table("customer_mappings").rows_where("crm_id = ?", [crm_id])
        return next(map(_link, found), None)

    def page(self, limit: int, place: int = 0, search: str = "") -> list[tuple[Link, str]]:
        """Linked pairs with the names of the customers, by finance code, from the `place`-th on.

        With `search` those with it in their number or code, or with that id, and those whose name it is a part of.
        """
        where = (
            ":q = '' OR instr(lower(customer_number), :q) OR crm_id = :q OR instr(finance_code, :q) "
            f"OR (:ascii <> '' AND crm_id IN ({NAMED}))"
        )
        found = self._state.db.table("customer_mappings").rows_where(
            where, _search(search), order_by="finance_code", limit=limit, offset=place
        )
        return [(link, last_name(self._state, link.crm_id)) for link in map(_link, found)]

    def names(self, numbers: Iterable[str | None]) -> dict[str, str]:
        """Customer number -> the name that its linked customer was last known by."""
        sql = "SELECT customer_number, crm_id FROM customer_mappings WHERE customer_number IN (SELECT value FROM json_each(?))"
        found = {row["crm_id"]: row["customer_number"] for row in self._state.rows(sql, (json.dumps([*numbers]),))}
        return {found[crm_id]: name for crm_id, name in last_names(self._state, found).items() if crm_id}

    def add(self, mapping: CustomerMapping, linked_by: str, at: str) -> None:
        """Links a pair. Raises sqlite3.IntegrityError if either side is linked already."""
        self._state.execute(
            "INSERT INTO customer_mappings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                mapping.crm_id, mapping.finance_code, mapping.kind, mapping.customer_number,
                mapping.checksum, mapping.sent_checksum, linked_by, at, at, mapping.record_id, mapping.national_code,
            ),
        )  # fmt: skip

    def mark_in_sync(self, mapping: CustomerMapping, at: str) -> None:
        """Records that the pair is in step at this checksum, under this number, and what the contact is known by."""
        self._state.execute(
            "UPDATE customer_mappings SET kind = ?, customer_number = ?, checksum = ?, sent_checksum = ?, updated_at = ?, "
            "record_id = ?, national_code = ? WHERE crm_id = ?",
            (
                mapping.kind, mapping.customer_number, mapping.checksum, mapping.sent_checksum, at,
                mapping.record_id, mapping.national_code, mapping.crm_id,
            ),
        )  # fmt: skip

    def remove(self, crm_id: str) -> None:
        """Ends the link of a CRM record; harmless if there is none."""
        self._state.db.table("customer_mappings").delete_where("crm_id = ?", [crm_id])

    def relink(self, pair: CustomerMapping, linked_by: str, at: str) -> None:
        """Moves a linked CRM record to another contact. Raises sqlite3.IntegrityError if that is linked to another record."""
        moved = {"finance_code": pair.finance_code, "linked_by": linked_by, "linked_at": at}
        self._state.db.table("customer_mappings").update(pair.crm_id, moved)
        self.mark_in_sync(pair, at)


def _search(text: str) -> dict[str, str | None]:
    number = ascii_digits(text).strip().lower()
    return {"q": number, **(dict.fromkeys(spellings("")) if number.isdecimal() else spellings(text))}


def _mapping(row: Row | None) -> CustomerMapping | None:
    if row is None:
        return None
    return CustomerMapping(
        row["crm_id"],
        row["finance_code"],
        row["kind"],
        row["customer_number"],
        row["checksum"],
        row["sent_checksum"],
        row["record_id"],
        row["national_code"],
    )


def _link(row: Record) -> Link:
    return Link(**{name: row[name] for name in Link.__slots__})
