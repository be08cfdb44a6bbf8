"""Runs and the audit trail: append-only, who did what to which record, when, from what to what, and why.

It is read back for `log`, for the history of a record, and for whoever has to decide a review.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from siaghsync.domain.action import Action, Changes
from siaghsync.domain.fields import json_key
from siaghsync.domain.normalize import ascii_digits
from siaghsync.domain.reasons import AuditOutcome
from siaghsync.messages.message import Message, msg
from siaghsync.state.columns import Record, encode, message_of, message_pair
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


def note_order(
    state: State, run_id: int | None, at: str, actor: str, order: str, message: Message | None = None
) -> None:
    """Appends one line about what a person told the sync as a whole (`started`, `paused`, `resumed`); of no run without an id."""
    line = (run_id, at, actor, "sync", None, "", "order", order, *(None,) * 4, encode({}), None, *message_pair(message))
    with state.atomic():
        state.execute(_LINE, line)


def stamp(moment: datetime) -> str:
    """A moment as it is stored and compared: UTC, ISO 8601, milliseconds."""
    return moment.isoformat(timespec="milliseconds")


def _seconds(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One line of the trail. `outcome` is an `AuditOutcome`, or the decision of a person where `operation` is `resolve`.

    `run_id` is None for what no run did; `name` is the customer's name or the document's number, or "".
    """

    id: int
    run_id: int | None
    at: str
    actor: str
    entity: str
    kind: str | None
    name: str
    operation: str
    outcome: str
    target: str | None
    crm_id: str | None
    customer_number: str | None
    finance_code: int | None
    changes: Changes
    reason: str | None
    message: Message | None

    def as_json(self) -> dict[str, Any]:
        """The line as in the JSON of `log`; `message` is still a `Message`."""
        plain = {name: getattr(self, name) for name in self.__slots__ if name not in ("operation", "changes")}
        return {
            **plain,
            "action": self.operation,
            "finance_code": None if self.finance_code is None else str(self.finance_code),
            "fields": {json_key(self.entity, name): list(pair) for name, pair in self.changes.items()},
        }


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines of the trail are wanted. `customer` is a customer number, `since` aware UTC.

    `search` is a number, a code, or part of what a record was ever called; `before` the id of a line, `run` of a run.
    With `after`, the id of a line, the oldest lines above it are wanted and not the newest.
    """

    customer: str | None = None
    failed: bool = False
    since: datetime | None = None
    limit: int = 50
    search: str = ""
    before: int | None = None
    after: int | None = None
    run: int | None = None


_TROUBLE = (
    AuditOutcome.FAILED, AuditOutcome.UNKNOWN, AuditOutcome.REVIEW, AuditOutcome.MISDIRECTED, AuditOutcome.EXPIRED,
)  # fmt: skip
_OF_CUSTOMER = """(customer_number = :customer
    OR crm_id IN (SELECT crm_id FROM customer_mappings WHERE customer_number = :customer))"""
_HAS_NUMBER = """(instr(lower(customer_number), :number) OR instr(finance_code, :number) OR crm_id = :number
    OR crm_id IN (SELECT crm_id FROM customer_mappings WHERE instr(lower(customer_number), :number))
    OR (entity = 'invoice' AND instr(lower(name), :number)))"""
_SPELLED = r"({text} LIKE :ascii ESCAPE '\' OR {text} LIKE :persian ESCAPE '\' OR {text} LIKE :arabic ESCAPE '\')"
_WAS_CALLED = f"""crm_id IN (SELECT crm_id FROM audit WHERE {_SPELLED.format(text="json_quote(name)")}
    OR ({_SPELLED.format(text="changes")} AND EXISTS (SELECT 1 FROM json_tree(changes) AS part
        WHERE part.type = 'text' AND {_SPELLED.format(text="json_quote(part.value)")})))"""
"""The whole text of `changes` first, which is quick; then its values alone, since the names of fields are no names."""
NAMED = f"""SELECT crm_id FROM audit WHERE entity = 'customer'
    AND {_SPELLED.format(text="json_quote(name)")}"""
"""The CRM ids of customers who were ever called so; the places take what `spellings` gives."""
_SHORTEST_PART = 5
"""A shorter number is a customer's and not part of a phone or national code."""
_SCRIPTS = {
    name: str.maketrans("0123456789", digits)
    for name, digits in {"ascii": "0123456789", "persian": "۰۱۲۳۴۵۶۷۸۹", "arabic": "٠١٢٣٤٥٦٧٨٩"}.items()
}
_OFTEN_OTHERWISE = frozenset("یيىئکكةهۀەأإٱآا")
"""Letters that the same name is written with in more than one way."""


def entries(state: State, wanted: LogFilter) -> list[AuditLine]:
    """Lines of the audit trail, the newest last."""
    number = ascii_digits(wanted.search).strip().lower()
    is_short = number.isdecimal() and len(number) < _SHORTEST_PART
    asked: list[tuple[object, str]] = [
        (wanted.customer, _OF_CUSTOMER),
        (wanted.failed or None, f"outcome IN {tuple(map(str, _TROUBLE))}"),
        (wanted.since, "at >= :since"),
        (number or None, _HAS_NUMBER if is_short else f"({_HAS_NUMBER} OR {_WAS_CALLED})"),
        (wanted.before, "id < :before"),
        (wanted.after, "id > :after"),
        (wanted.run, "run_id = :run"),
    ]
    where = " AND ".join(condition for value, condition in asked if value is not None) or "1"
    values = {
        "customer": wanted.customer, "since": stamp(wanted.since) if wanted.since else "", "number": number,
        **spellings(wanted.search), "before": wanted.before, "after": wanted.after, "run": wanted.run,
        "limit": wanted.limit,
    }  # fmt: skip
    order = "DESC" if wanted.after is None else "ASC"
    rows = state.rows(f"SELECT * FROM audit WHERE {where} ORDER BY id {order} LIMIT :limit", values)
    return sorted(map(line_of, rows), key=lambda line: line.id)


def of_record(
    state: State, entity: str, crm_id: str | None, finance_code: int | None, limit: int = 20
) -> list[AuditLine]:
    """What happened to one record so far, by its id on either side, the newest last. `entity` keeps a contact and a
    pre-invoice with the same number apart."""
    sql = "SELECT * FROM audit WHERE entity = ? AND (crm_id = ? OR finance_code = ?) ORDER BY id DESC LIMIT ?"
    return [line_of(row) for row in reversed(state.rows(sql, (entity, crm_id, finance_code, limit)))]


def line_of(row: Record) -> AuditLine:
    """A row of the table `audit` as a line."""
    return AuditLine(
        id=row["id"],
        run_id=row["run_id"],
        at=row["at"],
        actor=row["actor"],
        entity=row["entity"],
        kind=row["kind"],
        name=row["name"],
        operation=row["operation"],
        outcome=row["outcome"],
        target=row["target"],
        crm_id=row["crm_id"],
        customer_number=row["customer_number"],
        finance_code=row["finance_code"],
        changes={name: (old, new) for name, (old, new) in json.loads(row["changes"]).items()},
        reason=row["reason"],
        message=message_of(row),
    )


def spellings(text: str) -> dict[str, str | None]:
    """LIKE patterns for JSON texts that hold this text, in whichever letter forms and with whichever spaces; one for each script
    that its digits can be in, None where that is no other pattern. By the names of their places."""
    ascii_text = ascii_digits(text.strip())
    patterns = {name: _loosely(ascii_text.translate(digits)) for name, digits in _SCRIPTS.items()}
    return {name: None if name != "ascii" and found == patterns["ascii"] else found for name, found in patterns.items()}


def _loosely(text: str) -> str:
    letters = []
    for letter in json.dumps(text, ensure_ascii=False)[1:-1]:
        if letter in _OFTEN_OTHERWISE:
            letters.append("_")
        elif letter.isspace() or letter == "\u200c":
            letters.append("%")
        else:
            letters.append(f"\\{letter}" if letter in "%_\\" else letter)
    return f"%{''.join(letters)}%"


def last_name(state: State, customer_crm_id: str | None) -> str:
    """The name under which a customer was seen last, or ""."""
    return last_names(state, [customer_crm_id]).get(customer_crm_id, "")


def last_names(state: State, customer_crm_ids: Iterable[str | None]) -> dict[str | None, str]:
    """CRM id -> the name under which the customer was seen last, for those of whom one is known. One query for all."""
    sql = (
        "SELECT value AS crm_id, (SELECT name FROM audit WHERE crm_id = value AND entity = 'customer' AND name <> '' "
        "ORDER BY id DESC LIMIT 1) AS name FROM json_each(?)"
    )
    rows = state.rows(sql, (json.dumps([*customer_crm_ids]),))
    return {row["crm_id"]: row["name"] for row in rows if row["name"]}
