"""Connections that keep to the limit of the request they carry, from the name server to the last byte."""

from __future__ import annotations

import errno
import queue
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

from siaghsync.wire.deadline import Limit, Unreached, current

_TICK = 0.05
_CLOSED_BY_THE_SERVER = (errno.EPIPE, errno.EPROTOTYPE, errno.ECONNRESET)


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


class _Socket(socket.socket):
    """A socket that is told its time limit only if it is a new one: each telling is a system call."""

    def settimeout(self, value: float | None) -> None:
        if value != self.gettimeout():
            super().settimeout(value)


def _connect(host: str, port: int, limit: Limit, options: Any) -> tuple[socket.socket, socket.socket]:
    """A socket connected to the first address of `host` that answers, all of them within one time limit.

    With it comes a second handle of the same connection, to be shut from outside; it outlives TLS wrapping and closing.
    """
    failed = Unreached("unresolved")
    for family, kind, protocol, _, address in _addresses(host, port, limit):
        sock = handle = None
        try:
            sock = _Socket(family, kind, protocol)
            for option in options or ():
                sock.setsockopt(*option)
            handle = socket.fromfd(sock.fileno(), sock.family, sock.type)
            limit.hold(handle)
            sock.settimeout(max(limit.left(), 0.001))
            sock.connect(address)
        except TimeoutError:
            failed = Unreached("connect_timeout")
        except OSError as error:
            failed = Unreached("refused_connection", error.strerror or "")
        else:
            return sock, handle
        limit.let_go()
        for each in filter(None, (sock, handle)):
            each.close()
        if limit.cut or limit.left() <= 0:
            break
    raise Unreached("connect_timeout") if limit.cut == "time" else failed


class Connection(HTTPConnection):
    """A kept connection. Whoever has it in use must be watched under a limit; see `Watchdog.watch`."""

    _handle: socket.socket | None = None
    _held: list[bytes] | None = None

    def dispatch(self, method: str, target: str, headers: Mapping[str, str], body: bytes | None) -> None:
        """Sends a request, head and body as one piece. `getresponse` is next."""
        if self.sock is None:
            self.connect()
        held: list[bytes] = []
        self._held = held
        try:
            self.request(method, target, body, headers, preload_content=False)
        finally:
            self._held = None
        try:
            self.send(b"".join(held))
        except OSError as error:
            # The server may have answered before it had read everything, and then have closed.
            if error.errno not in _CLOSED_BY_THE_SERVER:
                raise

    def _new_conn(self) -> socket.socket:
        self._drop_handle()
        sock, self._handle = _connect(self.host, self.port, current(), self.socket_options)
        return sock

    def send(self, data: Any) -> None:
        """Also called by urllib3 itself, while a request is put together."""
        if self._held is not None:
            self._held.append(bytes(data))
            return
        if not current().sent:
            assert self._handle is not None
            current().leaving(self._handle)
        super().send(data)

    def retire(self) -> None:
        """Ends the connection for good. No limit may hold its handle any more."""
        self.close()
        self._drop_handle()

    def _drop_handle(self) -> None:
        # Not in `close`: an answer can be read on after that, when the server has said that it is its last one.
        handle, self._handle = self._handle, None
        if handle is not None:
            handle.close()


class TLSConnection(Connection, HTTPSConnection):
    """The same over TLS."""

    def connect(self) -> None:
        try:
            super().connect()
        except ssl.SSLCertVerificationError as error:
            raise Unreached("tls", error.verify_message) from error
        except (OSError, ValueError) as error:
            late = current().cut or isinstance(error, TimeoutError)
            raise Unreached("connect_timeout" if late else "tls") from error
