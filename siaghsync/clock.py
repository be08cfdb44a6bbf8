"""The only place where the program reads the clock. Everything else is given these functions, or a time."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The wall clock, aware UTC. It can jump."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds since some fixed moment; it never jumps, and means nothing outside this process."""
    return time.monotonic()
