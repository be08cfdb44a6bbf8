"""Amounts, years and what makes two documents the same."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from persiantools.jdatetime import JalaliDate

from siaghsync.domain.document import (
    Document,
    DocumentRow,
    discount_beside_rows,
    jalali_year,
    net,
    net_with_tax,
    plain,
    row_gross,
    same_amount,
    snapshot,
)
from siaghsync.messages import catalog
from siaghsync.messages.message import msg
from siaghsync.planning.document_checks import changes_in_words, difference, difference_from_twin, label_of
from tests.sample_records import document, invoice, row

AMOUNTS = st.decimals(min_value=-(10**15), max_value=10**15, allow_nan=False, allow_infinity=False, places=4)
LONG_AMOUNTS = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**20), 10**20), st.integers(-20, 0)
)
ROWS = st.builds(
    DocumentRow,
    product_code=st.sampled_from(["A", "B", "C", ""]),
    product_name=st.just("x"),
    unit=st.sampled_from(["عدد", "kg"]),
    quantity=st.sampled_from([Decimal(1), Decimal("1.0"), Decimal(2), Decimal("1.5")]),
    unit_price=st.sampled_from([Decimal(100), Decimal("100.00"), Decimal(200)]),
    discount=st.sampled_from([Decimal(0), Decimal("0.00"), Decimal(10)]),
    returned=st.sampled_from([Decimal(0), Decimal("0.0"), Decimal(1)]),
    vat=st.sampled_from([Decimal(0), Decimal(9)]),
)


DOCUMENTS = st.builds(
    lambda rows, customer, day: document(customer_crm_id=customer, date=day, rows=tuple(rows)),
    st.lists(ROWS, max_size=4),
    st.sampled_from(["c-1", "c-2"]),
    st.sampled_from([dt.date(2025, 12, 21), dt.date(2025, 12, 22)]),
)

# --- amounts -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("100000.00", "100000"),
        ("1.5000", "1.5"),
        ("1E+5", "100000"),
        ("0.000", "0"),
        ("-0.00", "0"),
        ("0E+3", "0"),
        ("-3.50", "-3.5"),
        ("0.0000001", "0.0000001"),
        ("1000", "1000"),
        ("123456789012345678901234567890.10", "123456789012345678901234567890.1"),
    ],
)
def test_amounts_are_written_without_noise(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_what_is_no_amount_is_never_written(value: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        plain(Decimal(value))


@given(LONG_AMOUNTS)
def test_a_written_amount_reads_back_as_the_same(value: Decimal) -> None:
    text = plain(value)
    assert Decimal(text) == value
    assert plain(Decimal(text)) == text
    assert "E" not in text
    assert not (("." in text) and text.endswith(("0", ".")))


@given(st.lists(st.tuples(LONG_AMOUNTS, LONG_AMOUNTS, LONG_AMOUNTS, LONG_AMOUNTS, LONG_AMOUNTS), max_size=5))
def test_the_net_is_the_exact_sum_of_quantity_times_price_less_discount(numbers: list[tuple[Decimal, ...]]) -> None:
    rows = tuple(row("P", q, p, d, vat=v, toll=t) for q, p, d, v, t in numbers)
    with localcontext(prec=3):  # whatever precision the rest of a program likes
        assert [Fraction(row_gross(each)) for each in rows] == [Fraction(q) * Fraction(p) for q, p, *_ in numbers]
        found, with_tax = net(document(rows=rows)), net_with_tax(document(rows=rows))
    expected = sum((Fraction(q) * Fraction(p) - Fraction(d) for q, p, d, _, _ in numbers), Fraction(0))
    assert isinstance(found, Decimal)
    assert Fraction(found) == expected
    assert Fraction(with_tax) == expected + sum((Fraction(v) + Fraction(t) for *_, v, t in numbers), Fraction(0))


def test_tax_is_the_headers_where_it_gives_one() -> None:
    rows = (row(vat=Decimal(9000), toll=Decimal(10)),)
    assert net_with_tax(document(rows=rows)) == 109010
    assert net_with_tax(document(rows=rows, vat=Decimal(0), toll=Decimal(1))) == 100001


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [("100", "100.99", True), ("100", "101", False), ("101", "100.001", True), ("-1", "-1", True)],
)
def test_amounts_are_compared_to_the_rial(left: str, right: str, same: bool) -> None:
    assert same_amount(Decimal(left), Decimal(right)) is same


@given(st.lists(st.decimals(0, 10**9, places=3), min_size=1, max_size=12), st.sampled_from(["rows", "header", "both"]))
def test_sums_of_rounded_rows_are_the_same_and_another_rial_is_not(rows: list[Decimal], rounded: str) -> None:
    exact = sum(rows, Decimal(0))
    found = sum((each.quantize(1, ROUND_HALF_UP) for each in rows), Decimal(0)) if rounded != "header" else exact
    found = found.quantize(1, ROUND_HALF_UP) if rounded != "rows" else found
    assert same_amount(found, exact, len(rows))
    assert not same_amount(exact + Decimal(len(rows) + 1) / 2, exact, len(rows))


@pytest.mark.parametrize(
    ("header", "rows", "beside"),
    [(None, "5", "0"), ("0.00", "5", "0"), ("5.00", "5", "0"), ("5", "0", "5"), ("12", "5", "12"), ("-5", "5", "-5")],
)
def test_a_header_discount_counts_if_the_rows_do_not_say_it(header: str | None, rows: str, beside: str) -> None:
    given_ = None if header is None else Decimal(header)
    assert discount_beside_rows(document(row(discount=rows), discount=given_)) == Decimal(beside)


# --- years -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "year"),
    [
        ("2024-03-19", 1402),  # 29 Esfand 1402, an ordinary year
        ("2024-03-20", 1403),  # Nowruz
        ("2025-03-19", 1403),
        ("2025-03-20", 1403),  # 30 Esfand 1403, a leap year
        ("2025-03-21", 1404),
        ("2026-03-20", 1404),
        ("2026-03-21", 1405),
        ("2025-12-31", 1404),
        ("2026-01-01", 1404),
        ("2021-03-20", 1399),  # leap
        ("2021-03-21", 1400),
        ("2029-03-19", 1407),
        ("2029-03-20", 1408),  # leap, the first one after five years
        ("2030-03-20", 1408),
        ("2030-03-21", 1409),
    ],
)
def test_the_year_turns_at_nowruz(day: str, year: int) -> None:
    assert jalali_year(dt.date.fromisoformat(day)) == year


@given(st.integers(1370, 1420))
def test_a_year_is_365_or_366_days_without_gap(year: int) -> None:
    leap = {1370, 1375, 1379, 1383, 1387, 1391, 1395, 1399, 1403, 1408, 1412, 1416, 1420}
    first = JalaliDate(year, 1, 1).to_gregorian()
    length = 366 if year in leap else 365
    days = [first + dt.timedelta(n) for n in (-1, 0, length - 1, length)]
    assert [jalali_year(day) for day in days] == [year - 1, year, year, year + 1]


# --- the same or another -----------------------------------------------------------------------------------


@given(DOCUMENTS, DOCUMENTS)
def test_the_checksum_is_the_same_exactly_if_nothing_differs(old: Document, new: Document) -> None:
    assert (old.checksum == new.checksum) == (not difference(snapshot(old), new))


@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_a_snapshot_is_plain_json_and_the_order_of_rows_means_nothing(old: Document, chance: Any) -> None:
    stored = json.loads(json.dumps(snapshot(old)))
    shuffled = list(old.rows)
    chance.shuffle(shuffled)
    assert stored == snapshot(old)
    assert not difference(stored, replace(old, rows=tuple(shuffled)))
    assert old.checksum == replace(old, rows=tuple(shuffled)).checksum


@pytest.mark.parametrize(
    "fields",
    [
        {"type_code": "PI_7", "sale_model": 7},
        {"rows": (replace(row(), unit="كيلو", product_name="ميز"),)},
        {"modified": "2026-01-01T00:00:00"},
        {"subject": "s", "description": "d"},
        {"state_index": 7},
        {"discount": Decimal("0.00"), "additional_costs": Decimal(0)},
        {"rows": (row(quantity="2.0000", price="50000.00", description="new"),)},
    ],
)
def test_what_is_no_content_changes_nothing(fields: dict[str, Any]) -> None:
    changed = document(**fields)
    assert changed.checksum == document().checksum
    assert difference(snapshot(document()), changed) == {}


@pytest.mark.parametrize(
    ("fields", "found", "of_its_own"),
    [
        ({"customer_crm_id": "c-2"}, {"customer": ("c-1", "c-2")}, False),
        ({"date": dt.date(2025, 12, 22)}, {"date": ("2025-12-21", "2025-12-22")}, True),
        ({"number": "100-1404/16"}, {"number": ("100-1404/15", "100-1404/16")}, True),
        ({"rows": (row(returned=Decimal(1)),)}, {"rows.1.returned": ("0", "1")}, False),
        ({"rows": (row(vat=Decimal(9)),)}, {"rows.1.vat": ("0", "9")}, True),
        ({"discount": Decimal("7.0")}, {"discount": ("0", "7")}, False),
        ({"additional_costs": Decimal(7)}, {"additional_costs": ("0", "7")}, False),
        ({"vat": Decimal(9000)}, {"vat": ("0", "9000")}, True),
        ({"toll": Decimal(1)}, {"toll": ("0", "1")}, True),
    ],
)
def test_differences_of_the_header(fields: dict[str, Any], found: dict[str, Any], of_its_own: bool) -> None:
    changed = document(**fields)
    assert difference(snapshot(document()), changed) == found
    assert changed.checksum != document().checksum
    assert difference_from_twin(snapshot(document()), changed) == ({} if of_its_own else found)


def test_differences_row_by_row() -> None:
    old = document(row("A"), row("B", 3), row("C", 4), row("D"))
    changed = document(row("D"), row("A", 5, 90000), row("E", 6, discount=7), row("C", 4))
    assert difference(snapshot(old), changed) == {
        "net": ("550000", "1049993"),
        "rows.1.quantity": ("2", "5"),
        "rows.1.unit_price": ("50000", "90000"),
        "rows.2": ("B: 3 قطعه x 50000", None),
        "new_rows.3": (None, "E: 6 قطعه x 50000 - 7"),
    }


def test_a_row_that_came_or_went_does_not_shift_the_others() -> None:
    three = document(row("A"), row("B"), row("C"))
    two = document(row("B"), row("C"))
    assert difference(snapshot(three), two) == {"net": ("300000", "200000"), "rows.1": ("A: 2 قطعه x 50000", None)}
    assert difference(snapshot(two), three) == {"net": ("200000", "300000"), "new_rows.1": (None, "A: 2 قطعه x 50000")}


def test_another_product_in_the_same_place_is_a_change_of_that_row() -> None:
    old, changed = document(row("A"), row("B", discount=5)), document(row("A"), row("", discount=5))
    assert difference(snapshot(old), changed) == {"rows.2.product_code": ("B", "")}


@given(DOCUMENTS)
@example(document())
def test_nothing_differs_from_what_is_not_known(whole: Document) -> None:
    assert difference({}, whole) == {}


@given(DOCUMENTS)
def test_what_an_older_version_stored_is_the_same_document(whole: Document) -> None:
    stored = snapshot(whole)
    for side, newer in (
        (stored, ("total_value", "final_value")),
        *((each, ("returned", "vat", "toll")) for each in stored["rows"]),
    ):
        for key in newer:
            del side[key]
    found = difference(stored, replace(whole, total_value=Decimal(5), final_value=Decimal(6)))
    products = [each.product_code for each in whole.rows]
    if any(each.returned for each in whole.rows) and len(set(products)) < len(products):
        assert found  # which of several rows of one product came back can't be told, but that one did
        return
    assert [key.rpartition(".")[2] for key in found] == ["returned"] * sum(bool(each.returned) for each in whole.rows)


def test_totals_are_told_where_they_do_not_follow_from_the_rows() -> None:
    old = document(total_value=Decimal(100000), final_value=Decimal(100000))
    sums = {"total_value": Decimal(150000), "final_value": Decimal("150000.4")}
    follow, odd = document(row(quantity=3), **sums), document(**{**sums, "total_value": Decimal(100000)})
    assert difference(snapshot(old), follow) == {"net": ("100000", "150000"), "rows.1.quantity": ("2", "3")}
    assert difference(snapshot(old), odd) == {"final_value": ("100000", "150000.4")}
    assert difference(snapshot(document()), odd) == {}  # the older one does not know its final amount


def test_tax_of_the_header_is_told_unless_that_of_the_rows_says_it() -> None:
    old, new = document(row(vat=Decimal(5))), document(row(vat=Decimal(9)))
    assert difference(snapshot(old), new) == {"rows.1.vat": ("5", "9")}
    assert difference(snapshot(old), replace(new, vat=Decimal(7))) == {"vat": ("5", "7"), "rows.1.vat": ("5", "9")}


# --- for people --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "label", "in_persian"),
    [
        ("sale_model", "sale model", "مدل فروش"),
        ("rows.2.quantity", "row 2, quantity", "ردیف ۲، تعداد"),
        ("rows.12", "row 12", "ردیف ۱۲"),
        ("new_rows.3", "new row 3", "ردیف تازهٔ ۳"),
        ("national_code", "national code", "کد / شناسهٔ ملی"),
        ("row 2 unit price", "row 2 unit price", "row 2 unit price"),
        ("rows.x", "rows.x", "rows.x"),
    ],
)
def test_what_keys_are_called(key: str, label: str, in_persian: str) -> None:
    assert catalog.render(label_of(key)) == label
    assert catalog.render(label_of(key), "fa") == in_persian


def test_the_first_changes_are_told_and_the_rest_is_counted() -> None:
    changes = difference(snapshot(document()), document(row("", 1, 1, 1), additional_costs=Decimal(1234567)))
    told = changes_in_words(changes)
    assert catalog.render(told) == (
        "net amount: 100,000 -> 0; additional costs: 0 -> 1,234,567; row 1, product code: P-1 -> (empty); and 3 more"
    )
    assert catalog.render(told, "fa") == (
        "مبلغ خالص (ریال): از ۱۰۰٬۰۰۰ به ۰؛ اضافات (ریال): از ۰ به ۱٬۲۳۴٬۵۶۷؛ ردیف ۱، کد کالا: از P-1 به (خالی)؛ و ۳ مورد دیگر"
    )
    assert catalog.render(changes_in_words({"rows.2": ("B: 3 kg x 5", None)})) == "row 2: B: 3 kg x 5 -> (empty)"


@given(DOCUMENTS, DOCUMENTS)
def test_every_difference_can_be_told_in_both_languages(old: Document, new: Document) -> None:
    if changes := difference(snapshot(old), new):
        assert catalog.render(changes_in_words(changes))
        assert catalog.render(changes_in_words(changes), "fa")


def test_a_document_is_called_by_its_number_or_its_id() -> None:
    assert (document().name, invoice(number="").name) == ("100-1404/15", "i-1")
    told = invoice(number="").about(msg("reason.no_rows"), msg("reason.no_customer"))
    assert catalog.render(told) == "The invoice i-1: It has no rows. It names no customer."
    assert catalog.render(told, "fa") == "فاکتور i-1: ردیفی ندارد. مشتری آن مشخص نیست."
