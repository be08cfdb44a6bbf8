"""The review queue: questions that only a person can answer, each with its reason and its ways out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.state.audit import Run
from siaghsync.state.database import Row, State

# Reasons that end a record's own tries: it rests until a person speaks or the record changes. All others come from
# matching and are decided anew whenever the record is looked at.
FINAL_REASONS = frozenset({"refused", "bad_record", "unknown_outcome", "made_new_contact", "code_taken"})

_WAYS_OUT: dict[str, tuple[str, ...]] = {
    "bad_record": ("retry", "discard"),
}


def ways_out(entity: str, reason: str) -> tuple[str, ...]:
    """The options of `review resolve` that make sense for a reason."""
    if entity == "invoice":
        return (
            ("posted", "retry", "discard") if reason in ("unknown_outcome", "may_be_posted") else ("retry", "discard")
        )
    return _WAYS_OUT.get(reason, ("link", "retry", "discard"))


def put(run: Run, action: Action) -> Literal["new", "known", "discarded"]:
    """Puts a record before a person; `known` if the same question stands already, `discarded` if it was answered so.

    A discarded question comes back only when its record changes. Belongs inside `State.atomic`.
    """
    last = last_of(run.state, action)
    if (
        last
        and last["resolution"] == "discard"
        and last["reason"] == action.reason
        and last["checksum"] == (action.checksum or "")
    ):
        return "discarded"
    details = json.dumps(action.details, ensure_ascii=False)
    if last and last["resolution"] is None:
        run.state.execute(
            "UPDATE reviews SET kind = ?, reason = ?, crm_id = ?, customer_number = ?, finance_code = ?, message = ?, "
            "details = ?, checksum = ? WHERE id = ?",
            (
                action.kind,
                action.reason,
                action.crm_id,
                action.customer_number,
                action.finance_code,
                action.message or "",
                details,
                action.checksum or "",
                last["id"],
            ),
        )
        return "known" if last["reason"] == action.reason else "new"
    run.state.execute(
        "INSERT INTO reviews (entity, target, record, kind, reason, crm_id, customer_number, finance_code, message, details, "
        "checksum, since) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            action.entity, action.target, action.record, action.kind, action.reason, action.crm_id, action.customer_number,
            action.finance_code, action.message or "", details, action.checksum or "", run.at(),
        ),
    )  # fmt: skip
    return "new"


def rests(state: State, action: Action) -> bool:
    """Whether the record has used up its own tries and did not change since: a person has to speak first."""
    last = last_of(state, action)
    return bool(
        last
        and last["resolution"] in (None, "discard")
        and last["reason"] in FINAL_REASONS
        and last["checksum"] == (action.checksum or "")
    )


def as_it_stands(state: State, action: Action) -> Action:
    """The question that stands about the record of `action`, as an action that changes nothing about it."""
    last = last_of(state, action)
    assert last is not None
    return replace(
        action,
        action="review",
        reason=last["reason"],
        message=last["message"],
        checksum=last["checksum"],
        customer_number=last["customer_number"] or "",
        details=json.loads(last["details"]),
    )


def settle(run: Run, action: Action) -> None:
    """The question of a record has answered itself. Belongs inside `State.atomic`."""
    run.state.execute(
        "UPDATE reviews SET resolution = 'settled', resolved_at = ?, resolved_by = 'siaghsync' "
        "WHERE entity = ? AND target = ? AND record = ? AND resolution IS NULL",
        (run.at(), action.entity, action.target, action.record),
    )


def last_of(state: State, action: Action) -> Row | None:
    """The newest question about a record, open or answered, or None."""
    sql = "SELECT * FROM reviews WHERE entity = ? AND target = ? AND record = ? ORDER BY id DESC LIMIT 1"
    return state.row(sql, (action.entity, action.target, action.record))


def numbers_in_review(state: State, number: str) -> list[str]:
    """CRM ids of customers in review that carry this number."""
    sql = (
        "SELECT record FROM reviews WHERE entity = 'customer' AND target = 'finance' AND resolution IS NULL "
        "AND customer_number = ?"
    )
    return [row["record"] for row in state.rows(sql, (number,))]


def open_count(state: State) -> int:
    """How many questions are open."""
    return int(state.value("SELECT count(*) FROM reviews WHERE resolution IS NULL"))


def open_items(state: State) -> list[dict[str, Any]]:
    """The open questions as in the JSON of `review`."""
    rows = state.rows("SELECT * FROM reviews WHERE resolution IS NULL ORDER BY id")
    return [item_as_json(row) for row in rows]


def item_as_json(row: Row) -> dict[str, Any]:
    """One question as in the JSON of `review`."""
    return {
        "id": row["id"],
        "entity": row["entity"],
        "reason": row["reason"],
        "crm_id": row["crm_id"],
        "customer_number": row["customer_number"] or None,
        "finance_code": None if row["finance_code"] is None else str(row["finance_code"]),
        "message": row["message"],
        "since": row["since"],
        "ways_out": list(ways_out(row["entity"], row["reason"])),
    }
