"""Gathers what the state file knows of one customer or document, found by any of its numbers. Asks neither system."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.domain.normalize import ascii_digits
from siaghsync.domain.reasons import AuditOutcome, Operation
from siaghsync.state.audit import AuditLine, line_of
from siaghsync.state.database import Row, State
from siaghsync.state.mappings import Link, Mappings, PostedDocuments, PostedEntry
from siaghsync.state.meta import COMPLETED
from siaghsync.state.outbox import UNSETTLED, Intent, intent_of
from siaghsync.state.retries import Retry, Skip, retry_of, skip_of
from siaghsync.state.reviews import Review, review_of

_MOST_EVENTS = 12
_MOST_LINES = 500
"""So many of the newest lines are asked how the record was called last."""
_LONGEST_CODE = 19
"""More digits than SQLite has integers for."""


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """All that the state file knows of one record.

    `number` is the customer's or document's own; `kind` is `person`, `organization`, `quote` or `invoice`, or "" while it is
    not known. `mapping` is the linked pair of a customer, `posted` what stands in Finance for a document. `reviews` and `events`
    have the newest last, `older` counts the events before them; `intents` are those that are not settled. `documents` are those
    of a customer that were posted, `customer` is the customer number of a document. `imported` says whether an initial import
    has completed.
    """

    entity: Literal["customer", "invoice"]
    crm_id: str | None
    finance_code: int | None
    number: str
    kind: str
    name: str = ""
    mapping: Link | None = None
    posted: PostedEntry | None = None
    reviews: Sequence[Review] = ()
    waiting: Sequence[Retry] = ()
    skips: Sequence[Skip] = ()
    intents: Sequence[Intent] = ()
    events: Sequence[AuditLine] = ()
    older: int = 0
    documents: Sequence[PostedEntry] = ()
    documents_waiting: int = 0
    customer: str = ""
    imported: bool = True

    @property
    def question(self) -> Review | None:
        """The review that is open, or None."""
        return next((review for review in self.reviews if review.resolution is None), None)

    @property
    def is_undone(self) -> bool:
        """Whether it is a CRM record that an undo deleted, about which nothing is open. Its contact's story tells of it, too."""
        rests = not (self.mapping or self.question or self.waiting or self.skips or self.intents)
        last = next((line for line in reversed(self.events) if line.crm_id == self.crm_id), None)
        return rests and last is not None and (last.operation, last.outcome) == (Operation.DELETE, AuditOutcome.DONE)


_MAPPED = "SELECT * FROM customer_mappings WHERE crm_id = :id OR customer_number = :n OR finance_code = :code"
# Of a settled write, the audit trail knows all that is asked here.
_CUSTOMERS = f"""
    SELECT target, record, crm_id, finance_code FROM reviews WHERE entity = 'customer'
        AND (record = :id OR customer_number = :n OR crm_id = :id OR finance_code = :code)
    UNION SELECT target, record, NULL, NULL FROM retries WHERE entity = 'customer' AND (record = :id OR customer_number = :n)
    UNION SELECT target, record, NULL, NULL FROM skips WHERE entity = 'customer' AND (record = :id OR customer_number = :n)
    UNION SELECT target, record, NULL, finance_code FROM intents WHERE entity = 'customer'
        AND (record = :id OR customer_number = :n OR finance_code = :code) AND {UNSETTLED}
    UNION SELECT NULL, NULL, crm_id, finance_code FROM audit WHERE entity = 'customer'
        AND (crm_id = :id OR customer_number = :n OR finance_code = :code)
"""
_DOCUMENTS = f"""
    SELECT crm_id AS record FROM posted_documents WHERE crm_id = :id OR crm_number = :n OR finance_number = :n
    UNION SELECT record FROM reviews WHERE entity = 'invoice' AND (record = :id OR name = :n)
    UNION SELECT record FROM retries WHERE entity = 'invoice' AND (record = :id OR name = :n)
    UNION SELECT record FROM skips WHERE entity = 'invoice' AND (record = :id OR name = :n)
    UNION SELECT record FROM intents WHERE entity = 'invoice' AND (record = :id OR json_extract(plan, '$.name') = :n)
        AND {UNSETTLED}
    UNION SELECT crm_id FROM audit WHERE entity = 'invoice' AND crm_id = :id
    UNION SELECT crm_id FROM audit WHERE entity = 'invoice' AND name = :n AND +crm_id IS NOT NULL
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


def record_histories(state: State, asked: str) -> list[RecordHistory]:
    """Everything that carries this number: customers by customer number, finance code or CRM id, documents by their
    number, the pre-invoice's, or CRM id. Empty if nothing is known of it."""
    text = ascii_digits(asked).strip()
    is_code = text.isdecimal() and str(int(text)) == text and len(text) < _LONGEST_CODE
    names = {"n": text, "id": text.lower(), "code": int(text) if is_code else None}
    imported = state.meta(COMPLETED) is not None
    customers = [_customer(state, subject, text, imported) for subject in _subjects(state, names)]
    linked = {each.finance_code for each in customers if each.mapping}
    customers = [each for each in customers if not (each.is_undone and each.finance_code in linked)]
    documents = [_document(state, row["record"], imported) for row in state.rows(_DOCUMENTS, names)]
    return customers + documents


def _subjects(state: State, names: dict[str, str | int | None]) -> list[_Subject]:
    found = [_Subject(row["crm_id"], row["finance_code"]) for row in state.rows(_MAPPED, names)]
    for row in state.rows(_CUSTOMERS, names):
        crm_id = row["record"] if row["target"] == "finance" else row["crm_id"]
        code = int(row["record"]) if row["target"] == "crm" else row["finance_code"]
        subject = _pair_of(state, crm_id, code)
        if not any(known.takes_in(subject) for known in found):
            found.append(subject)
    return found


def _pair_of(state: State, crm_id: str | None, code: int | None) -> _Subject:
    """What is linked counts as one, whatever a line of the trail knew of it then."""
    mappings = Mappings(state)
    found = mappings.of_crm(crm_id) if crm_id is not None else None if code is None else mappings.of_code(code)
    return _Subject(found.crm_id, found.finance_code) if found else _Subject(crm_id, code)


def _customer(state: State, subject: _Subject, asked: str, imported: bool) -> RecordHistory:
    mapping = Mappings(state).link_of(subject.crm_id) if subject.crm_id else None
    key = (subject.crm_id, None if subject.code is None else str(subject.code))
    mine = "entity = 'customer' AND ((target = 'finance' AND record = ?) OR (target = 'crm' AND record = ?))"
    of_it = "entity = 'customer' AND (crm_id = ? OR finance_code = ?)"
    trail, lines = _trail(state, of_it, (subject.crm_id, subject.code))
    known = _Known(state, mine, key)
    numbers = [mapping.customer_number] if mapping else known.customer_numbers(trail)
    return RecordHistory(
        entity="customer",
        crm_id=subject.crm_id,
        finance_code=subject.code,
        number=_last(numbers) or ("" if asked in key else asked),
        kind=mapping.kind if mapping else _last(known.kinds(trail)),
        name=_last(known.names(trail)),
        mapping=mapping,
        **known.as_fields(),
        events=trail[-_MOST_EVENTS:],
        older=max(0, lines - _MOST_EVENTS),
        documents=PostedDocuments(state).of_customer(subject.crm_id) if subject.crm_id else (),
        documents_waiting=_documents_waiting(state, subject.crm_id),
        imported=imported,
    )


def _documents_waiting(state: State, crm_id: str | None) -> int:
    return state.db.table("retries").count_where("entity = 'invoice' AND depends_on = ?", [crm_id])


def _document(state: State, crm_id: str, imported: bool) -> RecordHistory:
    posted = PostedDocuments(state).entry(crm_id)
    known = _Known(state, "entity = 'invoice' AND record = ?", (crm_id,))
    trail, lines = _trail(state, "entity = 'invoice' AND crm_id = ?", (crm_id,))
    customers = [posted.customer_number] if posted else known.customer_numbers(trail)
    number = posted.crm_number if posted else _last(name for name in known.names(trail) if name != crm_id)
    return RecordHistory(
        entity="invoice",
        crm_id=crm_id,
        finance_code=None,
        number=number,
        kind=posted.posted.source if posted else _last(known.kinds(trail)),
        posted=posted,
        **known.as_fields(),
        events=trail[-_MOST_EVENTS:],
        older=max(0, lines - _MOST_EVENTS),
        customer=_last(customers),
        imported=imported,
    )


class _Known:
    """What is open about a record, and every question that was ever asked about it."""

    def __init__(self, state: State, mine: str, key: Sequence[object]) -> None:
        def rows(table: str, more: str = "", order: str = "since") -> list[Row]:
            return state.rows(f"SELECT * FROM {table} WHERE {mine}{more} ORDER BY {order}", key)

        self.reviews = list(map(review_of, rows("reviews", order="id")))
        self.waiting = list(map(retry_of, rows("retries")))
        self.skips = list(map(skip_of, rows("skips")))
        self.intents = list(map(intent_of, rows("intents", f" AND {UNSETTLED}", "id")))

    def as_fields(self) -> dict[str, Any]:
        """The rows by the fields of `RecordHistory`."""
        return {"reviews": self.reviews, "waiting": self.waiting, "skips": self.skips, "intents": self.intents}

    def customer_numbers(self, trail: Sequence[AuditLine]) -> list[str | None]:
        """The customer numbers under which it was known, the newest line of the trail last."""
        return [*(review.customer_number for review in self.reviews), *(line.customer_number for line in trail)]

    def names(self, trail: Sequence[AuditLine]) -> list[str]:
        """What the record was called, the newest line of the trail last."""
        return [each.name for each in self._records()] + [line.name for line in trail]

    def kinds(self, trail: Sequence[AuditLine]) -> list[str | None]:
        """What the record is, as far as each row knows."""
        return [*(each.kind for each in self._records()), *(line.kind for line in trail)]

    def _records(self) -> list[Review | Retry | Skip | Action]:
        return [*self.reviews, *self.waiting, *self.skips, *(intent.action for intent in self.intents)]


def _trail(state: State, where: str, values: Sequence[object]) -> tuple[list[AuditLine], int]:
    """The newest lines of the trail about a record, the newest last, and how many there are."""
    rows = state.rows(f"SELECT * FROM audit WHERE {where} ORDER BY id DESC LIMIT {_MOST_LINES}", values)
    return list(map(line_of, reversed(rows))), int(state.value(f"SELECT count(*) FROM audit WHERE {where}", values))


def _last(values: Iterable[str | None]) -> str:
    """The last value that says something, or ""."""
    return next((value for value in reversed(list(values)) if value), "")
