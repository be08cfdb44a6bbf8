"""Runs and the audit trail: append-only, who did what to which record, when, from what to what, and why."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.state.database import Row, State
from siaghsync.state.notebook import to_json

Outcome = Literal["ok", "partial", "failed"]


class Run:
    """One run of a command, and the hand that writes its lines into the audit trail.

    `now` is the clock (aware UTC), `actor` the user of the operating system.
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
        with state.atomic():
            self.id = state.execute(
                "INSERT INTO runs (command, dry_run, pid, started_at) VALUES (?, ?, ?, ?)",
                (command, int(dry_run), os.getpid(), _seconds(self.started)),
            )

    def now(self) -> datetime:
        """The time, aware UTC."""
        return self._now()

    def at(self) -> str:
        """The time as it is stored: UTC, ISO 8601, milliseconds."""
        return stamp(self._now())

    def note(self, action: Action, outcome: str, *, message: str | None = None, **known: Any) -> None:
        """Appends one line about an action. `known` overrides ids that the action could not know yet."""
        parts = [message or action.message or "", *action.notes]
        self.append(
            entity=action.entity,
            action=action.action,
            outcome=outcome,
            target=action.target,
            crm_id=known.get("crm_id", action.crm_id),
            customer_number=action.customer_number,
            finance_code=known.get("finance_code", action.finance_code),
            fields=action.fields,
            reason=known.get("reason", action.reason),
            message="\n".join(part for part in parts if part) or None,
        )

    def append(self, **line: Any) -> None:
        """Appends one line to the audit trail, given column by column."""
        fields = to_json(line.pop("fields", {}))
        columns = {"run_id": self.id, "at": self.at(), "actor": self.actor, **line, "fields": fields}
        with self.state.atomic():
            self.state.execute(
                f"INSERT INTO audit ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
                tuple(columns.values()),
            )

    def finish(self, outcome: Outcome, summary: Mapping[str, Any], error: str | None = None) -> dict[str, Any]:
        """Closes the run and returns it as in the JSON of behaviour: id, command, times, outcome, dry_run."""
        with self.state.atomic():
            self.state.execute(
                "UPDATE runs SET finished_at = ?, outcome = ?, summary = ?, error = ? WHERE id = ?",
                (_seconds(self._now()), outcome, json.dumps(summary, ensure_ascii=False), error, self.id),
            )
        row = self.state.row("SELECT * FROM runs WHERE id = ?", (self.id,))
        assert row is not None
        return run_as_json(row)


def run_as_json(row: Row | dict[str, Any]) -> dict[str, Any]:
    """A row of `runs` as it is shown."""
    return {
        "id": row["id"],
        "command": row["command"],
        "started_at": row["started_at"],
        "finished_at": row["finished_at"],
        "outcome": row["outcome"],
        "dry_run": bool(row["dry_run"]),
    }


def stamp(moment: datetime) -> str:
    """A moment as it is stored and compared: UTC, ISO 8601, milliseconds."""
    return moment.isoformat(timespec="milliseconds")


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
