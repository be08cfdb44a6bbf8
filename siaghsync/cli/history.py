"""The commands about the past: `log` and `explain`. Declared here, put into the command line by `cli`."""

from __future__ import annotations

from contextlib import closing
from typing import Annotated

import typer

from siaghsync.cli.base import Call, actor, now
from siaghsync.errors import UsageError
from siaghsync.report.terminal import say, show, write_json


def log_command(
    context: typer.Context,
    customer: Annotated[str | None, typer.Option("--customer", metavar="NUMBER", help="Only this customer.")] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Only what went wrong or waits for a person.")] = False,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="WHEN", help="From then on: 12h, 2d, 2026-01-31, 1404-11-11 (Tehran)."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most N lines, the newest.")] = 50,
    prune_before: Annotated[
        str | None,
        typer.Option(
            "--prune-before", metavar="WHEN", help="Take out what is older instead; never links or open items."
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Show the audit trail: what was changed, when (Tehran time), from what to what, and why."""
    from siaghsync.cli.review import log

    if prune_before is None:
        code = log(context.obj, customer=customer, failed=failed, since=since, limit=limit, as_json=as_json)
        raise typer.Exit(code)
    if customer is not None or failed or since is not None:
        raise UsageError("--prune-before takes out all that is older.", "Leave --customer, --failed and --since out.")
    prune(context.obj, prune_before, as_json=as_json)


def prune(call: Call, when: str, *, as_json: bool) -> None:
    """`log --prune-before`."""
    from siaghsync.cli.review import moment
    from siaghsync.state.maintenance import describe, prune
    from siaghsync.state.state_file import open_state, run_lock

    before = moment(when)
    if before > now():
        raise UsageError(f"{when} lies in the future.", "Name a time in the past, 365d say.")
    path = call.settings().siaghsync_state
    with run_lock(path), closing(open_state(path)) as state:
        pruned = prune(state, before, now(), actor())
    if as_json:
        write_json({"before": before.isoformat(timespec="seconds"), "pruned": pruned.as_json()})
    else:
        say(f"Taken out: {describe(pruned)}.")


def explain_command(
    context: typer.Context,
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="A customer number, finance code, document number or CRM id.")
    ],
) -> None:
    """Tell the life of one customer or document in plain sentences: where it stands, what happened, who must act."""
    raise typer.Exit(explain(context.obj, number))


def explain(call: Call, number: str) -> int:
    """`explain`: returns the exit code."""
    from siaghsync.features.explain.render import story
    from siaghsync.state.record_history import dossiers
    from siaghsync.state.state_file import open_state

    with closing(open_state(call.settings().siaghsync_state)) as state:
        found = dossiers(state, number)
    if not found:
        say(
            f"Nothing is known of {number}: no run has linked, sent, skipped or put it aside.\n"
            "  What to do: check the number. `siaghsync verify` compares what is linked, `sync --full` looks at everything."
        )
        return 1
    for dossier in found:
        show(*story(dossier))
    return 0
