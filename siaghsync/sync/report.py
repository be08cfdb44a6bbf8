"""What a run has to tell: counts, changes, failures, notices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from siaghsync.connectors.http.session import HttpSession
from siaghsync.domain.action import Action, Counts, Entity
from siaghsync.errors import System
from siaghsync.messages.message import Message
from siaghsync.state.audit import Outcome
from siaghsync.state.staging import Staging

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
