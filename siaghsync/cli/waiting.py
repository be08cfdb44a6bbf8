"""The command `waiting`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.report.review import waiting_as_json, waiting_list
from siaghsync.report.streams import write_json
from siaghsync.report.terminal import show
from siaghsync.state import retries as records
from siaghsync.state.database import open_state

app = new_app()


@app.command()
def waiting(
    context: typer.Context,
    skipped: Annotated[bool, typer.Option("--skipped", help="The records that are passed over on purpose.")] = False,
    as_json: JsonOption = False,
) -> None:
    """`waiting`. Always exit 0: what waits is tried again by itself."""
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        found = records.skipped(state) if skipped else records.waiting(state)
    if as_json:
        write_json({"items": [waiting_as_json(record) for record in found]})
    else:
        show(*waiting_list(found, skipped=skipped))
