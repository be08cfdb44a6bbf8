"""Moments as people read them: in Tehran's time, as in both systems, with the Jalali date."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate

TEHRAN = ZoneInfo("Asia/Tehran")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


def in_tehran(stored: str) -> datetime:
    """A stored moment (ISO 8601; UTC if it names no zone) in Tehran's time. Raises ValueError if it is none."""
    moment = datetime.fromisoformat(stored)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(TEHRAN)


def jalali(day: date, separator: str = "/") -> str:
    """A day in the Jalali calendar, `1404/10/15`. Raises ValueError for days that this calendar can't name."""
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


def moment_for(stored: str, language: str) -> str:
    """A stored moment in Tehran's time: in English with both calendars, in Persian with the Jalali date and Persian digits.

    Another text stays as it is.
    """
    try:
        local = in_tehran(stored)
    except ValueError:
        return stored
    if language == "en":
        return moment_in_both(local)
    return f"{jalali(local.date())} {local:%H:%M}".translate(_PERSIAN_DIGITS)


def day_for(text: str, language: str) -> str:
    """A day (YYYY-MM-DD) as `moment_for` shows moments; another text stays as it is."""
    try:
        day = date.fromisoformat(text)
        return day_in_both(day) if language == "en" else jalali(day).translate(_PERSIAN_DIGITS)
    except ValueError:
        return text
