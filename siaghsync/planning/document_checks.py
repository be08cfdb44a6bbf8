"""What is wrong with a document by its own lights: each fault with a stable reason and a sentence for an accountant.

A pre-invoice can be neither changed nor cancelled by the program, so whatever is not certain is for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from siaghsync.domain.document import (
    Document,
    DocumentRow,
    discount_beside_rows,
    exact_sum,
    gross,
    grouped,
    jalali_year,
    net,
    row_gross,
    same_amount,
    toll,
    vat,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a document can't be posted: a stable word and its sentence."""

    reason: str
    message: str


def faults_of(document: Document, fiscal_year: int | None) -> list[Fault]:
    """All faults, always in the same order; the first one names the review.

    `fiscal_year` is the Jalali year that the Siagh session posts in. Amounts that the CRM does not give are not
    checked; less than one rial of rounding is no fault. A price of zero and a discount of the whole row are none.
    """
    found = [*_customer_faults(document)]
    found += (
        [*_row_faults(document), *_sum_faults(document)] if document.rows else [Fault("no_rows", "It has no rows.")]
    )
    return [*found, *_year_faults(document, fiscal_year)]


def _customer_faults(document: Document) -> Iterator[Fault]:
    if not document.customer_crm_id:
        yield Fault("no_customer", "It names no customer.")


_ROW_RULES: tuple[tuple[str, Callable[[DocumentRow], bool], str], ...] = (
    ("row_without_product", lambda row: not row.product_code.strip(), "has no product code"),
    ("row_count_not_positive", lambda row: row.quantity <= 0, "has a count of zero or below"),
    ("row_price_negative", lambda row: row.unit_price < 0, "has a price below zero"),
    (
        "row_discount_wrong",
        lambda row: row.quantity > 0 and row.unit_price >= 0 and not 0 <= row.discount <= row_gross(row),
        "has a discount below zero or above its price",
    ),
)


def _row_faults(document: Document) -> Iterator[Fault]:
    for reason, is_wrong, words in _ROW_RULES:
        for place, row in enumerate(document.rows, start=1):
            if is_wrong(row):
                name = f" ({row.product_name or row.product_code})" if row.product_name or row.product_code else ""
                yield Fault(reason, f"Row {place}{name} {words}.")


def _sum_faults(document: Document) -> Iterator[Fault]:
    if beside := discount_beside_rows(document):
        rows = exact_sum(row.discount for row in document.rows)
        yield Fault(
            "discount_differs",
            f"Its own discount is {grouped(beside)}, but its rows' discounts come to {grouped(rows)}: "
            "whether one contains the other can't be known.",
        )
        return  # which total is right depends on that
    if document.additional_costs:
        yield Fault(
            "additional_costs",
            f"It has additional costs of {grouped(document.additional_costs)}, for which a pre-invoice has no place.",
        )
    yield from _total_faults(document)


def _total_faults(document: Document) -> Iterator[Fault]:
    """`totalUnitPrice` and `totalValue` are before tax, with or without the discount; `finalValue` is the net with tax,
    toll and additional costs, by the header's tax or by the rows'."""
    for place, row in enumerate(document.rows, start=1):
        whole = row_gross(row)
        yield from _compare(f"row {place}", row.total, whole, exact_sum([whole, row.discount.copy_negate()]))
    yield from _compare("its total", document.total_value, gross(document), net(document))
    base = exact_sum([net(document), document.additional_costs or Decimal(0)])
    rows_tax = (amount for row in document.rows for amount in (row.vat, row.toll))
    yield from _compare(
        "its final amount",
        document.final_value,
        exact_sum([base, vat(document), toll(document)]),
        exact_sum([base, *rows_tax]),
    )


def _compare(what: str, said: Decimal | None, *expected: Decimal) -> Iterable[Fault]:
    if said is None or any(same_amount(said, amount) for amount in expected):
        return
    ways = " or ".join(dict.fromkeys(map(grouped, expected)))
    yield Fault("total_differs", f"The CRM gives {grouped(said)} for {what}, but the rows come to {ways}.")


def _year_faults(document: Document, fiscal_year: int | None) -> Iterator[Fault]:
    year = jalali_year(document.date)
    if fiscal_year is None:
        yield Fault("fiscal_year", f"It belongs to fiscal year {year}, but Siagh does not say which year it posts in.")
    elif year != fiscal_year:
        yield Fault(
            "fiscal_year",
            f"It is dated {document.date.isoformat()}, in fiscal year {year}, but Siagh posts in {fiscal_year}.",
        )
