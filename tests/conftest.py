"""Fixtures that all tests may use; what they give is in `world`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from siaghsync.sandbox import Sandbox
from tests.world import Maker, World

# How long an example takes says how busy the machine is, not whether the program is right.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
# The same change must pass or fail the same way each time; the search for new examples is a run of its own.
settings.register_profile("full", settings.get_profile("any machine"), derandomize=False, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "any machine"))


def _maker(folder: Path) -> Iterator[Maker]:
    with ExitStack() as open_worlds:

        def make(customers: int = 0, also_in_crm: int = 0) -> World:
            its_folder = folder / f"world{len(list(folder.iterdir()))}"
            its_folder.mkdir()
            return World(its_folder, open_worlds.enter_context(Sandbox(customers, also_in_crm=also_in_crm)))

        yield make


@pytest.fixture
def make_world(tmp_path: Path) -> Iterator[Maker]:
    """Makes worlds: `make_world(customers=5, also_in_crm=2)`."""
    yield from _maker(tmp_path)


@pytest.fixture(scope="module")
def make_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Maker]:
    """Makes worlds that live as long as the module, for `World.twin_of`."""
    yield from _maker(tmp_path_factory.mktemp("templates"))


@pytest.fixture
def world(make_world: Maker) -> World:
    """A world without a single customer, nothing imported yet."""
    return make_world()
