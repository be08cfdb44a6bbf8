"""Time limits that hold for a whole request: connecting, TLS, headers and a body that drips in.

A socket timeout starts anew with every byte. So the connections here report their socket to the `Limit` of
the request they carry, and one `Watchdog` thread shuts that socket when the time is up, or when the run is
asked to stop. They also note whether a byte of the request can have left, which decides between "surely not
sent" and "in doubt".
"""

from __future__ import annotations

import queue
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

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

    def hold(self, sock: socket.socket) -> None:
        """Make `sock` the one to shut. Keeps a handle of its own, which outlives TLS wrapping and closing."""
        handle = socket.fromfd(sock.fileno(), sock.family, sock.type)
        with self._lock:
            previous, self._handle = self._handle, handle
            if self.cut:
                _shut(handle)
        if previous is not None:
            previous.close()

    def let_go(self) -> None:
        """The connection is about to serve somebody else: leave its socket alone from now on."""
        with self._lock:
            handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()

    def leaving(self, sock: socket.socket) -> None:
        """The first byte is about to leave. Raises Unreached if the request was cut before that."""
        if self._handle is None:
            self.hold(sock)
        with self._lock:
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
        self.let_go()
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
        """Guard what the calling thread does inside the block."""
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


def _limit() -> Limit:
    limit: Limit = _thread.limit
    return limit


def _addresses(host: str, port: int, limit: Limit) -> list[tuple[Any, ...]]:
    """The addresses of `host`. Asks in a thread of its own: the system's resolver knows no time limit."""
    answers: queue.SimpleQueue[list[Any] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, ValueError) as error:
            answers.put(error)

    threading.Thread(target=ask, name="siaghsync-resolver", daemon=True).start()
    while not limit.cut and limit.left() > 0:
        with suppress(queue.Empty):
            answer = answers.get(timeout=_TICK)
            if isinstance(answer, Exception):
                break
            return answer
    raise Unreached("interrupted" if limit.cut == "stop" else "unresolved")


def _connect(host: str, port: int, limit: Limit, options: Any) -> socket.socket:
    """A socket connected to the first address of `host` that answers, all of them within one time limit."""
    failed = Unreached("unresolved")
    for family, kind, protocol, _, address in _addresses(host, port, limit):
        sock = None
        try:
            sock = socket.socket(family, kind, protocol)
            for option in options or ():
                sock.setsockopt(*option)
            limit.hold(sock)
            sock.settimeout(max(limit.left(), 0.001))
            sock.connect(address)
        except TimeoutError:
            failed = Unreached("connect_timeout")
        except OSError as error:
            failed = Unreached("refused_connection", error.strerror or "")
        else:
            return sock
        if sock is not None:
            sock.close()
        if limit.cut or limit.left() <= 0:
            break
    raise Unreached("connect_timeout") if limit.cut == "time" else failed


class _Connection(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self.host, self.port, _limit(), self.socket_options)

    def send(self, data: Any) -> None:
        if self.sock is None:
            self.connect()
        if not _limit().sent:
            _limit().leaving(self.sock)
        super().send(data)


class _TLSConnection(_Connection, HTTPSConnection):
    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            raise Unreached("tls", error.verify_message) from error
        except (OSError, ValueError) as error:
            late = _limit().cut or isinstance(error, TimeoutError)
            raise Unreached("connect_timeout" if late else "tls") from error


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection

    def _put_conn(self, conn: Any) -> None:
        limit = getattr(_thread, "limit", None)
        if limit is not None:
            limit.let_go()
        super()._put_conn(conn)


class _TLSPool(_Pool, HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


POOLS = {"http": _Pool, "https": _TLSPool}
"""For urllib3's `PoolManager.pool_classes_by_scheme`."""
