"""Records what became of a document. The counterpart of `outcomes` for pre-invoices."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from siaghsync.connectors.siagh.client import SavedPreinvoice
from siaghsync.domain.action import Action
from siaghsync.domain.document import DocumentSource, Posted
from siaghsync.domain.reasons import AuditOutcome, IntentState, Operation, Reason
from siaghsync.messages.message import Message, msg, verbatim
from siaghsync.planning.document_checks import doubled
from siaghsync.planning.documents import check_net, expected_net, posted_as
from siaghsync.state import retries, reviews
from siaghsync.state.audit import Run, stamp
from siaghsync.state.mappings import PostedDocuments
from siaghsync.state.meta import DOUBLED_NUMBERS, doubled_numbers
from siaghsync.state.outbox import close_intent
from siaghsync.sync.context import RunReport

_MOST_NUMBERS = 5
STOPPED_TYPE = "stopped_type"
"""Detail of a review: the type of documents that waits for its decision."""


@dataclass(frozen=True, slots=True)
class DocumentOutcomes:
    """Writes outcomes of documents into the state file and the report of a run."""

    run: Run
    report: RunReport

    def posted(self, intent_id: int, action: Action, saved: SavedPreinvoice) -> None:
        """Siagh has taken the document. If it reports another net amount than expected, a person looks at it as well."""
        done = replace(action, finance_code=as_code(saved.number))
        with self.run.state.atomic():
            close_intent(self.run, intent_id, IntentState.CONFIRMED)
            entry = remember(self.run, action, saved.number, saved.key, saved.net, posted_by=str(action.operation))
            words = verbatim("\n".join(saved.messages)) if saved.messages else None
            self.run.note(done, AuditOutcome.DONE, message=words)
            self.report.tell(done)
            if odd := check_net(action, saved.net):
                message = msg("document.posted", posted=posted_as(entry), what=odd)
                question = replace(done, operation=Operation.REVIEW, reason=Reason.NET_DIFFERS, message=message)
                if reviews.put(self.run, question) == "new":
                    self.report.new_reviews += 1
                    self.run.note(question, AuditOutcome.REVIEW)

    def linked(self, action: Action) -> None:
        """The quote of this invoice, or the invoice of this quote, stands in Siagh already: both count as one."""
        posted: dict[str, Any] = action.details["posted"]
        with self.run.state.atomic():
            remember(self.run, action, posted["number"], posted["key"], None, posted_by="link")
            self.run.note(action, AuditOutcome.DONE)
            self.report.tell(action)

    def unknown(self, intent_id: int, action: Action, why: Message, *, script_error: bool = False) -> None:
        """Nobody knows whether it arrived, and Siagh can't be asked: a person has to look.

        The intent stays unknown, so that nothing posts it again before somebody has decided. A `script_error` of Siagh would
        befall each document of this type, so that the others wait for the same decision (contract siagh §5).
        """
        if script_error:
            action = replace(action, details={**action.details, STOPPED_TYPE: action.payload["type_code"]})
        message = msg(
            "reason.unknown_outcome",
            number=action.customer_number,
            note=action.payload["notes"],
            expected=expected_net(action),
            message=why,
        )
        with self.run.state.atomic():
            close_intent(self.run, intent_id, IntentState.UNKNOWN, why)
            question = replace(action, operation=Operation.REVIEW, reason=Reason.UNKNOWN_OUTCOME, message=message)
            if reviews.put(self.run, question) == "new":
                self.report.new_reviews += 1
            retries.release(self.run.state, action)
            self.run.note(question, AuditOutcome.UNKNOWN)
            self.report.tell_failure(action, Reason.UNKNOWN_OUTCOME, message)

    def waits(self, subject: Action, reason: str, message: Message, depends_on: str) -> None:
        """The document waits for its customer to be linked, or for a decision about its quote."""
        with self.run.state.atomic():
            retries.schedule_retry(self.run, subject, reason, message, failed=False, depends_on=depends_on or None)
            self.run.note(subject, AuditOutcome.WAITS, message=message, reason=reason)
            self.report.tell_failure(subject, reason, message)

    def look_at_numbers(self) -> None:
        """Tells of a suspicion, here and in `status`, if Siagh's numbers went on by two where this run posted one document."""
        numbers = PostedDocuments(self.run.state).numbers_since(stamp(self.run.started))
        if not numbers:
            return
        self.run.state.set_meta(DOUBLED_NUMBERS, ", ".join(map(str, doubled(numbers)[:_MOST_NUMBERS])) or None)
        self.report.warnings += doubled_numbers(self.run.state)

    def stopped_types(self) -> dict[str, str]:
        """The types of documents that are not posted until a person has decided about a script error: the one that failed."""
        open_items = reviews.open_items(self.run.state)
        return {review.details[STOPPED_TYPE]: review.record for review in open_items if STOPPED_TYPE in review.details}

    def released(self, subject: Action) -> None:
        """Nothing is to be done about the document any more, so it waits no longer."""
        if retries.find(self.run.state, "invoice", "finance", subject.record):
            with self.run.state.atomic():
                retries.release(self.run.state, subject)


def remember(run: Run, action: Action, number: str | None, key: str, net: Decimal | None, *, posted_by: str) -> Posted:
    """Records a document as posted; nothing waits for it or asks about it any more. Belongs inside `State.atomic`."""
    details: dict[str, Any] = dict(action.details)
    entry = Posted(action.record, source_of(action.kind), number, key, action.checksum or "", details["snapshot"], net)
    posted = PostedDocuments(run.state)
    posted.add(entry, action.customer_number, details.get("related_quote_id"), posted_by, run.at())
    retries.release(run.state, action)
    reviews.auto_resolve(run, action)
    return entry


def source_of(kind: str) -> DocumentSource:
    """Which of the CRM's documents it is, out of the wider set of record kinds."""
    return "invoice" if kind == "invoice" else "quote"


def subject_of(crm_id: str, source: DocumentSource, name: str = "", **more: Any) -> Action:
    """A document of which nothing is known yet but which one it is."""
    return Action(Operation.CREATE, "invoice", "finance", crm_id, source, "", crm_id, name=name, **more)


def deleted(known: Posted) -> Action:
    """The review for a posted document that is not in the CRM any more."""
    number = str(known.snapshot.get("number") or known.crm_id)
    return Action(
        Operation.REVIEW,
        "invoice",
        "finance",
        known.crm_id,
        known.source,
        "",
        known.crm_id,
        as_code(known.number),
        name=number,
        reason=Reason.DELETED_AFTER_POSTING,
        message=msg(
            "document.about",
            document_kind=known.source,
            document=number,
            what=msg("reason.deleted_after_posting", posted=posted_as(known)),
        ),
        checksum=known.checksum,
        details={"posted": dict(known.snapshot)},
    )


def as_code(number: str | None) -> int | None:
    """The number of a pre-invoice as `finance_code`, if it is one."""
    return int(number) if number and number.isdecimal() else None
