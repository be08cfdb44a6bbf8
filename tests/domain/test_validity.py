"""Check digits of national codes and legal ids, and what can be a phone number."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from siaghsync.domain.normalize import legal_id_is_valid, national_code_is_valid, phone_is_plausible

PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")
ARABIC = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")


def national_check_digit(nine: str) -> int:
    weights = (10, 9, 8, 7, 6, 5, 4, 3, 2)
    rest = sum(int(digit) * weight for digit, weight in zip(nine, weights, strict=True)) % 11
    return rest if rest in (0, 1) else 11 - rest


def legal_check_digit(ten: str) -> int:
    shift = int(ten[-1]) + 2
    weights = (29, 27, 23, 19, 17, 29, 27, 23, 19, 17)
    rest = sum((int(digit) + shift) * weight for digit, weight in zip(ten, weights, strict=True)) % 11
    return 0 if rest == 10 else rest


@given(st.from_regex(r"[0-9]{9}", fullmatch=True))
def test_exactly_one_check_digit_makes_a_national_code(nine: str) -> None:
    assume(len(set(nine)) > 1)
    right = national_check_digit(nine)
    assert [digit for digit in range(10) if national_code_is_valid(f"{nine}{digit}")] == [right]


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_exactly_one_check_digit_makes_a_legal_id(ten: str) -> None:
    assume(len(set(ten)) > 1)
    right = legal_check_digit(ten)
    assert [digit for digit in range(10) if legal_id_is_valid(f"{ten}{digit}")] == [right]


def test_codes_known_from_elsewhere() -> None:
    for code in ("0013542419", "0499370899", "0790419904", "0084575948", "4032152314"):
        assert national_code_is_valid(code)
    assert legal_id_is_valid("10380284790")
    assert legal_id_is_valid("14007650912")


@pytest.mark.parametrize("digits", "0123456789")
def test_one_digit_repeated_is_a_placeholder(digits: str) -> None:
    assert not national_code_is_valid(digits * 10)
    assert not legal_id_is_valid(digits * 11)


@pytest.mark.parametrize("text", ["", "13542419", "00013542419", "001354241x", "ندارد", "001-354241-9", "1e10000000"])
def test_another_shape_is_no_code(text: str) -> None:
    assert not national_code_is_valid(text)
    assert not legal_id_is_valid(text)


def test_all_scripts_and_spaces_around_pass() -> None:
    assert national_code_is_valid(" 0013542419\n")
    for table in (PERSIAN, ARABIC):
        assert national_code_is_valid("0013542419".translate(table))
        assert legal_id_is_valid("10380284790".translate(table))


@pytest.mark.parametrize(
    "text",
    [
        "09123456789", "+98 912 345 6789", "0098-21-88776655", "۰۲۱۸۸۷۷۶۶۵۵", "9123456789", "021 8877 6655",
        "+49 30 901820", "+1 (212) 555-0100", "+123456789012345",
    ],
)  # fmt: skip
def test_phones_that_can_be(text: str) -> None:
    assert phone_is_plausible(text)


@pytest.mark.parametrize(
    "text",
    ["", "0912345678", "091234567890", "1234", "ندارد", "0000000000", "+98 912 345", "+12345", "+1234567890123456"],
)
def test_phones_that_can_not_be(text: str) -> None:
    assert not phone_is_plausible(text)
