"""Whether linked customers are in step: compared as a sync would compare them, but nothing is planned. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from siaghsync.domain.action import Changes
from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.domain.fields import finance_key
from siaghsync.messages import catalog
from siaghsync.planning.cases import PlanRules
from siaghsync.planning.customers import NOTHING_KNOWN, Longest, is_somebody_else, plan_linked, settled_checksum
from siaghsync.state.duplicates import Duplicate


@dataclass(frozen=True, slots=True)
class Pair:
    """A linked pair as it is shown. `name` is "" if neither side is there to tell it."""

    crm_id: str
    customer_number: str
    finance_code: int
    name: str

    def as_json(self) -> dict[str, Any]:
        """The pair as in the JSON of `verify`."""
        return {
            "crm_id": self.crm_id,
            "customer_number": self.customer_number,
            "finance_code": str(self.finance_code),
            "name": self.name or None,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """A pair whose two sides differ: field -> (Finance, CRM)."""

    pair: Pair
    changes: Changes

    def as_json(self) -> dict[str, Any]:
        """The pair as in the JSON of `verify`, its fields by the keys of Siagh's form."""
        return {
            **self.pair.as_json(),
            "fields": {finance_key(name): list(values) for name, values in self.changes.items()},
        }


@dataclass(slots=True)
class Comparison:
    """What was compared, and what is not in step. `unlinked` counts customers that only one system has, by system. `told` are
    CRM ids of links that an earlier `verify` told of because their CRM record is gone: each counts against it once."""

    checked: int = 0
    in_step: int = 0
    drift: list[Drift] = field(default_factory=list)
    missing_in_finance: list[Pair] = field(default_factory=list)
    missing_in_crm: list[Pair] = field(default_factory=list)
    duplicates: Sequence[Duplicate] = ()
    unlinked: dict[str, int] = field(default_factory=dict)
    told: frozenset[str] = frozenset()

    def add(
        self,
        mapping: CustomerMapping,
        customer: Customer | None,
        contact: Contact | None,
        rules: PlanRules,
        longest: Longest = NOTHING_KNOWN,
    ) -> None:
        """Compares one linked pair; None is a side that its system does not show any more. `longest` as for `plan_linked`."""
        present = customer or contact
        pair = Pair(mapping.crm_id, mapping.customer_number, mapping.finance_code, present.name if present else "")
        self.checked += 1
        if contact and is_somebody_else(mapping, contact, customer):
            contact = None
        if contact is None:
            self.missing_in_finance.append(pair)
        if customer is None:
            self.missing_in_crm.append(pair)
        if contact is None or customer is None:
            return
        if changes := _changes(mapping, customer, contact, rules, longest):
            self.drift.append(Drift(pair, changes))
        else:
            self.in_step += 1

    @property
    def all_in_step(self) -> bool:
        """Whether nothing needs to be corrected; customers that only one system has don't count against it."""
        gone = any(pair.crm_id not in self.told for pair in self.missing_in_crm)
        return not (self.drift or self.missing_in_finance or gone or self.duplicates)

    def as_json(self) -> dict[str, Any]:
        """The document of `verify --json`."""
        return {
            "checked": self.checked,
            "in_step": self.in_step,
            "drift": [each.as_json() for each in self.drift],
            "missing_in_finance": [pair.as_json() for pair in self.missing_in_finance],
            "missing_in_crm": [pair.as_json() for pair in self.missing_in_crm],
            "duplicates": [_duplicate_as_json(each) for each in self.duplicates],
            "unlinked": self.unlinked,
        }


def _duplicate_as_json(duplicate: Duplicate) -> dict[str, Any]:
    return {
        "system": duplicate.system,
        "same": catalog.title(f"verify.same_{duplicate.same}"),
        "value": duplicate.value,
        "records": list(duplicate.records),
    }


def _changes(
    mapping: CustomerMapping, customer: Customer, contact: Contact, rules: PlanRules, longest: Longest
) -> Changes:
    # As if Finance had been sent these very values before: an odd spelling, or its own version of a value, is no drift.
    sent = replace(mapping, sent_checksum=settled_checksum(customer, contact, mapping))
    action = plan_linked(customer, contact, sent, rules, longest)
    return action.changes if action else {}
