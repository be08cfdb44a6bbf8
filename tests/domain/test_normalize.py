"""When two values mean the same: letters, digits, phones, codes, marks; and what a value of the form can carry."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from siaghsync.domain.normalize import (
    ascii_digits,
    clean,
    digest,
    fold,
    marker,
    national_key,
    phone_key,
    same_meaning,
    split_marker,
    with_marker,
)
from tests.sample_records import NOTES, TEXT

# --- letters and digits ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("علي يزدي", "علی یزدی"),
        ("موسى", "موسی"),
        ("شركت كاوه", "شرکت کاوه"),
        ("فاطمة", "فاطمه"),
        ("خانۀ سبز", "خانه سبز"),
        ("خانهٔ سبز", "خانۀ سبز"),
        ("أحمد", "احمد"),
        ("إسلامی", "اسلامی"),
        ("ٱمیر", "امیر"),
        ("پلاک ۱۲۳", "پلاک 123"),
        ("پلاک ١٢٣", "پلاک 123"),
        ("علی‌اکبر", "علی اکبر"),
        ("علی‌اکبر", "علیاکبر"),
        ("محمّد", "محمد"),
        ("رحمٰن", "رحمن"),
        ("کتـــاب", "کتاب"),
        ("  علی   رضایی ", "علی رضایی"),
        ("علی\u00a0رضایی", "علی رضایی"),
        ("علی\r\nرضایی", "علی رضایی"),
        ("\u200fعلی\u200e \u202bرضایی\u202c\ufeff", "علی رضایی"),
        ("ACME Co.", "acme co."),
        ("STRASSE", "straße"),
        ("ﻋﻠﯽ", "علی"),
        ("ＡＣＭＥ", "acme"),
        ("مؤمن", "مو\u0654من"),
        ("Zoë", "Zoe\u0308"),
    ],
)
def test_names_that_are_the_same(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize(
    ("left", "right"), [("علی", "علا"), ("حسن", "حسین"), ("شرکت 12", "شرکت 21"), ("آرش", "ارش"), ("a-b", "ab")]
)
def test_names_that_differ(left: str, right: str) -> None:
    assert fold(left) != fold(right)


@given(TEXT)
@example("ا\u200c\u0654")
@example("A\u00b4")
@example("e\u200c\u0301")
def test_folding_twice_changes_nothing_more(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(TEXT)
@example("آب")
@example("e\u0301")
def test_two_encodings_of_the_same_text_are_the_same(text: str) -> None:
    assert fold(unicodedata.normalize("NFD", text)) == fold(text)


@given(TEXT)
def test_digits_of_all_scripts_become_ascii_and_nothing_else_changes(text: str) -> None:
    written = ascii_digits(text)
    assert len(written) == len(text)
    for before, after in zip(text, written, strict=True):
        assert after == (str(unicodedata.decimal(before)) if before in "۰۱۲۳۴۵۶۷۸۹٠١٢٣٤٥٦٧٨٩" else before)


# --- phones and codes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "09123456789", "9123456789", "+989123456789", "+98 912 345 6789", "00989123456789", "989123456789",
        "0098 (912) 345-6789", "+98 (0)912 3456789", "۰۹۱۲۳۴۵۶۷۸۹", "٠٩١٢٣٤٥٦٧٨٩", "0912 345 67 89", "0912\u200c3456789",
        "\u202a+98 912 345 6789\u202c", "0912.345.6789",
    ],
)  # fmt: skip
def test_ways_to_write_one_phone(text: str) -> None:
    assert phone_key(text) == "9123456789"


@given(st.from_regex(r"[1-9][0-9]{4,9}", fullmatch=True), st.sampled_from(["0", "+98", "0098", "+98 ", "۰", "+98-0"]))
@example("2141234", "+98")
@example("9812345678", "0")
def test_the_country_code_says_nothing(national: str, before: str) -> None:
    assume(len(set(national)) > 1)
    assert phone_key(before + national) == national


@pytest.mark.parametrize("text", ["", "-", "ندارد", "0", "1234", "0000000000", "11111111", "+98", "۰۰۰۰۰۰۰۰"])
def test_placeholders_are_nobodys_phone(text: str) -> None:
    assert phone_key(text) == ""


def test_different_phones_differ() -> None:
    keys = {phone_key(text) for text in ("09123456789", "09123456780", "02123456789", "+49 912 3456789")}
    assert len(keys) == 4


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0013542419", "13542419"),
        ("13542419", "13542419"),
        ("۰۰۱۳۵۴۲۴۱۹", "13542419"),
        ("001-354241-9", "13542419"),
        ("10101234567", "10101234567"),
        ("", ""),
        ("ندارد", ""),
        ("1111111111", ""),
        ("0000000000", ""),
        ("123456", ""),
        ("0000123456", ""),
    ],
)
def test_national_codes_are_compared_by_their_digits(text: str, key: str) -> None:
    assert national_key(text) == key


@pytest.mark.parametrize(
    ("key", "left", "right", "same"),
    [
        ("mobile", "09123456789", "+98 912 345 6789", True),
        ("mobile", "09123456789", "09123456780", False),
        ("phone", "021-88776655", "02188776655", True),
        ("phone", "02188776655", "", False),
        ("phone", "۱۲", "12", True),
        ("phone", "1234", "1235", False),
        ("national_code", "0013542419", "13542419", True),
        ("national_code", "0013542419", "0013542427", False),
        ("national_code", "۱۲۳", "123", True),
        ("national_code", "111", "1111", False),
        ("name", "علي", "علی", True),
        ("name", "علی", "علی رضا", False),
        ("address", "تهران\r\nونک", "تهران ونک", True),
        ("address", "09123456789", "9123456789", False),
        ("kind", "0", "1", False),
        ("email", "A@B.com", "a@b.com", True),
        ("notes", "", "", True),
    ],
)
def test_what_counts_as_mere_spelling(key: str, left: str, right: str, same: bool) -> None:
    assert same_meaning(key, left, right) is same
    assert same_meaning(key, right, left) is same


# --- marks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("notes", "text", "number"),
    [
        ("", "", ""),
        ("خوش‌حساب", "خوش‌حساب", ""),
        ("[CRM 100-1234]", "", "100-1234"),
        ("خوش‌حساب [CRM 100-1234]", "خوش‌حساب", "100-1234"),
        ("خوش‌حساب\n\n[CRM 100-1234]\n", "خوش‌حساب", "100-1234"),
        ("a [CRM 1] b", "a b", "1"),
        ("[CRM 1] a [CRM 2]", "a", "2"),
        ("a [CRM ۱۰۰-۱۲۳۴]", "a", "100-1234"),
        ("a [CRM  12 ]", "a", "12"),
        ("a [crm 12]", "a [crm 12]", ""),
        ("a [CRM 12", "a [CRM 12", ""),
        ("a [CRM]", "a [CRM]", ""),
        ("a [CRM \n]", "a [CRM \n]", ""),
        ("a [CRM \x01\u2028 ]", "a [CRM \x01\u2028 ]", ""),
        ("a [CRM " + "1" * 65 + "]", "a [CRM " + "1" * 65 + "]", ""),
        ("[CRM x[CRM 1]2]", "", "1"),
        ("  kept as it is  ", "  kept as it is  ", ""),
    ],
)
def test_markers_are_found_in_notes(notes: str, text: str, number: str) -> None:
    assert split_marker(notes) == (text, number)


@given(NOTES, st.from_regex(r"[A-Za-z0-9/-]{1,20}", fullmatch=True))
@example("a [CRM x", "5")
@example("[CRM 1", "5")
@example("[CRM x[CRM 1]2]", "5")
def test_a_marker_put_in_comes_out(notes: str, number: str) -> None:
    text, _ = split_marker(notes)
    marked = with_marker(notes, number)
    assert marked.endswith(marker(number))
    assert split_marker(marked) == (text.strip(), number)
    again = with_marker(marked, number)
    assert with_marker(again, number) == again, "marking over and over changes nothing more"


@given(NOTES)
def test_no_marker_is_left_in_what_remains(notes: str) -> None:
    text, number = split_marker(notes)
    assert split_marker(text) == (text, "")
    assert with_marker(notes, "") == text
    assert bool(number) or text == notes or "[CRM" in notes


@pytest.mark.parametrize("number", ["", "a]b", "[x]", "1" * 65, "a|b", " 1"])
def test_a_number_that_could_not_be_read_back_is_not_marked(number: str) -> None:
    assert with_marker("text [CRM 7]", number) == "text"


def test_long_notes_are_searched_in_no_time() -> None:
    assert split_marker("a" + " " * 300_000 + "b")[1] == ""


# --- what the form can carry and checksums ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "carried"),
    [
        ("", ""),
        ("علی رضایی", "علی رضایی"),
        (" علی‌اکبر ", "علی‌اکبر"),
        ("a|b", "a/b"),
        ("a \r\n b", "a b"),
        ("a\x00\u2028b", "a b"),
        ("\n|\n", "/"),
        ("a\ud800b", "a\ufffdb"),
    ],
)
def test_what_breaks_the_form_is_replaced(text: str, carried: str) -> None:
    assert clean(text) == carried


@given(TEXT)
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    assert clean(clean(text)) == clean(text)
    assert not set(clean(text)) & set("|\r\n\x00\x0b\x85\u2028")


def test_a_digest_knows_no_order_of_names() -> None:
    assert digest({"a": 1, "b": "ی"}) == digest({"b": "ی", "a": 1}) != digest({"a": 1, "b": "ي"})
