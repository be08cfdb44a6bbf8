"""What all commands share on the command line: the options before the command, common options, and how one is declared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from siaghsync.errors import UsageError
from siaghsync.report.streams import say


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that stand before the command."""

    env_file: Path | None = None
    state: Path | None = None
    verbose: bool = False


LARGEST = 2**63 - 1
"""The largest number that the state file can hold."""
ReviewId = Annotated[int, typer.Argument(metavar="ID", min=1, max=LARGEST)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would be done; write nothing.")]
SavePlanOption = Annotated[
    Path | None, typer.Option("--save-plan", metavar="FILE", help="With --dry-run: keep the plan in this file.")
]
PlanOption = Annotated[
    Path | None, typer.Option("--plan", metavar="FILE", help="Carry out exactly this plan; refuse what has changed.")
]


def new_app(**how: Any) -> typer.Typer:
    """A typer application in our style: plain help without completion options, and no traceback of typer's own."""
    style: dict[str, Any] = {"add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
    return typer.Typer(**{**style, **how})


def help_without_command(context: typer.Context) -> None:
    """Ends a group that was called without a command: help on stderr, as wrong use."""
    if context.invoked_subcommand is None:
        say(context.get_help())
        raise typer.Exit(UsageError.exit_code)
