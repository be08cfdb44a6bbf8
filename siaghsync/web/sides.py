"""A review for the eye of a person: both sides next to each other, differences marked, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from siaghsync.domain.customer import fold, phone_key, same_spelling_aside
from siaghsync.messages.calendar import jalali
from siaghsync.web.field_names import AMOUNTS
from siaghsync.web.i18n import Language

_LEFT_OUT = frozenset({"crm_id", "rows", "customer"})
_SAID_OTHERWISE = frozenset({"crm_id", "names", "taraftype"})
"""What a table of both sides shows by another field, or only to programs."""
_PHONES = frozenset({"phones", "mobileno", "telno"})


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; `differs` says that it is not what the first column says."""

    text: str
    differs: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of values: `heads` name them, each row is (what it is called, its cells)."""

    heads: list[str]
    rows: list[tuple[str, list[Cell]]]
    links: list[str | None]
    """For each column the code or number by which it can be linked, or None."""


def name_of(details: Mapping[str, Any]) -> str:
    """What the record of a review is called, as far as its details say."""
    who = details.get("customer") or details.get("contact")
    if isinstance(who, Mapping) and who.get("names"):
        return str(who["names"][0])
    payload = details.get("payload") or {}
    found = payload.get("fullname") or payload.get("nickName")
    snapshot = details.get("snapshot") or {}
    return str(found or snapshot.get("number") or snapshot.get("subject") or "")


def both_sides(details: Mapping[str, Any], language: Language) -> Table | None:
    """The record and its candidates, or what was sent; None if the details hold neither."""
    customer, contact = details.get("customer"), details.get("contact")
    mine = customer or contact
    candidates: Sequence[Mapping[str, Any]] = details.get("candidates") or ()
    if mine is None:
        payload = details.get("payload") or {}
        mine = {k: v for k, v in payload.items() if v not in (None, "")} if "header" not in payload else None
    if not mine:
        return None
    head = language.text("side_crm" if customer else "side_finance" if contact else "side_sent")
    key = "customer_number" if contact else "finance_code"
    keys = list(dict.fromkeys(k for side in (mine, *candidates) for k in side if k not in _SAID_OTHERWISE))
    rows = [(k, _cells(k, mine, candidates, language)) for k in keys]
    return Table(
        [head, *(language.text("candidate", n=n) for n in range(1, len(candidates) + 1))],
        [(language.word("field", k), cells) for k, cells in rows if any(cell.text for cell in cells)],
        [None, *(None if c.get("taken_by") else _text(c.get(key)) or None for c in candidates)],
    )


def _cells(
    key: str, mine: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]], language: Language
) -> list[Cell]:
    first = _of(mine, key)
    others = [Cell(shown(key, _of(c, key), language), _differs(key, first, _of(c, key))) for c in candidates]
    return [Cell(shown(key, first, language)), *others]


def _of(side: Mapping[str, Any], key: str) -> Any:
    return side.get("names") or side.get(key) if key == "fullname" else side.get(key)


def _differs(key: str, mine: Any, other: Any) -> bool:
    """Whether a person should look: spelling aside, and an empty value is no contradiction."""
    if mine in (None, "", []) or other in (None, "", []):
        return False
    if isinstance(mine, list) and isinstance(other, list):
        compared = phone_key if key in _PHONES else fold
        return not {compared(str(v)) for v in mine} & {compared(str(v)) for v in other}
    return not same_spelling_aside(key, _text(mine), _text(other))


def name_linked(details: Mapping[str, Any], value: str) -> str:
    """What the candidate with this code or number is called; "" if it is none of them."""
    for candidate in details.get("candidates") or ():
        if value in (_text(candidate.get("finance_code")), _text(candidate.get("customer_number"))):
            return str((candidate.get("names") or [""])[0])
    return ""


def differences(details: Mapping[str, Any], language: Language) -> Table | None:
    """What a document said when it was posted and what it says now, or None."""
    found: Mapping[str, Sequence[Any]] = details.get("difference") or {}
    rows = [
        (_row_field(key, language), [Cell(shown(key, old, language)), Cell(shown(key, new, language), differs=True)])
        for key, (old, new) in found.items()
    ]
    heads = [language.text("side_posted"), language.text("side_now")]
    return Table(heads, rows, [None, None]) if rows else None


def _row_field(key: str, language: Language) -> str:
    """`row 2 quantity` and `new row 3` in the reader's language."""
    words = key.split(" ")
    place = next((place for place, word in enumerate(words) if word.isdigit()), None)
    if place is None:
        return language.word("field", key)
    rest = " ".join(words[place + 1 :])
    start = language.text("new_row" if words[0] == "new" else "row", n=int(words[place]))
    return f"{start}: {language.word('field', rest)}" if rest else start


def document(details: Mapping[str, Any], language: Language) -> list[tuple[str, str]]:
    """The head of the document that a review is about: (field, value)."""
    snapshot: Mapping[str, Any] = details.get("snapshot") or {}
    return [
        (language.word("field", key), shown(key, value, language))
        for key, value in snapshot.items()
        if key not in _LEFT_OUT and value not in (None, "")
    ]


def document_rows(details: Mapping[str, Any], language: Language) -> Table | None:
    """The rows of that document, or None."""
    rows: Sequence[Mapping[str, Any]] = (details.get("snapshot") or {}).get("rows") or ()
    if not rows:
        return None
    keys = list(rows[0])
    return Table(
        [language.word("field", key) for key in keys],
        [
            (language.number(n), [Cell(shown(key, row.get(key), language)) for key in keys])
            for n, row in enumerate(rows, 1)
        ],
        [None] * len(keys),
    )


def shown(key: str, value: Any, language: Language) -> str:
    """A value for reading: amounts grouped, kinds in words, dates in the reader's calendar, all else as it is."""
    field = key.rpartition(" ")[2] if key.startswith(("row ", "new row ")) else key
    if field in AMOUNTS and isinstance(value, (str, int)):
        return amount(str(value), language)
    if field in ("kind", "source") and value:
        return language.word("entity", "sales_invoice" if value == "invoice" else value)
    if field in ("isactive", "gender") and str(value) in ("0", "1"):
        return language.word(field, value)
    if field == "date" and isinstance(value, str) and language.code == "fa":
        return _jalali(value, language)
    return _text(value)


def amount(text: str, language: Language) -> str:
    """An amount of rials, grouped by thousands; text that is none stays as it is."""
    try:
        grouped = f"{Decimal(text):,f}"
    except InvalidOperation:
        return text
    return language.digits(grouped.replace(",", "٬") if language.code == "fa" else grouped)


def _jalali(text: str, language: Language) -> str:
    try:
        return language.digits(jalali(date.fromisoformat(text)))
    except ValueError:
        return text


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return " ".join(_text(v) for v in value.values() if v not in (None, "", False, True))
    if isinstance(value, (list, tuple)):
        return "؛ ".join(map(_text, value))
    return "" if value is None else str(value)
