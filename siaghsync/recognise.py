"""After a create without a clear answer: whether what a look-up shows is what it made. Pure decision tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from siaghsync.cases import ContactCandidate, CustomerCandidate, CustomerCase, view_of
from siaghsync.plan import Action
from siaghsync.reconcile import review_customer
from siaghsync.records import Contact, Customer, agree, same_spelling_aside, split_marker


def recognise_contact(sent: Action, case: CustomerCase, by_name: Sequence[ContactCandidate]) -> Action | None:
    """Whether one of these contacts is what the create `sent` made: a link, a review, or None if there is none.

    `case` holds the candidates for `sent_customer(sent)`. A contact of the same name alone proves nothing; without a
    marker it has to show every value that was sent.
    """
    mine = [c for c in case.by_marker if c.taken_by is None]
    if not mine and case.by_code and case.by_code.taken_by is None and agree(case.customer, case.by_code.contact):
        mine = [case.by_code]
    if not mine:
        mine = [c for c in case.by_identity if c.taken_by is None]
    if not mine and not split_marker(sent.payload["tozihat"])[1]:
        mine = [c for c in by_name if c.taken_by is None and _shows_all(c.contact, sent)]
    if len(mine) > 1:
        return review_customer(
            case,
            "several_candidates",
            "Its creation got no clear answer, and more than one finance contact may be it.",
        )
    return replace(_found(sent), finance_code=mine[0].contact.code) if mine else None


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
        kind=sent.kind,
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


def _shows_all(contact: Contact, sent: Action) -> bool:
    return all(same_spelling_aside(key, contact.fields[key], new or "") for key, (_, new) in sent.fields.items())
