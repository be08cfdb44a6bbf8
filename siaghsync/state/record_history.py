"""Gathers what the state file knows of one customer or document, found by any of its numbers. Asks neither system."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from siaghsync.domain.customer import ascii_digits
from siaghsync.features.explain.rules import Dossier
from siaghsync.state.database import State
from siaghsync.state.meta import COMPLETED
from siaghsync.state.reviews import ways_out

Data = dict[str, Any]
"""A row of a table."""

_MOST_EVENTS = 12
_NAME_FIELDS = ("fullname", "nickName")

_MAPPED = "SELECT * FROM customer_mappings WHERE crm_id = ?2 OR customer_number = ?1 OR CAST(finance_code AS TEXT) = ?1"
_CUSTOMERS = """
    SELECT target, record, crm_id, finance_code FROM reviews WHERE entity = 'customer'
        AND (record = ?2 OR customer_number = ?1 OR crm_id = ?2 OR CAST(finance_code AS TEXT) = ?1)
    UNION SELECT target, record, NULL, NULL FROM waiting WHERE entity = 'customer' AND (record = ?2 OR customer_number = ?1)
    UNION SELECT target, record, NULL, NULL FROM skips WHERE entity = 'customer' AND (record = ?2 OR customer_number = ?1)
    UNION SELECT target, record, NULL, finance_code FROM intents WHERE entity = 'customer'
        AND (record = ?2 OR customer_number = ?1 OR CAST(finance_code AS TEXT) = ?1)
    UNION SELECT NULL, NULL, crm_id, finance_code FROM audit WHERE entity = 'customer'
        AND (crm_id = ?2 OR customer_number = ?1 OR CAST(finance_code AS TEXT) = ?1)
"""
_DOCUMENTS = """
    SELECT crm_id AS record FROM invoice_mappings WHERE crm_id = ?2 OR crm_number = ?1 OR finance_number = ?1
    UNION SELECT record FROM reviews WHERE entity = 'invoice'
        AND (record = ?2 OR json_extract(details, '$.snapshot.number') = ?1)
    UNION SELECT record FROM waiting WHERE entity = 'invoice' AND record = ?2
    UNION SELECT record FROM skips WHERE entity = 'invoice' AND record = ?2
    UNION SELECT record FROM intents WHERE entity = 'invoice'
        AND (record = ?2 OR json_extract(plan, '$.details.snapshot.number') = ?1)
    UNION SELECT crm_id FROM audit WHERE entity = 'invoice' AND (crm_id = ?2 OR json_extract(fields, '$.number[1]') = ?1
        OR message LIKE 'Quote ' || ?3 || ':%' ESCAPE '~' OR message LIKE 'Quote ' || ?3 || ' waits %' ESCAPE '~'
        OR message LIKE 'Invoice ' || ?3 || ':%' ESCAPE '~' OR message LIKE 'Invoice ' || ?3 || ' waits %' ESCAPE '~')
"""


@dataclass(slots=True)
class _Subject:
    """One customer: its id on either side, as far as it is known."""

    crm_id: str | None
    code: int | None

    def takes_in(self, other: _Subject) -> bool:
        """Whether `other` is the same one; then what it knows more is taken over."""
        same = other.crm_id == self.crm_id if other.crm_id and self.crm_id else other.code == self.code is not None
        if same:
            self.crm_id, self.code = self.crm_id or other.crm_id, self.code if other.code is None else other.code
        return same


def dossiers(state: State, asked: str) -> list[Dossier]:
    """Everything that carries this number: customers by customer number, finance code or CRM id, documents by their
    number, the pre-invoice's, or CRM id. Empty if nothing is known of it."""
    text = ascii_digits(asked).strip()
    like = text.replace("~", "~~").replace("%", "~%").replace("_", "~_")
    values = (text, text.lower(), like)
    imported = state.fact(COMPLETED) is not None
    customers = [_customer(state, subject, text, imported) for subject in _subjects(state, values[:2])]
    documents = [_document(state, row["record"], imported) for row in _rows(state, _DOCUMENTS, values) if row["record"]]
    return customers + documents


def _subjects(state: State, values: tuple[str, ...]) -> list[_Subject]:
    found: list[_Subject] = [_Subject(row["crm_id"], row["finance_code"]) for row in _rows(state, _MAPPED, values)]
    for row in _rows(state, _CUSTOMERS, values):
        crm_id = row["record"] if row["target"] == "finance" else row["crm_id"]
        code = int(row["record"]) if row["target"] == "crm" else row["finance_code"]
        subject = _pair_of(state, crm_id, code)
        if not any(known.takes_in(subject) for known in found):
            found.append(subject)
    return found


def _pair_of(state: State, crm_id: str | None, code: int | None) -> _Subject:
    """What is linked counts as one, whatever a line of the trail knew of it then."""
    sql = "SELECT crm_id, finance_code FROM customer_mappings WHERE crm_id = ? OR (? IS NULL AND finance_code = ?)"
    row = _row(state, sql, (crm_id, crm_id, code))
    return _Subject(row["crm_id"], row["finance_code"]) if row else _Subject(crm_id, code)


def _customer(state: State, subject: _Subject, asked: str, imported: bool) -> Dossier:
    mapping = _row(state, "SELECT * FROM customer_mappings WHERE crm_id = ?", (subject.crm_id,))
    mine = "entity = 'customer' AND ((target = 'finance' AND record = ?) OR (target = 'crm' AND record = ?))"
    key = (subject.crm_id, None if subject.code is None else str(subject.code))
    trail = _rows(
        state,
        "SELECT * FROM audit WHERE entity = 'customer' AND (crm_id = ? OR finance_code = ?) ORDER BY id",
        (subject.crm_id, subject.code),
    )
    open_rows = _open_rows(state, mine, key)
    known = (
        [mapping["customer_number"]] if mapping else [row["customer_number"] for row in (*open_rows.reviews, *trail)]
    )
    waiting = "SELECT count(*) FROM waiting WHERE entity = 'invoice' AND depends_on = ?"
    return Dossier(
        entity="customer",
        crm_id=subject.crm_id,
        finance_code=subject.code,
        number=next((number for number in reversed(known) if number), "" if asked in key else asked),
        kind="customer",
        name=_name(trail, open_rows.reviews),
        mapping=mapping,
        reviews=open_rows.reviews,
        waiting=open_rows.waiting,
        skips=open_rows.skips,
        intents=open_rows.intents,
        history=[_parsed(row) for row in trail[-_MOST_EVENTS:]],
        older=max(0, len(trail) - _MOST_EVENTS),
        documents=_rows(
            state, "SELECT * FROM invoice_mappings WHERE customer_crm_id = ? ORDER BY posted_at", (subject.crm_id,)
        ),
        documents_waiting=int(state.value(waiting, (subject.crm_id,))),
        imported=imported,
        ways_out=open_rows.ways_out,
    )


def _document(state: State, crm_id: str, imported: bool) -> Dossier:
    mapping = _row(state, "SELECT * FROM invoice_mappings WHERE crm_id = ?", (crm_id,))
    open_rows = _open_rows(state, "entity = 'invoice' AND record = ?", (crm_id,))
    trail = _rows(state, "SELECT * FROM audit WHERE entity = 'invoice' AND crm_id = ? ORDER BY id", (crm_id,))
    customers = (
        [mapping["customer_number"]] if mapping else [row["customer_number"] for row in (*open_rows.reviews, *trail)]
    )
    kind, number = _called(crm_id, mapping, open_rows, trail)
    return Dossier(
        entity="invoice",
        crm_id=crm_id,
        finance_code=None,
        number=number,
        kind=kind,
        mapping=mapping,
        reviews=open_rows.reviews,
        waiting=open_rows.waiting,
        skips=open_rows.skips,
        intents=open_rows.intents,
        history=[_parsed(row) for row in trail[-_MOST_EVENTS:]],
        older=max(0, len(trail) - _MOST_EVENTS),
        customer=next((number for number in reversed(customers) if number), ""),
        imported=imported,
        ways_out=open_rows.ways_out,
    )


@dataclass(frozen=True, slots=True)
class _Open:
    reviews: list[Data]
    waiting: list[Data]
    skips: list[Data]
    intents: list[Data]

    @property
    def ways_out(self) -> tuple[str, ...]:
        """The decisions that the open question leaves, if there is one."""
        return next((ways_out(r["entity"], r["reason"]) for r in self.reviews if r["resolution"] is None), ())


def _open_rows(state: State, mine: str, key: Sequence[object]) -> _Open:
    return _Open(
        reviews=_rows(state, f"SELECT * FROM reviews WHERE {mine} ORDER BY id", key),
        waiting=_rows(state, f"SELECT * FROM waiting WHERE {mine} ORDER BY since", key),
        skips=_rows(state, f"SELECT * FROM skips WHERE {mine}", key),
        intents=_rows(state, f"SELECT * FROM intents WHERE {mine} AND state IN ('open', 'unknown') ORDER BY id", key),
    )


def _parsed(row: Data) -> dict[str, Any]:
    return {**row, "fields": json.loads(row["fields"])}


def _name(trail: Sequence[Data], reviews: Sequence[Data]) -> str:
    """What the customer was last called in what was sent or shown, or nothing."""
    sent = (json.loads(row["fields"]).get(key, [None, None])[1] for row in reversed(trail) for key in _NAME_FIELDS)
    return next((str(name) for name in chain(sent, _shown_names(reviews)) if name), "")


def _shown_names(reviews: Sequence[Data]) -> Iterator[str]:
    for review in reversed(reviews):
        details = json.loads(review["details"])
        who = details.get("customer") or details.get("contact") or {}
        yield from who.get("names", [])[:1]


def _called(crm_id: str, mapping: Data | None, known: _Open, trail: Sequence[Data]) -> tuple[str, str]:
    """Which of the CRM's documents it is, and its number as far as known. What was posted says it itself; a message about
    a document begins with its title, which is its CRM id as long as it has no number."""
    if mapping:
        return mapping["source"], mapping["crm_number"]
    kinds = [row["kind"] for row in (*known.reviews, *known.waiting)]
    numbers = [json.loads(review["details"]).get("snapshot", {}).get("number") for review in reversed(known.reviews)]
    for row in (*reversed(trail), *known.waiting):
        numbers.append(json.loads(row.get("fields", "{}")).get("number", [None, None])[1])
        if found := re.match(r"(Quote|Invoice) (\S+?):? ", row["message"] or ""):
            kinds.append(found[1].lower())
            numbers.append(found[2])
    number = next((number for number in numbers if number and number != crm_id), "")
    return next(iter(kinds), "document"), number


def _rows(state: State, sql: str, values: Sequence[object]) -> list[Data]:
    return [dict(row) for row in state.rows(sql, values)]


def _row(state: State, sql: str, values: Sequence[object]) -> Data | None:
    return next(iter(_rows(state, sql, values)), None)
