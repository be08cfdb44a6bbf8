"""Starts and stops the stand-in of both systems: two ports of 127.0.0.1, one thread, one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sys
import threading
from collections.abc import Callable
from types import TracebackType

import uvicorn

from siaghsync.sandbox import crm, finance
from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.control import control
from siaghsync.sandbox.faults import Faults
from siaghsync.sandbox.gate import Connection, Gate, Hub
from siaghsync.sandbox.hooks import Callback, Journal
from siaghsync.sandbox.people import fill
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.wire import camel, pascal

HOST = "127.0.0.1"


class Sandbox:
    """A running stand-in of both systems; a context manager. Ready when the constructor returns.

    `customers` realistic contacts (besides a few users and inactive ones) are in the finance system; the first
    `also_in_crm` of them are in the CRM too, under their finance code. Port 0 takes a free one. Raises OSError if
    a port is taken.
    """

    def __init__(
        self, customers: int = 0, seed: int = 1, crm_port: int = 0, finance_port: int = 0, also_in_crm: int = 0
    ) -> None:
        self.crm = CrmWorld()
        self.finance = FinanceWorld()
        self.hub = Hub()
        if customers:
            fill(self.finance, self.crm, customers, seed, also_in_crm)
        sockets = _listen(crm_port, finance_port)
        self.crm_url, self.finance_url = (f"http://{HOST}:{sock.getsockname()[1]}" for sock in sockets)
        self._loop = asyncio.new_event_loop()
        self._main: asyncio.Task[None] | None = None
        self._started = threading.Event()
        apps = self._gates()
        self._thread = threading.Thread(target=self._run, args=(apps, sockets), name="sandbox", daemon=True)
        self._thread.start()
        self._started.wait()

    @property
    def faults(self) -> Faults:
        """The faults of both systems."""
        return self.hub.faults

    @property
    def journal(self) -> Journal:
        """The requests to both systems."""
        return self.hub.journal

    def on_event(self, callback: Callback) -> Callable[[], None]:
        """Calls `callback(system, endpoint, stage)` in the server at each stage of each request (`hooks.Events`).

        Returns a function that takes the callback off again.
        """
        return self.hub.events.on_event(callback)

    def settings(self) -> dict[str, str]:
        """The settings that a client needs, by name."""
        return {
            "CRM_API_BASE_URL": self.crm_url,
            "CRM_USERNAME": self.crm.account.username,
            "CRM_PASSWORD": self.crm.account.password,
            "FINANCE_API_BASE_URL": self.finance_url,
            "FINANCE_USERNAME": self.finance.user.name,
            "FINANCE_PASSWORD": self.finance.user.hash,
        }

    def secrets(self) -> set[str]:
        """Every password, hash, token and session id so far: none may show up anywhere."""
        return self.crm.secrets() | self.finance.secrets()

    def close(self) -> None:
        """Stops both servers and resets what is still connected; harmless if called twice."""
        self.crm.webhooks.close()
        if self._thread.is_alive() and self._main is not None:
            with contextlib.suppress(RuntimeError):  # the loop may end by itself between the two
                self._loop.call_soon_threadsafe(self._main.cancel)
            self._thread.join()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _gates(self) -> list[Gate]:
        crm_app, finance_app = crm.CrmApp(self.crm), finance.FinanceApp(self.finance)
        door = control(self.crm, self.finance, self.hub)
        gates = [
            Gate(
                system="crm",
                routes=crm_app.routes(),
                error=crm.error,
                nowhere=crm_app.nowhere,
                latency=lambda: self.crm.latency,
                rename=lambda: pascal if self.crm.pascal_case else None,
                expire=self.crm.expire_tokens,
                date=lambda: self.crm.now() if self.crm.date_header else None,
                hub=self.hub,
                control=door,
            ),
            Gate(
                system="finance",
                routes=finance_app.routes(),
                error=finance.error,
                nowhere=lambda: finance.error(404, "no such address"),
                latency=lambda: self.finance.latency,
                rename=lambda: camel if self.finance.camel_case else None,
                expire=self.finance.expire_sessions,
                date=lambda: self.finance.now() if self.finance.date_header else None,
                hub=self.hub,
                control=door,
            ),
        ]
        self.faults.places = {place for gate in gates for place in gate.places()}
        return gates

    def _run(self, apps: list[Gate], sockets: list[socket.socket]) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._serve(apps, sockets))
        try:
            with contextlib.suppress(asyncio.CancelledError):  # how `close` ends it
                self._loop.run_until_complete(self._main)
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self, apps: list[Gate], sockets: list[socket.socket]) -> None:
        servers = [uvicorn.Server(_config(app)) for app in apps]
        running = [
            asyncio.create_task(server.serve(sockets=[sock])) for server, sock in zip(servers, sockets, strict=True)
        ]
        try:
            while not all(server.started for server in servers):
                await asyncio.sleep(0.001)
            self._started.set()
            await asyncio.gather(*running)
        finally:
            await _stop(servers, running)


def _config(app: Gate) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        date_header=False,
        server_header=False,
        timeout_keep_alive=75,
    )


async def _stop(servers: list[uvicorn.Server], running: list[asyncio.Task[None]]) -> None:
    """Ends everything now: uvicorn's own way would wait for answers that a fault holds back on purpose."""
    for server in servers:
        for listener in server.servers:
            listener.close()
        for connection in list(server.server_state.connections):
            if connection.transport is not None:
                connection.transport.abort()
    tasks = [*running, *(task for server in servers for task in server.server_state.tasks)]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _listen(*ports: int) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    try:
        for port in ports:
            # Named as TCP, or asyncio leaves Nagle's algorithm on: 40 ms an answer.
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
            sockets.append(sock)
            if sys.platform != "win32":  # there it would let two programs listen on one port
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((HOST, port))
    except OSError:
        for sock in sockets:
            sock.close()
        raise
    return sockets


def serve_forever(
    say: Callable[[str], None], customers: int = 0, crm_port: int = 0, finance_port: int = 0, seed: int = 1
) -> None:
    """Runs a sandbox until KeyboardInterrupt or another exception in this thread, which is passed on.

    `say` is given one `NAME=value` line for each setting that a client needs.
    """
    with Sandbox(customers, seed, crm_port, finance_port) as sandbox:
        for name, value in sandbox.settings().items():
            say(f"{name}={value}")
        threading.Event().wait()
