"""After a create without a clear answer: whether what a look-up shows is what it made. Pure decision tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, agree, customer_kind, same_spelling_aside, split_marker
from siaghsync.planning.cases import ContactCandidate, CustomerCandidate, CustomerCase, view_of
from siaghsync.planning.customers import review_customer


def recognise_contact(sent: Action, case: CustomerCase, by_name: Sequence[ContactCandidate]) -> Action | None:
    """Whether one of these contacts is what the create `sent` made: a link, a review, or None if there is none.

    `case` holds the candidates for `sent_customer(sent)`. A contact of the same name alone proves nothing; without a
    marker it has to show every value that was sent.
    """
    mine = _free(case.by_marker)
    if not mine and case.by_code and agree(case.customer, case.by_code.contact):
        mine = _free([case.by_code])
    if not mine:
        mine = _free(case.by_identity)
    if not mine and not split_marker(sent.payload["tozihat"])[1]:
        mine = [c for c in _free(by_name) if shows_all(c.contact, sent)]
    if len(mine) > 1:
        return review_customer(
            case,
            "several_candidates",
            "Its creation got no clear answer, and more than one finance contact may be it.",
        )
    return replace(_found(sent), finance_code=mine[0].contact.code) if mine else None


def _free(candidates: Sequence[ContactCandidate]) -> list[ContactCandidate]:
    return [c for c in candidates if c.taken_by is None and not c.contact.admin]


def recognise_customer(sent: Action, found: Sequence[CustomerCandidate], contact: Contact) -> Action | None:
    """Whether one of the CRM records with the number of the create `sent` is what it made: a link, a review, or None."""
    if not found:
        return None
    if len(found) == 1 and found[0].taken_by is None and agree(found[0].customer, contact):
        return replace(_found(sent), crm_id=found[0].customer.crm_id)
    return replace(
        _found(sent),
        action="review",
        reason="number_twice" if len(found) > 1 else "stranger",
        message=f"Its creation got no clear answer, and the number {sent.customer_number} stands on "
        f"{len(found)} CRM record(s) that can't be told to be it.",
        details={"payload": dict(sent.payload), "candidates": [view_of(c.customer) for c in found]},
    )


def sent_customer(sent: Action) -> Customer:
    """The customer as the create `sent` described it to Finance."""
    form = sent.payload
    return Customer(
        crm_id=sent.record,
        kind=customer_kind(sent.kind),
        number=sent.customer_number,
        names=(form["fullname"],),
        national_code=form["passno"],
        phones=tuple(form[key] for key in ("mobileno", "telno") if form[key]),
        fields={key: pair[1] for key, pair in sent.fields.items() if pair[1]},
    )


def _found(sent: Action) -> Action:
    return replace(
        sent, action="link", reason="look_up", message="Its creation got no clear answer; a look-up found it."
    )


def shows_all(contact: Contact, sent: Action) -> bool:
    """Whether the contact shows every value that the create `sent` gave it, spelling aside."""
    return all(same_spelling_aside(key, contact.fields[key], new or "") for key, (_, new) in sent.fields.items())
