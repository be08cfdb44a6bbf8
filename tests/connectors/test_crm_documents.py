"""The CRM's JSON of quotes and invoices, as documented, becomes documents; whatever else comes is a bad record."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.connectors.http import strict_json
from siaghsync.connectors.payamgostar.documents import document_from_crm, rows_are_missing
from siaghsync.domain.document import net, net_with_tax, snapshot
from siaghsync.errors import BadRecord
from siaghsync.messages import catalog
from siaghsync.messages.message import msg

CAPTURED = """
{"crmId": "265D2327-64bd-4ac5-9fb9-22ae0e838539", "crmObjectTypeCode": "PI_5", "crmObjectTypeIndex": 8,
 "number": "", "subject": "S", "description": "", "refId": "", "identityId": "8ADEEABC-fab9-4a77-a906-e47ac59373a7",
 "discount": 0.00, "vat": 9000.00, "toll": 0.00, "additionalCosts": null, "totalValue": 100000.00, "finalValue": 109000.00,
 "vatPercent": 9, "tollPercent": 0, "discountPercent": 0.00, "totalDiscountPercent": 0.0,
 "quoteDate": null, "expireDate": null, "quoteType": "Quote", "billableObjectState": null, "billableObjectStateIndex": 1,
 "details": [{"productCode": "Product-1", "productId": "46da9490-ee92-42df-ba61-64d62b4da6b9", "productName": "محصول اول",
   "isService": false, "baseUnitPrice": 100000.00, "finalUnitPrice": 109000.00, "count": 1.0000, "returnedCount": 0.0,
   "totalUnitPrice": 100000.00, "totalDiscount": 0.00, "totalVat": 9000.00, "totalToll": 0.00, "discountPercent": 0.0,
   "detailDescription": "", "productUnitTypeName": "قطعه", "serial": null}],
 "creatDate": "2025-12-21T14:06:17.173", "modifyDate": "2025-12-21T14:10:20.033"}
"""


def captured(**changes: Any) -> dict[str, Any]:
    return {**strict_json.loads(CAPTURED), **changes}


def with_row(**changes: Any) -> dict[str, Any]:
    raw = captured()
    raw["details"][0] |= changes
    return raw


def floats_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(floats_in, value.values()))
    if isinstance(value, list | tuple):
        return any(map(floats_in, value))
    return isinstance(value, float)


def test_the_captured_quote() -> None:
    found = document_from_crm(captured(), "quote")
    (row,) = found.rows
    assert (found.crm_id, found.source, found.number) == ("265d2327-64bd-4ac5-9fb9-22ae0e838539", "quote", "")
    assert found.customer_crm_id == "8adeeabc-fab9-4a77-a906-e47ac59373a7"
    assert (found.type_code, found.sale_model, found.state_index) == ("PI_5", 5, 1)
    assert found.date == dt.date(2025, 12, 21)
    assert found.created == dt.datetime(2025, 12, 21, 14, 6, 17, 173000)
    assert found.modified == "2025-12-21T14:10:20.033"
    assert (found.discount, found.vat, found.toll, found.additional_costs) == (0, 9000, 0, None)
    assert (found.total_value, found.final_value) == (100000, 109000)
    assert (row.product_code, row.product_name, row.unit) == ("Product-1", "محصول اول", "قطعه")
    assert (row.quantity, row.unit_price, row.discount, row.vat, row.toll, row.total) == (1, 100000, 0, 9000, 0, 100000)
    assert (net(found), net_with_tax(found)) == (100000, 109000)
    assert not floats_in(asdict(found))
    assert not floats_in(snapshot(found))


def test_property_names_count_in_any_case() -> None:
    raw = {name.upper(): value for name, value in captured().items()}
    raw["DETAILS"] = [{name.title(): value for name, value in row.items()} for row in raw["DETAILS"]]
    assert document_from_crm(raw, "quote") == document_from_crm(captured(), "quote")


def test_an_invoice_has_its_own_date_and_its_quote() -> None:
    raw = captured(
        invoiceDate="2025-03-20T23:59:59.9",
        quoteDate="2025-01-01T00:00:00",
        relatedQuoteId="ABC-1",
        number="۱۰۰-۱۴۰۴/۱۵",
    )
    found = document_from_crm(raw, "invoice")
    assert (found.date, found.created and found.created.date()) == (dt.date(2025, 3, 20), dt.date(2025, 12, 21))
    assert (found.related_quote_id, found.number) == ("abc-1", "100-1404/15")
    assert document_from_crm(raw, "quote").related_quote_id is None


@pytest.mark.parametrize("nothing", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_an_empty_id_is_none(nothing: str | None) -> None:
    found = document_from_crm(captured(relatedQuoteId=nothing, identityId=nothing), "invoice")
    assert (found.related_quote_id, found.customer_crm_id) == (None, "")


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-03-21T00:00:00", dt.date(2025, 3, 21)),
        ("2025-03-20T23:59:59.17", dt.date(2025, 3, 20)),
        ("2025-03-20", dt.date(2025, 3, 20)),
        ("2025-03-20T20:30:00Z", dt.date(2025, 3, 21)),
        ("2025-03-20T23:30:00.1385332+03:30", dt.date(2025, 3, 20)),
        ("0001-01-01T00:00:00", dt.date(2025, 12, 21)),
        ("", dt.date(2025, 12, 21)),
    ],
)
def test_days_are_tehran_days(text: str, day: dt.date) -> None:
    assert document_from_crm(captured(quoteDate=text), "quote").date == day


@pytest.mark.parametrize(
    ("code", "model"),
    [
        ("PI_5", 5), ("SI_12", 12), ("PI_۵", 5), ("PI_05", 5), ("5", 5), ("PI_0", 0),
        ("Productinvoice", None), ("5_PI", None), ("", None), (None, None), ("PI_1234567890", None),
    ],
)  # fmt: skip
def test_the_sale_model_ends_the_type_code(code: str | None, model: int | None) -> None:
    assert document_from_crm(captured(crmObjectTypeCode=code), "quote").sale_model == model


def test_what_is_not_given_is_not_invented() -> None:
    raw = {"crmId": "A", "creatDate": "2025-12-21T00:00:00", "details": [{"count": 0, "baseUnitPrice": -5}]}
    found = document_from_crm(raw, "quote")
    (row,) = found.rows
    assert (row.product_code, row.unit, row.quantity, row.unit_price) == ("", "", 0, -5)
    assert (row.discount, row.vat, row.toll, row.total) == (0, 0, 0, None)
    assert {found.discount, found.vat, found.toll, found.additional_costs, found.total_value, found.final_value} == {
        None
    }
    assert (found.number, found.customer_crm_id, found.sale_model, found.state_index, found.notes) == (
        "",
        "",
        None,
        None,
        (),
    )


def test_the_product_id_is_never_taken_for_the_code() -> None:
    assert document_from_crm(with_row(productCode=None), "quote").rows[0].product_code == ""


def test_explicit_zeros_and_negative_amounts_stay() -> None:
    found = document_from_crm(with_row(count=Decimal("-2.5"), baseUnitPrice=0, totalDiscount=Decimal("-1")), "quote")
    (row,) = found.rows
    assert (row.quantity, row.unit_price, row.discount) == (Decimal("-2.5"), 0, -1)


@pytest.mark.parametrize(
    ("raw", "missing"),
    [({}, True), ({"details": None}, True), ({"Details": []}, True), (captured(), False), ({"details": "x"}, False)],
)
def test_rows_that_have_to_be_fetched(raw: dict[str, Any], missing: bool) -> None:
    assert rows_are_missing(raw) is missing


@pytest.mark.parametrize("details", [None, []])
def test_missing_rows_are_none(details: Any) -> None:
    assert document_from_crm(captured(details=details), "quote").rows == ()


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        (captured(crmId=None), "crmid"),
        (captured(finalValue=109000.5), "finalvalue"),
        (captured(vat="9,000"), "vat"),
        (captured(discount=True), "discount"),
        (captured(totalValue=Decimal("NaN")), "totalvalue"),
        (captured(totalValue=10**5000), "totalvalue"),
        (captured(quoteDate="1404/10/01"), "quotedate"),
        (captured(quoteDate=20250101), "quotedate"),
        (captured(creatDate="9999-12-31T23:59:59Z"), "creatdate"),
        (captured(relatedQuoteId="?"), "relatedquoteid"),
        (captured(identityId=5), "identityid"),
        (captured(number=["1"]), "number"),
        (captured(details="x"), "details"),
        (captured(details=[None]), "details.0"),
        (with_row(count=None), "details.0.count"),
        (with_row(baseUnitPrice=Decimal("1e-50")), "details.0.baseunitprice"),
        (with_row(totalDiscount=Decimal("Infinity")), "details.0.totaldiscount"),
    ],
)
def test_a_bad_record_names_itself_and_its_field(raw: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRecord) as caught:
        document_from_crm(raw, "quote")
    message = caught.value.message
    assert message.code == ("bad_record.crm" if raw["crmId"] else "bad_record.crm_without_id")
    assert (message.params["record_kind"], message.params["place"]) == ("quote", field)
    assert message.params.get("record", raw["crmId"]) == (raw["crmId"] and "265d2327-64bd-4ac5-9fb9-22ae0e838539")
    assert field in catalog.render(message, "fa")


@pytest.mark.parametrize(
    ("raw", "expected", "came"),
    [
        (captured(vat="9,000"), "amount", "text"),
        (captured(vat=None, toll=True), "amount", "boolean"),
        (captured(quoteDate="1404/10/01"), "date", "text"),
        (captured(relatedQuoteId="?"), "id", "text"),
        (captured(details=[None]), "object", "null"),
        (captured(details=[{"count": 1}]), "value", "nothing"),
    ],
)
def test_a_bad_record_says_what_came_instead_of_what(raw: dict[str, Any], expected: str, came: str) -> None:
    with pytest.raises(BadRecord) as caught:
        document_from_crm(raw, "invoice")
    assert (caught.value.message.params["expected"], caught.value.message.params["came"]) == (expected, came)


def test_a_document_without_any_date_is_a_bad_record() -> None:
    with pytest.raises(BadRecord) as caught:
        document_from_crm(captured(creatDate=None), "invoice")
    assert caught.value.message.code == "bad_record.no_date"
    assert "invoicedate" in catalog.render(caught.value.message)


@given(st.sampled_from(sorted(captured())), st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
))  # fmt: skip
def test_whatever_comes_is_a_document_or_a_bad_record(name: str, value: Any) -> None:
    try:
        found = document_from_crm(captured(**{name: value}), "invoice")
    except BadRecord:
        return
    assert not floats_in(asdict(found))
    assert snapshot(found)["rows"] is not None


def test_cleaning_is_noted() -> None:
    notes, type_code = (msg("value_note.cleaned", field=name) for name in ("notes", "type_code"))
    assert document_from_crm(captured(description="a|b"), "quote").notes == (notes,)
    assert document_from_crm(captured(subject="a\nb", crmObjectTypeCode="x|5"), "quote").notes == (notes, type_code)
    assert document_from_crm(captured(subject="a\x01b", description="\x02"), "quote").notes == (notes,)
    assert document_from_crm(captured(subject="a|b", description="fine"), "quote").notes == ()
