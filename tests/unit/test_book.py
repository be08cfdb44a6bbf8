"""The book knows every word that the program gives as a reason, and no other; it says each thing in both languages, once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from siaghsync import errors
from siaghsync.book.calls import CALLS
from siaghsync.book.checkup import DIAGNOSES
from siaghsync.book.entry import Chapter, Entry
from siaghsync.book.index import REASONS, reason
from siaghsync.book.kinds import KINDS
from siaghsync.book.links import LINKED_BY
from siaghsync.book.warnings import WARNINGS
from siaghsync.show.reasons import in_words, linked_by, why_and_what_to_do
from siaghsync.store import inbox
from tests.unit.words_used import PACKAGE, Source, literals, source

CHAPTERS: dict[str, Chapter] = {
    "kinds": KINDS, "reasons": REASONS, "calls": CALLS, "diagnoses": DIAGNOSES, "warnings": WARNINGS,
}  # fmt: skip
ENTRIES = [pytest.param(entry, id=f"{chapter}-{word}") for chapter, e in CHAPTERS.items() for word, entry in e.items()]
WARNS = "_warning"
GIVEN = list(source().given())


def told(words: Iterator[str] | set[str], chapter: set[str]) -> set[str]:
    """The words of a chapter that these words, or words made of parts, stand for."""
    return {known for known in chapter for word in words if re.fullmatch(word, known)}


# --- all words, and only those ------------------------------------------------------------------------------


def test_every_reason_stands_in_the_book() -> None:
    found = {word for function, word in GIVEN if function != WARNS}
    assert len(found) > 60
    unknown = {word for word in found if not told({word}, {*REASONS, *CALLS, *LINKED_BY})}
    assert not unknown
    assert not {word for function, word in GIVEN if function == WARNS} - WARNINGS.keys()


def test_every_reason_of_the_book_is_given_somewhere() -> None:
    found = {word for function, word in GIVEN if function != WARNS} | {inbox.REASON}
    chapter = {*REASONS, *CALLS}
    assert chapter - told(found, chapter) == set()
    assert WARNINGS.keys() == {word for function, word in GIVEN if function == WARNS}
    assert set(LINKED_BY) <= literals()


def kinds(error: type[errors.SiaghsyncError]) -> Iterator[str]:
    yield error.kind
    for each in error.__subclasses__():
        yield from kinds(each)


def test_the_kinds_of_errors_are_those_of_the_book() -> None:
    main = ast.parse((PACKAGE / "__main__.py").read_text("utf-8"))
    said = {
        ast.unparse(c.args[0])
        for c in ast.walk(main)
        if isinstance(c, ast.Call) and "error_document" in ast.unparse(c.func)
    }
    assert said == {"'bug'"}
    assert KINDS.keys() == {*kinds(errors.SiaghsyncError), "bug"}


def test_the_diagnoses_are_those_of_the_book() -> None:
    text = (PACKAGE / "rules" / "diagnose.py").read_text("utf-8")
    assert set(re.findall(r'_found\(\s*"(\w+)"', text)) == DIAGNOSES.keys()


def test_no_sentence_stands_anywhere_else() -> None:
    said = {
        text for chapter in CHAPTERS.values() for entry in chapter.values() for text in (*entry.sentence, *entry.cure)
    }
    assert len(said) > 150
    assert not said & literals()


# --- what it says ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ENTRIES)
def test_each_entry_says_the_same_in_both_languages(entry: Entry) -> None:
    for said in (entry.sentence, *entry.causes, entry.cure):
        assert said.fa.strip() == said.fa != ""
        assert said.en.strip() == said.en != ""
        assert set(re.findall(r"{\w+}", said.fa)) == set(re.findall(r"{\w+}", said.en))
        assert re.search("[\u0600-\u06ff]", said.fa) or re.fullmatch(r"[{}:/. \w]+", said.fa)
    assert entry.causes
    assert not entry.sentence.fa.endswith(".")
    assert not entry.sentence.en.endswith(".")
    assert all(said.en.endswith((".", "?).", "}")) for said in entry.causes)


@pytest.mark.parametrize("entry", ENTRIES)
def test_persian_is_written_as_persians_write_it(entry: Entry) -> None:
    for said in (entry.sentence, *entry.causes, entry.cure):
        assert not re.search(r"(?<!\w)ن?می ", said.fa), "a half-space belongs behind می"
        assert not re.search(r" (ها|های|هایی|ام|اند|تر|ترین)(?!\w)", said.fa), "a half-space belongs before it"
        assert "ي ی" in f"{said.fa}" or not re.search("[يك]", said.fa) or "ي یا ك" in said.fa


def test_the_terminal_shows_sentence_word_causes_and_cure() -> None:
    assert in_words("stranger") == f"{REASONS['stranger'].sentence.en} (stranger)"
    assert in_words("status_503") == "It answered with status 503 (status_503)"
    assert linked_by("marker") == "by the mark in its notes"
    assert linked_by("same_as_quote") == "One with its quote (same_as_quote)"
    assert in_words("never_heard_of") == "never_heard_of"
    *why, what = why_and_what_to_do("stranger")
    assert "The two systems gave the same number" in why[1]
    assert what.startswith("What to do: If both are the same customer")
    assert not list(why_and_what_to_do("never_heard_of"))
    assert reason("status_404") is not reason("status_418") is not None


# --- the search itself -------------------------------------------------------------------------------------

TAKES = "def fail(action, reason): ...\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail(1, 'a')", {"a"}),
        ("fail(1, reason='a' if x else 'b')", {"a", "b"}),
        ("WHY = 'a'\nfail(1, WHY)", {"a"}),
        ("def f():\n    why = 'a'\n    fail(1, why)", {"a"}),
        ("def f():\n    why, what = ('a', 1) if x else ('b', 2)\n    fail(1, why)", {"a", "b"}),
        ("ROWS = (('a', 1), ('b', 2))\ndef f():\n    for why, n in ROWS:\n        fail(1, why)", {"a", "b"}),
        ("def why():\n    return 'a', 1\ndef f():\n    x, y = why()\n    fail(1, x)", {"a"}),
        ("fail(1, f'a_{x}')", {r"a_\w+"}),
        ("fail(1, error.reason)\nfail(1, row['reason'])", set()),
        ("class E:\n    def __init__(self, reason): ...\nclass F(E): ...\nF('a')", {"a"}),
    ],
)
def test_words_are_followed_to_where_they_are_made(text: str, words: set[str]) -> None:
    assert {word for _, word in Source({"room": TAKES + text}).given()} == words


def test_what_can_not_be_followed_is_an_error() -> None:
    with pytest.raises(LookupError, match="room, line 3: where does `why` come from"):
        list(Source({"room": TAKES + "def f(why):\n    fail(1, why)"}).given())
