"""Looks over all customers of both systems, and keeps what is odd about them. Writes to neither system."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import astuple
from itertools import chain, islice
from typing import Any

from siaghsync.domain.customer import Contact, Customer
from siaghsync.errors import System
from siaghsync.features.lint.rules import (
    Check,
    Finding,
    Key,
    contact_findings,
    customer_findings,
    double_findings,
    keys_of,
    pair_findings,
    place_finding,
)
from siaghsync.messages.message import Message
from siaghsync.state.staging import SharedKeys, Staging
from siaghsync.sync.context import RunContext
from siaghsync.sync.lists import read_both

MOST_SHOWN = 10
"""How many findings of each check are kept at hand to be shown."""
_SHEET = "lint"
_BATCH = 500


class Survey:
    """The findings about both systems: all of them in staging, counts and the first of each check in memory."""

    def __init__(self, staging: Staging) -> None:
        self._staging = staging
        self._counts: Counter[tuple[System, Check]] = Counter()
        self._first: defaultdict[Check, list[Finding]] = defaultdict(list)
        self.customers: dict[System, int] = {"crm": 0, "finance": 0}
        """How many customers were looked at, by system."""
        self.without_number = 0
        """Customers of the CRM that have no number, and are skipped on purpose."""
        self.numberless_waiting = 0
        """Those of them whose documents wait for a number, as far as a state file tells."""
        self.places: dict[tuple[str, str], tuple[Customer, int]] = {}
        """Names of places without a code, by field: the first customer that has it, and how many have."""

    def add(self, findings: Iterable[Finding]) -> None:
        """Adds findings."""
        for finding in findings:
            self._counts[finding.system, finding.check] += 1
            if len(self._first[finding.check]) < MOST_SHOWN:
                self._first[finding.check].append(finding)
            self._staging.put(_SHEET, _to_plain(finding))

    def note_places(self, customer: Customer) -> None:
        """Counts the places of a customer for which no code is known."""
        for place in customer.places_without_code.items():
            first, count = self.places.get(place, (customer, 0))
            self.places[place] = (first, count + 1)

    def findings(self) -> Iterator[Finding]:
        """All findings, in the order in which they were made."""
        return map(_from_plain, self._staging.sheet(_SHEET))

    def first(self, check: Check) -> list[Finding]:
        """The first findings of one check, MOST_SHOWN at most."""
        return self._first[check]

    def count(self, check: Check, system: System | None = None) -> int:
        """How many findings of a check there are, in one system or in both."""
        systems: tuple[System, ...] = (system,) if system else ("crm", "finance")
        return sum(self._counts[each, check] for each in systems)

    @property
    def total(self) -> int:
        """How many findings there are."""
        return self._counts.total()

    def counts(self) -> dict[str, Any]:
        """The object `counts` in the JSON of `lint`: customers looked at, and findings by system and check."""
        found: dict[str, dict[str, int]] = {"crm": {}, "finance": {}}
        for (system, check), count in self._counts.items():
            found[system][str(check)] = count
        numberless = {"without_number": self.without_number, "without_number_waiting": self.numberless_waiting}
        return {"customers": self.customers, **numberless, "findings": found}


def survey(context: RunContext) -> Survey:
    """Reads both systems whole and checks every customer that an import or a sync would look at.

    The state of the context is one in memory, without links. Raises CallError if a system can't be read, Interrupted if
    a signal asked for the end.
    """
    found = Survey(context.staging)
    unreadable = read_both(context)
    found.add(_not_understood("finance", ((str(contact.code), why) for contact, why in unreadable.contacts)))
    found.add(_not_understood("crm", unreadable.customers.items()))
    unread = {contact.code for contact, _ in unreadable.contacts}
    shared = SharedKeys(context.state)
    _check(context, found, shared, chain(_contacts(context, unread), context.staging.customers(linked=False)))
    found.add(place_finding(first, *place, count) for place, (first, count) in found.places.items())
    for customer in context.staging.customers(linked=False):
        found.add(pair_findings(customer, context.staging.contacts_like(customer), context.rules.scheme))
        context.stop_if_cancelled()
    for group in shared.groups():
        found.add(double_findings([_key(*key) for key in group]))
        context.stop_if_cancelled()
    return found


def _not_understood(system: System, records: Iterable[tuple[str, Message]]) -> Iterator[Finding]:
    return (Finding(system, record, "", Check.NOT_UNDERSTOOD, "", why) for record, why in records)


def _contacts(context: RunContext, unread: set[int]) -> Iterator[Contact]:
    """The contacts that are customers by the settings; in a state without links, none is linked."""
    for contact in context.staging.unlinked_contacts():
        is_wanted = not contact.admin and (contact.active or context.rules.import_inactive)
        if is_wanted and contact.code not in unread:
            yield contact


def _check(context: RunContext, found: Survey, shared: SharedKeys, everybody: Iterator[Customer | Contact]) -> None:
    scheme = context.rules.scheme
    while batch := list(islice(everybody, _BATCH)):
        for who in batch:
            if isinstance(who, Customer):
                found.customers["crm"] += 1
                found.without_number += not who.number
                found.add(customer_findings(who, scheme))
                found.note_places(who)
            else:
                found.customers["finance"] += 1
                found.add(contact_findings(who, scheme))
        keys = (key for who in batch for key in keys_of(who, scheme))
        shared.add((f"{key.system} {key.check} {key.value}", key.record, astuple(key)) for key in keys)
        context.progress("checking_customers", sum(found.customers.values()), None)
        context.stop_if_cancelled()


def _key(check: str, *known: Any) -> Key:
    return Key(Check(check), *known)


def _to_plain(finding: Finding) -> list[Any]:
    return [
        finding.system,
        finding.record,
        finding.customer_number,
        finding.check,
        finding.value,
        finding.message.as_json(),
    ]


def _from_plain(data: list[Any]) -> Finding:
    system, record, customer_number, check, value, message = data
    return Finding(system, record, customer_number, Check(check), value, Message.from_json(message))
