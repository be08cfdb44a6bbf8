"""Whether what a run plans now is what a saved plan says. Pure: actions in, verdicts out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from siaghsync.domain.action import Action
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import Operation

Verdict = Literal["same", "changed", "unplanned"]
Key = tuple[str, str, str]

_NOT_SENT = (Operation.SKIP, Operation.REVIEW)
_YET_TO_BE_MADE = 0
"""The finance code of a document's customer while the plan has still to create that customer."""


def essence(action: Action) -> str:
    """Fingerprint of what an action does: to which records, and with which values.

    Its reason counts only where nothing is sent. The finance code of a document's customer is not part of it.
    """
    data = action.as_json()
    told = ("operation", "kind", "customer_number", "crm_id", "finance_code", "changes")
    reason = action.reason if action.operation in _NOT_SENT else None
    return digest([reason, _without_customer_code(action), *(data[name] for name in told)])


def _without_customer_code(action: Action) -> Mapping[str, Any]:
    is_document = action.entity == "invoice"
    codes = ("customer_code", "contact_code") if is_document else ()
    return {key: value for key, value in action.payload.items() if key not in codes}


def _customer_code(action: Action) -> int | None:
    return action.payload.get("customer_code") if action.entity == "invoice" else None


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is kept of a planned action: enough to know it again, and to name it."""

    essence: str
    customer_code: int | None
    action: Action
    """The action without what it would send, so that a long plan stays small in memory."""

    def is_same(self, now: Action) -> bool:
        return self.essence == essence(now) and self.customer_code in (_customer_code(now), _YET_TO_BE_MADE)


@dataclass(slots=True)
class Comparison:
    """A saved plan, ticked off action by action."""

    _left: dict[Key, list[_Planned]] = field(default_factory=dict)
    _refused: set[Key] = field(default_factory=set)

    def expect(self, action: Action) -> None:
        """Adds an action of the saved plan."""
        bare = Action(
            action.operation, action.entity, action.target, action.record, action.kind, action.customer_number,
            action.crm_id, action.finance_code, action.name,
        )  # fmt: skip
        planned = _Planned(essence(action), _customer_code(action), bare)
        self._left.setdefault(action.key, []).append(planned)

    def judge(self, now: Action) -> Verdict:
        """Whether an action that is planned now is in the saved plan as it is, differently, or not at all."""
        planned = self._left.get(now.key, [])
        if now.key in self._refused:
            return "unplanned"
        if match := next((each for each in planned if each.is_same(now)), None):
            planned.remove(match)
            return "same"
        if not planned:
            return "unplanned"
        self._refused.add(now.key)
        return "changed"

    def rest(self) -> list[Action]:
        """What the saved plan holds and this run had no reason to do, one action a record, without its payload."""
        return [left[0].action for key, left in self._left.items() if left and key not in self._refused]
