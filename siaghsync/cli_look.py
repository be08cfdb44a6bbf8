"""The commands that only look: `check-apis`, `status` and `verify`."""

from __future__ import annotations

import threading
from typing import Any

from siaghsync.cli_base import Call, clients, engine_for, now, stop_on_signal, timed
from siaghsync.errors import LockHeld
from siaghsync.terminal import progress_bar, say, show, write_json


def check_apis(call: Call, *, as_json: bool) -> int:
    """`check-apis`: returns the exit code."""
    from siaghsync.checkup import check_crm, check_finance
    from siaghsync.report import checkup_report
    from siaghsync.runs import check_cool_down
    from siaghsync.state import open_state

    settings = call.settings()
    if settings.siaghsync_state.exists() and settings.siaghsync_state.stat().st_size:
        state = open_state(settings.siaghsync_state)
        try:
            check_cool_down(state, now())
        finally:
            state.close()
    with clients(settings, threading.Event()) as (crm, siagh, _):
        found = [check_crm(crm, timed), check_finance(siagh, timed)]
    failures = [each["error"] for each in found if "error" in each]
    if as_json:
        document: dict[str, Any] = {"error": failures[0]} if failures else {}
        write_json({**document, **{each.pop("system"): each for each in found}})
    else:
        show(*checkup_report(*found))
    return 3 if failures else 0


def status(call: Call, *, max_age: float | None, as_json: bool) -> int:
    """`status`: returns the exit code."""
    from siaghsync.overview import EMPTY, overview
    from siaghsync.report import status_report
    from siaghsync.state import open_state

    settings = call.settings()
    path = settings.siaghsync_state
    if not path.exists():
        if as_json:
            write_json(EMPTY)
        say(f"There is no state file {path} yet. Run `siaghsync initial-import`.")
        return 1
    state = open_state(path)
    try:
        found = overview(
            state, now(), is_running=_is_running(path), max_age=max_age, poll_interval=settings.poll_interval_seconds
        )
        if as_json:
            write_json(found.facts)
        else:
            show(*status_report(found.facts, found.runs, found.waits, found.skips, found.problems))
    finally:
        state.close()
    return 1 if found.problems else 0


def verify(call: Call, *, as_json: bool) -> int:
    """`verify`: returns the exit code."""
    from siaghsync.report_verify import verify_report
    from siaghsync.runs import closed_whatever_happens, log_in, require_import
    from siaghsync.state import open_state, run_lock
    from siaghsync.verify import verify

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


def _is_running(path: Any) -> bool:
    from siaghsync.state import run_lock

    try:
        with run_lock(path):
            return False
    except LockHeld:
        return True
