"""What one document says otherwise than another: header first, then row by row, in words for people."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from siaghsync.domain.document import HEADER_CONTENT, ROW_CONTENT, Document, content, snapshot

Differences = dict[str, tuple[str | None, str | None]]
"""Field -> (before, after), in words for people; None on one side: there is no such thing there."""

_ONLY_THE_DOCUMENTS_OWN = frozenset({"date", "sale model", "tax", "toll"})
"""A quote and the invoice made from it may differ in these and are still one: none of them changes what is sold."""

_Row = Mapping[str, str]
_Rows = dict[int, _Row]


def difference(old_snapshot: Mapping[str, Any], document: Document) -> Differences:
    """What the document says otherwise than a stored snapshot: field -> (before, after).

    A changed row is called by its old place (`row 2 quantity`), a row that is gone `row 2`, one that came `new row 2` by
    its new place. Rows that only changed places are no difference.
    """
    old, new = content(old_snapshot), content(snapshot(document))
    found = {name: (old[key], new[key]) for key, name in HEADER_CONTENT.items() if old[key] != new[key]}
    return {**found, **_row_differences(dict(enumerate(old["rows"], 1)), dict(enumerate(new["rows"], 1)))}


def difference_from_twin(old_snapshot: Mapping[str, Any], document: Document) -> Differences:
    """As `difference`, for the other half of a quote and its invoice: only customer, rows, discount and costs count."""
    found = difference(old_snapshot, document)
    return {name: pair for name, pair in found.items() if name not in _ONLY_THE_DOCUMENTS_OWN}


def _row_differences(old: _Rows, new: _Rows) -> Differences:
    """Equal rows cancel out; what is left is paired by product, then by place; the rest came or went."""
    found: dict[int, Differences] = {}
    for alike in (
        lambda one, other: one[1] == other[1],
        lambda one, other: one[1]["product_code"] == other[1]["product_code"],
        lambda one, other: one[0] == other[0],
    ):
        for place, row in list(old.items()):
            partner = _partner((place, row), new, alike)
            if partner is not None:
                found[place] = _cells(place, old.pop(place), new.pop(partner))
    for place, row in old.items():
        found[place] = {f"row {place}": (_row_text(row), None)}
    ordered = {name: pair for place in sorted(found) for name, pair in found[place].items()}
    return {**ordered, **{f"new row {place}": (None, _row_text(row)) for place, row in new.items()}}


def _partner(
    row: tuple[int, _Row], others: _Rows, alike: Callable[[tuple[int, _Row], tuple[int, _Row]], bool]
) -> int | None:
    return next((place for place, other in others.items() if alike(row, (place, other))), None)


def _cells(place: int, old: _Row, new: _Row) -> Differences:
    return {f"row {place} {name}": (old[key], new[key]) for key, name in ROW_CONTENT.items() if old[key] != new[key]}


def _row_text(row: _Row) -> str:
    discount = f" - {row['discount']}" if row["discount"] != "0" else ""
    return f"{row['product_code'] or '(no product)'}: {row['quantity']} {row['unit']} x {row['unit_price']}{discount}"
