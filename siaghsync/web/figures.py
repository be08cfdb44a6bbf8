"""What the audit trail comes to, as bars: records that went through and records that did not, by hour and by day."""

from __future__ import annotations

from datetime import datetime

from siaghsync.state.activity import last_days, last_hours
from siaghsync.state.database import State
from siaghsync.web.charts import Bar
from siaghsync.web.i18n import Language


def last_day(state: State, now: datetime, language: Language) -> list[Bar]:
    """The last 24 hours, hour by hour in Tehran's time; the last one is not over yet."""
    return [Bar(language.hour(slot.start), slot.done, slot.failed) for slot in last_hours(state, now)]


def last_week(state: State, now: datetime, language: Language) -> list[Bar]:
    """The last seven days in Tehran, today included."""
    return [Bar(language.day(slot.start), slot.done, slot.failed) for slot in last_days(state, now)]
