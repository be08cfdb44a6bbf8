"""After an unknown outcome: looks the record up where it may have been made, then links it, waits, or sets it free.

Not found is no proof: a slow server may still be at work. So the first look that finds nothing starts the grace time,
and only a look in a later run, after it, sets the record free to be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, customer_kind
from siaghsync.errors import BadRecord
from siaghsync.planning.cases import CustomerCandidate
from siaghsync.planning.recovery import recognise_contact, recognise_customer, sent_customer, shows_all
from siaghsync.state import retries as waiting
from siaghsync.state.outbox import Intent, lapsed_creates, lapses, mark_missed
from siaghsync.sync import outcomes as settle
from siaghsync.sync.context import Engine
from siaghsync.sync.matching import case_of_customer, name_candidates, owner_of_record


def look_up_contacts(engine: Engine, intents: list[Intent]) -> None:
    """Looks for creates in doubt in the finance list, which has to be in the scratch tables and fresh."""
    for intent in intents:
        customer = sent_customer(intent.action)
        case = case_of_customer(engine, customer)
        found = recognise_contact(intent.action, case, name_candidates(engine, customer))
        _conclude(engine, intent, found)


def look_up_customers(engine: Engine, intents: list[Intent]) -> None:
    """Looks for creates in doubt in the CRM, by their number; the finance list has to be in the scratch tables."""
    for intent in intents:
        sent = intent.action
        contact = engine.scratch.contact(sent.finance_code or 0)
        kind = customer_kind(sent.kind)
        records = engine.crm.find(kind, number=sent.customer_number).records
        try:
            customers = [customer_from_crm(record, kind) for record in records]
        except BadRecord as error:
            # It may be what the create made, so nothing is sent again while nobody can tell.
            engine.tell_failure(sent, "bad_record", error.message)
            continue
        found = [
            CustomerCandidate(c, owner_of_record(engine, c)) for c in customers if c.number == sent.customer_number
        ]
        _conclude(engine, intent, recognise_customer(sent, found, contact) if contact else None)


def late_arrivals(engine: Engine) -> Iterator[tuple[Contact, int]]:
    """Unlinked contacts that a create made which was given up for lost and sent again, each with the code of its twin.

    They are known by what was sent then, whatever the pair has become since; the finance list has to be in the scratch
    tables.
    """
    for intent in lapsed_creates(engine.run.state):
        twin = engine.mappings.of_crm(intent.record)
        customer = sent_customer(intent.action)
        case = case_of_customer(engine, customer)
        same_name = [c for c in name_candidates(engine, customer) if shows_all(c.contact, intent.action)]
        for contact in {c.contact.code: c.contact for c in (*case.by_marker, *case.by_identity, *same_name)}.values():
            if twin and contact.active and not contact.admin and engine.mappings.of_code(contact.code) is None:
                yield contact, twin.finance_code


def _conclude(engine: Engine, intent: Intent, found: Action | None) -> None:
    sent = intent.action
    with engine.run.state.atomic():
        if found and found.action == "link":
            settle.linked(engine, found)
            engine.tell(replace(sent, crm_id=found.crm_id, finance_code=found.finance_code))
        elif found:
            settle.lapsed(engine, intent, "A look-up found more than one that it may be, or a stranger.")
            settle.reviewed(engine, found)
        elif intent.missed_at is None:
            mark_missed(engine.run, intent.id)
            engine.tell_failure(sent, "unknown_outcome", _waits(engine, intent))
        else:
            _free(engine, intent)


def _waits(engine: Engine, intent: Intent) -> str:
    return (
        f"{intent.message} A look-up did not find it. It is looked for once more after {engine.limits.grace_seconds:g} s, "
        "and sent again only then."
    )


def _free(engine: Engine, intent: Intent) -> None:
    """Twice not found. It is sent again in this very run, unless that has been the course of things too often."""
    settle.lapsed(engine, intent, "Looked for twice, the second time after the grace time, and not found.")
    times = lapses(engine.run.state, intent.action)
    if times >= engine.limits.max_attempts:
        message = f"It was sent {times} times; no answer came, and it was never found."
        settle.reviewed(engine, replace(intent.action, action="review", reason="unknown_outcome", message=message))
    elif intent.action.target == "finance":
        waiting.postpone(engine.run, intent.action, "unknown_outcome", "It surely did not arrive.", failed=False)
