"""Compares every linked customer in both systems, field by field: a plan that is never carried out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from siaghsync.domain.customer import CustomerMapping
from siaghsync.errors import Interrupted
from siaghsync.planning.customers import reconcile_linked
from siaghsync.state.duplicates import duplicates
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import Engine
from siaghsync.sync.reader import read_source
from siaghsync.sync.sync_reading import SOURCES, Intake, SyncOptions, Work


@dataclass(slots=True)
class Findings:
    """What is not in step. `unlinked` counts customers that stand on one side only, by side."""

    checked: int = 0
    in_step: int = 0
    drift: list[dict[str, Any]] = field(default_factory=list)
    missing_in_finance: list[dict[str, Any]] = field(default_factory=list)
    missing_in_crm: list[dict[str, Any]] = field(default_factory=list)
    duplicates: list[dict[str, Any]] = field(default_factory=list)
    unlinked: dict[str, int] = field(default_factory=dict)

    @property
    def all_in_step(self) -> bool:
        """Whether nothing needs mending; customers that stand on one side only don't count against it."""
        return not (self.drift or self.missing_in_finance or self.missing_in_crm or self.duplicates)

    def as_json(self) -> dict[str, Any]:
        """The document of `verify --json`."""
        return {
            "checked": self.checked,
            "in_step": self.in_step,
            "drift": self.drift,
            "missing_in_finance": self.missing_in_finance,
            "missing_in_crm": self.missing_in_crm,
            "duplicates": self.duplicates,
            "unlinked": self.unlinked,
        }


def verify(engine: Engine) -> Findings:
    """Reads both systems whole and compares. Writes to neither, nor to the mappings."""
    read_contacts(engine)
    work = Work(SyncOptions(full=True, dry_run=True))
    for kind in SOURCES:
        read_source(engine, kind, Intake(engine, work, kind), everything=True)
    findings = Findings()
    total = engine.mappings.count()
    for mapping in engine.mappings.all():
        _compare(engine, mapping, findings)
        if findings.checked % 500 == 0:
            engine.progress("comparing customers", findings.checked, total)
            if engine.stop.is_set():
                raise Interrupted(130)
    findings.duplicates = duplicates(engine.run.state)
    findings.unlinked = {
        "crm": engine.scratch.count_customers(linked=False),
        "finance": engine.scratch.count_contacts() - engine.scratch.count_linked_contacts(),
    }
    return findings


def _compare(engine: Engine, mapping: CustomerMapping, findings: Findings) -> None:
    customer = engine.scratch.customer(mapping.crm_id)
    contact = engine.scratch.contact(mapping.finance_code)
    present = customer or contact
    who = {
        "crm_id": mapping.crm_id,
        "customer_number": mapping.customer_number,
        "finance_code": str(mapping.finance_code),
        "name": present.names[0] if present and present.names else None,
    }
    findings.checked += 1
    if contact is None:
        findings.missing_in_finance.append(who)
    if customer is None:
        findings.missing_in_crm.append(who)
    if contact is None or customer is None:
        return
    # As if Finance had been told these very values before: an odd spelling is no drift.
    action = reconcile_linked(customer, contact, replace(mapping, sent_checksum=customer.fields_checksum), engine.rules)
    if action is None:
        findings.in_step += 1
    else:
        findings.drift.append({**who, "fields": {key: list(pair) for key, pair in action.fields.items()}})
