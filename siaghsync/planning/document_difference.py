"""What one document has otherwise than another: the header first, then row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from siaghsync.domain.document import AMOUNTS, HEADER_CONTENT, ROW_CONTENT, Document, content, snapshot
from siaghsync.messages.message import Message, msg

Differences = dict[str, tuple[str | None, str | None]]
"""Key -> (before, after); None on one side: it does not exist there.

Keys are those of a snapshot's header, `rows.2.quantity` for a cell, `rows.2` for a row that is gone (both by the old place),
and `new_rows.3` for a row that came (by its new place).
"""

_MOST_SHOWN = 3
_IRRELEVANT_TO_TWINS = frozenset({"date", "sale_model", "vat", "toll"})
"""A quote and the invoice made from it may differ in these and still count as one: none of them changes what is sold."""

_Row = Mapping[str, str]
_Rows = dict[int, _Row]


def difference(old_snapshot: Mapping[str, Any], document: Document) -> Differences:
    """What the document has otherwise than a stored snapshot. Rows that only changed places are no difference."""
    old, new = content(old_snapshot), content(snapshot(document))
    found = {key: (old[key], new[key]) for key in HEADER_CONTENT if old[key] != new[key]}
    return {**found, **_row_differences(dict(enumerate(old["rows"], 1)), dict(enumerate(new["rows"], 1)))}


def difference_from_twin(old_snapshot: Mapping[str, Any], document: Document) -> Differences:
    """As `difference`, between a quote and its invoice: only customer, rows, discount and additional costs count."""
    found = difference(old_snapshot, document)
    return {key: pair for key, pair in found.items() if key not in _IRRELEVANT_TO_TWINS}


def _row_differences(old: _Rows, new: _Rows) -> Differences:
    """Equal rows cancel out. The rest is paired by product, then by place. What is left came or went."""
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
        found[place] = {f"rows.{place}": (_row_text(row), None)}
    ordered = {key: pair for place in sorted(found) for key, pair in found[place].items()}
    return {**ordered, **{f"new_rows.{place}": (None, _row_text(row)) for place, row in new.items()}}


def _partner(
    row: tuple[int, _Row], others: _Rows, alike: Callable[[tuple[int, _Row], tuple[int, _Row]], bool]
) -> int | None:
    return next((place for place, other in others.items() if alike(row, (place, other))), None)


def _cells(place: int, old: _Row, new: _Row) -> Differences:
    return {f"rows.{place}.{key}": (old[key], new[key]) for key in ROW_CONTENT if old[key] != new[key]}


def _row_text(row: _Row) -> str:
    """A row in signs that both languages read: `P-1: 2 kg x 5000 - 100`."""
    product = f"{row['product_code']}: " if row["product_code"] else ""
    discount = f" - {row['discount']}" if row["discount"] != "0" else ""
    return f"{product}{row['quantity']} {row['unit']} x {row['unit_price']}{discount}"


# --- for people --------------------------------------------------------------------------------------------


def label_of(key: str) -> Message:
    """What a key of `Differences`, a snapshot or a customer's changes is called. Unknown keys are shown as they are."""
    part, _, rest = key.partition(".")
    place, _, cell = rest.partition(".")
    if part not in ("rows", "new_rows") or not place.isdecimal():
        return msg("document.field", field=key)
    if cell:
        return msg("document.row_field", row=int(place), field=cell)
    return msg("document.row", row=int(place)) if part == "rows" else msg("document.new_row", row=int(place))


def changes_in_words(changes: Differences) -> Message:
    """The first few changes as one message. `changes` must not be empty."""
    told = [_in_words(key, old, new) for key, (old, new) in changes.items()]
    if len(told) > _MOST_SHOWN:
        told[_MOST_SHOWN:] = [msg("document.more_changes", count=len(told) - _MOST_SHOWN)]
    *others, message = told
    for first in reversed(others):
        message = msg("document.changes", first=first, rest=message)
    return message


def _in_words(key: str, old: str | None, new: str | None) -> Message:
    label, before, after = label_of(key), old or msg("document.nothing"), new or msg("document.nothing")
    if key.rpartition(".")[2] in AMOUNTS:
        return msg("document.change_of_amount", label=label, old=before, new=after)
    return msg("document.change", label=label, old=before, new=after)
