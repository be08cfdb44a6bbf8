"""The command group `review`: the records that wait for a person, and the ways out."""

from __future__ import annotations

import threading
from contextlib import closing
from typing import Annotated

import typer

from siaghsync.cli.build import run_context
from siaghsync.cli.environment import settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.domain.reasons import Resolution
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.report.review import entry_as_json, review_as_json, review_list, review_page
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import show
from siaghsync.settings import Settings
from siaghsync.state import reviews
from siaghsync.state.access import locked_state
from siaghsync.state.audit_log import of_record
from siaghsync.state.database import open_state
from siaghsync.sync.decisions import Decision, open_review, resolve
from siaghsync.sync.report import RunReport
from siaghsync.sync.runner import closed_whatever_happens, log_in

app = new_app(invoke_without_command=True)


@app.callback()
def review(context: typer.Context, as_json: JsonOption = False) -> None:
    """`review` without a command: the list."""
    if context.invoked_subcommand is not None:
        return
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        items = reviews.open_items(state)
    if as_json:
        write_json({"items": [review_as_json(item) for item in items]})
    else:
        show(*review_list(items))


@app.command("show")
def show_one(
    context: typer.Context, review_id: Annotated[int, typer.Argument(metavar="ID")], as_json: JsonOption = False
) -> None:
    """Show one review: both sides, the difference, and what happened so far."""
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        found = reviews.get(state, review_id)
        if found is None:
            raise UsageError("usage.no_review", id=review_id)
        history = of_record(state, found.entity, found.crm_id, found.finance_code)
    if as_json:
        lines = [entry_as_json(line) for line in history]
        write_json({"item": review_as_json(found), "details": found.details, "history": lines})
    else:
        show(*review_page(found, history))


@app.command("resolve")
def resolve_some(
    context: typer.Context,
    ids: Annotated[list[int], typer.Argument(metavar="ID...")],
    retry: Annotated[bool, typer.Option("--retry", help="Try again in the next run.")] = False,
    link: Annotated[
        str | None,
        typer.Option("--link", metavar="CODE", help="It is this finance contact (after an import: this CRM number)."),
    ] = None,
    recreate: Annotated[
        bool, typer.Option("--recreate", help="Make the contact anew in Siagh, in the next run.")
    ] = False,
    unlink: Annotated[
        bool, typer.Option("--unlink", help="End the link; the customer is looked at as an unlinked one.")
    ] = False,
    posted: Annotated[
        str | None, typer.Option("--posted", metavar="NUMBER", help="The pre-invoice is there, under this number.")
    ] = None,
    discard: Annotated[
        bool, typer.Option("--discard", help="Leave it as it is; ask again only if it changes.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide one or more reviews."""
    decision = _decision(retry=retry, link=link, recreate=recreate, unlink=unlink, posted=posted, discard=discard)
    if decision.resolution in (Resolution.LINK, Resolution.POSTED) and len(ids) > 1:
        raise UsageError("usage.one_review_only", way=str(decision.resolution))
    with stop_on_signal() as stop:
        decide(settings_of(context), ids, decision, stop.event)
    if as_json:
        write_json({"resolved": ids, "way_out": decision.resolution})
    else:
        say_message(msg("cli.resolved", ids=", ".join(map(str, ids))))


def _decision(
    *, retry: bool, link: str | None, recreate: bool, unlink: bool, posted: str | None, discard: bool
) -> Decision:
    """The one decision among the options. Raises UsageError if there is none or more than one."""
    given = [
        *([Decision(Resolution.RETRY)] if retry else []),
        *([Decision(Resolution.LINK, link)] if link is not None else []),
        *([Decision(Resolution.RECREATE)] if recreate else []),
        *([Decision(Resolution.UNLINK)] if unlink else []),
        *([Decision(Resolution.POSTED, posted)] if posted is not None else []),
        *([Decision(Resolution.DISCARD)] if discard else []),
    ]
    if len(given) != 1:
        raise UsageError("usage.exactly_one_way_out")
    return given[0]


def decide(
    settings: Settings, ids: list[int], decision: Decision, stop: threading.Event, who: str | None = None
) -> None:
    """Carries out a decision about reviews, made by `who`, by default this process's user.

    Raises LockHeld if a run is at work, UsageError if the decision does not fit, CallError if a system can't be asked.
    """
    with locked_state(settings.siaghsync_state) as state:
        with run_context(settings, state, "review resolve", stop, who=who) as run:
            report = RunReport(run.staging)
            with closed_whatever_happens(run, report):
                found = [open_review(state, review_id) for review_id in ids]
                if decision.resolution is Resolution.LINK:
                    log_in(run, report)
                for each in found:
                    resolve(run, each, decision)
                run.run.finish("ok", {})
