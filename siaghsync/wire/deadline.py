"""Time limits that hold for a whole request: connecting, TLS, headers and a body that drips in.

A socket timeout starts anew with every byte. So each connection lends a handle of its socket to the `Limit` of
the request it carries, and one `Watchdog` thread shuts that handle when the time is up, or when the run is
asked to stop. It also notes whether a byte of the request can have left, which decides between "surely not
sent" and "in doubt".
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

_TICK = 0.05
_thread = threading.local()


class Unreached(Exception):
    """No byte of the request has left. `reason` as in CallError, `note` what the operating system said."""

    def __init__(self, reason: str, note: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.note = note


class Limit:
    """The time of one request, in seconds: `connect` until it is connected, `total` for all of it.

    `cut_on_stop` says whether a stop cuts it short (reads) or lets it run to its end (writes).
    """

    def __init__(self, connect: float, total: float, *, cut_on_stop: bool) -> None:
        self._started = time.monotonic()
        self._until = self._started + min(connect, total)
        self._total = total
        self._cut_on_stop = cut_on_stop
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self._over = False
        self.sent = False
        """Whether a byte of the request can have left."""
        self.cut: Literal["", "time", "stop"] = ""
        """Why the watchdog ended the request, if it did."""

    def left(self) -> float:
        """Seconds until the present phase must end."""
        return self._until - time.monotonic()

    def hold(self, handle: socket.socket) -> None:
        """Make `handle` the one to shut. Its owner must not close it before `let_go`."""
        with self._lock:
            self._handle = handle
            if self.cut:
                _shut(handle)

    def let_go(self) -> None:
        """The connection is about to serve somebody else, or to end: leave its socket alone from now on."""
        with self._lock:
            self._handle = None

    def leaving(self, handle: socket.socket) -> None:
        """The first byte is about to leave. Raises Unreached if the request was cut before that."""
        with self._lock:
            self._handle = handle
            if self.cut:
                raise Unreached("interrupted" if self.cut == "stop" else "connect_timeout")
            self.sent = True
            self._until = self._started + self._total

    def check(self, stopping: bool) -> None:
        """End the request if its time is up, or if it has to give way to a stop."""
        with self._lock:
            if self._over or self.cut:
                return
            if stopping and self._cut_on_stop:
                self.cut = "stop"
            elif self.left() <= 0:
                self.cut = "time"
            if self.cut and self._handle is not None:
                _shut(self._handle)

    def finish(self) -> Literal["", "time", "stop"]:
        """No more cutting from here on. Returns why the request was cut, if it was."""
        with self._lock:
            self._over = True
            self._handle = None
            return self.cut


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """One daemon thread that checks all running requests a few times a second."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._running: set[Limit] = set()
        self._worker: threading.Thread | None = None

    @contextmanager
    def watch(self, limit: Limit) -> Iterator[None]:
        """Guard what the calling thread does inside the block. After it the limit holds no handle."""
        with self._lock:
            self._running.add(limit)
            if self._worker is None:
                self._worker = threading.Thread(target=self._watch, name="siaghsync-deadlines", daemon=True)
                self._worker.start()
        _thread.limit = limit
        try:
            yield
        finally:
            _thread.limit = None
            limit.finish()
            with self._lock:
                self._running.discard(limit)

    def _watch(self) -> None:
        while not self._closing.wait(_TICK):
            with self._lock:
                running = list(self._running)
            for limit in running:
                limit.check(self._stop.is_set())

    def close(self) -> None:
        """End the thread. Requests must have ended before."""
        self._closing.set()
        if self._worker is not None:
            self._worker.join()


def current() -> Limit:
    """The limit of the request that the calling thread carries."""
    limit: Limit = _thread.limit
    return limit
