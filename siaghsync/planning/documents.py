"""What should happen to a CRM quote or invoice in Finance: pure decisions, in this order, the first that applies.

1. Posted already: nothing (`None`); a number that was taken away, or another content, is for a person.
2. Without a number while only numbered documents count: skipped, a draft of a posted quote's invoice included.
3. Its quote, or the invoice made from it, was posted: counts as posted with it if both sell the same, else for a person.
4. Created before the start: skipped.
5. Faults in itself, or another fiscal year: for a person.
6. Its customer is not linked: waits.
7. Posted: created in Finance.

Silent are an unchanged document, and changes of what is no content (see `documents`): number, state, subject, notes,
product names, order of the rows. Same input, same answer: no network, disk, clock or chance.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from siaghsync.connectors.siagh.preinvoices import preinvoice_payload
from siaghsync.domain.action import Action, ActionName
from siaghsync.domain.document import Document, Posted, grouped, net, net_with_tax, plain, same_amount, snapshot
from siaghsync.planning.document_checks import faults_of
from siaghsync.planning.document_difference import Differences, difference, difference_from_twin

_MOST_SHOWN = 3


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """The settings that decisions depend on: PREINVOICE_*, INVOICE_STATES and INVOICES_SINCE (None: no start).

    `sale_model` serves documents whose type code has no number; `sales_centre` None is the document's sale model;
    `since` is a moment of the CRM's own clock (Tehran time without an offset).
    """

    sale_model: int
    sales_centre: int | None
    payment_type: int
    sale_kind: int
    intermediary: int
    states: Literal["numbered", "any"]
    since: dt.datetime | None


@dataclass(frozen=True, slots=True)
class DocumentCase:
    """A document and all that decides about it.

    `fiscal_year` is the session's. `customer_code` is the linked contact's `Code`; while there is none, `customer_wait`
    says why, as (reason, sentence). `posted` is what is known of the document itself; `twin` of the quote that it was
    made from, of the invoice that was made from it, or of another invoice made from the same quote.
    """

    document: Document
    fiscal_year: int | None
    customer_number: str
    customer_code: int | None = None
    customer_wait: tuple[str, str] | None = None
    posted: Posted | None = None
    twin: Posted | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The document can't be posted yet: a stable word and a sentence that says for whom it waits."""

    reason: str
    message: str


def reconcile_document(case: DocumentCase, rules: DocumentRules) -> Action | Wait | None:
    """What becomes of a quote or invoice: create, link, skip, review, a `Wait`, or None if nothing is to be done."""
    document = case.document
    unnumbered = rules.states == "numbered" and not document.number
    if case.posted:
        return _posted(case, case.posted, unnumbered=unnumbered)
    if unnumbered:
        return action_about(case, "skip", "not_numbered", "It has no number yet (INVOICE_STATES).")
    if case.twin:
        return _twin(case, case.twin)
    created = document.created or dt.datetime.combine(document.date, dt.time.min)
    if rules.since and created < rules.since:
        return action_about(
            case, "skip", "before_start", f"It was created at {created}, before {rules.since} (INVOICES_SINCE)."
        )
    if faults := faults_of(document, case.fiscal_year):
        return action_about(
            case,
            "review",
            faults[0].reason,
            " ".join(fault.message for fault in faults),
            details={"faults": [{"reason": fault.reason, "message": fault.message} for fault in faults]},
        )
    if case.customer_code is None:
        return _wait(case)
    return _create(case, case.customer_code, rules)


def action_about(
    case: DocumentCase,
    action: ActionName,
    reason: str | None,
    message: str | None,
    *,
    fields: Differences | None = None,
    details: Mapping[str, Any] | None = None,
) -> Action:
    """An action for a document with nothing to send; the message begins with the document's name, and `details` hold its
    `net`, `net_with_tax`, `snapshot` and `related_quote_id`."""
    document = case.document
    return Action(
        action=action,
        entity="invoice",
        target="finance",
        record=document.crm_id,
        kind=document.source,
        customer_number=case.customer_number,
        crm_id=document.crm_id,
        fields=fields or {},
        reason=reason,
        message=f"{document.title}: {message}" if message else None,
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


def check_net(action: Action, reported: Decimal | None) -> str | None:
    """What is wrong with the net that Siagh reported for a create of ours, as a sentence; None if nothing.

    Right are, to the rial, the expected net and the same with tax and toll (contract siagh §4). No report at all is
    wrong too: the amount was not compared then.
    """
    expected = Decimal(action.details["net"])
    with_tax = Decimal(action.details["net_with_tax"])
    ways = " or, with tax and toll, ".join(dict.fromkeys([grouped(expected), grouped(with_tax)]))
    if reported is None:
        return f"Siagh did not report a net amount; expected: {ways}."
    if same_amount(reported, expected) or same_amount(reported, with_tax):
        return None
    return f"Siagh reports a net of {grouped(reported)}; expected: {ways}."


def _posted(case: DocumentCase, posted: Posted, *, unnumbered: bool) -> Action | None:
    document = case.document
    changes = {} if posted.checksum == document.checksum else difference(posted.snapshot, document)
    # What was posted without a number, while INVOICE_STATES allowed it, did not lose one.
    if unnumbered and posted.snapshot.get("number") != "":
        return _changed(case, posted, "withdrawn_after_posting", "has lost its number in the CRM since", changes)
    if changes:
        return _changed(case, posted, "changed_after_posting", f"has changed since: {_shown(changes)}", changes)
    return None


def _changed(case: DocumentCase, posted: Posted, reason: str, what: str, changes: Differences) -> Action:
    return _compared(case, posted, reason, f"It was posted as pre-invoice {_name(posted)} and {what}.", changes)


def _twin(case: DocumentCase, twin: Posted) -> Action:
    """A quote and the invoice made from it are one, if they sell the same to the same customer."""
    document = case.document
    if twin.source == document.source:
        message = f"Another {twin.source} made from the same quote was posted as pre-invoice {_name(twin)}."
        changes = difference_from_twin(twin.snapshot, document)
        return _compared(case, twin, "quote_posted_already", message, changes)
    word = "the quote it was made from" if twin.source == "quote" else "the invoice made from it"
    if changes := difference_from_twin(twin.snapshot, document):
        message = f"It differs from {word}, which was posted as pre-invoice {_name(twin)}: {_shown(changes)}."
        return _compared(case, twin, f"differs_from_posted_{twin.source}", message, changes)
    message = f"It was posted with {word}, as pre-invoice {_name(twin)}."
    return action_about(case, "link", f"same_as_{twin.source}", message, details={"posted": _view(twin)})


def _compared(case: DocumentCase, posted: Posted, reason: str, message: str, changes: Differences) -> Action:
    details = {"posted": _view(posted), "difference": {key: list(pair) for key, pair in changes.items()}}
    return action_about(case, "review", reason, message, fields=changes, details=details)


def _wait(case: DocumentCase) -> Wait:
    document = case.document
    reason, sentence = case.customer_wait or ("customer_unknown", "It is not linked to a contact in Finance.")
    customer = case.customer_number or f"{document.customer_crm_id} (CRM id)"
    return Wait(reason, f"{document.title} waits for customer {customer}: {sentence}")


def _create(case: DocumentCase, customer_code: int, rules: DocumentRules) -> Action:
    document = case.document
    sale_model = rules.sale_model if document.sale_model is None else document.sale_model
    header = {
        "codesalemodel": sale_model,
        "codenoeepardakht": rules.payment_type,
        "codemarkazforush": sale_model if rules.sales_centre is None else rules.sales_centre,
        "codemoshtari": customer_code,
        "codenoeeforush": rules.sale_kind,
        "codevaseteh": rules.intermediary,
    }
    fields: Differences = {
        "number": (None, document.number or document.crm_id),
        "customer": (None, case.customer_number or document.customer_crm_id),
        "net": (None, plain(net(document))),
        "rows": (None, str(len(document.rows))),
    }
    return replace(
        action_about(case, "create", None, None, fields=fields),
        payload=preinvoice_payload(document, {key: str(value) for key, value in header.items()}),
    )


def _name(posted: Posted) -> str:
    return posted.number or (f"with key {posted.key}" if posted.key else "in this run")


def _view(posted: Posted) -> dict[str, Any]:
    """What stands in Siagh, for the person who decides."""
    return {
        "crm_id": posted.crm_id,
        "source": posted.source,
        "number": posted.number,
        "key": posted.key,
        "net": None if posted.net is None else plain(posted.net),
        "snapshot": dict(posted.snapshot),
    }


def _shown(changes: Differences) -> str:
    """The first few changes in one line."""
    parts = [f"{key} {old or '(none)'} -> {new or '(none)'}" for key, (old, new) in changes.items()]
    more = [f"and {len(parts) - _MOST_SHOWN} more"] if len(parts) > _MOST_SHOWN else []
    return "; ".join([*parts[:_MOST_SHOWN], *more])
