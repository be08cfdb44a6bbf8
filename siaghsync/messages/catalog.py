"""The sentences of the program in both languages, and how a message becomes one.

One TOML file in `catalog/` is one chapter, one table in it one entry: the text (`en`, `fa`), and where it helps a `title` for
tables, the likely `causes` and the `cure`. A cause with a `when` counts only where that condition holds. A place in a text is
`{name}` or `{name:format}`:

    {name}            text as it is; a message in the same language; several messages one after the other
    {name:lines}      several messages, each on an indented line of its own
    {name:list}       several messages, with commas between them
    {name:count}      a whole number in the digits of the language
    {name:amount}     rials, grouped by thousands
    {name:time}       a stored moment (ISO 8601, UTC): Tehran's time, the Jalali date
    {name:day}        a day (YYYY-MM-DD)
    {name:cure}       what to do about a message
    {name:CHAPTER}    the title (or text) of the entry CHAPTER.value: {system:system}, {document_kind:kind}, {field:field}
"""

from __future__ import annotations

import string
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any, Literal

from siaghsync.messages import calendar
from siaghsync.messages.message import Message

Language = Literal["en", "fa"]

_FOLDER = Path(__file__).with_name("catalog")
_PERSIAN_DIGITS = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
_ISOLATE, _END_ISOLATE = "\u2068", "\u2069"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the catalog; each text by its language. `title`, `causes` and `cure` can be empty."""

    text: Mapping[str, str]
    title: Mapping[str, str]
    causes: tuple[Mapping[str, str], ...]
    cure: Mapping[str, str]


@cache
def chapter(name: str) -> Mapping[str, Entry]:
    """All entries of a chapter, in the order of its file. Raises FileNotFoundError for a chapter that does not exist."""
    with (_FOLDER / f"{name}.toml").open("rb") as file:
        data = tomllib.load(file)
    return {key: _entry(value) for key, value in data.items()}


def chapters() -> list[str]:
    """The names of all chapters."""
    return sorted(path.stem for path in _FOLDER.glob("*.toml"))


def find(code: str) -> Entry | None:
    """The entry of a message code, or None. `status_503` falls back on `status_5xx`."""
    name, _, key = code.partition(".")
    try:
        entries = chapter(name)
    except FileNotFoundError:
        return None
    found = entries.get(key)
    if found is None and key.startswith("status_"):
        found = entries.get(f"{key[: len('status_') + 1]}xx")
    return found


def render(message: Message, language: Language = "en", *, isolate: bool = False) -> str:
    """The sentence of a message. With `isolate` each parameter keeps its own writing direction.

    A message that another version has stored can have a code without an entry, or lack a parameter: then the code, or the
    name of the parameter, stands in its place.
    """
    # A place at the end can be empty: what another system said, if it said nothing.
    entry = find(message.code)
    return _fill(entry.text[language] if entry else message.code, message.params, language, isolate).rstrip()


def cure(message: Message, language: Language = "en") -> str:
    """What to do about a message, or ""."""
    entry = find(message.code)
    return _fill(entry.cure[language], message.params, language, False) if entry and entry.cure else ""


def causes(message: Message, language: Language = "en", holds: Collection[str] = ()) -> list[str]:
    """The likely causes of a message, the most likely one first.

    A cause that has a condition (`when`) is left out unless `holds` names that condition.
    """
    entry = find(message.code)
    wanted = (cause for cause in (entry.causes if entry else ()) if cause.get("when", "") in ("", *holds))
    return [_fill(cause[language], message.params, language, False) for cause in wanted]


def title(code: str, language: Language = "en") -> str:
    """The short name of an entry; the last part of the code with blanks if there is no entry."""
    entry = find(code)
    if entry is None:
        return code.partition(".")[2].replace("_", " ")
    return (entry.title or entry.text)[language]


def digits(text: object, language: Language) -> str:
    """Digits for reading in the digits of the language; never for what people type somewhere, such as codes."""
    return str(text).translate(_PERSIAN_DIGITS) if language == "fa" else str(text)


def amount(value: object, language: Language) -> str:
    """An amount grouped by thousands; a text that is no amount stays as it is."""
    try:
        grouped = f"{Decimal(str(value)):,f}"
    except InvalidOperation:
        return str(value)
    return digits(grouped.replace(",", "٬"), language) if language == "fa" else grouped


def _entry(data: Mapping[str, Any]) -> Entry:
    text = {language: data[language] for language in ("en", "fa")}
    return Entry(text, data.get("title", {}), tuple(data.get("causes", ())), data.get("cure", {}))


def _fill(template: str, params: Mapping[str, Any], language: Language, isolate: bool) -> str:
    parts: list[str] = []
    for literal, name, form, _ in string.Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            parts.append(_shown(params.get(name, f"({name})"), form or "", language, isolate))
    return "".join(parts)


def _shown(value: Any, form: str, language: Language, isolate: bool) -> str:
    if isinstance(value, Message):
        return cure(value, language) if form == "cure" else render(value, language, isolate=isolate)
    if isinstance(value, tuple):
        texts = [render(item, language, isolate=isolate) for item in value]
        if form == "list":
            return ("، " if language == "fa" else ", ").join(texts)
        return "".join(f"\n  {text}" for text in texts) if form == "lines" else " ".join(texts)
    if form:
        return _formatted(value, form, language)
    text = "" if value is None else str(value)
    return f"{_ISOLATE}{text}{_END_ISOLATE}" if isolate and text else text


def _formatted(value: Any, form: str, language: Language) -> str:
    if value is None:
        return ""
    if form in ("count", "amount"):
        return amount(value, language)
    if form == "time":
        return calendar.moment_for(str(value), language)
    if form == "day":
        return calendar.day_for(str(value), language)
    return title(f"{form}.{value}", language)
