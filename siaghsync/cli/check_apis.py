"""The command `check-apis`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from siaghsync import clock
from siaghsync.cli.build import clients, document_rules, run_context
from siaghsync.cli.cool_down import cool_down, has_state
from siaghsync.cli.environment import is_running, settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, new_app
from siaghsync.domain.site import BY_NAME, Site
from siaghsync.errors import LoginLocked, LoginRefused, SiaghsyncError, StateError, UsageError
from siaghsync.features.check_apis.collect import ApiProbe, expected
from siaghsync.features.check_apis.render import as_json as report_as_json
from siaghsync.features.check_apis.render import as_text
from siaghsync.features.check_apis.rules import (
    ApiReport,
    ConfigWarning,
    config_warnings,
    mapping_warnings,
    reading_warnings,
    scheme_warnings,
    unchecked,
)
from siaghsync.features.check_apis.suggest import mapping_text, places_of_pairs, types_of_documents
from siaghsync.messages.message import Message, msg
from siaghsync.report.streams import write_json, write_line
from siaghsync.report.terminal import show
from siaghsync.settings import Settings
from siaghsync.state import facts
from siaghsync.state.audit import stamp
from siaghsync.state.database import memory_state, open_state
from siaghsync.state.facts import Fact
from siaghsync.state.mappings import Mappings
from siaghsync.state.status import NOT_SCHEDULED, overview
from siaghsync.sync.context import RunReport
from siaghsync.sync.lists import read_both
from siaghsync.sync.runner import check_cool_down, log_in, remember_lock

app = new_app()
_FAILED = 3
SuggestOption = Annotated[
    bool,
    typer.Option("--suggest-mapping", help="Print a first mapping.toml from what both systems have, and nothing else."),
]
DeepOption = Annotated[bool, typer.Option("--deep", help="Also answer what needs whole lists.")]


@app.command()
def check_apis(
    context: typer.Context,
    as_json: JsonOption = False,
    deep: DeepOption = False,
    suggest_mapping: SuggestOption = False,
) -> None:
    """`check-apis`. Exit 3 if a system does not work."""
    settings = settings_of(context)
    if suggest_mapping:
        if as_json:
            raise UsageError("usage.mapping_is_no_json")
        write_line(_mapping(settings))
        return
    report = look(settings, threading.Event(), deep=deep)
    if as_json:
        write_json(report_as_json(report))
    else:
        show(*as_text(report))
    _told(settings.siaghsync_state, report)
    raise typer.Exit(0 if report.ok else _FAILED)


def _mapping(settings: Settings) -> str:
    """The text of a first mapping file; the state file is asked for its links only."""
    links: dict[str, int] = {}
    if has_state(settings.siaghsync_state):
        with closing(open_state(settings.siaghsync_state)) as state:
            links = {pair.crm_id: pair.finance_code for pair in Mappings(state).all()}
    with (
        closing(memory_state()) as state,
        stop_on_signal() as stop,
        run_context(settings, state, "check-apis", stop.event, dry_run=True) as run,
    ):
        with cool_down(settings.siaghsync_state):
            log_in(run, RunReport(run.staging))
        site = Site(run.rules.site.national_code_property)  # without codes every place counts as one that has none
        read_both(replace(run, rules=replace(run.rules, site=site)))
        votes, types = places_of_pairs(run.staging, run.rules.scheme, links), types_of_documents(run.crm)
        return mapping_text(votes, types, document_rules(settings, state)())


def look(settings: Settings, stop: threading.Event, *, deep: bool) -> ApiReport:
    """Looks at both systems and keeps what it learns. Once `stop` is set, nothing new is asked."""
    refusal, warnings = _refusal(settings.siaghsync_state)
    probe = ApiProbe(settings, clock.now, clock.monotonic, refusal, deep=deep)
    with clients(settings, stop) as systems:
        crm, finance = probe.crm(systems.crm, settings.document_sources), probe.finance(systems.finance)
    _note_lock(settings.siaghsync_state, probe.errors)
    measure = expected(settings, clock.now())
    warnings += config_warnings(crm.facts, finance.facts, measure)
    warnings += reading_warnings(probe.unread)
    warnings += scheme_warnings(probe.pairs.scheme, measure.scheme)
    codes = probe.place_codes if probe.parties.whole else None
    warnings += mapping_warnings(settings.mapping, probe.document_types, codes)
    known, changes = _facts(settings, probe)
    warnings += [ConfigWarning("state", "fact_changed", change) for change in changes]
    warnings += _unscheduled(settings)
    return ApiReport(crm, finance, warnings, unchecked(crm.facts, measure), known)


def _refusal(path: Path) -> tuple[LoginRefused | None, list[ConfigWarning]]:
    """Why the CRM must not be asked now, if it must not. A state file that can't be used is only a warning here."""
    try:
        if has_state(path):
            with closing(open_state(path)) as state:
                check_cool_down(state, clock.now())
    except LoginRefused as error:
        return error, []
    except StateError as error:
        return None, [ConfigWarning("state", "state", error.message)]
    return None, []


def _unscheduled(settings: Settings) -> Iterator[ConfigWarning]:
    """Whether an import was done and no sync has come since."""
    path, interval = settings.siaghsync_state, settings.poll_interval_seconds
    if has_state(path):
        with suppress(StateError), closing(open_state(path)) as state:  # was a warning already
            found = overview(state, clock.now(), is_running=is_running(path), max_age=None, poll_interval=interval)
            yield from (
                ConfigWarning("state", "not_scheduled", each) for each in found.problems if each.code == NOT_SCHEDULED
            )


def _facts(settings: Settings, probe: ApiProbe) -> tuple[list[Fact], list[Message]]:
    """What is known now about the open questions, kept if there is a state file to keep it in; and which answers have changed
    since somebody was told."""
    at = stamp(clock.now())
    found = [Fact(question, answer, "probe", evidence, at) for question, answer, evidence in probe.answers]
    if probe.parties.verdict:
        found.append(facts.of_parties(probe.parties, at))
    if life := facts.of_session(probe.session_life_s, at):
        found.append(life)
    known, changes = {fact.question: fact for fact in found}, list[Message]()
    if has_state(settings.siaghsync_state):
        with suppress(StateError), closing(open_state(settings.siaghsync_state)) as state:  # was a warning already
            with state.atomic():
                for fact in found:
                    facts.learn(state, fact)
            changes = facts.untold(state)
            known |= {name: stored for name in BY_NAME if (stored := facts.find(state, name))}
    if settings.preinvoice_customer:
        question = facts.PREINVOICE_CUSTOMER
        known[question] = Fact(question, settings.preinvoice_customer, "setting", msg("facts.setting"), at)
    return list(known.values()), changes


def _told(path: Path, report: ApiReport) -> None:
    """The changed answers of the report were shown."""
    if changes := [warning.message for warning in report.warnings if warning.reason == "fact_changed"]:
        with closing(open_state(path)) as state:
            facts.told(state, changes)


def _note_lock(path: Path, errors: list[SiaghsyncError]) -> None:
    """The next runs leave an account alone that turned out to be locked, if there is a state file to note it in."""
    locked = next((error for error in errors if isinstance(error, LoginLocked)), None)
    if locked and has_state(path):
        with suppress(StateError), closing(open_state(path)) as state:  # was a warning already
            remember_lock(state, locked, clock.now())
