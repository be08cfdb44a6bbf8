"""The command `sync`."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Literal

import typer

from siaghsync.cli.build import document_rules
from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import DryRunOption, JsonOption, PlanOption, SavePlanOption, new_app
from siaghsync.cli.plan_options import PlanOptions, run_plan
from siaghsync.cli.run import Output, carry_out
from siaghsync.errors import UsageError
from siaghsync.settings import Settings
from siaghsync.sync.context import PlanMode, RunContext, RunReport, SyncOptions
from siaghsync.sync.one_record import OneRecord
from siaghsync.sync.runner import Result, run_sync

app = new_app()


_ONE_RECORD: tuple[Literal["customer", "document", "id"], ...] = ("customer", "document", "id")


class Only(StrEnum):
    """What `--only` can be told."""

    CUSTOMERS = "customers"
    INVOICES = "invoices"


@app.command()
def sync(
    context: typer.Context,
    dry_run: DryRunOption = False,
    full: Annotated[bool, typer.Option("--full", help="Look at every CRM record, not only at changed ones.")] = False,
    only: Annotated[Only | None, typer.Option("--only", help="Only customers, or only invoices.")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer", metavar="NUMBER", help="Just this customer, changed or not.")
    ] = None,
    document: Annotated[
        str | None,
        typer.Option("--document", metavar="NUMBER", help="Just the documents with this number, changed or not."),
    ] = None,
    crm_id: Annotated[
        str | None, typer.Option("--id", metavar="GUID", help="Just the record with this CRM id, changed or not.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="Go on although a brake stopped the run: a list much shorter than before, or more creates or updates than "
            "MAX_CREATES_PER_RUN or MAX_UPDATES_PER_RUN.",
        ),
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print nothing at all if all went well.")] = False,
    as_json: JsonOption = False,
    save_plan: SavePlanOption = None,
    plan: PlanOption = None,
) -> None:
    """`sync`. The options of a saved plan replace --full and --only."""
    plans = PlanOptions(save_plan, plan)
    only_word = only.value if only else None
    asked = {"full": full, "only": only_word, "customer": customer, "document": document, "id": crm_id}
    plans.check(dry_run=dry_run, **asked)
    settings = settings_of(context, save_plan, quiet=quiet)
    with run_plan(plans, **asked) as relation:
        options = _sync_options(settings, relation.options, force=force, dry_run=dry_run)

        def start(run: RunContext, report: RunReport, mode: PlanMode) -> Result:
            return run_sync(run, report, options, document_rules(settings, run.state), mode)

        output = Output(as_json, quiet, context.obj.verbose)
        raise typer.Exit(carry_out("sync", settings, relation, output, start, dry_run=dry_run))


def _sync_options(settings: Settings, asked: Mapping[str, Any], *, force: bool, dry_run: bool) -> SyncOptions:
    only = asked.get("only")
    return SyncOptions(
        full=bool(asked.get("full")),
        force=force,
        dry_run=dry_run,
        customers=only != Only.INVOICES,
        sources=() if only == Only.CUSTOMERS else settings.document_sources,
        switched_off=settings.switched_off,
        wanted=_wanted(asked),
        verify_parts=0 if asked.get("full") else settings.verify_per_run,
    )


def _wanted(options: Mapping[str, Any]) -> OneRecord | None:
    """The one record that is asked for. Raises UsageError if more than one is, or if `--full` or `--only` is given too."""
    ways = [OneRecord(by, options[by]) for by in _ONE_RECORD if options.get(by) is not None]
    if not ways:
        return None
    if len(ways) > 1 or options.get("full") or options.get("only"):
        raise UsageError("usage.one_record_alone")
    return ways[0]
