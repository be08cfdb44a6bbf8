"""What all commands share on the command line: common options, and ages and moments as people type them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from siaghsync import clock
from siaghsync.errors import UsageError
from siaghsync.messages.calendar import TEHRAN
from siaghsync.report.terminal import say
from siaghsync.settings import either_calendar


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


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_AGE = re.compile(r"(\d+(?:\.\d+)?)([smhd]?)")
_LONGEST_AGE = 1e9


def seconds_of(age: str) -> float:
    """An age like `15m` in seconds; a number alone is seconds. Raises UsageError."""
    found = _AGE.fullmatch(age.strip())
    if not found:
        raise UsageError("usage.not_an_age", option="--max-age", value=age)
    return float(found[1]) * _SECONDS.get(found[2], 1)


def moment_of(text: str, option: str) -> datetime:
    """A moment (aware UTC) that the user gave for `option`: an age (`12h`), or a date or time in either calendar, by Tehran's
    clock. Raises UsageError."""
    text = text.strip()
    found = _AGE.fullmatch(text)
    if found and found[2] and (seconds := seconds_of(text)) < _LONGEST_AGE:
        return clock.now() - timedelta(seconds=seconds)
    try:
        day, _, time = text.replace(" ", "T").partition("T")
        date = either_calendar(day)
        parsed = datetime.fromisoformat(f"{date.isoformat()}T{time}" if time else date.isoformat())
    except ValueError:
        raise UsageError("usage.not_a_time", option=option, value=text) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=TEHRAN)).astimezone(UTC)
