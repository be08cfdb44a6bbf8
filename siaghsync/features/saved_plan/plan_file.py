"""The lines of a saved plan: a head about the plan as a whole, then one planned action a line, all of it JSON.

A plan holds personal data, since it holds everything that would be sent. It carries a fingerprint, so that what is carried
out is what was reviewed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from siaghsync.domain.action import Action
from siaghsync.errors import UsageError

VERSION = 2
"""Goes up whenever the lines of a plan change. A plan of another version is refused."""

LONGEST_LINE = 16 * 1024**2
"""Letters. A longer line is none of ours, and is read no further."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a plan is for. `state` is the identity of the state file, None if there was none; `options` are those that
    decide what is looked at; `created_at` is UTC, ISO 8601; `fingerprint` is the SHA-256 (hex) of the action lines."""

    command: str
    state: str | None
    options: Mapping[str, Any]
    created_at: str
    actions: int
    fingerprint: str
    version: int = VERSION

    def line(self) -> str:
        """The head as the first line of a plan."""
        return json.dumps(asdict(self)) + "\n"


class Fingerprint:
    """SHA-256 over the action lines, taken line by line."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.lines = 0

    def add(self, line: str) -> None:
        """Takes in a line, its end included."""
        self._hash.update(line.encode("utf-8", "surrogatepass"))
        self.lines += 1

    def hex(self) -> str:
        """The fingerprint of all lines so far."""
        return self._hash.hexdigest()


def action_line(action: Action) -> str:
    """An action as a line of a plan. Whatever is not ASCII is escaped, so that a line is a line for every program."""
    return json.dumps(action.as_json()) + "\n"


def read_head(line: str, name: str) -> Head:
    """The head of the plan file called `name`. Raises UsageError for another version, or for any other file."""
    try:
        data = json.loads(line)
        version = data["version"]
        head = Head(**data) if version == VERSION else None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise UsageError("plan.not_a_plan", path=name) from None
    if head is None:
        raise UsageError("plan.other_version", path=name, version=str(version), expected=str(VERSION))
    if not isinstance(head.options, dict):
        raise UsageError("plan.not_a_plan", path=name)
    return head


def read_actions(lines: Iterable[str], head: Head, name: str) -> Iterator[Action]:
    """The actions of a plan. Raises UsageError, at the end, if they are not those that the head is about."""
    found = Fingerprint()
    damaged = UsageError("plan.damaged", path=name)
    for line in lines:
        found.add(line)
        try:
            yield Action.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise damaged from None
    if (found.lines, found.hex()) != (head.actions, head.fingerprint):
        raise damaged


def check_head(head: Head, name: str, command: str, state: str | None, *, imported: bool) -> None:
    """Raises UsageError if a plan is not for this command and this state file.

    `state` is the identity of the state file at hand, `imported` whether an initial import has completed for it: a plan
    that was saved before there was a state file fits only one without a completed import.
    """
    if head.command != command:
        raise UsageError("plan.other_command", path=name, planned=head.command, command=command)
    if head.state is None and imported:
        raise UsageError("plan.before_import", path=name)
    if head.state not in (None, state):
        raise UsageError("plan.other_state", path=name)
