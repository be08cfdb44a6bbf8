"""Linked customers that changed: each contact read afresh, compared, and written only if something differs."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.errors import CallError, InDoubt, Interrupted, LoginRefused, NotSent
from siaghsync.planning.cases import about_customer
from siaghsync.planning.customers import contact_is_missing, reconcile_linked
from siaghsync.state import reviews
from siaghsync.sync import outcomes as settle
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import Engine
from siaghsync.sync.executor import DOUBTS_IN_A_ROW, carry_out
from siaghsync.sync.sync_reading import Work, fail


def compare_linked(engine: Engine, work: Work) -> None:
    """Looks at each linked customer that changed, and makes Finance say what the CRM says."""
    customers = engine.scratch.customers(linked=True)
    total, done, doubts = engine.scratch.count_customers(linked=True), 0, 0
    with ThreadPoolExecutor(engine.limits.concurrency) as pool:
        while chunk := list(islice(customers, engine.limits.concurrency * 8)):
            with engine.run.state.atomic():  # a chunk of them in one commit
                to_read = [pair for customer in chunk if (pair := _differs(engine, work, customer))]
            # Read again just before the write, whatever the list said: what only Finance knows is sent back as read.
            contacts = pool.map(lambda pair: read_contact(engine, pair[1].finance_code), to_read)
            actions: list[Action] = []
            with engine.run.state.atomic():
                for (customer, mapping), contact in zip(to_read, contacts, strict=True):
                    doubts = doubts + 1 if isinstance(contact, InDoubt) else 0
                    if isinstance(contact, (NotSent, LoginRefused)) or doubts >= DOUBTS_IN_A_ROW:
                        assert isinstance(contact, CallError)
                        raise contact
                    actions += _decide_linked(engine, work, customer, mapping, contact)
            _write_or_tell(engine, work, actions, done, total)
            done += len(chunk)
            engine.progress("comparing customers", done, total)
            if engine.stop.is_set():
                raise Interrupted(130)


def _differs(engine: Engine, work: Work, customer: Customer) -> tuple[Customer, CustomerMapping] | None:
    """The pair, if it has to be looked at; a pair that the list in hand shows to be in step is settled here."""
    mapping = _mapping_of(engine, work, customer)
    contact = engine.scratch.contact(mapping.finance_code) if work.has_list else None
    if contact and reconcile_linked(customer, contact, mapping, engine.rules) is None:
        _settle_unchanged(engine, work, customer, mapping)
        return None
    return customer, mapping


def _mapping_of(engine: Engine, work: Work, customer: Customer) -> CustomerMapping:
    mapping = engine.mappings.of_crm(customer.crm_id)
    if mapping is None:  # a dry run plans the link, but does not make it
        link = engine.links[customer.crm_id]
        assert work.options.dry_run
        assert link.finance_code is not None
        mapping = CustomerMapping(customer.crm_id, link.finance_code, customer.kind, customer.number)
    return mapping


def _settle_unchanged(engine: Engine, work: Work, customer: Customer, mapping: CustomerMapping) -> None:
    link = engine.links.pop(customer.crm_id, None)
    if link:
        engine.tell(link)
    else:
        engine.counts["customer"].unchanged += 1
    if not work.options.dry_run:
        settle.unchanged(engine, customer, mapping, customer.fields_checksum)


def _decide_linked(
    engine: Engine, work: Work, customer: Customer, mapping: CustomerMapping, contact: Contact | CallError | None
) -> Iterator[Action]:
    if isinstance(contact, CallError):
        fail(engine, work, _subject(customer, mapping), contact.reason, contact.message)
    elif contact is None:
        missing = contact_is_missing(customer, mapping)
        engine.links.pop(customer.crm_id, None)
        if engine.permit(missing):
            engine.tell(missing) if work.options.dry_run else settle.reviewed(engine, missing)
    elif (action := reconcile_linked(customer, contact, mapping, engine.rules)) is None:
        _settle_unchanged(engine, work, customer, mapping)
    elif reviews.rests(engine.run.state, action):
        standing = reviews.as_it_stands(engine.run.state, action)
        if engine.permit(standing):
            engine.tell(standing) if work.options.dry_run else settle.reviewed(engine, standing)
    elif engine.permit(action):
        yield action
    elif link := engine.links.pop(customer.crm_id, None):
        engine.tell(link)


def _write_or_tell(engine: Engine, work: Work, actions: list[Action], done: int, total: int) -> None:
    if work.options.dry_run:
        for action in actions:
            engine.tell_done(action)
    else:
        carry_out(engine, actions, total, "updating contacts in Finance", done)


def _subject(customer: Customer, mapping: CustomerMapping) -> Action:
    """An update of which nothing is known yet but whom it is for."""
    return about_customer(
        "update",
        customer,
        mapping,
        checksum=customer.checksum,
    )
