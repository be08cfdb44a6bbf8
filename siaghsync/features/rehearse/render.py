"""What a rehearsal did, learned and left behind, as one JSON document and as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.features.rehearse.journal import TestRecord
from siaghsync.features.rehearse.run import Done
from siaghsync.messages.catalog import cure, render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import Prose, answer_text, isolated, sentence, table
from siaghsync.state.facts import Fact

_MOST_CELLS = 1000


def as_json(
    run: dict[str, Any], steps: Iterable[Done], left: Iterable[TestRecord], facts: Iterable[Fact]
) -> dict[str, Any]:
    """The document of `rehearse --json`."""
    return {
        "run": run,
        "steps": [_step(done) for done in steps],
        "left_behind": [_left(record) for record in left],
        "facts": [fact.as_json() for fact in facts],
    }


def _step(done: Done) -> dict[str, Any]:
    step = done.step
    return {
        "step": step.name,
        "part": step.part,
        "writes": render(step.text),
        "remove": cure(step.text),
        "questions": list(step.questions),
        "outcome": done.outcome,
        "message": render(done.message) if done.message else None,
    }


def _left(record: TestRecord) -> dict[str, Any]:
    known = {"system": record.system, "kind": record.kind, "name": record.name, "id": record.key}
    return {**known, "sure": record.key is not None, "message": render(record.message), "remove": cure(record.message)}


def as_text(steps: Sequence[Done], left: Sequence[TestRecord], facts: Sequence[Fact]) -> list[RenderableType]:
    """The steps, what was learned, and what a person has to remove."""
    parts: list[RenderableType] = []
    if steps:
        rows = table("step", "outcome", "why", whole=("step", "outcome"))
        for done in steps:
            rows.add_row(done.step.name, title(f"rehearse.outcome_{done.outcome}"), sentence(done.message, _MOST_CELLS))
        parts.append(rows)
    if facts:
        learned = table("question", "answer", "evidence")
        for fact in facts:
            question = render(msg(f"question.{fact.question}"))
            learned.add_row(question, isolated(answer_text(fact.answer)), sentence(fact.evidence, _MOST_CELLS))
        parts.append(learned)
    if left:
        parts.append(Text(render(msg("rehearse.left", count=len(left))), style="bold yellow"))
        parts += [Prose(f"- {sentence(each.message)} {cure(each.message)}") for each in left]
    return parts
