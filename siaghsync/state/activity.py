"""What happened hour by hour or day by day: runs, and what the audit trail comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from siaghsync.messages.calendar import TEHRAN
from siaghsync.state.audit import stamp
from siaghsync.state.database import State

HOUR, DAY = "%Y-%m-%dT%H", "%Y-%m-%d"
"""How a slot is named, for SQLite and for Python alike."""

_LINES = (
    "SELECT strftime(?, at, ?) AS slot, sum(outcome = 'done') AS done, "
    "sum(outcome = 'done' AND action IN ('create', 'update')) AS written, "
    "sum(outcome IN ('failed', 'unknown', 'misdirected', 'review')) AS failed FROM audit WHERE at >= ? GROUP BY slot"
)
_RUNS = (
    "SELECT strftime(?, started_at, ?) AS slot, count(*) AS runs FROM runs "
    "WHERE dry_run = 0 AND started_at >= ? GROUP BY slot"
)


@dataclass(frozen=True, slots=True)
class Slot:
    """One stretch of time: how many runs began, how many records went through and did not, how many writes were made."""

    start: datetime
    runs: int = 0
    done: int = 0
    written: int = 0
    failed: int = 0


def last_hours(state: State, now: datetime, count: int = 24) -> list[Slot]:
    """The last hours of Tehran's clock, the oldest first; the last one is not over yet."""
    end = now.astimezone(TEHRAN).replace(minute=0, second=0, microsecond=0)
    return _slots(state, [end - timedelta(hours=back) for back in range(count - 1, -1, -1)], HOUR)


def last_days(state: State, now: datetime, count: int = 7) -> list[Slot]:
    """The last days in Tehran, the oldest first, today included."""
    end = now.astimezone(TEHRAN).replace(hour=0, minute=0, second=0, microsecond=0)
    return _slots(state, [end - timedelta(days=back) for back in range(count - 1, -1, -1)], DAY)


def _slots(state: State, starts: Sequence[datetime], pattern: str) -> list[Slot]:
    offset = starts[-1].utcoffset() or timedelta()
    shift = f"{int(offset.total_seconds() // 60):+d} minutes"
    since = stamp((starts[0] - offset).replace(tzinfo=None)) + "+00:00"
    lines = {row["slot"]: row for row in state.rows(_LINES, (pattern, shift, since))}
    runs: Mapping[str, int] = {row["slot"]: row["runs"] for row in state.rows(_RUNS, (pattern, shift, since))}
    slots = []
    for start in starts:
        name = start.strftime(pattern)
        found = lines.get(name)
        known = (found["done"], found["written"], found["failed"]) if found else (0, 0, 0)
        slots.append(Slot(start, runs.get(name, 0), *known))
    return slots
