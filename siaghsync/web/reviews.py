"""The pages about what waits for a person: the list, one review with both sides, and the decision in two steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.responses import Response

from siaghsync import clock
from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.errors import UsageError
from siaghsync.messages.message import Message
from siaghsync.state import reviews
from siaghsync.state.audit import last_names, of_record
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.reviews import Review
from siaghsync.sync.decisions import FAR, Decision, check_number
from siaghsync.sync.reopening import can_be_reopened
from siaghsync.web.page import PageContext
from siaghsync.web.review_view import candidate_names, name_linked, overwritten, view
from siaghsync.web.worklist import (
    AGES,
    PAGE,
    SORTS,
    Item,
    Wanted,
    around,
    cost,
    costs,
    groups,
    items_of,
    may_be_twice,
    narrowed,
)  # fmt: skip

_LONGEST_VALUE = 100
_MOST_TWINS = 4
"""How many records beside its own a table of a question shows; all of them are linked below it."""
_ID = re.compile(r"\b[0-9]{1,15}\b")
_WITH_VALUE = (Resolution.LINK, Resolution.POSTED)
_WAYS = frozenset(Resolution) - {Resolution.SETTLED}
_FOR_MANY = (Resolution.RETRY, Resolution.CORRECTED, Resolution.DISCARD)
"""What can be decided about several questions at once: the ways out that need no value of their own."""
_AGAINST = (Reason.STRANGER, Reason.NUMBER_TWICE, Reason.CONTACT_REPLACED)
"""Where the evidence is against a link, no button suggests one."""
_AFTER_POSTING = (Reason.WITHDRAWN_AFTER_POSTING, Reason.DELETED_AFTER_POSTING)


def review_list(page: PageContext) -> Response:
    """What waits for a decision, a page of it, and what has been decided and waits for the next run."""
    wanted = _wanted(page)
    with page.dependencies.state() as state:
        everything, decided = _items(state), reviews.stored(state)
        names = reviews.customer_names(state, [each.review for each in decided])
    found = narrowed(everything, wanted, clock.now())
    pages = max(1, -(-len(found) // PAGE))
    place = min(max(page.number("page") or 1, 1), pages)
    return page.show(
        "reviews.html",
        items=found[(place - 1) * PAGE : place * PAGE],
        count=len(found),
        in_all=len(everything),
        groups=groups(narrowed(everything, replace(wanted, reason=""), clock.now())),
        kinds=sorted({item.first.kind for item in everything}),
        ways=[way for way in _FOR_MANY if any(way in item.first.ways_out for item in found)],
        wanted=wanted,
        ages=AGES,
        sorts=list(SORTS),
        place=place,
        pages=pages,
        decided=decided,
        decided_names=names,
    )


def _wanted(page: PageContext) -> Wanted:
    """What the list is narrowed down to, by the address or by what a form has kept of it."""
    asked = dict(parse_qsl(page.form["query"])) if "query" in page.form else page.request.query_params
    days, sort = asked.get("days", ""), asked.get("sort", "")
    return Wanted(
        asked.get("kind", ""),
        asked.get("reason", ""),
        int(days) if days in map(str, AGES) else 0,
        asked.get("q", "").strip()[:_LONGEST_VALUE],
        sort if sort in SORTS else "age",
    )


def _items(state: State) -> list[Item]:
    found = reviews.open_items(state)
    return items_of(found, reviews.customer_names(state, found))


def one_review(page: PageContext) -> Response:
    """One review: what happened, both sides, and the ways out."""
    with page.dependencies.state() as state:
        review = reviews.get(state, _id_of(page))
        if review is None:
            return page.message("error_404", 404)
        history = of_record(state, review.entity, review.crm_id, review.finance_code)[::-1]
        others = _others(state, review.details)
        review = replace(review, details=_with_twins(state, _with_numbers(Mappings(state), review.details)))
        stored = reviews.is_stored(state, review.id)
        may_reopen = stored or can_be_reopened(state, review)
        name = reviews.customer_names(state, [review]).get(review.id, "")
        listed = narrowed(_items(state), _wanted(page), clock.now())
        near = PostedDocuments(state).numbers_around(review.since) if Resolution.POSTED in review.ways_out else []
    place, before, after = around(listed, review.id)
    return page.show(
        "review.html",
        review=review,
        name=name,
        view=view(review, page.language),
        candidates=candidate_names(review.details),
        suggests=review.reason not in _AGAINST,
        near=(min(near), max(near)) if near else None,
        document=review.as_item()["document"],
        query=_wanted(page).query(),
        wanted_fields=parse_qsl(_wanted(page).query()),
        place=place,
        listed=len(listed),
        before=before,
        after=after if place else None,
        siblings=[other for other in (listed[place - 1].reviews if place else ()) if other.id != review.id],
        others=others,
        ways=[(way, way_text(review.reason, way)) for way in review.ways_out],
        stored=stored,
        can_be_reopened=may_reopen,
        value_missing=bool(page.asked("missing")),
        may_be_twice=may_be_twice,
        lines=history,
    )


def _with_numbers(mappings: Mappings, details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with customer numbers where they name other CRM records: a person knows those."""
    sides = details.get("candidates") or ()
    return {**details, "candidates": [{**side, "taken_by": _number(mappings, side.get("taken_by"))} for side in sides]}


def _with_twins(state: State, details: Mapping[str, Any]) -> dict[str, Any]:
    """The details with the other CRM records that a question is about, as far as an open question of their own shows them."""
    crm_ids = (details.get("other_crm_ids") or ())[:_MOST_TWINS]
    about = (reviews.last_about(state, "customer", "finance", crm_id) for crm_id in crm_ids)
    asked = [found.details for found in about if found and found.resolution is None]
    return {**details, "twins": [shown["customer"] for shown in asked if "customer" in shown]}


def _number(mappings: Mappings, crm_id: Any) -> Any:
    known = mappings.of_crm(crm_id) if isinstance(crm_id, str) else None
    return known.customer_number if known and known.customer_number else crm_id


def _others(state: State, details: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The other records that a question is about: (number, code or CRM id; name, as far as it is known)."""
    crm_ids = details.get("other_crm_ids") or ()
    names, mappings = last_names(state, crm_ids), Mappings(state)
    records = [(str(_number(mappings, crm_id)), names.get(crm_id, "")) for crm_id in crm_ids]
    return [*records, *((str(code), "") for code in details.get("other_finance_codes") or ())]


def way_text(reason: str, way: Resolution) -> str:
    """The name of the text about a way out of a question; its hint has `_hint` behind it."""
    if way is Resolution.DISCARD and reason == Reason.SAME_DOCUMENT:
        return "way_discard_same"
    if way is Resolution.RETRY and reason not in reviews.RETRIED:
        return "way_look_again"
    is_corrected = way is Resolution.DISCARD and reason in _AFTER_POSTING
    return "way_discard_after_posting" if is_corrected else f"way_{way}"


def confirm(page: PageContext) -> Response:
    """The question before a decision is carried out. Changes nothing."""
    way, value = page.asked("way"), page.asked("value")[:_LONGEST_VALUE]
    review = _review_to_decide(page, way, value, _wanted(page).query())
    if isinstance(review, Response):
        return review
    with page.dependencies.state() as state:
        odd = _odd(state, review, way, value)
        (item,) = items_of([review], reviews.customer_names(state, [review]))
        stays_out = way == Resolution.DISCARD and _is_unlinked(state, review)
    if odd and odd.code != FAR:
        return page.go(f"/reviews/{review.id}?{_wanted(page).query()}", page.language.message(odd))
    linked = name_linked(review.details, value) if way == Resolution.LINK else ""
    return page.show(
        "confirm.html",
        review=review,
        item=item,
        way=way,
        value=value,
        linked=linked,
        overwritten=overwritten(review, value, page.language) if way == Resolution.LINK else None,
        suggests=way != Resolution.LINK or review.reason not in _AGAINST,
        cost="stays_out" if stays_out else cost(review, way),
        far=page.language.message(odd) if odd else "",
        may_be_twice=may_be_twice(review, way),
        query=_wanted(page).query(),
    )


def _is_unlinked(state: State, review: Review) -> bool:
    """Whether it is about a customer of the CRM for whom Siagh has no contact yet."""
    return review.entity == "customer" and bool(review.crm_id) and Mappings(state).of_crm(review.crm_id or "") is None


def _odd(state: State, review: Review, way: str, value: str) -> Message | None:
    """What is wrong or odd about the number of a pre-invoice."""
    if way != Resolution.POSTED:
        return None
    try:
        check_number(state, review, value, force=False)
    except UsageError as error:
        return error.message
    return None


def confirm_many(page: PageContext) -> Response:
    """The question before one decision about all items that were ticked. Changes nothing."""
    way, wanted = page.asked("way"), _wanted(page)
    if way not in _FOR_MANY:
        return page.message("error_400", 400)
    ticked = {int(text) for text in page.request.query_params.getlist("id") if text.isdecimal()}
    with page.dependencies.state() as state:
        found = narrowed(_items(state), wanted, clock.now())
        chosen = [item for item in found if page.asked("all") or item.first.id in ticked]
        fitting = [item for item in chosen if all(way in review.ways_out for review in item.reviews)]
        stay_out = sum(way == Resolution.DISCARD and _is_unlinked(state, item.first) for item in fitting)
    if not fitting:
        return page.go(f"/reviews?{wanted.query()}", page.language.text("none_ticked"))
    return page.show(
        "confirm_many.html",
        items=fitting,
        ids=" ".join(str(review.id) for item in fitting for review in item.reviews),
        left_out=len(chosen) - len(fitting),
        costs=costs(fitting, way),
        stay_out=stay_out,
        may_be_twice=any(may_be_twice(item.first, way) for item in fitting),
        way=way,
        query=wanted.query(),
    )


def decide_many(page: PageContext) -> Response:
    """Carries one decision out about several questions, and says which of them were refused, and why."""
    assert page.session is not None
    way, ids = page.form.get("way", ""), [int(found) for found in _ID.findall(page.form.get("ids", ""))]
    if way not in _FOR_MANY:
        return page.message("error_400", 400)
    at_once, refused = page.dependencies.control.decide_many(ids, Decision(Resolution(way)), page.session.user)
    text = "decided_many" if at_once else "decided_many_stored"
    lines = [page.language.text(text, count=len(ids) - len(refused))]
    if refused:
        lines += [page.language.text("refused_many", count=len(refused)), *map(page.language.message, refused.values())]
    return page.go(f"/reviews?{_wanted(page).query()}", "\n".join(lines))


def reopen(page: PageContext) -> Response:
    """Takes a decision back, in the name of who is logged in."""
    assert page.session is not None
    review_id = _id_of(page)
    page.dependencies.control.reopen(review_id, page.session.user)
    return page.go(f"/reviews/{review_id}", page.language.text("reopened"))


def decide(page: PageContext) -> Response:
    """Carries a decision out, in the name of who is logged in, and goes on to the next item. A number that is odd is taken only
    where that was asked about and affirmed."""
    way, value = page.form.get("way", ""), page.form.get("value", "").strip()[:_LONGEST_VALUE]
    query = _wanted(page).query()
    review = _review_to_decide(page, way, value, query)
    if isinstance(review, Response):
        return review
    assert page.session is not None
    with page.dependencies.state() as state:
        _, _, after = around(narrowed(_items(state), _wanted(page), clock.now()), review.id)
    decision = Decision(Resolution(way), value, force=page.form.get("sure") == "1")
    at_once = page.dependencies.control.decide(review.id, decision, page.session.user)
    path = f"/reviews/{after.first.id}" if after else "/reviews"
    return page.go(
        f"{path}?{query}" if query else path, page.language.text("decided" if at_once else "decision_stored")
    )


def _review_to_decide(page: PageContext, way: str, value: str, query: str) -> Review | Response:
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
        return page.go(f"/reviews/{review.id}?{urlencode({'missing': way})}&{query}")
    return review


def _id_of(page: PageContext) -> int:
    return int(page.request.path_params["review_id"])
