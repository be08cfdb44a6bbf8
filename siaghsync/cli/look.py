"""The commands that only look: `check-apis`, `status` and `verify`."""

from __future__ import annotations

import threading
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siaghsync.cli.base import Call, clients, document_sources, engine_for, now, stop_on_signal, timed
from siaghsync.errors import LockHeld, LoginLocked, LoginRefused, SiaghsyncError, StateError
from siaghsync.report.terminal import can_carry, progress_bar, say, show, write_json

if TYPE_CHECKING:
    from datetime import datetime

    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.state.status import Overview


def check_apis(call: Call, *, as_json: bool) -> int:
    """`check-apis`: returns the exit code."""
    from siaghsync.features.check_apis.collect import Checkup, expected
    from siaghsync.features.check_apis.render import checkup_report
    from siaghsync.features.check_apis.warnings import misgivings, unchecked

    settings = call.settings()
    refusal, warnings = _refusal(settings)
    checkup = Checkup(settings, timed, now, refusal)
    with clients(settings, threading.Event()) as (crm, siagh, _):
        of_crm, of_finance = checkup.crm(crm, document_sources(settings)), checkup.finance(siagh)
    _remember_lock(settings, checkup.errors)
    measure = expected(settings, now())
    warnings += misgivings(of_crm, of_finance, measure)
    open_ends = unchecked(of_crm, measure)
    failures = [each["error"] for each in (of_crm, of_finance) if "error" in each]
    if as_json:
        document: dict[str, Any] = {"error": failures[0]} if failures else {}
        found = {each.pop("system"): each for each in (of_crm, of_finance)}
        write_json({**document, **found, "warnings": warnings, "unchecked": open_ends})
    else:
        show(*checkup_report(of_crm, of_finance, warnings, open_ends))
    return 3 if failures else 0


def _refusal(settings: Settings) -> tuple[LoginRefused | None, list[dict[str, str]]]:
    """Why the CRM must not be asked now, if it must not; a state file that can't be used is worth a warning here."""
    from siaghsync.state.state_file import open_state
    from siaghsync.sync.runner import check_cool_down

    try:
        if _has_state(settings.siaghsync_state):
            with closing(open_state(settings.siaghsync_state)) as state:
                check_cool_down(state, now())
    except LoginRefused as error:
        return error, []
    except StateError as error:
        return None, [{"system": "state", "reason": "state", "message": error.message, "hint": error.hint}]
    return None, []


def _remember_lock(settings: Settings, errors: list[SiaghsyncError]) -> None:
    """An account that turned out to be locked is left in peace by the next runs too, if there is where to note it."""
    from siaghsync.state.state_file import open_state
    from siaghsync.sync.runner import remember_lock

    locked = next((error for error in errors if isinstance(error, LoginLocked)), None)
    if locked and _has_state(settings.siaghsync_state):
        with suppress(StateError), closing(open_state(settings.siaghsync_state)) as state:  # warned of already
            remember_lock(state, locked, now())


def _has_state(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


def status(call: Call, *, max_age: float | None, as_json: bool) -> int:
    """`status`: returns the exit code."""
    from siaghsync.state.state_file import open_state
    from siaghsync.state.status import EMPTY, overview

    settings = call.settings()
    path = settings.siaghsync_state
    if not path.exists():
        if as_json:
            write_json(EMPTY)
        say(f"There is no state file {path} yet. Run `siaghsync initial-import`.")
        return 1
    moment, interval = now(), settings.poll_interval_seconds
    with closing(open_state(path)) as state:
        found = overview(state, moment, is_running=is_running(path), max_age=max_age, poll_interval=interval)
        if as_json:
            write_json(found.facts)
        else:
            _show_status(state, found, moment, interval)
    return 1 if found.problems else 0


def _show_status(state: State, found: Overview, moment: datetime, poll_interval: int) -> None:
    from siaghsync.report.status import ASCII_BLOCKS, BLOCKS, status_report
    from siaghsync.state.glance import glance

    blocks = BLOCKS if can_carry(BLOCKS) else ASCII_BLOCKS
    show(*status_report(found, glance(state, moment), moment, poll_interval, blocks))


def verify(call: Call, *, as_json: bool) -> int:
    """`verify`: returns the exit code."""
    from siaghsync.features.verify.collect import verify
    from siaghsync.features.verify.render import verify_report
    from siaghsync.state.state_file import open_state, run_lock
    from siaghsync.sync.runner import closed_whatever_happens, log_in, require_import

    settings = call.settings()
    with stop_on_signal() as stop, progress_bar(wanted=not as_json) as progress, run_lock(settings.siaghsync_state):
        state = open_state(settings.siaghsync_state)
        try:
            require_import(state)
            with engine_for(settings, state, "verify", stop.event, progress, dry_run=True) as engine:
                with closed_whatever_happens(engine):
                    log_in(engine)
                    findings = verify(engine)
                    engine.run.finish("ok" if findings.all_in_step else "partial", {"checked": findings.checked})
        finally:
            state.close()
    if as_json:
        write_json(findings.as_json())
    else:
        show(*verify_report(findings))
    return 0 if findings.all_in_step else 1


def is_running(path: Any) -> bool:
    """Whether a run holds the lock of the state file."""
    from siaghsync.state.state_file import run_lock

    try:
        with run_lock(path):
            return False
    except LockHeld:
        return True
