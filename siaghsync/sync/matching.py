"""Gathers, from staging and the state file, what decides about one unlinked record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from siaghsync.domain.customer import Contact, Customer, CustomerMapping, identity_key
from siaghsync.domain.evidence import agree, pair_keys
from siaghsync.domain.numbering import NumberScheme
from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.errors import System
from siaghsync.planning.cases import MOST_TWINS, ContactCandidate, ContactCase, CustomerCandidate, CustomerCase
from siaghsync.planning.customers import is_somebody_else
from siaghsync.planning.recovery import sent_customer
from siaghsync.state import reviews
from siaghsync.state.database import State
from siaghsync.state.duplicates import entangled
from siaghsync.state.mappings import Mappings
from siaghsync.state.outbox import unknown_intents
from siaghsync.state.staging import Staging
from siaghsync.sync.context import RunContext

Crowd = dict[str, None]
"""CRM ids, each once, in order."""


@dataclass(frozen=True, slots=True)
class Matcher:
    """Finds candidates. The lists that a question is about have to be in staging."""

    state: State
    staging: Staging
    mappings: Mappings
    scheme: NumberScheme
    crowds: dict[tuple[str, str], Crowd] | None = None
    """More than MOST_TWINS doubles of each other, while nothing changes: else each one of them would read all the others."""

    @staticmethod
    def of(context: RunContext, *, nothing_changes: bool = False) -> Matcher:
        """The matcher of a run. `nothing_changes` promises that neither staging nor the state file changes while it is used."""
        crowds: dict[tuple[str, str], Crowd] | None = {} if nothing_changes else None
        return Matcher(context.state, context.staging, context.mappings, context.rules.scheme, crowds)

    # --- for a CRM customer ---

    def case_of_customer(self, customer: Customer) -> CustomerCase:
        """The case of an unlinked CRM customer; the finance list has to be in staging."""
        identity = identity_key(customer)
        number_twins, more = _named(self._number_twins(customer), customer)
        code = self.scheme.decode(customer.number)
        contact = self.staging.contact(code) if code is not None else None
        by_code = next(iter(self._contacts(customer, [contact])), None) if contact else None
        # A free contact under its number decides by itself.
        is_settled = by_code is not None and by_code.taken_by is None
        alike = [] if is_settled else self._contacts(customer, self.staging.contacts_like(customer))
        twins, first = self._identity_twins(customer, identity)
        identity_twins, more_of_identity = _named(twins, customer)
        return CustomerCase(
            customer,
            by_marker=self._contacts(customer, self.staging.contacts_with_marker(customer.number, customer.crm_id)),
            by_code=by_code,
            by_identity=self._contacts(customer, self.staging.contacts_with_identity(identity)) if identity else [],
            by_likeness=alike,
            number_twins=number_twins,
            identity_twins=identity_twins,
            more_twins=more + more_of_identity,
            first_twin=first,
            is_new=bool(alike) and self._is_new("finance", customer.crm_id, customer.checksum),
        )

    def _is_new(self, target: System, record: str, checksum: str) -> bool:
        """Whether a person has looked at the possible duplicates of a record as it is now and wants a new one made."""
        last = reviews.last_about(self.state, "customer", target, record)
        answer = (Reason.POSSIBLE_DUPLICATE, checksum, Resolution.RETRY)
        return last is not None and (last.reason, last.checksum, last.resolution) == answer

    def name_candidates(self, customer: Customer) -> list[ContactCandidate]:
        """Contacts of the same name; only a look-up after an unknown outcome asks for them."""
        return self._contacts(customer, self.staging.contacts_with_name(customer.name) if customer.name else [])

    def _identity_twins(self, customer: Customer, identity: str | None) -> tuple[Crowd, bool]:
        """Unlinked CRM records with the same national code and name, and whether this one is the first of them."""
        if not identity:
            return {}, True
        in_doubt = [
            intent.record
            for intent in unknown_intents(self.state, "finance")
            if identity_key(sent_customer(intent.action)) == identity
        ]
        ids = self._crowd("identity", identity, self._unlinked_with)
        twins = {**dict.fromkeys(in_doubt), **ids} if in_doubt else ids
        return twins, not in_doubt and next(iter(ids), customer.crm_id) == customer.crm_id

    def _unlinked_with(self, identity: str) -> Iterable[str]:
        found = self.staging.customers_with_identity(identity)
        return (c.crm_id for c in found if self.mappings.of_crm(c.crm_id) is None)

    def _crowd(self, key: str, value: str, gather: Callable[[str], Iterable[str]]) -> Crowd:
        """The records that `gather` finds, which is asked once for a crowd."""
        known = (self.crowds or {}).get((key, value))
        if known is None:
            known = dict.fromkeys(gather(value))
            if self.crowds is not None and len(known) > MOST_TWINS:
                self.crowds[key, value] = known
        return known

    def _contacts(self, customer: Customer, contacts: Iterable[Contact]) -> list[ContactCandidate]:
        return [ContactCandidate(c, self._owner_of_contact(c, customer)) for c in contacts]

    def _owner_of_contact(self, contact: Contact, asking: Customer) -> str | None:
        """The CRM id that has this contact already, or whose claim by mark or number goes before that of `asking`."""
        mapping = self.mappings.of_code(contact.code)
        if mapping and not has_lost(self.state, mapping, contact):
            return mapping.crm_id if mapping.crm_id != asking.crm_id else None
        if contact.marker:
            if contact.marker in (asking.number, asking.crm_id):
                return None
            if claimants := _others(self.staging.customers_with_mark(contact.marker), asking):
                return claimants[0].crm_id
        by_number = _others(self.staging.customers_with_number(self.scheme.encode(contact.code)), asking)
        return next((c.crm_id for c in by_number if agree(c, contact)), None)

    def _number_twins(self, customer: Customer) -> Crowd:
        """CRM records that carry the customer's number, as far as this run or the state file knows."""
        # Those without a number are not each other's twins.
        return self._crowd("number", customer.number, self._with_number) if customer.number else {}

    def _with_number(self, number: str) -> Iterable[str]:
        in_doubt = [
            intent.record
            for intent in unknown_intents(self.state, "finance")
            if intent.action.customer_number == number
        ]
        remembered = [
            *(m.crm_id for m in self.mappings.with_number(number)),
            *reviews.numbers_in_review(self.state, number),
            *in_doubt,
        ]
        # What this run has read goes before what the state file remembers: a number may have been taken away since.
        current = [i for i in remembered if (fresh := self.staging.customer(i)) is None or fresh.number == number]
        return (*current, *(c.crm_id for c in self.staging.customers_with_number(number)))

    # --- for a finance contact ---

    def lone_contacts(self, contacts: Sequence[Contact]) -> set[int]:
        """The codes of those contacts that have no candidate, no twin, no review and no open intent.

        A few questions for hundreds of them, instead of a dozen for each; in a first import nearly all are such.
        `contacts` follow each other among the unlinked ones.
        """
        numbers = {self.scheme.encode(contact.code): contact.code for contact in contacts}
        others, taken = entangled(self.state, [contact.code for contact in contacts], list(numbers))
        lone = {contact.code for contact in contacts} - others - {numbers[number] for number in taken}
        keys = {
            contact.code: mine
            for contact in contacts
            if contact.code in lone and not contact.admin and (mine := pair_keys(contact))
        }
        shared = self.staging.keys_in_crm(sorted(set().union(*keys.values()))) if keys else set()
        return lone - {code for code, mine in keys.items() if mine & shared}

    def case_of_contact(self, contact: Contact) -> ContactCase:
        """The case of an unlinked finance contact; both systems' lists have to be in staging."""
        identity = identity_key(contact)
        codes = [c.code for c in self.staging.contacts_with_identity(identity)] if identity else []
        first = min(codes, default=contact.code) == contact.code and not any(map(self.mappings.of_code, codes))
        with_marker = self.staging.customers_with_mark(contact.marker) if contact.marker else []
        with_number = self.staging.customers_with_number(self.scheme.encode(contact.code))
        with_identity = self.staging.customers_with_identity(identity) if identity else []
        # A mark or a number that leads to a record decides by itself.
        alike = [] if with_marker or with_number else self._customers(contact, self.staging.customers_like(contact))
        return ContactCase(
            contact,
            by_marker=self._customers(contact, with_marker),
            by_number=self._customers(contact, with_number),
            by_identity=self._customers(contact, with_identity),
            by_likeness=alike,
            is_new=bool(alike) and self._is_new("crm", str(contact.code), contact.checksum),
            identity_twins=[c for c in codes if c != contact.code],
            first_twin=first,
        )

    def owner_of_record(self, customer: Customer) -> int | None:
        """The finance code that a CRM record is linked to, or None."""
        mapping = self.mappings.of_crm(customer.crm_id)
        return mapping.finance_code if mapping else None

    def _customers(self, contact: Contact, customers: Iterable[Customer]) -> list[CustomerCandidate]:
        return [CustomerCandidate(c, self._owner_of_customer(c, contact)) for c in customers]

    def _owner_of_customer(self, customer: Customer, asking: Contact) -> int | None:
        """The finance code that has this CRM record already, or whose claim by mark or number goes before `asking`'s."""
        if (code := self.owner_of_record(customer)) is not None:
            return code if code != asking.code else None
        if asking.marker and asking.marker in (customer.number, customer.crm_id):
            return None
        if marked := [
            c for c in self.staging.contacts_with_marker(customer.number, customer.crm_id) if c.code != asking.code
        ]:
            return marked[0].code
        code = self.scheme.decode(customer.number)
        contact = self.staging.contact(code) if code is not None and code != asking.code else None
        return contact.code if contact and agree(customer, contact) else None


def has_lost(state: State, mapping: CustomerMapping, contact: Contact) -> bool:
    """Whether a link is dead: a person has to say which contact its customer gets, and the one under its code is another."""
    return reviews.asks_for_contact(state, mapping.crm_id) and is_somebody_else(mapping, contact)


def _others(customers: Iterable[Customer], asking: Customer) -> list[Customer]:
    return [c for c in customers if c.crm_id != asking.crm_id]


def _named(twins: Crowd, customer: Customer) -> tuple[list[str], int]:
    """The first of a customer's twins, and how many there are besides."""
    named = list(islice((i for i in twins if i != customer.crm_id), MOST_TWINS))
    return named, len(twins) - (customer.crm_id in twins) - len(named)
