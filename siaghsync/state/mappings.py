"""Linked pairs: which CRM record and which finance contact are the same customer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from siaghsync.domain.customer import CustomerMapping, Kind
from siaghsync.state.columns import Record
from siaghsync.state.database import Row, State

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
        sql = "SELECT * FROM customer_mappings WHERE finance_code > ? ORDER BY finance_code LIMIT ?"
        while rows := self._state.rows(sql, (last, _PAGE)):
            yield from (m for row in rows if (m := _mapping(row)))
            last = rows[-1]["finance_code"]

    def link_of(self, crm_id: str) -> Link | None:
        """The linked pair of a CRM record with all that is known of the link, or None."""
        found = self._state.db.table("customer_mappings").rows_where("crm_id = ?", [crm_id])
        return next(map(_link, found), None)

    def page(self, limit: int, after: int = 0, search: str = "") -> list[Link]:
        """Linked pairs by finance code, those behind the code `after`; with `search` those with that number, id or code."""
        found = self._state.db.table("customer_mappings").rows_where(
            "finance_code > :after AND (:q = '' OR customer_number = :q OR crm_id = :q OR CAST(finance_code AS TEXT) = :q)",
            {"after": after, "q": search},
            order_by="finance_code",
            limit=limit,
        )
        return list(map(_link, found))

    def add(self, mapping: CustomerMapping, linked_by: str, at: str) -> None:
        """Links a pair. Raises sqlite3.IntegrityError if either side is linked already."""
        self._state.execute(
            "INSERT INTO customer_mappings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                mapping.crm_id, mapping.finance_code, mapping.kind, mapping.customer_number,
                mapping.checksum, mapping.sent_checksum, linked_by, at, at,
            ),
        )  # fmt: skip

    def mark_in_sync(self, mapping: CustomerMapping, at: str) -> None:
        """Records that the pair is in step at this checksum, under this number."""
        self._state.execute(
            "UPDATE customer_mappings SET kind = ?, customer_number = ?, checksum = ?, sent_checksum = ?, updated_at = ? "
            "WHERE crm_id = ?",
            (mapping.kind, mapping.customer_number, mapping.checksum, mapping.sent_checksum, at, mapping.crm_id),
        )

    def relink(self, mapping: CustomerMapping, finance_code: int, at: str) -> None:
        """Moves a CRM record to another contact, because a person said so; the two are compared at the next look."""
        moved = {"finance_code": finance_code, "checksum": None, "sent_checksum": None, "linked_by": "person"}
        self._state.db.table("customer_mappings").update(mapping.crm_id, {**moved, "updated_at": at})


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
    )


def _link(row: Record) -> Link:
    return Link(**{name: row[name] for name in Link.__slots__})
