"""What a known outcome of a document changes on disk. The counterpart of `settle` for pre-invoices."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from siaghsync.connectors.siagh.client import SavedPreinvoice
from siaghsync.domain.action import Action
from siaghsync.domain.document import DocumentSource, Posted
from siaghsync.planning.documents import check_net
from siaghsync.state import retries as waiting
from siaghsync.state import reviews
from siaghsync.state.outbox import close_intent
from siaghsync.state.posted import PostedDocuments
from siaghsync.sync.context import Engine

QUOTE_IN_DOUBT = "quote_in_doubt"
"""Why a document waits while another of its quote and invoices is in doubt."""


def posted(engine: Engine, intent_id: int, action: Action, saved: SavedPreinvoice) -> None:
    """Siagh has taken the document. If it reports another net amount than expected, a person looks at it as well."""
    done = replace(action, finance_code=int(saved.number) if saved.number and saved.number.isdecimal() else None)
    with engine.run.state.atomic():
        close_intent(engine.run, intent_id, "confirmed")
        remember(engine, action, saved.number, saved.key, saved.net, posted_by=action.action)
        engine.run.note(done, "done", message="\n".join(saved.messages) or None)
        engine.tell(done)
        if odd := check_net(action, saved.net):
            text = f"Posted as {saved.number or saved.key}. {odd}"
            question = replace(done, action="review", reason="net_differs", message=text)
            if reviews.put(engine.run, question) == "new":
                engine.new_reviews += 1
                engine.run.note(question, "review")


def remember(
    engine: Engine, action: Action, number: str | None, key: str, net: Decimal | None, *, posted_by: str
) -> None:
    """Records a document as posted; nothing waits for it or asks about it any more. Belongs inside `State.atomic`."""
    details: dict[str, Any] = dict(action.details)
    entry = Posted(
        action.record,
        "invoice" if action.kind == "invoice" else "quote",
        number,
        key,
        action.checksum or "",
        details["snapshot"],
        net,
    )
    PostedDocuments(engine.run.state).add(
        entry, action.customer_number, details.get("related_quote_id"), posted_by, engine.run.at()
    )
    waiting.release(engine.run.state, action)
    reviews.settle(engine.run, action)


def linked(engine: Engine, action: Action) -> None:
    """The quote of this invoice, or the invoice of this quote, stands in Siagh already: both count as one."""
    posted: dict[str, Any] = action.details["posted"]
    with engine.run.state.atomic():
        remember(engine, action, posted["number"], posted["key"], None, posted_by="link")
        engine.run.note(action, "done")
        engine.tell(action)


def in_doubt(engine: Engine, intent_id: int, action: Action, message: str) -> None:
    """Nobody knows whether it arrived, and Siagh can't be asked: a person has to look. Its intent stays unknown, so
    that nothing posts it again before somebody has decided."""
    details = dict(action.details)
    text = (
        f"Look in Siagh for a pre-invoice of customer {action.customer_number} with the note "
        f"{action.payload['header']['tozihat']!r} and a net amount of {details.get('net')} (or "
        f"{details.get('net_with_tax')} with tax). {message}"
    )
    with engine.run.state.atomic():
        close_intent(engine.run, intent_id, "unknown", message)
        question = replace(action, action="review", reason="unknown_outcome", message=text)
        if reviews.put(engine.run, question) == "new":
            engine.new_reviews += 1
        waiting.release(engine.run.state, action)
        engine.run.note(question, "unknown")
        engine.tell_failure(action, "unknown_outcome", text)


def waits(engine: Engine, subject: Action, reason: str, message: str, depends_on: str) -> None:
    """The document waits for its customer to be linked, or for a decision about its quote."""
    with engine.run.state.atomic():
        waiting.postpone(engine.run, subject, reason, message, failed=False, depends_on=depends_on or None)
        engine.run.note(subject, "waits", message=message, reason=reason)


def subject_of(crm_id: str, source: DocumentSource) -> Action:
    """A document of which nothing is known yet but which one it is."""
    return Action("create", "invoice", "finance", crm_id, source, "", crm_id)


def deleted(known: Posted) -> Action:
    """The review for a posted document that is not in the CRM any more."""
    return Action(
        action="review",
        entity="invoice",
        target="finance",
        record=known.crm_id,
        kind=known.source,
        customer_number="",
        crm_id=known.crm_id,
        finance_code=int(known.number) if known.number and known.number.isdecimal() else None,
        reason="deleted_after_posting",
        message=f"It was posted as {known.number or known.key} and is not in the CRM any more.",
        checksum=known.checksum,
        details={"posted": dict(known.snapshot)},
    )
