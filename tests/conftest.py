"""Fixtures that all tests may use; what they give is in `world`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from world import Maker, World

from siaghsync.sandbox import Sandbox


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Maker]:
    """Makes worlds: `make_world(customers=5, also_in_crm=2)`."""
    with ExitStack() as open_worlds:

        def make(customers: int = 0, also_in_crm: int = 0) -> World:
            folder = tmp_path / f"world{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            return World(folder, open_worlds.enter_context(Sandbox(customers, also_in_crm=also_in_crm)))

        yield make


@pytest.fixture
def world(make_world: Maker) -> World:
    """A world without a single customer, nothing imported yet."""
    return make_world()
