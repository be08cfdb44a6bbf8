"""The command `demo`."""

from __future__ import annotations

import typer

from siaghsync.cli.options import new_app
from siaghsync.demo import play

app = new_app()


@app.command()
def demo() -> None:
    """`demo`."""
    raise typer.Exit(play())
