"""Gathers, from the scratch tables and the mappings, what decides about one unlinked record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from siaghsync.domain.customer import Contact, Customer, agree
from siaghsync.planning.cases import ContactCandidate, ContactCase, CustomerCandidate, CustomerCase
from siaghsync.planning.recovery import sent_customer
from siaghsync.state import reviews
from siaghsync.state.duplicates import entangled
from siaghsync.state.outbox import unknown_intents
from siaghsync.state.staging import identity_text
from siaghsync.sync.context import Engine


def case_of_customer(engine: Engine, customer: Customer) -> CustomerCase:
    """The case of an unlinked CRM customer; the finance list has to be in the scratch tables."""
    scratch, identity = engine.scratch, identity_text(customer)
    code = engine.rules.scheme.decode(customer.number)
    contact = scratch.contact(code) if code is not None else None
    ids = [c.crm_id for c in scratch.customers_with_identity(identity) if engine.mappings.of_crm(c.crm_id) is None]
    in_doubt = [
        i.record
        for i in unknown_intents(engine.run.state, "finance")
        if identity_text(sent_customer(i.action)) == identity
    ]
    twins = [i for i in dict.fromkeys((*in_doubt, *ids)) if i != customer.crm_id] if identity else []
    return CustomerCase(
        customer,
        by_marker=_contacts(engine, customer, scratch.contacts_with_marker(customer.number)),
        by_code=next(iter(_contacts(engine, customer, [contact])), None) if contact else None,
        by_identity=_contacts(engine, customer, scratch.contacts_with_identity(identity)),
        number_twins=_number_twins(engine, customer),
        identity_twins=twins,
        first_twin=not in_doubt and ids[:1] in ([], [customer.crm_id]),
    )


def name_candidates(engine: Engine, customer: Customer) -> list[ContactCandidate]:
    """Contacts of the same name; only a look-up after an unknown outcome asks for them."""
    return _contacts(engine, customer, engine.scratch.contacts_with_name(customer.names[0]) if customer.names else [])


def _contacts(engine: Engine, customer: Customer, contacts: Iterable[Contact]) -> list[ContactCandidate]:
    return [ContactCandidate(c, _owner_of_contact(engine, c, customer)) for c in contacts]


def _owner_of_contact(engine: Engine, contact: Contact, asking: Customer) -> str | None:
    """The CRM id that has this contact already, or whose claim by marker or number goes before that of `asking`."""
    if mapping := engine.mappings.of_code(contact.code):
        return mapping.crm_id if mapping.crm_id != asking.crm_id else None
    if contact.marker:
        if contact.marker == asking.number:
            return None
        if claimants := _others(engine.scratch.customers_with_number(contact.marker), asking):
            return claimants[0].crm_id
    by_number = _others(engine.scratch.customers_with_number(engine.rules.scheme.encode(contact.code)), asking)
    return next((c.crm_id for c in by_number if agree(c, contact)), None)


def _others(customers: Iterable[Customer], asking: Customer) -> list[Customer]:
    return [c for c in customers if c.crm_id != asking.crm_id]


def _number_twins(engine: Engine, customer: Customer) -> list[str]:
    """Other CRM records that carry the customer's number, as far as this run or the state file knows."""
    in_doubt = [
        i.record for i in unknown_intents(engine.run.state, "finance") if i.action.customer_number == customer.number
    ]
    remembered = [
        *(m.crm_id for m in engine.mappings.with_number(customer.number)),
        *reviews.numbers_in_review(engine.run.state, customer.number),
        *in_doubt,
    ]
    # What this run has read goes before what the state file remembers: a number may have been taken away since.
    current = [
        i for i in remembered if (fresh := engine.scratch.customer(i)) is None or fresh.number == customer.number
    ]
    read = [c.crm_id for c in engine.scratch.customers_with_number(customer.number)]
    return [i for i in dict.fromkeys((*current, *read)) if i != customer.crm_id]


def lone_contacts(engine: Engine, contacts: Sequence[Contact]) -> set[int]:
    """The codes of those contacts whose case is nothing but the contact: no candidate, no twin, no question, no doubt.

    A few questions for hundreds of them, instead of a dozen for each; in a first import nearly all are such. `contacts`
    follow each other among the unlinked ones.
    """
    numbers = {engine.rules.scheme.encode(contact.code): contact.code for contact in contacts}
    others, taken = entangled(engine.run.state, [contact.code for contact in contacts], list(numbers))
    return {contact.code for contact in contacts} - others - {numbers[number] for number in taken}


def case_of_contact(engine: Engine, contact: Contact) -> ContactCase:
    """The case of an unlinked finance contact; both systems' lists have to be in the scratch tables."""
    scratch, identity = engine.scratch, identity_text(contact)
    codes = [c.code for c in scratch.contacts_with_identity(identity)] if identity else []
    first = min(codes, default=contact.code) == contact.code and not any(engine.mappings.of_code(c) for c in codes)
    return ContactCase(
        contact,
        by_marker=_customers(engine, contact, scratch.customers_with_number(contact.marker) if contact.marker else []),
        by_number=_customers(engine, contact, scratch.customers_with_number(engine.rules.scheme.encode(contact.code))),
        by_identity=_customers(engine, contact, scratch.customers_with_identity(identity)),
        identity_twins=[c for c in codes if c != contact.code],
        first_twin=first,
    )


def _customers(engine: Engine, contact: Contact, customers: Iterable[Customer]) -> list[CustomerCandidate]:
    return [CustomerCandidate(c, _owner_of_customer(engine, c, contact)) for c in customers]


def owner_of_record(engine: Engine, customer: Customer) -> int | None:
    """The finance code that a CRM record is linked to, or None."""
    mapping = engine.mappings.of_crm(customer.crm_id)
    return mapping.finance_code if mapping else None


def _owner_of_customer(engine: Engine, customer: Customer, asking: Contact) -> int | None:
    """The finance code that has this CRM record already, or whose claim by marker or number goes before `asking`'s."""
    if (code := owner_of_record(engine, customer)) is not None:
        return code if code != asking.code else None
    if not customer.number or customer.number == asking.marker:
        return None
    if marked := [c for c in engine.scratch.contacts_with_marker(customer.number) if c.code != asking.code]:
        return marked[0].code
    code = engine.rules.scheme.decode(customer.number)
    contact = engine.scratch.contact(code) if code is not None and code != asking.code else None
    return contact.code if contact and agree(customer, contact) else None
