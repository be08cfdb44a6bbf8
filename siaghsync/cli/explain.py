"""The command `explain`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import new_app
from siaghsync.features.explain.render import story
from siaghsync.messages.catalog import cure
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message
from siaghsync.report.terminal import show
from siaghsync.state.database import open_state
from siaghsync.state.record_history import record_histories

app = new_app()


@app.command()
def explain(
    context: typer.Context,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="A customer number, finance code, document number or CRM id.")
    ],
) -> None:
    """`explain`. Exit 1 if nothing is known of the number."""
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        found = record_histories(state, number)
    if not found:
        nothing = msg("cli.nothing_known", number=number)
        say_message(nothing)
        say_message(msg("cli.what_to_do", hint=cure(nothing)))
        raise typer.Exit(1)
    for history in found:
        show(*story(history))
