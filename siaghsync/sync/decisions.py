"""Carries out what a person decided about a review: checked against both systems first, and audited with the name."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Literal, cast

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, Kind, ascii_digits
from siaghsync.errors import UsageError
from siaghsync.state import retries as waiting
from siaghsync.state import reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import Row
from siaghsync.state.mappings import Mappings
from siaghsync.state.outbox import close_intent, unsettled_of
from siaghsync.sync import settle_documents
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import Engine
from siaghsync.sync.sync_reading import SOURCES

WayOut = Literal["retry", "link", "posted", "discard"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided: the way out, and the code or number that goes with `link` and `posted`."""

    way_out: WayOut
    value: str = ""


def open_review(run: Run, review_id: int) -> Row:
    """The open review with this id. Raises UsageError if there is none."""
    row = run.state.row("SELECT * FROM reviews WHERE id = ?", (review_id,))
    if row is None:
        raise UsageError(f"There is no review {review_id}.", "`siaghsync review` lists the open ones.")
    if row["resolution"] is not None:
        raise UsageError(
            f"Review {review_id} is resolved already ({row['resolution']}).", "`siaghsync review` lists the open ones."
        )
    return row


def resolve(engine: Engine, row: Row, decision: Decision) -> None:
    """Carries a decision out; for `link` the engine has to be logged in.

    Raises UsageError if the decision does not fit the review or the two systems, CallError if they can't be asked.
    """
    run = engine.run
    allowed = reviews.ways_out(row["entity"], row["reason"])
    if decision.way_out not in allowed:
        raise UsageError(
            f"--{decision.way_out} is no way out of review {row['id']} ({row['reason']}).",
            f"Its ways out: {', '.join('--' + way for way in allowed)}.",
        )
    pair = _pair(engine, row, decision.value) if decision.way_out == "link" else None
    subject = _subject(row)
    with run.state.atomic():
        run.state.execute(
            "UPDATE reviews SET resolution = ?, resolved_at = ?, resolved_by = ? WHERE id = ?",
            (decision.way_out, run.at(), run.actor, row["id"]),
        )
        if pair:
            _link(run, pair)
        if row["entity"] == "invoice":
            _decide_document(engine, row, subject, decision)
        if pair or (decision.way_out == "retry" and row["target"] == "finance"):
            # The next sync takes it up at once, with all its tries before it again.
            waiting.release(run.state, subject)
            crm_id = pair.crm_id if pair else row["record"]
            waiting.postpone(
                run, replace(subject, target="finance", record=crm_id), "resolved", "A person decided.", failed=False
            )
        run.append(
            entity=row["entity"],
            action="resolve",
            outcome=decision.way_out,
            target=row["target"],
            crm_id=pair.crm_id if pair else row["crm_id"],
            customer_number=row["customer_number"],
            finance_code=pair.finance_code if pair else row["finance_code"],
            reason=row["reason"],
            message=f"Review {row['id']} resolved with --{decision.way_out} {decision.value}".rstrip(),
        )


def _decide_document(engine: Engine, row: Row, subject: Action, decision: Decision) -> None:
    """An intent in doubt ends with the decision: the document is there, or it may be sent again, or never."""
    outcome = "confirmed" if decision.way_out == "posted" else "lapsed"
    for intent in unsettled_of(engine.run.state, subject):
        close_intent(engine.run, intent.id, outcome, f"A person decided: {decision.way_out}.")
    waiting.free(engine.run.state, settle_documents.QUOTE_IN_DOUBT)
    if decision.way_out == "posted":
        number = ascii_digits(decision.value).strip()
        if not number.isdecimal():
            raise UsageError(
                f"{decision.value!r} is no number of a pre-invoice.", "Give the number that Siagh shows, 2488 say."
            )
        known = replace(subject, checksum=row["checksum"], details=json.loads(row["details"]))
        settle_documents.remember(engine, known, number, "", None, posted_by="person")


def _subject(row: Row) -> Action:
    return Action(
        action="review",
        entity=row["entity"],
        target=row["target"],
        record=row["record"],
        kind=row["kind"],
        customer_number=row["customer_number"] or "",
        crm_id=row["crm_id"],
        finance_code=row["finance_code"],
    )


def _pair(engine: Engine, row: Row, value: str) -> CustomerMapping:
    """The pair that the person named, after making sure that both sides exist and are free."""
    customer, contact = _customer(engine, row, value), _contact(engine, row, value)
    mappings = Mappings(engine.run.state)
    owner = mappings.of_code(contact.code)
    if owner and owner.crm_id != customer.crm_id:
        raise UsageError(
            f"Finance contact {contact.code} belongs to the customer with number {owner.customer_number}.",
            "A contact can be linked to one customer only. Look again which code is meant.",
        )
    known = mappings.of_crm(customer.crm_id)
    if known and row["target"] == "crm":
        raise UsageError(
            f"The CRM record with number {customer.number} belongs to finance contact {known.finance_code}.",
            "A CRM record can be linked to one contact only. Look again which number is meant.",
        )
    return CustomerMapping(customer.crm_id, contact.code, customer.kind, customer.number)


def _contact(engine: Engine, row: Row, value: str) -> Contact:
    code = str(row["finance_code"]) if row["target"] == "crm" else value.strip()
    if not code.isdecimal():
        raise UsageError(f"{code!r} is no finance code.", "Give the Code of a contact in Siagh, a whole number.")
    found = read_contact(engine, int(code))
    if isinstance(found, Exception):
        raise found
    if found is None or found.admin:
        what = "is an admin user of Siagh, not a customer" if found else "does not exist"
        raise UsageError(f"Finance contact {code} {what}.", "Look the code up in Siagh.")
    return found


def _customer(engine: Engine, row: Row, value: str) -> Customer:
    """The CRM side: known for a review of a sync; for one of an import, the customer number that was given."""
    if row["target"] == "finance":
        raw = engine.crm.get(cast(Kind, row["kind"]), row["record"])
        if raw is None:
            raise UsageError("This customer is not in the CRM any more.", "Resolve the review with --discard.")
        return customer_from_crm(raw, row["kind"])
    number = value.strip()
    found = [
        customer_from_crm(record, kind) for kind in SOURCES for record in engine.crm.find(kind, number=number).records
    ]
    found = [customer for customer in found if customer.number == number]
    if len(found) != 1:
        raise UsageError(
            f"{len(found)} CRM records carry the customer number {number}.",
            "Name a number that exactly one record carries; put it right in the CRM first if need be.",
        )
    return found[0]


def _link(run: Run, pair: CustomerMapping) -> None:
    mappings = Mappings(run.state)
    if known := mappings.of_crm(pair.crm_id):
        mappings.relink(known, pair.finance_code, run.at())
    else:
        mappings.add(pair, "person", run.at())
