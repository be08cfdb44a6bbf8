"""The state file for those who write: under its lock, and with a look at whether it is the one that it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from siaghsync.state import runs
from siaghsync.state.database import State, open_state
from siaghsync.state.lock import lock_path, run_lock
from siaghsync.state.meta import IS_A_COPY, note_lost_state


@contextmanager
def locked_state(path: Path, *, create: bool = False) -> Iterator[State]:
    """The state file at `path`, open and under its lock. Raises what `run_lock` and `open_state` raise."""
    had_lock = lock_path(path).exists()
    with run_lock(path) as lock, closing(open_state(path, create=create)) as state:
        lock.take_state_file()
        state.lock = lock
        if create:
            note_lost_state(state, had_lock)
        with state.atomic():
            if state.generation < lock.generation() and runs.any_yet(state):
                state.set_meta(IS_A_COPY, "its lock file knows a later one")
            state.advance()
        yield state
