"""Quotes and invoices of the CRM in one form: their amounts, and when two of them have the same content.

All amounts are rials and exact: Decimal from one system to the other, never rounded. Nothing here knows JSON of a vendor,
HTTP or SQL.

What counts as the same document is its *content*: customer, number, date, discount, additional costs, tax, toll, totals, and of
each row product code, count, returned count, unit price, discount, tax and toll. Type, state, subject, notes, the names of
products and units, and the order of the rows are not part of it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import Any, Literal

from siaghsync.domain.normalize import digest
from siaghsync.messages.message import Message, Param, msg

DocumentSource = Literal["quote", "invoice"]

APPROVED = 2
"""The state of a document that is approved and numbered (contract payamgostar §4)."""
_DIGITS = 400
"""More than any product or sum of readable amounts can have, so nothing is ever rounded."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One row. `unit_price` is before tax; `discount`, `vat` and `toll` are amounts for the whole row, and so is
    `total`, the CRM's own sum of the row, which is only checked (None: it gives none). `returned` is how many were given back."""

    product_code: str
    product_name: str
    unit: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal = _ZERO
    vat: Decimal = _ZERO
    toll: Decimal = _ZERO
    description: str = ""
    total: Decimal | None = None
    returned: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Document:
    """A quote or sales invoice of the CRM (contract payamgostar §4).

    `date` is the document's own date in Tehran, or the day of its creation; `created` is the moment of its creation
    (Tehran time without an offset). `sale_model` is the number in `type_code`, None without one.
    `customer_crm_id` and `number` are "" if it has none. The amounts of the header are None where the CRM gives none.
    `modified` is the CRM's own text.
    """

    crm_id: str
    source: DocumentSource
    number: str
    customer_crm_id: str
    subject: str
    description: str
    type_code: str
    sale_model: int | None
    date: dt.date
    created: dt.datetime | None
    modified: str | None
    related_quote_id: str | None
    rows: tuple[DocumentRow, ...]
    discount: Decimal | None = None
    vat: Decimal | None = None
    toll: Decimal | None = None
    additional_costs: Decimal | None = None
    total_value: Decimal | None = None
    final_value: Decimal | None = None
    state_index: int | None = None
    notes: tuple[Message, ...] = ()
    quote_is_unknown: bool = False
    """It is an invoice, and this CRM does not say of invoices from which quote they were made."""

    @property
    def checksum(self) -> str:
        """Fingerprint of the content: where it is the same, `planning.document_checks` finds nothing."""
        found = content(snapshot(self))
        return digest({**found, "rows": sorted(found["rows"], key=digest)})

    @property
    def name(self) -> str:
        """What people call it: its number, or its CRM id while it has none."""
        return self.number or self.crm_id

    def params(self) -> dict[str, Param]:
        """The parameters that name this document in a message: `document_kind` and `document`."""
        return {"document_kind": self.source, "document": self.name}

    def about(self, *what: Message) -> Message:
        """The messages with the name of the document in front: `Quote 15: It has no rows.`"""
        return msg("document.about", **self.params(), what=what)


def family_of(document: Document) -> str:
    """The CRM id of the quote that a document is or was made from, else its own. One document of a family is posted."""
    return document.related_quote_id or document.crm_id


@dataclass(frozen=True, slots=True)
class Posted:
    """A document that stands in Siagh: `number` is what people see there, `key` Siagh's own, `net` what Siagh reported.

    `crm_id` and `source` name the CRM document, `checksum` and `snapshot` are those of its content when it was posted.
    """

    crm_id: str
    source: DocumentSource
    number: str | None
    key: str
    checksum: str
    snapshot: Mapping[str, Any]
    net: Decimal | None = None


# --- amounts and dates -------------------------------------------------------------------------------------


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum, whatever its size, without rounding."""
    with localcontext(prec=_DIGITS):
        return sum(amounts, _ZERO)


def row_gross(row: DocumentRow) -> Decimal:
    """Quantity x unit price."""
    with localcontext(prec=_DIGITS):
        return row.quantity * row.unit_price


def gross(document: Document) -> Decimal:
    """The sum of quantity x unit price."""
    return exact_sum(map(row_gross, document.rows))


def net(document: Document) -> Decimal:
    """What Siagh is expected to report: the sum of quantity x unit price - discount over all rows."""
    return exact_sum([gross(document), *(row.discount.copy_negate() for row in document.rows)])


def vat(document: Document) -> Decimal:
    """The header's tax, or the sum of the rows' where the header gives none."""
    return exact_sum(row.vat for row in document.rows) if document.vat is None else document.vat


def toll(document: Document) -> Decimal:
    """The header's toll, or the sum of the rows' where the header gives none."""
    return exact_sum(row.toll for row in document.rows) if document.toll is None else document.toll


def net_with_tax(document: Document) -> Decimal:
    """`net` plus tax and toll: the other amount that Siagh may report (contract siagh §4)."""
    return exact_sum([net(document), vat(document), toll(document)])


def discount_beside_rows(document: Document) -> Decimal:
    """The header's discount, or 0 if the rows say the same: if it is absent, zero, or (rounding aside) the sum of theirs."""
    given, rows = document.discount or _ZERO, exact_sum(row.discount for row in document.rows)
    return _ZERO if same_amount(given, rows, len(document.rows)) else given


def same_amount(left: Decimal, right: Decimal, rows: int = 1) -> bool:
    """Whether two sums over so many rows are the same but for rounding: each row and the header may be rounded to whole rials,
    so they differ by less than half a rial for each."""
    return exact_sum([left, right.copy_negate()]).copy_abs() * 2 < rows + 1


def totals(document: Document) -> Iterator[tuple[str, Decimal, tuple[Decimal, Decimal]]]:
    """(key, what the CRM gives, the two amounts that the rows come to) of each total of the header that it gives.

    `total_value` is before tax, with or without the discount. `final_value` is the net with tax, toll and additional costs, by
    the header's tax or by the rows'.
    """
    base = exact_sum([net(document), document.additional_costs or _ZERO])
    with_tax = exact_sum([base, vat(document), toll(document)])
    with_rows_tax = exact_sum([base, *(amount for row in document.rows for amount in (row.vat, row.toll))])
    if document.total_value is not None:
        yield "total_value", document.total_value, (gross(document), net(document))
    if document.final_value is not None:
        yield "final_value", document.final_value, (with_tax, with_rows_tax)


def follows(given: Decimal, expected: Iterable[Decimal], rows: int = 1) -> bool:
    """Whether an amount is one of those that so many rows come to, rounding aside."""
    return any(same_amount(given, amount, rows) for amount in expected)


def plain(value: Decimal) -> str:
    """An amount as it is sent and stored: `100000`, `1.5`, `-3`; no exponent, no trailing noise, no `-0`.

    Raises ValueError for anything but a finite number.
    """
    if not value.is_finite():
        raise ValueError(f"{value} is not an amount")
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def jalali_year(day: dt.date) -> int:
    """The Jalali year of a day, exact around Nowruz. Raises ValueError for days that this calendar can't name."""
    from persiantools.jdatetime import JalaliDate  # an idle run meets no document

    return int(JalaliDate(day).year)  # type: ignore[no-untyped-call]


# --- snapshots ---------------------------------------------------------------------------------------------


def snapshot(document: Document) -> dict[str, Any]:
    """The document as plain JSON, amounts as text, as it is stored when it is posted."""
    return {
        "crm_id": document.crm_id,
        "source": document.source,
        "number": document.number,
        "state": document.state_index,
        "subject": document.subject,
        "type_code": document.type_code,
        "customer": document.customer_crm_id,
        "date": document.date.isoformat(),
        "sale_model": None if document.sale_model is None else str(document.sale_model),
        **({"quote_is_unknown": True} if document.quote_is_unknown else {}),
        "rows": [_row_snapshot(row) for row in document.rows],
        "discount": plain(discount_beside_rows(document)),
        "additional_costs": plain(document.additional_costs or _ZERO),
        "vat": plain(vat(document)),
        "toll": plain(toll(document)),
        "net": plain(net(document)),
        "net_with_tax": plain(net_with_tax(document)),
        "total_value": None if document.total_value is None else plain(document.total_value),
        "final_value": None if document.final_value is None else plain(document.final_value),
    }


def _row_snapshot(row: DocumentRow) -> dict[str, str]:
    return {
        "product_code": row.product_code,
        "product_name": row.product_name,
        "unit": row.unit,
        "quantity": plain(row.quantity),
        "returned": plain(row.returned),
        "unit_price": plain(row.unit_price),
        "discount": plain(row.discount),
        "vat": plain(row.vat),
        "toll": plain(row.toll),
    }


HEADER_CONTENT = (
    "customer",
    "number",
    "date",
    "discount",
    "additional_costs",
    "vat",
    "toll",
    "total_value",
    "final_value",
)
"""The keys of a snapshot's header that are content."""
ROW_CONTENT = ("product_code", "quantity", "returned", "unit_price", "discount", "vat", "toll")
"""The keys of a row that are content."""
AMOUNTS = frozenset({*HEADER_CONTENT[3:], "net", "net_with_tax", "unit_price"})
"""The keys of a snapshot and its rows that hold rials."""
FIGURES = AMOUNTS | {"quantity", "returned", "rows"}
"""Those that hold anything that is counted."""


def content(stored: Mapping[str, Any]) -> dict[str, Any]:
    """The part of a snapshot that is content; `rows` in their order."""
    rows = [{key: row.get(key) for key in ROW_CONTENT} for row in stored.get("rows") or ()]
    return {**{key: stored.get(key) for key in HEADER_CONTENT}, "rows": rows}
