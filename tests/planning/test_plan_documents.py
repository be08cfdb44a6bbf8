"""What becomes of a quote or invoice: each rule, in its order; and that no pair is ever posted twice."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.document import Document, DocumentRow, Posted, net, snapshot
from siaghsync.domain.reasons import Reason
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, msg
from siaghsync.planning.documents import (
    DocumentCase,
    DocumentRules,
    Wait,
    check_net,
    expected_net,
    on_party,
    plan_document,
    posted_as,
    suid_of,
)
from tests.sample_records import contact, document, invoice, row

RULES = DocumentRules(
    sale_model=1,
    sales_centre=None,
    payment_type=2,
    sale_kind=1,
    intermediary=31,
    states="numbered",
    since=None,
    customer="contact",
)
ANY = replace(RULES, states="any")


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
    action = plan_document(given_, rules)
    assert isinstance(action, Action)
    return action


def words(action: Action) -> str:
    """The message in English; the Persian one can be told as well."""
    assert action.message is not None
    assert catalog.render(action.message, "fa")
    return catalog.render(action.message)


def reason_of(given_: DocumentCase, rules: DocumentRules = RULES) -> tuple[str, str | None]:
    action = decided(given_, rules)
    assert not action.payload or action.operation == "create"
    return action.operation, action.reason


def floats_in(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(floats_in, value.values()))
    return any(map(floats_in, value)) if isinstance(value, list | tuple) else isinstance(value, float)


# --- creating ----------------------------------------------------------------------------------------------


def test_a_create_as_documented() -> None:
    action = decided(case(document(row("Product-1", "1.0000", "100000.00"), row("P-2", "1.5", 2000, "500.00"))))
    assert (action.operation, action.entity, action.target, action.record) == ("create", "invoice", "finance", "q-1")
    assert (action.kind, action.customer_number, action.crm_id, action.name) == ("quote", "10255", "q-1", "100-1404/15")
    assert action.payload == {
        "customer_code": 255,
        "sale_model": 5,
        "sales_centre": 5,
        "payment_type": 2,
        "sale_kind": 1,
        "intermediary": 31,
        "fiscal_year": 1404,
        "type_code": "PI_5",
        "notes": "موضوع [CRM PI_5 100-1404/15]",
        "suid": "11132DE8-0DAE-572A-A389-735413FC2F7E",
        "rows": [
            {"product_code": "Product-1", "unit": "قطعه", "quantity": "1", "unit_price": "100000", "discount": "0"},
            {"product_code": "P-2", "unit": "قطعه", "quantity": "1.5", "unit_price": "2000", "discount": "500"},
        ],
    }
    assert action.changes == {
        "number": (None, "100-1404/15"),
        "customer": (None, "10255"),
        "net": (None, "102500"),
        "rows": (None, "2"),
    }
    assert (action.details["net"], action.details["net_with_tax"]) == ("102500", "102500")
    assert action.details["snapshot"]["number"] == "100-1404/15"
    assert action.reason is None
    assert action.message is None


@pytest.mark.parametrize(
    ("sale_model", "rules", "sent"),
    [
        (5, RULES, (5, 5)),
        (0, RULES, (0, 0)),
        (None, RULES, (1, 1)),
        (None, replace(RULES, sale_model=3), (3, 3)),
        (5, replace(RULES, sales_centre=9), (5, 9)),
        (5, replace(RULES, sales_centre=0), (5, 0)),
    ],
)
def test_sale_model_and_sales_centre(sale_model: int | None, rules: DocumentRules, sent: tuple[int, int]) -> None:
    payload = decided(case(document(sale_model=sale_model)), rules).payload
    assert (payload["sale_model"], payload["sales_centre"]) == sent


def test_the_other_codes_come_from_the_settings() -> None:
    payload = decided(case(), replace(RULES, payment_type=1, sale_kind=4, intermediary=77)).payload
    assert (payload["payment_type"], payload["sale_kind"], payload["intermediary"]) == (1, 4, 77)


@pytest.mark.parametrize(
    ("fields", "notes"),
    [
        ({"description": "توضیح"}, "توضیح [CRM PI_5 100-1404/15]"),
        ({"description": "\x01", "subject": "s"}, "s [CRM PI_5 100-1404/15]"),
        ({"description": "", "subject": ""}, "[CRM PI_5 100-1404/15]"),
        ({"description": "a|b\nsl_sanad.salmali=1"}, "a/b sl_sanad.salmali=1 [CRM PI_5 100-1404/15]"),
        ({"number": "", "subject": "s"}, "s [CRM PI_5 q-1]"),
    ],
)
def test_the_notes_tell_where_it_comes_from(fields: dict[str, Any], notes: str) -> None:
    assert decided(case(document(**fields)), ANY).payload["notes"] == notes


def test_a_row_without_a_unit_is_counted_in_pieces() -> None:
    assert decided(case(document(replace(row(), unit="")))).payload["rows"][0]["unit"] == "عدد"


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
        action = plan_document(case(found, posted=known.get(found.crm_id), twin=twin), rules)
        if isinstance(action, Action):
            assert action.operation in ("create", "link")
            created += [found.crm_id] if action.operation == "create" else []
            known[found.crm_id] = posted(found)
    assert created == [order[0].crm_id]


def test_the_second_half_of_a_pair_counts_as_posted_with_the_first() -> None:
    action = decided(case(invoice(), twin=posted(document())))
    assert (action.operation, action.reason) == ("link", "same_as_quote")
    assert (
        words(action) == "The invoice 100-1404/7: It was posted with the quote it was made from, as pre-invoice 2488."
    )
    assert (action.checksum, action.details["snapshot"]) == (invoice().checksum, snapshot(invoice()))
    assert (action.kind, action.details["related_quote_id"]) == ("invoice", "q-1")
    assert action.details["posted"]["key"] == "15459"
    assert not action.payload
    assert reason_of(case(document(), twin=posted(invoice()))) == ("link", "same_as_invoice")


def test_a_pair_that_sells_something_else_is_for_a_person() -> None:
    action = decided(case(invoice(row(quantity=3)), twin=posted(document())))
    assert (action.operation, action.reason) == ("review", "differs_from_posted_quote")
    assert action.changes == {"net": ("100000", "150000"), "rows.1.quantity": ("2", "3")}
    assert action.details["difference"] == {"net": ["100000", "150000"], "rows.1.quantity": ["2", "3"]}
    assert "pre-invoice 2488: net amount: 100,000 -> 150,000; row 1, quantity: 2 -> 3." in words(action)
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
    renamed = document(row("P-2"), row(), subject="x", type_code="PI_7", sale_model=7)
    for rules in (RULES, replace(RULES, since=dt.datetime(2030, 1, 1))):
        assert plan_document(case(before, posted=posted(before), fiscal_year=1405), rules) is None
        assert plan_document(case(renamed, posted=posted(before)), rules) is None
        assert plan_document(case(before, posted=posted(before), twin=posted(invoice())), rules) is None


def test_the_same_fingerprint_or_the_same_content_is_no_change() -> None:
    forgotten = replace(posted(document()), snapshot={})
    assert plan_document(case(posted=forgotten), RULES) is None
    assert plan_document(case(posted=replace(posted(document()), checksum="of an older kind")), RULES) is None


def test_a_change_after_posting_is_for_a_person() -> None:
    before, after = document(row(), row("P-2")), document(row(), row("P-2", 3), discount=Decimal(7))
    action = decided(case(after, posted=posted(before)))
    assert (action.operation, action.reason) == ("review", "changed_after_posting")
    assert list(action.changes.items()) == [
        ("net", ("200000", "250000")), ("discount", ("0", "7")), ("rows.2.quantity", ("2", "3"))
    ]  # fmt: skip
    assert action.details["difference"] == {key: list(pair) for key, pair in action.changes.items()}
    assert action.details["posted"]["snapshot"] == snapshot(before)
    assert action.details["posted"]["net"] == "200000"
    assert action.checksum == after.checksum
    assert words(action) == (
        "The quote 100-1404/15: It was posted as pre-invoice 2488 and has changed since: net amount: 200,000 -> 250,000; "
        "discount: 0 -> 7; row 2, quantity: 2 -> 3."
    )
    assert not action.payload


def test_a_pre_invoice_is_called_by_its_number_else_by_its_key() -> None:
    names = [
        replace(posted(document()), number=number, key=key) for number, key in (("2488", "1"), (None, "1"), (None, ""))
    ]
    assert [catalog.render(posted_as(name)) for name in names] == [
        "pre-invoice 2488", "the pre-invoice with the internal id 1", "a pre-invoice of this run",
    ]  # fmt: skip
    planned = Posted("q-1", "quote", None, "", document().checksum, snapshot(document()))
    assert words(decided(case(invoice(), twin=planned))).endswith("as a pre-invoice of this run.")


def test_a_number_that_is_taken_away_after_posting_is_for_a_person() -> None:
    action = decided(case(document(row(quantity=3), number=""), posted=posted(document())))
    assert (action.operation, action.reason) == ("review", "withdrawn_after_posting")
    assert action.changes == {"net": ("100000", "150000"), "number": ("100-1404/15", ""), "rows.1.quantity": ("2", "3")}
    assert reason_of(case(document(number=""), posted=posted(document())), ANY) == ("review", "changed_after_posting")
    unnumbered = document(number="")
    assert plan_document(case(unnumbered, posted=posted(unnumbered)), RULES) is None


def test_another_number_is_a_change_and_the_first_one_is_none() -> None:
    renumbered = decided(case(document(number="100-1404/16"), posted=posted(document())))
    assert (renumbered.reason, renumbered.changes) == (
        "changed_after_posting",
        {"number": ("100-1404/15", "100-1404/16")},
    )
    assert plan_document(case(document(), posted=posted(document(number=""))), ANY) is None


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
    if action == "skip":
        said = words(decided(case(found), rules))
        assert said.endswith(
            "It was created on 2025-12-20 00:00 (1404/09/29), before 2025-12-21 00:00 (1404/09/30) (INVOICES_SINCE)."
        )


@pytest.mark.parametrize(
    ("found", "reason", "sentence"),
    [
        (document(rows=()), "no_rows", "It has no rows."),
        (document(customer_crm_id=""), "no_customer", "It names no customer."),
        (document(row(), row("")), "row_without_product", "There is no product code in row 2."),
        (document(replace(row(" "), product_name="میز")), "row_without_product", "There is no product code in row 1 (میز)."),
        (document(row(quantity=0)), "row_count_not_positive", "The count in row 1 (P-1) is zero or below."),
        (document(row(quantity=-1)), "row_count_not_positive", "The count in row 1 (P-1) is zero or below."),
        (document(row(returned=Decimal("0.5"))), "row_returned", "Something of row 1 (P-1) was given back"),
        (document(row(price=-1)), "row_price_negative", "The price in row 1 (P-1) is below zero."),
        (document(row(discount=-1)), "row_discount_wrong", "The discount in row 1 (P-1) is below zero or above its price."),
        (document(row(discount=100001)), "row_discount_wrong", "above its price."),
        (document(discount=Decimal(500)), "discount_differs", "is 500, but its rows' discounts come to 0."),
        (document(discount=Decimal(500), final_value=Decimal(99500)), "discount_differs", "is 500"),
        (document(row(discount=5000), discount=Decimal(4000)), "discount_differs", "is 4,000, but its rows' discounts come"),
        (document(additional_costs=Decimal(900)), "additional_costs", "additional costs of 900,"),
        (document(total_value=Decimal(99999)), "total_differs", "gives 99,999 for its total, but the rows come to 100,000."),
        (document(final_value=Decimal(109000)), "total_differs", "gives 109,000 for its final amount, but"),
        (document(row(discount=1), total_value=Decimal(5)), "total_differs", "the rows come to 100,000 or 99,999."),
        (document(total_value=Decimal(0)), "total_differs", "gives 0 for its total"),
        (document(row(total=Decimal(50000))), "total_differs", "gives 50,000 for row 1, but the rows come to 100,000."),
        (document(date=dt.date(2025, 3, 20)), "fiscal_year", "Its date is 2025-03-20 (1403/12/30), in fiscal year 1403, but"),
        (document(date=dt.date(2026, 3, 21)), "fiscal_year", "in fiscal year 1405, but Siagh posts in 1404."),
    ],
)  # fmt: skip
def test_a_fault_is_for_a_person(found: Document, reason: str, sentence: str) -> None:
    for fields in (
        {},
        {"customer_code": None, "customer_wait": (Reason.CUSTOMER_WAITS, msg("text.verbatim", text="x"))},
    ):
        action = decided(case(found, **fields))
        assert (action.operation, action.reason) == ("review", reason)
        assert words(action).startswith("The quote 100-1404/15: ")
        assert sentence in words(action)
        faults = action.details["faults"]
        assert [fault["reason"] for fault in faults] == [reason]
        assert sentence in catalog.render(Message.from_json(faults[0]["message"]))
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
    assert decided(case(found)).operation == "create"


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
    assert "fiscal year 1404, but Siagh does not say" in words(decided(case(fiscal_year=None)))


# --- waiting -----------------------------------------------------------------------------------------------


def test_a_document_waits_for_its_customer() -> None:
    why = (Reason.CUSTOMER_IN_REVIEW, msg("reason.customer_in_review", number="10255", name="علی", review=7))
    waits = plan_document(case(customer_code=None, customer_wait=why), RULES)
    assert isinstance(waits, Wait)
    assert (waits.reason, catalog.render(waits.message)) == (
        "customer_in_review",
        "The quote 100-1404/15 waits for customer 10255: Its customer 10255 علی waits for a decision (review 7).",
    )
    unnumbered = (Reason.CUSTOMER_WITHOUT_NUMBER, msg("reason.customer_without_number", name="علی"))
    waits = plan_document(case(customer_code=None, customer_number="", customer_wait=unnumbered), RULES)
    assert isinstance(waits, Wait)
    assert (waits.reason, catalog.render(waits.message)) == (
        "customer_without_number",
        "The quote 100-1404/15 waits for its customer: Its customer علی has no customer number in the CRM.",
    )
    unknown = plan_document(case(customer_code=None), RULES)
    assert isinstance(unknown, Wait)
    assert unknown.reason == "customer_unknown"
    assert "not linked" in catalog.render(unknown.message)


def test_a_linked_customer_is_not_waited_for() -> None:
    found = case(customer_wait=(Reason.CUSTOMER_WAITS, msg("text.verbatim", text="An update of it failed.")))
    assert decided(found).operation == "create"


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
        assert catalog.render(wrong) == (
            f"Siagh reports a net amount of {int(reported):,}; 100,000 or, with tax and toll, 109,000 was expected."
        )


def test_a_net_that_is_not_reported_is_told() -> None:
    wrong = check_net(decided(case()), None)
    assert wrong is not None
    assert catalog.render(wrong) == "Siagh did not report a net amount; 100,000 was expected."
    assert catalog.render(expected_net(decided(case())), "fa") == "۱۰۰٬۰۰۰ ریال"


# --- by type, and whom it is booked on ---------------------------------------------------------------------

BY_TYPE = replace(
    RULES,
    types={
        "default": {"sale_kind": 6, "payment_type": 1},
        "PI_5": {"sale_kind": 2, "sales_centre": 3},
        "PI_9": {"sale_model": 12, "states": "any"},
    },
)


@pytest.mark.parametrize(
    ("type_code", "by_code", "sent"),
    [
        ("PI_5", 5, (5, 3, 2, 1)),
        ("PI_9", 9, (12, 12, 6, 1)),
        ("other", None, (1, 1, 6, 1)),
        ("PI_7_x", 7, (7, 7, 6, 1)),
    ],
)
def test_the_mapping_file_goes_before_the_type_code_and_the_settings(
    type_code: str, by_code: int | None, sent: tuple[int, ...]
) -> None:
    payload = decided(case(document(type_code=type_code, sale_model=by_code)), BY_TYPE).payload
    assert tuple(payload[key] for key in ("sale_model", "sales_centre", "sale_kind", "payment_type")) == sent


def test_states_and_posting_by_type() -> None:
    draft = document(type_code="PI_9", number="")
    assert decided(case(draft), BY_TYPE).operation == "create"
    assert decided(case(replace(draft, type_code="PI_5")), BY_TYPE).reason == "not_numbered"
    approved = replace(RULES, types={"PI_5": {"states": "approved"}, "no": {"post": False}})
    assert decided(case(document(state_index=1)), approved).reason == "not_approved"
    assert decided(case(document(state_index=None)), approved).reason == "not_approved"
    assert decided(case(document(state_index=2, number="")), approved).operation == "create"
    assert decided(case(document(type_code="no")), approved).reason == "type_not_posted"


@pytest.mark.parametrize(("state", "reason"), [(2, "withdrawn_after_posting"), (1, None), (None, None)])
def test_only_what_was_approved_can_lose_its_approval(state: int | None, reason: str | None) -> None:
    then = document(state_index=state)
    posted = Posted(then.crm_id, "quote", "2488", "15459", then.checksum, snapshot(then))
    found = plan_document(case(replace(then, state_index=1), posted=posted), replace(RULES, states="approved"))
    assert (found.reason if isinstance(found, Action) else None) == reason


def test_nothing_is_planned_while_it_is_open_whom_it_is_booked_on() -> None:
    undecided = replace(RULES, customer=None)
    found = plan_document(case(), undecided)
    assert isinstance(found, Wait)
    assert found.reason == "customer_code_undecided"
    unlinked = plan_document(case(customer_code=None), undecided)
    assert isinstance(unlinked, Wait)
    assert unlinked.reason == "customer_unknown"


def test_a_create_is_booked_on_the_account_party_or_waits_for_one() -> None:
    create = decided(case())
    party = replace(contact(), account_party=5500014)
    booked = on_party(case(), create, replace(party, code=255))
    assert isinstance(booked, Action)
    assert (booked.payload["contact_code"], booked.payload["customer_code"]) == (255, 5500014)
    for nobody in (replace(party, account_party=None), None):
        waits = on_party(case(), create, nobody)
        assert isinstance(waits, Wait)
        assert waits.reason == "no_account_party"
        assert "10255" in catalog.render(waits.message)
        assert "255" in catalog.render(waits.message)
