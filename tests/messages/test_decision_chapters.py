"""The chapters that tell decisions: whole in both languages, and every code in the source has its entry and its parameters."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import siaghsync
from siaghsync.domain.document import AMOUNTS, HEADER_CONTENT, ROW_CONTENT
from siaghsync.domain.fields import FIELDS
from siaghsync.domain.reasons import Match, Operation, Reason
from siaghsync.messages import catalog
from siaghsync.messages.catalog import Entry

PACKAGE = Path(siaghsync.__file__).parent
CHAPTERS = ("reason", "document", "field", "kind", "brake", "match", "operation", "system")
CODE = re.compile(rf"({'|'.join(CHAPTERS)})\.[a-z0-9_]+")
CODES = [f"{chapter}.{name}" for chapter in CHAPTERS for name in catalog.chapter(chapter)]
PERSIAN = re.compile("[\u0600-\u06ff]")


def entry_of(code: str) -> Entry:
    entry = catalog.find(code)
    assert entry is not None, code
    return entry


def places(template: str) -> set[tuple[str, str]]:
    """The places of a text as (name, format)."""
    return {(name, form or "") for _, name, form, _ in string.Formatter().parse(template) if name is not None}


def names_in(entry: Entry) -> set[str]:
    """The parameters that the text and the cure of an entry need."""
    return {name for text in (*entry.text.values(), *entry.cure.values()) for name, _ in places(text)}


# --- the entries -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_an_entry_says_the_same_in_both_languages(code: str) -> None:
    entry = entry_of(code)
    assert places(entry.text["en"]) == places(entry.text["fa"])
    for texts in (entry.text, entry.title, entry.cure, *entry.causes):
        assert set(texts) in (set(), {"en", "fa"})
        assert all(text.strip() == text != "" for text in texts.values())
    for texts in (entry.title, *entry.causes):
        assert not any(places(text) for text in texts.values()), "titles and causes are told without parameters"
    for text in (entry.title, entry.cure, *entry.causes):
        assert not text or PERSIAN.search(text["fa"])


@pytest.mark.parametrize("code", CODES)
def test_a_format_of_a_place_is_known(code: str) -> None:
    known = {"", "count", "amount", "time", "day", *catalog.chapters()}
    assert {form for _, form in places(entry_of(code).text["en"])} <= known


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_told_whole(reason: Reason) -> None:
    entry = entry_of(f"reason.{reason}")
    assert entry.title
    assert entry.causes
    assert entry.cure
    assert not any(places(text) for text in entry.cure.values()), "a cure is shown where only the word is known"


def test_a_reason_in_other_words_belongs_to_a_reason() -> None:
    for name, entry in catalog.chapter("reason").items():
        if name in set(Reason):
            continue
        assert any(name.startswith(f"{reason}_") for reason in Reason), name
        assert (entry.title, entry.causes, entry.cure) == ({}, (), {}), "those of the reason are shown"


@pytest.mark.parametrize("match", Match)
def test_a_way_to_find_a_pair_has_a_title(match: Match) -> None:
    assert entry_of(f"match.{match}").title


def test_chapters_hold_their_words_and_no_others() -> None:
    assert set(catalog.chapter("match")) == set(Match)
    assert set(catalog.chapter("operation")) == set(Operation)
    assert set(catalog.chapter("system")) == {"crm", "finance"}


def test_every_field_has_a_label() -> None:
    assert set(catalog.chapter("field")) >= {*FIELDS, *HEADER_CONTENT, *ROW_CONTENT, *AMOUNTS}


# --- the codes in the source -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Use:
    """A call with a code of one of the chapters; `params` None where they can't be read from the call."""

    where: str
    code: str
    params: frozenset[str] | None


def uses_in(source: str, where: str) -> Iterator[Use]:
    """Every call whose first argument is a code of the chapters, except those that only look an entry up."""
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant)):
            continue
        code, name = node.args[0].value, ast.unparse(node.func).rpartition(".")[2]
        if not (isinstance(code, str) and CODE.fullmatch(code)) or name in ("find", "title"):
            continue
        given = [keyword.arg for keyword in node.keywords]
        readable = len(node.args) == 1 and None not in given
        yield Use(f"{where}:{node.lineno}", code, frozenset(filter(None, given)) if readable else None)


USES = [
    use
    for path in sorted(PACKAGE.rglob("*.py"))
    for use in uses_in(path.read_text("utf-8"), str(path.relative_to(PACKAGE)))
]


def misuse(use: Use) -> str | None:
    """What is wrong with a use, or None."""
    entry = catalog.find(use.code)
    if entry is None:
        return f"{use.where}: {use.code} has no entry"
    if use.params is not None and use.params != names_in(entry):
        return f"{use.where}: {use.code} needs {sorted(names_in(entry))}, not {sorted(use.params)}"
    return None


def test_every_code_in_the_source_has_its_entry_and_gets_its_parameters() -> None:
    assert len(USES) > 60
    assert [found for use in USES if (found := misuse(use))] == []


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        ('msg("reason.stranger", code=1, number="2")', None),
        ('msg("reason.stranger", code=1)', "needs ['code', 'number'], not ['code']"),
        ('message.msg("reason.no_rows", row=1)', "needs [], not ['row']"),
        ('msg("reason.nothing")', "has no entry"),
        ('BrakeError("brake.creates", creates=1)', "needs ['creates', 'limit']"),
        ('msg("reason.stranger", **params)', None),
        ('Message("reason.stranger", params)', None),
        ('catalog.title("reason.nothing")', None),
    ],
)
def test_a_wrong_use_is_noticed(source: str, problem: str | None) -> None:
    found = [misuse(use) for use in uses_in(source, "x")]
    if problem is None:
        assert not any(found)
    else:
        assert problem in (found[0] or "")
