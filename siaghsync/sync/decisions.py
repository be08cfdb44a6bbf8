"""Carries out what a person decided about a review: checked against both systems first, and audited with the name."""

from __future__ import annotations

from dataclasses import dataclass, replace

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, customer_kind
from siaghsync.domain.normalize import ascii_digits
from siaghsync.domain.reasons import IntentState, Match, Operation, Reason, Resolution
from siaghsync.errors import CallError, UsageError
from siaghsync.messages.message import msg
from siaghsync.planning.customers import contact_known
from siaghsync.state import decisions, retries, reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings
from siaghsync.state.outbox import close_intent, unsettled_of
from siaghsync.state.reviews import Review
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import RunContext
from siaghsync.sync.document_outcomes import remember
from siaghsync.sync.reading import customers_with_number


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: the way out, and the code or number that goes with `link` and `posted`."""

    resolution: Resolution
    value: str = ""


def open_review(state: State, review_id: int) -> Review:
    """The open review with this id. Raises UsageError if there is none."""
    review = reviews.get(state, review_id)
    if review is None:
        raise UsageError("usage.no_review", id=review_id)
    if review.resolution is not None:
        raise UsageError("usage.review_resolved", id=review_id, resolution=review.resolution)
    return review


def resolve(context: RunContext, review: Review, decision: Decision) -> None:
    """Carries a decision out; for `link` the context has to be logged in.

    Raises UsageError if the decision does not fit the review or the two systems, CallError if they can't be asked.
    """
    run, way_out = context.run, decision.resolution
    allowed = reviews.ways_out(review.entity, review.reason)
    if way_out not in allowed:
        ways = ", ".join(f"--{way}" for way in allowed)
        raise UsageError("usage.no_way_out", id=review.id, reason=review.reason, way=str(way_out), ways=ways)
    pair = _pair(context, review, decision.value) if way_out is Resolution.LINK else None
    if way_out is Resolution.RECREATE:
        _store_recreate(run, review)
        return
    with run.state.atomic():
        decisions.drop(run.state, review.id)  # an earlier one, which no run has carried out
        reviews.resolve(run, review.id, way_out)
        if pair:
            _link(run, pair)
        if review.entity == "invoice":
            _decide_document(run, review, decision)
        if way_out is Resolution.UNLINK:
            end_link(run, review.record)
        if pair or (way_out in (Resolution.RETRY, Resolution.UNLINK) and review.target == "finance"):
            _try_at_once(run, review, pair)
        run.append(
            entity=review.entity,
            operation="resolve",
            outcome=str(way_out),
            target=review.target,
            kind=review.kind,
            name=review.name,
            crm_id=pair.crm_id if pair else review.crm_id,
            customer_number=review.customer_number,
            finance_code=pair.finance_code if pair else review.finance_code,
            reason=review.reason,
            message=msg("sync.review_resolved", id=review.id, way=str(way_out), value=decision.value),
        )


def _store_recreate(run: Run, review: Review) -> None:
    """The next run makes the contact anew. Until that is done the question stays open, and the decision is kept."""
    with run.state.atomic():
        decisions.store(run.state, review, Resolution.RECREATE, "", run.at(), run.actor)
        _try_at_once(run, review, None)


def end_link(run: Run, crm_id: str) -> None:
    """Ends the link of a customer, and what is in doubt about its contact. Belongs inside `State.atomic`."""
    subject = Action(Operation.UPDATE, "customer", "finance", crm_id, "person", "", crm_id)
    Mappings(run.state).remove(crm_id)
    if stored := decisions.find(run.state, subject, Resolution.RECREATE):
        decisions.drop(run.state, stored.review.id)
    for intent in unsettled_of(run.state, subject):
        if intent.action.operation is Operation.UPDATE:
            close_intent(run, intent.id, IntentState.EXPIRED, msg("sync.a_person_decided", way=str(Resolution.UNLINK)))


def _try_at_once(run: Run, review: Review, pair: CustomerMapping | None) -> None:
    """The next sync takes the record up at once, with all its tries before it again."""
    subject = _subject(review)
    retries.release(run.state, subject)
    due = replace(subject, target="finance", record=pair.crm_id if pair else review.record)
    retries.schedule_retry(run, due, Reason.RESOLVED, msg("reason.resolved"), failed=False)


def _decide_document(run: Run, review: Review, decision: Decision) -> None:
    """An intent in doubt ends with the decision: the document is there, or it may be sent again, or never."""
    subject, is_posted = _subject(review), decision.resolution is Resolution.POSTED
    outcome = IntentState.CONFIRMED if is_posted else IntentState.EXPIRED
    for intent in unsettled_of(run.state, subject):
        close_intent(run, intent.id, outcome, msg("sync.a_person_decided", way=str(decision.resolution)))
    retries.free(run.state, Reason.QUOTE_IN_DOUBT)
    if decision.resolution is Resolution.DISCARD and review.reason == Reason.SAME_DOCUMENT:
        known = replace(subject, checksum=review.checksum, details=review.details)
        remember(
            run, known, review.details["posted"]["number"], review.details["posted"]["key"], None, posted_by="link"
        )
    if is_posted:
        number = ascii_digits(decision.value).strip()
        if not number.isdecimal():
            raise UsageError("usage.not_a_preinvoice_number", value=decision.value)
        known = replace(subject, checksum=review.checksum, details=review.details)
        remember(run, known, number, "", None, posted_by="person")


def _subject(review: Review) -> Action:
    return Action(
        Operation.REVIEW,
        review.entity,
        review.target,
        review.record,
        review.kind,
        review.customer_number,
        review.crm_id,
        review.finance_code,
        name=review.name,
    )


def _pair(context: RunContext, review: Review, value: str) -> CustomerMapping:
    """The pair that the person named, after making sure that both sides exist and are free."""
    customer, contact = _customer(context, review, value), _contact(context, review, value)
    owner = context.mappings.of_code(contact.code)
    if owner and owner.crm_id != customer.crm_id:
        raise UsageError("usage.contact_is_linked", code=contact.code, number=owner.customer_number)
    known = context.mappings.of_crm(customer.crm_id)
    if known and review.target == "crm":
        raise UsageError("usage.customer_is_linked", number=customer.number, code=known.finance_code)
    number = customer.number or (known.customer_number if known else "")
    return CustomerMapping(customer.crm_id, contact.code, customer.kind, number, **contact_known(contact))


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
    """The CRM side: known for a review of a sync; for one of an import, the customer number that was given."""
    if review.target == "finance":
        kind = customer_kind(review.kind)
        raw = context.crm.get(kind, review.record)
        if raw is None:
            raise UsageError("usage.customer_is_gone")
        return customer_from_crm(raw, kind, context.rules.site)
    number = ascii_digits(value).strip()
    found = [customer for customer in customers_with_number(context, number) if customer.number == number]
    if len(found) != 1:
        raise UsageError("usage.number_not_unique", count=len(found), number=number)
    return found[0]


def _link(run: Run, pair: CustomerMapping) -> None:
    mappings = Mappings(run.state)
    if mappings.of_crm(pair.crm_id):
        mappings.relink(pair, str(Match.PERSON), run.at())
    else:
        mappings.add(pair, str(Match.PERSON), run.at())
