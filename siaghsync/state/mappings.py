"""Linked pairs and cursors in the state file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from siaghsync.domain.customer import CustomerMapping
from siaghsync.state.database import Row, State


class Mappings:
    """The customer mappings. Every method that writes belongs inside `State.atomic`."""

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self) -> int:
        """How many customers are linked."""
        return int(self._state.value("SELECT count(*) FROM customer_mappings"))

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
        while rows := self._state.rows(
            "SELECT * FROM customer_mappings WHERE finance_code > ? ORDER BY finance_code LIMIT 500", (last,)
        ):
            yield from (m for row in rows if (m := _mapping(row)))
            last = rows[-1]["finance_code"]

    def add(self, mapping: CustomerMapping, linked_by: str, at: str) -> None:
        """Links a pair. Raises sqlite3.IntegrityError if either side is linked already."""
        self._state.execute(
            "INSERT INTO customer_mappings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                mapping.crm_id, mapping.finance_code, mapping.kind, mapping.customer_number,
                mapping.checksum, mapping.sent_checksum, linked_by, at, at,
            ),
        )  # fmt: skip

    def settle(self, mapping: CustomerMapping, at: str) -> None:
        """Records that the pair is in step at this checksum, under this number."""
        self._state.execute(
            "UPDATE customer_mappings SET kind = ?, customer_number = ?, checksum = ?, sent_checksum = ?, updated_at = ? "
            "WHERE crm_id = ?",
            (
                mapping.kind,
                mapping.customer_number,
                mapping.checksum,
                mapping.sent_checksum,
                at,
                mapping.crm_id,
            ),
        )

    def relink(self, mapping: CustomerMapping, finance_code: int, at: str) -> None:
        """Moves a CRM record to another contact, because a person said so; the two are compared at the next look."""
        self._state.execute(
            "UPDATE customer_mappings SET finance_code = ?, checksum = NULL, sent_checksum = NULL, linked_by = 'person', "
            "updated_at = ? WHERE crm_id = ?",
            (finance_code, at, mapping.crm_id),
        )


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


class Cursors:
    """How far each source of the CRM has been read, by the CRM's own dates, and what stood in the stretch behind it."""

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, source: str) -> str | None:
        """The highest ModifyDate that was settled, or None if the source was never read to its end."""
        found: str | None = self._state.value("SELECT modified FROM cursors WHERE source = ?", (source,))
        return found

    def stretch(self, source: str) -> tuple[str, str] | None:
        """(from where the source is to be read again, when that stretch was last read whole), or None."""
        row = self._state.row("SELECT start, whole_at FROM cursors WHERE source = ?", (source,))
        return (row["start"], row["whole_at"]) if row else None

    def all(self) -> dict[str, str]:
        """Every cursor by its source."""
        return {row["source"]: row["modified"] for row in self._state.rows("SELECT * FROM cursors ORDER BY source")}

    def seen_count(self, source: str) -> int:
        """How many records the stretch behind the cursor held."""
        return int(self._state.value("SELECT count(*) FROM seen WHERE source = ?", (source,)))

    def seen(self, source: str, crm_ids: Sequence[str]) -> dict[str, str]:
        """CRM id -> checksum, for those of `crm_ids` that stood in the stretch behind the cursor."""
        marks = ", ".join("?" * len(crm_ids))
        rows = self._state.rows(
            f"SELECT crm_id, checksum FROM seen WHERE source = ? AND crm_id IN ({marks})", (source, *crm_ids)
        )
        return {row["crm_id"]: row["checksum"] for row in rows}

    def move(self, source: str, cursor: str, stretch: tuple[str, str], at: str, *, whole: bool) -> None:
        """Moves a cursor and remembers what this run read (`temp.reading`) in its stretch: (start, when read whole).

        `whole` says that this run read the entire stretch, so that what was not met in it is gone. Belongs inside
        `State.atomic`, after everything that was read is settled or stored as waiting.
        """
        start, whole_at = stretch
        self._state.execute(
            "INSERT OR REPLACE INTO cursors (source, modified, updated_at, start, whole_at) VALUES (?, ?, ?, ?, ?)",
            (source, cursor, at, start, whole_at),
        )
        if whole:
            self._state.execute("DELETE FROM seen WHERE source = ?", (source,))
        self._state.execute(
            "INSERT OR REPLACE INTO seen SELECT source, crm_id, modified, checksum FROM temp.reading "
            "WHERE source = ? AND modified <> ''",
            (source,),
        )
        self._state.execute("DELETE FROM seen WHERE source = ? AND modified < ?", (source, start))
