"""What `check-apis` found, as one JSON document and as text: facts, failures with causes and cures, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from siaghsync.domain.site import QUESTIONS
from siaghsync.features.check_apis.diagnose import Failure
from siaghsync.features.check_apis.rules import ApiReport, Findings
from siaghsync.messages.catalog import cure, render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import Prose, answer_text, isolated, table
from siaghsync.state.facts import Fact

_CRM_LINES = (
    "persons", "organizations", "quotes", "invoices", "server_time", "login_ms", "person_ms", "organization_ms", "quote_ms",
    "invoice_ms",
)  # fmt: skip
_FINANCE_LINES = (
    "user", "branch", "fiscal_year", "system_date", "contacts", "admins", "inactive", "persons",
    "persons_with_national_code", "persons_with_11_digits", "organizations", "organizations_with_legal_id",
    "organizations_with_10_digits", "not_understood", "login_ms", "list_ms", "contact_ms",
)  # fmt: skip
_MOST_CELLS = 1000


def as_json(report: ApiReport) -> dict[str, Any]:
    """The JSON document of `check-apis`."""
    failures = [*report.crm.failures, *report.finance.failures]
    return {
        **({"error": _error(failures[0])} if failures else {}),
        "crm": _system_as_json(report.crm),
        "finance": _system_as_json(report.finance),
        "warnings": [warning.as_json() for warning in report.warnings],
        "unchecked": [render(each) for each in report.unchecked],
        "facts": facts_as_json(report.facts),
    }


def facts_as_json(facts: Sequence[Fact]) -> list[dict[str, Any]]:
    """Every open question in its order; `how`, `evidence` and `at` are null while nothing is known about it."""
    known = {fact.question: fact.as_json() for fact in facts}
    unknown = {"answer": None, "how": None, "evidence": None, "at": None}
    return [known.get(question.name, {"question": question.name, **unknown}) for question in QUESTIONS]


def _system_as_json(found: Findings) -> dict[str, Any]:
    failures = [failure.as_json() for failure in found.failures]
    error = {"error": _error(found.failures[0])} if failures else {}
    return {"ok": found.ok, "failures": failures, **found.facts, **error}


def _error(failure: Failure) -> dict[str, Any]:
    data = failure.as_json()
    return {name: data[name] for name in ("kind", "message", "hint")}


def as_text(report: ApiReport) -> list[RenderableType]:
    """Each system in turn, then the warnings, then what was not checked."""
    parts = [*_system(report.crm, _CRM_LINES), *_system(report.finance, _FINANCE_LINES)]
    for warning in report.warnings:
        data = warning.as_json()
        text = render(msg("check.warning", warning=isolated(data["message"], _MOST_CELLS)))
        parts.append(Prose(text, style="bold yellow"))
        parts.append(_inside(render(msg("check.what_to_do", hint=isolated(data["hint"], _MOST_CELLS)))))
    parts.append(_facts(report.facts))
    if report.unchecked:
        parts.append(Text(render(msg("check.not_checked")), style="dim"))
        parts += [_inside(f"- {render(each)}", style="dim") for each in report.unchecked]
    return parts


def _facts(facts: Sequence[Fact]) -> RenderableType:
    """The open questions in words, each with its answer or with the way to settle it."""
    known = {fact.question: fact for fact in facts if fact.answer is not None}
    rows = table(*(title(f"check.column_{name}") for name in ("question", "answer", "how")))
    for question in QUESTIONS:
        if fact := known.get(question.name):
            rows.add_row(render(question.message), isolated(answer_text(fact.answer)), title(f"check.how_{fact.how}"))
        else:
            rows.add_row(render(question.message), answer_text(None), cure(question.message))
    return rows


def _system(found: Findings, lines: Sequence[str]) -> list[RenderableType]:
    head = msg("check.works" if found.ok else "check.does_not_work", system=found.system)
    parts: list[RenderableType] = [Text(render(head), style="bold green" if found.ok else "bold red")]
    rows = table("", "")
    rows.show_header = False
    for key in lines:
        value = found.facts.get(key)
        if value is not None:
            rows.add_row(title(f"check.{key}"), isolated(f"{value:.0f}" if isinstance(value, float) else str(value)))
    if rows.row_count:
        parts.append(rows)
    return [*parts, *(_failure(each) for each in found.failures)]


def _inside(text: str, style: str = "") -> Padding:
    return Padding(Prose(text, style=style), (0, 0, 0, 2))


def _failure(failure: Failure) -> Padding:
    data = failure.as_json()
    lines = [isolated(data["message"], _MOST_CELLS)]
    if failure.said:
        lines.append(render(msg("check.it_said", said=isolated(failure.said, _MOST_CELLS))))
    if data["causes"]:
        lines.append(render(msg("check.likely_causes")))
        lines += [f"  {number}. {cause}" for number, cause in enumerate(data["causes"], 1)]
    lines.append(render(msg("check.what_to_do", hint=data["hint"])))
    return _inside("\n".join(lines))
