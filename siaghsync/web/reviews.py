"""The pages about what waits for a person: the list, one review with both sides, and the decision in two steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.errors import UsageError
from siaghsync.messages.message import Message
from siaghsync.state import decisions, reviews
from siaghsync.state.audit_log import of_record
from siaghsync.state.mappings import Mappings
from siaghsync.state.reviews import Review
from siaghsync.sync.decisions import Decision
from siaghsync.sync.document_decisions import FAR, check_number
from siaghsync.sync.reopening import can_be_reopened
from siaghsync.web.page import PageContext
from siaghsync.web.review_view import name_linked, view

_MOST_SHOWN = 500
_LONGEST_VALUE = 100
_WITH_VALUE = (Resolution.LINK, Resolution.POSTED)
_WAYS = frozenset(Resolution) - {Resolution.SETTLED}
_MAY_STAND_IN_FINANCE = (Reason.UNKNOWN_OUTCOME, Reason.MAY_BE_POSTED)
_AFTER_POSTING = (Reason.WITHDRAWN_AFTER_POSTING, Reason.DELETED_AFTER_POSTING)


def review_list(page: PageContext) -> Response:
    """Everything that waits for a decision."""
    with page.dependencies.state() as state:
        found, decided = reviews.open_items(state, _MOST_SHOWN), decisions.stored(state)
    return page.show("reviews.html", reviews=found, decided=decided)


def one_review(page: PageContext) -> Response:
    """One review: what happened, both sides, and the ways out."""
    with page.dependencies.state() as state:
        review = reviews.get(state, _id_of(page))
        if review is None:
            return page.message("error_404", 404)
        history = of_record(state, review.entity, review.crm_id, review.finance_code)[::-1]
        review = replace(review, details=_with_numbers(Mappings(state), review.details))
        stored = decisions.is_stored(state, review.id)
    return page.show(
        "review.html",
        review=review,
        view=view(review, page.language),
        others=[*review.details["other_crm_ids"], *(review.details.get("other_finance_codes") or ())],
        ways=[(way, _way_text(review, way)) for way in review.ways_out],
        stored=stored,
        can_be_reopened=stored or can_be_reopened(review),
        value_missing=bool(page.asked("missing")),
        lines=history,
    )


def _with_numbers(mappings: Mappings, details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with customer numbers where they name other CRM records: a person knows those."""

    def number(crm_id: Any) -> Any:
        known = mappings.of_crm(crm_id) if isinstance(crm_id, str) else None
        return known.customer_number if known and known.customer_number else crm_id

    candidates = [{**side, "taken_by": number(side.get("taken_by"))} for side in details.get("candidates") or ()]
    others = [f"{number(crm_id)} · {crm_id}" for crm_id in details.get("other_crm_ids") or ()]
    return {**details, "candidates": candidates, "other_crm_ids": others}


def _way_text(review: Review, way: Resolution) -> str:
    """The name of the text about a way out; its hint has `_hint` behind it."""
    if way is Resolution.DISCARD and review.reason == Reason.SAME_DOCUMENT:
        return "way_discard_same"
    is_corrected = way is Resolution.DISCARD and review.reason in _AFTER_POSTING
    return "way_discard_after_posting" if is_corrected else f"way_{way}"


def confirm(page: PageContext) -> Response:
    """The question before a decision is carried out. Changes nothing."""
    way, value = page.asked("way"), page.asked("value")[:_LONGEST_VALUE]
    review = _review_to_decide(page, way, value)
    if isinstance(review, Response):
        return review
    return page.show(
        "confirm.html",
        review=review,
        way=way,
        value=value,
        linked=name_linked(review.details, value) if way == Resolution.LINK else "",
        far=page.language.message(far) if (far := _far(page, review, way, value)) else "",
        may_be_twice=way == Resolution.RETRY and review.reason in _MAY_STAND_IN_FINANCE,
    )


def _far(page: PageContext, review: Review, way: str, value: str) -> Message | None:
    """What is odd about the number of a pre-invoice, if it is only odd."""
    if way != Resolution.POSTED:
        return None
    with page.dependencies.state() as state:
        try:
            check_number(state, review, value, force=False)
        except UsageError as error:
            return error.message if error.message.code == FAR else None
    return None


def reopen(page: PageContext) -> Response:
    """Takes a decision back, in the name of who is logged in."""
    assert page.session is not None
    review_id = _id_of(page)
    page.dependencies.control.reopen(review_id, page.session.user)
    return page.go(f"/reviews/{review_id}", page.language.text("reopened"))


def decide(page: PageContext) -> Response:
    """Carries a decision out, in the name of who is logged in. Odd numbers were shown to be so on the page before."""
    way, value = page.form.get("way", ""), page.form.get("value", "").strip()[:_LONGEST_VALUE]
    review = _review_to_decide(page, way, value)
    if isinstance(review, Response):
        return review
    assert page.session is not None
    decision = Decision(Resolution(way), value, force=True)
    at_once = page.dependencies.control.decide(review.id, decision, page.session.user)
    return page.go("/reviews", page.language.text("decided" if at_once else "decision_stored"))


def _review_to_decide(page: PageContext, way: str, value: str) -> Review | Response:
    """The review that a decision is about, or the answer to a decision that can't be asked for or carried out."""
    with page.dependencies.state() as state:
        review = reviews.get(state, _id_of(page))
    if review is None:
        return page.message("error_404", 404)
    if way not in _WAYS:
        return page.message("error_400", 400)
    if review.resolution is not None:
        return page.go(f"/reviews/{review.id}")
    if way in _WITH_VALUE and not value:
        return page.go(f"/reviews/{review.id}?{urlencode({'missing': way})}")
    return review


def _id_of(page: PageContext) -> int:
    return int(page.request.path_params["review_id"])
