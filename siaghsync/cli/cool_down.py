"""The CRM's lock on an account, for commands that log in without a run of their own in the state file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from siaghsync import clock
from siaghsync.errors import LoginLocked
from siaghsync.state.database import open_state
from siaghsync.sync.runner import check_cool_down, remember_lock


@contextmanager
def cool_down(path: Path) -> Iterator[None]:
    """Keeps to the cool-down that an earlier run noted in the state file at `path`, and notes a new one there.

    Without a state file there is nothing to keep to. Raises LoginLocked while a cool-down lasts, StateError if the file can't
    be used.
    """
    if not has_state(path):
        yield
        return
    with closing(open_state(path)) as state:
        check_cool_down(state, clock.now())
        try:
            yield
        except LoginLocked as error:
            remember_lock(state, error, clock.now())
            raise


def has_state(path: Path) -> bool:
    """Whether there is a state file that holds something."""
    return path.exists() and path.stat().st_size > 0
