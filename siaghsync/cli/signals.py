"""SIGINT and SIGTERM ask a command for an orderly end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from siaghsync.errors import Interrupted, SiaghsyncError, is_interruption


@dataclass(slots=True)
class Stop:
    """`event` is set by SIGINT or SIGTERM; `exit_code` is 130 or 143 then, else 0."""

    event: threading.Event
    exit_code: int = 0


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Lets the first SIGINT or SIGTERM ask for an orderly end; a second one ends the process at once.

    Raises Interrupted with the signal's exit code if the block, or a request in it, stops because of the first one. Ending
    at once is safe: a request in flight has left an open intent, which the next run looks up.
    """
    stop = Stop(threading.Event())

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.event.is_set():
            os._exit(128 + number)
        stop.exit_code = 128 + number
        stop.event.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except SiaghsyncError as error:
        if stop.exit_code and is_interruption(error):
            raise Interrupted(stop.exit_code) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
