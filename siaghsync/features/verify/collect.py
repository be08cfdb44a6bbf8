"""Reads both systems whole and compares every linked customer. Writes to neither system, nor to the mappings."""

from __future__ import annotations

import json

from siaghsync.features.verify.rules import Comparison
from siaghsync.state.duplicates import duplicates
from siaghsync.sync.context import RunContext
from siaghsync.sync.lists import read_both

_BATCH = 500
_TOLD = "links_without_crm_record_told"


def verify(context: RunContext) -> Comparison:
    """What is not in step. Raises CallError if a system can't be read, Interrupted if a signal asked for the end."""
    read_both(context)
    found = Comparison(told=frozenset(json.loads(context.state.meta(_TOLD) or "[]")))
    staging, total = context.staging, context.mappings.count()
    for mapping in context.mappings.all():
        customer, contact = staging.customer(mapping.crm_id), staging.contact(mapping.finance_code)
        found.add(mapping, customer, contact, context.rules, staging.longest)
        if found.checked % _BATCH == 0:
            context.progress("comparing_customers", found.checked, total)
            context.stop_if_cancelled()
    found.duplicates = duplicates(context.state)
    found.unlinked = {
        "crm": staging.count_customers(linked=False),
        "finance": staging.count_contacts() - staging.count_linked_contacts(),
    }
    context.state.set_meta(_TOLD, json.dumps([pair.crm_id for pair in found.missing_in_crm]))
    return found
