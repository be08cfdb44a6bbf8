"""What a run works with, what restricts what it does, and what it has to tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from siaghsync.clock import Reading
from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.domain.action import Action, Counts, Entity
from siaghsync.domain.document import DocumentSource
from siaghsync.errors import Interrupted, System
from siaghsync.messages.message import Message
from siaghsync.planning.cases import PlanRules
from siaghsync.state import pauses
from siaghsync.state.audit import Outcome, Run
from siaghsync.state.cursors import Cursors
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.staging import Staging
from siaghsync.sync.one_record import OneRecord
from siaghsync.sync.records_by_id import RecordsById

_CHANGES = "changes"


@dataclass(slots=True)
class RunReport:
    """Filled while a run goes on, shown at its end. The changes lie in a staging table, so that memory stays flat."""

    staging: Staging
    counts: dict[Entity, Counts] = field(default_factory=lambda: {"customer": Counts(), "invoice": Counts()})
    failures: list[dict[str, Any]] = field(default_factory=list)
    """Entries of `changes` with `name`, `reason` and `message` (a Message) of what failed or has to wait."""
    notices: list[Message] = field(default_factory=list)
    """What is worth a line in the log without being about a record of this run."""
    warnings: list[Message] = field(default_factory=list)
    """What an administrator should know of although the run goes on."""
    new_reviews: int = 0
    refusals: int = 0
    """Actions of a saved plan that could not be carried out as they stand there."""
    left_over: bool = False
    """Whether records that are due were left to the next run for lack of time."""
    reached: set[System] = field(default_factory=set)
    """Systems that have accepted the login of this run."""

    def tell(self, action: Action, *, planned: bool = False) -> None:
        """Counts an action as done (in a dry run: as `planned`) and adds it to the changes."""
        self.counts[action.entity].count(action.operation)
        self.staging.put(_CHANGES, action.as_change(with_names=planned))

    def tell_unchanged(self, entity: Entity, count: int = 1) -> None:
        """Counts records that were looked at and need nothing."""
        self.counts[entity].unchanged += count

    def tell_failure(self, action: Action, reason: str, message: Message) -> None:
        """Counts a record that failed in this run, or has to wait, and will be tried again."""
        self.counts[action.entity].failed += 1
        entry = {**action.as_change(), "name": action.name, "reason": str(reason), "message": message}
        self.failures.append(entry)

    def forget_failures(self) -> None:
        """Takes back what was told of failures: the same records are told of again, as they stand then."""
        for entry in self.failures:
            self.counts[entry["entity"]].failed -= 1
        self.failures.clear()

    def changes(self) -> Iterator[dict[str, Any]]:
        """All changes as in the JSON of a run, in the order in which they were told."""
        return self.staging.sheet(_CHANGES)

    def outcome(self, *, cancelled: bool) -> Outcome:
        """partial if a record failed, was refused or newly waits for a person, or a signal asked for the end."""
        failed = any(counts.failed for counts in self.counts.values())
        return "partial" if failed or self.refusals or self.new_reviews or cancelled else "ok"

    def summary(self, sessions: Mapping[System, HttpSession]) -> dict[str, Any]:
        """Counts and requests as in the JSON of a run."""
        return {
            "customers": self.counts["customer"].as_json(),
            "invoices": self.counts["invoice"].as_json(),
            "requests": {system: session.sent for system, session in sessions.items()},
        }


Progress = Callable[[str, int, int | None], None]
"""Told (a code of the catalog's chapter `progress`, how many are done, of how many or None) as work goes on."""

_PAUSED = ("sync", "webhook")
"""An import or undo is watched by whoever started it: it goes on through a pause."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that bound a run. `grace_seconds` is UNKNOWN_GRACE_SECONDS."""

    concurrency: int = 8
    max_attempts: int = 3
    grace_seconds: float = 600
    max_creates: int = 500
    max_updates: int = 500
    keep_days: int = 730


@dataclass(frozen=True, slots=True)
class RunContext:
    """The tools of one run. `cancel` is set when a signal asks for the end; `monotonic` and `read_clocks` are those of
    `siaghsync.clock`."""

    run: Run
    crm: Payamgostar
    by_id: RecordsById
    finance: Siagh
    sessions: Mapping[System, HttpSession]
    rules: PlanRules
    limits: Limits
    staging: Staging
    cancel: threading.Event
    progress: Progress
    monotonic: Callable[[], float]
    read_clocks: Callable[[], Reading]

    @property
    def state(self) -> State:
        """The state file."""
        return self.run.state

    @property
    def mappings(self) -> Mappings:
        """The linked pairs."""
        return Mappings(self.run.state)

    @property
    def cursors(self) -> Cursors:
        """How far the CRM has been read."""
        return Cursors(self.run.state)

    @property
    def posted(self) -> PostedDocuments:
        """The documents that were posted."""
        return PostedDocuments(self.run.state)

    def clocks(self, system: System) -> Reading:
        """What all clocks showed at a system's last answer; now, without its own, if its answers bear no date."""
        return self.sessions[system].clocks or self.read_clocks()

    def stop_if_cancelled(self) -> None:
        """Raises Interrupted if a signal asked for the end."""
        if self.cancel.is_set():
            raise Interrupted(130)

    def stop_if_paused(self) -> None:
        """Raises Paused if a pause has begun, and this is one of the runs that nobody watches."""
        if self.run.command in _PAUSED and (pause := pauses.current(self.state, self.run.now())):
            raise pause.error


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a sync was asked for. `customers` says whether changed customers are read, `sources` which documents are.

    `switched_off` are those that the settings leave out, whatever a run is asked for. `only_waiting` leaves the CRM's lists
    alone: what waits for a try is all that is looked at. With `all_customers` their whole lists are read, which is cheaper than
    to ask for many one by one. What is not looked at by `until` (seconds of `RunContext.monotonic`) stays for the next run. With
    `wanted` just that record is looked at, and nothing that waits. One of `verify_parts` of the linked customers is compared,
    changed or not; 0: none is.
    """

    full: bool = False
    force: bool = False
    dry_run: bool = False
    customers: bool = True
    sources: tuple[DocumentSource, ...] = ("quote", "invoice")
    switched_off: tuple[DocumentSource, ...] = ()
    only_waiting: bool = False
    all_customers: bool = False
    until: float | None = None
    wanted: OneRecord | None = None
    verify_parts: int = 0

    @property
    def looks_at_all(self) -> bool:
        """Whether every customer is compared, changed or not."""
        return self.full or self.all_customers


class PlanMode(Protocol):
    """What a run may do of what it plans: everything, or only what a saved plan holds."""

    @property
    def follows_plan(self) -> bool:
        """Whether a saved plan restricts the run. Such a run has not dealt with all that it read."""

    def allows(self, action: Action) -> bool:
        """Asked once about each planned action, before it is counted, told or carried out."""

    def finish(self, run: Run, report: RunReport) -> None:
        """Called when everything was planned and carried out, before the run is closed."""


class Unrestricted:
    """The usual mode: everything that is planned may be done."""

    follows_plan = False

    def allows(self, action: Action) -> bool:
        """True for every action."""
        return True

    def finish(self, run: Run, report: RunReport) -> None:
        """Nothing is left to do."""
