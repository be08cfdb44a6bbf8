"""The command `undo`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import closing
from typing import Annotated

import typer

from siaghsync.cli.environment import agrees, is_running, settings_of
from siaghsync.cli.options import DryRunOption, JsonOption, new_app
from siaghsync.cli.plan_options import RunPlan
from siaghsync.cli.run import Output, carry_out
from siaghsync.domain.reasons import Operation
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.report.streams import say_message
from siaghsync.state.database import open_state
from siaghsync.sync.context import PlanMode, RunContext, RunReport
from siaghsync.sync.runner import UNDO, Result, run_undo, undoable

app = new_app()


@app.command()
def undo(
    context: typer.Context,
    run_id: Annotated[int, typer.Argument(metavar="RUN", help="The number of the run, as `log` and `status` show it.")],
    dry_run: DryRunOption = False,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask before writing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """`undo`."""
    settings = settings_of(context)
    path = settings.siaghsync_state
    with closing(open_state(path)) as state:
        found = undoable(state, run_id, at_work=is_running(path))
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError("usage.nobody_to_confirm_undo")
    confirm = _agree if yes or dry_run else _ask

    def start(run: RunContext, report: RunReport, _mode: PlanMode) -> Result:
        return run_undo(run, report, found, confirm, only_told=dry_run)

    output = Output(as_json, verbose=context.obj.verbose)
    raise typer.Exit(carry_out(UNDO, settings, RunPlan({}), output, start, dry_run=dry_run, check=_nothing_more))


def _nothing_more(_state: object) -> None:
    """What a run did can be undone also while the import counts as not done."""


def _agree(_counts: Mapping[str, int]) -> bool:
    return True


def _ask(counts: Mapping[str, int]) -> bool:
    steps = {name: counts[operation] for name, operation in _STEPS.items()}
    say_message(msg("cli.undo_plan", **steps))
    return agrees()


_STEPS = {
    "restores": Operation.RESTORE,
    "deletes": Operation.DELETE,
    "unlinks": Operation.UNLINK,
    "left": Operation.SKIP,
}
