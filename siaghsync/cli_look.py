"""The commands that only look: `check-apis` and `status`."""

from __future__ import annotations

import threading
from typing import Any

from siaghsync.cli_base import Call, clients, now, timed
from siaghsync.errors import LockHeld
from siaghsync.terminal import say, show, write_json


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


def _is_running(path: Any) -> bool:
    from siaghsync.state import run_lock

    try:
        with run_lock(path):
            return False
    except LockHeld:
        return True
