"""Tells others about a run: a cron monitor, an alert address, a metrics file. None of them can make the run fail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from siaghsync.connectors.http.notify_post import NotifyPost
from siaghsync.connectors.http.notify_services import NotifyServices
from siaghsync.errors import LockHeld, SiaghsyncError
from siaghsync.features.notifications.render import alert_document, news_letter, outcomes, ping_text
from siaghsync.files import write_text_atomic
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.settings import Settings
from siaghsync.state import alerts
from siaghsync.state.database import State
from siaghsync.state.maintenance import runs_ever
from siaghsync.state.status import overview
from siaghsync.sync.context import RunContext, RunReport
from siaghsync.sync.runner import Result

_Sent = NotifyPost | NotifyServices
_IN_ORDER_SECONDS = 1.0
"""How long the end of a run waits for the answer to its start, so that a monitor hears of both in this order."""
_MOST_BYTES = 10_000
_METRICS_MODE = 0o644


@contextmanager
def run_notifier(
    settings: Settings,
    command: str,
    now: Callable[[], datetime],
    say: Callable[[str], None],
    *,
    dry_run: bool,
    quiet: bool,
    by_cron: bool = True,
) -> Iterator[RunNotifier]:
    """A notifier for one run; nobody is told of a dry run. Each notification that failed is told to `say` at the end.

    The cron monitor hears only of runs `by_cron`: others would hide from it that cron has stopped. A run that fails before
    its state file is open is told here, but not one that another run keeps from working.
    """
    notifier = RunNotifier(settings, command, now, wanted=not dry_run, by_cron=by_cron)
    try:
        yield notifier
    except LockHeld:
        raise
    except BaseException as error:
        if not notifier.is_over:
            notifier.conclude(None, error)
        raise
    finally:
        if notifier.exit_code or not quiet:
            for trouble in notifier.troubles.values():
                say(render(trouble))


class RunNotifier:
    """What is told about one run. `context` and `report` are set as soon as there are such."""

    def __init__(
        self, settings: Settings, command: str, now: Callable[[], datetime], *, wanted: bool, by_cron: bool
    ) -> None:
        self.context: RunContext | None = None
        self.report: RunReport | None = None
        self.exit_code = 0
        self.is_over = False
        self.troubles: dict[str, Message] = {}
        """Why notifications failed: name of the setting -> the last reason."""
        self._command = command
        self._now = now
        self._ping_url = settings.healthcheck_url.get_secret_value() if wanted and by_cron else ""
        self._alert_url = settings.alert_url.get_secret_value()
        self._notify_urls = settings.notify_urls.get_secret_value()
        self._dashboard = settings.dashboard_url
        channels = {"ALERT_URL": self._alert_url, "NOTIFY_URLS": self._notify_urls}
        self._targets = [name for name, is_set in channels.items() if is_set and wanted]
        self._metrics_file = settings.metrics_file if wanted else None
        self._result: Result | None = None
        self._start: NotifyPost | None = None

    @contextmanager
    def over(self, state: State) -> Iterator[None]:
        """Tells that the run begins, and when the block ends, how it ended."""
        if self._ping_url:
            self._start = NotifyPost("HEALTHCHECK_URL", f"{self._ping_url}/start")
        try:
            yield
        except BaseException as error:
            self.conclude(state, error)
            raise
        self.conclude(state, self._result.error if self._result else None)

    def ended(self, result: Result, exit_code: int) -> int:
        """Takes note of how the run ended, and returns its exit code."""
        self._result, self.report, self.exit_code = result, result.report, exit_code
        return exit_code

    def conclude(self, state: State | None, error: BaseException | None) -> None:
        """Tells everybody how the run ended. `error` is what ended it early."""
        self.is_over = True
        if error and not self.exit_code:
            self.exit_code = error.exit_code if isinstance(error, SiaghsyncError) else 70
        told: list[tuple[str, alerts.News, _Sent | None]] = []
        for target in self._targets if state else ():
            assert state
            with self._harmless(target):
                found = alerts.news(state, target, error, self.report.reached if self.report else ())
                told.append((target, found, self._sent(target, found) if found.items else None))
        if state and self._metrics_file and self.context:
            with self._harmless("METRICS_FILE"):
                self._write_metrics(self._metrics_file, state, self.context)
        sent: list[_Sent | None] = [self._start, self._ping(error), *(notification for _, _, notification in told)]
        for each in sent:
            if each and (trouble := each.trouble()):
                self.troubles[each.target] = trouble
        for target, found, notification in told:
            assert state
            with self._harmless(target):
                failed = notification is not None and notification.trouble() is not None
                alerts.remember(state, target, found.before if failed else found.after)

    @contextmanager
    def _harmless(self, target: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the run is over, and what it did counts
            bug = msg("alert.bug", kind=type(error).__name__)
            problem = error.message if isinstance(error, SiaghsyncError) else bug
            self.troubles[target] = msg("alert.trouble", target=target, problem=problem)

    def _ping(self, error: BaseException | None) -> NotifyPost | None:
        if not self._ping_url:
            return None
        if self._start:
            self._start.wait(_IN_ORDER_SECONDS)
        if not self.exit_code:
            return NotifyPost("HEALTHCHECK_URL", self._ping_url)
        text = ping_text(self._command, self.exit_code, error, self.report)
        return NotifyPost("HEALTHCHECK_URL", f"{self._ping_url}/fail", text.encode()[:_MOST_BYTES])

    def _sent(self, target: str, found: alerts.News) -> _Sent:
        if target == "NOTIFY_URLS":
            return NotifyServices(target, self._notify_urls, *news_letter(found, self._command, self._dashboard))
        run = self._result.run if self._result else {"id": self.context.run.id} if self.context else None
        document = alert_document(found, self._command, run, self._dashboard)
        body = json.dumps(document, ensure_ascii=False).encode()
        return NotifyPost(target, self._alert_url, body, "application/json")

    def _write_metrics(self, path: Path, state: State, context: RunContext) -> None:
        # The library takes 0.16 s to import, which runs without METRICS_FILE don't have to pay.
        from siaghsync.features.notifications.metrics import Figures, metrics_text

        status = overview(state, self._now(), is_running=False, max_age=None, poll_interval=1).figures
        success = status["last_success_at"]
        counts = self.report.counts if self.report else {}
        figures = Figures(
            runs=runs_ever(state),
            command=self._command,
            seconds=(self._now() - context.run.started).total_seconds(),
            records={entity: outcomes(each) for entity, each in counts.items()},
            waiting=status["pending"],
            review=status["review"],
            last_success=datetime.fromisoformat(success).timestamp() if success else None,
            requests={system: session.sent for system, session in context.sessions.items()},
            retries={system: session.retried for system, session in context.sessions.items()},
        )
        write_text_atomic(path, metrics_text(figures), _METRICS_MODE)
