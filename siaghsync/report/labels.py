"""The catalog's short names for reasons, links and fields, as tables and lines show them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from siaghsync.domain.fields import BY_FINANCE_KEY
from siaghsync.messages.catalog import Entry, Language, find, render, title
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_difference import label_of

_REASON_CHAPTERS = ("reason", "call")


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
    if isinstance(answer, Mapping):
        return ", ".join(f"{name}: {answer_text(value, language)}" for name, value in answer.items())
    if isinstance(answer, list):
        return ", ".join(answer_text(value, language) for value in answer) or title("check.answer_none", language)
    return str(answer)


def _entry_of(word: str) -> Entry | None:
    return find(_code_of(word))


def _code_of(word: str) -> str:
    return next((code for chapter in _REASON_CHAPTERS if find(code := f"{chapter}.{word}")), f"reason.{word}")
