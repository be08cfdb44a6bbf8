"""`--save-plan` and `--plan`: what they can be combined with, and the plan mode of a run that they bring about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from siaghsync.errors import UsageError
from siaghsync.features.saved_plan.enforcer import read_plan, read_plan_head
from siaghsync.features.saved_plan.plan_file import Head
from siaghsync.features.saved_plan.recorder import Recorder, recording
from siaghsync.state.database import State
from siaghsync.sync.context import PlanMode, Unrestricted


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Where a plan is saved, or which one is carried out. At most one of the two."""

    save: Path | None = None
    follow: Path | None = None

    def check(self, *, dry_run: bool, **options: object) -> None:
        """Raises UsageError for what can't be combined. `options` are those that decide what is looked at."""
        if self.save and not dry_run:
            raise UsageError("usage.save_plan_without_dry_run")
        if self.follow and dry_run:
            raise UsageError("usage.plan_with_dry_run")
        if self.follow and (given := [f"--{name}" for name, value in options.items() if value]):
            raise UsageError("usage.not_with_plan", options=", ".join(given))


@dataclass(frozen=True, slots=True)
class RunPlan:
    """The relation of one run to plans. `options` are those of the plan that is carried out, else those that were given."""

    options: Mapping[str, Any]
    _followed: tuple[Path, Head] | None = None
    _recorder: Recorder | None = None

    def mode(self, state: State, command: str) -> PlanMode:
        """What the run may do. Raises UsageError if the plan that is to be carried out can't be read, or does not fit."""
        if self._followed:
            return read_plan(*self._followed, command, state)
        return self._recorder or Unrestricted()


@contextmanager
def run_plan(plan: PlanOptions, **options: Any) -> Iterator[RunPlan]:
    """The relation of one run to plans. Raises UsageError if a plan can't be read, or its file can't be written."""
    if plan.follow:
        head = read_plan_head(plan.follow)
        yield RunPlan(head.options, (plan.follow, head))
    elif plan.save:
        with recording(plan.save, options) as recorder:
            yield RunPlan(options, _recorder=recorder)
    else:
        yield RunPlan(options)
