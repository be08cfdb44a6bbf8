"""A small HTTP server on plain sockets that can misbehave in every way a real one can."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, settings

from tests.patience import PATIENCE

MANY_ANSWERS = settings(
    max_examples=int(os.environ.get("FUZZ", "300")),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
"""How many generated answers a fuzz test tries: FUZZ=n, so many in each of them."""


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Handler = Callable[[socket.socket, Received], bool]
"""Answers one request; True keeps the connection open for the next."""


class RawServer:
    """Gives each request to the next handler; the last one answers all further requests."""

    def __init__(self, *handlers: Handler, tls: ssl.SSLContext | None = None, greet: Handler | None = None) -> None:
        self.requests: list[Received] = []
        self.connections = 0
        self._handlers = list(handlers)
        self._tls = tls
        self._greet = greet
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                conn, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self.connections += 1
            threading.Thread(target=self._converse, args=(conn,), daemon=True).start()

    def _converse(self, conn: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError, IndexError):
            if self._greet is not None and not self._greet(conn, Received("", "", {}, b"")):
                return
            if self._tls is not None:
                conn = self._tls.wrap_socket(conn, server_side=True)
            with self._lock:
                self._open.add(conn)
            while (received := _read(conn)) is not None:
                with self._lock:
                    self.requests.append(received)
                    handler = self._handlers.pop(0) if len(self._handlers) > 1 else self._handlers[0]
                if not handler(conn, received):
                    break
        with contextlib.suppress(OSError):
            conn.close()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for conn in self._open:
                with contextlib.suppress(OSError):
                    socket.socket.shutdown(conn, socket.SHUT_RDWR)


@contextlib.contextmanager
def serving(*handlers: Handler, **options: Any) -> Iterator[RawServer]:
    server = RawServer(*handlers, **options)
    try:
        yield server
    finally:
        server.close()


def _read(conn: socket.socket) -> Received | None:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = conn.recv(65536)
        if not chunk:
            return None
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += conn.recv(65536)
    method, path, _ = first.split(" ")
    return Received(method, path, headers, body)


def head(status: int = 200, *lines: str) -> bytes:
    return ("\r\n".join([f"HTTP/1.1 {status} Whatever", *lines]) + "\r\n\r\n").encode("latin-1")


def reply(body: bytes | Any = b"", status: int = 200, *lines: str) -> Handler:
    """A proper answer; anything but bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def handle(conn: socket.socket, _: Received) -> bool:
        conn.sendall(head(status, f"Content-Length: {len(content)}", *lines) + content)
        return True

    return handle


def raw(data: bytes) -> Handler:
    """Exactly these bytes, then the end of the connection."""

    def handle(conn: socket.socket, _: Received) -> bool:
        conn.sendall(data)
        return False

    return handle


def silent(after: bytes = b"") -> Handler:
    """These bytes, then nothing until the other end hangs up: a client without a time limit waits for ever."""

    def handle(conn: socket.socket, _: Received) -> bool:
        conn.sendall(after)
        while conn.recv(65536):
            pass
        return False

    return handle


def deaf(_: socket.socket, __: Received) -> bool:
    """Reads nothing, says nothing, and outlives the test."""
    time.sleep(PATIENCE)
    return False


def dripping(start: bytes, drop: bytes = b"x", every: float = 0.05) -> Handler:
    """`start`, and then a drop again and again until the other end hangs up."""

    def handle(conn: socket.socket, _: Received) -> bool:
        conn.sendall(start)
        while True:
            time.sleep(every)
            conn.sendall(drop)

    return handle


def resetting(before: bytes = b"") -> Handler:
    """A few bytes and then a RST."""

    def handle(conn: socket.socket, _: Received) -> bool:
        if before:
            conn.sendall(before)
            time.sleep(0.05)
        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        conn.close()
        return False

    return handle


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def routed(routes: dict[str, Handler], otherwise: Handler) -> Handler:
    """The handler whose key is the end of the path."""

    def handle(conn: socket.socket, received: Received) -> bool:
        chosen = next((handler for end, handler in routes.items() if received.path.endswith(end)), otherwise)
        return chosen(conn, received)

    return handle
