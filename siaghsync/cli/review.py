"""The commands about what happened and what has to be decided: `review`, `log`, `backup`."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from siaghsync.cli.base import Call, engine_for, now, stop_on_signal
from siaghsync.errors import UsageError
from siaghsync.report.terminal import say, show, write_json

if TYPE_CHECKING:
    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.sync.decisions import Decision


@contextmanager
def _reading(settings: Settings) -> Iterator[State]:
    from siaghsync.state.state_file import open_state

    state = open_state(settings.siaghsync_state)
    try:
        yield state
    finally:
        state.close()


def review_list(call: Call, *, as_json: bool) -> int:
    """`review`: returns the exit code."""
    from siaghsync.report.review import review_list
    from siaghsync.state import reviews

    with _reading(call.settings()) as state:
        items = reviews.open_items(state)
    if as_json:
        write_json({"items": items})
    else:
        show(*review_list(items))
    return 0


def review_show(call: Call, review_id: int, *, as_json: bool) -> int:
    """`review show`: returns the exit code."""
    from siaghsync.report.review import review_page
    from siaghsync.state import reviews
    from siaghsync.state.audit_log import of_record

    with _reading(call.settings()) as state:
        row = state.row("SELECT * FROM reviews WHERE id = ?", (review_id,))
        if row is None:
            raise UsageError(f"There is no review {review_id}.", "`siaghsync review` lists the open ones.")
        item, details = reviews.item_as_json(row), json.loads(row["details"])
        history = of_record(state, row["entity"], row["crm_id"], row["finance_code"])
    if as_json:
        write_json({"item": item, "details": details, "history": history})
    else:
        show(*review_page(item, details, history))
    return 0


def decision_of(*, retry: bool, link: str | None, posted: str | None, discard: bool) -> Decision:
    """The one decision among the options of `review resolve`. Raises UsageError if it is none or more than one."""
    from siaghsync.sync.decisions import Decision

    given = [
        *([Decision("retry")] if retry else []),
        *([Decision("link", link)] if link is not None else []),
        *([Decision("posted", posted)] if posted is not None else []),
        *([Decision("discard")] if discard else []),
    ]
    if len(given) != 1:
        raise UsageError(
            "review resolve needs exactly one way out.", "Give one of --retry, --link CODE, --posted NUMBER, --discard."
        )
    return given[0]


def review_resolve(call: Call, ids: list[int], decision: Decision, *, as_json: bool) -> int:
    """`review resolve`: returns the exit code."""
    settings = call.settings()
    if decision.way_out in ("link", "posted") and len(ids) > 1:
        raise UsageError(f"--{decision.way_out} fits one review at a time.", "Name one id.")
    with stop_on_signal() as stop:
        decide(settings, ids, decision, stop.event)
    if as_json:
        write_json({"resolved": ids, "way_out": decision.way_out})
    else:
        say(f"Resolved: {', '.join(map(str, ids))}. The next run acts on it.")
    return 0


def decide(
    settings: Settings, ids: list[int], decision: Decision, stop: threading.Event, who: str | None = None
) -> None:
    """Carries out a decision about reviews, made by `who` or else this process's user. Raises SiaghsyncError."""
    from siaghsync.state.state_file import run_lock
    from siaghsync.sync.decisions import open_review, resolve
    from siaghsync.sync.runner import closed_whatever_happens, log_in

    with run_lock(settings.siaghsync_state), _reading(settings) as state:
        with engine_for(settings, state, "review resolve", stop, dry_run=False, who=who) as engine:
            with closed_whatever_happens(engine):
                rows = [open_review(engine.run, review_id) for review_id in ids]
                if decision.way_out == "link":
                    log_in(engine)
                for row in rows:
                    resolve(engine, row, decision)
                engine.run.finish("ok", {})


def log(call: Call, *, customer: str | None, failed: bool, since: str | None, limit: int, as_json: bool) -> int:
    """`log`: returns the exit code."""
    from siaghsync.report.review import failed_runs_table, log_table
    from siaghsync.state.audit_log import LogFilter, entries, failed_runs

    wanted = LogFilter(customer, failed, moment(since) if since else None, limit)
    with _reading(call.settings()) as state:
        found = entries(state, wanted)
        runs = failed_runs(state, wanted.since, limit) if customer is None else []
    if as_json:
        write_json({"entries": found, "failed_runs": runs})
    else:
        show(*(log_table(found) if found or not runs else []), *failed_runs_table(runs))
    return 0


def backup(call: Call, target: Path) -> int:
    """`backup`: returns the exit code."""
    with _reading(call.settings()) as state:
        state.backup(target)
    say(f"The state file was copied to {target}.")
    return 0


_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime:
    """A point in time (aware UTC) given as an age (`12h`), or as a date or time in either calendar, by Tehran's clock. Raises
    UsageError."""
    from siaghsync.messages.calendar import TEHRAN
    from siaghsync.settings import either_calendar

    if found := re.fullmatch(r"(\d+)([smhd])", text.strip()):
        return now() - timedelta(**{_UNITS[found[2]]: int(found[1])})
    try:
        day, _, clock = text.strip().replace(" ", "T").partition("T")
        date = either_calendar(day)
        parsed = datetime.fromisoformat(f"{date.isoformat()}T{clock}" if clock else date.isoformat())
    except ValueError:
        raise UsageError(
            f"{text!r} is no time.",
            "Write an age like 12h or 2d, or a date like 2026-01-31 or 1404-11-11, with a time if need be.",
        ) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=TEHRAN)).astimezone(UTC)
