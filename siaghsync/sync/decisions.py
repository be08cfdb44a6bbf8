"""Carries out what a person decided about a review: checked against both systems first, and audited with the name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import islice
from typing import Any

from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, Kind, customer_kind
from siaghsync.domain.document import Posted
from siaghsync.domain.normalize import ascii_digits, is_guid
from siaghsync.domain.reasons import AuditOutcome, IntentState, Match, Operation, Reason, Resolution
from siaghsync.domain.site import Site
from siaghsync.errors import CallError, UsageError
from siaghsync.messages.message import Message, msg
from siaghsync.planning.customers import contact_known
from siaghsync.state import retries, reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.outbox import close_intent, take_back, unsettled_of
from siaghsync.state.reviews import Review, StoredDecision
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import RunContext
from siaghsync.sync.document_outcomes import remember, source_of
from siaghsync.sync.lists import KINDS, customers_with_number
from siaghsync.sync.matching import has_lost
from siaghsync.sync.outcomes import give_way
from siaghsync.sync.records_by_id import RecordsById, look


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: the way out, and the code or number that goes with `link` and `posted`. `force` takes an odd
    number without asking."""

    resolution: Resolution
    value: str = ""
    force: bool = False


def open_review(state: State, review_id: int) -> Review:
    """The open review with this id. Raises UsageError if there is none."""
    review = reviews.get(state, review_id)
    if review is None:
        raise UsageError("usage.no_review", id=review_id)
    if review.resolution is not None:
        raise UsageError("usage.review_resolved", id=review_id, resolution=review.resolution)
    return review


def check(state: State, review: Review, decision: Decision) -> None:
    """Raises UsageError if the decision does not fit the review, as far as the state file can tell."""
    way_out, allowed = decision.resolution, reviews.ways_out(review.entity, review.reason)
    if way_out not in allowed:
        ways = ", ".join(f"--{way}" for way in allowed)
        raise UsageError("usage.no_way_out", id=review.id, reason=review.reason, way=str(way_out), ways=ways)
    if way_out is Resolution.POSTED:
        check_number(state, review, decision.value, force=decision.force)


Refused = dict[int, Message]
"""Review -> why a decision about it was refused."""


@contextmanager
def noting(refused: Refused | None, review_id: int) -> Iterator[None]:
    """What is refused within the block is entered in `refused`, so that the rest can go on; raised if there is None."""
    try:
        yield
    except UsageError as error:
        if refused is None:
            raise
        refused[review_id] = error.message


def keep(
    state: State, ids: Sequence[int], decision: Decision, at: str, who: str, refused: Refused | None = None
) -> None:
    """Stores a decision while a run is at work: the next one carries it out. Raises UsageError as `check` does, unless it is to
    be noted in `refused`."""
    with state.atomic():
        for review_id in ids:
            with noting(refused, review_id):
                review = open_review(state, review_id)
                check(state, review, decision)
                reviews.store(state, review, str(decision.resolution), decision.value, at, who)


def carry_out_stored(context: RunContext) -> None:
    """Carries out what people decided while an earlier run was at work, each in the name of who did.

    One that does not fit any more, because its question changed or was settled meanwhile, is dropped and audited; one for which
    a system can't be asked stays stored.
    """
    for stored in reviews.stored(context.state):
        acting = replace(context, run=context.run.acting_for(stored.decided_by))
        if stored.way_out == Resolution.RECREATE:  # it is carried out where the customer is planned
            _look_again(acting.run, stored.review)
            continue
        try:
            resolve(acting, stored.review, Decision(Resolution(stored.way_out), stored.value, force=True), stored)
        except UsageError as error:
            with context.state.atomic():
                reviews.drop(context.state, stored.review.id)
                note_decision(acting.run, stored.review, AuditOutcome.REFUSED, stored.value, why=error.message)
        except CallError:
            continue


def _look_again(run: Run, review: Review) -> None:
    if not retries.find(run.state, review.entity, review.target, review.record):
        with run.state.atomic():
            _try_at_once(run, review, None)


def resolve(context: RunContext, review: Review, decision: Decision, stored: StoredDecision | None = None) -> None:
    """Carries a decision out; for `link` the context has to be logged in. One that was `stored` is left alone if a person has
    taken it back meanwhile.

    Raises UsageError if the decision does not fit the review or the two systems, CallError if they can't be asked.
    """
    run, way_out = context.run, decision.resolution
    check(run.state, review, decision)
    pair = _pair(context, review, decision.value) if way_out is Resolution.LINK else None
    if way_out is Resolution.RECREATE:
        _store_recreate(run, review)
        return
    with run.state.atomic():
        if stored and not reviews.is_stored(run.state, review.id):
            return
        if stored and not reviews.fits(run.state, stored):
            raise UsageError("usage.question_changed", id=review.id)
        reviews.resolve(run, review.id, way_out)
        if pair:
            _link(run, pair)
        if review.entity == "invoice":
            decide_document(run, review, subject_of_review(review), way_out, decision.value)
        if way_out is Resolution.UNLINK:
            end_link(run, review.record)
        if pair or (way_out in (Resolution.RETRY, Resolution.UNLINK) and review.target == "finance"):
            _try_at_once(run, review, pair)
        note_decision(run, review, str(way_out), decision.value, pair)


def note_decision(
    run: Run,
    review: Review,
    outcome: str,
    value: str,
    pair: CustomerMapping | None = None,
    why: Message | None = None,
) -> None:
    """Appends to the audit trail what became of a decision, and why not if nothing did."""
    run.append(
        entity=review.entity,
        operation="resolve",
        outcome=outcome,
        target=review.target,
        kind=review.kind,
        name=review.name,
        crm_id=pair.crm_id if pair else review.crm_id,
        customer_number=review.customer_number,
        finance_code=pair.finance_code if pair else review.finance_code,
        reason=review.reason,
        message=why or msg("sync.review_resolved", id=review.id, way=outcome, value=value),
    )


def _store_recreate(run: Run, review: Review) -> None:
    """The next run makes the contact anew. Until that is done the question stays open, and the decision is kept."""
    with run.state.atomic():
        reviews.store(run.state, review, Resolution.RECREATE, "", run.at(), run.actor)
        _try_at_once(run, review, None)


def end_link(run: Run, crm_id: str) -> None:
    """Ends the link of a customer, and what is in doubt about its contact. Belongs inside `State.atomic`."""
    subject = Action(Operation.UPDATE, "customer", "finance", crm_id, "person", "", crm_id)
    Mappings(run.state).remove(crm_id)
    if stored := reviews.find(run.state, subject, Resolution.RECREATE):
        reviews.drop(run.state, stored.review.id)
    for intent in unsettled_of(run.state, subject):
        if intent.action.operation is Operation.UPDATE:
            close_intent(run, intent.id, IntentState.EXPIRED, msg("sync.a_person_decided", way=str(Resolution.UNLINK)))


def _try_at_once(run: Run, review: Review, pair: CustomerMapping | None) -> None:
    """The next sync takes the record up at once, with all its tries before it again."""
    subject = subject_of_review(review)
    retries.release(run.state, subject)
    due = replace(subject, target="finance", record=pair.crm_id if pair else review.record)
    retries.schedule_retry(run, due, Reason.RESOLVED, msg("reason.resolved"), failed=False)


def subject_of_review(review: Review) -> Action:
    """The record that a review is about, as an action without anything to do."""
    return replace(review.as_action(), checksum=None, details={})


def _pair(context: RunContext, review: Review, value: str) -> CustomerMapping:
    """The pair that the person named, after making sure that both sides exist and are free."""
    customer, contact = _customer(context, review, value), _contact(context, review, value)
    owner = context.mappings.of_code(contact.code)
    if owner and owner.crm_id != customer.crm_id and not _gives_way(context.state, context.by_id, owner, contact):
        raise UsageError("usage.contact_is_linked", code=contact.code, number=owner.customer_number)
    known = context.mappings.of_crm(customer.crm_id)
    if known and review.target == "crm":
        raise UsageError("usage.customer_is_linked", number=customer.number, code=known.finance_code)
    number = customer.number or (known.customer_number if known else "")
    if contact.marker not in ("", number, customer.crm_id):
        number = ""  # it was marked under another number: the next sync sees a new one, and the mark follows
    return CustomerMapping(customer.crm_id, contact.code, customer.kind, number, **contact_known(contact))


def _gives_way(state: State, by_id: RecordsById, owner: CustomerMapping, contact: Contact) -> bool:
    """Whether a link is dead: its customer lost this contact, or its record is gone from the CRM."""
    return has_lost(state, owner, contact) or by_id.get(owner.kind, owner.crm_id) is None


def _contact(context: RunContext, review: Review, value: str) -> Contact:
    code = str(review.finance_code) if review.target == "crm" else ascii_digits(value).strip()
    if not code.isdecimal():
        raise UsageError("usage.not_a_finance_code", value=code)
    found = read_contact(context.finance, int(code))
    if isinstance(found, CallError):
        raise found
    if found is None:
        raise UsageError("usage.no_contact", code=code)
    if found.admin:
        raise UsageError("usage.contact_is_admin", code=code)
    return found


def _customer(context: RunContext, review: Review, value: str) -> Customer:
    """The CRM side: known for a review of a sync; for one of an import, by the customer number or CRM id that was given."""
    if review.target == "finance":
        found = _customers_with_id(context.crm, context.rules.site, review.record, [customer_kind(review.kind)])
        if not found:
            raise UsageError("usage.customer_is_gone")
        return found[0]
    number = ascii_digits(value).strip()
    found = [customer for customer in customers_with_number(context, number) if customer.number == number]
    found = found or (
        _customers_with_id(context.crm, context.rules.site, number.lower(), KINDS) if is_guid(number) else []
    )
    if len(found) != 1:
        raise UsageError("usage.number_not_unique", count=len(found), number=number)
    return found[0]


def _customers_with_id(crm: Payamgostar, site: Site, crm_id: str, kinds: Sequence[Kind]) -> list[Customer]:
    records = ((kind, look(crm, kind, crm_id)) for kind in kinds)
    found = (customer_from_crm(raw, kind, site) for kind, raw in records if raw is not None)
    return list(islice(found, 1))


def _link(run: Run, pair: CustomerMapping) -> None:
    mappings = Mappings(run.state)
    owner = mappings.of_code(pair.finance_code)
    if owner and owner.crm_id != pair.crm_id:
        if reviews.asks_for_contact(run.state, owner.crm_id):
            give_way(run, owner)
        else:  # its record is gone from the CRM
            end_link(run, owner.crm_id)
    if mappings.of_crm(pair.crm_id):
        mappings.relink(pair, str(Match.PERSON), run.at())
    else:
        mappings.add(pair, str(Match.PERSON), run.at())


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
