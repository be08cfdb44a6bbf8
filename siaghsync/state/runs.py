"""Reads the runs back: for `status`, `log`, the dashboard and the metrics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siaghsync.messages.message import Message
from siaghsync.state.audit import stamp
from siaghsync.state.columns import Record, message_of
from siaghsync.state.database import State


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it is stored. Times are stored texts; `finished_at` and `outcome` are None while it works, or if it was killed.

    `first_id` and `first_started_at` are its own, or those of the first of many that it stands for: they found nothing to do.
    """

    id: int
    command: str
    dry_run: bool
    pid: int
    started_at: str
    finished_at: str | None
    outcome: str | None
    summary: Mapping[str, Any]
    error: Message | None
    first_id: int
    first_started_at: str

    @property
    def count(self) -> int:
        """How many runs it stands for, itself included."""
        return self.id - self.first_id + 1

    def as_json(self) -> dict[str, Any]:
        """The run as in the JSON of `sync` and `status`."""
        return {
            "id": self.id,
            "command": self.command,
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "outcome": self.outcome,
            "dry_run": self.dry_run,
        }


def find(state: State, run_id: int) -> RunRecord | None:
    """The run with this id, or the one that stands for it, or None."""
    return next(iter(select(state, "id >= ? AND coalesce(first_id, id) <= ?", (run_id, run_id), 1)), None)


def last(state: State) -> RunRecord | None:
    """The newest run, dry ones included, or None."""
    return next(iter(select(state, "1", (), 1)), None)


def last_of(state: State, command: str) -> RunRecord | None:
    """The newest run of a command, or None."""
    return next(iter(select(state, "command = ?", (command,), 1)), None)


def any_yet(state: State) -> bool:
    """Whether this state file has seen a run."""
    return last(state) is not None


def newest(state: State, limit: int) -> list[RunRecord]:
    """The last runs, dry ones included, the newest first."""
    return select(state, "1", (), limit)


_QUIET = (
    "command IN ('sync', 'webhook') AND dry_run = 0 AND outcome IS 'ok' "
    "AND NOT EXISTS (SELECT 1 FROM audit WHERE run_id = runs.id)"
)
"""It was started by a program, went well, and had nothing to do."""


def page(
    state: State, before: int | None, after: int | None, limit: int, *, with_quiet: bool = True
) -> list[RunRecord]:
    """Runs, the newest first: the newest below the id `before`, or the oldest above the id `after`."""
    where = "1" if with_quiet else f"NOT ({_QUIET})"
    if after is None:
        return select(state, f"{where} AND id < ?", (before or 2**62,), limit)
    rows = state.db.table("runs").rows_where(f"{where} AND id > ?", [after], order_by="id", limit=limit)
    return [record_of(row) for row in rows][::-1]


def quiet_between(state: State, older: int, newer: int | None = None) -> int:
    """How many runs between two ids, None: up to the newest, went well and had nothing to do."""
    where = f"id > ? AND id < ? AND {_QUIET}"
    sql = f"SELECT coalesce(sum(id - coalesce(first_id, id) + 1), 0) FROM runs WHERE {where}"
    return int(state.value(sql, (older, newer or 2**62)))


def failed(state: State, since: datetime | None, limit: int) -> list[RunRecord]:
    """Runs that failed, or that ended without an outcome (killed, or a machine that went down), the newest last."""
    where = (
        "dry_run = 0 AND started_at >= ? "
        "AND (outcome = 'failed' OR (finished_at IS NULL AND id < (SELECT max(id) FROM runs)))"
    )
    return select(state, where, (stamp(since) if since else "",), limit)[::-1]


def last_is_of(state: State, pid: str | None, since: datetime) -> bool:
    """Whether the newest run is one of this process, and has not ended before a moment."""
    run = last(state)
    return run is not None and str(run.pid) == pid and (run.finished_at or stamp(since)) >= stamp(since)


def any_after(state: State, run: RunRecord) -> bool:
    """Whether the same command has run to an end since, and not dry."""
    where = "command = ? AND dry_run = 0 AND outcome IS NOT NULL AND id > ?"
    return bool(select(state, where, (run.command, run.id), 1))


def line_count(state: State, run_id: int) -> int:
    """How many lines of the audit trail a run has written."""
    return state.db.table("audit").count_where("run_id = ?", [run_id])


def select(state: State, where: str, values: Sequence[object], limit: int) -> list[RunRecord]:
    """The newest runs that a condition of SQL is true of, the newest first."""
    rows = state.db.table("runs").rows_where(where, list(values), order_by="id DESC", limit=limit)
    return [record_of(row) for row in rows]


def record_of(row: Record) -> RunRecord:
    """A row of the table `runs` as a record."""
    return RunRecord(
        id=row["id"],
        command=row["command"],
        dry_run=bool(row["dry_run"]),
        pid=row["pid"],
        started_at=row["started_at"],
        finished_at=row["finished_at"],
        outcome=row["outcome"],
        summary=json.loads(row["summary"] or "{}"),
        error=message_of(row, "error"),
        first_id=row["first_id"] or row["id"],
        first_started_at=row["first_started_at"] or row["started_at"],
    )
