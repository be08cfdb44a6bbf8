"""The command `backup`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import new_app
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message
from siaghsync.state.database import open_state
from siaghsync.state.maintenance import backup as copy_state

app = new_app()


@app.command()
def backup(context: typer.Context, file: Annotated[Path, typer.Argument(metavar="FILE")]) -> None:
    """`backup`."""
    with closing(open_state(settings_of(context, file).siaghsync_state)) as state:
        copy_state(state, file)
    say_message(msg("cli.backed_up", file=str(file)))
