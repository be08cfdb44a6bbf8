"""Which records of a table satisfy a query, in which order: quick where the date order or an index serves."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Any

from siaghsync.sandbox.query import LISTED, TEXTUAL, Condition, Query, matches
from siaghsync.sandbox.table import INDEXED, Table

_LAST = "\uffff"


def select(
    table: Table, type_code: str | None, leaves: Query, by: list[tuple[str, bool]], span: tuple[int, int]
) -> tuple[list[str], int]:
    """Ids of the matching records number span[0] to span[1], and how many match in all.

    Without an order: ascending by ModifyDate. Equal dates stand in the order of their ids.
    """
    by = by or [("modifyDate", False)]
    plain = [leaf for leaf in leaves if isinstance(leaf, Condition)]
    joined = len(plain) == len(leaves) and not any(leaf.either for leaf in leaves[1:])
    if joined and by[0][0] == "modifyDate" and len(by) == 1 and _all_by_date(plain):
        low, high = _bounds(table, type_code, plain)
        total = high - low
        start, stop = min(span[0], total), min(span[1], total)
        places = table.dated(type_code)
        page = places[high - stop : high - start][::-1] if by[0][1] else places[low + start : low + stop]
        return [crm_id for _, crm_id in page], total
    ids = _candidates(table, type_code, plain if joined else [])
    found = [table.records[crm_id] for crm_id in ids if matches(leaves, table.records[crm_id])]
    found.sort(key=lambda record: str(record["crmId"]))
    for name, descending in reversed(by):
        found.sort(key=lambda record: _rank(record[name]), reverse=descending)
    return [record["crmId"] for record in found[slice(*span)]], len(found)


def _bounds(table: Table, type_code: str | None, leaves: list[Condition]) -> tuple[int, int]:
    """Where in the date order the records lie that all ModifyDate leaves allow."""
    places = table.dated(type_code)
    low, high = 0, len(places)
    for leaf in leaves:
        if leaf.name != "modifyDate" or leaf.negate or leaf.operator in LISTED | TEXTUAL | {6}:
            continue
        first = bisect_left(places, (leaf.value, ""))
        past = bisect_right(places, (leaf.value, _LAST))
        low = max(low, {0: first, 1: past, 2: first}.get(leaf.operator, 0))
        high = min(high, {0: past, 4: first, 5: past}.get(leaf.operator, high))
    return low, max(low, high)


def _all_by_date(leaves: list[Condition]) -> bool:
    return all(leaf.name == "modifyDate" and not leaf.negate and leaf.operator in {0, 1, 2, 4, 5} for leaf in leaves)


def _candidates(table: Table, type_code: str | None, leaves: list[Condition]) -> list[str]:
    for leaf in leaves:
        if leaf.operator == 0 and not leaf.negate and leaf.name in INDEXED:
            ids = table.equal(leaf.name, leaf.value)
            return [
                crm_id for crm_id in ids if type_code is None or table.records[crm_id]["crmObjectTypeCode"] == type_code
            ]
    low, high = _bounds(table, type_code, leaves)
    return [crm_id for _, crm_id in table.dated(type_code)[low:high]]


def _rank(value: Any) -> tuple[bool, bool, Any]:
    """What a field is sorted by: nothing first, then numbers, then texts."""
    return value is not None, isinstance(value, str), value
