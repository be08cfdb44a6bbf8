"""Where one document stands and what a year comes to, as pure rules."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.document import Document, DocumentRow, Posted, plain, snapshot
from siaghsync.domain.reasons import Reason
from siaghsync.features.invoice_report.rules import (
    CSV_COLUMNS,
    PARTS,
    STATES,
    Line,
    Parts,
    Standing,
    Sums,
    Why,
    csv_row,
    joined,
    line_of,
    line_of_deleted,
)
from siaghsync.messages.catalog import render
from siaghsync.messages.message import verbatim
from siaghsync.planning.documents import DocumentRules

RULES = DocumentRules(1, None, 2, 1, 31, "numbered", dt.datetime(2026, 1, 1))
DAY = dt.date(2026, 1, 5)


def document(**changes: Any) -> Document:
    row = DocumentRow("P-1", "کالا", "عدد", Decimal(2), Decimal(100_000), vat=Decimal(20_000))
    found = Document(
        "d-1", "invoice", "I-1", "c-1", "فروش", "", "PI_5", 5, DAY, dt.datetime(2026, 1, 5, 9, 30), None, None, (row,)
    )  # fmt: skip
    return replace(found, **changes)


def posted(of: Document, **changes: Any) -> Posted:
    return replace(Posted(of.crm_id, of.source, "2488", "key", of.checksum, snapshot(of), Decimal(200_000)), **changes)


def stands(line: Line) -> tuple[str, str | None]:
    return line.state, line.reason


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Standing(review=Why("row_without_product", verbatim("q"))), ("review", "row_without_product")),
        (Standing(in_doubt=True), ("review", "unknown_outcome")),
        (Standing(discarded="total_differs"), ("skipped", "discarded")),
        (Standing(waiting=Why("customer_waits", verbatim("w"))), ("waiting", "customer_waits")),
        (Standing(), ("missing", "not_seen")),
    ],
)
def test_what_was_recorded_says_where_a_document_stands(known: Standing, expected: tuple[str, str]) -> None:
    line = line_of(document(), known, RULES)
    assert stands(line) == expected
    assert line.counted
    assert (line.net, line.net_with_tax, line.sale_model) == (Decimal(200_000), Decimal(220_000), 5)


def test_the_settings_decide_about_what_was_never_recorded() -> None:
    assert stands(line_of(document(number=""), Standing(), RULES)) == ("skipped", "not_numbered")
    assert stands(line_of(document(number=""), Standing(), replace(RULES, states="any"))) == ("missing", "not_seen")
    old = document(created=dt.datetime(2025, 12, 31, 23, 59))
    line = line_of(old, Standing(), RULES)
    assert stands(line) == ("skipped", "before_start")
    assert line.message is not None
    assert "2025-12-31 23:59" in render(line.message)
    assert "2026-01-01 00:00" in render(line.message)
    assert stands(line_of(old, Standing(), replace(RULES, since=None))) == ("missing", "not_seen")
    bare = document(created=None, date=dt.date(2025, 12, 31))
    assert stands(line_of(bare, Standing(), RULES)) == ("skipped", "before_start")


def test_the_other_half_of_a_posted_quote_waits_and_does_not_count() -> None:
    quote = document(crm_id="q-1", source="quote")
    line = line_of(document(related_quote_id="q-1"), Standing(twin=posted(quote)), RULES)
    assert stands(line) == ("waiting", "twin_posted")
    assert not line.counted
    assert "2488" in render(line.message or verbatim(""))


@pytest.mark.parametrize(
    ("posted_by", "how", "counted"),
    [("create", "posted", True), ("person", "by_person", True), ("link", "with_quote", False)],
)
def test_a_posted_document_says_how_it_was_posted(posted_by: str, how: str, counted: bool) -> None:
    line = line_of(document(), Standing("100", posted_by, posted(document())), RULES)
    assert (line.state, line.how, line.counted, line.finance_number) == ("posted", how, counted, "2488")
    assert (line.posted_net, line.reported_net, line.notes) == (Decimal(200_000), Decimal(200_000), ())


def test_what_is_odd_about_a_posted_document_is_noted() -> None:
    changed = document(subject="other", rows=(replace(document().rows[0], quantity=Decimal(1)),))
    known = Standing("100", "create", posted(document(), net=Decimal(7)), Why(Reason.NET_DIFFERS, verbatim("q")))
    line = line_of(changed, known, RULES)
    assert [render(note) for note in line.notes] == [
        "changed in the CRM since it was posted",
        "Siagh reported a net of 7, not 200,000",
        "in review: net_differs",
    ]
    taxed = line_of(document(), Standing("100", "create", posted(document(), net=Decimal(220_000))), RULES)
    assert taxed.notes == (), "Siagh may report the net with tax"


def test_a_deleted_document_is_told_as_it_was_posted() -> None:
    line = line_of_deleted(posted(document()), Standing("100", "create"), RULES)
    assert (line.in_crm, line.net, line.date, line.customer_crm_id) == (False, Decimal(200_000), DAY, "c-1")
    assert [note.code for note in line.notes] == ["invoices.deleted"]


def test_sums_add_up_and_count_a_pre_invoice_once() -> None:
    sums = Sums()
    was_posted = Standing("100", "create", posted(document()))
    cheaper = document(rows=(replace(document().rows[0], unit_price=Decimal("0.1")),))
    sums.add(line_of(cheaper, was_posted, RULES).as_json())
    sums.add(line_of(document(), Standing(twin=posted(document())), RULES).as_json())
    sums.add(line_of(document(), Standing(), RULES).as_json())
    sums.add(line_of(document(number="", sale_model=None), Standing(), RULES).as_json())
    assert sums.counts() == {"documents": 4, "posted": 1, "waiting": 1, "review": 0, "missing": 1, "skipped": 1}
    assert list(sums.rows()) == [
        {
            "month": "1404-10", "sale_model": 1, "documents": 1, "net": "200000", "posted": 0, "net_posted": "0",
            "open": 0, "net_open": "0", "skipped": 1, "net_skipped": "200000",
        },
        {
            "month": "1404-10", "sale_model": 5, "documents": 2, "net": "200000.2", "posted": 1, "net_posted": "200000",
            "open": 1, "net_open": "200000", "skipped": 0, "net_skipped": "0",
        },
    ]  # fmt: skip


def test_a_document_that_was_posted_for_nothing_sums_up_as_nothing() -> None:
    free = document(rows=(replace(document().rows[0], unit_price=Decimal(0)),))
    sums = Sums()
    sums.add(line_of(document(), Standing("100", "create", posted(free)), RULES).as_json())
    (row,) = sums.rows()
    assert (row["net"], row["net_posted"]) == ("200000", "0")


def test_the_json_and_the_table_have_the_same_columns() -> None:
    line = line_of(document(), Standing(), RULES)
    assert set(CSV_COLUMNS) == set(line.as_json()) - {"month", "in_crm"}
    cells = dict(zip(CSV_COLUMNS, csv_row(line.as_json()), strict=True))
    assert (cells["jalali_date"], cells["net"], cells["counted"], cells["notes"]) == ("1404-10-15", "200000", "yes", "")
    assert line.as_json()["message"] == "Nothing is known of it. A sync has to read it first."


RIALS = st.decimals(-(10**18), 10**18, allow_nan=False, places=2)


def parts_line(month: str, source: str, state: str, net: Decimal, posted_net: Decimal, flags: int) -> dict[str, Any]:
    """The plain data of a line that a report can have; only what was posted can have changed or be gone since."""
    in_crm, counted = state != "posted" or flags % 4 != 0, flags % 3 != 0
    return {
        "month": f"1404-{month}", "source": source, "type": f"{source}-type", "sale_model": len(source), "state": state,
        "net": plain(net), "posted_net": plain(posted_net) if state == "posted" else None, "in_crm": in_crm,
        "changed": state == "posted" and (not in_crm or flags % 2 == 0), "counted": counted,
    }  # fmt: skip


@given(
    st.lists(
        st.builds(
            parts_line,
            st.sampled_from(["01", "02", "12"]),
            st.sampled_from(["quote", "invoice"]),
            st.sampled_from(STATES),
            RIALS,
            RIALS,
            st.integers(0, 11),
        )
    )
)
def test_the_sums_add_up_by_month_and_type_and_in_all(lines: list[dict[str, Any]]) -> None:
    sums = Sums()
    for line in lines:
        sums.add(line)
    counted = [line for line in lines if line["counted"]]
    every: list[tuple[tuple[str, str, str] | None, Parts]] = [*sums.parts.items(), (None, joined(sums.parts.values()))]
    for key, parts in every:
        mine = [line for line in counted if key in (None, (line["month"], line["source"], line["type"]))]
        present = [Decimal(line["net"]) if line["in_crm"] else Decimal(0) for line in mine]
        everything = parts.cells["all"]
        assert (everything.documents, everything.net) == (len(mine), sum(present, Decimal(0)))
        assert everything.documents == sum(parts.cells[name].documents for name in PARTS)
        assert everything.net == sum((parts.cells[name].net for name in PARTS), Decimal(0))
        # What stands in Siagh is what the CRM shows now, less what has changed since.
        stands = sum((Decimal(line["posted_net"]) for line in mine if line["state"] == "posted"), Decimal(0))
        assert parts.cells["posted"].net + parts.cells["changed"].net - parts.difference == stands + sum(
            (Decimal(line["net"]) - Decimal(line["posted_net"]) for line in mine if is_as_posted(line)), Decimal(0)
        )
    totals = sums.totals()
    others = [part for name, part in totals.items() if name != "all"]
    assert totals["all"]["documents"] == sum(part["documents"] for part in others)
    assert Decimal(totals["all"]["net"]) == sum((Decimal(part["net"]) for part in others), Decimal(0))


def is_as_posted(line: dict[str, Any]) -> bool:
    return line["state"] == "posted" and not line["changed"]
