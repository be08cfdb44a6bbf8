"""The catalog holds what is used and nothing else, explains every stable word, and is written in good Persian."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping

import pytest

from siaghsync import errors
from siaghsync.domain.fields import TABLE
from siaghsync.domain.reasons import AuditOutcome, Match, Operation, Reason, Resolution
from siaghsync.messages.catalog import Entry, chapter, chapters, find, render, title
from siaghsync.messages.message import msg
from tests.messages.codes_used import codes_in, codes_used

CHAPTERS = set(chapters())
CODES = {f"{name}.{word}": entry for name in chapters() for word, entry in chapter(name).items()}
FORMATS = {"count", "amount", "time", "day", "lines", "list", "cure"}
VARIANTS = re.compile(r"_\wxx$")
"""Entries that serve all statuses of a class."""


def texts(entry: Entry) -> Iterator[Mapping[str, str]]:
    """All texts of an entry, each by its language."""
    yield from (each for each in (entry.text, entry.title, *entry.causes, entry.cure) if each)


def forms(entry: Entry) -> set[str]:
    """The formats of all places."""
    parsed = (string.Formatter().parse(text) for each in texts(entry) for text in (each["en"], each["fa"]))
    return {form or "" for parts in parsed for _, name, form, _ in parts if name is not None}


# --- what it holds -----------------------------------------------------------------------------------------


def test_every_entry_is_used() -> None:
    patterns = [re.compile(re.escape(code).replace(r"\*", r"[\w -]+")) for code in codes_used(CHAPTERS)]
    as_format = {form for entry in CODES.values() for form in forms(entry)}
    looked_up = {*as_format, "error", "exit", "env_file"}  # the last three have tests of their own
    unused = {
        code
        for code in CODES
        if code.partition(".")[0] not in looked_up
        and not VARIANTS.search(code)
        and not any(pattern.fullmatch(code) for pattern in patterns)
    }
    assert unused == set()


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
def test_each_format_is_one_that_exists(name: str) -> None:
    for word, entry in chapter(name).items():
        assert forms(entry) <= {"", *FORMATS, *CHAPTERS}, word


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
            assert not re.search(r"[آ-ی] *[,;?](?!\w)", _QUOTED.sub("", text)), f"{word}: Latin punctuation"
            assert not re.search(r"(?<![\w\u200c])(سند|سندی|سندها|اسناد)(?![\w\u200c])", text), (
                f"{word}: سند alone is a voucher to an accountant; برگه, فاکتور or پیش‌فاکتور is meant"
            )
            assert not re.search("[يك]", text) or "ي ی" in text or "ي یا ك" in text, word
            assert not [retired for retired in (*RETIRED, "...", "…") if retired in _QUOTED.sub("", text)], word


@pytest.mark.parametrize("name", chapters())
def test_persian_texts_are_in_persian(name: str) -> None:
    for word, entry in chapter(name).items():
        for text in (each["fa"] for each in texts(entry)):
            bare = re.sub(r"{[^}]*}|`[^`]*`", "", text)
            assert re.search("[\u0600-\u06ff]", text) or not re.search(r"[A-Za-z]{2,} [a-z]{2,}", bare), word


# --- the search itself -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("msg('usage.a', x=1)", {"usage.a"}),
        ("title(f'usage.{word}')", {"usage.*"}),
        ("title(f'usage.a_{word}_b')", {"usage.a_*_b"}),
        ("PREFIX = 'usage.a_'", {"usage.a_*"}),
        ("msg('other.a')", set()),
        ("'Use usage.a here'", set()),
    ],
)
def test_codes_are_found(source: str, found: set[str]) -> None:
    assert set(codes_in(source, {"usage"})) == found


def test_a_list_has_the_commas_of_its_language() -> None:
    seen = msg("rehearse.saw_phones", refused=(msg("check.answer_same_field"), msg("check.answer_punctuation")))
    assert render(seen).endswith(": the same field, with blanks in it")
    assert render(seen, "fa").endswith(": همان فیلد، با فاصله میان ارقام")
