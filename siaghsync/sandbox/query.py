"""The queries of a find request: read, and asked of a record (contract payamgostar §3.2).

`expression`, `modulo` and `all` are accepted and have no effect: nobody knows what they do. Passed over are also
queries on fields that a record doesn't have, and those that the switches `find_filters_by_...` take out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from siaghsync.sandbox.crm_input import DATES, BadInput, local
from siaghsync.sandbox.shapes import LISTS
from siaghsync.sandbox.switches import CrmSwitches
from siaghsync.sandbox.wire import Json, Record, camel

NAMES = {"firstName", "lastName", "nickName"}
OPERATORS: dict[int, Callable[[Any, Any], bool]] = {
    0: lambda have, want: bool(have == want),
    1: lambda have, want: bool(have > want),
    2: lambda have, want: bool(have >= want),
    3: lambda have, want: have in want,
    4: lambda have, want: bool(have < want),
    5: lambda have, want: bool(have <= want),
    6: lambda have, want: bool(have != want),
    7: lambda have, want: have not in want,
    10: lambda have, want: bool(want.search(str(have))),
    11: lambda have, want: str(have).startswith(want),
    12: lambda have, want: want in str(have),
    13: lambda have, want: str(have).endswith(want),
    15: lambda have, want: len(str(have)) == want,
}
_EQUAL, _AT_LEAST = 0, 2
LISTED = {3, 7}
TEXTUAL = {10, 11, 12, 13, 15}
WITHOUT_EFFECT = {8, 9, 14}


@dataclass(frozen=True)
class Condition:
    """One leaf of a query; `either`: joined by Or to what stands before it."""

    either: bool
    operator: int
    name: str
    value: Any
    negate: bool

    def holds(self, record: Record) -> bool:
        """Whether the record satisfies this leaf. A missing date or number satisfies only "not equal"."""
        have = record.get(self.name)
        if self.operator in TEXTUAL or self.name not in DATES:
            have = "" if have is None else have
        if have is None or (self.operator not in TEXTUAL and isinstance(have, str) != self._wants_text()):
            return (self.operator in {6, 7}) != self.negate
        return OPERATORS[self.operator](have, self.value) != self.negate

    def _wants_text(self) -> bool:
        sample = next(iter(self.value), "") if self.operator in LISTED else self.value
        return isinstance(sample, str)


@dataclass(frozen=True)
class Group:
    """Leaves in brackets (`leafs`)."""

    either: bool
    members: Query
    negate: bool

    def holds(self, record: Record) -> bool:
        """Whether the record satisfies what stands in the brackets."""
        return matches(self.members, record) != self.negate


Query = list[Condition | Group]


def matches(leaves: Query, record: Record) -> bool:
    """The leaves from left to right, each joined to what stands before it by its own operator."""
    result = leaves[0].holds(record) if leaves else True
    for leaf in leaves[1:]:
        result = (result or leaf.holds(record)) if leaf.either else (result and leaf.holds(record))
    return result


def conditions(queries: Json, sample: Record, rules: CrmSwitches) -> Query:
    """The leaves of a request's `queries` that have an effect. Raises BadInput."""
    if not isinstance(queries, list) or not all(isinstance(leaf, dict) for leaf in queries):
        raise BadInput("queries", "must be a list of objects")
    found: Query = []
    for leaf in queries:
        logical = _choice(leaf, "logicalOperator", range(4))
        negate = bool(leaf.get("leafNegate")) != (logical > 1)
        if leaf.get("leafs"):
            found.append(Group(logical % 2 == 1, conditions(_inner(leaf), sample, rules), negate))
        elif (name := _filtered(leaf.get("field"), sample, rules)) and (
            operator := _choice(leaf, "operator", range(16))
        ) not in WITHOUT_EFFECT:
            wanted = _wanted(name, operator, leaf, sample)
            if name == "modifyDate" and operator == _AT_LEAST:
                operator, wanted = _since(rules, str(wanted))
            found.append(Condition(logical % 2 == 1, operator, name, wanted, negate))
    return found


def _since(rules: CrmSwitches, wanted: str) -> tuple[int, str]:
    """Operator and value of "at least", as `since_means` has it."""
    if rules.since_means == "from":
        return _AT_LEAST, wanted
    if rules.since_means == "equals":
        return _EQUAL, wanted
    return _AT_LEAST, (datetime.fromisoformat(wanted) + timedelta(hours=3, minutes=30)).isoformat(
        timespec="milliseconds"
    )


def _inner(leaf: Record) -> Json:
    """The leaves in a leaf's brackets, joined by its `leafLogicalOperator` if it has one."""
    leafs, joined = leaf["leafs"], leaf.get("leafLogicalOperator")
    if joined is None or not isinstance(leafs, list):
        return leafs
    return [{**each, "logicalOperator": joined} if isinstance(each, dict) else each for each in leafs]


def _choice(leaf: Record, name: str, known: range) -> int:
    value = leaf.get(name)
    if value is None:
        return 0
    if type(value) is not int or value not in known:
        raise BadInput(name, f"unknown {name} {value!r}")
    return value


def _filtered(field: object, sample: Record, rules: CrmSwitches) -> str | None:
    """The name of a field that this CRM filters by; None for any other."""
    name = field_name(field, sample)
    if name is None or name in NAMES:
        return name
    if name in rules.find_refuses:
        raise BadInput(name, "can't be queried")
    obeyed = rules.find_filters_by_date if name in DATES else rules.find_filters_by_number
    return name if obeyed else None


def field_name(field: object, sample: Record) -> str | None:
    """The property that a query or order names; None if the record has no such single value."""
    name = camel(field) if isinstance(field, str) else ""
    return name if name in sample and name not in LISTS and name != "tags" else None


def _wanted(name: str, operator: int, leaf: Record, sample: Record) -> object:
    text = "" if leaf.get("value") is None else str(leaf["value"])
    if operator == 10:
        try:
            return re.compile(text)
        except re.error as error:
            raise BadInput(name, f"'{text}' is not a regular expression") from error
    if operator == 15:
        return int(_number(name, text))
    if operator in TEXTUAL:
        return text
    if operator in LISTED:
        return [_typed(name, part.strip(), sample) for part in text.split(",")]
    return _typed(name, text, sample)


def _typed(name: str, text: str, sample: Record) -> object:
    if name in DATES:
        return local(name, text)
    return _number(name, text) if isinstance(sample[name], int | Decimal) else text


def _number(name: str, text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise BadInput(name, f"'{text}' is not a number") from error
    if not number.is_finite():
        raise BadInput(name, f"'{text}' is not a number")
    return number


def orders(wanted: Json, sample: Record, rules: CrmSwitches) -> list[tuple[str, bool]]:
    """A request's `orders` as (field, descending). Raises BadInput."""
    if not isinstance(wanted, list) or not all(isinstance(entry, dict) for entry in wanted):
        raise BadInput("orders", "must be a list of objects")
    if wanted and "orders" in rules.find_refuses:
        raise BadInput("orders", "is not supported")
    if not rules.find_orders:
        return [("crmId", False)] if rules.own_order == "CrmId" else [("modifyDate", rules.own_order == "newest")]
    named = [(field_name(entry.get("field"), sample), _choice(entry, "order", range(2)) == 1) for entry in wanted]
    return [(name, descending) for name, descending in named if name]
