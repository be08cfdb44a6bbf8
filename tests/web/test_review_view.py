"""A review for the eye: what differs is marked, spelling aside, and nothing is lost on the way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from siaghsync.domain.action import Entity
from siaghsync.messages.message import Message, msg, verbatim
from siaghsync.state.reviews import Review
from siaghsync.web.language import PageLanguage
from siaghsync.web.review_view import (
    Cell,
    ReviewView,
    Table,
    both_sides,
    candidate_names,
    compared_rows,
    differences,
    name_linked,
    view,
)  # fmt: skip

FA, EN = PageLanguage("fa"), PageLanguage("en")
CUSTOMER = {
    "crm_id": "c",
    "customer_number": "31",
    "kind": "person",
    "names": ["علی رضایی"],
    "phones": ["09121234567"],
    "name": "علی رضایی",
    "national_code": "0012345679",
}


def plain(text: str) -> str:
    """A text without the marks that keep a value's direction."""
    return text.replace("\u2068", "").replace("\u2069", "")


def marked(details: dict[str, Any]) -> set[str]:
    table = both_sides(details, EN)
    assert table
    return {name for name, cells in table.rows if any(cell.differs for cell in cells)}


def viewed(details: dict[str, Any], language: PageLanguage, entity: Entity = "invoice") -> ReviewView:
    return view(question(details, entity), language)


def question(details: dict[str, Any], entity: Entity = "invoice") -> Review:
    return Review(
        id=1,
        entity=entity,
        target="finance",
        record="r",
        kind="invoice" if entity == "invoice" else "person",
        reason="stranger",
        crm_id="r",
        customer_number="31",
        finance_code=None,
        name="n",
        message=msg("reason.no_name"),
        details=details,
        checksum="",
        since="2026-01-01T00:00:00.000+00:00",
        resolution=None,
        resolved_at=None,
        resolved_by=None,
    )


def test_only_what_really_differs_is_marked() -> None:
    alike = {
        "finance_code": 31,
        "kind": "person",
        "names": ["علي رضايي"],
        "phones": ["+98 912 123 4567"],
        "national_code": "12345679",
    }
    other = {
        "finance_code": 32,
        "kind": "organization",
        "names": ["شرکت"],
        "phones": ["02188776655"],
        "national_code": "14000000455",
    }
    assert marked({"customer": CUSTOMER, "candidates": [alike]}) == set()
    assert marked({"customer": CUSTOMER, "candidates": [other]}) == {"name", "phones", "national code", "kind"}
    assert marked({"customer": CUSTOMER, "candidates": [{"finance_code": 33, "names": [], "phones": []}]}) == set()


def test_a_candidate_that_belongs_to_somebody_else_can_not_be_linked() -> None:
    table = both_sides(
        {"customer": CUSTOMER, "candidates": [{"finance_code": 31, "taken_by": "x"}, {"finance_code": 32}]}, EN
    )
    assert table
    assert table.links == ["32"]
    assert table.heads == ["CRM record", "Candidate 1", "Candidate 2"]


def test_after_an_import_the_customer_number_is_what_links() -> None:
    details = {
        "contact": {"finance_code": 7, "names": ["الف"]},
        "candidates": [{"crm_id": "c", "customer_number": "1007"}],
    }
    table = both_sides(details, FA)
    assert table
    assert table.links == ["1007"]
    assert table.heads == ["طرف‌حساب سیاق", "گزینهٔ ۱"]


def test_what_was_sent_is_shown_where_there_is_nothing_else() -> None:
    table = both_sides({"payload": {"name": "نام", "phone": "", "kind": "1", "active": "1"}}, FA)
    assert table
    assert [(name, cells[0].text) for name, cells in table.rows] == [
        ("نام", "نام"), ("نوع", "شخص حقوقی"), ("فعال", "بله"),
    ]  # fmt: skip
    assert both_sides({}, EN) is None
    assert viewed({"payload": {"customer_code": 7, "rows": []}}, EN).sides is None


def test_what_an_import_sent_is_compared_by_its_numbers() -> None:
    sent = {"kind": "person", "name": "نام", "phones": [["mobile", "09121234567"], ["office", "02188776655"]]}
    same = {"finance_code": 1, "name": "نام", "phones": ["+989121234567"]}
    table = both_sides({"payload": sent, "candidates": [same, {**same, "phones": ["02144445555"]}]}, EN)
    assert table
    assert [[cell.text for cell in cells] for name, cells in table.rows if name == "phones"] == [
        ["09121234567; 02188776655", "+989121234567", "02144445555"]
    ]
    assert [[cell.differs for cell in cells] for name, cells in table.rows if name == "phones"] == [
        [False, False, True]
    ]


def test_differences_of_a_document_name_rows_in_the_readers_language() -> None:
    found = {"rows.2.quantity": ["2", "5"], "new_rows.3": [None, "P-2: 1 x 9000"], "rows.2.unit_price": ["0", "1000"]}
    table = differences({"difference": found}, FA)
    assert table
    assert [name for name, _ in table.rows] == ["ردیف ۲، تعداد", "ردیف تازهٔ ۳", "ردیف ۲، مبلغ واحد (فی) (ریال)"]
    assert table.rows[2][1][1].text == "۱٬۰۰۰"
    assert differences({}, FA) is None


def test_a_document_is_shown_head_and_rows() -> None:
    row = {"product_code": "P", "unit_price": "5720000.5", "quantity": "3"}
    snapshot = {"number": "100-1405/1", "date": "2026-03-21", "source": "invoice", "net": "17160000", "rows": [row]}
    assert dict(viewed({"snapshot": snapshot}, FA).document)["تاریخ"] == "۱۴۰۵/۰۱/۰۱"
    shown = viewed({"snapshot": snapshot}, EN)
    assert dict(shown.document) == {
        "number": "100-1405/1", "date": "2026-03-21 (1405/01/01)", "kind of document": "invoice", "net amount": "17,160,000",
    }  # fmt: skip
    assert isinstance(shown.document_rows, Table)
    assert [cell.text for cell in shown.document_rows.rows[0][1]] == ["P", "5,720,000.5", "3"]
    assert viewed({}, EN).document_rows is None


def row(code: str, quantity: str) -> dict[str, str]:
    return {
        "product_code": code, "product_name": f"name of {code}", "quantity": quantity, "returned": "0", "unit_price": "400",
        "discount": "0", "vat": "0", "toll": "0",
    }  # fmt: skip


def test_rows_stand_side_by_side_as_posted_and_now() -> None:
    before = [row("P-1", "2"), row("P-2", "1"), row("P-3", "9")]
    after = [row("P-4", "7"), row("P-3", "9"), row("P-1", "3")]
    details = {
        "snapshot": {"rows": after},
        "posted": {"snapshot": {"rows": before}},
        "difference": {"rows.1.quantity": ["2", "3"], "rows.2": ["P-2: 1", None], "new_rows.1": [None, "P-4: 7"]},
    }
    table = compared_rows(details, EN)
    assert table
    assert table.heads == ["Posted in Siagh", "Now in the CRM"]
    told = {head: [(cell.text, cell.differs) for cell in cells] for head, cells in table.rows}
    assert {head: cells for head, cells in told.items() if head.endswith(("product code", "quantity"))} == {
        "1 · product code": [("P-1", False), ("P-1", False)], "1 · quantity": [("2", False), ("3", True)],
        "2 · product code": [("P-2", False), ("", True)], "2 · quantity": [("1", False), ("", True)],
        "3 · product code": [("P-3", False), ("P-3", False)], "3 · quantity": [("9", False), ("9", False)],
        "4 · product code": [("", False), ("P-4", True)], "4 · quantity": [("", False), ("7", True)],
    }  # fmt: skip
    assert compared_rows({"snapshot": {"rows": after}}, EN) is None


def test_siaghs_own_words_come_out_of_the_message() -> None:
    said = msg("sync.tried_without_success", attempts=3, last=verbatim("کد ملی معتبر نیست"))
    assert told(said).words == ["کد ملی معتبر نیست"]
    refused = msg("call.rejected", system="finance", what="create_contact", detail="نام تکراری است")
    assert told(msg("sync.tried_without_success", attempts=1, last=refused)).words == ["نام تکراری است"]
    silent = msg("call.timed_out", system="finance", what="create_contact", detail="after 30 s")
    assert told(msg("sync.tried_without_success", attempts=1, last=silent)).words == []
    assert told(verbatim("a sentence of an older version")).words == []


def test_the_note_and_who_has_the_number_come_out_of_the_message() -> None:
    taken = msg("reason.phone_taken", field="mobile", phone="0912", code=960, name="دارنده")
    assert told(msg("sync.tried_without_success", attempts=3, last=taken)).holder == ("960", "دارنده")
    about = msg(
        "document.about", document_kind="quote", document="1", what=msg("reason.may_be_posted", note="[#PI_5 1]")
    )
    assert (told(about).note, told(about).holder) == ("[#PI_5 1]", None)


def told(message: Message) -> ReviewView:
    return view(replace(question({}), message=message), EN)


def test_faults_are_said_in_the_readers_language() -> None:
    fault = {"reason": "row_without_product", "message": msg("document.row", row=2).as_json()}
    ((short, text),) = viewed({"faults": [fault]}, FA).faults
    assert text == "ردیف ۲"
    assert short == FA.reason("row_without_product")
    assert short != EN.reason("row_without_product")


def test_the_one_that_is_linked_is_named() -> None:
    details = {"candidates": [{"finance_code": 31, "names": ["الف"]}, {"customer_number": "1007", "names": ["ب"]}]}
    assert (name_linked(details, "31"), name_linked(details, "1007"), name_linked(details, "9")) == ("الف", "ب", "")


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("net", "n/a", "n/a"),
        ("date", "soon", "soon"),
        ("mobile", "09121234567", "09121234567"),
        ("gender", "0", "زن"),
        ("source", "quote", "پیش‌فاکتور"),
        ("names", ["الف", "ب"], "الف؛ ب"),
        ("name", None, ""),
    ],
)
def test_values_are_in_words_where_they_are_codes_and_else_as_they_are(key: str, value: Any, shown: str) -> None:
    assert FA.value(key, value) == shown


def test_a_button_is_read_in_the_direction_of_the_candidates_name() -> None:
    (named,) = candidate_names({"candidates": [{"finance_code": 950, "names": ["شرکت"], "city": "Ray"}]}).values()
    assert plain(named) == "شرکت · Ray · 950"
    assert named[0] == "ش"  # inside an isolate it would not count: the whole would go from left to right


def test_a_column_stands_as_figures_only_if_it_holds_nothing_else() -> None:
    figure, text = Cell("1", is_figure=True), Cell("a")
    table = Table(["x", "y"], [("r", [figure, figure]), ("s", [figure, text])], [])
    assert [table.has_figures(column) for column in (0, 1)] == [True, False]
