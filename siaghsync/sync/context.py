"""What every step of a run has at hand: the two systems, the state, the rules, the limits, the counts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.domain.action import Action, Counts, Entity
from siaghsync.domain.numbering import Rules
from siaghsync.errors import System
from siaghsync.state.audit import Outcome, Run
from siaghsync.state.mappings import Cursors, Mappings
from siaghsync.state.staging import Scratch
from siaghsync.wire.transport import Transport

Progress = Callable[[str, int, int | None], None]
"""Told (what is going on, how many are done, of how many or None) as work goes on."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings that bound a run."""

    concurrency: int = 8
    max_attempts: int = 3
    grace_seconds: float = 600
    max_creates: int = 500


@dataclass(slots=True)
class Engine:
    """One run at work. `stop` is set when a signal asks for the end."""

    run: Run
    crm: Payamgostar
    siagh: Siagh
    transports: Mapping[System, Transport]
    rules: Rules
    limits: Limits
    scratch: Scratch
    stop: threading.Event
    progress: Progress
    counts: dict[Entity, Counts] = field(default_factory=lambda: {"customer": Counts(), "invoice": Counts()})
    reached: set[System] = field(default_factory=set)
    """Systems that have accepted the login of this run."""
    failures: list[dict[str, Any]] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What is worth a line in the log without being about a record of this run."""
    permit: Callable[[Action], bool] = lambda _action: True
    """Asked about each planned action before it is told or carried out; what it forbids is left as it is."""
    keeps_to_plan: bool = False
    """Whether `permit` holds the run to a saved plan. Such a run has not dealt with all that it has read."""
    left_out: int = 0
    """Planned actions that were forbidden."""
    refusals: int = 0
    """Actions of a saved plan that could not be carried out as they stand there."""
    new_reviews: int = 0
    would_link: set[str] = field(default_factory=set)
    """CRM ids of the customers that a dry run would have linked or created."""
    links: dict[str, Action] = field(default_factory=dict)
    """Links made in this run whose two sides are yet to be compared: CRM id -> link. Told as one change each."""

    @property
    def mappings(self) -> Mappings:
        """The linked pairs."""
        return Mappings(self.run.state)

    @property
    def cursors(self) -> Cursors:
        """How far the CRM has been read."""
        return Cursors(self.run.state)

    def tell(self, action: Action) -> None:
        """Counts an action and adds it to what the run has to tell."""
        self.counts[action.entity].count(action)
        self.scratch.keep_change(action.as_change())

    def tell_done(self, action: Action) -> None:
        """Tells of a write; one that completes a link of this run is told as that link."""
        link = self.links.pop(action.record, None) if action.action == "update" else None
        self.tell(replace(link, fields=action.fields) if link else action)

    def tell_failure(self, action: Action, reason: str, message: str) -> None:
        """Counts a record that failed in this run and will be tried again."""
        self.counts[action.entity].failed += 1
        self.failures.append({**action.as_change(), "reason": reason, "message": message})

    def outcome(self) -> Outcome:
        """partial if a record failed, was refused, newly waits for a person, or the run was asked to stop."""
        failed = any(counts.failed for counts in self.counts.values())
        return "partial" if failed or self.refusals or self.new_reviews or self.stop.is_set() else "ok"

    def summary(self) -> dict[str, Any]:
        """Counts and requests as in the JSON of a run."""
        return {
            "customers": self.counts["customer"].as_json(),
            "invoices": self.counts["invoice"].as_json(),
            "requests": {system: transport.sent for system, transport in self.transports.items()},
        }
