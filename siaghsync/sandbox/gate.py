"""The door of each system: one ASGI application that reads a request, lets a fault act, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from siaghsync.sandbox.acts import ACTS, Exchange
from siaghsync.sandbox.call import Call, Endpoint, Handler, Header, Refusal, Reply
from siaghsync.sandbox.faults import Faults
from siaghsync.sandbox.hooks import Entry, Events, Journal, System
from siaghsync.sandbox.wire import Json, parse, recase

Routes = Mapping[tuple[str, str], Endpoint]
"""Endpoints by (method, path)."""


class Connection(H11Protocol):
    """uvicorn's HTTP/1.1 connection; `scope["state"]["transport"]` is its transport."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Called by the loop for each new connection."""
        self.app_state = {**self.app_state, "transport": transport}
        super().connection_made(transport)


@dataclass(frozen=True)
class Hub:
    """What both doors share."""

    faults: Faults = field(default_factory=Faults)
    journal: Journal = field(default_factory=Journal)
    events: Events = field(default_factory=Events)


@dataclass(frozen=True)
class Gate:
    """One system's ASGI application. Paths below /_sandbox/ go to `control`."""

    system: System
    routes: Routes
    error: Callable[[int, str], Reply]
    """This system's error answer, by status and message."""
    nowhere: Callable[[], Reply]
    """The answer of an address that doesn't exist."""
    latency: Callable[[], float]
    rename: Callable[[], Callable[[str], str] | None]
    """How property names of answers are changed now, if at all."""
    expire: Callable[[], None]
    date: Callable[[], datetime | None]
    """What the header `Date` says now; None: there is none."""
    hub: Hub
    control: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["path"].startswith("/_sandbox/"):
            await self.control(scope, receive, send)
            return
        raw = await _body(receive)
        if raw is None:
            return
        endpoint = self.routes.get((scope["method"], scope["path"]))
        handler = endpoint.handler if endpoint else self._nowhere(scope["path"])
        body: Json = None
        if endpoint and scope["method"] == "POST":
            try:
                body = parse(raw)
            except ValueError:
                body, handler = raw.decode("utf-8", "replace"), self._always(400, "not JSON")
            if not _header(scope, b"content-type").startswith("application/json"):
                handler = self._always(415, "the body must be application/json")
        name = endpoint.named(body) if endpoint else "unknown"
        self.hub.journal.enter(Entry(self.system, scope["method"], scope["path"], body, name))
        try:
            call = Call(scope["method"], name, _header(scope, b"authorization"), body, self._firing(name))
            await self._serve(call, handler, (scope, receive, send))
        finally:
            self.hub.journal.leave(self.system)

    async def _serve(self, call: Call, handler: Handler, asgi: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = asgi
        call.fire("received")
        fault = self.hub.faults.take(self.system, call.endpoint, call.body)
        if delay := self.latency():
            await asyncio.sleep(delay)
        exchange = Exchange(
            transport=scope["state"]["transport"],
            receive=receive,
            send=send,
            run=lambda: self._answer(call, handler),
            error=lambda status: self.error(status, f"HTTP {status}"),
            expire=self.expire,
            date=self._dated,
        )
        if await (ACTS[fault.kind](fault, exchange) if fault else exchange.answer(exchange.run())):
            call.fire("answered")

    def _answer(self, call: Call, handler: Handler) -> Reply:
        try:
            answer = handler(call)
        except Refusal as refusal:
            answer = refusal.answer
        rename = self.rename()
        return replace(answer, body=recase(answer.whole(), rename)) if rename else answer

    def _dated(self) -> tuple[Header, ...]:
        now = self.date()
        return ((b"date", format_datetime(now.astimezone(UTC), usegmt=True).encode()),) if now else ()

    def _always(self, status: int, message: str) -> Handler:
        return lambda _: self.error(status, message)

    def _nowhere(self, path: str) -> Handler:
        known = any(its_path == path for _, its_path in self.routes)
        return self._always(405, "method not allowed") if known else lambda _: self.nowhere()

    def places(self) -> set[str]:
        """All endpoints with their parts, as faults name them (`crm:person/find`)."""
        names = {name for e in self.routes.values() for name in (e.name, *(f"{e.name}/{part}" for part in e.parts))}
        return {f"{self.system}:{name}" for name in names}

    def _firing(self, name: str) -> Callable[..., None]:
        return lambda stage: self.hub.events.fire(self.system, name, stage)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; None if the client went away before its end."""
    pieces = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(pieces)


def _header(scope: Scope, name: bytes) -> str:
    for its_name, value in scope["headers"]:
        if its_name == name:
            return str(value.decode("latin-1"))
    return ""
