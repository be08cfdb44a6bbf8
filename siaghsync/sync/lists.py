"""Which lists of the CRM hold customers and who stands in them under a number, and both systems' customers read whole for the
commands that compare them and write nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siaghsync.connectors.payamgostar.client import Payamgostar, Source
from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm
from siaghsync.domain.customer import Contact, Customer, Kind
from siaghsync.domain.normalize import digest
from siaghsync.errors import BadRecord
from siaghsync.messages.message import Message
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import RunContext
from siaghsync.sync.one_record import records_with_number
from siaghsync.sync.reader import CrmReader

KINDS: tuple[Kind, ...] = ("person", "organization")


def customer_sources(crm: Payamgostar) -> Iterator[tuple[Source, Kind]]:
    """The lists that hold customers, each with the kind of them."""
    return ((source, kind) for kind in KINDS for source in crm.sources(kind))


def customers_with_number(context: RunContext, number: str, kinds: Sequence[Kind] = KINDS) -> list[Customer]:
    """What the CRM finds by a customer number. Raises CallError, and BadRecord if a record can't be understood."""
    return [
        customer_from_crm(raw, kind, context.rules.site)
        for source, kind in customer_sources(context.crm)
        if kind in kinds
        for raw in records_with_number(context.crm, source, number)
    ]


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Records that could not be understood, each with the reason. `customers` is keyed by CRM id."""

    contacts: list[tuple[Contact, Message]]
    customers: dict[str, Message]


def read_both(context: RunContext) -> Unreadable:
    """Reads every contact of Finance and every person and organization of the CRM into staging.

    A contact that can't be understood is there by its code alone, such a customer is not. Raises CallError if a system
    can't be read to its end, Interrupted if a signal asked for the end.
    """
    contacts = read_contacts(context.finance, context.staging, context.cancel, context.progress)
    customers: dict[str, Message] = {}
    handlers = {source: _KeepAll(context, kind, customers) for source, kind in customer_sources(context.crm)}
    CrmReader.of(context).read_customers(handlers, everything=True)
    return Unreadable(contacts.bad, customers)


@dataclass(frozen=True, slots=True)
class _KeepAll:
    """A page handler that takes every customer into staging, whether it has changed or not."""

    context: RunContext
    kind: Kind
    bad: dict[str, Message]

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        keep: list[tuple[Customer, bool]] = []
        checksums = []
        for raw in records:
            crm_id = crm_id_of(raw) or ""
            try:
                customer = customer_from_crm(raw, self.kind, self.context.rules.site)
            except BadRecord as error:
                self.bad[crm_id] = error.message
                checksums.append(digest(crm_id))
            else:
                keep.append((customer, self.context.mappings.of_crm(crm_id) is not None))
                checksums.append(customer.checksum)
        self.context.staging.add_customers(keep)
        return checksums
