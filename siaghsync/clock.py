"""The only place where the program reads the clock. Everything else is given these functions, or a time."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def now() -> datetime:
    """The wall clock, aware UTC. It can jump."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds since the machine was started, or some other fixed moment; it never jumps, and a restart ends its meaning."""
    return time.monotonic()


@dataclass(frozen=True, slots=True)
class Reading:
    """What all clocks showed at one moment, to be compared with a later one.

    `local` is the wall clock and `server` the `Date` of a server's last answer, both aware; None if its answers bear none.
    `ticks` are seconds of `monotonic`, which go on as long as `boot` is the same; "" where the system tells no such id.
    """

    local: datetime
    ticks: float
    boot: str
    server: datetime | None

    def as_text(self) -> str:
        """The reading as it is stored."""
        server = self.server and self.server.isoformat()
        return json.dumps([self.local.isoformat(), self.ticks, self.boot, server])

    @staticmethod
    def from_text(text: str) -> Reading:
        """The opposite of `as_text`."""
        local, ticks, boot, server = json.loads(text)
        moment = datetime.fromisoformat
        return Reading(moment(local), ticks, boot, moment(server) if server else None)


def reading(server: datetime | None = None) -> Reading:
    """All clocks now; `server` is the `Date` of an answer that has just come."""
    return Reading(now(), monotonic(), _boot_id(), server)


@cache
def _boot_id() -> str:
    with suppress(OSError):  # only Linux has it
        return _BOOT_ID.read_text("ascii").strip()
    return ""


def elapsed(then: Reading, later: Reading) -> float:
    """Seconds between two readings by the server's clock, else by the monotonic clock, else by the wall clock.

    Negative if that clock went back in between.
    """
    if then.server and later.server:
        return (later.server - then.server).total_seconds()
    return _passed_here(then, later)[0]


def server_clock_moved(then: Reading, later: Reading) -> bool:
    """Whether the server's clock was set in between: its `Date` went back, or no clock of this machine agrees with it.

    The monotonic clock stands still while a machine sleeps, the wall clock may be set itself: one of them is enough.
    """
    if then.server is None or later.server is None:
        return False
    passed = (later.server - then.server).total_seconds()
    return passed < 0 or all(abs(passed - here) > LARGEST_DRIFT for here in _passed_here(then, later))


def _passed_here(then: Reading, later: Reading) -> list[float]:
    """Seconds by the monotonic clock, unless the machine was started anew in between, and by the wall clock."""
    by_wall = (later.local - then.local).total_seconds()
    return [later.ticks - then.ticks, by_wall] if then.boot and then.boot == later.boot else [by_wall]


LARGEST_DRIFT = 60.0
"""Seconds by which the distance between two clocks may change without one of them having been set."""
