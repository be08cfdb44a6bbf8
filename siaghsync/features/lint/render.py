"""What `lint` found, as tables: counts first, then each check with its first records, long lists folded."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from siaghsync.errors import System
from siaghsync.features.lint.collect import Survey
from siaghsync.features.lint.rules import Check
from siaghsync.messages.catalog import render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import isolated, table

_SYSTEMS: dict[System, str] = {"finance": "Siagh", "crm": "CRM"}


def lint_report(found: Survey) -> list[RenderableType]:
    """Counts, a table of the checks that found something, and the first findings of each."""
    total = found.total
    code = "lint.summary" if total else "lint.summary_nothing"
    head = msg(code, finance=found.customers["finance"], crm=found.customers["crm"], findings=total)
    parts: list[RenderableType] = [Text(render(head), style="bold" if total else "bold green")]
    if found.without_number:
        parts.append(Text(render(msg("lint.without_number", count=found.without_number))))
    if found.numberless_waiting:
        parts.append(Text(render(msg("lint.without_number_waiting", count=found.numberless_waiting))))
    if not total:
        return parts
    summary = table("check", *_SYSTEMS.values(), "what", right=_SYSTEMS.values())
    checks = [check for check in Check if found.count(check)]
    for check in checks:
        by_system = (str(found.count(check, system) or "") for system in _SYSTEMS)
        summary.add_row(check, *by_system, title(f"lint.{check}"))
    parts += [summary, Text(render(msg("lint.only_warnings")))]
    for check in checks:
        parts += _section(found, check)
    return parts


def _section(found: Survey, check: Check) -> list[RenderableType]:
    rows = table("in", "record", "number", "value", "what is odd")
    for finding in found.first(check):
        rows.add_row(
            _SYSTEMS[finding.system],
            isolated(finding.record),
            isolated(finding.customer_number),
            isolated(finding.value),
            isolated(render(finding.message)),
        )
    more = found.count(check) - len(found.first(check))
    folded = [Text(render(msg("lint.more_rows", more=more)), style="dim")] if more > 0 else []
    return [Text(f"{check}: {title(f'lint.{check}')}", style="bold"), rows, *folded]
