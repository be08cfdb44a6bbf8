"""The command `sync`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from siaghsync.cli.build import document_rules
from siaghsync.cli.environment import settings_of
from siaghsync.cli.options import DryRunOption, JsonOption, PlanOption, SavePlanOption, new_app
from siaghsync.cli.plan_options import PlanOptions, run_plan
from siaghsync.cli.run import Output, carry_out
from siaghsync.sync.context import PlanMode, RunContext
from siaghsync.sync.reading import SyncOptions
from siaghsync.sync.report import RunReport
from siaghsync.sync.runner import Result, run_sync

app = new_app()


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
    chosen = only.value if only else None
    plans.check(dry_run=dry_run, full=full, only=chosen)
    settings = settings_of(context, save_plan)
    with run_plan(plans, full=full, only=chosen) as relation:
        looked_at = relation.options.get("only")
        options = SyncOptions(
            full=bool(relation.options.get("full")),
            force=force,
            dry_run=dry_run,
            customers=looked_at != Only.INVOICES,
            sources=() if looked_at == Only.CUSTOMERS else settings.document_sources,
            switched_off=settings.switched_off,
        )

        def start(run: RunContext, report: RunReport, mode: PlanMode) -> Result:
            return run_sync(run, report, options, document_rules(settings, run.state), mode)

        output = Output(as_json, quiet, context.obj.verbose)
        raise typer.Exit(carry_out("sync", settings, relation, output, start, dry_run=dry_run))
