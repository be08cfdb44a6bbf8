"""`status --all`: how many companies stand, each in a folder of its own with a `.env`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from siaghsync import clock
from siaghsync.cli.environment import is_running
from siaghsync.errors import SiaghsyncError, UsageError
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.report.status import companies_table
from siaghsync.report.streams import write_json
from siaghsync.report.terminal import show
from siaghsync.settings import load
from siaghsync.state.database import open_state
from siaghsync.state.status import EMPTY, overview


def show_companies(folder: Path, max_age: float | None, *, as_json: bool) -> int:
    """Shows every company below `folder`. Returns 1 if any needs a person, else 0; `max_age` is in seconds.

    A company that can't be read is one that needs a person, and doesn't keep the others from being shown.
    Raises UsageError if there is none.
    """
    homes = sorted(env.parent for env in folder.glob("*/.env"))
    if not homes:
        raise UsageError("usage.no_companies", folder=str(folder))
    found = [(home.name, *_standing(home, max_age)) for home in homes]
    if as_json:
        write_json({}, companies=_as_json(found))
    else:
        show(companies_table(found))
    return 1 if any(problems for _, _, problems in found) else 0


def _standing(home: Path, max_age: float | None) -> tuple[dict[str, Any], list[Message]]:
    """The figures of one company, and why it needs a person. Only its own file counts: a variable of this process's
    environment would count for all of them."""
    try:
        settings = load(None, {}, home)
        path = settings.siaghsync_state
        if not path.exists():
            return EMPTY, [msg("cli.no_state_yet", file=str(path))]
        with closing(open_state(path)) as state:
            running, interval = is_running(path), settings.poll_interval_seconds
            view = overview(state, clock.now(), is_running=running, max_age=max_age, poll_interval=interval)
            return view.figures, view.problems
    except SiaghsyncError as error:
        return EMPTY, [error.message]


def _as_json(found: list[tuple[str, dict[str, Any], list[Message]]]) -> Iterator[dict[str, Any]]:
    for name, figures, problems in found:
        yield {**figures, "company": name, "problems": [render(problem) for problem in problems]}
