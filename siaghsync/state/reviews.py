"""The review queue: questions that only a person can answer, each with its reason and its ways out.

A decision that somebody makes while a run is at work is kept here. The next run carries it out; until then it can be
taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from siaghsync.domain.action import Action, Entity, RecordKind
from siaghsync.domain.reasons import CONTACT_LOST, Operation, Reason, Resolution
from siaghsync.errors import System
from siaghsync.messages.message import Message, verbatim
from siaghsync.state.audit import Run, last_names
from siaghsync.state.columns import Record, encode, message_columns, message_of
from siaghsync.state.database import State

FINAL_REASONS: frozenset[str] = frozenset(
    {
        Reason.REFUSED,
        Reason.PHONE_TAKEN,
        Reason.BAD_RECORD,
        Reason.UNKNOWN_OUTCOME,
        Reason.MADE_NEW_CONTACT,
        Reason.CODE_TAKEN,
    }
)
"""Reasons that end a record's own tries: it rests until a person decides or the record changes. All others come from matching
and are decided anew whenever the record is looked at."""

RETRIED: frozenset[str] = FINAL_REASONS | {
    Reason.POSSIBLE_DUPLICATE, Reason.MAY_BE_POSTED, Reason.SAME_DOCUMENT, Reason.CHANGED_AFTER_DISCARD,
}  # fmt: skip
"""Reasons about which "try again" is an answer. Any other question comes back until one of the records has changed."""

_ONCE_MORE_OR_NOT = (Resolution.RETRY, Resolution.DISCARD)
_MAY_STAND_IN_FINANCE = (Reason.UNKNOWN_OUTCOME, Reason.MAY_BE_POSTED)
_OTHERWISE = (
    Reason.CHANGED_AFTER_POSTING, Reason.DIFFERS_FROM_POSTED_QUOTE, Reason.DIFFERS_FROM_POSTED_INVOICE,
)  # fmt: skip
"""What stands in Finance says something else, so that somebody can put it right there."""


UNANSWERED = "resolution IS NULL AND id NOT IN (SELECT review_id FROM decisions)"
"""Open, and no decision about it waits for the next run."""


@dataclass(frozen=True, slots=True)
class Review:
    """A question. `record` names the source record as in `Action`, `details` show both sides, `checksum` is that of the record
    when the question was asked. `resolution` is None while it is open; `resolved_by` is a person, or `siaghsync`."""

    id: int
    entity: Entity
    target: System
    record: str
    kind: RecordKind
    reason: str
    crm_id: str | None
    customer_number: str
    finance_code: int | None
    name: str
    message: Message
    details: Mapping[str, Any]
    checksum: str
    since: str
    resolution: str | None
    resolved_at: str | None
    resolved_by: str | None

    @property
    def ways_out(self) -> tuple[Resolution, ...]:
        """The decisions that make sense for it."""
        return ways_out(self.entity, self.reason)

    def as_item(self) -> dict[str, Any]:
        """The question as an entry of the JSON of `review`; `message` is still a `Message`."""
        return {
            "id": self.id,
            "entity": self.entity,
            "reason": self.reason,
            "crm_id": self.crm_id,
            "customer_number": self.customer_number or None,
            "finance_code": None if self.finance_code is None else str(self.finance_code),
            "document": self._document(),
            "message": self.message,
            "since": self.since,
            "ways_out": [str(way) for way in self.ways_out],
        }

    def _document(self) -> dict[str, Any] | None:
        """The document as people tell it; None for a customer. `finance_number` is that of the pre-invoice that stands."""
        if self.entity != "invoice":
            return None
        posted: Mapping[str, Any] = self.details.get("posted") or {}
        said: Mapping[str, Any] = (
            self.details.get("snapshot") or posted
        )  # of a deleted one there is only what was posted
        number = posted["number"] if "snapshot" in posted else self.finance_code
        return {
            "number": said.get("number") or (None if self.name == self.record else self.name or None),
            "type": said.get("type_code"),
            "net": said.get("net"),
            "finance_number": None if number is None else str(number),
        }

    def as_action(self, operation: Operation = Operation.REVIEW) -> Action:
        """The record of the question as an action about it, with its checksum and details."""
        return Action(
            operation=operation,
            entity=self.entity,
            target=self.target,
            record=self.record,
            kind=self.kind,
            customer_number=self.customer_number,
            crm_id=self.crm_id,
            finance_code=self.finance_code,
            name=self.name,
            checksum=self.checksum,
            details=self.details,
        )


def ways_out(entity: str, reason: str) -> tuple[Resolution, ...]:
    """The options of `review resolve` that make sense for a reason."""
    if entity == "invoice":
        first = {
            **dict.fromkeys(_MAY_STAND_IN_FINANCE, Resolution.POSTED),
            **dict.fromkeys(_OTHERWISE, Resolution.CORRECTED),
        }
        return (first[Reason(reason)], *_ONCE_MORE_OR_NOT) if reason in first else _ONCE_MORE_OR_NOT
    if reason in CONTACT_LOST:
        return Resolution.LINK, Resolution.RECREATE, Resolution.UNLINK, Resolution.RETRY
    return _ONCE_MORE_OR_NOT if reason == Reason.BAD_RECORD else (Resolution.LINK, *_ONCE_MORE_OR_NOT)


def put(run: Run, action: Action) -> Literal["new", "known", "discarded"]:
    """Puts a record before a person; `known` if the same question is open already, `discarded` if it was closed so.

    A discarded question comes back only when its record changes. Belongs inside `State.atomic`.
    """
    last = last_of(run.state, action)
    reason, checksum = str(action.reason), action.checksum or ""
    if last and last.resolution == Resolution.DISCARD and (last.reason, last.checksum) == (reason, checksum):
        return "discarded"
    question = {
        "kind": action.kind,
        "reason": reason,
        "crm_id": action.crm_id,
        "customer_number": action.customer_number,
        "finance_code": action.finance_code,
        "name": action.name,
        **message_columns(action.message or verbatim("")),
        "details": encode(action.details),
        "checksum": checksum,
    }
    table = run.state.db.table("reviews")
    if last and last.resolution is None:
        table.update(last.id, question)
        return "known" if last.reason == reason else "new"
    key = {"entity": action.entity, "target": action.target, "record": action.record}
    table.insert({**key, **question, "since": run.at()})
    return "new"


def rests(state: State, action: Action) -> bool:
    """Whether the record has used up its own tries and did not change since: a person has to decide first."""
    last = last_of(state, action)
    return bool(
        last
        and last.resolution in (None, Resolution.DISCARD)
        and last.reason in FINAL_REASONS
        and last.checksum == (action.checksum or "")
    )


def asks_for_contact(state: State, crm_id: str) -> bool:
    """Whether a customer has lost its contact, and a person has still to say which one it gets."""
    last = last_about(state, "customer", "finance", crm_id)
    return last is not None and last.resolution is None and last.reason in CONTACT_LOST


def as_it_stands(state: State, action: Action) -> Action:
    """The last question about the record of `action`, as an action that changes nothing about it."""
    last = last_of(state, action)
    assert last is not None
    return replace(
        action,
        operation=Operation.REVIEW,
        reason=last.reason,
        message=last.message,
        checksum=last.checksum,
        customer_number=last.customer_number,
        details=last.details,
    )


def auto_resolve(run: Run, action: Action) -> None:
    """The question about a record has answered itself. Belongs inside `State.atomic`."""
    run.state.execute(
        "UPDATE reviews SET resolution = 'settled', resolved_at = ?, resolved_by = 'siaghsync' "
        "WHERE entity = ? AND target = ? AND record = ? AND resolution IS NULL",
        (run.at(), *action.key),
    )


def resolve(run: Run, review_id: int, resolution: Resolution) -> None:
    """Closes a question with the decision of the person in whose name the run works. Belongs inside `State.atomic`."""
    decision = {"resolution": str(resolution), "resolved_at": run.at(), "resolved_by": run.actor}
    run.state.db.table("reviews").update(review_id, decision)
    run.state.execute("DELETE FROM decisions WHERE review_id = ?", (review_id,))


def reopen(state: State, review_id: int) -> None:
    """A closed question is open again. Belongs inside `State.atomic`."""
    state.db.table("reviews").update(review_id, {"resolution": None, "resolved_at": None, "resolved_by": None})


def last_of(state: State, action: Action) -> Review | None:
    """The newest question about the record of `action`, open or closed, or None."""
    return last_about(state, *action.key)


def last_about(state: State, entity: str, target: str, record: str) -> Review | None:
    """The newest question about a record, open or closed, or None."""
    sql = "SELECT * FROM reviews WHERE entity = ? AND target = ? AND record = ? ORDER BY id DESC LIMIT 1"
    row = state.row(sql, (entity, target, record))
    return review_of(row) if row else None


def get(state: State, review_id: int) -> Review | None:
    """The question with this id, open or closed, or None."""
    found = state.db.table("reviews").rows_where("id = ?", [review_id])
    return next(map(review_of, found), None)


def numbers_in_review(state: State, number: str) -> list[str]:
    """CRM ids of customers in review that carry this number."""
    sql = (
        "SELECT record FROM reviews WHERE resolution IS NULL AND customer_number = ? AND entity = 'customer' "
        "AND target = 'finance'"
    )
    return [row["record"] for row in state.rows(sql, (number,))]


def open_count(state: State) -> int:
    """How many questions are open and not decided."""
    return state.db.table("reviews").count_where(UNANSWERED)


def open_items(state: State, limit: int | None = None) -> list[Review]:
    """The open questions that nobody has decided, the oldest first."""
    found = state.db.table("reviews").rows_where(UNANSWERED, order_by="id", limit=limit)
    return list(map(review_of, found))


def customer_names(state: State, items: Iterable[Review]) -> dict[int, str]:
    """Review -> the name of its customer, as far as the state file knows it. A document's own name is its number."""
    found, customers = {}, {}
    for review in items:
        said: Mapping[str, Any] = review.details.get("snapshot") or review.details.get("posted") or {}
        if review.entity == "invoice":
            customers[review.id] = said.get("customer")
        else:
            found[review.id] = review.name
    names = last_names(state, {*customers.values()})
    found |= {review: names.get(crm_id, "") for review, crm_id in customers.items()}
    return {review: name for review, name in found.items() if name}


def review_of(row: Record) -> Review:
    """A row of the table `reviews` as a question."""
    return Review(
        id=row["id"],
        entity=row["entity"],
        target=row["target"],
        record=row["record"],
        kind=row["kind"],
        reason=row["reason"],
        crm_id=row["crm_id"],
        customer_number=row["customer_number"],
        finance_code=row["finance_code"],
        name=row["name"],
        message=message_of(row) or verbatim(""),
        details=json.loads(row["details"]),
        checksum=row["checksum"],
        since=row["since"],
        resolution=row["resolution"],
        resolved_at=row["resolved_at"],
        resolved_by=row["resolved_by"],
    )


_STORED = (
    "SELECT d.way_out, d.value, d.decided_at, d.decided_by, r.* FROM decisions d JOIN reviews r ON r.id = d.review_id"
)


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """What a person decided about a review: the way out, its value ("" without one), when (a stored text) and who."""

    review: Review
    way_out: str
    value: str
    decided_at: str
    decided_by: str

    def as_item(self) -> dict[str, Any]:
        """The decision as an entry of `decided` in the JSON of `review`; `message` is still a `Message`."""
        told = {"way_out": self.way_out, "value": self.value or None}
        return {**self.review.as_item(), **told, "decided_at": self.decided_at, "decided_by": self.decided_by}


def store(state: State, review: Review, way_out: str, value: str, at: str, who: str) -> None:
    """Keeps a decision about an open review; a later one about it counts. Waits for a commit of the run at work, no longer."""
    told = {"review_id": review.id, "reason": review.reason, "checksum": review.checksum}
    with state.atomic():
        state.db.table("decisions").insert(
            {**told, "way_out": way_out, "value": value, "decided_at": at, "decided_by": who}, replace=True
        )


def drop(state: State, review_id: int) -> bool:
    """Forgets the decision about a review. Returns whether there was one."""
    with state.atomic():
        found = is_stored(state, review_id)
        state.db.table("decisions").delete_where("review_id = ?", [review_id])
    return found


def stored(state: State) -> list[StoredDecision]:
    """All decisions that wait to be carried out, the oldest first."""
    return [_decision_of(row) for row in state.rows(f"{_STORED} ORDER BY d.decided_at, d.review_id")]


def decided(state: State, way_out: str) -> list[str]:
    """The records about which this way out waits to be carried out."""
    sql = "SELECT r.record FROM decisions d JOIN reviews r ON r.id = d.review_id WHERE d.way_out = ?"
    return [row["record"] for row in state.rows(sql, (way_out,))]


def carried_out(run: Run, decision: StoredDecision) -> None:
    """Closes the question with a decision that a run has carried out. Belongs inside `State.atomic`."""
    closed = {"resolution": decision.way_out, "resolved_at": run.at(), "resolved_by": decision.decided_by}
    run.state.db.table("reviews").update(decision.review.id, closed)
    drop(run.state, decision.review.id)


def is_stored(state: State, review_id: int) -> bool:
    """Whether a decision about the review waits to be carried out."""
    return bool(state.db.table("decisions").count_where("review_id = ?", [review_id]))


def fits(state: State, decision: StoredDecision) -> bool:
    """Whether the question is still open and the very one that the person answered."""
    sql = (
        "SELECT 1 FROM decisions d JOIN reviews r ON r.id = d.review_id AND r.reason = d.reason AND r.checksum = d.checksum "
        "WHERE d.review_id = ? AND r.resolution IS NULL"
    )
    return state.row(sql, (decision.review.id,)) is not None


def find(state: State, action: Action, way_out: str) -> StoredDecision | None:
    """The decision for this way out of the open question about the record of `action`, or None."""
    sql = f"{_STORED} AND r.entity = ? AND r.target = ? AND r.record = ? AND r.resolution IS NULL AND d.way_out = ?"
    row = state.row(sql, (*action.key, way_out))
    return _decision_of(row) if row else None


def _decision_of(row: Record) -> StoredDecision:
    return StoredDecision(review_of(row), row["way_out"], row["value"], row["decided_at"], row["decided_by"])
