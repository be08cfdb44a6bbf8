"""What `lint` found, as tables: counts first, then each check with its first records, long lists folded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.features.lint.rules import TITLES, Finding
from siaghsync.report.text import isolated, table

MOST_ROWS = 10
_SYSTEMS = {"finance": "Finance", "crm": "CRM"}


def lint_report(counts: Mapping[str, Any], first: Callable[[str, int], Sequence[Finding]]) -> list[RenderableType]:
    """Counts as `Survey.counts` gives them; `first` gives some findings of a check."""
    customers, found = counts["customers"], counts["findings"]
    total = sum(n for checks in found.values() for n in checks.values())
    looked_at = f"Looked at {customers['finance']} customers of Finance and {customers['crm']} of the CRM: "
    head = Text(
        looked_at + (f"{total} findings." if total else "nothing odd."), style="bold" if total else "bold green"
    )
    parts: list[RenderableType] = [head]
    if counts["without_number"]:
        parts.append(
            Text(f"{counts['without_number']} of the CRM have no customer number; they are skipped on purpose.")
        )
    if not total:
        return parts
    summary = table("check", *_SYSTEMS.values(), "what", right=_SYSTEMS.values())
    checks = [check for check in TITLES if any(check in found[system] for system in _SYSTEMS)]
    for check in checks:
        summary.add_row(check, *(str(found[system].get(check, 0) or "") for system in _SYSTEMS), TITLES[check])
    parts += [summary, Text("These are warnings: nothing was written, and none of them blocks an import or a sync.")]
    for check in checks:
        parts += _section(check, first(check, MOST_ROWS), sum(found[system].get(check, 0) for system in _SYSTEMS))
    return parts


def _section(check: str, findings: Sequence[Finding], total: int) -> list[RenderableType]:
    rows = table("in", "record", "number", "value", "what is odd")
    for finding in findings:
        rows.add_row(
            _SYSTEMS[finding.system],
            isolated(finding.record),
            isolated(finding.customer_number),
            isolated(finding.value),
            isolated(finding.message),
        )
    more = total - len(findings)
    folded = [Text(f"... and {more} more; --csv FILE or --json has all.", style="dim")] if more > 0 else []
    return [Text(f"{check}: {TITLES[check]}", style="bold"), rows, *folded]
