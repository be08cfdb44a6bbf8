"""What becomes of a quote or invoice: each rule, in its order; and that no pair is ever posted twice."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.connectors.siagh.form import PREINVOICE_KEYS, ROW_KEYS, encode_preinvoice, encode_rows
from siaghsync.connectors.siagh.preinvoices import suid_of
from siaghsync.domain.action import Action
from siaghsync.domain.document import Document, DocumentRow, Posted, net, snapshot
from siaghsync.planning.documents import DocumentCase, DocumentRules, Wait, check_net, reconcile_document
from siaghsync.sandbox import forms

RULES = DocumentRules(
    sale_model=1, sales_centre=None, payment_type=2, sale_kind=1, intermediary=31, states="numbered", since=None
)
ANY = replace(RULES, states="any")


def row(code: str = "P-1", quantity: Any = 2, price: Any = 50000, discount: Any = 0, **fields: Any) -> DocumentRow:
    return DocumentRow(code, "", "قطعه", Decimal(quantity), Decimal(price), Decimal(discount), **fields)


def document(*rows: DocumentRow, **fields: Any) -> Document:
    base = Document(
        crm_id="q-1",
        source="quote",
        number="100-1404/15",
        customer_crm_id="c-1",
        subject="موضوع",
        description="",
        type_code="PI_5",
        sale_model=5,
        date=dt.date(2025, 12, 21),
        created=dt.datetime(2025, 12, 20, 9, 30),
        modified=None,
        related_quote_id=None,
        rows=rows or (row(),),
    )
    return replace(base, **fields)


def invoice(*rows: DocumentRow, **fields: Any) -> Document:
    own = {"crm_id": "i-1", "source": "invoice", "number": "100-1404/7", "type_code": "SI", "sale_model": None}
    return document(*rows, **{**own, "related_quote_id": "q-1", "date": dt.date(2026, 1, 5), **fields})


def case(found: Document | None = None, **fields: Any) -> DocumentCase:
    whole = document() if found is None else found
    return DocumentCase(
        **{
            "document": whole,
            "fiscal_year": 1404,
            "customer_number": "10255",
            "customer_code": 255,
            **fields,
        }
    )


def posted(found: Document, number: str | None = "2488") -> Posted:
    stored = json.loads(json.dumps(snapshot(found)))
    return Posted(found.crm_id, found.source, number, "15459", found.checksum, stored, net(found))


def decided(given_: DocumentCase, rules: DocumentRules = RULES) -> Action:
    action = reconcile_document(given_, rules)
    assert isinstance(action, Action)
    return action


def reason_of(given_: DocumentCase, rules: DocumentRules = RULES) -> tuple[str, str | None]:
    action = decided(given_, rules)
    assert not action.payload or action.action == "create"
    return action.action, action.reason


def floats_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(floats_in, value.values()))
    return any(map(floats_in, value)) if isinstance(value, list | tuple) else isinstance(value, float)


# --- creating ----------------------------------------------------------------------------------------------


def test_a_create_as_documented() -> None:
    action = decided(case(document(row("Product-1", "1.0000", "100000.00"), row("P-2", "1.5", 2000, "500.00"))))
    assert (action.action, action.entity, action.target, action.record) == ("create", "invoice", "finance", "q-1")
    assert (action.kind, action.customer_number, action.crm_id) == ("quote", "10255", "q-1")
    assert encode_preinvoice(action.payload["header"]) == (
        "sl_sanad.hssanadstate=8|sl_sanad.codenoeesanad=2|sl_sanad.codesalemodel=5|sl_sanad.salmali=1404"
        "|sl_sanad.codenoeepardakht=2|sl_sanad.codemarkazforush=5|sl_sanad.codecontact=|sl_sanad.codemoshtari=255"
        "|sl_sanad.codenoeeforush=1|sl_sanad.codevaseteh=31|sl_sanad.tozihat=موضوع [CRM 100-1404/15]"
        "|sl_sanad.namenoesanad=پیش فاکتور فروش PI_5"
    )
    first, second = action.payload["rows"]
    assert (first["codekala"], first["nameunit"], first["qty"], first["price"], first["mabtakhfif"]) == (
        "Product-1", "قطعه", "1", "100000", "0",
    )  # fmt: skip
    assert (second["qty"], second["finalqty"], second["mabtakhfif"], second["radif"]) == ("1.5", "1.5", "500", "2")
    assert (second["vazn"], second["hajm"], second["takhfif"], second["sumamelinc"], second["sumameldec"]) == (
        "0", "0", None, None, None,
    )  # fmt: skip
    assert first["__uid"] != second["__uid"]
    assert action.fields == {
        "number": (None, "100-1404/15"),
        "customer": (None, "10255"),
        "net": (None, "102500"),
        "rows": (None, "2"),
    }
    assert (action.details["net"], action.details["net_with_tax"]) == ("102500", "102500")
    assert action.details["snapshot"]["number"] == "100-1404/15"
    assert action.reason is None
    assert action.message is None


def test_the_payload_is_what_the_form_takes() -> None:
    payload = decided(case(document(row(), row("P-2")))).payload
    assert list(payload["header"]) == list(PREINVOICE_KEYS)
    assert all(list(cells) == list(ROW_KEYS) for cells in payload["rows"])
    assert re.fullmatch(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}", payload["suid"])
    fields, suid, rows = forms.preinvoice(
        {
            "ctrlValues": encode_preinvoice(payload["header"]),
            "parameters": f"_In_EditKeys=|_In_Suid={payload['suid']}|nocheck=",
            "dataRows": encode_rows(payload["rows"]),
        }
    )
    assert (fields, suid, rows) == (payload["header"], payload["suid"], payload["rows"])


@pytest.mark.parametrize(
    ("sale_model", "rules", "sent"),
    [
        (5, RULES, ("5", "5")),
        (0, RULES, ("0", "0")),
        (None, RULES, ("1", "1")),
        (None, replace(RULES, sale_model=3), ("3", "3")),
        (5, replace(RULES, sales_centre=9), ("5", "9")),
        (5, replace(RULES, sales_centre=0), ("5", "0")),
    ],
)
def test_sale_model_and_sales_centre(sale_model: int | None, rules: DocumentRules, sent: tuple[str, str]) -> None:
    header = decided(case(document(sale_model=sale_model)), rules).payload["header"]
    assert (header["codesalemodel"], header["codemarkazforush"]) == sent


def test_the_other_codes_come_from_the_settings() -> None:
    header = decided(case(), replace(RULES, payment_type=1, sale_kind=4, intermediary=77)).payload["header"]
    assert (header["codenoeepardakht"], header["codenoeeforush"], header["codevaseteh"]) == ("1", "4", "77")


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ({"description": "توضیح"}, "توضیح [CRM 100-1404/15]"),
        ({"description": "\x01", "subject": "s"}, "s [CRM 100-1404/15]"),
        ({"description": "", "subject": ""}, "[CRM 100-1404/15]"),
        ({"description": "a|b\nsl_sanad.salmali=1"}, "a/b sl_sanad.salmali=1 [CRM 100-1404/15]"),
        ({"number": "", "subject": "s"}, "s [CRM q-1]"),
    ],
)
def test_the_notes_tell_where_it_comes_from(fields: dict[str, Any], notes: str) -> None:
    assert decided(case(document(**fields)), ANY).payload["header"]["tozihat"] == notes


def test_a_row_without_a_unit_is_counted_in_pieces() -> None:
    assert decided(case(document(replace(row(), unit="")))).payload["rows"][0]["nameunit"] == "عدد"


@given(
    st.lists(
        st.builds(
            row,
            st.text(min_size=1).filter(lambda code: bool(code.strip())),
            st.decimals("0.0001", 10**6, places=4),
            st.decimals(0, 10**12, places=2),
        ),
        min_size=1,
        max_size=5,
    ),
    st.text(),
)
def test_the_same_document_makes_the_same_payload_and_no_float(rows: list[DocumentRow], text: str) -> None:
    once, again = (decided(case(document(*rows, description=text, subject=text))) for _ in range(2))
    assert once == again
    assert not floats_in(once.as_json())
    encode_preinvoice(once.payload["header"])
    encode_rows(once.payload["rows"])
    stored = json.loads(json.dumps(once.as_json()))
    assert Action.from_json(stored).as_json() == once.as_json()


# --- once --------------------------------------------------------------------------------------------------


def test_a_quote_and_its_invoice_share_their_suid_and_nobody_else_does() -> None:
    alone = invoice(related_quote_id=None)
    assert suid_of(document()) == suid_of(invoice()) == "11132DE8-0DAE-572A-A389-735413FC2F7E"
    assert len({suid_of(found) for found in (document(), alone, document(crm_id="q-2"))}) == 3


@given(st.permutations([document(), invoice()]), st.lists(st.integers(0, 1), max_size=8), st.sampled_from([RULES, ANY]))
def test_a_pair_is_created_once_whichever_comes_first(
    order: list[Document], later: list[int], rules: DocumentRules
) -> None:
    known: dict[str, Posted] = {}
    created = []
    for found in [*order, *(order[index] for index in later)]:
        twin = known.get("i-1" if found.source == "quote" else "q-1")
        action = reconcile_document(case(found, posted=known.get(found.crm_id), twin=twin), rules)
        if isinstance(action, Action):
            assert action.action in ("create", "link")
            created += [found.crm_id] if action.action == "create" else []
            known[found.crm_id] = posted(found)
    assert created == [order[0].crm_id]


def test_the_second_half_of_a_pair_counts_as_posted_with_the_first() -> None:
    action = decided(case(invoice(), twin=posted(document())))
    assert (action.action, action.reason) == ("link", "same_as_quote")
    assert action.message == "Invoice 100-1404/7: It was posted with the quote it was made from, as pre-invoice 2488."
    assert (action.checksum, action.details["snapshot"]) == (invoice().checksum, snapshot(invoice()))
    assert (action.kind, action.details["related_quote_id"]) == ("invoice", "q-1")
    assert action.details["posted"]["key"] == "15459"
    assert not action.payload
    assert reason_of(case(document(), twin=posted(invoice()))) == ("link", "same_as_invoice")


def test_a_pair_that_sells_something_else_is_for_a_person() -> None:
    action = decided(case(invoice(row(quantity=3)), twin=posted(document())))
    assert (action.action, action.reason) == ("review", "differs_from_posted_quote")
    assert action.fields == {"row 1 quantity": ("2", "3")}
    assert action.details["difference"] == {"row 1 quantity": ["2", "3"]}
    assert "2488: row 1 quantity 2 -> 3." in (action.message or "")
    other = case(document(customer_crm_id="c-2"), twin=posted(invoice()))
    assert reason_of(other) == ("review", "differs_from_posted_invoice")


def test_a_second_invoice_of_a_quote_is_for_a_person() -> None:
    second = case(invoice(crm_id="i-2"), twin=posted(invoice()))
    assert reason_of(second) == ("review", "quote_posted_already")


def test_a_draft_of_an_invoice_does_not_count_yet() -> None:
    draft = case(invoice(row(quantity=3), number=""), twin=posted(document()))
    assert reason_of(draft) == ("skip", "not_numbered")
    assert reason_of(draft, ANY) == ("review", "differs_from_posted_quote")


def test_what_is_posted_and_unchanged_needs_nothing() -> None:
    before = document(row(), row("P-2"))
    renamed = document(row("P-2"), row(), number="100-1404/16", subject="x", total_value=Decimal(1))
    for rules in (RULES, replace(RULES, since=dt.datetime(2030, 1, 1))):
        assert reconcile_document(case(before, posted=posted(before), fiscal_year=1405), rules) is None
        assert reconcile_document(case(renamed, posted=posted(before)), rules) is None
        assert reconcile_document(case(before, posted=posted(before), twin=posted(invoice())), rules) is None


def test_the_same_fingerprint_or_the_same_content_is_no_change() -> None:
    forgotten = replace(posted(document()), snapshot={})
    assert reconcile_document(case(posted=forgotten), RULES) is None
    assert reconcile_document(case(posted=replace(posted(document()), checksum="of an older kind")), RULES) is None


def test_a_change_after_posting_is_for_a_person() -> None:
    before, after = document(row(), row("P-2")), document(row(), row("P-2", 3), discount=Decimal(7))
    action = decided(case(after, posted=posted(before)))
    assert (action.action, action.reason) == ("review", "changed_after_posting")
    assert action.fields == {"discount": ("0", "7"), "row 2 quantity": ("2", "3")}
    assert action.details["difference"] == {"discount": ["0", "7"], "row 2 quantity": ["2", "3"]}
    assert action.details["posted"]["snapshot"] == snapshot(before)
    assert action.details["posted"]["net"] == "200000"
    assert action.checksum == after.checksum
    assert action.message == (
        "Quote 100-1404/15: It was posted as pre-invoice 2488 and has changed since: discount 0 -> 7; row 2 quantity 2 -> 3."
    )
    assert not action.payload


def test_only_the_first_changes_are_told_in_words() -> None:
    after = document(row("", 1, 1, 1))
    message = decided(case(after, posted=posted(document(), None))).message or ""
    assert "pre-invoice with key 15459" in message
    this_run = Posted("q-1", "quote", None, "", document().checksum, snapshot(document()))
    assert (decided(case(invoice(), twin=this_run)).message or "").endswith("as pre-invoice in this run.")
    assert message.endswith(
        "row 1 product P-1 -> (none); row 1 quantity 2 -> 1; row 1 unit price 50000 -> 1; and 1 more."
    )


def test_a_number_that_is_taken_away_after_posting_is_for_a_person() -> None:
    action = decided(case(document(row(quantity=3), number=""), posted=posted(document())))
    assert (action.action, action.reason) == ("review", "withdrawn_after_posting")
    assert action.fields == {"row 1 quantity": ("2", "3")}
    assert reconcile_document(case(document(number=""), posted=posted(document())), ANY) is None
    unnumbered = document(number="")
    assert reconcile_document(case(unnumbered, posted=posted(unnumbered)), RULES) is None


# --- not to be posted --------------------------------------------------------------------------------------


def test_a_document_without_a_number_is_skipped() -> None:
    assert reason_of(case(document(number=""))) == ("skip", "not_numbered")
    assert reason_of(case(document(number="")), ANY) == ("create", None)


@pytest.mark.parametrize(
    ("created", "day", "action"),
    [
        ("2025-12-20", "2025-12-21", "skip"),
        ("2025-12-21", "2025-12-01", "create"),
        (None, "2025-12-20", "skip"),
        (None, "2025-12-21", "create"),
    ],
)
def test_nothing_from_before_the_start_is_posted(created: str | None, day: str, action: str) -> None:
    found = document(date=dt.date.fromisoformat(day), created=dt.datetime.fromisoformat(created) if created else None)
    rules = replace(RULES, since=dt.datetime(2025, 12, 21))
    assert reason_of(case(found), rules) == (action, "before_start" if action == "skip" else None)


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (document(rows=()), "no_rows", "It has no rows."),
        (document(customer_crm_id=""), "no_customer", "It names no customer."),
        (document(row(), row("")), "row_without_product", "Row 2 has no product code."),
        (document(replace(row(" "), product_name="میز")), "row_without_product", "Row 1 (میز) has no product code."),
        (document(row(quantity=0)), "row_count_not_positive", "Row 1 (P-1) has a count of zero or below."),
        (document(row(quantity=-1)), "row_count_not_positive", "count"),
        (document(row(price=-1)), "row_price_negative", "Row 1 (P-1) has a price below zero."),
        (document(row(discount=-1)), "row_discount_wrong", "Row 1 (P-1) has a discount below zero or above its price."),
        (document(row(discount=100001)), "row_discount_wrong", "above"),
        (document(discount=Decimal(500)), "discount_differs", "is 500, but its rows' discounts come to 0:"),
        (document(discount=Decimal(500), final_value=Decimal(99500)), "discount_differs", "is 500"),
        (document(row(discount=5000), discount=Decimal(4000)), "discount_differs", "is 4,000, but"),
        (document(additional_costs=Decimal(900)), "additional_costs", "additional costs of 900,"),
        (document(total_value=Decimal(99999)), "total_differs", "gives 99,999 for its total, but the rows come to 100,000."),
        (document(final_value=Decimal(109000)), "total_differs", "gives 109,000 for its final amount, but"),
        (document(total_value=Decimal(0)), "total_differs", "gives 0 for its total"),
        (document(row(total=Decimal(50000))), "total_differs", "gives 50,000 for row 1, but the rows come to 100,000."),
        (document(date=dt.date(2025, 3, 20)), "fiscal_year", "It is dated 2025-03-20, in fiscal year 1403, but Siagh"),
        (document(date=dt.date(2026, 3, 21)), "fiscal_year", "in fiscal year 1405"),
    ],
)  # fmt: skip
def test_a_fault_is_for_a_person(found: Document, reason: str, words: str) -> None:
    for fields in ({}, {"customer_code": None, "customer_wait": ("customer_waits", "Later.")}):
        action = decided(case(found, **fields))
        assert (action.action, action.reason) == ("review", reason)
        assert (action.message or "").startswith("Quote 100-1404/15: ")
        assert words in (action.message or "")
        assert [fault["reason"] for fault in action.details["faults"]] == [reason]
        assert not action.payload


@pytest.mark.parametrize(
    "found",
    [
        document(row(price=0)),
        document(row(discount=100000)),
        document(row(discount=5000), discount=Decimal(5000)),
        document(row(discount=5000), discount=Decimal(0)),
        document(row(discount=5000), total_value=Decimal(100000), final_value=Decimal(95000)),
        document(row(discount=5000, total=Decimal(95000)), total_value=Decimal(95000)),
        document(row(discount=5000, total=Decimal(100000))),
        document(total_value=Decimal("100000.99"), final_value=Decimal("99999.01")),
        document(vat=Decimal(9000), toll=Decimal(1000), final_value=Decimal(110000)),
        document(row(vat=Decimal(9000)), final_value=Decimal(109000)),
        document(row(vat=Decimal(9000)), vat=Decimal(8999), final_value=Decimal(109000)),
        document(additional_costs=Decimal(0), final_value=Decimal(100000)),
        document(date=dt.date(2025, 3, 21)),
        document(date=dt.date(2026, 3, 20)),
    ],
)
def test_what_adds_up_is_posted(found: Document) -> None:
    assert decided(case(found)).action == "create"


def test_all_faults_are_told_at_once_and_the_first_names_the_review() -> None:
    found = document(row("", 0), row(""), total_value=Decimal(5), date=dt.date(2025, 3, 20))
    action = decided(case(found))
    reasons = [fault["reason"] for fault in action.details["faults"]]
    assert action.reason == "row_without_product"
    assert reasons == [
        "row_without_product",
        "row_without_product",
        "row_count_not_positive",
        "total_differs",
        "fiscal_year",
    ]


def test_an_unknown_fiscal_year_is_for_a_person() -> None:
    assert reason_of(case(fiscal_year=None)) == ("review", "fiscal_year")


# --- waiting -----------------------------------------------------------------------------------------------


def test_a_document_waits_for_its_customer() -> None:
    why = ("customer_in_review", "It is in the review list.")
    waits = reconcile_document(case(customer_code=None, customer_wait=why), RULES)
    assert waits == Wait("customer_in_review", "Quote 100-1404/15 waits for customer 10255: It is in the review list.")
    without = case(
        customer_code=None, customer_number="", customer_wait=("customer_without_number", "It has no number.")
    )
    assert reconcile_document(without, RULES) == Wait(
        "customer_without_number", "Quote 100-1404/15 waits for customer c-1 (CRM id): It has no number."
    )
    unknown = reconcile_document(case(customer_code=None), RULES)
    assert isinstance(unknown, Wait)
    assert unknown.reason == "customer_unknown"


def test_a_linked_customer_is_not_waited_for() -> None:
    found = case(customer_wait=("customer_waits", "An update of it failed."))
    assert decided(found).action == "create"


# --- the net -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reported", "fine"),
    [("100000", True), ("109000", True), ("100000.4", True), ("100001", False), ("0", False), ("9000", False)],
)
def test_the_reported_net_is_compared_to_the_rial(reported: str, fine: bool) -> None:
    action = decided(case(document(vat=Decimal(8000), toll=Decimal(1000))))
    wrong = check_net(Action.from_json(json.loads(json.dumps(action.as_json()))), Decimal(reported))
    assert (wrong is None) is fine
    if wrong:
        assert wrong == (f"Siagh reports a net of {int(reported):,}; expected: 100,000 or, with tax and toll, 109,000.")


def test_a_net_that_is_not_reported_is_told() -> None:
    assert check_net(decided(case()), None) == "Siagh did not report a net amount; expected: 100,000."
