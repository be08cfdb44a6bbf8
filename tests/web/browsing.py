"""A real headless Chromium, and somebody who sits at it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.patience import PATIENCE
from tests.web.serving import PASSWORD, Served

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip

# The continuous integration has a browser; where there is none, that is said and not hidden.
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"), reason="there is no Chromium here (Debian: apt-get install chromium)"
)


class Visitor:
    """Somebody at a browser. Whatever the browser complains about, or loads from elsewhere, ends the test."""

    def __init__(self, context: BrowserContext, served: Served) -> None:
        self.served = served
        self.page: Page = context.new_page()
        self.page.set_default_timeout(PATIENCE * 1000)
        self.complaints: list[str] = []
        self.page.on("console", lambda message: self._note(message.text, bad=message.type in ("error", "warning")))
        self.page.on("pageerror", lambda error: self._note(str(error), bad=True))
        self.page.on("dialog", lambda dialog: self._note(dialog.message, bad=True))
        self.page.on("request", lambda request: self._note(request.url, bad=not request.url.startswith(served.url)))

    def _note(self, text: str, *, bad: bool) -> None:
        if bad:
            self.complaints.append(text)

    def go(self, path: str) -> Page:
        self.page.goto(self.served.url + path)
        return self.page

    def log_in(self) -> Page:
        self.go("/login")
        self.page.fill("#user", "زهرا کریمی")
        self.page.fill("#password", PASSWORD)
        self.page.press("#password", "Enter")
        self.page.wait_for_selector("nav")
        return self.page
