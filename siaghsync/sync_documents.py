"""Quotes and invoices: read with their customers, planned one by one, posted quotes first, so that none is posted twice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from siaghsync import reviews, settle, settle_documents, waiting
from siaghsync.apply import carry_out
from siaghsync.documents import Document, DocumentSource, Posted, family_of, snapshot
from siaghsync.engine import Engine
from siaghsync.errors import BadRecord, InDoubt
from siaghsync.outbox import unknown_intents, unsettled_of
from siaghsync.plan import Action
from siaghsync.posted import PostedDocuments
from siaghsync.pull import read_source
from siaghsync.reconcile_document import DocumentCase, Wait, reconcile_document
from siaghsync.records import digest
from siaghsync.settle_documents import QUOTE_IN_DOUBT, subject_of
from siaghsync.sync_reading import SOURCES, Intake, Work, fail
from siaghsync.translate import crm_id_of
from siaghsync.translate_document import document_from_crm, rows_are_missing

NOT_YET_MADE = 0
"""Stands for the code of a customer that only a real run would create."""


def read_documents(engine: Engine, work: Work) -> None:
    """Reads what changed in the document sources that are wanted, and what waits for another try."""
    for source in work.options.sources:
        work.whole[source] = read_source(engine, source, _Intake(engine, work, source), everything=work.options.full)
    if work.options.full:
        _look_for_deleted(engine, work)
    if not work.options.dry_run:
        _read_waiting(engine, work)  # early, so that their customers come first in this very run


def read_their_customers(engine: Engine, work: Work) -> None:
    """Reads each unlinked customer of a document that this run has not read yet, so that it is synced first."""
    wanted = dict.fromkeys(d.customer_crm_id for d in work.documents.values() if d.customer_crm_id)
    for crm_id in wanted:
        if engine.mappings.of_crm(crm_id) is None and engine.scratch.customer(crm_id) is None:
            _read_customer(engine, work, crm_id)


def _read_customer(engine: Engine, work: Work, crm_id: str) -> None:
    for kind in SOURCES:
        try:
            raw = engine.crm.get(kind, crm_id)
        except InDoubt as error:
            work.bad[crm_id] = (kind, error.message)
            return
        if raw is not None:
            Intake(engine, work, kind, forced=True)([raw])
            return


@dataclass(slots=True)
class _Intake:
    """Takes raw documents in: passes over what is as it was, puts aside what is skipped, keeps the rest."""

    engine: Engine
    work: Work
    source: DocumentSource

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        ids = [crm_id_of(record) or "" for record in records]
        seen = {} if self.work.options.full else self.engine.cursors.seen(self.source, ids)
        checksums = [digest(json.loads(json.dumps(record, default=str))) for record in records]
        for crm_id, raw, checksum in zip(ids, records, checksums, strict=True):
            if seen.get(crm_id) != checksum:
                keep_document(self.engine, self.work, self.source, crm_id, raw)
        return checksums


def keep_document(engine: Engine, work: Work, source: DocumentSource, crm_id: str, raw: Mapping[str, Any]) -> None:
    """Keeps a document for planning; one that can't be read or understood is kept as bad."""
    try:
        full = engine.crm.get(source, crm_id) if rows_are_missing(raw) else raw
        work.documents[crm_id] = document_from_crm(full if full is not None else raw, source)
    except (BadRecord, InDoubt) as error:
        work.bad_documents[crm_id] = (source, error.message)


def _look_for_deleted(engine: Engine, work: Work) -> None:
    """A posted document that a whole reading did not show may have been deleted in the CRM."""
    posted = PostedDocuments(engine.run.state)
    for crm_id, source in posted.ids():
        if source not in work.whole or engine.scratch.readings(source, [crm_id]):
            continue
        if engine.crm.get("quote" if source == "quote" else "invoice", crm_id) is None:
            known = posted.of(crm_id)
            assert known is not None
            _put_aside(engine, work, settle_documents.deleted(known))


# --- planning and posting ----------------------------------------------------------------------------------


def count_creates(engine: Engine, work: Work) -> int:
    """How many documents would be posted if every customer could be linked."""
    actions = (_decide(engine, work, document, optimistic=True) for document in work.documents.values())
    return sum(isinstance(action, Action) and action.action == "create" for action in actions)


def post_documents(engine: Engine, work: Work) -> None:
    """Plans and posts the documents; their customers have had their turn."""
    if not work.options.dry_run:
        _read_waiting(engine, work)
    for documents in _rounds(work.documents.values()):
        creates = list(_carry_out_all_but_creates(engine, work, documents))
        if work.options.dry_run:
            for action in creates:
                engine.tell(action)
                work.would_post.add(action.record)
        else:
            carry_out(engine, creates, len(creates), "posting pre-invoices", careful=True)
    for crm_id, (kind, message) in work.bad_documents.items():
        fail(engine, work, subject_of(crm_id, kind), "bad_record", message)


def _rounds(documents: Iterable[Document]) -> Iterator[list[Document]]:
    """Documents in rounds, quotes first, and in each round at most one of a quote and the invoices made from it: what
    became of the one decides about the next."""
    left = sorted(
        documents, key=lambda d: (d.source != "quote", d.created or datetime.combine(d.date, time.min), d.crm_id)
    )
    while left:
        first: dict[str, Document] = {}
        for document in left:
            first.setdefault(family_of(document), document)
        yield list(first.values())
        left = [document for document in left if first[family_of(document)] is not document]


def _read_waiting(engine: Engine, work: Work) -> None:
    for entry in waiting.due(engine.run.state, "invoice", "finance", engine.run.now()):
        if entry.record in work.documents or entry.record in work.bad_documents:
            continue
        source: DocumentSource = "invoice" if entry.kind == "invoice" else "quote"
        try:
            raw = engine.crm.get(source, entry.record)
        except InDoubt as error:
            work.bad_documents[entry.record] = (source, error.message)
            continue
        if raw is None:
            _put_gone_aside(engine, work, entry, source)
        else:
            keep_document(engine, work, source, entry.record, raw)


def _put_gone_aside(engine: Engine, work: Work, entry: waiting.Waiting, source: DocumentSource) -> None:
    """A document that is not in the CRM any more, which is a person's business if it stands, or may stand, in Siagh."""
    known, subject = PostedDocuments(engine.run.state).of(entry.record), subject_of(entry.record, source)
    if known:
        _put_aside(engine, work, settle_documents.deleted(known))
    elif unsettled_of(engine.run.state, subject):
        _put_aside(engine, work, reviews.as_it_stands(engine.run.state, subject))
    else:
        settle.gone(engine, entry)


def _carry_out_all_but_creates(engine: Engine, work: Work, documents: Sequence[Document]) -> Iterator[Action]:
    for document in documents:
        subject = subject_of(document.crm_id, document.source)
        decision = _decide(engine, work, document)
        if unsettled_of(engine.run.state, subject):
            _put_aside(engine, work, reviews.as_it_stands(engine.run.state, subject))
        elif decision is None:
            engine.counts["invoice"].unchanged += 1
            if not work.options.dry_run and waiting.find(engine.run.state, "invoice", "finance", document.crm_id):
                with engine.run.state.atomic():
                    waiting.release(engine.run.state, subject)
        elif isinstance(decision, Wait):
            _let_wait(engine, work, document, decision)
        elif decision.action == "create" and (question := _answered_before(engine, decision)):
            _put_aside(engine, work, question)
        elif decision.action == "create":
            if engine.permit(decision):
                yield decision
        else:
            _put_aside(engine, work, decision)


def _answered_before(engine: Engine, create: Action) -> Action | None:
    """The question that keeps a document from being posted: it has used up its tries, or a person has said that it is
    not to be posted and it has changed since. Nobody but a person can know whether it stands in Siagh by now."""
    if reviews.rests(engine.run.state, create):
        return reviews.as_it_stands(engine.run.state, create)
    last = reviews.last_of(engine.run.state, create)
    if last and last["resolution"] == "discard" and last["reason"] in ("unknown_outcome", "changed_after_discard"):
        text = "It was decided that this document is not to be posted; it has changed since."
        return replace(create, action="review", reason="changed_after_discard", message=text)
    return None


def _put_aside(engine: Engine, work: Work, action: Action) -> None:
    if not engine.permit(action):
        return
    if work.options.dry_run:
        engine.tell(action)
    elif action.action == "link":
        settle_documents.linked(engine, action)
    elif action.action == "skip":
        settle.skipped(engine, action)
    else:
        settle.reviewed(engine, action)


def _let_wait(engine: Engine, work: Work, document: Document, wait: Wait) -> None:
    subject = subject_of(document.crm_id, document.source)
    if not work.options.dry_run:
        depends_on = family_of(document) if wait.reason == QUOTE_IN_DOUBT else document.customer_crm_id
        settle_documents.waits(engine, subject, wait.reason, wait.message, depends_on)
    engine.tell_failure(subject, wait.reason, wait.message)


# --- the case of one document ------------------------------------------------------------------------------


def _decide(engine: Engine, work: Work, document: Document, *, optimistic: bool = False) -> Action | Wait | None:
    if _one_is_in_doubt(engine, document):
        text = f"{document.title} waits until a person has decided whether its quote, or an invoice of it, was posted."
        return Wait(QUOTE_IN_DOUBT, text)
    assert work.document_rules is not None
    return reconcile_document(_case(engine, work, document, optimistic=optimistic), work.document_rules)


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
