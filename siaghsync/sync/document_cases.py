"""Gathers, from the state file and what the run has read, what decides about one document, and has it decided."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time

from siaghsync.connectors.payamgostar.documents import document_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.document import Document, Posted, family_of, snapshot
from siaghsync.errors import BadRecord
from siaghsync.planning.documents import DocumentCase, Wait, reconcile_document
from siaghsync.state import reviews
from siaghsync.state.meta import unsure_before
from siaghsync.state.outbox import unknown_intents
from siaghsync.state.posted import PostedDocuments
from siaghsync.sync.context import Engine
from siaghsync.sync.reader import newest_moment
from siaghsync.sync.settle_documents import QUOTE_IN_DOUBT
from siaghsync.sync.sync_reading import Work

NOT_YET_MADE = 0
"""Stands for the code of a customer that only a real run would create."""


def decide_document(
    engine: Engine, work: Work, document: Document, *, optimistic: bool = False
) -> Action | Wait | None:
    """What becomes of a document; `optimistic` as if its customer were linked. Raises InDoubt if its quote, whose age
    decides, can't be read."""
    if _one_is_in_doubt(engine, document):
        text = f"{document.title} waits until a person has decided whether its quote, or an invoice of it, was posted."
        return Wait(QUOTE_IN_DOUBT, text)
    assert work.document_rules is not None
    decision = reconcile_document(_case(engine, work, document, optimistic=optimistic), work.document_rules())
    if (
        isinstance(decision, Action)
        and decision.action == "create"
        and _may_be_posted(engine, work, document, decision)
    ):
        family = "its quote, or of another invoice of that quote" if document.related_quote_id else "an invoice of it"
        text = (
            f"{document.title}: {'it, or its quote,' if document.related_quote_id else 'it'} is from before this state file "
            "was put in place. Look in Siagh for a "
            f"pre-invoice with the note {decision.payload['header']['tozihat']!r}, or one of {family}, which counts "
            "as the same: it may have been posted then."
        )
        return replace(decision, action="review", reason="may_be_posted", message=text, payload={})
    return decision


def _may_be_posted(engine: Engine, work: Work, document: Document, create: Action) -> bool:
    """Whether an earlier state file, which is gone, may have known the document, or another that counts as one with it,
    as posted, and nobody has looked yet."""
    state = engine.run.state
    since = unsure_before(state, lambda: newest_moment(engine))
    if since is None or (_created(document) > since and _quote_is_younger(engine, work, document, since)):
        return False
    last = reviews.last_of(state, create)
    return not (last and last["reason"] == "may_be_posted" and last["resolution"] == "retry")


def _quote_is_younger(engine: Engine, work: Work, document: Document, since: datetime) -> bool:
    """Whether the quote that the document was made from, if it was, is surely younger than that."""
    crm_id = family_of(document)
    if crm_id == document.crm_id:
        return True
    if crm_id not in work.quotes:
        try:
            raw = engine.crm.get("quote", crm_id)
            work.quotes[crm_id] = document_from_crm(raw, "quote") if raw is not None else None
        except BadRecord:
            work.quotes[crm_id] = None
    quote = work.quotes[crm_id]
    return quote is not None and _created(quote) > since


def _created(document: Document) -> datetime:
    return document.created or datetime.combine(document.date, time.min)


def _case(engine: Engine, work: Work, document: Document, *, optimistic: bool) -> DocumentCase:
    posted = PostedDocuments(engine.run.state)
    mapping = engine.mappings.of_crm(document.customer_crm_id)
    customer = engine.scratch.customer(document.customer_crm_id)
    number = (customer.number if customer else "") or (mapping.customer_number if mapping else "")
    code = mapping.finance_code if mapping else None
    wait = None
    if code is None:
        would_be = optimistic or (work.options.dry_run and document.customer_crm_id in engine.would_link)
        code, wait = (NOT_YET_MADE, None) if would_be else (None, _why_customer_waits(engine, document))
    return DocumentCase(
        document,
        fiscal_year=work.fiscal_year,
        customer_number=number,
        customer_code=code,
        customer_wait=wait,
        posted=posted.of(document.crm_id),
        twin=_twin(work, posted, document),
    )


def _twin(work: Work, posted: PostedDocuments, document: Document) -> Posted | None:
    """Another of a quote and the invoices made from it that was posted, an invoice before the quote."""
    family = family_of(document)
    planned = next((d for d in work.documents.values() if d.crm_id in work.would_post and family_of(d) == family), None)
    if planned:
        return Posted(planned.crm_id, planned.source, None, "", planned.checksum, snapshot(planned))
    quote = posted.of(family) if document.source == "invoice" else None
    return posted.made_from(family, other_than=document.crm_id) or quote


def _one_is_in_doubt(engine: Engine, document: Document) -> bool:
    """Whether another of a quote and the invoices made from it was sent and nobody knows yet if it stands in Siagh."""
    others = (i.action for i in unknown_intents(engine.run.state, "finance", "invoice") if i.record != document.crm_id)
    return any((sent.details["related_quote_id"] or sent.record) == family_of(document) for sent in others)


def _why_customer_waits(engine: Engine, document: Document) -> tuple[str, str]:
    """(reason, sentence) why the customer of a document is not linked."""
    crm_id = document.customer_crm_id
    customer = engine.scratch.customer(crm_id) if crm_id else None
    if customer is None:
        return "customer_unknown", f"its customer ({crm_id or 'none given'}) is not in the CRM"
    who = customer.names[0] if customer.names else crm_id
    if not customer.number:
        return "customer_without_number", f"its customer {who} has no customer number in the CRM"
    if engine.rules.scheme.decode(customer.number) is None:
        return (
            "customer_without_number",
            f"the number {customer.number} of its customer {who} does not fit CUSTOMER_NUMBER_*",
        )
    subject = Action("create", "customer", "finance", crm_id, customer.kind, customer.number, crm_id)
    last = reviews.last_of(engine.run.state, subject)
    if last and last["resolution"] in (None, "discard"):
        return "customer_in_review", f"its customer {customer.number} {who} waits for a person (review {last['id']})"
    return "customer_waits", f"its customer {customer.number} {who} waits for another try"
