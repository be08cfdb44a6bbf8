"""Turns stored webhooks into runs: waits for its turn, gathers a burst, and rests after a failure."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from siaghsync.errors import LockHeld, LoginRefused, SiaghsyncError
from siaghsync.state import webhook_queue as inbox
from siaghsync.state.database import State
from siaghsync.web.desk import Desk

_BURST_SECONDS = 0.2
"""So long a burst may gather before a run begins."""
_TURN_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
MOST_SINGLE_LOOKS = 50
"""For more records than this it is cheaper to read the CRM's lists, a page of 200 at a time."""


Choose = Callable[[State], bool | None]
"""Which run is wanted: None for none, False for what webhooks told of, True for the CRM's lists as well."""


class Worker:
    """A thread that runs `sync` over what webhooks told of, with the same engine and under the same lock as cron.

    `run(choose)` takes the lock, lets `choose` look at the state, and does the run that it wants; it raises
    SiaghsyncError. `stop` ends the thread after the run at hand. `is_overdue` says that no ordinary sync has come for too
    long: then the worker does one, since under a steady stream of webhooks cron might never get the lock.
    """

    def __init__(
        self, desk: Desk, run: Callable[[Choose], None], is_overdue: Callable[[State], bool], stop: threading.Event
    ) -> None:
        self._desk = desk
        self._run = run
        self._is_overdue = is_overdue
        self._stop = stop
        self._something = threading.Event()
        self._pause = 0.0
        self._look_back = True
        self._thread = threading.Thread(target=self._work, name="worker", daemon=True)

    def start(self) -> None:
        """Begins, with whatever an earlier process left behind."""
        self._something.set()
        self._thread.start()

    def wake(self) -> None:
        """There is something to do."""
        self._something.set()

    def join(self) -> None:
        """Waits for the run at hand; `stop` must be set."""
        self._something.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._something.wait()
            self._something.clear()
            if self._stop.wait(_BURST_SECONDS):
                return
            try:
                self._take_turn()
                self._pause, self._look_back = 0.0, False
            except SiaghsyncError as error:
                self._rest(error.message, refused=isinstance(error, LoginRefused))
            except Exception as error:  # noqa: BLE001 - a bug must not end the worker for good
                self._rest(f"This is a bug in siaghsync: {type(error).__name__}.", refused=False)

    def _take_turn(self) -> None:
        """One run, as soon as the lock is free, unless there is nothing to do by then."""
        while not self._stop.is_set() and self._desk.state_path.exists():
            try:
                self._run(self._choose)
            except LockHeld:
                time.sleep(_TURN_SECONDS)
            else:
                return

    def _choose(self, state: State) -> bool | None:
        count = inbox.count(state) + (inbox.left_behind(state) if self._look_back else 0)
        return count > MOST_SINGLE_LOOKS or self._is_overdue(state) if count else None

    def _rest(self, message: str, *, refused: bool) -> None:
        """After a failure the next try comes later and later; after a refused login not before cron would try."""
        longest = max(_LONGEST_PAUSE, self._desk.poll_interval)
        self._pause = longest if refused else min(max(self._pause * 2, _FIRST_PAUSE), longest)
        self._look_back = True
        self._desk.log(f"A run for webhooks failed and is tried again in {self._pause:g} s: {message}")
        self._stop.wait(self._pause)
        self._something.set()
