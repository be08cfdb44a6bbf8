"""Waiting for what has to happen. How long it takes says nothing but how busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 240
"""Seconds after which something is taken for never happening."""


def wait_for(condition: Callable[[], object]) -> None:
    """Waits until a condition is true; if it never is, the test fails."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.01)
