"""The catalog has an entry for every code that the program uses, and no other; it says the same in both languages."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from codes_used import PACKAGE, uses, uses_in

from siaghsync import errors
from siaghsync.domain.fields import TABLE
from siaghsync.domain.reasons import AuditOutcome, Match, Operation, Reason, Resolution
from siaghsync.messages.catalog import Entry, chapter, chapters, find, title

CHAPTERS = set(chapters())
CODES = {f"{name}.{word}": entry for name in chapters() for word, entry in chapter(name).items()}
USES = uses(CHAPTERS)
FORMATS = {"count", "amount", "time", "day", "lines"}
_VARIANT = re.compile(r"_\wxx$")


def texts(entry: Entry) -> Iterator[Mapping[str, str]]:
    """All texts of an entry, each by its language."""
    yield from (each for each in (entry.text, entry.title, *entry.causes, entry.cure) if each)


def places(text: str) -> set[tuple[str, str]]:
    """(name, format) of each place in a text."""
    return {(name, form or "") for _, name, form, _ in string.Formatter().parse(text) if name is not None}


# --- all codes, and only those ------------------------------------------------------------------------------


def matches(pattern: str) -> set[str]:
    """The codes that a code or a pattern stands for."""
    if "*" not in pattern:
        return {pattern} if find(pattern) else set()
    found = re.compile(re.escape(pattern).replace(r"\*", r"\w+"))
    return {code for code in CODES if found.fullmatch(code)}


def test_every_code_that_is_used_has_an_entry() -> None:
    assert len(USES) > 200
    assert {use.where: use.code for use in USES if not matches(use.code)} == {}


def test_every_entry_is_used() -> None:
    used = {code for use in USES for code in matches(use.code)}
    named = {
        form for entry in CODES.values() for each in texts(entry) for text in each.values() for _, form in places(text)
    }
    used |= {
        code for code in CODES if code.partition(".")[0] in {*named, "error", "exit"}
    }  # two chapters of their own tests
    assert {code for code in CODES if code not in used and not _VARIANT.search(code)} == set()


def test_the_parameters_fill_every_place() -> None:
    wrong = {}
    for use in USES:
        entry = CODES.get(use.code)
        if entry is None or use.params is None:
            continue
        needed = {name for each in (entry.text, entry.cure) for text in each.values() for name, _ in places(text)}
        if needed - use.params:
            wrong[use.where] = f"{use.code} lacks {sorted(needed - use.params)}"
    assert wrong == {}


@pytest.mark.parametrize(
    ("word", "its_chapter"),
    [
        *((word, "reason") for word in Reason),
        *((word, "match") for word in Match),
        *((word, "operation") for word in Operation),
        *((word, "outcome") for word in (*AuditOutcome, *Resolution, "ok", "partial", "failed", "dry_run")),
        *((row.name, "field") for row in TABLE),
    ],
)
def test_every_stable_word_has_a_title(word: str, its_chapter: str) -> None:
    assert find(f"{its_chapter}.{word}"), f"{its_chapter}.{word}"
    assert title(f"{its_chapter}.{word}")


@pytest.mark.parametrize("word", list(Reason))
def test_a_reason_is_explained(word: str) -> None:
    entry = chapter("reason")[word]
    assert entry.title
    assert entry.causes
    assert entry.cure


def kinds(error: type[errors.SiaghsyncError]) -> Iterator[str]:
    yield error.kind
    for each in error.__subclasses__():
        yield from kinds(each)


def test_the_kinds_of_errors_are_those_of_the_catalog() -> None:
    assert set(chapter("error")) == {*kinds(errors.SiaghsyncError), "bug"}


def test_the_exit_codes_are_those_of_the_errors() -> None:
    def codes(error: type[errors.SiaghsyncError]) -> Iterator[int]:
        yield error.exit_code
        for each in error.__subclasses__():
            yield from codes(each)

    told = {int(code) for key in chapter("exit") for code in key.split("_")}
    assert told == {0, 70, 130, 143, *codes(errors.SiaghsyncError)}


# --- what it says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", chapters())
def test_each_entry_says_the_same_in_both_languages(name: str) -> None:
    for word, entry in chapter(name).items():
        for each in texts(entry):
            assert {place for place, _ in places(each["en"])} == {place for place, _ in places(each["fa"])}, word
            assert each["en"].strip(), word
            bare = re.sub(r"{[^}]*}|`[^`]*`", "", each["fa"])
            is_sentence = re.search(r"[A-Za-z]{2,} [a-z]{2,}", bare)
            assert re.search("[\u0600-\u06ff]", each["fa"]) or not is_sentence, f"{word} is not in Persian"


@pytest.mark.parametrize("name", chapters())
def test_each_format_is_one_that_exists(name: str) -> None:
    for word, entry in chapter(name).items():
        forms = {form for each in texts(entry) for text in each.values() for _, form in places(text)}
        assert forms <= {"", *FORMATS, *CHAPTERS}, word


_QUOTED = re.compile(r"\[[^]]*\]|`[^`]*`")
RETIRED = ("ورود اولیه", "سند فروش", "رها شد", "علت محتمل", "نامزد", "از آنِ", "خودبه‌خود", "سرور نام", "به حال خود")
"""Words of the first version that mislead."""


@pytest.mark.parametrize("name", chapters())
def test_persian_is_written_as_persians_write_it(name: str) -> None:
    for word, entry in chapter(name).items():
        for text in (each["fa"] for each in texts(entry)):
            assert not re.search(r"(?<!\w)ن?می ", text), f"{word}: a half-space belongs behind می"
            assert not re.search(r" (ها|های|هایی|ام|اند|تر|ترین)(?!\w)", text), (
                f"{word}: a half-space belongs before it"
            )
            assert not re.search("[يك]", text) or "ي ی" in text or "ي یا ك" in text, word
            assert not [retired for retired in (*RETIRED, "...", "…") if retired in _QUOTED.sub("", text)], word


# --- the search itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("msg('usage.a', x=1)", [("usage.a", {"x"})]),
        ("raise UsageError('usage.a')", [("usage.a", set())]),
        ("raise InDoubt('usage.a', 'b')", [("usage.a", None)]),
        ("msg('usage.a', **more)", [("usage.a", None)]),
        ("title(f'usage.{word}')", [("usage.*", None)]),
        ("CODE = 'usage.a'", [("usage.a", None)]),
        ("msg('other.a')", []),
        ("'Use usage.a here'", []),
    ],
)
def test_codes_are_found(source: str, found: list[tuple[str, set[str] | None]]) -> None:
    assert [(use.code, use.params) for use in uses_in("x", source, {"usage"})] == found


def test_the_program_is_looked_at() -> None:
    assert {Path(use.where.partition(":")[0]).parts[0] for use in USES} >= {
        "cli",
        "sync",
        "planning",
        "state",
        "features",
    }
    assert (PACKAGE / "__main__.py").exists()
