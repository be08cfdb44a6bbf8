"""Saves the plan of a dry run (`--save-plan`)."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from siaghsync.domain.action import Action
from siaghsync.features.saved_plan.plan_file import Fingerprint, Head, action_line
from siaghsync.files import atomic_file, not_writable
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.sync.context import RunReport

_IDENTITY = "identity"


def identity_of(state: State) -> str | None:
    """What tells a state file from all others, its copies aside; None for one that lives in memory only."""
    if state.path is None:
        return None
    found = state.meta(_IDENTITY)
    if found is None:
        found = uuid.uuid4().hex
        state.set_meta(_IDENTITY, found)
    return found


@dataclass(slots=True)
class Recorder:
    """The plan mode of a dry run whose plan is saved: everything is allowed and written down.

    `path` appears when the run has gone through, whole and with mode 0600. `options` are those that decide what is looked
    at.
    """

    path: Path
    options: Mapping[str, Any]
    _lines: IO[str]
    _fingerprint: Fingerprint = field(default_factory=Fingerprint)
    follows_plan: bool = field(default=False, init=False)

    @property
    def actions(self) -> int:
        """How many actions were written down so far."""
        return self._fingerprint.lines

    def allows(self, action: Action) -> bool:
        """Writes an action down. Raises UsageError if the disk is full."""
        line = action_line(action)
        self._fingerprint.add(line)
        try:
            self._lines.write(line)
        except OSError as error:
            raise not_writable(self.path, error) from None
        return True

    def finish(self, run: Run, report: RunReport) -> None:
        """Puts the head in front and the file in its place. Raises UsageError if it can't be written."""
        head = Head(run.command, identity_of(run.state), self.options, run.at(), self.actions, self._fingerprint.hex())
        with atomic_file(self.path, encoding="ascii") as file:
            file.write(head.line())
            self._lines.seek(0)
            shutil.copyfileobj(self._lines, file)


@contextmanager
def recording(path: Path, options: Mapping[str, Any]) -> Iterator[Recorder]:
    """A recorder for the plan file `path`. Raises UsageError, before anything is asked, if it can't be written there."""
    try:
        folder = path.absolute().parent
        lines = tempfile.TemporaryFile("w+", encoding="ascii", newline="", dir=folder)  # noqa: SIM115 - closed below
    except OSError as error:
        raise not_writable(path, error) from None
    with lines:
        yield Recorder(path, options, lines)
