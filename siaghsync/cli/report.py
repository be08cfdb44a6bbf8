"""The command group `report`: lists for people who check documents one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from siaghsync.cli.build import document_rules, no_progress, run_context
from siaghsync.cli.cool_down import cool_down
from siaghsync.cli.environment import settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, help_without_command, new_app
from siaghsync.errors import UsageError
from siaghsync.features.invoice_report.collect import YearReport
from siaghsync.features.invoice_report.render import invoice_tables
from siaghsync.features.invoice_report.rules import CSV_COLUMNS, csv_row
from siaghsync.files import write_csv
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import progress_bar, show
from siaghsync.settings import Settings
from siaghsync.state.database import State, memory_state, open_state
from siaghsync.state.invoice_lines import InvoiceLines
from siaghsync.sync.context import Progress, RunContext
from siaghsync.sync.reader import CrmReader

app = new_app(invoke_without_command=True)


@app.callback()
def report(context: typer.Context) -> None:
    """`report`: a group."""
    help_without_command(context)


@app.command()
def invoices(
    context: typer.Context,
    year: Annotated[
        int | None,
        typer.Option(
            "--year",
            min=1300,
            max=1599,
            metavar="YEAR",
            help="The Jalali fiscal year. [default: the one Siagh posts in]",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write every document into this file.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Each CRM document of a fiscal year, what became of it in Finance, and sums per month and sale model."""
    settings = settings_of(context, csv)
    with ExitStack() as kept:
        with stop_on_signal() as stop, progress_bar(wanted=not as_json) as progress:
            found = kept.enter_context(year_report(settings, year, stop.event, progress))
        if csv:
            write_csv(csv, CSV_COLUMNS, map(csv_row, found.lines()))
        if as_json:
            write_json(
                {**found.head(), "totals": found.sums.totals()},
                documents=found.lines(),
                sums=found.sums.rows(),
                not_understood=found.not_understood(),
            )
        else:
            show(*invoice_tables(found))
        if csv:
            say_message(msg("cli.documents_saved", count=found.sums.counts()["documents"], file=str(csv)))


@contextmanager
def year_report(
    settings: Settings, year: int | None, stop: threading.Event, progress: Progress = no_progress
) -> Iterator[YearReport]:
    """The documents of a Jalali fiscal year (None: the one that Siagh posts in), read from the CRM; only there within the block.

    Neither takes the lock nor writes into the state file, so that it can go on beside a run. Raises SiaghsyncError.
    """
    with closing(open_state(settings.siaghsync_state)) as state, closing(memory_state()) as own:
        with run_context(settings, own, "report invoices", stop, progress, dry_run=True) as run:
            found = _read(run, state, settings, year)
        yield found


def _read(run: RunContext, state: State, settings: Settings, year: int | None) -> YearReport:
    with cool_down(settings.siaghsync_state):
        run.crm.login()
    kept = InvoiceLines(run.state)
    found = YearReport(CrmReader.of(run), kept, state, document_rules(settings, state)(), year or _fiscal_year(run))
    found.read(settings.document_sources)
    return found


def _fiscal_year(run: RunContext) -> int:
    """The fiscal year that the session posts in. Raises UsageError if Siagh names none."""
    year = run.finance.login().fiscal_year
    if year is None:
        raise UsageError("usage.no_fiscal_year")
    return int(year)
