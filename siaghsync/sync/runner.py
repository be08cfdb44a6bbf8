"""Begins and ends a run: logs in, works, and closes the run in the state file, however it ends."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.siagh.client import Session
from siaghsync.errors import (
    BrakeError,
    CallError,
    Interrupted,
    LoginLocked,
    Paused,
    SiaghsyncError,
    StateError,
    System,
    UsageError,
    is_interruption,
)
from siaghsync.messages.message import Message, msg
from siaghsync.planning.documents import DocumentRules
from siaghsync.state import facts, far_clocks, pauses, retries, runs
from siaghsync.state.audit import stamp
from siaghsync.state.database import State
from siaghsync.state.maintenance import tidy
from siaghsync.state.meta import COMPLETED
from siaghsync.state.runs import RunRecord
from siaghsync.sync.appliers import DryRun, Live
from siaghsync.sync.context import PlanMode, RunContext, RunReport, SyncOptions, Unrestricted
from siaghsync.sync.decisions import carry_out_stored
from siaghsync.sync.importer import Confirm, Importer, ImportOptions
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.sync import sync
from siaghsync.sync.undo import Confirm as UndoConfirm
from siaghsync.sync.undo import Undo

UNDO = "undo"
LOCKED_UNTIL = "crm_login_locked_until"
COOLING_DOWN = "cooling_down"
"""The reason of a login that was not even tried."""
COOL_DOWN = timedelta(minutes=30)
"""The CRM locks an account for 15 to 30 minutes, and each further attempt prolongs that (contract payamgostar §2)."""
_LOG_IN = "log_in"


@dataclass(frozen=True, slots=True)
class Result:
    """A run that is over: its JSON head, and the error that ended it early (a brake, a signal or a pause), if one did.

    `declined` says that a person was asked and said no.
    """

    run: dict[str, Any]
    summary: dict[str, Any]
    report: RunReport
    error: SiaghsyncError | None = None
    declined: bool = False

    @property
    def exit_code(self) -> int:
        """0 done; 1 done, but records failed or newly wait for a person; else what ended it."""
        if self.error:
            return self.error.exit_code
        return 0 if self.run["outcome"] == "ok" else 1


def run_sync(
    context: RunContext,
    report: RunReport,
    options: SyncOptions,
    document_rules: Callable[[], DocumentRules],
    mode: PlanMode | None = None,
) -> Result:
    """One `sync` from login to end. Fills `report`, also if it raises the CallError or StateError that ended it."""
    mode = mode or Unrestricted()
    applier = DryRun(report) if options.dry_run else Live.of(context, report)

    def work(session: Session) -> None:
        if not options.dry_run:
            carry_out_stored(context)
        sync(context, report, options, document_rules, session.fiscal_year, applier, mode)
        mode.finish(context.run, report)

    return _carry_through(context, report, work)


def run_import(
    context: RunContext, report: RunReport, options: ImportOptions, confirm: Confirm, mode: PlanMode | None = None
) -> Result:
    """One `initial-import` from login to end. Fills `report`, also if it raises the CallError or StateError that ended it."""
    mode = mode or Unrestricted()
    live = None if options.dry_run else Live.of(context, report)
    declined: list[bool] = []

    def work(_: Session) -> None:
        if live:
            carry_out_stored(context)
        agreed = Importer(context, report, options, mode, CrmReader.of(context), live).run(confirm)
        declined.append(not agreed)
        if agreed:
            mode.finish(context.run, report)

    return _carry_through(context, report, work, lambda: declined == [True])


def run_undo(
    context: RunContext, report: RunReport, of_run: RunRecord, confirm: UndoConfirm, *, only_told: bool
) -> Result:
    """The undo of one run from login to end; with `only_told` its plan is told and nothing is written. Raises as `run_import`."""
    declined: list[bool] = []

    def work(_: Session) -> None:
        declined.append(not Undo(context, report, of_run).run(confirm, only_told=only_told))

    return _carry_through(context, report, work, lambda: declined == [True])


def undoable(state: State, run_id: int, *, at_work: bool) -> RunRecord:
    """The run with this id. Raises UsageError if there is none, or if it is one that can't be undone; `at_work` says that some
    run holds the lock."""
    found = runs.find(state, run_id)
    if found is None:
        raise UsageError("usage.no_run", run=run_id)
    if found.dry_run or found.command == UNDO:
        raise UsageError("usage.undo_of_dry_run" if found.dry_run else "usage.undo_of_undo", run=run_id)
    if at_work and found.finished_at is None and runs.last(state) == found:
        raise UsageError("usage.undo_at_work", run=run_id)
    return found


def require_import(state: State) -> None:
    """Raises StateError if no initial import has completed for this state file."""
    if state.meta(COMPLETED) is None:
        raise StateError("sync.no_import")


def _carry_through(
    context: RunContext,
    report: RunReport,
    work: Callable[[Session], None],
    was_declined: Callable[[], bool] = lambda: False,
) -> Result:
    """Logs in to both systems, does the work and closes the run.

    A request that was given up for a signal ends the run as the signal would have.
    """
    error: SiaghsyncError | None = None
    with closed_whatever_happens(context, report):
        try:
            work(log_in(context, report))
        except SiaghsyncError as ended:
            error = Interrupted(130) if is_interruption(ended) else ended
            if not isinstance(error, BrakeError | Interrupted | Paused):
                raise
        usual = report.outcome(cancelled=context.cancel.is_set())
        outcome = "failed" if isinstance(error, BrakeError) else "partial" if error else usual
        summary = report.summary(context.sessions)
        run = context.run.finish(outcome, summary, error.message if error else None)
        if not context.run.dry_run:
            tidy(
                context.state,
                _earliest(context.run.now(), context.sessions),
                context.limits.keep_days,
                context.run.actor,
            )
        return Result(run, summary, report, error, was_declined())


@contextmanager
def closed_whatever_happens(context: RunContext, report: RunReport) -> Iterator[None]:
    """Closes the run as failed if the block raises, and remembers a locked account, and how long a session lived, across runs."""
    try:
        yield
    except BaseException as error:
        remember_lock(context.state, error, context.run.now())
        if not isinstance(error, StateError):  # a state file that can't be written can't take this either
            context.run.finish("failed", report.summary(context.sessions), _message_of(error))
        raise
    if not context.run.dry_run and (life := facts.of_session(context.finance.session_life_s, context.run.at())):
        facts.learn(context.state, life)


def _message_of(error: BaseException) -> Message:
    """Of a bug, also where it happened, for whoever helps; never its text or values, which may hold anything."""
    if isinstance(error, SiaghsyncError):
        return error.message
    frames = traceback.extract_tb(error.__traceback__)
    where = "\n".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
    return msg("error.bug", type=type(error).__name__, where=where)


def remember_lock(state: State, error: BaseException, now: datetime) -> None:
    """Begins a cool-down if `error` says that the CRM has just locked the account; one that lasts is not prolonged."""
    if isinstance(error, LoginLocked) and error.system == "crm" and error.reason != COOLING_DOWN:
        state.set_meta(LOCKED_UNTIL, stamp(now + COOL_DOWN))


def log_in(context: RunContext, report: RunReport) -> Session:
    """One login to each system, both at once.

    Raises what the login raises, and LoginLocked without asking while a cool-down of the CRM lasts; if both fail, the error
    is the CRM's and its message tells of both.
    """
    check_cool_down(context.state, context.run.now())
    report.warnings += _too_far_ahead(context.state, context.run.now())
    with ThreadPoolExecutor(1) as pool:
        to_finance = pool.submit(context.finance.login)
        try:
            context.crm.login()
        except CallError as error:
            other = to_finance.exception()
            if isinstance(other, CallError):
                error.message = msg("sync.both_logins_failed", crm=error.message, finance=other.message)
            elif other:
                raise other from error
            else:
                report.reached.add("finance")
            raise
        report.reached.add("crm")
        if context.state.meta(LOCKED_UNTIL):
            context.state.set_meta(LOCKED_UNTIL, None)
        session = to_finance.result()
        report.reached.add("finance")
    report.warnings += far_clocks.note(context.state, dict(_clocks_ahead(context.sessions)))
    return session


def _clocks_ahead(sessions: Mapping[System, HttpSession]) -> Iterator[tuple[System, float]]:
    """By how many seconds the clock of each system that dates its answers is ahead of this machine's."""
    for system, session in sessions.items():
        if (read := session.clocks) and read.server:
            yield system, (read.server - read.local).total_seconds()


def _earliest(now: datetime, sessions: Mapping[System, HttpSession]) -> datetime:
    """Now by the clock that is furthest behind: what is too old by a clock that is ahead can't be brought back."""
    return now + timedelta(seconds=min([0.0, *(ahead for _, ahead in _clocks_ahead(sessions))]))


def _too_far_ahead(state: State, now: datetime) -> Iterator[Message]:
    """What a clock that was wrong has left behind, and counts as come or over."""
    until = state.meta(LOCKED_UNTIL)
    if until and datetime.fromisoformat(until) > now + COOL_DOWN:
        yield msg("sync.cool_down_too_far", until=until)
    if until := pauses.drop_impossible(state, now):
        yield msg("sync.pause_too_far", until=until)
    if count := retries.too_far_ahead(state, now):
        yield msg("sync.tries_too_far", count=count)


def check_cool_down(state: State, now: datetime) -> None:
    """Raises LoginLocked if the CRM locked the account and its cool-down is not over.

    One that ends later than any can was noted by a clock that was wrong, and counts as over.
    """
    until = state.meta(LOCKED_UNTIL)
    if until and now < datetime.fromisoformat(until) <= now + COOL_DOWN:
        raise LoginLocked("crm", _LOG_IN, COOLING_DOWN, until=until)
