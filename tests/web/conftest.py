"""Fixtures of the web tests: worlds that the tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from siaghsync.sandbox import Sandbox
from tests.web.browsing import CHROMIUM, FLAGS
from tests.web.serving import Served, ready, serving
from tests.web.showcase import ADMINISTRATOR, staged
from tests.world import World

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of ten linked customers without a `serve`, shared by all tests."""
    with Sandbox(10, also_in_crm=10) as sandbox:
        yield World(tmp_path_factory.mktemp("small"), sandbox).imported()


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Forty linked customers, and `serve` beside them; each test takes customers of its own."""
    with Sandbox(40, also_in_crm=40) as sandbox:
        world = ready(World(tmp_path_factory.mktemp("served"), sandbox)).imported()
        with serving(world) as found:
            yield found


@pytest.fixture(scope="session")
def showcase(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A `serve` with everything to show, in which an administrator is logged in."""
    with Sandbox(6, also_in_crm=6) as sandbox:
        with serving(staged(World(tmp_path_factory.mktemp("showcase"), sandbox))) as found:
            found.log_in(ADMINISTRATOR)
            yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a module."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM or "/usr/bin/chromium", args=FLAGS)
        yield running
        running.close()
