"""Moments as people read them: in Tehran's time, as both systems and the dashboard have it, the Jalali date beside the other."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

TEHRAN = ZoneInfo("Asia/Tehran")


def in_tehran(stored: str) -> datetime:
    """A stored moment (ISO 8601; UTC if it names no zone) in Tehran's time. Raises ValueError if it is none."""
    moment = datetime.fromisoformat(stored)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(TEHRAN)


def jalali(day: date, separator: str = "/") -> str:
    """A day in the Jalali calendar, `1404/10/15`. Raises ValueError for days that this calendar can't name."""
    from persiantools.jdatetime import JalaliDate  # an idle run tells nobody a date

    found = JalaliDate(day)  # type: ignore[no-untyped-call]
    return separator.join((f"{found.year:04d}", f"{found.month:02d}", f"{found.day:02d}"))


def day_in_both(day: date) -> str:
    """A day in both calendars: `2026-01-05 (1404/10/15)`."""
    try:
        return f"{day.isoformat()} ({jalali(day)})"
    except ValueError:
        return day.isoformat()


def moment_in_both(moment: datetime) -> str:
    """A moment by its own clock, to the minute: `2026-01-05 13:50 (1404/10/15)`."""
    day, _, more = day_in_both(moment.date()).partition(" ")
    return f"{day} {moment:%H:%M} {more}".rstrip()


def at(stored: str) -> str:
    """A stored moment in Tehran's time and both calendars."""
    return moment_in_both(in_tehran(stored))


def ago(stored: str, now: datetime) -> str:
    """How long ago a stored moment was, in one unit: `3 minutes ago`. `now` is aware."""
    seconds = int((now - in_tehran(stored)).total_seconds())
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        if seconds >= length:
            count = seconds // length
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
    return "just now"
