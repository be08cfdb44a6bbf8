"""A plan that a person has read, as lines of JSON: what it looks like, and whether a run still means the same.

The first line is the head, each further one an action, whole. It holds personal data, as whatever it plans to send.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.domain.customer import digest
from siaghsync.errors import UsageError

VERSION = 1
Verdict = Literal["same", "changed", "unplanned"]
_SAVE_AGAIN = "Save the plan again, with --dry-run --save-plan FILE, and read it before it is carried out."
_NOT_YET_MADE = "0"


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
        return json.dumps(asdict(self), ensure_ascii=False) + "\n"


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
    """An action as a line of a plan. Everything that is not ASCII is escaped, so that a line is a line for every program."""
    return json.dumps(action.as_json()) + "\n"


def read_head(line: str, name: str) -> Head:
    """The head of the plan file called `name`. Raises UsageError if it is no plan, or one of another version."""
    try:
        data = json.loads(line)
        if data["version"] != VERSION:
            raise UsageError(f"{name} is a plan of another version of siaghsync ({data['version']}).", _SAVE_AGAIN)
        head = Head(**data)
    except (ValueError, KeyError, TypeError):
        head = None
    if head is None or not isinstance(head.options, dict):
        raise UsageError(f"{name} is no saved plan.", _SAVE_AGAIN)
    return head


def read_actions(lines: Iterable[str], head: Head, name: str) -> Iterator[Action]:
    """The actions of a plan. Raises UsageError, at the end, if they are not those that the head is about."""
    found = Fingerprint()
    damaged = UsageError(f"The plan {name} was changed or damaged after it was saved.", _SAVE_AGAIN)
    for line in lines:
        found.add(line)
        try:
            yield Action.from_json(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise damaged from None
    if (found.lines, found.hex()) != (head.actions, head.fingerprint):
        raise damaged


def check_head(head: Head, name: str, command: str, state: str | None, *, imported: bool) -> None:
    """Raises UsageError if a plan is not for this command and this state file.

    `state` is the identity of the state file at hand, `imported` whether an initial import has completed for it: a plan
    that was made before there was any state file fits one for which none has.
    """
    if head.command != command:
        raise UsageError(
            f"{name} is a plan of `{head.command}`, not of `{command}`.", f"Run `siaghsync {head.command}`."
        )
    if head.state is None and imported:
        raise UsageError(f"{name} was saved before an initial import, and one has completed since.", _SAVE_AGAIN)
    if head.state not in (None, state):
        raise UsageError(f"{name} was made with another state file.", f"Check SIAGHSYNC_STATE. {_SAVE_AGAIN}")


# --- comparing ---------------------------------------------------------------------------------------------


def essence(action: Action) -> str:
    """Fingerprint of what an action does: to which records, and with which values. Its reason counts where nothing is
    sent; the code of a customer that has yet to be made is a blank, and not part of it."""
    data = action.as_json()
    data["payload"] = _without_code(action)
    told = ("action", "kind", "customer_number", "crm_id", "finance_code", "fields", "payload")
    reason = action.reason if action.action in ("skip", "review") else None
    return digest([reason, *(data[name] for name in told)])


def _header(action: Action) -> Mapping[str, Any] | None:
    header = action.payload.get("header") if action.entity == "invoice" else None
    return header if isinstance(header, Mapping) else None


def _without_code(action: Action) -> Mapping[str, Any]:
    header = _header(action)
    return action.payload if header is None else {**action.payload, "header": {**header, "codemoshtari": ""}}


def _code(action: Action) -> str:
    header = _header(action)
    return "" if header is None else str(header.get("codemoshtari", ""))


Key = tuple[str, str, str]


@dataclass(slots=True)
class _Entry:
    """What is kept of a planned action: enough to know it again, and to name it."""

    action: str
    essence: str
    customer_code: str
    name: Action

    def is_same(self, now: Action) -> bool:
        return self.essence == essence(now) and self.customer_code in (_code(now), _NOT_YET_MADE)


@dataclass(slots=True)
class Comparison:
    """A saved plan, ticked off action by action. A record can have two: a link, and the update that follows it."""

    _left: dict[Key, list[_Entry]] = field(default_factory=dict)
    _refused: set[Key] = field(default_factory=set)

    def expect(self, action: Action) -> None:
        """Adds an action of the saved plan."""
        # Without what it would send: a long plan stays small in memory.
        bare = Action(
            action.action, action.entity, action.target, action.record, action.kind, action.customer_number,
            action.crm_id, action.finance_code,
        )  # fmt: skip
        entry = _Entry(action.action, essence(action), _code(action), bare)
        self._left.setdefault(_key(action), []).append(entry)

    def judge(self, now: Action) -> Verdict:
        """Whether an action that is planned now was in the saved plan just so, otherwise, or not at all."""
        key = _key(now)
        entries = self._left.get(key, [])
        if key in self._refused:
            return "unplanned"
        if match := next((entry for entry in entries if entry.is_same(now)), None):
            entries.remove(match)
            return "same"
        if not entries:
            return "unplanned"
        self._refused.add(key)
        return "changed"

    def rest(self) -> list[Action]:
        """What the saved plan holds and this run had no reason to do, one action per record, without its payload."""
        return [entries[0].name for key, entries in self._left.items() if entries and key not in self._refused]


def _key(action: Action) -> Key:
    return action.entity, action.target, action.record
