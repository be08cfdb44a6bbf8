"""The parts of pages that change by themselves, in a real browser: they disturb nobody; a session that ends leads back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from siaghsync import clock
from siaghsync.sandbox import Sandbox
from siaghsync.state import webhook_queue
from siaghsync.state.audit import stamp
from siaghsync.state.database import open_state
from siaghsync.state.webhook_queue import Call
from tests.patience import wait_for
from tests.web.browsing import Visitor, needs_chromium
from tests.web.serving import PASSWORD, Served, ready, serving
from tests.world import World, finish, holding

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = needs_chromium


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A `serve` that starts no runs of its own."""
    with Sandbox(2, also_in_crm=2) as sandbox:
        world = ready(World(tmp_path_factory.mktemp("quiet"), sandbox), ENABLE_WEBHOOKS="false").imported()
        with serving(world) as found:
            yield found


@pytest.fixture
def page(browser: Browser, quiet: Served) -> Iterator[Page]:
    """Somebody who is logged in and reads English."""
    context = browser.new_context(locale="en")
    visitor = Visitor(context, quiet)
    yield visitor.log_in()
    context.close()
    assert visitor.complaints == []


@contextmanager
def running(served: Served) -> Iterator[int]:
    """A run at work, and its number."""
    with holding(served.world, "login"):
        process = served.world.start("sync")
        wait_for(lambda: served.world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL"))
        ((run_id,),) = served.world.rows("SELECT max(id) FROM runs")
        yield run_id
    finish(process)


def changed(page: Page, served: Served, record: str) -> None:
    """Lets the figures change, and waits until the page shows them anew."""
    page.evaluate("document.querySelector('#live').dataset.old = 'yes'")
    with closing(open_state(served.world.state_file)) as state:
        assert webhook_queue.keep(state, [Call("person", record, "update")], stamp(clock.now()), 10)
    page.wait_for_selector("#live:not([data-old])")


def test_what_is_open_stays_open_and_the_focus_stays(page: Page, quiet: Served) -> None:
    with running(quiet):
        page.goto(quiet.url + "/")
        page.locator("details").nth(1).locator("summary").click()
        page.locator("a[href='/waiting']").last.focus()
        for n in range(2):
            changed(page, quiet, str(n))
            assert page.locator("details").evaluate_all("all => all.map(each => each.open)")[:2] == [False, True]
            assert page.evaluate("document.activeElement.getAttribute('href')") == "/waiting"


def test_only_news_is_read_out(page: Page, quiet: Served) -> None:
    with running(quiet):
        page.goto(quiet.url + "/")
        assert page.locator("#live [role=status], #live [aria-live]").count() == 0
        changed(page, quiet, "a")
        assert page.inner_text("#told") == ""
    page.wait_for_selector(".state.busy", state="detached")
    assert page.inner_text("#told") == page.inner_text("#live .state h2")


def test_a_session_that_ends_meanwhile_leads_back_to_the_page(page: Page, quiet: Served) -> None:
    with running(quiet) as run_id:
        for path in ("/", f"/runs/{run_id}"):
            page.goto(quiet.url + path)
            csrf = page.locator("input[name=csrf]").first.input_value()
            page.context.request.post(quiet.url + "/logout", form={"csrf": csrf})
            page.wait_for_selector("#password")
            page.fill("#user", "Zahra")
            page.fill("#password", PASSWORD)
            page.press("#password", "Enter")
            page.wait_for_selector("nav")
            assert page.url == quiet.url + path


def test_where_a_login_leads(quiet: Served) -> None:
    def target(path: str, **headers: str) -> str:
        answer = quiet.get(path, headers=headers, cookies={"siaghsync_session": ""})
        return answer.headers.get("HX-Redirect") or answer.headers["Location"]

    part = {"HX-Request": "true"}
    assert target("/trail?q=24&failed=1") == "/login?next=/trail%3Fq%3D24%26failed%3D1"
    assert target("/live", **part, **{"HX-Current-URL": f"{quiet.url}/?a=1"}) == "/login?next=/%3Fa%3D1"
    assert target("/live", **part, **{"HX-Current-URL": "https://evil.example//evil.example"}) == "/login?next=/"
    quiet.log_in()
    assert "<nav" in quiet.get("/live").text
    assert quiet.get("/live", headers=part).text.startswith("<div")
    csrf = quiet.csrf("/")
    kept = quiet.http.cookies.get_dict()
    quiet.post("/logout", {"csrf": csrf})
    decided = quiet.post("/reviews/7/decide", {"csrf": csrf}, cookies=kept)
    assert decided.headers["Location"] == "/login?next=/reviews/7"
