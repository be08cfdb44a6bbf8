"""How far each source of the CRM has been read, and what stood in the overlap window behind that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from siaghsync.clock import Reading
from siaghsync.state.database import State


class Seen(NamedTuple):
    """A record as an earlier run saw it: its date, as `sync.reader.crm_date` gives it ("" for none), and its checksum."""

    modified: str
    checksum: str


class Cursors:
    """The cursors by source (`person`, `organization`, `quote`, `invoice`). All dates are those of the CRM's own clock.

    The overlap window is what lies between the moment from which the next run reads again and the cursor.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, source: str) -> str | None:
        """The highest ModifyDate that was settled, or None if the source was never read to its end."""
        found: str | None = self._state.value("SELECT modified FROM cursors WHERE source = ?", (source,))
        return found

    def window(self, source: str) -> tuple[str, str] | None:
        """(from where the source is to be read again, when that window was last read as a whole), or None."""
        row = self._state.row("SELECT window_start, window_read_at FROM cursors WHERE source = ?", (source,))
        return (row["window_start"], row["window_read_at"]) if row else None

    def all(self) -> dict[str, str]:
        """Every cursor by its source."""
        return {row["source"]: row["modified"] for row in self._state.db.table("cursors").rows_where(order_by="source")}

    def seen_count(self, source: str) -> int:
        """How many records the overlap window held."""
        return self._state.db.table("seen").count_where("source = ?", [source])

    def seen(self, source: str, crm_ids: Sequence[str]) -> dict[str, Seen]:
        """CRM id -> what the last runs saw, for those of `crm_ids` that stood in the overlap window."""
        marks = ", ".join("?" * len(crm_ids))
        rows = self._state.rows(
            f"SELECT crm_id, modified, checksum FROM seen WHERE source = ? AND crm_id IN ({marks})", (source, *crm_ids)
        )
        return {row["crm_id"]: Seen(row["modified"], row["checksum"]) for row in rows}

    def not_met(self, source: str, most: int) -> list[str]:
        """CRM ids of the newest records that stood in the overlap window and that this run has not met in the source."""
        rows = self._state.rows(
            "SELECT crm_id FROM seen WHERE source = ? AND crm_id NOT IN "
            "(SELECT crm_id FROM temp.readings WHERE source = ?) ORDER BY modified DESC LIMIT ?",
            (source, source, most),
        )
        return [row["crm_id"] for row in rows]

    def clocks(self, source: str) -> Reading | None:
        """What all clocks showed when the source was last read, or None if that is not known."""
        text = self._state.value("SELECT clocks FROM cursors WHERE source = ?", (source,))
        return Reading.from_text(text) if text else None

    def move(
        self, source: str, cursor: str, window: tuple[str, str], at: str, *, whole: bool, clocks: Reading | None = None
    ) -> None:
        """Moves a cursor and remembers what this run read (`Staging.add_readings`) in its window: (start, when read whole).

        `whole` says that this run read the entire window, so that what it did not meet there is gone. Belongs inside
        `State.atomic`, after everything that was read is settled or stored as waiting.
        """
        start, read_at = window
        row = {"source": source, "modified": cursor, "updated_at": at, "window_start": start, "window_read_at": read_at}
        row |= {"clocks": clocks.as_text()} if clocks else {}
        self._state.db.table("cursors").insert(row, replace=True)
        seen = self._state.db.table("seen")
        if whole:
            seen.delete_where("source = ?", [source])
        self._state.execute(
            "INSERT OR REPLACE INTO seen SELECT source, crm_id, modified, checksum FROM temp.readings "
            "WHERE source = ? AND modified <> ''",
            (source,),
        )
        seen.delete_where("source = ? AND modified < ?", [source, start])

    # --- the newest state of each record ---

    def last_seen(self, crm_ids: Sequence[str]) -> dict[str, str]:
        """CRM id -> the newest date at which a linked or posted record was seen, for those of `crm_ids` that were."""
        marks = ", ".join("?" * len(crm_ids))
        rows = self._state.rows(f"SELECT crm_id, modified FROM last_seen WHERE crm_id IN ({marks})", crm_ids)
        return dict(map(tuple, rows))

    def keep_dates(self, latest: str) -> None:
        """Remembers the dates of the linked and posted records that this run has read, those up to `latest`."""
        self._state.execute(
            "INSERT INTO last_seen SELECT crm_id, max(modified) FROM temp.readings WHERE modified <> '' AND modified <= ? "
            "AND (crm_id IN (SELECT crm_id FROM customer_mappings) OR crm_id IN (SELECT crm_id FROM posted_documents)) "
            "GROUP BY crm_id ON CONFLICT DO UPDATE SET modified = excluded.modified WHERE excluded.modified > modified",
            (latest,),
        )

    def forget_dates(self) -> None:
        """Forgets the dates of all records: the clock that they came from was wrong, nobody knows for which of them."""
        self._state.db.table("last_seen").delete_where()
