"""Copies of one system as it was at some moment, and how they are put back: what came later is gone, codes and all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from siaghsync.sandbox.books import FinanceWorld, PreInvoice
from siaghsync.sandbox.shapes import Kind
from siaghsync.sandbox.store import CrmWorld


@dataclass(frozen=True)
class SiaghCopy:
    """Contacts, pre-invoices, and the codes and numbers that are given next."""

    contacts: list[dict[str, Any]]
    preinvoices: list[PreInvoice]
    counters: Any

    @staticmethod
    def of(finance: FinanceWorld) -> SiaghCopy:
        """What is there now."""
        return SiaghCopy(finance.snapshot(), list(finance.preinvoices), replace(finance._last))

    def put_back(self, finance: FinanceWorld) -> None:
        """Makes it the present."""
        for code in list(finance.contacts):
            finance.delete(code)
        for contact in self.contacts:
            finance.add_contact(**contact)
        finance.preinvoices[:] = self.preinvoices
        finance._last = replace(self.counters)


@dataclass(frozen=True)
class CrmCopy:
    """Customers and documents by id, each with its kind."""

    records: Mapping[str, tuple[Kind, dict[str, Any]]]

    @staticmethod
    def of(crm: CrmWorld) -> CrmCopy:
        """What is there now."""
        return CrmCopy({crm_id: (crm.kind(crm_id), dict(record)) for crm_id, record in _all(crm).items()})

    def put_back(self, crm: CrmWorld) -> set[str]:
        """Makes it the present. Returns the ids of what is not as it was the moment before."""
        now = _all(crm)
        for crm_id in now.keys() - self.records.keys():
            crm.delete(crm_id)
        other = {crm_id for crm_id, (_, record) in self.records.items() if now.get(crm_id) != record}
        for crm_id in sorted(other):
            kind, record = self.records[crm_id]
            crm.add(kind, dict(record))
        return other


def _all(crm: CrmWorld) -> dict[str, dict[str, Any]]:
    return {**crm.records, **crm.documents}
