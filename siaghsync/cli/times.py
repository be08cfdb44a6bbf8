"""Ages and moments as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from siaghsync import clock
from siaghsync.errors import UsageError
from siaghsync.messages.calendar import TEHRAN
from siaghsync.settings import either_calendar

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_LONGEST_AGE = 1e9


def seconds_of(age: str) -> float:
    """An age like `15m` in seconds; a number alone is seconds. Raises UsageError."""
    found = _AGE.fullmatch(age.strip())
    if not found:
        raise UsageError("usage.not_an_age", option="--max-age", value=age)
    return float(found[1]) * _SECONDS.get(found[2], 1)


def moment_of(text: str, option: str) -> datetime:
    """A moment (aware UTC) that the user gave for `option`: an age (`12h`), or a date or time in either calendar, by Tehran's
    clock. Raises UsageError."""
    text = text.strip()
    found = _AGE.fullmatch(text)
    if found and found[2] and (seconds := seconds_of(text)) < _LONGEST_AGE:
        return clock.now() - timedelta(seconds=seconds)
    try:
        day, _, time = text.replace(" ", "T").partition("T")
        date = either_calendar(day)
        parsed = datetime.fromisoformat(f"{date.isoformat()}T{time}" if time else date.isoformat())
    except ValueError:
        raise UsageError("usage.not_a_time", option=option, value=text) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=TEHRAN)).astimezone(UTC)
