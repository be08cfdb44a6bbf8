"""What `sync` and `initial-import` share: the state file under its lock, one run with its context, and its result shown."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from siaghsync import clock
from siaghsync.cli.build import run_context
from siaghsync.cli.environment import stop_on_signal
from siaghsync.cli.plan_options import RunPlan
from siaghsync.domain.action import Counts
from siaghsync.errors import BrakeError, Interrupted, LockHeld, StateError
from siaghsync.features.notifications.notify import run_notifier
from siaghsync.features.saved_plan.enforcer import Enforcer
from siaghsync.features.saved_plan.recorder import Recorder
from siaghsync.features.saved_plan.render import plan_report
from siaghsync.messages.message import msg
from siaghsync.report.run import failures_as_json, run_report
from siaghsync.report.streams import error_document, say, say_message, tell_error, write_json
from siaghsync.report.terminal import progress_bar, show
from siaghsync.settings import Settings
from siaghsync.state import facts, kept_out, pauses, runs
from siaghsync.state.access import locked_state
from siaghsync.state.database import State, memory_state, open_state
from siaghsync.state.meta import SERVICE
from siaghsync.state.pauses import Pause
from siaghsync.sync.context import PlanMode, RunContext, RunReport
from siaghsync.sync.runner import Result, require_import

IMPORT, SYNC = "initial-import", "sync"
_GAP = timedelta(seconds=5)
"""The web service may have begun its next run so long after one, if that is not in the state file yet."""
_LONGEST_WAIT, _TURN_SECONDS = 60.0, 0.1
"""Shorter than the pause of the web service between two runs, so that none is missed."""
Start = Callable[[RunContext, RunReport, PlanMode], Result]


@dataclass(frozen=True, slots=True)
class Output:
    """How the result of a run is shown. `quiet` shows nothing of one that went well, `verbose` its notices too."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False


def carry_out(
    command: str,
    settings: Settings,
    plan: RunPlan,
    output: Output,
    start: Start,
    *,
    dry_run: bool,
    check: Callable[[State], object] = require_import,
) -> int:
    """Carries out one run of `command` under the lock and shows its result. Returns the exit code.

    Only an import may create a state file; for any other command `check` looks at that first.
    Raises what `start` raises, StateError and LockHeld.
    """
    is_import = command == IMPORT
    with (
        stop_on_signal() as stop,
        progress_bar(wanted=not (output.quiet or output.as_json)) as progress,
        run_notifier(settings, command, clock.now, say, dry_run=dry_run, quiet=output.quiet) as notifier,
        _locked_state(settings.siaghsync_state, stop.event, create=is_import, in_memory=is_import and dry_run) as state,
        notifier.over(state),
    ):
        if not is_import:
            check(state)
        if command == SYNC and not dry_run and (pause := pauses.current(state, clock.now())):
            _show_pause(pause, output)
            return 0
        mode = plan.mode(state, command)
        with run_context(settings, state, command, stop.event, progress, dry_run=dry_run) as context:
            notifier.context, notifier.report = context, RunReport(context.staging)
            result = start(context, notifier.report, mode)
            code = stop.exit_code or result.exit_code
            _show(result, mode, output, code)
            if (code or not output.quiet) and not dry_run:
                tell_changes(state)
            return notifier.ended(result, code)


def tell_changes(state: State) -> None:
    """Says which learned facts have changed, if nobody was told yet."""
    changes = facts.untold(state)
    for change in changes:
        say_message(change)
    if changes:
        facts.told(state, changes)


@contextmanager
def _locked_state(path: Path, stop: threading.Event, *, create: bool, in_memory: bool) -> Iterator[State]:
    """The state file under its lock; with `in_memory`, and without a state file, a state that leaves none.

    Runs of the web service may follow each other closely; the lock is waited for until the one at work is over.
    """
    is_blank = not path.exists() or path.stat().st_size == 0
    if is_blank and not create:
        open_state(path)  # raises the StateError that says what is wrong, before a lock file is created
    with ExitStack() as stack:
        if in_memory and is_blank:
            yield stack.enter_context(closing(memory_state()))
            return
        deadline = clock.monotonic() + _LONGEST_WAIT
        while True:
            try:
                state = stack.enter_context(locked_state(path, create=create))
                break
            except LockHeld:
                if clock.monotonic() > deadline or not _is_serving(path):
                    _note_kept_out(path)
                    raise
            if stop.wait(_TURN_SECONDS):
                raise Interrupted(130)
        kept_out.forget(state)
        yield state


def _is_serving(path: Path) -> bool:
    with suppress(StateError), closing(open_state(path)) as state:
        return runs.last_is_of(state, state.meta(SERVICE), since=clock.now() - _GAP)
    return False


def _note_kept_out(path: Path) -> None:
    try:
        with closing(open_state(path)) as state:
            kept_out.note(state, clock.now())
    except StateError as error:  # told beside what ends this run: that the lock is held
        say_message(error.message)


def _show_pause(pause: Pause, output: Output) -> None:
    """A run that did not begin: nobody was asked anything, nothing was counted."""
    if output.as_json:
        nothing = {entity: Counts().as_json() for entity in ("customers", "invoices")}
        requests = {"crm": 0, "finance": 0}
        write_json({"run": None, **nothing, "requests": requests, "paused": pause.as_json()}, changes=[], failures=[])
    if not output.quiet:
        say_message(pause.error.message)


def _show(result: Result, mode: PlanMode, output: Output, code: int) -> None:
    report, head = result.report, {"run": result.run, **result.summary}
    if isinstance(mode, Enforcer):
        head |= mode.as_json()
    if code or not output.quiet:
        for warning in report.warnings:
            say_message(warning)
    if output.verbose:
        for notice in report.notices:
            say_message(notice)
    if result.declined:
        say_message(msg("cli.nothing_written"))
    if isinstance(mode, Recorder) and result.error is None:
        say_message(msg("cli.plan_saved", count=mode.actions, file=str(mode.path)))
    if output.as_json:
        if isinstance(result.error, BrakeError):
            head |= error_document(result.error)
        write_json(head, changes=report.changes(), failures=list(failures_as_json(report.failures)))
        return
    if code or not output.quiet:
        show(*run_report(head, report.changes(), report.failures))
        if isinstance(mode, Enforcer):
            show(*plan_report(mode))
    if result.error and (code or not output.quiet):
        tell_error(result.error, as_json=False)
