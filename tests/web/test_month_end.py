"""The month's end report: read from the CRM in the background, shown, saved as CSV and Excel, with the same sums everywhere."""

from __future__ import annotations

import csv
import io
import os
import re
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from openpyxl import load_workbook

from siaghsync.messages.catalog import title
from tests.environment import FISCAL_YEAR, SINCE
from tests.patience import wait_for
from tests.web.browsing import Visitor, needs_chromium
from tests.web.serving import Served, ready, serving
from tests.world import Maker, World, holding

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HUGE = "1234567890123456789"
"""More digits than Excel keeps of a number."""
FORMULA = "=HYPERLINK(1)"
OTHER_MONTH = "2026-08-01T10:00:00"
MONTH, NEXT_MONTH = f"{FISCAL_YEAR}-04", f"{FISCAL_YEAR}-05"


def sold(price: int | str, code: str = "P-1") -> list[dict[str, Any]]:
    return [{"productCode": code, "count": 1, "baseUnitPrice": price}]


@pytest.fixture(scope="module")
def trading(make_template: Maker) -> Iterator[Served]:
    """Documents in each state and of two months, and one month's end report of them."""
    world = ready(make_template(customers=3, also_in_crm=2), **SINCE).imported()
    customer = str(world.rows("SELECT crm_id FROM customer_mappings ORDER BY finance_code")[0][0])
    documents(world, customer)
    with serving(world) as served:
        served.log_in()
        assert "hx-trigger" not in served.get("/report").text
        assert served.get("/report.xlsx").status_code == 303
        served.read_year(FISCAL_YEAR)
        yield served


def documents(world: World, customer: str) -> None:
    quote = world.crm.add_quote(customer, sold(1_000_000), number="Q-1", crmObjectTypeCode="PI_5")
    world.crm.add_invoice(customer, sold(1_000_000), number="I-1", relatedQuoteId=quote)
    world.crm.add_invoice(customer, sold(HUGE), number=FORMULA)
    changed = world.crm.add_invoice(customer, sold(20), number="I-3")
    gone = world.crm.add_invoice(customer, sold(40), number="I-4")
    world.crm.add_invoice(customer, sold(80, code=""), number="I-5")
    world.crm.add_quote(customer, sold(160), number="")
    world.crm.add_quote(customer, sold(320), number="Q-8", crmObjectTypeCode="PI_5", quoteDate=OTHER_MONTH)
    world.run("sync")
    world.crm.edit(changed, details=sold(25), totalValue=25, finalValue=25)
    world.crm.delete(gone)
    world.crm.add_invoice(customer, sold("0.5"), number="I-6")


def table(served: Served, query: str = "month=all") -> list[dict[str, str]]:
    answer = served.get(f"/report.csv?{query}")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def sheets(served: Served, query: str, **headers: str) -> tuple[Any, list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    book = load_workbook(io.BytesIO(served.get(f"/report.xlsx?{query}", headers=headers).content))
    sums, documents = book.worksheets
    return book, list(sums.iter_rows(values_only=True)), list(documents.iter_rows(values_only=True))


def test_both_files_come_to_what_stands_in_the_state_file(trading: Served) -> None:
    lines = table(trading)
    posted = {
        number: Decimal(net)
        for number, net in trading.world.rows(
            "SELECT crm_number, json_extract(snapshot, '$.net') FROM posted_documents WHERE posted_by = 'create'"
        )
    }
    in_siagh = [line for line in lines if line["Number in Siagh"] and line["Net amount (rials)"]]
    told = {line["Number"].lstrip("'"): line for line in in_siagh}
    assert told.keys() == posted.keys() == {"Q-1", FORMULA, "I-3", "I-4", "Q-8"}
    for number, net in posted.items():
        line = told[number]
        assert Decimal(line["Net amount (rials)"]) - Decimal(line["Difference (rials)"] or 0) == net
    _, sums, rows = sheets(trading, "month=all")
    whole = dict(zip(sums[0], sums[-1], strict=True))
    stands = Decimal(whole["Posted, unchanged: Net amount (rials)"]) + whole["Changed since: Net amount (rials)"]
    assert stands - whole["Difference (rials)"] == sum(posted.values())
    column = rows[0].index("Net amount (rials)")
    listed = sum(Decimal(row[column]) for row in rows[1:] if row[column] is not None)
    assert listed == Decimal(whole["All: Net amount (rials)"])
    assert listed == sum(Decimal(line["Net amount (rials)"]) for line in lines if line["Net amount (rials)"])
    assert len(rows) - 1 == len(lines) == 9
    assert sum(value for name, value in whole.items() if name.endswith("Records") and name != "All: Records") == 8


def test_the_command_and_the_page_tell_the_same_sums(trading: Served) -> None:
    totals = trading.world.json("report", "invoices")["totals"]
    _, sums, _ = sheets(trading, "month=all")
    whole = dict(zip(sums[0], sums[-1], strict=True))
    for name, parts in {
        "all": ["All"], "posted": ["Posted, unchanged"], "changed": ["Changed since"], "passed_over": ["Passed over"],
        "open": ["Open: waiting", "Open: in review"],
    }.items():  # fmt: skip
        assert sum(whole[f"{part}: Records"] for part in parts) == totals[name]["documents"]
        assert sum(Decimal(whole[f"{part}: Net amount (rials)"]) for part in parts) == Decimal(totals[name]["net"])
    page = trading.get("/report?month=all").text
    figures = re.findall(r">([\d,.-]+)</bdi>", page.partition('class="total"')[2])
    assert figures[0] == f"{Decimal(totals['all']['net']):,f}"
    assert str(whole["Difference (rials)"]) in page


def test_a_month_is_chosen_and_narrowed_down_to_what_is_open(trading: Served) -> None:
    last = trading.get("/report").text
    assert "Documents of \u2068Mordad 1405\u2069" in last, "the last month with documents comes first"
    assert "Q-8" in last
    assert "I-3" not in last
    assert {line["Number"] for line in table(trading, f"month={NEXT_MONTH}")} == {"Q-8"}
    in_review = trading.get(f"/report?month={MONTH}&of=review").text
    assert "I-5" in in_review
    assert "I-3" not in in_review
    assert '/record?q=I-5"' in in_review
    assert {line["Number"] for line in table(trading, f"month={MONTH}&of=review")} >= {"I-5", "I-3"}, "files are whole"


def test_the_workbook_opens_as_accountants_like_it(trading: Served) -> None:
    book, sums, rows = sheets(trading, f"month={MONTH}", **{"Accept-Language": "fa"})
    for sheet in book.worksheets:
        assert sheet.sheet_view.rightToLeft
        assert sheet.freeze_panes == "A2"
        assert all(sheet.column_dimensions[letter].width > 9 for letter in "ABC")
    assert book.sheetnames == [title("web.sums", "fa"), title("web.report_documents", "fa")]
    assert (sums[1][0], rows[1][0]) == ("تیر ۱۴۰۵", "۱۴۰۵/۰۴/۱۰")
    amounts = {row[2]: row[5] for row in rows[1:]}
    assert amounts["Q-1"] == 1_000_000
    assert amounts["I-6"] == 0.5
    assert amounts["I-1"] is None, "its quote counts for both"
    assert amounts[FORMULA] == HUGE, "a number that Excel would round stays text"
    assert all(cell.data_type != "f" for sheet in book.worksheets for line in sheet.iter_rows() for cell in line)


def test_what_keeps_the_crm_from_being_read_is_said_and_the_last_report_stays(trading: Served) -> None:
    trading.world.arm("refuse_before", "crm:login", times=None)
    trading.read_year(FISCAL_YEAR)
    trading.world.sandbox.faults.clear()
    page = trading.get("/report").text
    assert 'role="alert"' in page
    assert "Documents of \u2068Mordad 1405\u2069" in page


# --- in the browser ---


@pytest.mark.parametrize("locale", ["fa", "en"])
@pytest.mark.parametrize("width", [360, 1280])
@needs_chromium
def test_it_can_be_read_chosen_and_printed_in_the_browser(
    trading: Served, browser: Browser, locale: str, width: int
) -> None:
    with closing(browser.new_context(locale=locale, viewport={"width": width, "height": 800})) as context:
        visitor = Visitor(context, trading)
        visitor.log_in()
        page = visitor.go(f"/report?month={MONTH}")
        with page.expect_download() as saved:
            page.click("a[href*='.xlsx']")
        assert saved.value.suggested_filename == f"siaghsync-{MONTH}.xlsx"
        picture(page, f"report-{locale}-{width}")
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
        page.select_option("select[name=month]", NEXT_MONTH)
        page.click("form[method=get] button")
        assert "Q-8" in page.inner_text("main")
        page.goto(f"{trading.url}/report?month=all")
        page.emulate_media(media="print")
        assert not page.is_visible("nav")
        assert page.is_visible(".signature")
        page.set_viewport_size({"width": 1040, "height": 720})
        picture(page, f"report-print-{locale}-{width}")
    assert visitor.complaints == []


@needs_chromium
def test_the_year_is_read_without_javascript_and_with_it_while_one_waits(trading: Served, browser: Browser) -> None:
    for has_script in (True, False):
        with closing(browser.new_context(locale="en", java_script_enabled=has_script)) as context:
            visitor = Visitor(context, trading)
            visitor.log_in()
            with holding(trading.world, "login"):
                page = visitor.go("/report")
                page.click("form[method=post][action='/report'] button")
                page.wait_for_selector("#report [role=status]")
                assert page.locator("select[name=month]").count() == 1, "the last report can be read meanwhile"
            if not has_script:
                wait_for(lambda: "hx-trigger" not in trading.get("/report").text)
                page.reload()
            page.wait_for_selector("select[name=year]")
        assert visitor.complaints == []


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)
