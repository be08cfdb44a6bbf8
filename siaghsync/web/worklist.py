"""What waits for a person as a work list: one item for what belongs together, filtered, sorted, in groups and pages. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from siaghsync.domain.normalize import fold
from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.state.reviews import Review

PAGE = 50
AGES = (1, 7, 30)
"""The ages, in days, that the list can be narrowed down to."""
_MAY_STAND_IN_FINANCE = (Reason.UNKNOWN_OUTCOME, Reason.MAY_BE_POSTED, Reason.CHANGED_AFTER_DISCARD)
"""Nobody knows whether Siagh has the document; the last one follows on a discard of the first."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is decided in one sitting: one document, or one customer with all its questions. `net` is in rials, None without a
    document."""

    reviews: tuple[Review, ...]
    name: str
    number: str
    net: Decimal | None

    @property
    def first(self) -> Review:
        """The oldest question, which stands for the item."""
        return self.reviews[0]


SORTS: dict[str, Callable[[Item], Any]] = {
    "age": lambda item: item.first.id,
    "amount": lambda item: -(item.net or 0),
    "name": lambda item: fold(item.name),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the list is narrowed down to; empty and 0: to nothing. `days` is the least age."""

    kind: str = ""
    reason: str = ""
    days: int = 0
    text: str = ""
    sort: str = "age"

    def query(self, **more: object) -> str:
        """The same as parameters of an address, with `more` instead of or beside them."""
        told = {"kind": self.kind, "reason": self.reason, "days": self.days, "q": self.text, "sort": self.sort, **more}
        return urlencode({key: value for key, value in told.items() if value and (key, value) != ("sort", "age")})


def items_of(found: Iterable[Review], names: Mapping[int, str]) -> list[Item]:
    """The questions as items, the oldest first. `names` are those of their customers.

    Only the CRM id says who a customer is: two records under one number are two customers, each with a decision of its own.
    """
    together: dict[str, list[Review]] = {}
    for review in found:
        customer = review.crm_id if review.entity == "customer" else None
        together.setdefault(customer or f"review {review.id}", []).append(review)
    return [_item(reviews, names) for reviews in together.values()]


def _item(reviews: list[Review], names: Mapping[int, str]) -> Item:
    first = reviews[0]
    document: Mapping[str, Any] = first.as_item()["document"] or {}
    net = document.get("net")
    return Item(
        tuple(reviews),
        names.get(first.id, ""),
        str(document.get("number") or first.customer_number or first.finance_code or ""),
        None if net is None else Decimal(net),
    )


def narrowed(items: Iterable[Item], wanted: Wanted, now: datetime) -> list[Item]:
    """The items that are wanted, in the order that is wanted."""
    until = now - timedelta(days=wanted.days)
    searched = fold(wanted.text)

    def fits(item: Item) -> bool:
        return (
            (not wanted.kind or item.first.kind == wanted.kind)
            and (not wanted.reason or any(review.reason == wanted.reason for review in item.reviews))
            and (not wanted.days or datetime.fromisoformat(item.first.since) <= until)
            and searched
            in fold(f"{item.name} {item.number} {item.first.customer_number} {item.first.finance_code or ''}")
        )

    return sorted(filter(fits, items), key=SORTS.get(wanted.sort, SORTS["age"]))


def groups(items: Iterable[Item]) -> list[tuple[str, int, Decimal]]:
    """(reason, items, sum of their amounts in rials), the largest group first. An item with several questions counts once."""
    counts: dict[str, tuple[int, Decimal]] = {}
    for item in items:
        count, total = counts.get(item.first.reason, (0, Decimal(0)))
        counts[item.first.reason] = count + 1, total + (item.net or 0)
    return sorted(((reason, *told) for reason, told in counts.items()), key=lambda group: (-group[1], group[0]))


def around(items: Sequence[Item], review_id: int) -> tuple[int, Item | None, Item | None]:
    """(place from 1, 0 if it is not there; the item before it; the one after it) of the item with this question."""
    for place, item in enumerate(items):
        if any(review.id == review_id for review in item.reviews):
            before = items[place - 1] if place else None
            return place + 1, before, items[place + 1] if place + 1 < len(items) else None
    return 0, None, items[0] if items else None


# --- what a decision costs ---


def cost(review: Review, way: str) -> str:
    """What closing a document without action means, as the end of a text's name: it `never_arrives` in Siagh, or it is
    `not_known` whether it is there already; "" where it stands there, and for all else."""
    stands = "posted" in review.details or review.reason == Reason.NET_DIFFERS
    if way != Resolution.DISCARD or review.entity != "invoice" or stands:
        return ""
    return "not_known" if review.reason in _MAY_STAND_IN_FINANCE else "never_arrives"


def may_be_twice(review: Review, way: str) -> bool:
    """Whether trying again may post a second time what stands in Siagh already."""
    return way == Resolution.RETRY and review.reason in _MAY_STAND_IN_FINANCE


@dataclass(frozen=True, slots=True)
class Cost:
    """What a decision costs some of the items: the name of a text, how many they are, the sum of their amounts in rials, and how
    many of them have no amount that is known."""

    text: str
    items: int
    total: Decimal
    without_amount: int


def costs(items: Sequence[Item], way: str) -> list[Cost]:
    """Each cost of a decision that some of the items have."""
    by_cost: dict[str, list[Item]] = {}
    for item in items:
        by_cost.setdefault(cost(item.first, way), []).append(item)
    return [_cost_of(f"many_{text}", those) for text, those in by_cost.items() if text]


def _cost_of(text: str, items: Sequence[Item]) -> Cost:
    known = [item.net for item in items if item.net is not None]
    return Cost(text, len(items), sum(known, Decimal(0)), len(items) - len(known))
