"""What the audit trail comes to: records that went through and records that did not, by hour and by day."""

from __future__ import annotations

from datetime import datetime, timedelta

from siaghsync.store.audit import stamp
from siaghsync.store.state import State
from siaghsync.web.charts import Bar
from siaghsync.web.i18n import TEHRAN, Language

_SLOTS = (
    "SELECT strftime(?, at, ?) AS slot, sum(outcome = 'done') AS done, "
    "sum(outcome IN ('failed', 'unknown', 'misdirected', 'review')) AS failed FROM audit WHERE at >= ? GROUP BY slot"
)


def last_day(state: State, now: datetime, language: Language) -> list[Bar]:
    """The last 24 hours, hour by hour in Tehran's time; the last one is not over yet."""
    end = now.astimezone(TEHRAN).replace(minute=0, second=0, microsecond=0)
    slots = [end - timedelta(hours=back) for back in range(23, -1, -1)]
    return _bars(state, slots, "%Y-%m-%dT%H", [language.hour(slot) for slot in slots])


def last_week(state: State, now: datetime, language: Language) -> list[Bar]:
    """The last seven days in Tehran, today included."""
    end = now.astimezone(TEHRAN).replace(hour=0, minute=0, second=0, microsecond=0)
    slots = [end - timedelta(days=back) for back in range(6, -1, -1)]
    return _bars(state, slots, "%Y-%m-%d", [language.day(slot) for slot in slots])


def _bars(state: State, slots: list[datetime], pattern: str, labels: list[str]) -> list[Bar]:
    offset = slots[-1].utcoffset() or timedelta()
    shift = f"{int(offset.total_seconds() // 60):+d} minutes"
    since = stamp((slots[0] - offset).replace(tzinfo=None)) + "+00:00"
    found = {row["slot"]: row for row in state.rows(_SLOTS, (pattern, shift, since))}
    return [
        Bar(label, row["done"], row["failed"]) if (row := found.get(slot.strftime(pattern))) else Bar(label, 0, 0)
        for slot, label in zip(slots, labels, strict=True)
    ]
