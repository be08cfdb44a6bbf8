"""Reads just the record that a run was asked for, changed or not: `sync --customer`, `--document`, `--id`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from siaghsync.connectors.payamgostar.client import Payamgostar, Source, kind_of
from siaghsync.connectors.payamgostar.customers import crm_id_of, number_of
from siaghsync.domain.normalize import ascii_digits, is_guid
from siaghsync.errors import UsageError
from siaghsync.sync.finding import EVER, first_taken, ways
from siaghsync.sync.records_by_id import look

_PAGE_SIZE = 200


@dataclass(frozen=True, slots=True)
class OneRecord:
    """The record that is wanted: by the customer's number, by the document's number, or by the CRM id of either."""

    by: Literal["customer", "document", "id"]
    value: str


def find_in_crm(
    crm: Payamgostar, wanted: OneRecord, sources: tuple[Source, ...]
) -> list[tuple[Source, Mapping[str, Any]]]:
    """All records of these sources that carry the number, or the one with the id.

    Raises UsageError if the CRM has none, CallError if it can't be asked.
    """
    value = wanted.value.strip()
    if wanted.by == "id":
        found = next(_by_id(crm, value.lower(), sources), None) if is_guid(value) else None
        records = [found] if found else []
    else:
        # As it was typed, then with the digits that most records have.
        spellings = dict.fromkeys((value, ascii_digits(value)))
        found_by_id = {
            crm_id_of(record): (source, record)
            for spelling in spellings
            for source in sources
            for record in records_with_number(crm, source, spelling)
        }
        records = list(found_by_id.values())
    if not records:
        raise UsageError(f"usage.not_in_crm_by_{wanted.by}", value=wanted.value)
    return records


def _by_id(crm: Payamgostar, crm_id: str, sources: tuple[Source, ...]) -> Iterator[tuple[Source, Mapping[str, Any]]]:
    for source in sources:
        record = look(crm, kind_of(source), crm_id)
        if record is not None:
            yield source, record


def records_with_number(crm: Payamgostar, source: Source, number: str) -> Iterator[Mapping[str, Any]]:
    """The records with this number. A server that takes no notice of the condition, or refuses it, is read to its end.
    Raises CallError, also where it refuses each condition and shows nothing without one: who is there is not known then."""
    page, met = 1, set[str]()
    tried = ways({"number": number}, {"since": EVER}, {"since": None})
    found, way, refusal = first_taken(crm, source, tried, page=1, size=_PAGE_SIZE)
    if refusal and not found.records and way.get("since", number) is None:
        raise refusal
    while True:
        yield from (record for record in found.records if _is_number(number_of(record), number))
        new = {crm_id_of(record) or "" for record in found.records} - met
        met |= new
        if not new or (found.total is not None and len(met) >= found.total):
            return
        page += 1
        found = crm.find(source, page=page, size=_PAGE_SIZE, **way)


def _is_number(text: str, wanted: str) -> bool:
    return ascii_digits(text).strip() == ascii_digits(wanted).strip()
