"""What is wrong with a document in itself: each fault with a stable reason and a sentence for an accountant.

The program can neither change nor cancel a pre-invoice, so whatever is not certain is for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from siaghsync.domain.document import (
    Document,
    DocumentRow,
    discount_beside_rows,
    exact_sum,
    follows,
    jalali_year,
    plain,
    row_gross,
    totals,
)
from siaghsync.domain.reasons import Reason
from siaghsync.messages.message import Message, msg


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a document can't be posted."""

    reason: Reason
    message: Message


def faults_of(document: Document, fiscal_year: int | None) -> list[Fault]:
    """All faults, always in the same order; the first one names the review.

    `fiscal_year` is the Jalali year that the Siagh session posts in, None if unknown. Amounts that the CRM does not give
    are not checked, and rounding to whole rials (`same_amount`) is no fault. A price of zero and a discount of the whole row are
    none either.
    """
    rows = [*_row_faults(document), *_sum_faults(document)]
    if not document.rows:
        rows = [Fault(Reason.NO_ROWS, msg("reason.no_rows"))]
    return [*_customer_faults(document), *rows, *_year_faults(document, fiscal_year)]


def _customer_faults(document: Document) -> Iterator[Fault]:
    if not document.customer_crm_id:
        yield Fault(Reason.NO_CUSTOMER, msg("reason.no_customer"))


_ROW_RULES: tuple[tuple[Reason, Callable[[DocumentRow], bool]], ...] = (
    (Reason.ROW_WITHOUT_PRODUCT, lambda row: not row.product_code.strip()),
    (Reason.ROW_COUNT_NOT_POSITIVE, lambda row: row.quantity <= 0),
    (Reason.ROW_RETURNED, lambda row: row.returned != 0),
    (Reason.ROW_PRICE_NEGATIVE, lambda row: row.unit_price < 0),
    (
        Reason.ROW_DISCOUNT_WRONG,
        lambda row: row.quantity > 0 and row.unit_price >= 0 and not 0 <= row.discount <= row_gross(row),
    ),
)


def _row_faults(document: Document) -> Iterator[Fault]:
    for reason, is_wrong in _ROW_RULES:
        for place, row in enumerate(document.rows, start=1):
            if is_wrong(row):
                yield Fault(reason, msg(f"reason.{reason}", row=_row_name(place, row)))


def _row_name(place: int, row: DocumentRow) -> Message:
    product = row.product_name or row.product_code
    return msg("document.row_of", row=place, product=product) if product else msg("document.row", row=place)


def _sum_faults(document: Document) -> Iterator[Fault]:
    if beside := discount_beside_rows(document):
        rows = exact_sum(row.discount for row in document.rows)
        message = msg("reason.discount_differs", discount=plain(beside), rows=plain(rows))
        yield Fault(Reason.DISCOUNT_DIFFERS, message)
        return  # which total is right depends on the discount
    if document.additional_costs:
        message = msg("reason.additional_costs", amount=plain(document.additional_costs))
        yield Fault(Reason.ADDITIONAL_COSTS, message)
    yield from _total_faults(document)


def _total_faults(document: Document) -> Iterator[Fault]:
    """A row's total is before tax, with or without its discount."""
    for place, row in enumerate(document.rows, start=1):
        if row.total is not None:
            whole = row_gross(row)
            expected = (whole, exact_sum([whole, row.discount.copy_negate()]))
            yield from _compare(msg("document.row", row=place), row.total, expected)
    for key, given, expected in totals(document):
        yield from _compare(msg(_TOTALS[key]), given, expected, len(document.rows))


_TOTALS = {"total_value": "document.its_total", "final_value": "document.its_final_amount"}


def _compare(what: Message, given: Decimal, expected: tuple[Decimal, Decimal], rows: int = 1) -> Iterator[Fault]:
    if not follows(given, expected, rows):
        message = msg("reason.total_differs", given=plain(given), what=what, expected=amounts(*expected))
        yield Fault(Reason.TOTAL_DIFFERS, message)


def amounts(one: Decimal, other: Decimal) -> Message:
    """One amount, or both if they are not the same."""
    if one == other:
        return msg("document.amount", amount=plain(one))
    return msg("document.one_of_two_amounts", one=plain(one), other=plain(other))


def _year_faults(document: Document, fiscal_year: int | None) -> Iterator[Fault]:
    year = jalali_year(document.date)
    if fiscal_year is None:
        yield Fault(Reason.FISCAL_YEAR, msg("reason.fiscal_year_unknown", year=year))
    elif year != fiscal_year:
        message = msg("reason.fiscal_year", date=document.date.isoformat(), year=year, fiscal_year=fiscal_year)
        yield Fault(Reason.FISCAL_YEAR, message)
