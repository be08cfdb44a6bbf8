"""The command group `report`: lists for people who tick things off. Declared here, put into the command line by `cli`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from siaghsync.cli.base import Call, document_sources, engine_for, now, posting_start, stop_on_signal
from siaghsync.errors import LoginLocked, UsageError
from siaghsync.report.terminal import progress_bar, say, show, write_json

if TYPE_CHECKING:
    from siaghsync.features.invoice_report.collect import Ledger
    from siaghsync.features.invoice_report.sums import Sums
    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.sync.context import Engine

group = typer.Typer(help="Reports for people who tick things off. They write nothing.", no_args_is_help=True)


@group.command("invoices")
def invoices_command(
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
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Each CRM document of a fiscal year, what became of it in Finance, and sums per month and sale model."""
    invoices(context.obj, year=year, csv=csv, as_json=as_json)


def invoices(call: Call, *, year: int | None, csv: Path | None, as_json: bool) -> None:
    """`report invoices`. Neither takes the lock nor writes into the state file, so it can run beside a sync."""
    from siaghsync.features.invoice_report.render import invoice_tables
    from siaghsync.state.state_file import memory_state, open_state

    settings = call.settings()
    state, own = open_state(settings.siaghsync_state), memory_state()
    try:
        with (
            stop_on_signal() as stop,
            progress_bar(wanted=not as_json) as progress,
            engine_for(settings, own, "report invoices", stop.event, progress, dry_run=True) as engine,
        ):
            ledger, sums = _read(engine, state, settings, year)
        bad = ledger.not_understood()
        if csv:
            _write_csv(csv, ledger.lines())
        if as_json:
            head = {"year": ledger.year, "counts": {**sums.counts(), "not_understood": len(bad)}}
            write_json(head, documents=ledger.lines(), sums=sums.rows(), not_understood=bad)
        else:
            show(*invoice_tables(ledger.year, sums.counts(), list(sums.rows()), ledger.lines(), bad))
        if csv:
            say(f"{sums.counts()['documents']} documents were written to {csv}.")
    finally:
        own.close()
        state.close()


def _read(engine: Engine, state: State, settings: Settings, year: int | None) -> tuple[Ledger, Sums]:
    from siaghsync.features.invoice_report.collect import Ledger
    from siaghsync.features.invoice_report.rules import LineRules

    rules = LineRules(settings.invoice_states, posting_start(settings, state), settings.preinvoice_sale_model)
    _log_in(engine, state)
    ledger = Ledger(engine, state, rules, year or _year_of_siagh(engine))
    return ledger, ledger.read(document_sources(settings))


def _log_in(engine: Engine, state: State) -> None:
    from siaghsync.sync.runner import check_cool_down, remember_lock

    check_cool_down(state, now())
    try:
        engine.crm.login()
    except LoginLocked as error:
        remember_lock(state, error, now())
        raise


def _year_of_siagh(engine: Engine) -> int:
    """The fiscal year that the session posts in. Raises UsageError if Siagh names none."""
    found = engine.siagh.login().fiscal_year
    if found is None:
        raise UsageError("Siagh does not say which fiscal year it posts in.", "Name the year: --year 1404.")
    return int(found)


def _write_csv(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Every line, with the mark in front by which spreadsheets know UTF-8. Raises UsageError."""
    import csv

    from siaghsync.features.invoice_report.rules import CSV_COLUMNS, csv_cells

    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(CSV_COLUMNS)
            writer.writerows(csv_cells(line) for line in lines)
    except OSError as error:
        raise UsageError(
            f"{path} can't be written: {error.strerror}.", "Name a file in a folder you may write to."
        ) from None
