"""Fixtures of the web tests: worlds that the tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siaghsync.sandbox import Sandbox
from tests.web.serving import Served, ready, serving
from tests.world import World


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
