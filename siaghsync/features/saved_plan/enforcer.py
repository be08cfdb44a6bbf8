"""Carries out a saved plan and nothing else (`--plan`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from siaghsync.domain.action import Action
from siaghsync.domain.reasons import AuditOutcome, Operation, Reason
from siaghsync.features.saved_plan.plan_file import LONGEST_LINE, Head, check_head, read_actions, read_head
from siaghsync.features.saved_plan.recorder import identity_of
from siaghsync.features.saved_plan.rules import Comparison
from siaghsync.files import not_readable
from siaghsync.messages.message import Message, msg
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.meta import COMPLETED
from siaghsync.sync.context import RunReport


@dataclass(frozen=True, slots=True)
class Refusal:
    """An action of the plan that was not carried out. `operation` is what the plan would have done."""

    action: Action
    operation: Operation
    message: Message


@dataclass(slots=True)
class Enforcer:
    """The plan mode of a run that may do only what a saved plan says.

    `refused` are actions of the plan that would do something else now, or nothing; `left` counts what is planned now and
    not in the plan.
    """

    comparison: Comparison
    refused: list[Refusal] = field(default_factory=list)
    left: int = 0
    follows_plan: bool = field(default=True, init=False)

    def allows(self, action: Action) -> bool:
        """Whether the action is in the plan as it is now."""
        verdict = self.comparison.judge(action)
        if verdict == "changed":
            self._refuse(action, "reason.changed_since_plan")
        elif verdict == "unplanned":
            self.left += 1
        return verdict == "same"

    def finish(self, run: Run, report: RunReport) -> None:
        """Notes and tells every refusal, and what the plan holds and the run had no reason to do."""
        for action in self.comparison.rest():
            self._refuse(action, "reason.changed_since_plan_nothing")
        with run.state.atomic():
            for refusal in self.refused:
                run.note(refusal.action, AuditOutcome.REFUSED, refusal.message)
        for refusal in self.refused:
            report.tell(refusal.action)
        report.refusals += len(self.refused)

    def as_json(self) -> dict[str, Any]:
        """What a run that kept to a plan adds to its JSON."""
        return {"plan": {"refused": len(self.refused), "left": self.left}}

    def _refuse(self, action: Action, code: str) -> None:
        message = msg(code)
        told = replace(
            action, operation=Operation.SKIP, reason=Reason.CHANGED_SINCE_PLAN, message=message, changes={}, payload={},
            details={}, notes=(),
        )  # fmt: skip
        self.refused.append(Refusal(told, action.operation, message))


def read_plan_head(path: Path) -> Head:
    """The head of a saved plan, which says with which options it was made. Raises UsageError if `path` holds no plan."""
    with _opened(path) as file:
        return read_head(file.readline(LONGEST_LINE), str(path))


def read_plan(path: Path, head: Head, command: str, state: State) -> Enforcer:
    """The plan in `path`. Raises UsageError if it is damaged, or not for this command and this state file."""
    imported = state.meta(COMPLETED) is not None
    check_head(head, str(path), command, identity_of(state), imported=imported)
    comparison = Comparison()
    with _opened(path) as file:
        file.readline(LONGEST_LINE)
        for action in read_actions(iter(partial(file.readline, LONGEST_LINE), ""), head, str(path)):
            comparison.expect(action)
    return Enforcer(comparison)


@contextmanager
def _opened(path: Path) -> Iterator[TextIO]:
    try:
        with path.open(encoding="utf-8", errors="replace", newline="\n") as file:
            yield file
    except OSError as error:
        raise not_readable(path, error) from None
