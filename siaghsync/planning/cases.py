"""What decides about one customer, gathered before the decision is made: settings, the record, its candidates, its doubles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.domain.numbering import NumberScheme
from siaghsync.domain.reasons import Operation
from siaghsync.domain.site import NO_SITE, Site

MOST_TWINS = 20
"""So many doubles of a record are named to whoever decides; the others are only counted."""


@dataclass(frozen=True, slots=True)
class PlanRules:
    """CUSTOMER_NUMBER_* as `scheme`, FINANCE_NOTE_MARKER as `mark`, CRM_CATEGORY, IMPORT_INACTIVE, the mapping file's
    part about customers as `site`, and CUSTOMERS_WITHOUT_NUMBER=create as `without_number`."""

    scheme: NumberScheme
    mark: bool = True
    category: str = ""
    import_inactive: bool = False
    site: Site = NO_SITE
    without_number: bool = False

    def takes(self, customer: Customer) -> bool:
        """Whether a CRM record is a customer of ours, by its number or for want of one."""
        return self.scheme.decode(customer.number) is not None if customer.number else self.without_number


@dataclass(frozen=True, slots=True)
class ContactCandidate:
    """A finance contact that may be the customer.

    `taken_by` is the CRM id that it is linked to, or that has a better claim to it (its mark or its number), or None.
    """

    contact: Contact
    taken_by: str | None = None


@dataclass(frozen=True, slots=True)
class CustomerCandidate:
    """A CRM record that may be the contact.

    `taken_by` is the finance code that it is linked to, or that has a better claim to it, or None.
    """

    customer: Customer
    taken_by: int | None = None


@dataclass(frozen=True, slots=True)
class CustomerCase:
    """An unlinked CRM customer and all that decides about it.

    `by_marker` and `by_code` are the contacts that its number leads to, `by_identity` those with the same national code and
    name, `by_likeness` those that agree in two of name, national code and phone. `number_twins` are other CRM records with
    the same number, `identity_twins` other CRM records with the same national code and name of which none is linked;
    of each at most MOST_TWINS are named, `more_twins` counts the others.
    `first_twin` says that this one comes before them. `heir_of` is the contact whose CRM record had this number and is gone.
    `is_new` says that a person has looked at the possible duplicates and wants a new contact.
    """

    customer: Customer
    by_marker: Sequence[ContactCandidate] = ()
    by_code: ContactCandidate | None = None
    by_identity: Sequence[ContactCandidate] = ()
    by_likeness: Sequence[ContactCandidate] = ()
    heir_of: Contact | None = None
    is_new: bool = False
    number_twins: Sequence[str] = ()
    identity_twins: Sequence[str] = ()
    more_twins: int = 0
    first_twin: bool = True


@dataclass(frozen=True, slots=True)
class ContactCase:
    """An unlinked finance contact and all that decides about it, as in `CustomerCase`; the twins are other unlinked finance
    contacts."""

    contact: Contact
    by_marker: Sequence[CustomerCandidate] = ()
    by_number: Sequence[CustomerCandidate] = ()
    by_identity: Sequence[CustomerCandidate] = ()
    by_likeness: Sequence[CustomerCandidate] = ()
    is_new: bool = False
    identity_twins: Sequence[int] = ()
    first_twin: bool = True


def about_customer(
    operation: Operation, customer: Customer, mapping: CustomerMapping | None = None, **more: Any
) -> Action:
    """An action for a CRM customer. A linked one that lost its number keeps the number that it was linked with."""
    return Action(
        operation=operation,
        entity="customer",
        target="finance",
        record=customer.crm_id,
        kind=customer.kind,
        customer_number=customer.number or (mapping.customer_number if mapping else ""),
        crm_id=customer.crm_id,
        finance_code=mapping.finance_code if mapping else None,
        name=customer.name,
        **more,
    )


def about_contact(operation: Operation, contact: Contact, rules: PlanRules, **more: Any) -> Action:
    """An action for a finance contact at the import, with the number that is made from its code."""
    return Action(
        operation=operation,
        entity="customer",
        target="crm",
        record=str(contact.code),
        kind=contact.kind,
        customer_number=rules.scheme.encode(contact.code),
        finance_code=contact.code,
        name=contact.name,
        **more,
    )


def view_of(who: Customer | Contact) -> dict[str, Any]:
    """A record as plain data for the person who decides: ids, kind, names, phones, and every field that has a value."""
    if isinstance(who, Customer):
        ids: dict[str, Any] = {"crm_id": who.crm_id, "customer_number": who.number}
    else:
        ids = {"finance_code": who.code}
    filled = {name: value for name, value in who.fields.items() if value and name != "kind"}
    return {**ids, "kind": who.kind, "names": list(who.names), "phones": list(who.phones), **filled}
