"""Turns stored webhooks into runs: waits for its turn, gathers a burst, and rests after a failure."""

from __future__ import annotations

import threading
import time

from siaghsync.errors import LockHeld, LoginRefused, SiaghsyncError
from siaghsync.messages.message import Message, msg
from siaghsync.state import webhook_queue
from siaghsync.state.database import State
from siaghsync.web.dependencies import Dependencies, bug

_BURST_SECONDS = 0.2
"""How long a burst may gather before a run begins."""
_TURN_SECONDS = 0.1
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
_MOST_SINGLE_LOOKS = 50
"""For more records than this it is cheaper to read the CRM's lists, a page of 200 at a time."""


class Worker:
    """A thread that runs `sync` over what webhooks told of, under the same lock as cron.

    `stop` ends the thread after the run in progress. When no ordinary sync has come for too long, the worker does one, since
    under a steady stream of webhooks cron might never get the lock.
    """

    def __init__(self, dependencies: Dependencies, stop: threading.Event) -> None:
        self._dependencies = dependencies
        self._control = dependencies.control
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
        """Waits for the run in progress; `stop` must be set."""
        self._something.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._something.wait()
            self._something.clear()
            if self._stop.wait(_BURST_SECONDS):
                return
            try:
                self._look_back = self._take_turn()
                self._pause = 0.0
                if self._look_back:
                    self._something.set()
            except SiaghsyncError as error:
                self._rest(error.message, was_refused=isinstance(error, LoginRefused))
            except Exception as error:  # noqa: BLE001 - a bug must not end the worker for good
                self._rest(bug(error), was_refused=False)

    def _take_turn(self) -> bool:
        """One run, as soon as the lock is free, unless there is nothing to do by then. Returns whether it left records over."""
        while not self._stop.is_set() and self._dependencies.settings.siaghsync_state.exists():
            try:
                return self._control.run(self._choose)
            except LockHeld:
                time.sleep(_TURN_SECONDS)
        return False

    def _choose(self, state: State) -> bool | None:
        waiting = webhook_queue.count(state)
        if waiting > webhook_queue.MOST_AT_ONCE:
            self._something.set()  # this run leaves some over
        count = waiting + (webhook_queue.left_behind(state) if self._look_back else 0)
        return count > _MOST_SINGLE_LOOKS or self._control.is_overdue(state) if count else None

    def _rest(self, why: Message, *, was_refused: bool) -> None:
        """After a failure the next try comes later and later; after a refused login not before cron would try."""
        longest = max(_LONGEST_PAUSE, self._dependencies.settings.poll_interval_seconds)
        self._pause = longest if was_refused else min(max(self._pause * 2, _FIRST_PAUSE), longest)
        self._look_back = True
        self._dependencies.tell(msg("web.run_failed", seconds=f"{self._pause:g}", why=why))
        self._stop.wait(self._pause)
        self._something.set()
