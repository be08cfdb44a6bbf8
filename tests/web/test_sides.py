"""A review for the eye: what differs is marked, spelling aside, and nothing is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest

from siaghsync.web.i18n import Language
from siaghsync.web.sides import amount, both_sides, differences, document, document_rows, name_linked, name_of, shown

FA, EN = Language("fa"), Language("en")
CUSTOMER = {
    "crm_id": "c",
    "customer_number": "31",
    "kind": "person",
    "names": ["علی رضایی"],
    "phones": ["09121234567"],
    "fullname": "علی رضایی",
    "passno": "0012345679",
}


def marked(details: dict[str, Any]) -> set[str]:
    table = both_sides(details, EN)
    assert table
    return {name for name, cells in table.rows if any(cell.differs for cell in cells)}


def test_only_what_really_differs_is_marked() -> None:
    alike = {
        "finance_code": 31,
        "kind": "person",
        "names": ["علي رضايي"],
        "phones": ["+98 912 123 4567"],
        "passno": "12345679",
    }
    other = {
        "finance_code": 32,
        "kind": "organization",
        "names": ["شرکت"],
        "phones": ["02188776655"],
        "passno": "14000000455",
    }
    assert marked({"customer": CUSTOMER, "candidates": [alike]}) == set()
    assert marked({"customer": CUSTOMER, "candidates": [other]}) == {"name", "phones", "national code", "kind"}
    assert marked({"customer": CUSTOMER, "candidates": [{"finance_code": 33, "names": [], "phones": []}]}) == set()


def test_a_candidate_that_belongs_to_somebody_else_can_not_be_linked() -> None:
    table = both_sides(
        {"customer": CUSTOMER, "candidates": [{"finance_code": 31, "taken_by": "x"}, {"finance_code": 32}]}, EN
    )
    assert table
    assert table.links == [None, None, "32"]
    assert table.heads == ["CRM record", "Candidate 1", "Candidate 2"]


def test_after_an_import_the_customer_number_is_what_links() -> None:
    details = {
        "contact": {"finance_code": 7, "names": ["الف"]},
        "candidates": [{"crm_id": "c", "customer_number": "1007"}],
    }
    table = both_sides(details, FA)
    assert table
    assert table.links == [None, "1007"]
    assert table.heads[0] == "طرف‌حساب سیاق"


def test_what_was_sent_is_shown_where_there_is_nothing_else() -> None:
    table = both_sides({"payload": {"fullname": "نام", "telno": ""}}, EN)
    assert table
    assert [name for name, _ in table.rows] == ["name"]
    assert both_sides({"payload": {"header": {}, "rows": []}}, EN) is None
    assert both_sides({}, EN) is None


def test_differences_of_a_document_name_rows_in_the_readers_language() -> None:
    found = {"row 2 quantity": ["2", "5"], "new row 3": [None, "Product-2: 1 x 9000"], "discount": ["0", "1000"]}
    table = differences({"difference": found}, FA)
    assert table
    assert [name for name, _ in table.rows] == ["ردیف ۲: تعداد", "ردیف تازهٔ ۳", "تخفیف"]
    assert table.rows[2][1][1].text == "۱٬۰۰۰"
    assert differences({}, FA) is None


def test_a_document_is_shown_head_and_rows() -> None:
    row = {"product_code": "P", "unit_price": "5720000.5", "quantity": "3"}
    details = {
        "snapshot": {
            "number": "100-1405/1",
            "date": "2026-03-21",
            "source": "invoice",
            "net": "17160000",
            "rows": [row],
        }
    }
    assert dict(document(details, FA))["تاریخ"] == "۱۴۰۵/۰۱/۰۱"
    assert dict(document(details, EN)) == {
        "number": "100-1405/1", "date": "2026-03-21", "kind of document": "invoice", "net": "17,160,000",
    }  # fmt: skip
    rows = document_rows(details, EN)
    assert rows
    assert [cell.text for cell in rows.rows[0][1]] == ["P", "5,720,000.5", "3"]
    assert document_rows({}, EN) is None


@pytest.mark.parametrize(
    ("details", "name"),
    [
        ({"customer": {"names": ["الف", "ب"]}}, "الف"),
        ({"contact": {"names": []}}, ""),
        ({"payload": {"nickName": "ج"}}, "ج"),
        ({"snapshot": {"number": "", "subject": "موضوع"}}, "موضوع"),
        ({}, ""),
    ],
)
def test_a_review_is_called_by_what_its_record_is_called(details: dict[str, Any], name: str) -> None:
    assert name_of(details) == name


def test_the_one_that_is_linked_is_named() -> None:
    details = {"candidates": [{"finance_code": 31, "names": ["الف"]}, {"customer_number": "1007", "names": ["ب"]}]}
    assert (name_linked(details, "31"), name_linked(details, "1007"), name_linked(details, "9")) == ("الف", "ب", "")


def test_values_that_are_no_amounts_or_dates_stay_as_they_are() -> None:
    assert amount("n/a", FA) == "n/a"
    assert shown("date", "soon", FA) == "soon"
    assert shown("phoneContacts", [{"phoneNumber": "0912", "default": True}], EN) == "0912"
    assert shown("mobileno", "09121234567", FA) == "09121234567"
