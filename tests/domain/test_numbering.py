"""How finance codes are written as customer numbers, and read back."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from siaghsync.domain.numbering import NumberScheme
from tests.sample_records import TEXT

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
