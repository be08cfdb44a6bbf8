"""Lines and tables that hold text of others: each piece keeps its direction to itself, wherever a line breaks. And the
catalog's short names for reasons, links and fields, as they show them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderableType
from rich.containers import Lines
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from siaghsync.domain.fields import BY_FINANCE_KEY
from siaghsync.messages.catalog import Entry, Language, find, render, title
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_checks import label_of
from siaghsync.report.sanitize import cleaned, harmless

_REASON_CHAPTERS = ("reason", "call", "match")


def reason_title(word: str, language: Language = "en") -> str:
    """The short sentence of a reason, or the word itself with blanks."""
    return title(_code_of(word), language)


def reason_with_word(word: str) -> str:
    """The short sentence of a reason with the word itself behind it, by which it is found elsewhere; a word that the catalog
    does not know stands alone."""
    return word if _entry_of(word) is None else f"{reason_title(word)} ({word})"


def why_and_what_to_do(word: str, language: Language = "en") -> list[str]:
    """How a reason comes about, the most likely cause first, and what to do; nothing if the catalog does not know it."""
    entry = _entry_of(word)
    if entry is None:
        return []
    causes = [cause[language] for cause in entry.causes]
    lines: list[Message] = []
    if len(causes) == 1:
        lines.append(msg("cli.likely_cause", cause=causes[0]))
    elif causes:
        lines.append(msg("cli.likely_causes"))
        lines += [msg("cli.one_cause", number=number, cause=cause) for number, cause in enumerate(causes, 1)]
    if entry.cure:
        lines.append(msg("cli.what_to_do_now", hint=entry.cure[language]))
    return [render(line, language) for line in lines]


def linked_by(word: str) -> str:
    """How two sides were found to belong together: `by the mark in its notes`."""
    if find(f"match.{word}") is None:
        return reason_with_word(word)
    found = title(f"match.{word}")
    return f"by {found[:1].lower()}{found[1:]}"


def field_label(key: str, language: Language = "en") -> str:
    """What a field is called, by its key in the JSON of a run or its own name: `national code`, `row 2, quantity`."""
    return render(label_of(BY_FINANCE_KEY.get(key, key)), language)


def answer_text(answer: Any, language: Language = "en") -> str:
    """The answer to one of the open questions about a site, as people read it."""
    if answer is None:
        return title("check.open", language)
    if isinstance(answer, bool):
        return title("check.answer_yes" if answer else "check.answer_no", language)
    comma = "، " if language == "fa" else ", "
    if isinstance(answer, Mapping):
        return comma.join(
            f"{answer_text(name, language)}: {answer_text(value, language)}" for name, value in answer.items()
        )
    if isinstance(answer, list):
        return comma.join(answer_text(value, language) for value in answer) or title("check.answer_none", language)
    return title(code, language) if find(code := f"check.answer_{answer}") else str(answer) or "-"


def _entry_of(word: str) -> Entry | None:
    return find(_code_of(word))


def _code_of(word: str) -> str:
    return next((code for chapter in _REASON_CHAPTERS if find(code := f"{chapter}.{word}")), f"reason.{word}")


_LEFT_TO_RIGHT, _RIGHT_TO_LEFT, _END = "\u2066", "\u2067", "\u2069"
"""The marks between which a text keeps its direction to itself."""
_DIRECTIONS = {"L": _LEFT_TO_RIGHT, "R": _RIGHT_TO_LEFT, "AL": _RIGHT_TO_LEFT}
_MOST_CELLS = 200


def isolated(text: str | None, most: int = _MOST_CELLS) -> str:
    """Text of others for a line of ours: cleaned, cut after `most` cells, and between marks that keep Persian from
    reordering what stands around it."""
    if not text:
        return ""
    shown = cleaned(text)
    if cell_len(shown) > most:
        shown = set_cell_size(shown, most - 1).rstrip() + "…"
    classes = [] if shown.isascii() else [unicodedata.bidirectional(letter) for letter in shown]
    if not {"R", "AL", "AN"}.intersection(classes):
        return shown
    mark = next((_DIRECTIONS[each] for each in classes if each in _DIRECTIONS), _LEFT_TO_RIGHT)
    return f"{mark}{shown}{_END}"


def change(label: str, old: str | None, new: str | None) -> str:
    """One field of a change: `label: old -> new`; without `->` if it is new, since nothing stood there before."""
    after = isolated(new) or "(empty)"
    return f"{label}: {after}" if old is None else f"{label}: {isolated(old) or '(empty)'} -> {after}"


def sentence(message: Message | None, most: int = _MOST_CELLS) -> str:
    """A message as an English line of ours; "" for None. What others wrote in it keeps its own direction."""
    return isolated(render(message), most) if message else ""


def not_shown(count: int, elsewhere: str = "--json") -> list[RenderableType]:
    """The line below a list that was cut: how many more there are, and what shows all. Nothing below 1."""
    return [Text(render(msg("cli.not_shown", count=count, elsewhere=elsewhere)), style="dim")] if count > 0 else []


class Prose(Text):
    """A text of ours with isolated parts: where it is broken into lines, each line closes what it opens.

    Otherwise the rest of a Persian name that goes on in the next line would reorder the other columns of this one.
    """

    def wrap(self, console: Console, width: int, **how: Any) -> Lines:
        """The lines, each with its isolates closed."""
        return Lines(_balanced(super().wrap(console, width, **how)))


def _balanced(lines: Iterable[Text]) -> Iterator[Text]:
    opened = ""
    for line in lines:
        before = opened
        for letter in line.plain:
            if letter == _END:
                opened = opened[:-1]
            elif letter in (_LEFT_TO_RIGHT, _RIGHT_TO_LEFT):
                opened += letter
        yield _enclosed(line, before, _END * len(opened)) if before or opened else line


def _enclosed(line: Text, before: str, after: str) -> Text:
    """The line with the marks that it lacks; the spaces around it, which only fill a column, stay outside."""
    plain = line.plain
    left, right = len(plain) - len(plain.lstrip(" ")), len(plain.rstrip(" "))
    first, middle, last = line.divide([left, max(left, right)])
    return first.append_text(Text(before)).append_text(middle).append_text(Text(after)).append_text(last)


def table(*headers: str, right: Iterable[str] = (), whole: Iterable[str] = ()) -> Table:
    """An empty table in our style. Columns named in `right` hold numbers; they and those in `whole` are never
    broken into lines."""
    found = _Table(box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for header in headers:
        kept = header in right or header in whole
        found.add_column(
            header,
            justify="right" if header in right else "left",
            no_wrap=kept,
            overflow="ellipsis" if kept else "fold",
        )
    return found


class _Table(Table):
    """A table whose cells of plain text are `Prose`."""

    def add_row(self, *cells: Any, **how: Any) -> None:
        super().add_row(*(Prose(cell) if isinstance(cell, str) else cell for cell in cells), **how)


class Guarded:
    """Something to show whose every piece of text is made harmless, last of all."""

    def __init__(self, part: RenderableType) -> None:
        self._part = part

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Segment]:
        for segment in console.render(self._part, options):
            text, style, control = segment
            yield segment if control else Segment(harmless(text, options.encoding), style)
