"""What the web side is given: the settings, the state file, and what it may set in motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from siaghsync.dashboard_users import Access
from siaghsync.features.check_apis.rules import ApiReport
from siaghsync.features.invoice_report.month_end import MonthEnd
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.settings import Settings
from siaghsync.state import runs
from siaghsync.state.database import State, open_state
from siaghsync.sync.decisions import Decision, Refused
from siaghsync.web.errands import Errands

Choose = Callable[[State], bool | None]
"""Which run is wanted: None for none, False for what webhooks told of, True for the CRM's lists as well."""


class RunControl(Protocol):
    """What can be started, and what is asked about runs. Whoever builds the service provides it."""

    def run(self, choose: Choose) -> bool:
        """One run of the kind that is chosen under the lock. Returns whether records were left over for lack of time.

        Raises LockHeld, and what ended the run.
        """

    def run_now(self, who: str, began: Callable[[], object]) -> None:
        """A whole sync that the user `who` wants; `began` is called once it is at work. Raises LockHeld, Paused, StateError, and
        what ended the run."""

    def pause(self, who: str, reason: str) -> None:
        """Lets the runs that nobody watches write nothing for a day, or until `resume`. Raises StateError."""

    def resume(self, who: str) -> None:
        """Ends the pause. Raises StateError."""

    def check_apis(self) -> ApiReport:
        """What `check-apis` finds."""

    def is_overdue(self, state: State) -> bool:
        """Whether no ordinary sync has gone well for too long."""

    def is_running(self) -> bool:
        """Whether a run holds the lock."""

    def decide(self, review_id: int, decision: Decision, who: str) -> bool:
        """Carries out a decision of the dashboard's user `who`; False: the next run does. Raises SiaghsyncError."""

    def decide_many(self, ids: list[int], decision: Decision, who: str) -> tuple[bool, Refused]:
        """As `decide`, about several reviews in one go, and what was refused; the rest is carried out all the same."""

    def reopen(self, review_id: int, who: str) -> None:
        """Takes a decision back in the name of `who`. Raises SiaghsyncError."""

    def read_year(self, year: int) -> MonthEnd:
        """What became of each document of a Jalali year, read from the CRM. Raises SiaghsyncError."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """Handed to every page. `access` knows who may come in, `root_path` is the path that a reverse proxy serves the site under,
    "" for none; `log` writes a line for the administrator, `errands` does what nobody waits for."""

    settings: Settings
    control: RunControl
    access: Access
    root_path: str
    log: Callable[[str], None]
    errands: Errands

    @contextmanager
    def state(self) -> Iterator[State]:
        """The state file, open for this block. Raises StateError if it can't be used."""
        state = open_state(self.settings.siaghsync_state)
        try:
            yield state
        finally:
            state.close()

    def is_running(self, state: State) -> bool:
        """Whether a run is at work.

        The lock is only touched if the last run looks unfinished, so that this question never stands in the way of a run
        that wants to begin.
        """
        last = runs.last(state)
        return last is not None and last.finished_at is None and self.control.is_running()

    def tell(self, message: Message) -> None:
        """Writes a message into the log."""
        self.log(render(message))


def bug(error: Exception) -> Message:
    """What is told of an exception that nobody expected: its type only, since its text may hold anything."""
    return msg("error.bug", type=type(error).__name__)
