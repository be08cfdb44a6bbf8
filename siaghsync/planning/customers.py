"""What should happen to a CRM customer in Finance: pure decision tables, one branch per situation in the world.

The rules are those of "Identity" and "CRM wins"; each refusal to decide becomes a review with a stable reason. Same
input, same answer: no network, disk, clock or chance.
"""

from __future__ import annotations

from siaghsync.connectors.siagh.payloads import contact_form
from siaghsync.domain.action import Action, Changes
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, agree, same_spelling_aside, split_marker
from siaghsync.domain.numbering import Rules
from siaghsync.errors import System
from siaghsync.planning.cases import CustomerCase, about_customer, view_of


def reconcile_customer(case: CustomerCase, rules: Rules) -> Action:
    """What becomes of a CRM customer that is not linked yet: link, create, skip or review."""
    customer = case.customer
    if not customer.number:
        return _skip_customer(customer, "no_number", "It has no customer number in the CRM.")
    if rules.scheme.decode(customer.number) is None:
        return _skip_customer(
            customer, "foreign_number", f"Its number {customer.number} does not fit CUSTOMER_NUMBER_*."
        )
    if case.number_twins:
        return review_customer(
            case, "number_twice", f"The number {customer.number} stands on more than one CRM record."
        )
    return _by_marker(case) or _by_code(case) or _by_identity(case) or _create_contact(customer, rules)


def _by_marker(case: CustomerCase) -> Action | None:
    free = [c for c in case.by_marker if c.taken_by is None and not c.contact.admin]
    if len(free) > 1:
        return review_customer(
            case,
            "several_candidates",
            f"More than one finance contact carries the mark of number {case.customer.number}.",
        )
    return link(case.customer, free[0].contact, "marker") if free else None


def _by_code(case: CustomerCase) -> Action | None:
    candidate = case.by_code
    if candidate is None or candidate.taken_by is not None:
        return None  # somebody else: both systems number new customers on their own
    if candidate.contact.admin or not agree(case.customer, candidate.contact):
        return review_customer(
            case,
            "stranger",
            f"Finance contact {candidate.contact.code} has the code of number {case.customer.number}, but neither its name nor "
            "its national code nor a phone agrees.",
        )
    return link(case.customer, candidate.contact, "number")


def _by_identity(case: CustomerCase) -> Action | None:
    found = [c for c in case.by_identity if not c.contact.admin]
    same = "has the same national code and name"
    if taken := [c for c in found if c.taken_by is not None]:
        return review_customer(
            case,
            "double_in_crm",
            f"Finance contact {taken[0].contact.code} {same}, but belongs to CRM record {taken[0].taken_by}.",
        )
    if len(found) > 1:
        return review_customer(case, "several_candidates", f"More than one finance contact {same}.")
    if case.identity_twins and (found or not case.first_twin):
        return review_customer(case, "double_in_crm", f"CRM record {case.identity_twins[0]} {same}.")
    return link(case.customer, found[0].contact, "national_code") if found else None


def _create_contact(customer: Customer, rules: Rules) -> Action:
    if "fullname" not in customer.fields:
        return review_customer(CustomerCase(customer), "no_name", "It has no name in the CRM, and Finance demands one.")
    return about_customer(
        "create",
        customer,
        fields={key: (None, value) for key, value in customer.fields.items()},
        payload=contact_form(customer, None, mark=rules.mark),
        checksum=customer.checksum,
        sent_checksum=customer.fields_checksum,
        notes=customer.notes,
    )


def differences(customer: Customer, contact: Contact) -> Changes:
    """Each field that the CRM has a value for and Finance shows otherwise: key -> (Finance, CRM)."""
    shown = {**contact.fields, "tozihat": split_marker(contact.fields["tozihat"])[0]}
    return {key: (shown[key], value) for key, value in customer.fields.items() if shown[key] != value}


def reconcile_linked(customer: Customer, contact: Contact, mapping: CustomerMapping, rules: Rules) -> Action | None:
    """What makes the linked contact say what the CRM says: an update, or None if nothing would change."""
    changes = differences(customer, contact)
    sent = customer.fields_checksum
    if not changes:
        return None
    if mapping.sent_checksum == sent and _only_spelling(changes):
        return None  # Finance was told this very spelling before and keeps its own: don't say it twice
    return about_customer(
        "update",
        customer,
        mapping,
        fields=changes,
        payload=contact_form(customer, contact, mark=rules.mark),
        checksum=customer.checksum,
        sent_checksum=sent,
        notes=customer.notes,
    )


def _only_spelling(changes: Changes) -> bool:
    return all(same_spelling_aside(key, old or "", new or "") for key, (old, new) in changes.items())


def contact_is_missing(customer: Customer, mapping: CustomerMapping) -> Action:
    """The review for a linked customer whose contact Finance does not show any more."""
    return about_customer(
        "review",
        customer,
        mapping,
        reason="missing_in_finance",
        message=f"Finance does not show contact {mapping.finance_code} any more.",
        checksum=customer.checksum,
        details={"customer": view_of(customer)},
    )


def link(customer: Customer, contact: Contact, reason: str, *, target: System = "finance") -> Action:
    """The link of a pair, for the system that a run in this direction writes to; `reason` says what they were matched by."""
    in_step = _only_spelling(differences(customer, contact))
    return Action(
        action="link",
        entity="customer",
        target=target,
        record=customer.crm_id if target == "finance" else str(contact.code),
        kind=customer.kind,
        customer_number=customer.number,
        crm_id=customer.crm_id,
        finance_code=contact.code,
        reason=reason,
        checksum=customer.checksum if in_step else None,
        sent_checksum=customer.fields_checksum if in_step else None,
    )


def _skip_customer(customer: Customer, reason: str, message: str) -> Action:
    return about_customer(
        "skip",
        customer,
        reason=reason,
        message=message,
    )


def review_customer(case: CustomerCase, reason: str, message: str) -> Action:
    """A question about a CRM customer, with the candidates shown."""
    customer = case.customer
    candidates = {
        c.contact.code: c for c in (*case.by_marker, *((case.by_code,) if case.by_code else ()), *case.by_identity)
    }
    return about_customer(
        "review",
        customer,
        reason=reason,
        message=message,
        checksum=customer.checksum,
        details={
            "customer": view_of(customer),
            "candidates": [{**view_of(c.contact), "taken_by": c.taken_by} for c in candidates.values()],
            "other_crm_ids": [*case.number_twins, *case.identity_twins],
        },
    )
