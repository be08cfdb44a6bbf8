"""What terminals are shown: text of others without effect, lines that close what they open, moments, bars."""

from __future__ import annotations

import io
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from siaghsync.messages.calendar import day_in_both, moment_for
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.report.sanitize import cleaned, harmless
from siaghsync.report.status import ASCII_BLOCKS, BLOCKS, ago, bar
from siaghsync.report.text import (
    Guarded,
    Prose,
    field_label,
    isolated,
    linked_by,
    not_shown,
    reason_with_word,
    sentence,
    table,
    why_and_what_to_do,
)
from tests.sample_records import TEXT

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
STEERING = "\x00\x07\x08\x1b\x7f\x85\x9b\t\r\n\u2028\u200b\ufeff"
HOSTILE = st.lists(st.one_of(st.sampled_from(BIDI + STEERING), TEXT), max_size=6).map("".join)
OPENED, CLOSED = "\u2066\u2067", "\u2069"


def drawn(*rows: tuple[str, ...], width: int = 60, encoding: str = "utf-8") -> list[str]:
    """The lines of a table with these rows."""
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    grid = table("number", "name", "what", right=("number",))
    for row in rows:
        grid.add_row(*row)
    Console(file=file, width=width, force_terminal=False, highlight=False).print(Guarded(grid))
    file.seek(0)
    return file.read().splitlines()


# --- letters -----------------------------------------------------------------------------------------------


@given(st.one_of(HOSTILE, st.text()))
def test_nothing_that_has_an_effect_survives(text: str) -> None:
    shown = cleaned(text)
    assert not set(shown) & set(BIDI)
    assert not {unicodedata.category(letter) for letter in shown} & {"Cc", "Cs", "Zl", "Zp"}
    assert cleaned(shown) == shown


@given(st.text("آابپتسشمیک " + "۱۲" + "ab", max_size=30), st.data())
def test_the_width_is_that_of_the_letters_one_sees(text: str, data: st.DataObject) -> None:
    """Marks, half-spaces and direction marks between the letters take no room."""
    typed = "".join(
        letter + data.draw(st.text("\u200c\u064e\u0651\u202e\u2067\u200f\u200b\ufeff", max_size=2)) for letter in text
    )
    assert cell_len(isolated(typed)) == len(text)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("شرکت می\u200cخواهم", "شرکت می\u200cخواهم"),
        ("سَلامِ مُحمّد", "سَلامِ مُحمّد"),
        ("a\x1b[31mb", "a\ufffd[31mb"),
        ("a\tb\r\nc\u2028d", "a b c d"),
        ("علی\u202e رضا\u202c", "علی رضا"),
        ("\ud800x", "\ufffdx"),
        ("👨\u200d👩\u200d👧", "👨👩👧"),
        ("ه\u200d. ش", "ه\u200d. ش"),
        ("❤\ufe0f", "❤"),
        ("", ""),
    ],
)
def test_what_becomes_of_what_people_type(typed: str, shown: str) -> None:
    assert cleaned(typed) == shown


@given(HOSTILE)
def test_the_last_look_leaves_lines_and_takes_what_steers(text: str) -> None:
    shown = harmless(text)
    assert shown.count("\n") == text.count("\n")
    assert not [letter for letter in shown if unicodedata.category(letter) in ("Cc", "Cs") and letter != "\n"]
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e")
    harmless(text, "ascii").encode("ascii")
    harmless(text, "cp1256").encode("cp1256")


# --- lines and tables --------------------------------------------------------------------------------------


@given(st.lists(st.tuples(HOSTILE, HOSTILE, HOSTILE), max_size=3))
def test_every_line_of_a_table_is_as_wide_and_closes_what_it_opens(rows: list[tuple[str, str, str]]) -> None:
    lines = drawn(
        *(
            (isolated(number, 10), isolated(name), f"{isolated(name)} -> {isolated(what)}")
            for number, name, what in rows
        )
    )
    assert len({cell_len(line) for line in lines}) == 1
    for line in lines:
        depth = 0
        for letter in line:
            depth += (letter in OPENED) - (letter in CLOSED)
            assert depth in (0, 1)
        assert depth == 0, repr(line)


def test_a_name_that_goes_on_in_the_next_line_leaves_the_other_columns_alone() -> None:
    name = "شرکت بازرگانی با نامی که در یک سطر جا نمی‌شود و ادامه دارد"
    lines = [
        line
        for line in drawn(("1", isolated(name), "what is beside it, and long too, so that it goes on"), width=50)
        if "beside" in line or "long" in line
    ]
    assert lines
    for line in lines:
        start, end = line.index("\u2067"), line.index("\u2069")
        assert start < end < max(line.find("what"), line.find("long"), line.find("beside"))
        assert not line[start + 1 : end].startswith(" ")


def test_a_sentence_in_english_stays_one_where_its_next_line_begins_with_a_persian_word() -> None:
    sentence = Prose(isolated("Row 1 of this document is about (لپ‌تاپ) and has no code."))
    console = Console(width=36, file=io.StringIO())
    first, second = (line.plain for line in sentence.wrap(console, 36))
    assert second.lstrip("\u2066").startswith("(")
    assert (first[0], second[0]) == ("\u2066", "\u2066")
    assert first.rstrip().endswith("\u2069")
    assert second.rstrip().endswith("\u2069")


def test_long_text_is_cut_and_ends_with_a_sign_of_it() -> None:
    assert isolated("x" * 500) == "x" * 199 + "…"
    assert cell_len(isolated("ن" * 500, 20)) == 20
    assert isolated("ن" * 500, 20).endswith("…\u2069")
    assert isolated(None) == isolated("") == ""


def test_an_encoding_that_has_no_persian_gets_signs_instead_of_an_error() -> None:
    lines = drawn(("1", isolated("علی"), "x"), encoding="ascii")
    assert any("???" in line for line in lines)


# --- moments -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("2026-01-05T10:20:30.456+00:00", "2026-01-05 13:50 (1404/10/15)"),
        ("2026-01-05T10:20:30", "2026-01-05 13:50 (1404/10/15)"),
        ("2026-03-20T20:45:00+00:00", "2026-03-21 00:15 (1405/01/01)"),
        ("2021-03-22T20:00:00+00:00", "2021-03-23 00:30 (1400/01/03)"),
    ],
)
def test_a_moment_is_tehrans_in_both_calendars(stored: str, shown: str) -> None:
    assert moment_for(stored, "en") == shown


def test_a_day_that_the_jalali_calendar_can_not_name_stands_alone() -> None:
    assert day_in_both(date(1, 1, 1)) == "0001-01-01"
    assert day_in_both(date(2026, 1, 5)) == "2026-01-05 (1404/10/15)"


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ("2026-01-05T10:20:00+00:00", "just now"),
        ("2026-01-05T10:18:59+00:00", "1 minute ago"),
        ("2026-01-05T07:00:00+00:00", "3 hours ago"),
        ("2026-01-05T08:20:00+00:00", "2 hours ago"),
        ("2026-01-05T09:20:00+00:00", "1 hour ago"),
        ("2025-12-31T07:00:00+00:00", "5 days ago"),
        ("2026-01-05T11:00:00+00:00", "just now"),
    ],
)
def test_how_long_ago(stored: str, said: str) -> None:
    assert render(ago(stored, datetime(2026, 1, 5, 10, 20, 10, tzinfo=UTC))) == said


# --- labels ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "shown"),
    [
        ("fullname", "name"),
        ("passno", "national code"),
        ("national_code", "national code"),
        ("sale_model", "sale model"),
        ("rows.2.quantity", "row 2, quantity"),
        ("rows.2", "row 2"),
        ("new_rows.3", "new row 3"),
        ("never_heard_of", "never heard of"),
    ],
)
def test_a_field_is_called_by_its_name(key: str, shown: str) -> None:
    assert field_label(key) == shown


def test_a_reason_is_shown_with_its_word() -> None:
    assert reason_with_word("stranger") == "This number belongs to another customer (stranger)"
    assert reason_with_word("status_503") == "the server itself failed (status_503)"
    assert reason_with_word("never_heard_of") == "never_heard_of"
    assert linked_by("marker") == "by the mark in its notes"
    assert linked_by("same_as_quote").endswith("(same_as_quote)")


def test_a_reason_tells_its_causes_and_what_to_do() -> None:
    first, *causes, what = why_and_what_to_do("stranger")
    assert first == "Likely causes, the most likely first:"
    assert causes[0].startswith("  1. The two systems gave the same number")
    assert what.startswith("What to do: If both are the same customer")
    (cause, *_) = why_and_what_to_do("no_name")
    assert cause.startswith("Likely cause: ")
    assert why_and_what_to_do("never_heard_of") == []


def test_a_message_with_a_persian_value_keeps_its_direction() -> None:
    assert sentence(msg("text.verbatim", text="نام")) == "\u2067نام\u2069"
    assert sentence(None) == ""
    assert not not_shown(0)
    (line,) = not_shown(1200)
    assert str(line) == "1,200 more are not shown; --json shows all."


# --- bars --------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(0, 10_000), max_size=30), st.sampled_from([BLOCKS, ASCII_BLOCKS]))
def test_a_bar_has_a_cell_for_each_number_in_their_order(numbers: list[int], blocks: str) -> None:
    cells = bar(numbers, blocks)
    assert len(cells) == len(numbers)
    heights = [blocks.index(cell) for cell in cells]
    for left, high in zip(numbers, heights, strict=True):
        assert (left == 0) == (high == 0)
        assert (left == max(numbers) and left > 0) <= (high == len(blocks) - 1)
        assert all(high <= other for number, other in zip(numbers, heights, strict=True) if number >= left)


def test_bars_are_drawn_by_one_measure() -> None:
    assert bar([0, 1, 2, 5, 10], BLOCKS) == "·▁▁▃█"
    assert ASCII_BLOCKS.isascii()
