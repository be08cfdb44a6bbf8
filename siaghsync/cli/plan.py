"""`--save-plan` and `--plan`: what they may be combined with, and how they take hold of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from siaghsync.errors import UsageError
from siaghsync.report.terminal import say, show

if TYPE_CHECKING:
    from siaghsync.features.saved_plan.file import Keeper, Recorder
    from siaghsync.features.saved_plan.rules import Comparison, Head
    from siaghsync.state.database import State
    from siaghsync.sync.context import Engine


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """Where a plan is saved, or which one is carried out. At most one of the two."""

    save: Path | None = None
    follow: Path | None = None

    def check(self, *, dry_run: bool, **options: object) -> None:
        """Raises UsageError for what does not go together. `options` are those that decide what is looked at."""
        if self.save and not dry_run:
            raise UsageError("--save-plan keeps what a dry run plans.", "Add --dry-run.")
        if self.follow and dry_run:
            raise UsageError("--plan carries a plan out, and --dry-run forbids that.", "Leave one of them out.")
        if self.follow and (given := [f"--{name}" for name, value in options.items() if value]):
            raise UsageError(
                f"{' and '.join(given)} can't be combined with --plan: the plan says what it was made with.",
                "Leave it out, or save another plan.",
            )


@dataclass(slots=True)
class Hold:
    """A run's relation to plans. `options` are those of the plan that is carried out, else those that were given."""

    options: Mapping[str, Any]
    _path: Path | None
    _head: Head | None
    _recorder: Recorder | None
    _comparison: Comparison | None = None
    _keeper: Keeper | None = None

    def read(self, state: State, command: str) -> None:
        """Reads the plan that is to be carried out, before anything else. Raises UsageError if it can't be."""
        if self._path and self._head:
            from siaghsync.features.saved_plan.file import read_plan
            from siaghsync.state.meta import COMPLETED

            imported = state.fact(COMPLETED) is not None
            self._comparison = read_plan(self._path, self._head, command, state, imported=imported)

    def take(self, engine: Engine) -> None:
        """Takes hold of a run that is about to begin."""
        if self._recorder:
            engine.permit = self._recorder
        if self._comparison:
            from siaghsync.features.saved_plan.file import Keeper

            self._keeper = Keeper(engine, self._comparison)
            engine.permit, engine.keeps_to_plan = self._keeper, True

    def conclude(self, engine: Engine) -> None:
        """The run went through: the plan is saved, or what it still holds is refused."""
        if self._recorder:
            self._recorder.save(engine, self.options)
            say(f"The plan ({self._recorder.fingerprint.lines} actions) was saved in {self._recorder.path}.")
        if self._keeper:
            self._keeper.tell_the_rest()

    def as_json(self) -> dict[str, Any]:
        """What a run that kept to a plan adds to its JSON."""
        return {"plan": {"refused": len(self._keeper.refused), "left": self._keeper.left}} if self._keeper else {}

    def show(self) -> None:
        """Shows what was refused and what was left."""
        from siaghsync.features.saved_plan.render import refusals

        if self._keeper:
            show(*refusals(self._keeper.refused, self._keeper.left))


@contextmanager
def hold(plan: PlanOptions, **options: Any) -> Iterator[Hold]:
    """The relation of one run to plans. Raises UsageError if a plan can't be read, or its file not be made."""
    if plan == PlanOptions():
        yield Hold(options, None, None, None)
        return
    from siaghsync.features.saved_plan.file import read_plan_head, recording

    head = read_plan_head(plan.follow) if plan.follow else None
    with recording(plan.save) if plan.save else nullcontext() as recorder:
        yield Hold(head.options if head else options, plan.follow, head, recorder)
