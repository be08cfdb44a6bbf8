"""Decisions that people made while a run was at work. The next run carries them out; until then they can be taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from siaghsync.domain.action import Action
from siaghsync.state.audit import Run
from siaghsync.state.columns import Record
from siaghsync.state.database import State
from siaghsync.state.reviews import Review, review_of

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
