"""The command group `review`: the records that wait for a person, and the ways out."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from typing import Annotated

import typer

from siaghsync import clock
from siaghsync.cli.build import run_context
from siaghsync.cli.environment import agrees, current_user, settings_of, stop_on_signal
from siaghsync.cli.options import LARGEST, JsonOption, ReviewId, new_app
from siaghsync.domain.reasons import Resolution
from siaghsync.errors import LockHeld, UsageError
from siaghsync.messages.message import msg
from siaghsync.report.review import decision_as_json, entry_as_json, review_as_json, review_list, review_page
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import show
from siaghsync.settings import Settings
from siaghsync.state import reviews
from siaghsync.state.access import locked_state
from siaghsync.state.audit import Run, of_record, stamp
from siaghsync.state.database import open_state
from siaghsync.sync.context import RunReport
from siaghsync.sync.decisions import FAR, Decision, Refused, keep, noting, open_review, resolve
from siaghsync.sync.reopening import reopen, withdraw
from siaghsync.sync.runner import closed_whatever_happens, log_in

app = new_app(invoke_without_command=True)


@app.callback()
def review(context: typer.Context, as_json: JsonOption = False) -> None:
    """`review` without a command: the list."""
    if context.invoked_subcommand is not None:
        return
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        items, decided = reviews.open_items(state), reviews.stored(state)
        names = reviews.customer_names(state, [*items, *(each.review for each in decided)])
    if as_json:
        told = [review_as_json(item, names) for item in items]
        write_json({"items": told, "decided": [decision_as_json(each, names) for each in decided]})
    else:
        show(*review_list(items, names, decided))


@app.command("show")
def show_one(context: typer.Context, review_id: ReviewId, as_json: JsonOption = False) -> None:
    """Show one review: both sides, the difference, and what happened so far."""
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        found = reviews.get(state, review_id)
        if found is None:
            raise UsageError("usage.no_review", id=review_id)
        history = of_record(state, found.entity, found.crm_id, found.finance_code)
        names = reviews.customer_names(state, [found])
    if as_json:
        lines = [entry_as_json(line) for line in history]
        write_json({"item": review_as_json(found, names), "details": found.details, "history": lines})
    else:
        show(*review_page(found, history))


@app.command("resolve")
def resolve_some(
    context: typer.Context,
    ids: Annotated[list[int], typer.Argument(metavar="ID...", min=1, max=LARGEST)],
    retry: Annotated[bool, typer.Option("--retry", help="Try again in the next run.")] = False,
    link: Annotated[
        str | None,
        typer.Option(
            "--link", metavar="CODE", help="It is this finance contact (after an import: this CRM number or id)."
        ),
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
    corrected: Annotated[
        bool, typer.Option("--corrected", help="Somebody put the posted pre-invoice right in Siagh.")
    ] = False,
    discard: Annotated[
        bool, typer.Option("--discard", help="Leave it as it is; ask again only if it changes.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Take a pre-invoice number that is far from those posted around that time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Decide one or more reviews: at once, or while a run is at work in the next one."""
    decision = _decision(
        {
            Resolution.RETRY: retry,
            Resolution.LINK: link,
            Resolution.RECREATE: recreate,
            Resolution.UNLINK: unlink,
            Resolution.POSTED: posted,
            Resolution.CORRECTED: corrected,
            Resolution.DISCARD: discard,
        },
        force=force,
    )
    if decision.resolution in (Resolution.LINK, Resolution.POSTED) and len(ids) > 1:
        raise UsageError("usage.one_review_only", way=str(decision.resolution))
    at_once = _decide_or_ask(settings_of(context), ids, decision)
    if as_json:
        write_json({"resolved" if at_once else "stored": ids, "way_out": decision.resolution})
    else:
        say_message(msg("cli.resolved" if at_once else "cli.decision_stored", ids=", ".join(map(str, ids))))


def _decide_or_ask(settings: Settings, ids: list[int], decision: Decision) -> bool:
    """As `decide`; somebody at a terminal is asked once more about a far number."""
    with stop_on_signal() as stop:
        try:
            return decide(settings, ids, decision, stop.event)
        except UsageError as error:
            if error.message.code != FAR or not _agrees(error):
                raise
        return decide(settings, ids, replace(decision, force=True), stop.event)


def _agrees(doubt: UsageError) -> bool:
    """Whether the person at the terminal, if there is one, says yes all the same."""
    if not sys.stdin.isatty():
        return False
    say_message(doubt.message)
    return agrees()


@app.command("reopen")
def reopen_one(context: typer.Context, review_id: ReviewId, as_json: JsonOption = False) -> None:
    """Take a decision back, as long as nothing was sent because of it."""
    take_back(settings_of(context), review_id, current_user())
    if as_json:
        write_json({"reopened": review_id})
    else:
        say_message(msg("cli.reopened", id=review_id))


def _decision(options: Mapping[Resolution, bool | str | None], *, force: bool) -> Decision:
    """The one decision among the options. Raises UsageError if there is none or more than one."""
    given = [
        Decision(way, value if isinstance(value, str) else "", force=force)
        for way, value in options.items()
        if value not in (None, False)
    ]
    if len(given) != 1:
        raise UsageError("usage.exactly_one_way_out")
    return given[0]


def decide(
    settings: Settings,
    ids: list[int],
    decision: Decision,
    stop: threading.Event,
    who: str | None = None,
    refused: Refused | None = None,
) -> bool:
    """Carries out a decision about reviews, made by `who`, by default this process's user. Returns whether it did: while a run is
    at work, the decision is stored for the next one.

    Raises UsageError if the decision does not fit, unless that is to be noted in `refused`; CallError if a system can't be
    asked.
    """
    path = settings.siaghsync_state
    with ExitStack() as held:
        try:
            state = held.enter_context(locked_state(path))
        except LockHeld:
            with closing(open_state(path)) as shared:
                keep(shared, ids, decision, stamp(clock.now()), who or current_user(), refused)
            return False
        with run_context(settings, state, "review resolve", stop, who=who) as run:
            report = RunReport(run.staging)
            with closed_whatever_happens(run, report):
                found = []
                for review_id in ids:
                    with noting(refused, review_id):
                        found.append(open_review(state, review_id))
                if decision.resolution is Resolution.LINK:
                    log_in(run, report)
                for each in found:
                    with noting(refused, each.id):
                        resolve(run, each, decision)
                run.run.finish("ok", {})
    return True


def take_back(settings: Settings, review_id: int, who: str) -> None:
    """Takes a decision back in the name of `who`: one that is stored at any time, one that was carried out between two runs.

    Raises LockHeld if a run is at work, UsageError if there is no decision or something was sent because of it.
    """
    path = settings.siaghsync_state
    with closing(open_state(path)) as state:
        if withdraw(state, review_id):
            return
    with locked_state(path) as state:
        review = reviews.get(state, review_id)
        if review is None:
            raise UsageError("usage.no_review", id=review_id)
        run = Run(state, "review reopen", clock.now, who)
        try:
            reopen(run, review)
        except UsageError as error:
            run.finish("failed", {}, error.message)
            raise
        run.finish("ok", {})
