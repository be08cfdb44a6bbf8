"""The file of a saved plan: written while a dry run plans, and kept to while another run carries it out."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TextIO

from siaghsync.domain.action import Action
from siaghsync.errors import UsageError
from siaghsync.features.saved_plan.rules import (
    Comparison,
    Fingerprint,
    Head,
    action_line,
    check_head,
    read_actions,
    read_head,
)
from siaghsync.state.database import State
from siaghsync.sync.context import Engine

CHANGED = "changed_since_plan"
_IDENTITY = "identity"


def identity_of(state: State) -> str | None:
    """What tells a state file from all others, its copies aside; None for one that lives in memory only."""
    if state.path is None:
        return None
    found = state.fact(_IDENTITY)
    if found is None:
        found = uuid.uuid4().hex
        state.set_fact(_IDENTITY, found)
    return found


# --- saving ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Recorder:
    """Takes down what a dry run plans. Its file is there only once `save` was called, whole and with mode 0600."""

    path: Path
    file: TextIO
    part: Path
    fingerprint: Fingerprint = field(default_factory=Fingerprint)

    def __call__(self, action: Action) -> bool:
        """Takes an action down; nothing is forbidden."""
        line = action_line(action)
        self.fingerprint.add(line)
        with _telling(self.path):
            self.file.write(line)
        return True

    def save(self, engine: Engine, options: Mapping[str, Any]) -> None:
        """Puts the head in front, and the file in its place. Raises UsageError if it can't be written."""
        head = Head(
            engine.run.command,
            identity_of(engine.run.state),
            options,
            engine.run.at(),
            self.fingerprint.lines,
            self.fingerprint.hex(),
        )
        whole = self.part.with_suffix(".whole")
        try:
            with _telling(self.path):
                with _private(whole) as file:
                    file.write(head.line())
                    self.file.seek(0)
                    shutil.copyfileobj(self.file, file)
                    file.flush()
                    os.fsync(file.fileno())
                whole.replace(self.path)
        finally:
            whole.unlink(missing_ok=True)


@contextmanager
def recording(path: Path) -> Iterator[Recorder]:
    """A recorder for the plan file `path`. Raises UsageError if the file can't be written there."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with _telling(path):
        file = _private(part)
    try:
        with file:
            yield Recorder(path, file, part)
    finally:
        part.unlink(missing_ok=True)


def _private(path: Path) -> TextIO:
    """A new file that nobody else may read."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    return os.fdopen(handle, "w+", encoding="ascii", newline="\n")


@contextmanager
def _telling(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UsageError(
            f"The plan {path} can't be written or read: {error.strerror}.",
            "Name a file in a folder that you may write to and read from.",
        ) from None


# --- carrying out ------------------------------------------------------------------------------------------


def read_plan_head(path: Path) -> Head:
    """The head of a saved plan. Raises UsageError if there is none."""
    with _telling(path), path.open(encoding="utf-8", errors="replace") as file:
        return read_head(file.readline(), str(path))


@dataclass(slots=True)
class Keeper:
    """Lets a run do only what a saved plan says. `refused` are actions of the plan that would do something else now,
    or nothing; `left` counts what is planned now and not in the plan."""

    engine: Engine
    comparison: Comparison
    refused: list[dict[str, Any]] = field(default_factory=list)
    left: int = 0

    def __call__(self, action: Action) -> bool:
        """Whether the action may be carried out; if not, that is told."""
        verdict = self.comparison.judge(action)
        if verdict == "changed":
            self._refuse(action, "It has changed since the plan was saved.")
        elif verdict == "unplanned":
            self.left += 1
        if verdict != "same":
            self.engine.left_out += 1
        return verdict == "same"

    def tell_the_rest(self) -> None:
        """Refuses what the plan holds and the run, which is over, had no reason to do."""
        for action in self.comparison.rest():
            self._refuse(action, "There is nothing to do for it any more: it has changed, or it was done meanwhile.")

    def _refuse(self, action: Action, message: str) -> None:
        told = replace(
            action, action="skip", reason=CHANGED, message=message, fields={}, payload={}, details={}, notes=()
        )
        self.refused.append({**told.as_change(), "planned": action.action, "message": message})
        self.engine.run.note(told, "refused")
        self.engine.tell(told)
        self.engine.refusals += 1


def read_plan(path: Path, head: Head, command: str, state: State, *, imported: bool) -> Comparison:
    """The plan in `path`. Raises UsageError if it is damaged, or not for this command and this state file."""
    check_head(head, str(path), command, identity_of(state), imported=imported)
    comparison = Comparison()
    with _telling(path), path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        file.readline()
        for action in read_actions(file, head, str(path)):
            comparison.expect(action)
    return comparison
