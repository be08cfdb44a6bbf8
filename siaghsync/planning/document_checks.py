"""What is wrong with a document in itself, and what it has otherwise than another: each fault with a stable reason and a
sentence for an accountant.

The program can neither change nor cancel a pre-invoice, so whatever is not certain is for a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from siaghsync.domain.document import (
    FIGURES,
    HEADER_CONTENT,
    ROW_CONTENT,
    Document,
    DocumentRow,
    discount_beside_rows,
    exact_sum,
    follows,
    jalali_year,
    plain,
    row_gross,
    snapshot,
    totals,
)
from siaghsync.domain.reasons import Reason
from siaghsync.messages.message import Message, msg

Differences = dict[str, tuple[str | None, str | None]]
"""Key -> (before, after); None on one side: it does not exist there.

Keys are those of a snapshot's header, `rows.2.quantity` for a cell, `rows.2` for a row that is gone (both by the old place),
and `new_rows.3` for a row that came (by its new place).
"""

_MOST_SHOWN = 3
_IRRELEVANT_TO_TWINS = frozenset({"number", "date", "vat", "toll", "total_value", "final_value"})
"""A quote and the invoice made from it may differ in these and still count as one: none of them changes what is sold."""

_Row = Mapping[str, str]
_Rows = dict[int, _Row]


def difference(old_snapshot: Mapping[str, Any], document: Document) -> Differences:
    """What the document has otherwise than a stored snapshot: the net, the header, rows, totals that do not follow from the rows.

    No difference are rows that only changed places, a first number, and what one of both does not know: snapshots of older
    versions hold less.
    """
    new = snapshot(document)
    header = (
        key
        for key in HEADER_CONTENT
        if key not in _TOTAL_LABELS and not (key == "number" and not old_snapshot.get(key))
    )
    keys = [key for key in header if not _follows_rows(key, old_snapshot, new)]
    odd = [key for key, given, expected in totals(document) if not follows(given, expected, len(document.rows))]
    head, tail = _changed(keys, old_snapshot, new), _changed(odd, old_snapshot, new)
    rows = {}
    if "rows" in old_snapshot:
        rows = _row_differences(dict(enumerate(old_snapshot["rows"], 1)), dict(enumerate(new["rows"], 1)))
    return {**_changed(["net"], old_snapshot, new), **head, **rows, **tail}


_TOTAL_LABELS = ("total_value", "final_value")


def _changed(keys: Iterable[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> Differences:
    return {key: (old[key], new[key]) for key in keys if old.get(key) is not None and old[key] != new[key]}


def _follows_rows(key: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether tax or toll of the header changed by just as much as those of the rows, which are told anyway."""
    if key not in ("vat", "toll") or not all(key in row for row in old.get("rows", ())):
        return False
    before, after = (exact_sum(Decimal(row[key]) for row in side.get("rows", ())) for side in (old, new))
    return exact_sum([Decimal(new[key]), before]) == exact_sum([Decimal(old.get(key, 0)), after])


def is_same(checksum: str, stored: Mapping[str, Any] | None, document: Document) -> bool:
    """Whether a document still has the content of which this checksum and snapshot were stored, also by an older version, which
    counted other things as content."""
    return checksum == document.checksum or (stored is not None and not difference(stored, document))


def difference_from_twin(old_snapshot: Mapping[str, Any], document: Document) -> Differences:
    """As `difference`, between a quote and its invoice: only customer, rows, discount and additional costs count."""
    found = difference(old_snapshot, document)
    return {key: pair for key, pair in found.items() if key.rpartition(".")[2] not in _IRRELEVANT_TO_TWINS}


def _row_differences(old: _Rows, new: _Rows) -> Differences:
    """Equal rows cancel out. The rest is paired by product, then by place. What is left came or went."""
    found: dict[int, Differences] = {}
    for alike in (
        lambda one, other: not _cells(0, one[1], other[1]),
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
    """The cells that differ. Before returned counts were stored, every row counted as kept whole."""
    known = {"returned": "0", **old}
    return {
        f"rows.{place}.{key}": (known[key], new[key]) for key in ROW_CONTENT if known.get(key, new[key]) != new[key]
    }


def _row_text(row: _Row) -> str:
    """A row in signs that both languages read: `P-1: 2 kg x 5000 - 100`."""
    product = f"{row['product_code']}: " if row["product_code"] else ""
    discount = f" - {row['discount']}" if row["discount"] != "0" else ""
    return f"{product}{row['quantity']} {row['unit']} x {row['unit_price']}{discount}"


def doubled(numbers: Sequence[int]) -> list[int]:
    """The numbers that Siagh has given in between, where it went on by two after one document. `numbers` are in order."""
    return [number - 1 for before, number in pairwise(numbers) if number - before == 2]


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
    if key.rpartition(".")[2] in FIGURES:
        return msg("document.change_of_amount", label=label, old=before, new=after)
    return msg("document.change", label=label, old=before, new=after)


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
