"""What should happen to a finance contact in the CRM, at the initial import: a pure decision table.

The counterpart of `reconcile`, with the same rules read in the other direction.
"""

from __future__ import annotations

from collections.abc import Sequence

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.connectors.siagh.payloads import crm_fields
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, agree, digest
from siaghsync.domain.numbering import Rules
from siaghsync.planning.cases import ContactCase, CustomerCandidate, about_contact, view_of
from siaghsync.planning.customers import link


def reconcile_contact(case: ContactCase, rules: Rules) -> Action:
    """What becomes of a finance contact that is not linked yet: link, create, skip or review."""
    contact = case.contact
    if contact.admin:
        return _skip_contact(contact, "admin_user", "It is an admin user of Siagh.", rules)
    if not contact.active and not rules.import_inactive:
        return _skip_contact(contact, "inactive", "It is not active in Finance (IMPORT_INACTIVE).", rules)
    number = rules.scheme.encode(contact.code)
    return (
        _by_number(case, case.by_marker, contact.marker, rules, is_marker=True)
        or _by_number(case, case.by_number, number, rules, is_marker=False)
        or _by_crm_identity(case, rules)
        or _create_identity(contact, number, rules)
    )


def _by_number(
    case: ContactCase, found: Sequence[CustomerCandidate], number: str, rules: Rules, *, is_marker: bool
) -> Action | None:
    if not found:
        return None
    if len(found) > 1:
        return _review_contact(case, "number_twice", f"The number {number} stands on more than one CRM record.", rules)
    only = found[0]
    if only.taken_by is not None:
        reason, what = (
            ("double_in_finance", "whose mark it carries") if is_marker else ("number_taken", "with its number")
        )
        return _review_contact(
            case,
            reason,
            f"The CRM record {what} ({number}) belongs to finance contact {only.taken_by}.",
            rules,
        )
    if is_marker or agree(only.customer, case.contact):
        return link(only.customer, case.contact, "marker" if is_marker else "number", target="crm")
    return _review_contact(
        case,
        "stranger",
        f"The CRM record with number {number} agrees neither in name nor in national code nor in a phone.",
        rules,
    )


def _by_crm_identity(case: ContactCase, rules: Rules) -> Action | None:
    same = "has the same national code and name"
    if taken := [c for c in case.by_identity if c.taken_by is not None]:
        return _review_contact(
            case,
            "double_in_finance",
            f"The CRM record that {same} belongs to finance contact {taken[0].taken_by}.",
            rules,
        )
    if len(case.by_identity) > 1:
        return _review_contact(case, "several_candidates", f"More than one CRM record {same}.", rules)
    if case.identity_twins and (case.by_identity or not case.first_twin):
        return _review_contact(case, "double_in_finance", f"Finance contact {case.identity_twins[0]} {same}.", rules)
    return link(case.by_identity[0].customer, case.contact, "national_code", target="crm") if case.by_identity else None


def _create_identity(contact: Contact, number: str, rules: Rules) -> Action:
    if not contact.names:
        return _review_contact(ContactCase(contact), "no_name", "It has no name in Finance.", rules)
    if rules.scheme.decode(number) != contact.code:
        text = f"CUSTOMER_NUMBER_* makes {number} of its code {contact.code}, which sync could not read back."
        return _review_contact(ContactCase(contact), "no_number", text, rules)
    record = crm_fields(contact, number, rules.category)
    # What the CRM will show for it, so that the first sync finds nothing to do.
    expected = customer_from_crm({**record, "crmId": "-"}, contact.kind)
    return about_contact(
        "create",
        contact,
        rules,
        fields={key: (None, _shown(value)) for key, value in record.items() if value},
        payload=record,
        checksum=expected.checksum,
        sent_checksum=expected.fields_checksum,
        notes=expected.notes,
    )


def _shown(value: object) -> str:
    """A CRM value as one line of text: of phones, addresses and categories what a person would read."""
    if isinstance(value, list):
        return "; ".join(" ".join(str(v) for k, v in item.items() if k != "default" and v) for item in value)
    return str(value)


def _skip_contact(contact: Contact, reason: str, message: str, rules: Rules) -> Action:
    return about_contact(
        "skip",
        contact,
        rules,
        reason=reason,
        message=message,
    )


def _review_contact(case: ContactCase, reason: str, message: str, rules: Rules) -> Action:
    contact = case.contact
    candidates = {c.customer.crm_id: c for c in (*case.by_marker, *case.by_number, *case.by_identity)}
    return about_contact(
        "review",
        contact,
        rules,
        reason=reason,
        message=message,
        checksum=digest(dict(contact.fields)),
        details={
            "contact": view_of(contact),
            "candidates": [{**view_of(c.customer), "taken_by": c.taken_by} for c in candidates.values()],
            "other_finance_codes": list(case.identity_twins),
        },
    )
