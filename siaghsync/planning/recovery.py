"""After a create without a clear answer: whether what a look-up shows is what the create made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, customer_kind
from siaghsync.domain.evidence import agree
from siaghsync.domain.normalize import same_meaning, split_marker
from siaghsync.domain.reasons import Match, Operation, Reason
from siaghsync.messages.message import msg
from siaghsync.planning.cases import ContactCandidate, CustomerCandidate, CustomerCase, view_of
from siaghsync.planning.customers import contact_known, review_customer


def match_sent_contact(sent: Action, case: CustomerCase, by_name: Sequence[ContactCandidate]) -> Action | None:
    """Whether one of these contacts is what the create `sent` made: a link, a review, or None if none of them is.

    `case` holds the candidates for `sent_customer(sent)`, `by_name` the contacts of the same name. The name alone proves
    nothing: without a mark a contact has to show every value that was sent.
    """
    mine = [c for c in _free(case.by_marker) if agree(case.customer, c.contact)]
    if not mine and case.by_code and agree(case.customer, case.by_code.contact):
        mine = _free([case.by_code])
    if not mine:
        mine = [c for c in _free(case.by_identity) if agree(case.customer, c.contact)]
    if not mine and not split_marker(sent.payload["notes"])[1]:
        mine = [c for c in _free(by_name) if shows_all(c.contact, sent) and agree(case.customer, c.contact)]
    if len(mine) > 1:
        return review_customer(case, Reason.SEVERAL_CANDIDATES, msg("reason.several_candidates_look_up"))
    if not mine:
        return None
    details = {**sent.details, "known": contact_known(mine[0].contact)}
    return replace(_found(sent), finance_code=mine[0].contact.code, details=details)


def _free(candidates: Sequence[ContactCandidate]) -> list[ContactCandidate]:
    return [c for c in candidates if c.taken_by is None and not c.contact.admin]


def match_sent_customer(sent: Action, found: Sequence[CustomerCandidate], contact: Contact) -> Action | None:
    """Whether one of the CRM records with the number of the create `sent` is what it made: a link, a review, or None."""
    if not found:
        return None
    if len(found) == 1 and found[0].taken_by is None and agree(found[0].customer, contact):
        return replace(_found(sent), crm_id=found[0].customer.crm_id)
    if len(found) == 1:
        reason, message = Reason.STRANGER, msg("reason.stranger_look_up", number=sent.customer_number)
    else:
        reason = Reason.NUMBER_TWICE
        message = msg("reason.number_twice_look_up", number=sent.customer_number, count=len(found))
    return replace(
        sent,
        operation=Operation.REVIEW,
        reason=reason,
        message=message,
        details={"payload": dict(sent.payload), "candidates": [view_of(c.customer) for c in found]},
    )


def sent_customer(action: Action) -> Customer:
    """The customer as the create `action` described it to Finance."""
    payload = action.payload
    return Customer(
        crm_id=action.record,
        kind=customer_kind(action.kind),
        number=action.customer_number,
        names=(payload["name"],),
        national_code=payload["national_code"],
        phones=tuple(payload[name] for name in ("mobile", "phone") if payload[name]),
        fields={name: new for name, (_, new) in action.changes.items() if new},
    )


def _found(sent: Action) -> Action:
    return replace(sent, operation=Operation.LINK, reason=Match.LOOK_UP, message=msg("match.look_up"))


def shows_all(contact: Contact, action: Action) -> bool:
    """Whether the contact shows every value that the create `action` gave it; mere spelling aside."""
    return all(same_meaning(name, contact.fields[name], new or "") for name, (_, new) in action.changes.items())
