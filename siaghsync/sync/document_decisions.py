"""What a decision about a document changes: it stands in Siagh under this number, was corrected there, or is another one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from siaghsync.domain.action import Action
from siaghsync.domain.document import Posted
from siaghsync.domain.normalize import ascii_digits
from siaghsync.domain.reasons import IntentState, Reason, Resolution
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.state import retries
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.mappings import PostedDocuments
from siaghsync.state.outbox import close_intent, take_back, unsettled_of
from siaghsync.state.reviews import Review
from siaghsync.sync.document_outcomes import remember, source_of

_IS_THAT_ONE = {
    (Resolution.DISCARD, Reason.SAME_DOCUMENT),
    (Resolution.CORRECTED, Reason.DIFFERS_FROM_POSTED_QUOTE),
    (Resolution.CORRECTED, Reason.DIFFERS_FROM_POSTED_INVOICE),
}
"""(way out, reason): from now on the document counts as posted with the pre-invoice that the question names."""
FAR = "usage.preinvoice_is_far"
"""The error about a number that is taken with `force` only."""
_USUAL_DISTANCE = 1000
"""So far from the numbers posted around that time a number may lie without being asked about."""
_FIRST_RANGE = (1, 1_000_000)
"""What a number may be while none is known to compare it with."""


def check_number(state: State, review: Review, value: str, *, force: bool) -> str:
    """The number of the pre-invoice that a person named, in ASCII digits.

    Raises UsageError if it is none, if a document that does not count as one with this has it, or, without `force`, if it is far
    from the twenty numbers posted nearest to the question in time.
    """
    number = ascii_digits(value).strip()
    if not number.isdecimal():
        raise UsageError("usage.not_a_preinvoice_number", value=value)
    family = review.details.get("related_quote_id") or review.record
    for other in PostedDocuments(state).with_finance_number(number):
        if (other.related_quote_id or other.posted.crm_id) != family and other.posted.crm_id != review.record:
            raise UsageError(
                "usage.preinvoice_is_anothers", number=number, document=other.crm_number or other.posted.crm_id
            )
    around = PostedDocuments(state).numbers_around(review.since)
    low, high = (min(around) - _USUAL_DISTANCE, max(around) + _USUAL_DISTANCE) if around else _FIRST_RANGE
    if not force and not low <= int(number) <= high:
        raise UsageError(FAR, number=number, low=max(low, 1), high=high)
    return number


def decide_document(run: Run, review: Review, subject: Action, way_out: Resolution, value: str) -> None:
    """An intent in doubt ends with the decision: the document is there, or it may be sent again, or never. `value` is the number
    for `posted`. Belongs inside `State.atomic`."""
    is_posted = way_out is Resolution.POSTED
    outcome = IntentState.CONFIRMED if is_posted else IntentState.EXPIRED
    for intent in unsettled_of(run.state, subject):
        close_intent(run, intent.id, outcome, msg("sync.a_person_decided", way=str(way_out)))
    retries.free(run.state, Reason.QUOTE_IN_DOUBT)
    retries.free(run.state, Reason.TYPE_STOPPED)
    known = replace(subject, checksum=review.checksum, details=review.details)
    stands: dict[str, Any] = review.details.get("posted", {})
    if is_posted:
        remember(run, known, check_number(run.state, review, value, force=True), "", None, posted_by="person")
    elif (way_out, review.reason) in _IS_THAT_ONE:
        remember(run, known, stands["number"], stands["key"], None, posted_by="link")
    elif way_out is Resolution.CORRECTED:
        # What Siagh reports of the corrected pre-invoice nobody has told us.
        now = Posted(review.record, source_of(review.kind), None, "", review.checksum, review.details["snapshot"])
        PostedDocuments(run.state).correct(now)


def take_back_document(run: Run, review: Review, subject: Action, way_out: Resolution, since: str) -> None:
    """The counterpart of `decide_document`, which was called at `since` or right after. Belongs inside `State.atomic`."""
    posted = PostedDocuments(run.state)
    if way_out is Resolution.POSTED or (way_out, review.reason) in _IS_THAT_ONE:
        if posted.made_from(review.record):
            raise UsageError("usage.too_late_to_reopen", id=review.id)
        posted.forget(review.record)
    elif way_out is Resolution.CORRECTED:
        stood: dict[str, Any] = review.details["posted"]
        net = None if stood["net"] is None else Decimal(stood["net"])
        posted.correct(Posted(review.record, stood["source"], None, "", "", stood["snapshot"], net))
    take_back(run.state, subject, since)
