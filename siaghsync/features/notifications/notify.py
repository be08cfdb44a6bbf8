"""Tells the world outside about a run: a cron monitor, an alert address, a metrics file. None of them can make it fail."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siaghsync.errors import LockHeld, SiaghsyncError
from siaghsync.state import alerts
from siaghsync.wire.courier import Errand

if TYPE_CHECKING:
    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.sync.context import Engine
    from siaghsync.sync.runner import Result

_IN_ORDER_SECONDS = 1.0
"""How long the end of a run waits for the answer to its start, so that a monitor hears of both in this order."""
_MOST_BYTES = 10_000
_MOST_FAILURES = 20


@contextmanager
def watched(
    settings: Settings,
    command: str,
    now: Callable[[], datetime],
    say: Callable[[str], None],
    *,
    dry_run: bool,
    quiet: bool,
    by_cron: bool = True,
) -> Iterator[Watch]:
    """A watch over one run; a dry run is nobody's business. What can't be told is said in one line each at the end.

    The cron monitor hears only of runs `by_cron`: others would hide from it that cron has stopped.

    A run that fails before its state file is open is told here, but not one that another run keeps from working.
    """
    watch = Watch(settings, command, now, wanted=not dry_run, by_cron=by_cron)
    try:
        yield watch
    except LockHeld:
        raise
    except BaseException as error:
        if not watch.is_over:
            watch.conclude(None, error)
        raise
    finally:
        if watch.exit_code or not quiet:
            for target, trouble in watch.troubles.items():
                say(f"{target}: {trouble}. The run itself is not affected.")


class Watch:
    """What is told about one run. Its `engine` is set as soon as there is one."""

    def __init__(
        self, settings: Settings, command: str, now: Callable[[], datetime], *, wanted: bool, by_cron: bool
    ) -> None:
        self.engine: Engine | None = None
        self.exit_code = 0
        self.is_over = False
        self.troubles: dict[str, str] = {}
        self._command = command
        self._now = now
        self._ping_url = settings.healthcheck_url.get_secret_value() if wanted and by_cron else ""
        self._alert_url = settings.alert_url.get_secret_value() if wanted else ""
        self._metrics_file = settings.metrics_file if wanted else None
        self._result: Result | None = None
        self._start: Errand | None = None

    @contextmanager
    def over(self, state: State) -> Iterator[None]:
        """Tells that the run begins, and when the block ends, how it ended."""
        if self._ping_url:
            self._start = Errand("HEALTHCHECK_URL", f"{self._ping_url}/start")
        try:
            yield
        except BaseException as error:
            self.conclude(state, error)
            raise
        self.conclude(state, self._result.error if self._result else None)

    def ended(self, result: Result, exit_code: int) -> int:
        """Takes note of how the run ended, and returns its exit code."""
        self._result, self.exit_code = result, exit_code
        return exit_code

    def conclude(self, state: State | None, error: BaseException | None) -> None:
        """Tells everybody how the run ended."""
        self.is_over = True
        if error and not self.exit_code:
            self.exit_code = error.exit_code if isinstance(error, SiaghsyncError) else 70
        found, alert = None, None
        with self._harmless():
            reached = self.engine.reached if self.engine else set()
            found = alerts.news(state, error, reached) if state and self._alert_url else None
            alert = self._alert(found) if found and found.items else None
            if state and self._metrics_file and self.engine:
                self._write_metrics(self._metrics_file, state, self.engine)
        calls = [call for call in (self._start, self._ping(error), alert) if call]
        for call in calls:
            if trouble := call.trouble():
                self.troubles[call.target] = trouble
        with self._harmless():
            if state and found:
                alerts.remember(state, found.before if alert and alert.trouble() else found.after)

    @contextmanager
    def _harmless(self) -> Iterator[None]:
        try:
            yield
        except Exception as trouble:  # noqa: BLE001 - the run is over, and what it did counts
            known = trouble.message.rstrip(".") if isinstance(trouble, SiaghsyncError) else type(trouble).__name__
            self.troubles["ALERT_URL and METRICS_FILE"] = known

    def _ping(self, error: BaseException | None) -> Errand | None:
        if not self._ping_url:
            return None
        if self._start:
            self._start.wait(_IN_ORDER_SECONDS)
        if not self.exit_code:
            return Errand("HEALTHCHECK_URL", self._ping_url)
        return Errand("HEALTHCHECK_URL", f"{self._ping_url}/fail", self._story(error).encode()[:_MOST_BYTES])

    def _alert(self, found: alerts.News) -> Errand:
        run = self._result.run if self._result else {"id": self.engine.run.id} if self.engine else None
        body = json.dumps(alerts.message(found, self._command, run), ensure_ascii=False).encode()
        return Errand("ALERT_URL", self._alert_url, body, "application/json")

    def _story(self, error: BaseException | None) -> str:
        """The run in plain lines, for the person whom the monitor wakes."""
        lines = [f"siaghsync {self._command} ended with exit code {self.exit_code}."]
        if isinstance(error, SiaghsyncError):
            lines += [error.message, f"What to do: {error.hint}" if error.hint else ""]
        elif error:
            lines.append(f"This is a bug in siaghsync: {type(error).__name__}.")
        if self.engine:
            for entity, counts in self.engine.counts.items():
                told = ", ".join(f"{n} {outcome}" for outcome, n in counts.as_json().items() if n)
                lines.append(f"{entity}s: {told or 'none looked at'}")
            lines.append(f"newly waiting for a person: {self.engine.new_reviews}")
            lines += [f"failed: {_who(f)} {f['reason']}: {f['message']}" for f in self.engine.failures[:_MOST_FAILURES]]
        return "\n".join(line for line in lines if line)

    def _write_metrics(self, path: Path, state: State, engine: Engine) -> None:
        from siaghsync.features.notifications.metrics import Figures, metrics_text
        from siaghsync.state.maintenance import runs_ever
        from siaghsync.state.status import overview

        facts = overview(state, self._now(), is_running=False, max_age=None, poll_interval=1).facts
        success = facts["last_success_at"]
        figures = Figures(
            runs=runs_ever(state),
            command=self._command,
            seconds=(self._now() - engine.run.started).total_seconds(),
            records={entity: _outcomes(counts.as_json()) for entity, counts in engine.counts.items()},
            waiting=facts["pending"],
            review=facts["review"],
            last_success=datetime.fromisoformat(success).timestamp() if success else None,
            requests={system: transport.sent for system, transport in engine.transports.items()},
            retries={system: transport.retried for system, transport in engine.transports.items()},
        )
        try:
            _replace(path, metrics_text(figures))
        except OSError as error:
            self.troubles["METRICS_FILE"] = f"{path} can't be written: {error.strerror or type(error).__name__}"


def _who(failure: dict[str, Any]) -> str:
    return str(failure["customer_number"] or failure["finance_code"] or failure["crm_id"])


def _outcomes(counts: dict[str, int]) -> dict[str, int]:
    return {outcome: n for outcome, n in counts.items() if outcome != "seen"}


def _replace(path: Path, text: str) -> None:
    """Whoever reads `path` finds the old text or the new one, whole."""
    part = path.with_name(f".{path.name}.part")
    part.unlink(missing_ok=True)  # of a run that was killed
    try:
        with os.fdopen(
            os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644), "w", encoding="utf-8", newline="\n"
        ) as file:
            file.write(text)
        part.chmod(0o644)  # the umask may have taken something away
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
