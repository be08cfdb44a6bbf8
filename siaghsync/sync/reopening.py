"""Takes a decision about a review back, as long as nothing was sent because of it."""

from __future__ import annotations

from siaghsync.domain.reasons import Resolution
from siaghsync.errors import UsageError
from siaghsync.state import retries, reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.maintenance import FORGOTTEN
from siaghsync.state.mappings import Mappings
from siaghsync.state.outbox import was_opened
from siaghsync.state.reviews import Review
from siaghsync.sync.decisions import note_decision, subject_of_review, take_back_document

REOPEN = "reopen"
"""What stands in the audit trail in place of a way out."""
_CAN_BE_TAKEN_BACK = (
    Resolution.RETRY, Resolution.LINK, Resolution.POSTED, Resolution.CORRECTED, Resolution.DISCARD,
)  # fmt: skip


def can_be_reopened(state: State, review: Review) -> bool:
    """Whether a person has decided it in a way that leaves a way back, and nothing was sent or asked since."""
    return _leaves_a_way_back(review) and not _is_too_late(state, review)


def _leaves_a_way_back(review: Review) -> bool:
    """What it was about must not have been forgotten on request."""
    return review.resolution in _CAN_BE_TAKEN_BACK and review.message != FORGOTTEN


def _is_too_late(state: State, review: Review) -> bool:
    subject = subject_of_review(review)
    last = reviews.last_of(state, subject)
    return last is None or last.id != review.id or was_opened(state, subject, review.resolved_at or "")


def reopen(run: Run, review: Review) -> None:
    """Opens a decided review again and undoes what the decision changed in the state file.

    Raises UsageError if no person has decided it, or if something was sent, asked or linked since.
    """
    if not _leaves_a_way_back(review) or review.resolved_at is None:
        raise UsageError("usage.nothing_to_reopen", id=review.id)
    way_out, subject, since = Resolution(review.resolution or ""), subject_of_review(review), review.resolved_at
    with run.state.atomic():
        if _is_too_late(run.state, review):
            raise UsageError("usage.too_late_to_reopen", id=review.id)
        if way_out is Resolution.LINK:
            _unlink(run, review, since)
        if way_out in (Resolution.LINK, Resolution.RETRY):
            retries.release(run.state, subject)
        if review.entity == "invoice":
            take_back_document(run, review, subject, way_out, since)
        reviews.reopen(run.state, review.id)
        note_decision(run, review, REOPEN, "")


def withdraw(state: State, review_id: int) -> bool:
    """Forgets a decision that no run has carried out. Returns whether there was one.

    Raises UsageError if the run at work, or an earlier one, has begun to.
    """
    with state.atomic():
        for stored in reviews.stored(state):
            if stored.review.id == review_id and was_opened(state, stored.review.as_action(), stored.decided_at):
                raise UsageError("usage.too_late_to_reopen", id=review_id)
        return reviews.drop(state, review_id)


def _unlink(run: Run, review: Review, since: str) -> None:
    """Takes out the link that the decision made, if it is new and has not been compared."""
    mappings = Mappings(run.state)
    pair = mappings.of_crm(review.record) if review.target == "finance" else mappings.of_code(int(review.record))
    link = mappings.link_of(pair.crm_id) if pair else None
    if link is None or link.checksum is not None or not since <= link.linked_at == link.updated_at:
        raise UsageError("usage.too_late_to_reopen", id=review.id)
    mappings.remove(link.crm_id)
