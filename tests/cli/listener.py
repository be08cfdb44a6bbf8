"""A small server for pings and alerts: it writes down what comes, and answers as it is told."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import TracebackType
from typing import Any


@dataclass(frozen=True)
class Heard:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Listener:
    """Listens on 127.0.0.1. `answers` are raw answers by path; all else is answered with `status`.

    With `drip`, raw answers leave byte by byte, so many seconds apart; with `hang`, they leave that much later.
    """

    status: int = 200
    answers: dict[str, bytes] = field(default_factory=dict)
    drip: float = 0.0
    hang: float = 0.0
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}"

    @property
    def paths(self) -> list[str]:
        """`GET /path`, in the order in which they came."""
        return [f"{one.method} {one.path}" for one in self.heard]

    def take(self) -> list[Heard]:
        """What came since the last call."""
        heard, self.heard[:] = list(self.heard), []
        return heard

    def __enter__(self) -> Listener:
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                listener.heard.append(Heard(self.command, self.path, dict(self.headers.items()), body))
                plain = f"HTTP/1.1 {listener.status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
                time.sleep(listener.hang)
                raw = listener.answers.get(self.path, plain)
                pieces = [raw[i : i + 1] for i in range(len(raw))] if listener.drip else [raw]
                for piece in pieces:
                    try:
                        self.wfile.write(piece)
                    except OSError:
                        break
                    time.sleep(listener.drip)
                self.close_connection = True

            do_GET = do_POST = answer  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            block_on_close = False

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
