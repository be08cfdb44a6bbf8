"""The dashboard in a real headless Chromium, as an accountant uses it: with and without JavaScript, and on a phone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.patience import wait_for
from tests.web.browsing import Visitor, needs_chromium
from tests.web.serving import Served
from tests.world import World, finish, holding

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<script>document.title='owned'</script>"
PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def troubled(served: Served) -> Served:
    """Strangers under the numbers 901, 902 and 903, and a quote of which nobody knows whether it was posted."""
    world = served.world
    for code, name in ((901, HOSTILE), (902, "بهار نیکو"), (903, "رها")):
        world.finance.add_contact(Name=f"طرف‌حساب {code}", Code=code)
        world.crm.add_person(nickName=name, firstName="", lastName="", customerNumber=str(code))
    customer = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings")[0][0])
    row = {"productCode": "P-1", "count": 3, "baseUnitPrice": 5720000}
    world.crm.add_quote(customer, [row], number="100-1405/9", crmObjectTypeCode="PI_5")
    world.arm("reset_after", "finance:SaveFormData/preinvoice")
    world.json("sync", exit_code=1)
    return served


@pytest.fixture
def visit(browser: Browser, troubled: Served) -> Iterator[Any]:
    """Opens visitors: `visit(locale="en")`."""
    contexts, visitors = [], []

    def come(locale: str = "en", **more: Any) -> Visitor:
        contexts.append(browser.new_context(locale=locale, **more))
        visitors.append(Visitor(contexts[-1], troubled))
        return visitors[-1]

    yield come
    for context in contexts:
        context.close()
    assert [complaint for visitor in visitors for complaint in visitor.complaints] == []


def resolution(world: World, number: str) -> list[tuple[Any, ...]]:
    return world.rows("SELECT resolution, resolved_by FROM reviews WHERE customer_number = ? ORDER BY id", number)


def test_a_collision_is_resolved_by_linking(visit: Any, troubled: Served) -> None:
    page = visit().log_in()
    page.click("nav >> text=For decision")
    page.click("tr:has-text('بهار نیکو') >> text=Look and decide")
    assert page.locator("td.differs").count() > 0
    page.click("button[name=value][value='902']")
    assert "طرف‌حساب 902" in page.inner_text("main")
    page.click("text=Yes, do it")
    page.wait_for_selector(".flash")
    assert "بهار نیکو" not in page.inner_text("main")
    assert resolution(troubled.world, "902") == [("link", "زهرا کریمی (dashboard)")]
    troubled.world.json("sync", "--only", "customers")
    assert troubled.world.finance.contacts[902]["Name"] == "بهار نیکو"


def test_a_number_is_posted_for_an_invoice_in_doubt_in_persian(visit: Any, troubled: Served) -> None:
    world = troubled.world
    page = visit("fa").log_in()
    page.click("nav >> text=در انتظار تصمیم")
    page.click("tr:has-text('100-1405/9') >> text=بررسی و تصمیم")
    assert "۱۷٬۱۶۰٬۰۰۰" in page.inner_text("main")
    number = str(world.finance.preinvoices[-1].number)
    page.fill("#value-posted", number.translate(PERSIAN))
    page.click("button:has-text('در سیاق ثبت شده است')")
    page.click("text=بله، انجام شود")
    page.wait_for_selector(".flash")
    assert world.rows("SELECT finance_number, posted_by FROM posted_documents WHERE crm_number = '100-1405/9'") == [
        (number, "person")
    ]
    posted = len(world.finance.preinvoices)
    world.run("sync", "--full")
    assert len(world.finance.preinvoices) == posted


def test_a_note_is_copied_also_where_the_browser_gives_no_clipboard(visit: Any, troubled: Served) -> None:
    visitor = visit()
    visitor.page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})")
    page = visitor.log_in()
    ((review_id,),) = troubled.world.rows("SELECT id FROM reviews WHERE reason = 'unknown_outcome'")
    visitor.go(f"/reviews/{review_id}")
    button = page.locator("p:has(#note) [data-copy]")
    button.click()
    assert button.inner_text() == "Copied"
    visitor.go("/trail")
    page.focus("#q")
    page.keyboard.press("Control+V")
    assert page.input_value("#q") == visitor.go(f"/reviews/{review_id}").input_value("#note")


def test_what_needs_javascript_is_not_offered_without_it(visit: Any, troubled: Served) -> None:
    visitor = visit(java_script_enabled=False)
    visitor.log_in()
    ((review_id,),) = troubled.world.rows("SELECT id FROM reviews WHERE reason = 'unknown_outcome'")
    page = visitor.go(f"/reviews/{review_id}")
    assert [button.is_visible() for button in page.locator("[data-copy]").all()] == [False]


def test_the_trail_is_searched_and_the_language_switched(visit: Any, troubled: Served) -> None:
    page = visit().log_in()
    page.click("nav >> text=Audit trail")
    page.fill("#q", "901")
    page.press("#q", "Enter")
    page.wait_for_url("**/trail?q=901*")
    assert page.locator("tbody tr").count() >= 1
    page.click("text=فارسی")
    page.wait_for_selector("html[dir=rtl]")
    assert page.input_value("#q") == "901"
    assert "تاریخچهٔ تغییرات" in page.inner_text("h1")
    assert "۱۴۰" in page.inner_text("tbody")
    page.click("nav >> text=نمای کلی")
    assert page.locator("svg.chart rect").count() > 0
    page.click("text=English")
    page.wait_for_selector("html[dir=ltr]")


def test_a_customer_called_script_is_only_a_name(visit: Any, troubled: Served) -> None:
    page = visit().log_in()
    ((review_id,),) = troubled.world.rows("SELECT id FROM reviews WHERE customer_number = '901'")
    for path in ("/reviews", f"/reviews/{review_id}", f"/reviews/{review_id}/confirm?way=discard", "/trail?q=901"):
        page.goto(troubled.url + path)
        assert "owned" not in page.title()
        assert HOSTILE in page.inner_text("main")


def test_everything_works_without_javascript(visit: Any, troubled: Served) -> None:
    page = visit(java_script_enabled=False).log_in()
    page.click("nav >> text=For decision")
    page.click("tr:has-text('رها') >> text=Look and decide")
    page.click("#ways-out button:has-text('Close without action')")
    page.click("text=Yes, do it")
    assert "The decision was saved" in page.inner_text("main")
    assert resolution(troubled.world, "903") == [("discard", "زهرا کریمی (dashboard)")]
    page.click("text=Log out")
    assert page.locator("#password").count() == 1


def test_the_overview_changes_by_itself_while_a_run_goes_on(visit: Any, troubled: Served) -> None:
    world, page = troubled.world, visit().log_in()
    with holding(world, "login"):
        process = world.start("sync")
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL"))
        page.goto(troubled.url + "/")
        assert page.locator(".state.busy").count() == 1
        page.evaluate("document.body.dataset.loaded = 'once'")
    page.wait_for_selector(".state.busy", state="detached")
    assert page.evaluate("document.body.dataset.loaded") == "once"
    finish(process)


@pytest.mark.parametrize("locale", ["fa", "en"])
def test_it_fits_a_phone_and_can_be_used_by_keyboard(visit: Any, troubled: Served, locale: str) -> None:
    visitor = visit(locale, viewport={"width": 360, "height": 740})
    page = visitor.go("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page = visitor.log_in()
    ((review_id,),) = troubled.world.rows("SELECT id FROM reviews WHERE customer_number = '901'")
    folder = os.environ.get("SCREENSHOTS")
    for path in (
        "/",
        "/reviews",
        f"/reviews/{review_id}",
        "/trail",
        "/links",
        "/links?of=invoices",
        "/runs",
        "/runs/1",
    ):
        page.goto(troubled.url + path)
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
        if folder:
            page.screenshot(
                path=Path(folder) / f"{locale}{path.replace('/', '-').replace('?', '-')}.png", full_page=True
            )


# --- the work list -----------------------------------------------------------------------------------------

MANY = 40


@pytest.fixture(scope="module")
def forty(troubled: Served) -> Iterator[list[int]]:
    """Forty quotes without a product code, each a question; closed in the end, so that no other test meets them."""
    world = troubled.world
    customer = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings")[0][0])
    for n in range(MANY):
        row = {"productCode": "", "count": 1, "baseUnitPrice": 1000 * (n + 1)}
        world.crm.add_quote(customer, [row], number=f"F-{n}", crmObjectTypeCode="PI_5")
    world.json("sync", exit_code=1)
    found = [review_id for (review_id,) in world.rows("SELECT id FROM reviews WHERE name LIKE 'F-%' ORDER BY id")]
    yield found
    world.run("review", "resolve", *map(str, found), "--discard")


@pytest.fixture(scope="module")
def in_doubt(troubled: Served) -> Iterator[tuple[int, str]]:
    """A quote of which nobody knows whether it was posted: the question, and a number that another document has."""
    world = troubled.world
    customer = world.crm_of(world.rows("SELECT min(finance_code) FROM customer_mappings")[0][0])
    row = {"productCode": "P-1", "count": 1, "baseUnitPrice": 700}
    world.crm.add_quote(customer, [row], number="N-1", crmObjectTypeCode="PI_5")
    world.json("sync")
    world.crm.add_quote(customer, [row], number="N-2", crmObjectTypeCode="PI_5")
    world.arm("reset_after", "finance:SaveFormData/preinvoice")
    world.json("sync", exit_code=1)
    ((review_id,),) = world.rows("SELECT id FROM reviews WHERE name = 'N-2'")
    ((number,),) = world.rows("SELECT finance_number FROM posted_documents WHERE crm_number = 'N-1'")
    yield review_id, number
    world.run("review", "resolve", str(review_id), "--discard")


def answers(world: World, reviews: list[int]) -> list[str | None]:
    among = ", ".join(map(str, reviews))
    return [found for (found,) in world.rows(f"SELECT resolution FROM reviews WHERE id IN ({among}) ORDER BY id")]


@pytest.mark.parametrize("locale", ["en", "fa"])
@pytest.mark.parametrize("width", [360, 1280])
def test_forty_reviews_are_decided_in_under_forty_clicks_and_taken_back(
    visit: Any, troubled: Served, forty: list[int], locale: str, width: int
) -> None:
    page, clicks = visit(locale, viewport={"width": width, "height": 740}).log_in(), 0

    def click(selector: str) -> None:
        nonlocal clicks
        clicks += 1
        page.click(selector)

    click("nav a[href='/reviews']")
    click("a[href*='reason=row_without_product']")
    page.fill("input[name=q]", "F-")  # other tests have questions of this kind, too
    click("form[role=search] button")
    click("input[name=all]")
    click("button[name=way][value=discard]")
    assert page.locator("tbody tr").count() == MANY
    click("form[action='/reviews/decide'] button")
    page.wait_for_selector(".flash")
    assert clicks < MANY
    assert answers(troubled.world, forty) == ["discard"] * MANY
    page.goto(f"{troubled.url}/reviews/{forty[0]}")
    page.click("form[action$='/reopen'] button")
    page.wait_for_selector("#ways-out")
    troubled.log_in()
    for review_id in forty[1:]:
        troubled.post(f"/reviews/{review_id}/reopen", {"csrf": troubled.csrf("/")})
    assert answers(troubled.world, forty) == [None] * MANY


@pytest.mark.parametrize("locale", ["en", "fa"])
def test_a_decision_during_a_long_run_is_stored_shown_and_taken_back(
    visit: Any, troubled: Served, forty: list[int], locale: str
) -> None:
    world, page, path = troubled.world, visit(locale).log_in(), f"/reviews/{forty[0]}"
    with holding(world, "login"):
        process = world.start("sync")
        wait_for(lambda: world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL"))
        page.goto(troubled.url + path)
        page.click("#ways-out form:has(input[value=discard]) button")
        page.click(f"form[action='{path}/decide'] button")
        page.goto(troubled.url + "/reviews")
        page.click(f"#decided form[action='{path}/reopen'] button")
        page.wait_for_selector("#ways-out")
        assert answers(world, forty[:1]) == [None]
    finish(process)


@pytest.mark.parametrize("locale", ["en", "fa"])
def test_a_wrong_number_is_refused_and_leads_back_to_the_question(
    visit: Any, troubled: Served, in_doubt: tuple[int, str], locale: str
) -> None:
    world, page, (review_id, taken) = troubled.world, visit(locale).log_in(), in_doubt
    for number in ("24x8", taken):
        page.goto(f"{troubled.url}/reviews/{review_id}")
        page.fill("#value-posted", number)
        page.click("#ways-out form:has(#value-posted) button")
        page.wait_for_selector(".flash")
        assert page.url.startswith(f"{troubled.url}/reviews/{review_id}?")
        assert number in page.inner_text(".flash")
    page.goto(f"{troubled.url}/reviews/{review_id}")
    page.fill("#value-posted", "9876543")
    page.click("#ways-out form:has(#value-posted) button")
    assert page.locator("input[name=sure][required]").count() == 1
    assert answers(world, [review_id]) == [None]
