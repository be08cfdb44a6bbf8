"""Stores webhook calls: one thread, one transaction for all that came meanwhile, and only then the answer goes out."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

from siaghsync.errors import SiaghsyncError, StateError
from siaghsync.state import webhook_queue as inbox
from siaghsync.state.audit import stamp
from siaghsync.state.database import State
from siaghsync.state.webhook_queue import Call
from siaghsync.sync.runner import require_import
from siaghsync.web.desk import Desk

MOST_STORED = 100_000
"""Records that may wait to be taken up; beyond that the CRM is told to come again later."""
_MOST_AT_ONCE = 500
_MOST_UNDER_WAY = 5_000


_Waiting = tuple[Call, Future[None]]


class Full(Exception):
    """So much waits already that nothing more is taken."""


class Intake:
    """Takes calls from all connections. Its thread opens the state file when a call comes and closes it when none is left."""

    def __init__(self, desk: Desk, stored: Callable[[], None], most: int = MOST_STORED) -> None:
        self._desk = desk
        self._stored = stored
        self._most = most
        self._ended = False
        self._calls: queue.Queue[_Waiting | None] = queue.Queue(_MOST_UNDER_WAY)
        self._thread = threading.Thread(target=self._work, name="intake", daemon=True)
        self._thread.start()

    async def keep(self, call: Call) -> None:
        """Returns when the call is on disk. Raises Full, or StateError if the state file can't take it."""
        future: Future[None] = Future()
        try:
            self._calls.put_nowait((call, future))
        except queue.Full:
            raise Full from None
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
                with self._desk.state() as state:
                    require_import(state)
                    while batch:
                        self._store(state, batch)
                        self._take(batch)
            except SiaghsyncError as error:
                _settle(batch, error)
            except Exception as error:  # noqa: BLE001 - a bug must not leave callers without an answer
                self._desk.log(f"A webhook could not be stored. This is a bug in siaghsync: {type(error).__name__}.")
                _settle(batch, StateError("The call could not be stored."))

    def _store(self, state: State, batch: list[_Waiting]) -> None:
        """Stores a batch together with what has come since, answers, and leaves it empty."""
        self._take(batch)
        kept = inbox.keep(state, [call for call, _ in batch], stamp(self._desk.now()), self._most)
        _settle(batch, None if kept else Full())
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


def _settle(batch: list[_Waiting], error: Exception | None) -> None:
    """Answers each call of a batch; whoever has hung up meanwhile is not told."""
    for _, future in batch:
        if not future.set_running_or_notify_cancel():
            continue
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)
