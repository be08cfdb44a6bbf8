"""Receives the CRM's calls (contract payamgostar §5): checks, stores durably, and only then says 200.

A call carries no data and no signature. All that protects it is a secret in the address, compared in constant time and
never logged; all that it can cause is that one record is read again.
"""

from __future__ import annotations

import asyncio
import hmac
import queue
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siaghsync import clock
from siaghsync.domain.customer import Kind
from siaghsync.domain.normalize import fold
from siaghsync.errors import SiaghsyncError, StateError, UsageError
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.state import webhook_queue
from siaghsync.state.audit import stamp
from siaghsync.state.database import State
from siaghsync.state.webhook_queue import Call
from siaghsync.sync.runner import require_import
from siaghsync.web.dependencies import Dependencies, bug
from siaghsync.web.middleware import read_form

# --- the queue in front of the state file ------------------------------------------------------------------

_MOST_STORED = 100_000
"""Records that may wait to be taken up; beyond that the CRM is told to come again later."""
_MOST_AT_ONCE = 500
_MOST_IN_MEMORY = 5_000

_Waiting = tuple[Call, Future[None]]


class QueueFull(Exception):
    """So much waits already that nothing more is taken."""


class Intake:
    """Stores calls from all connections: one thread, one transaction for all that came meanwhile.

    Its thread opens the state file when a call comes and closes it when none is left. `stored` is called after each batch.
    """

    def __init__(self, dependencies: Dependencies, stored: Callable[[], None]) -> None:
        self._dependencies = dependencies
        self._stored = stored
        self._ended = False
        self._calls: queue.Queue[_Waiting | None] = queue.Queue(_MOST_IN_MEMORY)
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()

    async def keep(self, call: Call) -> None:
        """Returns when the call is on disk. Raises QueueFull, or StateError if the state file can't take it."""
        future: Future[None] = Future()
        try:
            self._calls.put_nowait((call, future))
        except queue.Full:
            raise QueueFull from None
        await asyncio.wrap_future(future)

    def close(self) -> None:
        """Stores what has come, and ends the thread."""
        self._calls.put(None)
        self._thread.join()

    def _work(self) -> None:
        while not self._ended:
            batch: list[_Waiting] = []
            self._take(batch, wait=True)
            try:
                with self._dependencies.state() as state:
                    require_import(state)
                    while batch:
                        self._store(state, batch)
                        self._take(batch)
            except SiaghsyncError as error:
                _answer_all(batch, error)
            except Exception as error:  # noqa: BLE001 - a bug must not leave callers without an answer
                failure = StateError("web.call_not_stored", bug=bug(error))
                self._dependencies.tell(failure.message)
                _answer_all(batch, failure)

    def _store(self, state: State, batch: list[_Waiting]) -> None:
        """Stores a batch together with what has come since, answers, and leaves it empty."""
        self._take(batch)
        kept = webhook_queue.keep(state, [call for call, _ in batch], stamp(clock.now()), _MOST_STORED)
        _answer_all(batch, None if kept else QueueFull())
        batch.clear()
        if kept:
            self._stored()

    def _take(self, batch: list[_Waiting], *, wait: bool = False) -> None:
        """Adds the calls that are there; with `wait` at least one, or the sign that the end is asked for."""
        while not self._ended and len(batch) < _MOST_AT_ONCE:
            try:
                item = self._calls.get(block=wait)
            except queue.Empty:
                return
            wait = False
            if item is None:
                self._ended = True
            else:
                batch.append(item)


def _answer_all(batch: list[_Waiting], error: Exception | None) -> None:
    """Answers each call of a batch; whoever has hung up meanwhile is not told."""
    for _, future in batch:
        if not future.set_running_or_notify_cancel():
            continue
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)


# --- the receiver ------------------------------------------------------------------------------------------

_ITEMS = ("identity", "quote", "invoice")
_EVENTS = {"insert": "insert", "update": "update", "delete": "delete", "2": "insert", "1": "update", "0": "delete"}
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ORGANIZATION = fold("حقوقی")
_RETRY_AFTER = {"Retry-After": "60"}


def call_of(item: str, values: Mapping[str, str]) -> Call:
    """What a call tells of. `item` is the address's own word. Raises UsageError; its message repeats nothing of the call."""
    event = _EVENTS.get(values.get("event", "").strip().lower())
    if event is None:
        raise UsageError("web.hook_bad_event")
    if values.get("type", "").strip().lower() != item:
        raise UsageError("web.hook_bad_type", type=item.capitalize())
    record = values.get("id", "").strip().strip("{}").lower()
    if not _GUID.fullmatch(record):
        raise UsageError("web.hook_bad_id")
    if item == "identity":
        return Call(_kind(values.get("subtype", "")), record, event)
    return Call("quote" if item == "quote" else "invoice", record, event)


def _kind(subtype: str) -> Kind:
    """The kind that a subtype's display name tells of; a name that tells of none is taken for a person's, and the run
    looks among the organizations as well before it takes the record for gone."""
    return "organization" if _ORGANIZATION in fold(subtype) else "person"


class Webhooks:
    """The endpoint of all three item types. Without WEBHOOK_SECRET, or with ENABLE_WEBHOOKS off, there is none."""

    def __init__(self, dependencies: Dependencies, intake: Intake) -> None:
        settings = dependencies.settings
        self._secret = settings.webhook_secret.get_secret_value() if settings.enable_webhooks else ""
        self._sources = settings.document_sources
        self._intake = intake

    async def answer(self, request: Request) -> Response:
        """Answers one call: 200 stored, 4xx not a call of the CRM, 503 come again later."""
        item = request.path_params["item"]
        if not self._secret or item not in _ITEMS:
            return _answer(404, msg("web.hook_not_found"))
        given = request.path_params.get("secret") or request.query_params.get("token") or ""
        if not hmac.compare_digest(given.encode(), self._secret.encode()):
            return _answer(403, msg("web.hook_forbidden"))
        form = await read_form(request) if request.method == "POST" else {}
        try:
            call = call_of(item, {**form, **request.query_params})
        except UsageError as error:
            return _answer(400, error.message)
        if item != "identity" and item not in self._sources:
            return _answer(200, msg("web.hook_ignored"))
        try:
            await self._intake.keep(call)
        except QueueFull:
            return _answer(503, msg("web.hook_full"), _RETRY_AFTER)
        except StateError:
            return _answer(503, msg("web.hook_no_state"), _RETRY_AFTER)
        return _answer(200, msg("web.hook_stored"))


def _answer(status: int, message: Message, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": render(message)}, status, headers)
