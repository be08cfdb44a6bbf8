"""What a find request asks for, checked and carried out (contract payamgostar §3.2)."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from siaghsync.sandbox.shapes import LISTS
from siaghsync.sandbox.table import INDEXED, Table
from siaghsync.sandbox.wire import Json, Record, camel

DATES = {"modifyDate", "creatDate", "quoteDate", "invoiceDate", "expireDate", "birthDate", "registerDate"}
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?\Z")
_PASCAL = re.compile(r"[A-Z][A-Za-z]*\Z")
_LAST = "\uffff"

OPERATORS: dict[int, Callable[[Any, Any], bool]] = {
    0: lambda have, want: bool(have == want),
    1: lambda have, want: bool(have > want),
    2: lambda have, want: bool(have >= want),
    3: lambda have, want: have in want,
    4: lambda have, want: bool(have < want),
    5: lambda have, want: bool(have <= want),
    6: lambda have, want: bool(have != want),
    7: lambda have, want: have not in want,
    11: lambda have, want: str(have).startswith(want),
    12: lambda have, want: want in str(have),
    13: lambda have, want: str(have).endswith(want),
}
_LISTED = {3, 7}
_TEXTUAL = {11, 12, 13}


class BadQuery(ValueError):
    """The request has a wrong shape; `field` names the place."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Condition:
    """One leaf of a query."""

    either: bool
    operator: int
    name: str
    value: Any
    negate: bool

    def holds(self, record: Record) -> bool:
        """Whether the record satisfies this leaf. A missing date or number satisfies only "not equal"."""
        have = record.get(self.name)
        if self.operator in _TEXTUAL or self.name not in DATES:
            have = "" if have is None else have
        if have is None or isinstance(have, str) != self._wants_text():
            return (self.operator in {6, 7}) != self.negate
        return OPERATORS[self.operator](have, self.value) != self.negate

    def _wants_text(self) -> bool:
        sample = next(iter(self.value), "") if self.operator in _LISTED else self.value
        return isinstance(sample, str)


def is_date(text: str) -> bool:
    """Whether a text is a date as the CRM writes them: local, without offset, at most three digits (§1)."""
    return bool(_DATE.match(text))


def _value(name: str, text: str, sample: Record) -> object:
    if name in DATES:
        if not is_date(text):
            raise BadQuery(camel(name), f"'{text}' is not a local date and time without offset")
        return text.rstrip("0").rstrip(".") if "." in text else text
    if isinstance(sample[name], (int, Decimal)):
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise BadQuery(name, f"'{text}' is not a number") from error
        if not number.is_finite():
            raise BadQuery(name, f"'{text}' is not a number")
        return number
    return text


def _name(field: object, sample: Record) -> str:
    if not isinstance(field, str) or not _PASCAL.match(field):
        raise BadQuery("field", f"{field!r} is not a field name in PascalCase")
    name = camel(field)
    if name not in sample or name in LISTS or name == "tags":
        raise BadQuery("field", f"unknown field '{field}'")
    return name


def conditions(queries: Json, sample: Record) -> list[Condition]:
    """The leaves of a request's `queries`, checked against the fields of a sample record. Raises BadQuery."""
    if not isinstance(queries, list):
        raise BadQuery("queries", "must be a list")
    found = []
    for leaf in queries:
        expected = {"logicalOperator", "operator", "field", "value", "leafNegate"}
        if not isinstance(leaf, dict) or leaf.keys() != expected:
            raise BadQuery("queries", f"each query has exactly {', '.join(sorted(expected))}")
        if type(leaf["logicalOperator"]) is not int or leaf["logicalOperator"] not in (0, 1):
            raise BadQuery("logicalOperator", "must be 0 or 1")
        operator = leaf["operator"]
        if type(operator) is not int or operator not in OPERATORS:
            raise BadQuery("operator", f"unknown operator {operator!r}")
        if not isinstance(leaf["value"], str) or not isinstance(leaf["leafNegate"], bool):
            raise BadQuery("value", "value must be a string and leafNegate a boolean")
        name = _name(leaf["field"], sample)
        value: object = leaf["value"]
        if operator in _LISTED:
            value = [_value(name, part.strip(), sample) for part in leaf["value"].split(",")]
        elif operator not in _TEXTUAL:
            value = _value(name, leaf["value"], sample)
        found.append(Condition(leaf["logicalOperator"] == 1, operator, name, value, leaf["leafNegate"]))
    return found


def orders(wanted: Json, sample: Record) -> list[tuple[str, bool]]:
    """A request's `orders` as (field, descending). Raises BadQuery."""
    if not isinstance(wanted, list):
        raise BadQuery("orders", "must be a list")
    found = []
    for entry in wanted:
        if not isinstance(entry, dict) or entry.keys() != {"field", "order"}:
            raise BadQuery("orders", "each order has exactly field, order")
        if type(entry["order"]) is not int or entry["order"] not in (0, 1):
            raise BadQuery("order", "must be 0 or 1")
        found.append((_name(entry["field"], sample), entry["order"] == 1))
    return found


def matches(leaves: list[Condition], record: Record) -> bool:
    """The leaves from left to right, each joined to what stands before it by its own operator."""
    result = leaves[0].holds(record) if leaves else True
    for leaf in leaves[1:]:
        result = (result or leaf.holds(record)) if leaf.either else (result and leaf.holds(record))
    return result


def _bounds(table: Table, type_code: str | None, leaves: list[Condition]) -> tuple[int, int]:
    """Where in the date order the records lie that all ModifyDate leaves allow."""
    places = table.dated(type_code)
    low, high = 0, len(places)
    for leaf in leaves:
        if leaf.name != "modifyDate" or leaf.negate or leaf.operator in _LISTED | _TEXTUAL | {6}:
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


def select(
    table: Table,
    type_code: str | None,
    leaves: list[Condition],
    by: list[tuple[str, bool]],
    span: tuple[int, int],
) -> tuple[list[str], int]:
    """Ids of the matching records number span[0] to span[1], and how many match in all.

    Without an order: ascending by ModifyDate. Equal dates stand in the order of their ids.
    """
    by = by or [("modifyDate", False)]
    joined = not any(leaf.either for leaf in leaves[1:])
    if joined and by[0][0] == "modifyDate" and len(by) == 1 and _all_by_date(leaves):
        low, high = _bounds(table, type_code, leaves)
        total = high - low
        start, stop = min(span[0], total), min(span[1], total)
        places = table.dated(type_code)
        page = places[high - stop : high - start][::-1] if by[0][1] else places[low + start : low + stop]
        return [crm_id for _, crm_id in page], total
    ids = _candidates(table, type_code, leaves if joined else [])
    found = [table.records[crm_id] for crm_id in ids if matches(leaves, table.records[crm_id])]
    found.sort(key=lambda record: str(record["crmId"]))
    for name, descending in reversed(by):
        found.sort(key=lambda record: _rank(record[name]), reverse=descending)
    return [record["crmId"] for record in found[slice(*span)]], len(found)
