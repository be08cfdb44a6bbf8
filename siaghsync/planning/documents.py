"""What should happen to a CRM quote or invoice in Finance: decisions in this order, the first that applies.

1. Posted already: nothing (`None`); a number that was taken away, or another content, is for a person.
2. Of a type that is not posted, without a number while only numbered documents count, not approved while only approved ones
   do: skipped, also a draft of a posted quote's invoice.
3. Its quote, or the invoice made from it, was posted: counts as posted with it if both sell the same, else for a person.
4. Created before the start, or for a customer of another company: skipped.
5. Faults in itself, or another fiscal year: for a person.
6. Its customer is not linked: waits.
7. Otherwise: created in Finance.

An unchanged document needs nothing, and neither does a change of what is not content (see `domain.document`): state, subject,
notes, names of products and units, order of the rows.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact
from siaghsync.domain.document import (
    APPROVED,
    Document,
    DocumentRow,
    Posted,
    family_of,
    follows,
    jalali_year,
    net,
    net_with_tax,
    plain,
    snapshot,
)
from siaghsync.domain.normalize import clean, marker
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.mapping_file import DEFAULT, States
from siaghsync.messages.calendar import TEHRAN
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_checks import (
    Differences,
    changes_in_words,
    difference,
    difference_from_twin,
    faults_of,
)

CustomerCode = Literal["party", "contact"]
_OURS = uuid.UUID("6f2c0b52-3d0e-5b0e-9d3b-0c9e2f6a7d41")
"""The namespace of the ids that are derived from documents. It must never change: repeats are recognised by them."""
_DEFAULT_UNIT = "عدد"


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """The settings that decisions depend on: PREINVOICE_*, INVOICE_STATES and INVOICES_SINCE (None: no start).

    `sale_model` is for documents whose type code has no number; `sales_centre` None means the document's sale model;
    `since` is a moment of the CRM's own clock (Tehran time without an offset). `customer` says whom pre-invoices are booked on,
    None while that is not decided. `types` holds what the mapping file says:
    type code, or `default` -> the fields of this class that it gives.
    """

    sale_model: int
    sales_centre: int | None
    payment_type: int
    sale_kind: int
    intermediary: int
    states: States
    since: dt.datetime | None
    post: bool = True
    customer: CustomerCode | None = None
    types: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, type_code: str, sale_model: int | None) -> DocumentRules:
        """The rules for documents of a type, whose code says `sale_model`: by the mapping file's section for it, else by its
        section for all types, else by the code, else by the settings."""
        by_code = {} if sale_model is None else {"sale_model": sale_model}
        return replace(self, **{**by_code, **self.types.get(DEFAULT, {}), **self.types.get(type_code, {})})


@dataclass(frozen=True, slots=True)
class DocumentCase:
    """A document and all that decides about it.

    `fiscal_year` is the session's. `customer_code` is the linked contact's `Code`; while there is none, `customer_wait`
    says why (`foreign_number`: it never will be, as things are). `posted` is what is known of the document itself; `twin` of the
    quote that it was made from, of the invoice that was made from it, or of another invoice made from the same quote.
    """

    document: Document
    fiscal_year: int | None
    customer_number: str
    customer_code: int | None = None
    customer_wait: tuple[Reason, Message] | None = None
    posted: Posted | None = None
    twin: Posted | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The document can't be posted yet. The message names the document and what it waits for."""

    reason: Reason
    message: Message


def plan_document(case: DocumentCase, rules: DocumentRules) -> Action | Wait | None:
    """What becomes of a quote or invoice: create, link, skip, review, a `Wait`, or None if nothing is to be done."""
    document = case.document
    rules = rules.of(document.type_code, document.sale_model)
    out = left_out(document, rules)
    if case.posted:
        return _posted(case, case.posted, out)
    if out:
        return action_about(case, Operation.SKIP, *out)
    if case.twin:
        return _twin(case, case.twin)
    created = document.created or dt.datetime.combine(document.date, dt.time.min)
    if rules.since and created < rules.since:
        message = msg("reason.before_start", created=_tehran_time(created), since=_tehran_time(rules.since))
        return action_about(case, Operation.SKIP, Reason.BEFORE_START, message)
    if case.customer_code is None and case.customer_wait and case.customer_wait[0] == Reason.FOREIGN_NUMBER:
        depends_on = {"depends_on": document.customer_crm_id}
        return action_about(case, Operation.SKIP, *case.customer_wait, details=depends_on)
    if faults := faults_of(document, case.fiscal_year):
        details = {"faults": [{"reason": str(fault.reason), "message": fault.message.as_json()} for fault in faults]}
        messages = (fault.message for fault in faults)
        return action_about(case, Operation.REVIEW, faults[0].reason, *messages, details=details)
    if case.customer_code is None:
        return _wait(case)
    if rules.customer is None:
        return waits(case, Reason.CUSTOMER_CODE_UNDECIDED, msg("reason.customer_code_undecided"))
    return _create(case, case.customer_code, rules)


def left_out(document: Document, rules: DocumentRules) -> tuple[Reason, Message] | None:
    """Why a document is not to be posted by the rules for its type, and so far; None if it is."""
    rules = rules.of(document.type_code, document.sale_model)
    if not rules.post:
        return Reason.TYPE_NOT_POSTED, msg("reason.type_not_posted", type=document.type_code)
    if rules.states == "numbered" and not document.number:
        return Reason.NOT_NUMBERED, msg("reason.not_numbered")
    if rules.states == "approved" and document.state_index != APPROVED:
        return Reason.NOT_APPROVED, msg("reason.not_approved")
    return None


def _tehran_time(moment: dt.datetime) -> str:
    return moment.replace(tzinfo=TEHRAN).isoformat()


def action_about(
    case: DocumentCase,
    operation: Operation,
    reason: Reason | None = None,
    *messages: Message,
    changes: Differences | None = None,
    details: Mapping[str, Any] | None = None,
) -> Action:
    """An action for a document without a payload. `checksum` is its content's. `details` always hold its `net`,
    `net_with_tax`, `snapshot` and `related_quote_id`."""
    document = case.document
    return Action(
        operation=operation,
        entity="invoice",
        target="finance",
        record=document.crm_id,
        kind=document.source,
        customer_number=case.customer_number,
        crm_id=document.crm_id,
        name=document.name,
        changes=changes or {},
        reason=reason,
        message=document.about(*messages) if messages else None,
        checksum=document.checksum,
        notes=document.notes,
        details={
            "net": plain(net(document)),
            "net_with_tax": plain(net_with_tax(document)),
            "snapshot": snapshot(document),
            "related_quote_id": document.related_quote_id,
            **(details or {}),
        },
    )


def check_net(action: Action, reported: Decimal | None) -> Message | None:
    """What is wrong with the net that Siagh reported for a create; None if nothing.

    Right are, rounding aside, the expected net and the same with tax and toll (contract siagh §4). No report is wrong too: the
    amount could not be compared then.
    """
    if reported is None:
        return msg("reason.net_differs_unreported", expected=expected_net(action))
    rows = len(action.details["snapshot"]["rows"])
    if follows(reported, (Decimal(action.details[key]) for key in ("net", "net_with_tax")), rows):
        return None
    return msg("reason.net_differs", reported=plain(reported), expected=expected_net(action))


def expected_net(action: Action) -> Message:
    """The net amounts that Siagh may report for a document, in words."""
    without_tax, with_tax = action.details["net"], action.details["net_with_tax"]
    if without_tax == with_tax:
        return msg("document.amount", amount=without_tax)
    return msg("document.amount_or_with_tax", net=without_tax, net_with_tax=with_tax)


# --- a document that is posted, or whose twin is -----------------------------------------------------------


def posted_as(posted: Posted) -> Message:
    """The pre-invoice of a posted document in words: by the number that people see, else by Siagh's key."""
    if posted.number:
        return msg("document.preinvoice", number=posted.number)
    # A document without either was posted only in a dry run's plan.
    return msg("document.preinvoice_by_key", key=posted.key) if posted.key else msg("document.preinvoice_of_this_run")


def _posted(case: DocumentCase, posted: Posted, out: tuple[Reason, Message] | None) -> Action | None:
    document = case.document
    changes = difference(posted.snapshot, document)
    name = posted_as(posted)
    # A document that was posted without a number, or unapproved, while the settings allowed it, did not lose that.
    lost_number = out and out[0] is Reason.NOT_NUMBERED and posted.snapshot.get("number") != ""
    lost_approval = out and out[0] is Reason.NOT_APPROVED and posted.snapshot.get("state") == APPROVED
    if lost_number or lost_approval:
        code = "reason.withdrawn_after_posting" if lost_number else "reason.withdrawn_after_posting_state"
        message = msg(code, posted=name)
        return _compared(case, posted, Reason.WITHDRAWN_AFTER_POSTING, message, changes)
    if changes:
        message = msg("reason.changed_after_posting", posted=name, changes=changes_in_words(changes))
        return _compared(case, posted, Reason.CHANGED_AFTER_POSTING, message, changes)
    return None


def _twin(case: DocumentCase, twin: Posted) -> Action:
    """A quote and the invoice made from it are one, if they sell the same to the same customer."""
    name, changes = posted_as(twin), difference_from_twin(twin.snapshot, case.document)
    if twin.source == case.document.source:
        message = msg("reason.quote_posted_already", posted=name)
        return _compared(case, twin, Reason.QUOTE_POSTED_ALREADY, message, changes)
    if changes:
        reason = Reason(f"differs_from_posted_{twin.source}")
        message = msg(f"reason.{reason}", posted=name, changes=changes_in_words(changes))
        return _compared(case, twin, reason, message, changes)
    same = Reason(f"same_as_{twin.source}")
    message = msg(f"reason.{same}", posted=name)
    return action_about(case, Operation.LINK, same, message, details={"posted": _view(twin)})


def is_same_document(document: Document, customer_number: str, stored: Mapping[str, Any], stored_number: str) -> bool:
    """Whether a stored snapshot is of the same document under another id, which somebody deleted and entered again: of the same
    kind, type, number, customer (by its id or its number) and net. Without a number nothing is."""
    return (
        bool(document.number)
        and stored.get("crm_id") != document.crm_id
        and tuple(map(stored.get, ("source", "type_code", "number", "net")))
        == (*identity(document)[:3], plain(net(document)))
        and (stored.get("customer") == document.customer_crm_id or stored_number == customer_number != "")
    )


def may_be_twins(document: Document, stored: Mapping[str, Any]) -> bool:
    """Whether a document and a stored snapshot may be a quote and the invoice made from it, where the CRM does not say so: they
    sell the same to the same customer."""
    kinds = (document.source, stored.get("source"))
    is_open = document.quote_is_unknown or bool(stored.get("quote_is_unknown"))
    return is_open and set(kinds) == {"quote", "invoice"} and not difference_from_twin(stored, document)


def identity(document: Document) -> tuple[str, str, str, str]:
    """(kind, type, number, customer): what people tell a document by; its id in place of a number that it does not have."""
    return document.source, document.type_code, document.name, document.customer_crm_id


def same_document(create: Action, document: Document, known: Posted) -> Action:
    """The question about a document that would be posted, and that seems to be the very one that was posted under another id."""
    code = "reason.same_document" if known.source == document.source else "reason.same_document_twin"
    message = document.about(msg(code, posted=posted_as(known)))
    details = {**create.details, "posted": _view(known)}
    return replace(
        create,
        operation=Operation.REVIEW,
        reason=Reason.SAME_DOCUMENT,
        message=message,
        changes={},
        payload={},
        details=details,
    )


def _compared(case: DocumentCase, posted: Posted, reason: Reason, message: Message, changes: Differences) -> Action:
    details = {"posted": _view(posted), "difference": {key: list(pair) for key, pair in changes.items()}}
    return action_about(case, Operation.REVIEW, reason, message, changes=changes, details=details)


def _view(posted: Posted) -> dict[str, Any]:
    """What is in Siagh, for the person who decides."""
    return {
        "crm_id": posted.crm_id,
        "source": posted.source,
        "number": posted.number,
        "key": posted.key,
        "net": None if posted.net is None else plain(posted.net),
        "snapshot": dict(posted.snapshot),
    }


# --- a document that waits or is posted --------------------------------------------------------------------


def on_party(case: DocumentCase, create: Action, contact: Contact | None) -> Action | Wait:
    """The create of a document as one that is booked on its customer's account party (contract siagh §4, shape A)."""
    if contact is None or contact.account_party is None:
        code, number = create.payload["customer_code"], case.customer_number
        name = contact.name if contact else ""
        return waits(case, Reason.NO_ACCOUNT_PARTY, msg("reason.no_account_party", number=number, name=name, code=code))
    booked = {"contact_code": contact.code, "customer_code": contact.account_party}
    return replace(create, payload={**create.payload, **booked})


def _wait(case: DocumentCase) -> Wait:
    return waits(case, *(case.customer_wait or (Reason.CUSTOMER_UNKNOWN, msg("reason.customer_unknown_unlinked"))))


def waits(case: DocumentCase, reason: Reason, why: Message) -> Wait:
    """The document can't be posted yet, because of its customer."""
    document = case.document
    if case.customer_number:
        message = msg("document.waits", **document.params(), customer=case.customer_number, why=why)
    else:
        message = msg("document.waits_for_record", **document.params(), why=why)
    return Wait(reason, message)


def _create(case: DocumentCase, customer_code: int, rules: DocumentRules) -> Action:
    document = case.document
    changes: Differences = {
        "number": (None, document.name),
        "customer": (None, case.customer_number or document.customer_crm_id),
        "net": (None, plain(net(document))),
        "rows": (None, str(len(document.rows))),
    }
    payload = document_payload(document, customer_code, rules)
    return replace(action_about(case, Operation.CREATE, changes=changes), payload=payload)


def document_payload(document: Document, customer_code: int, rules: DocumentRules) -> dict[str, Any]:
    """Everything that is sent of a document; amounts as plain text, the mark of the document at the end of the notes."""
    text = clean(document.description) or document.subject
    return {
        "customer_code": customer_code,
        "sale_model": rules.sale_model,
        "sales_centre": rules.sale_model if rules.sales_centre is None else rules.sales_centre,
        "payment_type": rules.payment_type,
        "sale_kind": rules.sale_kind,
        "intermediary": rules.intermediary,
        "fiscal_year": jalali_year(document.date),
        "type_code": document.type_code,
        "notes": clean(f"{text} {marker(f'{document.type_code} {document.name}'.strip())}"),
        "suid": suid_of(document),
        "rows": [_row_payload(row) for row in document.rows],
    }


def _row_payload(row: DocumentRow) -> dict[str, str]:
    return {
        "product_code": row.product_code,
        "unit": row.unit or _DEFAULT_UNIT,
        "quantity": plain(row.quantity),
        "unit_price": plain(row.unit_price),
        "discount": plain(row.discount),
    }


def suid_of(document: Document) -> str:
    """The `_In_Suid` of a document: always the same, and the same for a quote and the invoice made from it."""
    return str(uuid.uuid5(_OURS, family_of(document))).upper()
