"""Quotes and invoices that a run has to deal with: planned one by one, and posted quotes first, so that none is posted twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time
from typing import Any

from siaghsync.connectors.payamgostar.documents import document_from_crm, rows_are_missing
from siaghsync.domain.action import Action
from siaghsync.domain.document import Document, DocumentSource, family_of
from siaghsync.errors import BadRecord, InDoubt
from siaghsync.planning.documents import Wait
from siaghsync.state import retries as waiting
from siaghsync.state import reviews
from siaghsync.state.outbox import Intent, unsettled_of
from siaghsync.state.posted import PostedDocuments
from siaghsync.sync import outcomes as settle
from siaghsync.sync import settle_documents
from siaghsync.sync.context import Engine
from siaghsync.sync.document_cases import decide_document
from siaghsync.sync.executor import carry_out
from siaghsync.sync.settle_documents import QUOTE_IN_DOUBT, subject_of
from siaghsync.sync.sync_reading import Work, fail


def keep_document(engine: Engine, work: Work, source: DocumentSource, crm_id: str, raw: Mapping[str, Any]) -> None:
    """Keeps a document for planning; one that can't be read or understood is kept as bad."""
    try:
        full = engine.crm.get(source, crm_id) if rows_are_missing(raw) else raw
        work.documents[crm_id] = document_from_crm(full if full is not None else raw, source)
    except (BadRecord, InDoubt) as error:
        work.bad_documents[crm_id] = (source, error.message)


def look_for_deleted(engine: Engine, work: Work) -> None:
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


def would_create(engine: Engine, work: Work, document: Document) -> bool:
    """Whether a document would be posted if its customer could be linked; one that can't be decided yet counts."""
    try:
        action = decide_document(engine, work, document, optimistic=True)
    except InDoubt:
        return True  # told when its turn comes
    return isinstance(action, Action) and action.action == "create"


def post_documents(engine: Engine, work: Work) -> None:
    """Plans and posts the documents that were read."""
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


def read_waiting(engine: Engine, work: Work, due: Iterable[waiting.Waiting]) -> None:
    """Reads documents that waited."""
    for entry in due:
        source: DocumentSource = "invoice" if entry.kind == "invoice" else "quote"
        if source not in work.options.sources or entry.record in work.documents or entry.record in work.bad_documents:
            continue
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
        try:
            decision = decide_document(engine, work, document)
        except InDoubt as error:
            fail(engine, work, subject, "bad_record", error.message)
            continue
        if doubts := unsettled_of(engine.run.state, subject):
            _put_aside(engine, work, _question_about(engine, doubts[0]))
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


def _question_about(engine: Engine, doubt: Intent) -> Action:
    """The question that stands about a document in doubt. What a killed run has left becomes one in the next run; a dry
    run that comes before it only says so."""
    if reviews.last_of(engine.run.state, doubt.action):
        return reviews.as_it_stands(engine.run.state, doubt.action)
    text = "The run that sent it ended before an answer came."
    return replace(doubt.action, action="review", reason="unknown_outcome", message=text)


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
