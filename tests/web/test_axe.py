"""Every page, in both languages, on a desk and on a phone, light and dark: axe-core finds nothing that keeps anybody out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import pytest

from siaghsync.sandbox import Sandbox
from tests.environment import FISCAL_YEAR
from tests.web.browsing import Visitor, needs_chromium
from tests.web.serving import Served, ready, serving
from tests.web.showcase import fail
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PACKAGE = "axe_playwright_python"
pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        find_spec(PACKAGE) is None and not os.environ.get("CI"), reason="there is no axe-core here (pip: .[test])"
    ),
]
DESK: Any = {"width": 1280, "height": 800}
PHONE: Any = {"width": 360, "height": 740}
LISTS = (
    "/",
    "/reviews",
    "/waiting",
    "/waiting?of=skipped",
    "/trail",
    "/links",
    "/links?of=invoices",
    "/runs",
    "/report",
    "/site",
    "/rehearsal",
)
SCHEMES: dict[str, Any] = {"fa": ("light", "dark"), "en": ("dark", "light")}
"""How a desk and a phone see the pages of a language. Which colours stand beside each other does not depend on the language."""
RUN = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    (found) => found.id + ": " + found.nodes.map((node) => node.target.join(" ")).slice(0, 4).join(", "))"""


class Inspector:
    """Somebody who goes through pages with axe-core, and notes what it finds. `locale` is `en` or `fa`."""

    def __init__(self, browser: Browser, served: Served, locale: str) -> None:
        context = browser.new_context(locale=locale, viewport=DESK)
        context.add_init_script((files(PACKAGE) / "axe.min.js").read_text("utf-8"))
        self.visitor = Visitor(context, served)
        self.locale = locale
        self.found: list[str] = []

    def look_at(self, path: str) -> None:
        """A page, at a desk and on a phone, one of them by night."""
        page = self.visitor.go(path)
        for size, scheme in zip((DESK, PHONE), SCHEMES[self.locale], strict=True):
            page.set_viewport_size(size)
            page.emulate_media(color_scheme=scheme)
            where = f"{path} ({self.locale}, {size['width']}, {scheme})"
            self.found += [f"{where}: {each}" for each in page.evaluate(RUN)]

    def close(self) -> list[str]:
        """What axe-core found, and what the browser itself complained about."""
        self.visitor.page.context.close()
        return self.found + self.visitor.complaints


def found_on(browser: Browser, served: Served, paths: list[str]) -> list[str]:
    """What is wrong with these pages for somebody who is logged in."""
    found = []
    for locale in ("fa", "en"):
        inspector = Inspector(browser, served, locale)
        inspector.visitor.log_in()
        for path in paths:
            inspector.look_at(path)
        found += inspector.close()
    return found


def test_the_doors(browser: Browser, showcase: Served) -> None:
    for locale in ("fa", "en"):
        inspector = Inspector(browser, showcase, locale)
        inspector.look_at("/login")
        assert inspector.close() == []


@pytest.fixture(scope="module")
def nothing_yet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A site before its first import."""
    with Sandbox(2) as sandbox:
        with serving(ready(World(tmp_path_factory.mktemp("nothing"), sandbox))) as found:
            yield found


def test_before_the_first_import(browser: Browser, nothing_yet: Served) -> None:
    assert found_on(browser, nothing_yet, ["/"]) == []


def test_empty(browser: Browser, nothing_yet: Served) -> None:
    nothing_yet.world.imported()
    assert (
        found_on(browser, nothing_yet, [*(path for path in LISTS if "?" not in path), "/record?q=99", "/runs/1"]) == []
    )


def test_long(browser: Browser, showcase: Served) -> None:
    asked = dict(showcase.world.rows("SELECT reason, max(id) FROM reviews WHERE resolution IS NULL GROUP BY reason"))
    reasons = (
        "stranger", "unknown_outcome", "changed_after_posting", "row_without_product", "phone_taken", "refused",
        "missing_in_finance",
    )  # fmt: skip
    questions = [f"/reviews/{asked[reason]}" for reason in reasons]
    confirm = [
        f"/reviews/{asked['stranger']}/confirm?way=link&value=950",
        f"/reviews/{asked['unknown_outcome']}/confirm?way=posted&value=99999",
        "/reviews/confirm?way=discard&reason=unknown_outcome&all=1",
    ]
    showcase.read_year(FISCAL_YEAR)
    showcase.check_systems()
    assert (
        found_on(
            browser,
            showcase,
            [*LISTS, "/record?q=C-1", "/runs/3", *questions, *confirm],
        )
        == []
    )


def test_decided(browser: Browser, showcase: Served) -> None:
    ((stored,),) = showcase.world.rows("SELECT min(review_id) FROM decisions")
    assert found_on(browser, showcase, ["/reviews?q=nobody", f"/reviews/{stored}"]) == []


def test_trouble(browser: Browser, showcase: Served) -> None:
    fail(showcase.world)
    showcase.check_systems()
    assert found_on(browser, showcase, ["/", "/runs", "/site"]) == []
