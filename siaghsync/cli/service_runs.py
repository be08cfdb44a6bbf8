"""The runs and decisions that `serve` starts: the same as those of `sync` and `review resolve`, under the same lock."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from siaghsync import clock
from siaghsync.cli.build import document_rules, run_context
from siaghsync.cli.check_apis import look
from siaghsync.cli.environment import is_running
from siaghsync.cli.report import year_report
from siaghsync.cli.review import decide, take_back
from siaghsync.errors import Paused
from siaghsync.features.check_apis.rules import ApiReport
from siaghsync.features.invoice_report.month_end import MonthEnd
from siaghsync.features.notifications.notify import run_notifier
from siaghsync.messages.catalog import title
from siaghsync.messages.message import msg
from siaghsync.report.streams import say, say_message
from siaghsync.settings import Settings
from siaghsync.state import pauses, webhook_queue
from siaghsync.state.access import locked_state
from siaghsync.state.audit import note_order, stamp
from siaghsync.state.database import State, open_state
from siaghsync.state.mappings import Mappings
from siaghsync.state.meta import SERVICE
from siaghsync.state.status import overview
from siaghsync.sync.context import RunReport, SyncOptions
from siaghsync.sync.decisions import Decision, Refused
from siaghsync.sync.runner import require_import, run_sync

_OVERDUE = 2
"""An ordinary sync is overdue after so many times POLL_INTERVAL_SECONDS."""
_WORTH_A_LOOK, _MOST_IN_LISTS = 25, 20_000
"""A page of 200 customers costs as much as one look, of which eight go at once. The lists of more customers are not read just for
webhooks: that would keep cron's run out for too long."""
_LOOKS_SECONDS = 20
"""So long a run looks at what was told of; with what is to be written then, it makes way for cron's run within a minute."""
Choose = Callable[[State], bool | None]
"""Which run is wanted: None for none, False for what webhooks told of, True for the CRM's lists as well."""


@dataclass(frozen=True, slots=True)
class ServiceRuns:
    """What the web service can start. `stop` is set when a signal asks for the end."""

    settings: Settings
    stop: threading.Event

    def run(self, choose: Choose) -> bool:
        """One run of the kind that is chosen under the lock, and none during a pause. Returns whether records were left over for
        lack of time. Raises LockHeld and what ended the run."""
        with locked_state(self.settings.siaghsync_state) as state:
            everything = None if pauses.current(state, clock.now()) else choose(state)
            if everything is not None:
                require_import(state)
                state.set_meta(SERVICE, str(os.getpid()))
                return self._sync(state, everything=everything)
        return False

    def run_now(self, who: str, began: Callable[[], object]) -> None:
        """A whole sync because the dashboard's user `who` wants it; `began` is called once it is at work. Raises LockHeld,
        Paused, StateError, and what ended the run."""
        with locked_state(self.settings.siaghsync_state) as state:
            require_import(state)
            if pause := pauses.current(state, clock.now()):
                raise pause.error
            state.set_meta(SERVICE, None)
            self._sync(state, everything=True, who=_named(who), began=began)

    def _sync(
        self, state: State, *, everything: bool, who: str | None = None, began: Callable[[], object] = lambda: None
    ) -> bool:
        """One run. It sends alerts like cron's runs, but no healthcheck ping, since that watches over cron."""
        settings, command = self.settings, "sync" if everything else "webhook"
        options = SyncOptions(
            only_waiting=not everything,
            all_customers=everything and who is None and _many_were_told_of(state),
            until=None if who else clock.monotonic() + _LOOKS_SECONDS,
            sources=settings.document_sources,
            switched_off=settings.switched_off,
            verify_parts=settings.verify_per_run if everything else 0,
        )
        with (
            run_notifier(settings, command, clock.now, say, dry_run=False, quiet=False, by_cron=False) as notifier,
            notifier.over(state),
            run_context(settings, state, command, self.stop, who=who) as context,
        ):
            notifier.context, notifier.report = context, RunReport(context.staging)
            if who:
                note_order(state, context.run.id, context.run.at(), who, "started")
            began()
            result = run_sync(context, notifier.report, options, document_rules(settings, state))
            notifier.ended(result, result.exit_code)
        outcome = title(f"outcome.{result.run['outcome']}")
        say_message(msg("cli.run_ended", id=result.run["id"], command=command, outcome=outcome))
        if result.error and not isinstance(result.error, Paused):
            raise result.error
        return notifier.report.left_over

    def pause(self, who: str, reason: str) -> None:
        """Lets the runs that nobody watches write nothing for a day, or until `resume`. Raises StateError."""
        with closing(open_state(self.settings.siaghsync_state)) as state:
            pauses.begin(state, clock.now(), _named(who), reason)

    def resume(self, who: str) -> None:
        """Ends the pause. Raises StateError."""
        with closing(open_state(self.settings.siaghsync_state)) as state:
            pauses.end(state, clock.now(), _named(who))

    def check_apis(self) -> ApiReport:
        """What `check-apis` finds."""
        return look(self.settings, self.stop, deep=False)

    def is_overdue(self, state: State) -> bool:
        """Whether no ordinary sync has gone well for too long."""
        found = overview(state, clock.now(), is_running=False, max_age=None, poll_interval=1)
        last = found.figures["last_success_at"]
        age = (clock.now() - datetime.fromisoformat(last)).total_seconds() if last else None
        return age is None or age > _OVERDUE * self.settings.poll_interval_seconds

    def is_running(self) -> bool:
        """Whether a run holds the lock."""
        return is_running(self.settings.siaghsync_state)

    def decide(self, review_id: int, decision: Decision, who: str) -> bool:
        """Carries out a decision of a dashboard user. Returns whether it did; else the next run does. Raises SiaghsyncError."""
        return decide(self.settings, [review_id], decision, self.stop, _named(who))

    def decide_many(self, ids: list[int], decision: Decision, who: str) -> tuple[bool, Refused]:
        """As `decide`, about several reviews in one go, and what was refused; the rest is carried out all the same."""
        refused: Refused = {}
        return decide(self.settings, ids, decision, self.stop, _named(who), refused), refused

    def reopen(self, review_id: int, who: str) -> None:
        """Takes a decision back. Raises SiaghsyncError."""
        take_back(self.settings, review_id, _named(who))

    def read_year(self, year: int) -> MonthEnd:
        """What became of each document of a Jalali year, read from the CRM. Raises SiaghsyncError."""
        with year_report(self.settings, year, self.stop) as report:
            return MonthEnd.of(report, stamp(clock.now()))


def _many_were_told_of(state: State) -> bool:
    """Whether it is cheaper to read all customers, a page at a time, than so many one by one."""
    linked = Mappings(state).count()
    return linked <= _MOST_IN_LISTS and webhook_queue.customers(state) > linked / _WORTH_A_LOOK


def _named(who: str) -> str:
    return f"{who} (dashboard)"
