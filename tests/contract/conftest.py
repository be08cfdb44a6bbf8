"""One sandbox and one client for each test of the contracts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from siaghsync.sandbox import Sandbox
from tests.contract.client import Client


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def client(sandbox: Sandbox) -> Client:
    return Client(sandbox)
