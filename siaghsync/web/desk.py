"""All that the web side is given: where the state file is, a few settings, and what it may set in motion."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from siaghsync.domain.document import DocumentSource
from siaghsync.state.database import State
from siaghsync.state.state_file import open_state
from siaghsync.sync.decisions import Decision


@dataclass(frozen=True, slots=True)
class Desk:
    """Handed to every page. None of the secrets in it shows in its repr.

    `now` is the clock (aware UTC), `is_running` says whether a run holds the lock, `decide(id, decision, who)` carries
    out what a person decided and raises SiaghsyncError, `log` writes a line for the administrator.
    """

    state_path: Path
    poll_interval: int
    sources: tuple[DocumentSource, ...]
    webhook_secret: Secret | None
    """None: webhooks are switched off."""
    password_hash: Secret | None
    """None: the dashboard stays closed."""
    root_path: str
    now: Callable[[], datetime]
    is_running: Callable[[], bool]
    decide: Callable[[int, Decision, str], None]
    log: Callable[[str], None]

    @contextmanager
    def state(self) -> Iterator[State]:
        """The state file, open for this block. Raises StateError if it can't be used."""
        state = open_state(self.state_path)
        try:
            yield state
        finally:
            state.close()


class Secret:
    """A text that does not show by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text
