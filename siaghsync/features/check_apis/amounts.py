"""What the amounts of one CRM document say about how the CRM reckons (contract payamgostar §4, §7). Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from siaghsync.domain.document import Document, discount_beside_rows, exact_sum, follows, row_gross, totals

_CENT = Decimal("0.01")
"""Exact amounts may be shown with two decimals, so less than this is no fraction of a rial."""


def header_discount(document: Document) -> Literal["repeats", "on_top"] | None:
    """Whether the discount of the header is that of the rows once more, or comes on top of it, by which sum fits the final
    value; None if the document has no such discount, or fits neither, or both."""
    final = next(((given, expected) for key, given, expected in totals(document) if key == "final_value"), None)
    if final is None or not document.discount:
        return None
    rows = len(document.rows)
    repeats = not discount_beside_rows(document) and follows(final[0], final[1], rows)
    on_top = follows(exact_sum([final[0], document.discount]), final[1], rows)
    return None if repeats == on_top else "repeats" if repeats else "on_top"


def rounding(document: Document) -> set[str]:
    """`whole` or `exact` for the total of each row that would have a fraction of a rial."""
    found = set()
    for row in document.rows:
        gross = row_gross(row)
        exact = (gross, exact_sum([gross, row.discount.copy_negate()]))
        if row.total is not None and all(map(_has_fraction, exact)):
            found.add("exact" if _has_fraction(row.total) else "whole")
    return found


def _has_fraction(amount: Decimal) -> bool:
    return abs(amount - round(amount)) >= _CENT
