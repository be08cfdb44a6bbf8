"""Plans the documents of a sync one by one, once their customers are settled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, time

from siaghsync.connectors.payamgostar.documents import document_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, CustomerMapping
from siaghsync.domain.document import Document, Posted, family_of, snapshot
from siaghsync.domain.reasons import LINK_IN_DOUBT, Operation, Reason, Resolution
from siaghsync.errors import BadRecord, CallError, InDoubt, Refused
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_checks import is_same
from siaghsync.planning.documents import (
    DocumentCase,
    DocumentRules,
    Wait,
    identity,
    is_same_document,
    may_be_twins,
    on_party,
    plan_document,
    same_document,
)
from siaghsync.state import facts, reviews
from siaghsync.state.meta import unsure_before
from siaghsync.state.outbox import Intent, unknown_intents, unsettled_of
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import RunContext
from siaghsync.sync.document_outcomes import subject_of
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.what_was_read import Reading

NOT_YET_CREATED = 0
"""Stands for the code of a customer that is not linked yet, but would be."""


@dataclass(slots=True)
class Assumptions:
    """What the planner takes as done although it is not: all that a dry run would have done so far."""

    linked: set[str] = field(default_factory=set)
    """CRM ids of customers."""
    in_doubt: set[str] = field(default_factory=set)
    """CRM ids of customers whose link would be put before a person."""
    posted: set[str] = field(default_factory=set)
    """CRM ids of documents."""
    any_customer: bool = False
    """Every customer counts as linked: asked before the first write, for the brake."""


@dataclass(frozen=True, slots=True)
class DocumentPlanner:
    """Decides about documents. `rules` is asked once there are documents; `fiscal_year` is the Siagh session's."""

    context: RunContext
    reading: Reading
    crm: CrmReader
    rules: Callable[[], DocumentRules]
    fiscal_year: int | None
    assumptions: Assumptions
    quotes: dict[str, Document | None] = field(default_factory=dict)
    """Quotes that were read for their age alone, because an invoice was made from them; None: it can't be had."""
    contacts: dict[int, Contact | None] = field(default_factory=dict)
    """Contacts that were read for their account party."""

    def would_create(self) -> int:
        """How many of the documents read would be posted if every customer could be linked."""
        optimist = replace(self, assumptions=replace(self.assumptions, any_customer=True))
        return sum(optimist.is_create(document) for document in self.reading.documents.values())

    def is_create(self, document: Document) -> bool:
        """Whether a document would be posted; one that can't be decided yet counts."""
        self.context.stop_if_cancelled()
        try:
            decision = self.plan(document)
        except (InDoubt, Refused):
            return True  # told when its turn comes
        return isinstance(decision, Action) and decision.operation is Operation.CREATE

    def plan(self, document: Document) -> Action | Wait | None:
        """What becomes of a document; None if nothing is to be done.

        Raises InDoubt if the quote that it was made from, whose age decides, can't be read.
        """
        subject = subject_of(document.crm_id, document.source, document.name)
        if doubts := unsettled_of(self.context.state, subject):
            return self._review_of(doubts[0])
        if self._family_is_in_doubt(document):
            return Wait(Reason.QUOTE_IN_DOUBT, document.about(msg("reason.quote_in_doubt")))
        if self._same_is_in_doubt(document):
            return Wait(Reason.QUOTE_IN_DOUBT, document.about(msg("reason.quote_in_doubt_same")))
        case, rules = self._case(document), self.decided_rules()
        decision = self._counted_as_before(document, plan_document(case, rules))
        if not isinstance(decision, Action) or decision.operation is not Operation.CREATE:
            return decision
        if self._may_be_posted(document, decision):
            code = "reason.may_be_posted_with_quote" if document.related_quote_id else "reason.may_be_posted"
            message = msg(code, note=decision.payload["notes"])
            return _as_review(decision, Reason.MAY_BE_POSTED, document.about(message))
        if (same := self._same_document(document, decision)) and not self._was_retried(decision, Reason.SAME_DOCUMENT):
            return same_document(decision, document, same)
        if answered := self._answered_before(document, decision):
            return answered
        is_newcomer = case.customer_code == NOT_YET_CREATED and self.assumptions.any_customer
        if rules.customer != "party" or is_newcomer:
            return decision
        return on_party(case, decision, self._contact(case.customer_code or NOT_YET_CREATED))

    def decided_rules(self) -> DocumentRules:
        """The rules; whom documents are booked on is decided by the contacts where the settings don't, and by nobody while
        what was learned of it, or of anything that documents depend on, is in doubt."""
        rules = self.rules()
        if rules.customer or facts.doubts(self.context.state):
            return rules
        known = facts.find(self.context.state, facts.PREINVOICE_CUSTOMER)
        if (known and known.how == "rehearsal") or self.reading.parties.verdict is None:
            return replace(rules, customer=known.answer if known else None)
        return replace(rules, customer="contact" if self.reading.parties.verdict == "contact" else None)

    def _contact(self, code: int) -> Contact | None:
        """The contact with this code, out of the list if that was read. Raises CallError if it can't be read."""
        if self.reading.list_read_at is not None and (listed := self.context.staging.contact(code)):
            return listed
        if code not in self.contacts and code != NOT_YET_CREATED:
            found = read_contact(self.context.finance, code)
            if isinstance(found, CallError):
                raise found
            self.contacts[code] = found
        return self.contacts.get(code)

    def _counted_as_before(self, document: Document, decision: Action | Wait | None) -> Action | Wait | None:
        """With the checksum of the last question about the document, if its content is still the same: an older version counted
        other things as content, and what was answered is not asked again for that."""
        last = reviews.last_of(self.context.state, decision) if isinstance(decision, Action) else None
        if isinstance(decision, Action) and last and is_same(last.checksum, last.details.get("snapshot"), document):
            return replace(decision, checksum=last.checksum)
        return decision

    def _review_of(self, doubt: Intent) -> Action:
        """The review that stands about a document in doubt.

        What a killed run has left becomes one in the next run; a dry run that comes before it only says so.
        """
        if reviews.last_of(self.context.state, doubt.action):
            return reviews.as_it_stands(self.context.state, doubt.action)
        return _as_review(doubt.action, Reason.UNKNOWN_OUTCOME, msg("reason.unknown_outcome_run_ended"))

    def _answered_before(self, document: Document, create: Action) -> Action | None:
        """The review that keeps a document from being posted: it has used up its tries, or a person has decided that it
        is not to be posted and it has changed since. Only a person can know whether it stands in Siagh by now."""
        if reviews.rests(self.context.state, create):
            return reviews.as_it_stands(self.context.state, create)
        last = reviews.last_of(self.context.state, create)
        asked = (Reason.UNKNOWN_OUTCOME, Reason.CHANGED_AFTER_DISCARD)
        if last and last.resolution == Resolution.DISCARD and last.reason in asked:
            return _as_review(create, Reason.CHANGED_AFTER_DISCARD, document.about(msg("reason.changed_after_discard")))
        return None

    def _may_be_posted(self, document: Document, create: Action) -> bool:
        """Whether an earlier state file, which is gone, may have known the document, or another that counts as one with
        it, as posted, and nobody has looked yet."""
        since = unsure_before(self.context.state, self.crm.newest_moment)
        created = created_at(document)
        # A date in the future comes of a clock that was wrong once, nobody knows when.
        is_dated_ahead = self.crm.is_in_future(created)
        if since is None or (created > since and not is_dated_ahead and self._quote_is_younger(document, since)):
            return False
        return not self._was_retried(create, Reason.MAY_BE_POSTED)

    def _was_retried(self, create: Action, question: Reason) -> bool:
        """Whether a person has looked, and answered the last question, if it was this one, with "try again"."""
        last = reviews.last_of(self.context.state, create)
        return bool(last and last.reason == question and last.resolution == Resolution.RETRY)

    def _same_document(self, document: Document, create: Action) -> Posted | None:
        """What was posted under another id, or would be in this dry run, and is the same document for people."""
        number = create.customer_number
        for entry in self.context.posted.with_number(document.source, document.number):
            if is_same_document(document, number, entry.posted.snapshot, entry.customer_number):
                return entry.posted
        if document.source == "quote" or document.quote_is_unknown:
            for entry in self.context.posted.possible_twins(document.customer_crm_id, document.source):
                if may_be_twins(document, entry.posted.snapshot):
                    return entry.posted
        planned = [self.reading.documents[crm_id] for crm_id in self.assumptions.posted]
        same = (
            d for d in planned if is_same_document(document, "", snapshot(d), "") or may_be_twins(document, snapshot(d))
        )
        return next(map(_as_planned, same), None)

    def _same_is_in_doubt(self, document: Document) -> bool:
        """Whether the same document for people was sent under another id and nobody knows yet if it stands in Siagh."""
        number = self._customer_number(document)
        sent = (intent.action for intent in unknown_intents(self.context.state, "finance", "invoice"))
        return any(
            is_same_document(document, number, each.details["snapshot"], each.customer_number)
            or may_be_twins(document, each.details["snapshot"])
            for each in sent
        )

    def _quote_is_younger(self, document: Document, since: datetime) -> bool:
        """Whether the quote that the document was made from, if it was, is surely younger than that."""
        crm_id = family_of(document)
        if crm_id == document.crm_id:
            return True
        if crm_id not in self.quotes:
            try:
                raw = self.context.crm.get("quote", crm_id)
                self.quotes[crm_id] = document_from_crm(raw, "quote") if raw is not None else None
            except BadRecord:
                self.quotes[crm_id] = None
        quote = self.quotes[crm_id]
        return quote is not None and created_at(quote) > since

    def _case(self, document: Document) -> DocumentCase:
        mapping = self.context.mappings.of_crm(document.customer_crm_id)
        code = mapping.finance_code if mapping else None
        wait = self._why_customer_waits(document) if mapping is None else self._doubt_about(mapping)
        code = None if wait else code
        is_foreign = wait is not None and wait[0] == Reason.FOREIGN_NUMBER
        if self.assumptions.any_customer or document.customer_crm_id in self.assumptions.linked:
            code = NOT_YET_CREATED if code is None and not is_foreign else code
        return DocumentCase(
            document,
            fiscal_year=self.fiscal_year,
            customer_number=self._customer_number(document),
            customer_code=code,
            customer_wait=wait,
            posted=self.context.posted.of(document.crm_id),
            twin=self._twin(document),
        )

    def _customer_number(self, document: Document) -> str:
        mapping = self.context.mappings.of_crm(document.customer_crm_id)
        customer = self.context.staging.customer(document.customer_crm_id)
        return (customer.number if customer else "") or (mapping.customer_number if mapping else "")

    def _twin(self, document: Document) -> Posted | None:
        """Another of a quote and the invoices made from it that was posted, an invoice before the quote."""
        family = family_of(document)
        assumed = (self.reading.documents[crm_id] for crm_id in self.assumptions.posted)
        if planned := next((d for d in assumed if family_of(d) == family), None):
            return _as_planned(planned)
        posted = self.context.posted
        quote = posted.of(family) if document.source == "invoice" else None
        return posted.made_from(family, other_than=document.crm_id) or quote

    def _family_is_in_doubt(self, document: Document) -> bool:
        """Whether nobody knows yet if another of a quote and the invoices made from it stands in Siagh: it was sent without a
        clear answer, or the quote may be one that was posted under another id."""
        quote = reviews.last_of(self.context.state, subject_of(family_of(document), "quote"))
        if (
            quote
            and quote.record != document.crm_id
            and (quote.reason, quote.resolution) == (Reason.SAME_DOCUMENT, None)
        ):
            return True
        intents = unknown_intents(self.context.state, "finance", "invoice")
        others = (intent.action for intent in intents if intent.record != document.crm_id)
        return any((sent.details["related_quote_id"] or sent.record) == family_of(document) for sent in others)

    def _doubt_about(self, mapping: CustomerMapping) -> tuple[Reason, Message] | None:
        """(reason, message) why nothing is booked on the contact of a linked customer for now, or None."""
        crm_id, number = mapping.crm_id, mapping.customer_number
        last = reviews.last_of(
            self.context.state, Action(Operation.UPDATE, "customer", "finance", crm_id, mapping.kind, number, crm_id)
        )
        who = {"number": number or crm_id, "name": last.name if last else ""}
        if last and last.resolution is None and last.reason in LINK_IN_DOUBT:
            return Reason.CUSTOMER_IN_REVIEW, msg("reason.customer_in_review", **who, review=last.id)
        if crm_id in self.assumptions.in_doubt:
            return Reason.CUSTOMER_WAITS, msg("reason.customer_waits", **who)
        return None

    def _why_customer_waits(self, document: Document) -> tuple[Reason, Message]:
        """(reason, message) why the customer of a document is not linked."""
        crm_id = document.customer_crm_id
        customer = self.context.staging.customer(crm_id) if crm_id else None
        if customer is None:
            return Reason.CUSTOMER_UNKNOWN, msg("reason.customer_unknown", crm_id=crm_id)
        who = {"number": customer.mark, "name": customer.name or crm_id}
        if not self.context.rules.takes(customer):
            if not customer.number:
                return Reason.CUSTOMER_WITHOUT_NUMBER, msg("reason.customer_without_number", name=who["name"])
            return Reason.FOREIGN_NUMBER, msg("reason.customer_without_number_foreign", **who)
        subject = Action(Operation.CREATE, "customer", "finance", crm_id, customer.kind, customer.number, crm_id)
        last = reviews.last_of(self.context.state, subject)
        if last and last.resolution in (None, Resolution.DISCARD):
            return Reason.CUSTOMER_IN_REVIEW, msg("reason.customer_in_review", **who, review=last.id)
        return Reason.CUSTOMER_WAITS, msg("reason.customer_waits", **who)


def _as_planned(document: Document) -> Posted:
    """A document that only a dry run has posted so far."""
    return Posted(document.crm_id, document.source, None, "", document.checksum, snapshot(document))


def _as_review(action: Action, reason: Reason, message: Message) -> Action:
    return replace(action, operation=Operation.REVIEW, reason=reason, message=message)


def created_at(document: Document) -> datetime:
    """When a document was created, by the CRM's clock; its day if the moment is not known."""
    return document.created or datetime.combine(document.date, time.min)


def rounds(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in rounds, quotes first, and in each round at most one of a quote and the invoices made from it, and of those
    that are the same for people: what became of the one decides about the next. Of a customer one at a time, if the CRM does not
    say which of its documents belong together."""
    left = sorted(documents, key=lambda d: (d.source != "quote", created_at(d), d.crm_id))
    of_unknown = {d.customer_crm_id for d in left if d.quote_is_unknown}
    while left:
        round_: list[Document] = []
        later: list[Document] = []
        taken: set[object] = set()
        for document in left:
            keys = {family_of(document), identity(document), *({document.customer_crm_id} & of_unknown)}
            (later if keys & taken else round_).append(document)
            taken |= keys
        yield round_
        left = later


def waits_for(document: Document, wait: Wait) -> str:
    """The CRM id of the customer, or of the quote, that a document depends on, or the question to be settled first."""
    if wait.reason == Reason.CUSTOMER_CODE_UNDECIDED:
        return facts.PREINVOICE_CUSTOMER  # nobody's id: it waits until it is let go
    return family_of(document) if wait.reason == Reason.QUOTE_IN_DOUBT else document.customer_crm_id
