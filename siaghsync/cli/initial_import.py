"""The command `initial-import`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from siaghsync.cli.environment import agrees, settings_of
from siaghsync.cli.options import LARGEST, DryRunOption, JsonOption, PlanOption, SavePlanOption, new_app
from siaghsync.cli.plan_options import PlanOptions, run_plan
from siaghsync.cli.run import IMPORT, Output, carry_out
from siaghsync.domain.reasons import Operation
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message
from siaghsync.sync.context import PlanMode, RunContext, RunReport
from siaghsync.sync.importer import ImportOptions, ImportPlan
from siaghsync.sync.runner import Result, run_import

app = new_app()


@app.command()
def initial_import(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before writing.")] = False,
    dry_run: DryRunOption = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, max=LARGEST, metavar="N", help="Link or create at most N records.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although a brake stopped the run: a list much shorter than before.")
    ] = False,
    as_json: JsonOption = False,
    save_plan: SavePlanOption = None,
    plan: PlanOption = None,
) -> None:
    """`initial-import`. The option of a saved plan does not replace --limit: the plan holds what is left of it."""
    plans = PlanOptions(save_plan, plan)
    plans.check(dry_run=dry_run, limit=limit)
    settings = settings_of(context, save_plan)
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError("usage.nobody_to_confirm")
    options = ImportOptions(limit=limit, force=force, dry_run=dry_run)
    confirm = _agree if yes or dry_run else _ask

    def start(run: RunContext, report: RunReport, mode: PlanMode) -> Result:
        return run_import(run, report, options, confirm, mode)

    with run_plan(plans, limit=limit) as relation:
        output = Output(as_json, verbose=context.obj.verbose)
        raise typer.Exit(carry_out(IMPORT, settings, relation, output, start, dry_run=dry_run))


def _agree(_plan: ImportPlan) -> bool:
    return True


def _ask(plan: ImportPlan) -> bool:
    numbers = plan.planned
    say_message(
        msg(
            "cli.import_plan",
            creates=numbers[Operation.CREATE],
            links=numbers[Operation.LINK],
            linked_already=plan.linked_already,
            skips=numbers[Operation.SKIP],
            reviews=numbers[Operation.REVIEW],
            left=plan.left_for_later,
        )
    )
    return agrees()
