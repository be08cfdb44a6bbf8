"""The adapter of requests that carries every request: straight to its address, once, with our own trust, and within a
time limit that holds for the whole request: host name, connection, TLS, headers and a body that drips in.

A socket's own timeout starts anew with every byte. So these sockets wait in short steps and ask between them whether the
deadline has passed or the run was asked to stop. They also note that a byte of the request may have left, which decides
between "surely not sent" and "in doubt".
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import certifi
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.wait import wait_for_write

from siaghsync.clock import monotonic
from siaghsync.errors import SettingsError

T = TypeVar("T")

STEP_SECONDS = 0.05
_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK)


class Aborted(Exception):
    """The request ended on this side. `reason` as in CallError, `note` what the operating system said."""

    def __init__(self, reason: str, note: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.note = note


class Deadline:
    """The time of one request, in seconds: `connect` until its first byte leaves, `total` for all of it.

    Once `stop` is set, the request is cut short.
    """

    def __init__(self, connect: float, total: float, stop: threading.Event | None = None) -> None:
        now = monotonic()
        self._connected_by = now + min(connect, total)
        self._done_by = now + total
        self._stop = stop
        self.sent = False
        """Whether a byte of the request can have left."""

    @contextmanager
    def applied(self) -> Iterator[None]:
        """What the calling thread does on the network inside the block is held to this deadline."""
        token = _current.set(self)
        try:
            yield
        finally:
            _current.reset(token)

    def check(self, late: str = "connect_timeout") -> None:
        """Raises Aborted if the request has to end. `late` is the reason if it is late and nothing was sent."""
        if self._stop is not None and self._stop.is_set():
            raise Aborted("interrupted")
        if monotonic() >= (self._done_by if self.sent else self._connected_by):
            raise Aborted("timeout" if self.sent else late)


_current: ContextVar[Deadline] = ContextVar("deadline")


def _in_steps(step: Callable[[], T], late: str = "connect_timeout") -> T:
    """The result of `step`, which raises TimeoutError after STEP_SECONDS and is then called again."""
    deadline = _current.get()
    while True:
        deadline.check(late)
        try:
            return step()
        except TimeoutError as error:
            if error.errno is not None:
                raise  # Not a step that is over: the operating system has given the connection up.


class DeadlineSocket(socket.socket):
    """A socket whose every wait is held to the deadline of the calling thread."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        return _in_steps(partial(super().recv_into, *args, **kwargs))

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Sends `data`, the beginning of a request or more of it."""
        deadline = _current.get()
        deadline.check()
        deadline.sent = True
        left = memoryview(data)
        while left:
            left = left[_in_steps(partial(self.send, left, flags)) :]


class DeadlineTLSSocket(DeadlineSocket, ssl.SSLSocket):
    """The same over TLS, the handshake included."""

    def do_handshake(self, block: bool = False) -> None:
        _in_steps(partial(super().do_handshake, block))


def open_socket(host: str, port: int, options: Any) -> DeadlineSocket:
    """A socket connected to the first address of `host` that accepts. Raises Aborted."""
    failed = Aborted("unresolved")
    for family, kind, protocol, _, address in _addresses(host, port):
        try:
            return _connected(DeadlineSocket(family, kind, protocol), address, options)
        except OSError as error:
            failed = Aborted("refused_connection", error.strerror or "")
    raise failed


def _addresses(host: str, port: int) -> list[tuple[Any, ...]]:
    """The addresses of `host`. Asks in a thread of its own: the system's resolver knows no time limit."""
    answer: Future[list[tuple[Any, ...]]] = Future()

    def resolve() -> None:
        try:
            answer.set_result(socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM))
        except (OSError, ValueError):
            answer.set_result([])

    threading.Thread(target=resolve, name="siaghsync-resolver", daemon=True).start()
    return _in_steps(partial(answer.result, STEP_SECONDS), late="unresolved")


def _connected(sock: DeadlineSocket, address: Any, options: Any) -> DeadlineSocket:
    try:
        for option in options or ():
            sock.setsockopt(*option)
        sock.setblocking(False)
        code = sock.connect_ex(address)
        while code in _UNDER_WAY:
            _current.get().check()
            if wait_for_write(sock, STEP_SECONDS):
                code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))
        sock.settimeout(STEP_SECONDS)
    except BaseException:
        sock.close()
        raise
    return sock


def tls_context(private_authority: Path | None = None) -> ssl.SSLContext:
    """A context that checks certificate and host name.

    `private_authority` is a PEM file (setting TLS_CA_FILE). Raises SettingsError if it can't be read or holds no certificate.
    Not `ssl.create_default_context`: that one writes session keys to the file which SSLKEYLOGFILE names.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_default_certs()
    context.load_verify_locations(certifi.where())
    if private_authority is not None:
        try:
            context.load_verify_locations(private_authority)
        except OSError as error:
            note = error.strerror or ""
            raise SettingsError("settings.bad_tls_ca_file", note=note) from None
    return context


# It logs whole URLs, and whole header blocks that it can't parse.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class _Connection(HTTPConnection):
    """A kept connection on a socket that knows the deadline."""

    def _new_conn(self) -> DeadlineSocket:
        return open_socket(self.host, self.port, self.socket_options)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Sends head and body as one piece."""
        if self.sock is None:
            self.connect()
        self._pieces: list[bytes] = []
        super().request(*args, **kwargs)
        self.sock.sendall(b"".join(self._pieces))

    def send(self, data: Any) -> None:
        """Called while a request is put together."""
        self._pieces.append(data)


class _TLSConnection(_Connection, HTTPSConnection):
    """The same over TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class DirectAdapter(HTTPAdapter):
    """Sends prepared requests to one host and keeps up to `connections` of them open. Safe to use from many threads.

    No session of requests stands above it, so nothing follows a redirect or looks for .netrc, proxies and cookies.
    `tls` says which certificates are believed.
    """

    def __init__(self, connections: int, tls: ssl.SSLContext | None) -> None:
        if tls is not None:
            tls.sslsocket_class = DeadlineTLSSocket
        self._tls = tls
        super().__init__(pool_connections=1, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._tls, **options)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def cert_verify(self, *args: Any) -> None:
        """Nothing to add: the context says it."""

    def send_once(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> Response:
        """The answer, its body not yet read. A deadline must be applied. Raises whatever the libraries raise."""
        request = PreparedRequest()
        request.prepare_method(method)
        request.prepare_url(url, None)
        request.prepare_headers(headers)
        request.prepare_body(body, None)
        return self.send(request, stream=True, timeout=STEP_SECONDS)
