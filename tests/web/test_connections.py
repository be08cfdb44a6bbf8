"""Connections that never ask, ask for ever, or take no answer: they end, and keep nobody out meanwhile."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import uvicorn

from siaghsync.web import connections
from tests.patience import PATIENCE, wait_for
from tests.web.serving import PASSWORD, ready, serving
from tests.world import World

HALF_A_HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\nX-Never-"
HALF_A_BODY = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 9\r\n\r\nuser="
)
WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SMALL, LARGE = 2, 64 * 1024**2


@pytest.mark.parametrize("begun", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "half a head", "half a body"])
def test_a_flood_of_half_requests_keeps_nobody_out(world: World, begun: bytes) -> None:
    with serving(ready(world)) as served, ExitStack() as flood:
        for _ in range(1100):
            half = flood.enter_context(socket.create_connection(("127.0.0.1", _port(served.url))))
            half.sendall(begun)
        assert served.get("/login").status_code == 200
        assert served.log_in(password=PASSWORD).status_code == 303


def test_whoever_hangs_up_in_the_middle_of_a_request_is_no_bug(world: World) -> None:
    with serving(ready(world)) as served:  # which looks for the word in the log
        for begun in (HALF_A_HEAD, HALF_A_BODY, b"\0\0\0\r\n\r\n"):
            with socket.create_connection(("127.0.0.1", _port(served.url))) as half:
                half.sendall(begun)
        assert served.get("/login").status_code == 200


@pytest.fixture
def quick_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that gives little time. It answers with SMALL bytes, at /large with LARGE."""
    monkeypatch.setattr(connections, "_SECONDS", 0.2)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        size = LARGE if scope["path"] == "/large" else SMALL
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % size)]})
        await send({"type": "http.response.body", "body": bytes(size)})

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(
            uvicorn.Config(
                app, http=connections.TimedProtocol, lifespan="off", log_config=None, timeout_keep_alive=PATIENCE
            )
        )
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        wait_for(lambda: server.started)
        yield listener.getsockname()[1]
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("begun", [b"", HALF_A_HEAD, HALF_A_BODY], ids=["nothing", "half a head", "half a body"])
def test_a_request_that_does_not_come_to_its_end_is_given_up(quick_server: int, begun: bytes) -> None:
    with socket.create_connection(("127.0.0.1", quick_server), timeout=PATIENCE) as half:
        half.sendall(begun)
        assert _ends(half)


def test_an_answer_that_nobody_takes_is_given_up(quick_server: int) -> None:
    # A server that finds no time notices late that its own time is up; how late can't be seen from here.
    assert any(_taken_after(seconds, quick_server) < LARGE - 1 for seconds in (1, 5, 25))


def test_a_second_half_request_on_a_kept_connection_is_given_up_too(quick_server: int) -> None:
    with socket.create_connection(("127.0.0.1", quick_server), timeout=PATIENCE) as half:
        half.sendall(WHOLE)
        assert half.recv(1)
        half.sendall(HALF_A_HEAD)
        assert _ends(half)


def _taken_after(seconds: float, port: int) -> int:
    """How many bytes of a large answer still come to somebody who takes none of it for so long."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as lazy:
        lazy.sendall(WHOLE.replace(b"/ ", b"/large ", 1))
        lazy.recv(1)
        threading.Event().wait(seconds)
        return _read_to_the_end(lazy)


def _ends(connection: socket.socket) -> bool:
    """Whether the other side hangs up before the time of the test is over."""
    try:
        _read_to_the_end(connection)
    except TimeoutError:
        return False
    return True


def _read_to_the_end(connection: socket.socket) -> int:
    """How many bytes still come before the other side hangs up: by closing, or by a reset if something was left unread."""
    count = 0
    while True:
        try:
            piece = connection.recv(1024**2)
        except ConnectionResetError:
            return count
        if not piece:
            return count
        count += len(piece)


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])
