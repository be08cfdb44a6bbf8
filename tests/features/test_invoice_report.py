"""`report invoices` against the sandbox: where each document of a year stands, what it comes to, and that nothing is written."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from persiantools.jdatetime import JalaliDate

from siaghsync.state.lock import run_lock
from tests.environment import DOCUMENT_DATE, FISCAL_YEAR, SINCE
from tests.indoors import indoors
from tests.world import Maker, World


def content(state_file: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables."""
    with closing(sqlite3.connect(state_file)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables}


def row(price: int | str = 100_000, count: int | str = 2, code: str = "P-1") -> dict[str, Any]:
    return {"productCode": code, "count": count, "baseUnitPrice": price}


def lines(report: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """CRM number (or id) -> line; none is told twice."""
    told = {line["number"] or line["crm_id"]: line for line in report["documents"]}
    assert len(told) == len(report["documents"]) == report["counts"]["documents"]
    return told


@pytest.fixture
def trading(make_world: Maker) -> tuple[World, str]:
    """A world after its import, and the CRM id of a linked customer."""
    world = indoors(make_world(customers=3, also_in_crm=1)).set(**SINCE).imported()
    return world, str(world.rows("SELECT crm_id FROM customer_mappings ORDER BY finance_code")[0][0])


def test_each_document_is_told_with_what_became_of_it(trading: tuple[World, str]) -> None:
    world, customer = trading
    stranger = world.crm.add_person(nickName="بی شماره", lastName="بی شماره", customerNumber="")
    quote = world.crm.add_quote(customer, [row()], number="Q-1", crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, [row()], number="I-1", relatedQuoteId=quote, crmObjectTypeCode="PI_5")
    draft = world.crm.add_quote(customer, [row()], number="")
    world.crm.add_invoice(customer, [row(code="")], number="I-2")
    world.crm.add_invoice(stranger, [row()], number="I-3")
    world.crm.add_invoice(customer, [row("1000000000000000000.5", 1)], number="I-4", crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, [row()], number="I-5", creatDate="2019-12-31T23:59:59")
    world.run("sync")
    world.crm.add_invoice(customer, [row("0.1", 3)], number="I-6", crmObjectTypeCode="PI_5")
    before = content(world.state_file)

    report = world.json("report", "invoices")

    assert content(world.state_file) == before
    assert world.journal.count("finance", "SaveFormData") == 0
    assert report["year"] == FISCAL_YEAR
    told = lines(report)
    assert {name: (line["state"], line["how"] or line["reason"]) for name, line in told.items()} == {
        "Q-1": ("posted", "posted"),
        "I-1": ("posted", "with_quote"),
        draft: ("skipped", "not_numbered"),
        "I-2": ("review", "row_without_product"),
        "I-3": ("waiting", "customer_without_number"),
        "I-4": ("posted", "posted"),
        "I-5": ("skipped", "before_start"),
        "I-6": ("missing", "not_seen"),
    }
    numbers = {p.fields["tozihat"].rpartition(" ")[2].rstrip("]"): str(p.number) for p in world.finance.preinvoices}
    assert told["Q-1"]["finance_number"] == told["I-1"]["finance_number"] == numbers["Q-1"]
    assert "بی شماره" in told["I-3"]["message"]
    assert report["counts"] == {
        "documents": 8, "posted": 3, "waiting": 1, "review": 1, "missing": 1, "skipped": 2, "not_understood": 0,
    }  # fmt: skip


def test_sums_are_to_the_rial_and_a_quote_with_its_invoice_counts_once(trading: tuple[World, str]) -> None:
    world, customer = trading
    quote = world.crm.add_quote(customer, [row()], number="Q-1", crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, [row()], number="I-1", relatedQuoteId=quote, crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, [row("1000000000000000000.5", 1)], number="I-2", crmObjectTypeCode="PI_5")
    world.run("sync")
    first = world.json("report", "invoices")["sums"]
    month = JalaliDate(date.fromisoformat(DOCUMENT_DATE[:10])).strftime("%Y-%m")
    exact = Decimal("1000000000000000000.5")
    assert first == [
        {
            "month": month, "sale_model": 5, "documents": 2, "net": str(exact + 200_000), "posted": 2,
            "net_posted": str(exact + 200_000), "open": 0, "net_open": "0", "skipped": 0, "net_skipped": "0",
        }
    ]  # fmt: skip

    open_quote = world.crm.add_quote(customer, [row(7)], number="Q-3", crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, [row(7)], number="I-3", relatedQuoteId=open_quote, crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, [row(5)], number="I-4", crmObjectTypeCode="Productinvoice")
    second = world.json("report", "invoices")["sums"]
    assert [(s["sale_model"], s["documents"], s["open"], s["net_open"]) for s in second] == [
        (1, 1, 1, "10"),
        (5, 3, 1, "14"),
    ]


def test_the_totals_add_up_in_documents_and_in_rials(trading: tuple[World, str]) -> None:
    world, customer = trading
    world.crm.add_invoice(customer, [row(10, 1)], number="I-1")
    changed = world.crm.add_invoice(customer, [row(20, 1)], number="I-2")
    gone = world.crm.add_invoice(customer, [row(40, 1)], number="I-3")
    world.crm.add_invoice(customer, [row(80, 1, code="")], number="I-4")
    world.crm.add_quote(customer, [row(160, 1)], number="")
    world.run("sync")
    world.crm.edit(changed, details=[row(25, 1)], totalValue=25, finalValue=25)
    world.crm.delete(gone)
    world.run("sync")
    report = world.json("report", "invoices")
    assert report["totals"] == {
        "all": {"documents": 5, "net": "275"},
        "posted": {"documents": 1, "net": "10"},
        "changed": {"documents": 2, "net": "25", "difference": "-35"},
        "open": {"documents": 1, "net": "80"},
        "passed_over": {"documents": 1, "net": "160"},
    }
    told = lines(report)
    assert told["I-2"]["changed"]
    assert not told["I-1"]["changed"]
    assert told["I-1"]["customer_name"] == world.crm.records[customer]["nickName"]
    shown = world.run("report", "invoices", env={"COLUMNS": "80"}).stdout
    assert "changed since it was posted" in shown
    assert "-35" in shown


def test_the_year_goes_by_the_documents_own_date(trading: tuple[World, str]) -> None:
    world, customer = trading
    eve = JalaliDate(FISCAL_YEAR, 1, 1).to_gregorian() - timedelta(days=1)
    world.crm.add_quote(customer, [row()], number="Q-1", quoteDate=f"{eve}T23:59:59.9")
    world.crm.add_quote(customer, [row()], number="Q-2", quoteDate=f"{eve + timedelta(days=1)}T00:00:00")
    assert set(lines(world.json("report", "invoices"))) == {"Q-2"}
    earlier = world.json("report", "invoices", "--year", str(FISCAL_YEAR - 1))
    assert set(lines(earlier)) == {"Q-1"}
    assert earlier["documents"][0]["jalali_date"].startswith(f"{FISCAL_YEAR - 1}-12-")
    assert world.journal.count("finance") == 0, "Siagh is only asked for the year that it posts in"


@pytest.mark.parametrize("form", ["null", "missing"])
def test_rows_that_a_list_leaves_out_are_fetched(trading: tuple[World, str], form: Any) -> None:
    world, customer = trading
    world.crm.details_in_find = form
    world.crm.add_invoice(customer, [row(50, 3)], number="I-1")
    assert lines(world.json("report", "invoices"))["I-1"]["net"] == "150"


def test_what_changed_or_vanished_after_posting_is_told(trading: tuple[World, str]) -> None:
    world, customer = trading
    changed = world.crm.add_invoice(customer, [row()], number="I-1")
    vanished = world.crm.add_invoice(customer, [row(30, 1)], number="I-2")
    world.finance.tax_percent, world.finance.reports_tax_in_net = 10, True
    world.run("sync")
    world.crm.edit(changed, details=[row(1, 1)])
    world.crm.delete(vanished)
    told = lines(world.json("report", "invoices"))
    assert (told["I-1"]["net"], told["I-1"]["posted_net"], told["I-1"]["reported_net"]) == ("1", "200000", "220000")
    assert told["I-1"]["notes"] == [
        "changed in the CRM since it was posted",
        "Siagh reported a net of 220,000, not 200,000",
        "in review: net_differs",
    ]
    assert (told["I-2"]["in_crm"], told["I-2"]["net"], told["I-2"]["state"]) == (False, "30", "posted")


def test_what_a_person_decided_is_told(trading: tuple[World, str]) -> None:
    world, customer = trading
    world.arm("reset_after", "finance:SaveFormData/preinvoice")
    world.crm.add_invoice(customer, [row()], number="I-1")
    world.run("sync")
    assert lines(world.json("report", "invoices"))["I-1"]["reason"] == "unknown_outcome"
    ((review,),) = world.rows("SELECT id FROM reviews WHERE resolution IS NULL")
    assert world.run("review", "resolve", str(review), "--posted", "2488").exit_code == 0
    told = lines(world.json("report", "invoices"))["I-1"]
    assert (told["state"], told["how"], told["finance_number"]) == ("posted", "by_person", "2488")

    world.crm.add_invoice(customer, [row(code="")], number="I-2")
    world.run("sync")
    ((review,),) = world.rows("SELECT id FROM reviews WHERE resolution IS NULL")
    world.run("review", "resolve", str(review), "--discard")
    told = lines(world.json("report", "invoices"))["I-2"]
    assert (told["state"], told["reason"]) == ("skipped", "discarded")


def test_a_document_that_can_not_be_understood_is_never_left_out_in_silence(trading: tuple[World, str]) -> None:
    world, customer = trading
    bad = world.crm.add_invoice(customer, [row()], number="I-1", invoiceDate=None, creatDate=None)
    report = world.json("report", "invoices")
    assert report["counts"]["not_understood"] == 1
    assert report["not_understood"][0]["crm_id"] == bad
    assert "of an unknown year: 1" in world.run("report", "invoices").stdout


def test_only_the_sources_that_are_synced_are_reported(trading: tuple[World, str]) -> None:
    world, customer = trading
    world.crm.add_quote(customer, [row()], number="Q-1")
    world.crm.add_invoice(customer, [row()], number="I-1")
    assert set(lines(world.json("report", "invoices", env={"SYNC_QUOTES": "false"}))) == {"I-1"}


def test_the_csv_opens_in_a_spreadsheet(trading: tuple[World, str]) -> None:
    world, customer = trading
    world.crm.add_invoice(customer, [row("100.50", 3)], number="I-1", subject="=HYPERLINK(1);فروش")
    file = world.folder / "report.csv"
    ended = world.run("report", "invoices", "--csv", str(file))
    assert ended.exit_code == 0
    assert "1 documents were written" in ended.stderr
    assert file.read_bytes().startswith(b"\xef\xbb\xbf")
    with file.open(encoding="utf-8-sig", newline="") as text:
        (cells,) = csv.DictReader(text)
    assert (cells["number"], cells["net"], cells["state"]) == ("I-1", "301.5", "missing")
    assert cells["subject"] == "'=HYPERLINK(1);فروش"

    ended = world.run("report", "invoices", "--csv", str(world.folder / "nowhere" / "x.csv"), "--json")
    assert ended.exit_code == 2
    assert "can't be written" in ended.json["error"]["message"]


def test_the_table_folds_long_lists(trading: tuple[World, str]) -> None:
    world, customer = trading
    for number in range(15):
        world.crm.add_invoice(customer, [row(1_000_000, 1)], number=f"I-{number}")
    out = world.run("report", "invoices").stdout
    assert "15 documents in the CRM: 15 missing" in out
    assert "15,000,000" in out
    assert "3 more are not shown; --csv or --json shows all" in out


def test_it_goes_beside_a_run_that_holds_the_lock(trading: tuple[World, str]) -> None:
    world, customer = trading
    world.crm.add_invoice(customer, [row()], number="I-1")
    with run_lock(world.state_file):
        world.json("report", "invoices")


def test_what_stops_it_is_told_with_its_exit_code(trading: tuple[World, str]) -> None:
    world, _ = trading
    assert world.run("report", "invoices", "--year", "2025", "--json").json["error"]["kind"] == "usage"
    world.arm("refuse_before", "crm:invoice/sales/find", times=None)
    assert world.run("report", "invoices", "--json").exit_code == 3
    assert world.run("report", "invoices", "--json", env={"CRM_PASSWORD": "wrong"}).exit_code == 3
    missing = world.run("--state", "none.db", "report", "invoices", "--json")
    assert (missing.exit_code, missing.json["error"]["kind"]) == (2, "state")


def test_a_lock_of_the_account_is_remembered(trading: tuple[World, str]) -> None:
    world, _ = trading
    world.crm.account.lock(60)
    found = set()
    for expected in (1, 0, 0):
        assert world.run("report", "invoices", "--json").json["error"]["kind"] == "login_locked"
        assert world.journal.count("crm", "login") == expected
        found |= set(world.rows("SELECT value FROM meta WHERE name = 'crm_login_locked_until'"))
    ((until,),) = found
    assert datetime.fromisoformat(until) > datetime.now().astimezone()


def test_a_cool_down_is_not_prolonged_by_the_runs_that_it_stops(trading: tuple[World, str]) -> None:
    world, _ = trading
    world.crm.account.lock(60)
    found = set()
    for expected in (1, 0, 0):
        assert world.run("sync", "--json").json["error"]["kind"] == "login_locked"
        assert world.journal.count("crm", "login") == expected
        found |= set(world.rows("SELECT value FROM meta WHERE name = 'crm_login_locked_until'"))
    assert len(found) == 1
