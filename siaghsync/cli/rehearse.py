"""The command `rehearse`."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from siaghsync.cli.build import document_rules, run_context
from siaghsync.cli.environment import agrees, answer_to, settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.cli.run import tell_changes
from siaghsync.domain.normalize import fold
from siaghsync.errors import UsageError
from siaghsync.features.rehearse.journal import Journal
from siaghsync.features.rehearse.render import as_json as rehearsal_as_json
from siaghsync.features.rehearse.render import as_text
from siaghsync.features.rehearse.run import SCRIPT_ERROR, Ask, Rehearsal
from siaghsync.features.rehearse.steps import Part, Step
from siaghsync.messages.catalog import cure, render
from siaghsync.messages.message import Message, msg
from siaghsync.report.streams import say, say_message, write_json
from siaghsync.report.terminal import show
from siaghsync.settings import Settings
from siaghsync.state.access import locked_state
from siaghsync.state.facts import PREINVOICE_CUSTOMER
from siaghsync.sync.context import RunReport
from siaghsync.sync.runner import closed_whatever_happens, log_in

app = new_app()
_ANSWERS: dict[str, type] = {PREINVOICE_CUSTOMER: str, SCRIPT_ERROR: bool}
_WORDS = {"y": True, "yes": True, "بله": True, "n": False, "no": False, "خیر": False}
_FAILED = ("unknown", "refused")


@app.command()
def rehearse(
    context: typer.Context,
    only: Annotated[
        str | None, typer.Option("--only", metavar="crm|contacts|documents", help="Only this part.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before each step.")] = False,
    answers: Annotated[
        Path | None,
        typer.Option("--answers", metavar="FILE", help="Read what a person has to say from this TOML file."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """`rehearse`. Creates the state file if there is none; the initial import is then still to be done."""
    if only not in (None, *get_args(Part)):
        raise UsageError("usage.parser", text=f"--only: {only}", command="siaghsync rehearse")
    settings, said = settings_of(context), _read(answers)
    if not (yes or sys.stdin.isatty()):
        raise UsageError("usage.nobody_to_confirm_rehearsal")
    raise typer.Exit(_carry_out(settings, only, said, yes=yes, as_json=as_json))  # type: ignore[arg-type]


def _carry_out(settings: Settings, only: Part | None, said: Mapping[str, Any], *, yes: bool, as_json: bool) -> int:
    with (
        stop_on_signal() as stop,
        locked_state(settings.siaghsync_state, create=True) as state,
        run_context(settings, state, "rehearse", stop.event) as context,
    ):
        journal, report = Journal(state), RunReport(context.staging)
        _tell_earlier(journal)
        tell_changes(state)
        with closed_whatever_happens(context, report):
            year = log_in(context, report).fiscal_year
            codes = document_rules(settings, state)()
            rehearsal = Rehearsal(context, only, _agree if yes else _ask_first, _asking(said), codes, journal, year)
            if not (said and rehearsal.settle()):
                rehearsal.run()
        failed = any(done.outcome in _FAILED for done in rehearsal.steps)
        run = context.run.finish("partial" if failed else "ok", report.summary(context.sessions))
        if as_json:
            write_json(rehearsal_as_json(run, rehearsal.steps, journal.records, rehearsal.facts))
        else:
            show(*as_text(rehearsal.steps, journal.records, rehearsal.facts))
        return stop.exit_code or int(failed)


def _tell_earlier(journal: Journal) -> None:
    """What an earlier rehearsal left behind, or may have if it was killed."""
    if journal.records:
        say_message(msg("rehearse.earlier", left=tuple(record.message for record in journal.records)))


def _read(path: Path | None) -> dict[str, Any]:
    """The answers in a file. Raises UsageError."""
    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UsageError("usage.bad_answers", file=str(path), problem=str(error)) from None
    if wrong := sorted(name for name, said in found.items() if type(said) is not _ANSWERS.get(name)):
        raise UsageError("usage.bad_answers", file=str(path), problem=", ".join(wrong))
    return found


def _agree(step: Step) -> bool:
    say_message(step.text)
    return True


def _ask_first(step: Step) -> bool:
    say_message(step.text)
    say(cure(step.text))
    return agrees()


def _asking(said: Mapping[str, Any]) -> Ask:
    def ask(question: str, about: Message) -> Any:
        say(render(about))
        say(render(about, "fa"))
        if question in said or not sys.stdin.isatty():
            return said.get(question)
        if _ANSWERS[question] is str:
            return answer_to(msg("rehearse.name_shown")) or None
        is_there = _yes_or_no(msg("rehearse.is_it_there"))
        return None if is_there is None else not is_there

    return ask


def _yes_or_no(question: Message) -> bool | None:
    """The answer in either language; None if Enter alone says that nobody knows."""
    while said := fold(answer_to(question)):
        if said in _WORDS:
            return _WORDS[said]
        say_message(msg("rehearse.yes_or_no"))
        say(render(msg("rehearse.yes_or_no"), "fa"))
    return None
