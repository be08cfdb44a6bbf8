"""The command `status`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from siaghsync import clock
from siaghsync.cli.environment import is_running, settings_of
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.cli.status_all import show_companies
from siaghsync.cli.times import seconds_of
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.report.status import ASCII_BLOCKS, BLOCKS, status_report
from siaghsync.report.streams import can_carry, say_message, write_json
from siaghsync.report.terminal import show
from siaghsync.state.database import open_state
from siaghsync.state.status import EMPTY, overview
from siaghsync.state.status import status as status_of

app = new_app()


@app.command()
def status(
    context: typer.Context,
    max_age: Annotated[
        str | None,
        typer.Option("--max-age", metavar="AGE", help="Exit 1 if the last good run is older: 90s, 15m, 2h, 1d."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--all", metavar="FOLDER", help="Each subfolder with a .env: one table of companies.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`status`. Exit 1 if a person is needed."""
    oldest = seconds_of(max_age) if max_age is not None else None
    if folder is not None:
        raise typer.Exit(show_companies(folder, oldest, as_json=as_json))
    settings = settings_of(context)
    path, interval, now = settings.siaghsync_state, settings.poll_interval_seconds, clock.now()
    if not path.exists():
        if as_json:
            write_json(EMPTY, fallbacks=[], clocks=[], changed_facts=[], suspicions=[])
        say_message(msg("cli.no_state_yet", file=str(path)))
        raise typer.Exit(1)
    with closing(open_state(path)) as state:
        found = overview(state, now, is_running=is_running(path), max_age=oldest, poll_interval=interval)
        if as_json:
            told = {
                "fallbacks": found.fallbacks,
                "clocks": found.clocks,
                "changed_facts": found.changes,
                "suspicions": found.suspicions,
            }
            write_json(found.figures, **{name: map(render, messages) for name, messages in told.items()})
        else:
            blocks = BLOCKS if can_carry(BLOCKS) else ASCII_BLOCKS
            show(*status_report(found, status_of(state, now), now, interval, blocks))
    raise typer.Exit(1 if found.problems else 0)
