"""The command `lint`."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from siaghsync.cli.build import run_context
from siaghsync.cli.cool_down import cool_down
from siaghsync.cli.environment import settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.domain.reasons import Reason
from siaghsync.errors import StateError
from siaghsync.features.lint.collect import survey
from siaghsync.features.lint.render import lint_report
from siaghsync.files import write_csv
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import progress_bar, show
from siaghsync.state.database import memory_state, open_state
from siaghsync.state.retries import customers_waited_for
from siaghsync.sync.context import RunReport
from siaghsync.sync.runner import log_in

app = new_app()
_COLUMNS = ("system", "record", "customer_number", "check", "value", "message")


@app.command()
def lint(
    context: typer.Context,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write every finding into this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`lint`. It needs no state file, and takes no lock."""
    settings = settings_of(context, csv)
    with closing(memory_state()) as state:
        with (
            stop_on_signal() as stop,
            progress_bar(wanted=not as_json) as progress,
            run_context(settings, state, "lint", stop.event, progress, dry_run=True) as run,
        ):
            with cool_down(settings.siaghsync_state):
                log_in(run, RunReport(run.staging))
            found = survey(run)
            found.numberless_waiting = _numberless_waiting(settings.siaghsync_state)
        if csv:
            write_csv(csv, _COLUMNS, (finding.as_json().values() for finding in found.findings()))
        if as_json:
            write_json({"counts": found.counts()}, findings=(finding.as_json() for finding in found.findings()))
        else:
            show(*lint_report(found))
        if csv:
            say_message(msg("cli.findings_saved", file=str(csv)))


def _numberless_waiting(state_file: Path) -> int:
    """How many customers without a number have documents that wait; 0 where no state file can tell."""
    try:
        with closing(open_state(state_file)) as state:
            return customers_waited_for(state, Reason.CUSTOMER_WITHOUT_NUMBER)
    except StateError:
        return 0
