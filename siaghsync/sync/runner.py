"""Begins and ends a run: the lock's holder logs in, works, and closes the run in the state file, however it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from siaghsync.connectors.siagh.client import Session
from siaghsync.errors import (
    BrakeError,
    CallError,
    Interrupted,
    LoginLocked,
    SiaghsyncError,
    StateError,
    is_interruption,
)
from siaghsync.messages.calendar import at
from siaghsync.messages.calls import CALLS
from siaghsync.state.audit import stamp
from siaghsync.state.database import State
from siaghsync.state.meta import COMPLETED
from siaghsync.sync.context import Engine

LOCKED_UNTIL = "crm_login_locked_until"
COOLING_DOWN = "cooling_down"
"""The reason of a login that was not even tried."""
COOL_DOWN = timedelta(minutes=30)
"""The CRM locks an account for 15 to 30 minutes, and each further attempt prolongs that (contract payamgostar §2)."""


@dataclass(slots=True)
class Result:
    """A run that is over: its JSON head, and the error that ended it early (a brake or a signal), if one did."""

    run: dict[str, Any]
    summary: dict[str, Any]
    engine: Engine
    error: SiaghsyncError | None = None

    @property
    def exit_code(self) -> int:
        """0 done; 1 done, but records failed or newly wait for a person; else what ended it."""
        if self.error:
            return self.error.exit_code
        return 0 if self.run["outcome"] == "ok" else 1


def require_import(state: State) -> None:
    """Raises StateError if no initial import has completed for this state file."""
    if state.fact(COMPLETED) is None:
        raise StateError(
            "No initial import has completed for this state file, so customers that both systems already have are not "
            "linked yet and would be created twice.",
            "Run `siaghsync initial-import` (without --limit) first.",
        )


def carry_through(engine: Engine, work: Callable[[Session], None]) -> Result:
    """Logs in to both systems, does the work and closes the run.

    Raises the CallError or StateError that ended it; a request that gave way to a signal ends it as the signal would have.
    """
    error: SiaghsyncError | None = None
    with closed_whatever_happens(engine):
        try:
            work(log_in(engine))
        except SiaghsyncError as ended:
            error = Interrupted(130) if is_interruption(ended) else ended
            if not isinstance(error, (BrakeError, Interrupted)):
                raise
        outcome = "failed" if isinstance(error, BrakeError) else "partial" if error else engine.outcome()
        summary = engine.summary()
        return Result(engine.run.finish(outcome, summary, error.message if error else None), summary, engine, error)


@contextmanager
def closed_whatever_happens(engine: Engine) -> Iterator[None]:
    """Closes the run as failed if the block raises, and remembers a locked account across runs."""
    try:
        yield
    except BaseException as error:
        remember_lock(engine.run.state, error, engine.run.now())
        if not isinstance(error, StateError):  # a state file that can't be written can't be told either
            message = error.message if isinstance(error, SiaghsyncError) else type(error).__name__
            engine.run.finish("failed", engine.summary(), message)
        raise


def remember_lock(state: State, error: BaseException, now: datetime) -> None:
    """Begins a cool-down if `error` says that the CRM has just locked the account; one that lasts is not prolonged."""
    if isinstance(error, LoginLocked) and error.system == "crm" and error.reason != COOLING_DOWN:
        state.set_fact(LOCKED_UNTIL, stamp(now + COOL_DOWN))


def log_in(engine: Engine) -> Session:
    """One login to each system, both at once. Raises what the login raises, and LoginLocked without asking while a
    cool-down of the CRM lasts; if both fail, the error is the CRM's and tells of both."""
    check_cool_down(engine.run.state, engine.run.now())
    with ThreadPoolExecutor(1) as pool:
        to_finance = pool.submit(engine.siagh.login)
        try:
            engine.crm.login()
        except CallError as error:
            other = to_finance.exception()
            if isinstance(other, CallError):
                error.message = f"{error.message} {other.message}"
                error.hint = " ".join(dict.fromkeys(filter(None, (error.hint, other.hint))))
            elif other:
                raise other from error
            else:
                engine.reached.add("finance")
            raise
        engine.reached.add("crm")
        session = to_finance.result()
        engine.reached.add("finance")
    return session


def check_cool_down(state: State, now: datetime) -> None:
    """Raises LoginLocked if the CRM locked the account and its cool-down is not over."""
    until = state.fact(LOCKED_UNTIL)
    if until and now < datetime.fromisoformat(until):
        raise LoginLocked(
            "crm",
            "log in",
            COOLING_DOWN,
            f"Payamgostar (CRM) has locked the account after too many attempts. No login is tried before {at(until)}, "
            "Tehran time, since each attempt prolongs the lock.",
            CALLS[COOLING_DOWN].cure.en,
        )
