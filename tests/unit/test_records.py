"""When two values mean the same: letters, digits, phones, codes, numbers, markers, people."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from siaghsync.rules.records import (
    agree,
    ascii_digits,
    digest,
    fold,
    identity_key,
    marker,
    national_key,
    phone_key,
    same_spelling_aside,
    split_marker,
    with_marker,
)
from siaghsync.rules.scheme import NumberScheme
from tests.unit.samples import NOTES, TEXT, contact, customer, somebody_else, somebody_elses_record

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
        ("mobileno", "09123456789", "+98 912 345 6789", True),
        ("mobileno", "09123456789", "09123456780", False),
        ("telno", "021-88776655", "02188776655", True),
        ("telno", "02188776655", "", False),
        ("telno", "۱۲", "12", True),
        ("telno", "1234", "1235", False),
        ("passno", "0013542419", "13542419", True),
        ("passno", "0013542419", "0013542427", False),
        ("passno", "۱۲۳", "123", True),
        ("passno", "111", "1111", False),
        ("fullname", "علي", "علی", True),
        ("fullname", "علی", "علی رضا", False),
        ("address", "تهران\r\nونک", "تهران ونک", True),
        ("address", "09123456789", "9123456789", False),
        ("taraftype", "0", "1", False),
        ("email", "A@B.com", "a@b.com", True),
        ("tozihat", "", "", True),
    ],
)
def test_what_counts_as_mere_spelling(key: str, left: str, right: str, same: bool) -> None:
    assert same_spelling_aside(key, left, right) is same
    assert same_spelling_aside(key, right, left) is same


# --- customer numbers --------------------------------------------------------------------------------------

SCHEMES = st.builds(
    NumberScheme,
    prefix=st.one_of(st.sampled_from(["", "100-", "C", "1", "0", "۱۰۰-"]), st.text(max_size=4)),
    offset=st.integers(-(10**9), 10**9),
    width=st.integers(0, 18),
)


@given(SCHEMES, st.integers(1, 10**12))
@example(NumberScheme("100-", 1000), 234)
def test_a_number_leads_back_to_its_code(scheme: NumberScheme, code: int) -> None:
    assume(code + scheme.offset >= 0)
    assert scheme.decode(scheme.encode(code)) == code


@given(SCHEMES, st.one_of(TEXT, st.from_regex(r"(100-|C|1)?0{0,3}[0-9]{1,20}", fullmatch=True)))
@example(NumberScheme(width=3), "0012")
@example(NumberScheme(), "+5")
@example(NumberScheme(), "٥")
@example(NumberScheme(), "5\n")
@example(NumberScheme(offset=-10), "-5")
def test_a_number_is_read_only_if_it_would_be_written_so(scheme: NumberScheme, number: str) -> None:
    code = scheme.decode(number)
    assert code is None or (code > 0 and scheme.encode(code) == number)


@given(SCHEMES, st.text(max_size=3), st.integers(1, 10**9))
def test_what_stands_around_a_number_makes_it_another(scheme: NumberScheme, more: str, code: int) -> None:
    number = scheme.encode(code) + more
    assert scheme.decode(number) != code or not more


@pytest.mark.parametrize(
    ("scheme", "number", "code"),
    [
        (NumberScheme(), "12345", 12345),
        (NumberScheme(), "012345", None),
        (NumberScheme(), "0", None),
        (NumberScheme(), "", None),
        (NumberScheme(), "-5", None),
        (NumberScheme(), "100-1234", None),
        (NumberScheme("100-", 1000), "100-1234", 234),
        (NumberScheme("100-", 1000), "100-1000", None),
        (NumberScheme("100-", 1000), "101-1234", None),
        (NumberScheme("100-", 1000), "1234", None),
        (NumberScheme("100-", 1000), "100-100-1234", None),
        (NumberScheme("100-", 1000), "100- 1234", None),
        (NumberScheme("100-"), "100-٣", None),
        (NumberScheme(width=6), "000012", 12),
        (NumberScheme(width=6), "12", None),
        (NumberScheme(width=2), "1234", 1234),
        (NumberScheme("1", 0, 0), "1", None),
        (NumberScheme(offset=-100), "5", 105),
    ],
)
def test_numbers_of_known_installations(scheme: NumberScheme, number: str, code: int | None) -> None:
    assert scheme.decode(number) == code


# --- markers -----------------------------------------------------------------------------------------------


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


# --- people ------------------------------------------------------------------------------------------------

STRANGER = somebody_else()


@pytest.mark.parametrize(
    ("why", "theirs", "same"),
    [
        ("nothing in common", {}, False),
        ("the same name in other letters", {"Name": "علي رضایي"}, True),
        ("the same name, as the nickname in Finance", {"NickName": "علی‌رضایی"}, True),
        ("the same national code", {"NationalCode": "۰۰۱۳۵۴۲۴۱۹"}, True),
        ("the same national code, its zeros lost", {"NationalCode": "13542419"}, True),
        ("our mobile is their second landline", {"TelNo2": "+98 912 345 6789"}, True),
        ("our landline", {"TelNo": "021-88776655"}, True),
        ("the same e-mail and address only", {"Email": "ali@example.com", "Address": "تهران"}, False),
    ],
)
def test_name_code_or_phone_agree(why: str, theirs: dict[str, str], same: bool) -> None:
    stranger = {"Name": "مریم کاظمی", "NationalCode": None, "MobileNo": "09351112233", "TelNo": None, **theirs}
    assert agree(customer(), contact(**stranger)) is same, why


@pytest.mark.parametrize(
    ("why", "ours", "theirs"),
    [
        ("both without a name", {"nickName": "", "firstName": "", "lastName": ""}, {"Name": ""}),
        ("names of silent signs only", {"nickName": "\u200c", "firstName": "", "lastName": ""}, {"Name": "\u200f"}),
        ("the same placeholder for a code", {"nationalCode": "1111111111"}, {"NationalCode": "1111111111"}),
        ("the same placeholder for a phone",
         {"phoneContacts": [{"phoneType": "Mobile", "phoneNumber": "0000000000"}]}, {"MobileNo": "0000000000"}),
    ],
)  # fmt: skip
def test_what_is_empty_agrees_with_nothing(why: str, ours: dict[str, object], theirs: dict[str, str]) -> None:
    stranger = {"Name": "مریم کاظمی", "NationalCode": None, "MobileNo": "09351112233", "TelNo": None, **theirs}
    assert not agree(customer(**ours), contact(**stranger)), why


def test_the_first_last_name_counts_as_a_name_too() -> None:
    assert agree(customer(nickName="رضایی بزرگ"), replace(somebody_else(), names=("علی رضایی",)))


def test_an_identity_is_code_and_first_name() -> None:
    assert identity_key(customer()) == identity_key(contact(Name="علي  رضایی", NationalCode="13542419"))
    assert identity_key(customer()) != identity_key(contact(Name="علی رضایی فر"))
    assert identity_key(customer(nationalCode="1111111111")) is None
    assert identity_key(somebody_else()) is None
    assert identity_key(contact(Name="")) is None


def test_the_checksum_changes_with_what_finance_would_be_told() -> None:
    base = customer()
    assert customer(modifyDate="2026-01-01T00:00:00", crmId="p-2", unknown=1).checksum == base.checksum
    changed = [customer(email="x@example.com"), customer(customerNumber="100-9"), customer(kind="organization")]
    assert len({base.checksum, *(c.checksum for c in changed)}) == 4


def test_a_digest_knows_no_order_of_names() -> None:
    assert digest({"a": 1, "b": "ی"}) == digest({"b": "ی", "a": 1}) != digest({"a": 1, "b": "ي"})
    assert somebody_elses_record().checksum != customer().checksum
