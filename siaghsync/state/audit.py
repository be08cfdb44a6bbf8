"""Runs and the audit trail: append-only, who did what to which record, when, from what to what, and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.domain.reasons import AuditOutcome
from siaghsync.messages.message import Message, msg
from siaghsync.state.columns import encode, message_pair
from siaghsync.state.database import State

Outcome = Literal["ok", "partial", "failed"]
"""How a run ended."""

_LINE = (
    "INSERT INTO audit (run_id, at, actor, entity, kind, name, operation, outcome, target, crm_id, customer_number, "
    "finance_code, changes, reason, message_code, message_params) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Run:
    """One run of a command, and the writer of its lines in the audit trail.

    `now` is the clock (aware UTC), `actor` the user of the operating system or of the dashboard.
    """

    def __init__(
        self, state: State, command: str, now: Callable[[], datetime], actor: str, *, dry_run: bool = False
    ) -> None:
        self.state = state
        self.command = command
        self.dry_run = dry_run
        self.actor = actor
        self._now = now
        self.started = now()
        row = {"command": command, "dry_run": dry_run, "pid": os.getpid(), "started_at": _seconds(self.started)}
        with state.atomic():
            self.id: int = state.db.table("runs").insert(row).last_rowid or 0

    def now(self) -> datetime:
        """The time, aware UTC."""
        return self._now()

    def at(self) -> str:
        """The time as it is stored: UTC, ISO 8601, milliseconds."""
        return stamp(self._now())

    def acting_for(self, actor: str) -> Run:
        """This run as the writer of what somebody else decided."""
        other = copy(self)
        other.actor = actor
        return other

    def note(self, action: Action, outcome: AuditOutcome, message: Message | None = None, **known: Any) -> None:
        """Appends one line about an action: `message`, or that of the action, and its notes.

        `known` overrides `crm_id` or `finance_code`, which the action could not know yet, and `reason`.
        """
        said = message or action.message
        parts = (said, *action.notes) if said else action.notes
        self.append(
            entity=action.entity,
            kind=action.kind,
            name=action.name,
            operation=action.operation,
            outcome=outcome,
            target=action.target,
            crm_id=known.get("crm_id", action.crm_id),
            customer_number=action.customer_number,
            finance_code=known.get("finance_code", action.finance_code),
            changes=action.changes,
            reason=known.get("reason", action.reason),
            message=msg("state.several", parts=parts) if len(parts) > 1 else next(iter(parts), None),
        )

    def append(
        self,
        *,
        entity: str,
        operation: str,
        outcome: str,
        kind: str | None = None,
        name: str = "",
        target: str | None = None,
        crm_id: str | None = None,
        customer_number: str | None = None,
        finance_code: int | None = None,
        changes: Mapping[str, Any] | None = None,
        reason: str | None = None,
        message: Message | None = None,
    ) -> None:
        """Appends one line to the audit trail."""
        line = (
            self.id, self.at(), self.actor, entity, kind, name, operation, outcome, target, crm_id, customer_number,
            finance_code, encode(changes or {}), reason, *message_pair(message),
        )  # fmt: skip
        with self.state.atomic():  # plain SQL: one line for each record that a run writes
            self.state.execute(_LINE, line)

    def finish(self, outcome: Outcome, summary: Mapping[str, Any], error: Message | None = None) -> dict[str, Any]:
        """Closes the run and returns it as in the JSON of `sync`: id, command, times, outcome, dry_run."""
        finished_at = _seconds(self._now())
        error_code, error_params = message_pair(error)
        ended = {"finished_at": finished_at, "outcome": outcome, "summary": encode(summary)}
        with self.state.atomic():
            self.state.db.table("runs").update(
                self.id, ended | {"error_code": error_code, "error_params": error_params}
            )
        return {
            "id": self.id,
            "command": self.command,
            "started_at": _seconds(self.started),
            "finished_at": finished_at,
            "outcome": outcome,
            "dry_run": self.dry_run,
        }


def stamp(moment: datetime) -> str:
    """A moment as it is stored and compared: UTC, ISO 8601, milliseconds."""
    return moment.isoformat(timespec="milliseconds")


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
