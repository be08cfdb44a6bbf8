"""Which lists of the CRM hold customers, and who stands in them under a number."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from siaghsync.connectors.payamgostar.client import Payamgostar, Source
from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.domain.customer import Customer, Kind
from siaghsync.sync.context import RunContext

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
        for raw in context.crm.find(source, number=number).records
    ]
