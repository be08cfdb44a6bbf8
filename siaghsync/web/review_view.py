"""A review for the eye of a person: both sides next to each other, differences marked, in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siaghsync.domain.document import FIGURES, ROW_CONTENT
from siaghsync.domain.normalize import fold, phone_key, same_meaning
from siaghsync.messages.message import VERBATIM, Message
from siaghsync.state.reviews import Review
from siaghsync.web.language import PageLanguage

_LEFT_OUT_OF_HEAD = frozenset({"crm_id", "rows", "customer", "quote_is_unknown"})
_SHOWN_OTHERWISE = frozenset({"crm_id", "names"})
"""What a table of both sides shows by another field, or only to programs."""
_NEVER_OVERWRITTEN = _SHOWN_OTHERWISE | {"finance_code", "customer_number", "taken_by", "kind", "record_id"}
_WITH_NOTE = ("reason.unknown_outcome", "reason.may_be_posted", "reason.may_be_posted_with_quote")
_WITH_WORDS = ("call.rejected", "call.script_error", "call.unreadable", "call.status_")
_Side = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; `differs` says that it is not what the first column says, `is_figure` that it stands under other figures."""

    text: str
    differs: bool = False
    is_figure: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Columns of values: `heads` name them, each row is (what it is called, its cells)."""

    heads: list[str]
    rows: list[tuple[str, list[Cell]]]
    links: list[str]
    """The codes or numbers of the columns that can be linked."""

    def has_figures(self, column: int) -> bool:
        """Whether a column holds nothing else, so that its values stand under each other."""
        return all(cells[column].is_figure for _, cells in self.rows)


@dataclass(frozen=True, slots=True)
class ReviewView:
    """All that is shown of a review's details; None or empty for what the details do not hold."""

    sides: Table | None
    differences: Table | None
    document: list[tuple[str, str]]
    document_rows: Table | None
    compared_rows: Table | None
    """The rows as they were posted and as they are now."""
    faults: list[tuple[str, str]]
    """(short sentence, what is wrong) of each fault of a document."""
    words: list[str]
    """What the other system said, in its own words."""
    note: str
    """The note by which the document is to be looked for in Siagh, or ""."""
    holder: tuple[str, str] | None
    """(code, name) of the contact that has the phone number."""


def view(review: Review, language: PageLanguage) -> ReviewView:
    """A review's details as they are shown."""
    snapshot: Mapping[str, Any] = review.details.get("snapshot") or {}
    said = [*review.message.parts()]
    return ReviewView(
        sides=None if review.entity == "invoice" else both_sides(review.details, language),
        differences=differences(review.details, language),
        document=_head(snapshot, language),
        document_rows=_rows(snapshot, language),
        compared_rows=compared_rows(review.details, language),
        words=[words for words in dict.fromkeys(map(_own_words, said[1:])) if words],
        note=next((str(part.params["note"]) for part in said if part.code in _WITH_NOTE), ""),
        holder=next(
            (
                (str(part.params["code"]), str(part.params["name"]))
                for part in said
                if part.code == "reason.phone_taken"
            ),
            None,
        ),
        faults=[
            (language.reason(fault["reason"]), language.message(Message.from_json(fault["message"])))
            for fault in review.details.get("faults") or ()
        ],
    )


def _own_words(part: Message) -> str:
    """What a part of a message quotes of an answer, or ""."""
    if part.code == VERBATIM:
        return str(part.params["text"])
    return str(part.params.get("detail", "")) if part.code.startswith(_WITH_WORDS) else ""


# --- customers ---------------------------------------------------------------------------------------------


def both_sides(details: Mapping[str, Any], language: PageLanguage) -> Table | None:
    """The record, its twins in the CRM and its candidates, or what was sent; None if the details hold none of them."""
    customer, contact = details.get("customer"), details.get("contact")
    mine: _Side = customer or contact or details.get("payload") or {}
    if not mine:
        return None
    candidates: Sequence[_Side] = details.get("candidates") or ()
    twins: Sequence[_Side] = details.get("twins") or ()
    head = language.text("side_crm" if customer else "side_finance" if contact else "side_sent")
    keys = dict.fromkeys(key for side in (mine, *twins, *candidates) for key in side if key not in _SHOWN_OTHERWISE)
    rows = [(language.field(key), _cells(key, mine, (*twins, *candidates), language)) for key in keys]
    link_key = "customer_number" if contact else "finance_code"
    return Table(
        [
            head,
            *(language.text("twin", number=number) for number in range(1, len(twins) + 1)),
            *(language.text("candidate", number=number) for number in range(1, len(candidates) + 1)),
        ],
        [(label, cells) for label, cells in rows if any(cell.text for cell in cells)],
        [str(side[link_key]) for side in candidates if side.get(link_key) and not side.get("taken_by")],
    )


def _cells(key: str, mine: _Side, candidates: Sequence[_Side], language: PageLanguage) -> list[Cell]:
    first = _of(mine, key)
    others = [Cell(language.value(key, _of(side, key)), _differs(key, first, _of(side, key))) for side in candidates]
    return [Cell(language.value(key, first)), *others]


def _of(side: _Side, key: str) -> Any:
    return side.get("names") or side.get(key) if key == "name" else side.get(key)


def _differs(key: str, mine: Any, other: Any) -> bool:
    """Whether a person should look: spelling aside, and an empty value is no contradiction."""
    if mine in (None, "", []) or other in (None, "", []):
        return False
    if isinstance(mine, list) or isinstance(other, list):
        compared = phone_key if key == "phones" else fold
        return not {compared(value) for value in _texts(mine)} & {compared(value) for value in _texts(other)}
    return not same_meaning(key, str(mine), str(other))


def _texts(value: Any) -> list[str]:
    """One value or several as texts; of a labelled one ([label, value]) only the value."""
    several = value if isinstance(value, list) else [value]
    return [str(part[-1] if isinstance(part, list) and part else part) for part in several]


def name_linked(details: Mapping[str, Any], value: str) -> str:
    """What the candidate with this code or number is called; "" if it is none of them."""
    for side in details.get("candidates") or ():
        if value in (str(side.get("finance_code", "")), str(side.get("customer_number", ""))):
            return str((side.get("names") or [""])[0])
    return ""


def candidate_names(details: Mapping[str, Any]) -> dict[str, str]:
    """Code or number of each candidate -> how a button names it: name, city, code."""
    found: dict[str, str] = {}
    for side in details.get("candidates") or ():
        for key in ("finance_code", "customer_number"):
            if side.get(key):
                told = ((side.get("names") or [""])[0], side.get("city") or "", side[key])
                # Only what comes after the name is isolated: the name gives the whole its direction.
                name, *more = (part for part in told if part)
                found[str(side[key])] = " · ".join((str(name), *(f"\u2068{part}\u2069" for part in more)))
    return found


def overwritten(review: Review, value: str, language: PageLanguage) -> Table | None:
    """Which fields of the contact in Siagh get another value by a link, from what to what; None if none is known to."""
    mine: _Side = review.details.get("customer") or review.details.get("contact") or {}
    for side in review.details.get("candidates") or ():
        if value in (str(side.get("finance_code", "")), str(side.get("customer_number", ""))):
            contact, record = (side, mine) if review.target == "finance" else (mine, side)
            rows = [
                (
                    language.field(key),
                    [Cell(language.value(key, _of(contact, key))), Cell(language.value(key, _of(record, key)))],
                )
                for key in record
                if key not in _NEVER_OVERWRITTEN and _differs(key, _of(record, key), _of(contact, key))
            ]
            return Table([language.text("side_finance"), language.text("side_crm")], rows, []) if rows else None
    return None


# --- documents ---------------------------------------------------------------------------------------------


def differences(details: Mapping[str, Any], language: PageLanguage) -> Table | None:
    """What a document said when it was posted and what it says now, or None."""
    found: Mapping[str, Sequence[Any]] = details.get("difference") or {}
    rows = [
        (language.field(key), [_cell(key, old, language), _cell(key, new, language, differs=True)])
        for key, (old, new) in sorted(found.items(), key=lambda field: field[0] != "net")
    ]
    return Table([language.text("side_posted"), language.text("side_now")], rows, []) if rows else None


def compared_rows(details: Mapping[str, Any], language: PageLanguage) -> Table | None:
    """The rows of a document as they were posted and as they are now, each value beside the other one, or None. They are paired
    as in its differences, which name the cells by the place where they stood."""
    posted: Mapping[str, Any] = (details.get("posted") or {}).get("snapshot") or {}
    old: Sequence[_Side] = posted.get("rows") or ()
    new = dict(enumerate((details.get("snapshot") or {}).get("rows") or (), 1))
    found: Mapping[str, Any] = details.get("difference") or {}
    if not old or not found:
        return None
    came = [row for place, row in new.items() if f"new_rows.{place}" in found]
    stayed = [row for place, row in new.items() if f"new_rows.{place}" not in found]
    pairs = [
        (row, None if f"rows.{place}" in found else _taken(stayed, row, place, found))
        for place, row in enumerate(old, 1)
    ]
    lines = []
    for place, (one, other) in enumerate([*pairs, *((None, row) for row in came)], 1):
        keys = dict.fromkeys((*(one or {}), *(other or {})))
        for key in (key for key in keys if _is_told(one, key) or _is_told(other, key)):
            differs = one is None or other is None or f"rows.{place}.{key}" in found
            told = [
                _cell(key, (one or {}).get(key), language),
                _cell(key, (other or {}).get(key), language, differs=differs),
            ]
            lines.append((f"{language.number(place)} · {language.field(key)}", told))
    return Table([language.text("side_posted"), language.text("side_now")], lines, [])


def _taken(rows: list[_Side], old: _Side, place: int, found: Mapping[str, Any]) -> _Side | None:
    """Takes out of `rows` what the row that was posted at `place` has become."""
    is_now = {
        key: found[f"rows.{place}.{key}"][1] if f"rows.{place}.{key}" in found else old.get(key) for key in ROW_CONTENT
    }
    same = (row for row in rows if all(value in (None, row.get(key)) for key, value in is_now.items()))
    row = next(same, None)
    if row is not None:
        rows.remove(row)
    return row


def _is_told(row: _Side | None, key: str) -> bool:
    return (row or {}).get(key) not in (None, "", "0")


def _cell(key: str, value: Any, language: PageLanguage, *, differs: bool = False) -> Cell:
    return Cell(language.value(key, value), differs, is_figure=key.rpartition(".")[2] in FIGURES)


def _head(snapshot: Mapping[str, Any], language: PageLanguage) -> list[tuple[str, str]]:
    """The head of the document that a review is about: (field, value)."""
    return [
        (language.field(key), language.value(key, value))
        for key, value in snapshot.items()
        if key not in _LEFT_OUT_OF_HEAD and value not in (None, "")
    ]


def _rows(snapshot: Mapping[str, Any], language: PageLanguage) -> Table | None:
    rows: Sequence[_Side] = snapshot.get("rows") or ()
    if not rows:
        return None
    keys = list(rows[0])
    lines = [
        (language.number(place), [_cell(key, row.get(key), language) for key in keys])
        for place, row in enumerate(rows, 1)
    ]
    return Table([language.field(key) for key in keys], lines, [])
