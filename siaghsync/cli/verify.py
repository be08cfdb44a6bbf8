"""The command `verify`."""

from __future__ import annotations

import typer

from siaghsync.cli.build import run_context
from siaghsync.cli.environment import settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.features.verify.collect import verify as compare
from siaghsync.features.verify.render import verify_report
from siaghsync.report.streams import write_json
from siaghsync.report.terminal import progress_bar, show
from siaghsync.state.access import locked_state
from siaghsync.sync.context import RunReport
from siaghsync.sync.runner import closed_whatever_happens, log_in, require_import

app = new_app()


@app.command()
def verify(context: typer.Context, as_json: JsonOption = False) -> None:
    """`verify`. Exit 1 if not in step."""
    settings = settings_of(context)
    with (
        stop_on_signal() as stop,
        progress_bar(wanted=not as_json) as progress,
        locked_state(settings.siaghsync_state) as state,
    ):
        require_import(state)
        with run_context(settings, state, "verify", stop.event, progress, dry_run=True) as run:
            report = RunReport(run.staging)
            with closed_whatever_happens(run, report):
                log_in(run, report)
                found = compare(run)
                run.run.finish("ok" if found.all_in_step else "partial", {"checked": found.checked})
    if as_json:
        write_json(found.as_json())
    else:
        show(*verify_report(found))
    raise typer.Exit(0 if found.all_in_step else 1)
