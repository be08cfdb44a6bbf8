"""The command `log`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from siaghsync import clock
from siaghsync.cli.environment import current_user, settings_of
from siaghsync.cli.options import LARGEST, JsonOption, new_app
from siaghsync.cli.times import moment_of
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.report.review import entry_as_json, failed_run_as_json, failed_runs_table, log_table
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import show
from siaghsync.settings import Settings
from siaghsync.state import runs
from siaghsync.state.access import locked_state
from siaghsync.state.audit import LogFilter, entries
from siaghsync.state.database import open_state
from siaghsync.state.maintenance import forget, prune

app = new_app()


@app.command()
def log(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option("--customer", metavar="NUMBER", help="Only this customer.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what went wrong or waits for a person.")] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="From then on: 12h, 2d, 2026-01-31, 1404-11-11 (Tehran)."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=1, max=LARGEST, metavar="N", help="At most N lines, the newest.")
    ] = 50,
    prune_before: Annotated[
        str | None,
        typer.Option("--prune-before", metavar="WHEN", help="Remove what is older instead; never links or open items."),
    ] = None,
    forget_number: Annotated[
        str | None,
        typer.Option(
            "--forget",
            metavar="NUMBER",
            help="Take this customer's values out of all that is settled instead; what happened and when stays.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`log`, or with --prune-before or --forget the removal of what it holds."""
    settings = settings_of(context)
    is_filtered = customer is not None or failed or since is not None
    if is_filtered and (prune_before is not None or forget_number is not None):
        raise UsageError("usage.prune_with_filter")
    if prune_before is not None and forget_number is not None:
        raise UsageError("usage.prune_or_forget")
    if forget_number is not None:
        _forget(settings, forget_number, as_json=as_json)
    elif prune_before is None:
        wanted = LogFilter(customer, failed, moment_of(since, "--since") if since else None, limit)
        _show(settings, wanted, as_json=as_json)
    else:
        _prune(settings, prune_before, as_json=as_json)


def _show(settings: Settings, wanted: LogFilter, *, as_json: bool) -> None:
    with closing(open_state(settings.siaghsync_state)) as state:
        found = entries(state, wanted)
        failed = runs.failed(state, wanted.since, wanted.limit) if wanted.customer is None else []
    if as_json:
        lines, bad = map(entry_as_json, found), map(failed_run_as_json, failed)
        write_json({"entries": list(lines), "failed_runs": list(bad)})
    else:
        show(*(log_table(found) if found or not failed else []), *failed_runs_table(failed))


def _prune(settings: Settings, when: str, *, as_json: bool) -> None:
    before = moment_of(when, "--prune-before")
    if before > clock.now():
        raise UsageError("usage.in_the_future", option="--prune-before", value=when)
    with locked_state(settings.siaghsync_state) as state:
        pruned = prune(state, before, clock.now(), current_user())
    if as_json:
        write_json({"before": before.isoformat(timespec="seconds"), "pruned": pruned.as_json()})
    else:
        say_message(msg("cli.pruned", what=pruned.message))


def _forget(settings: Settings, number: str, *, as_json: bool) -> None:
    with locked_state(settings.siaghsync_state) as state:
        forgotten = forget(state, number, clock.now(), current_user())
    if as_json:
        write_json({"customer": number, "forgotten": forgotten.as_json()})
    else:
        say_message(msg("cli.forgotten", number=number, what=forgotten.message))
