"""What `verify` found, as tables, each with the command that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.features.verify.collect import Findings
from siaghsync.report.text import change, isolated, table

_MOST_ROWS = 20


def verify_report(findings: Findings) -> list[RenderableType]:
    """Counts first, then what is not in step and what to do about it."""
    head = f"{findings.in_step} of {findings.checked} linked customers are in step."
    parts: list[RenderableType] = [Text(head, style="bold green" if findings.all_in_step else "bold red")]
    if findings.drift:
        rows = table("number", "code", "name", "Finance -> CRM", right=("code",), whole=("number",))
        for item in findings.drift[:_MOST_ROWS]:
            fields = "\n".join(change(key, old or "", new) for key, (old, new) in item["fields"].items())
            rows.add_row(*_who(item), fields)
        parts += _section("Finance differs from the CRM. `siaghsync sync --full` puts it right:", rows, findings.drift)
    parts += _missing(
        "Not in Finance any more. Look for them in Siagh, then `siaghsync sync --full` asks what to do:",
        findings.missing_in_finance,
    )
    parts += _missing("Not in the CRM any more. Deleted there? Then nothing is to be done:", findings.missing_in_crm)
    if findings.duplicates:
        rows = table("system", "the same", "value", "records")
        for item in findings.duplicates[:_MOST_ROWS]:
            rows.add_row(item["system"], item["same"], isolated(item["value"]), isolated(", ".join(item["records"])))
        parts += _section("Duplicates. Merge them in the system where they stand:", rows, findings.duplicates)
    one_sided = findings.unlinked
    parts.append(Text(f"Not linked: {one_sided['crm']} in the CRM, {one_sided['finance']} in Finance.", style="dim"))
    return parts


def _who(item: Mapping[str, Any]) -> tuple[str, str, str]:
    return isolated(item["customer_number"]), isolated(str(item["finance_code"])), isolated(item["name"])


def _missing(title: str, items: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    if not items:
        return []
    rows = table("number", "code", "name", right=("code",), whole=("number",))
    for item in items[:_MOST_ROWS]:
        rows.add_row(*_who(item))
    return _section(title, rows, items)


def _section(title: str, rows: RenderableType, items: Sequence[object]) -> list[RenderableType]:
    more = len(items) - _MOST_ROWS
    return [
        Text(title, style="bold"),
        rows,
        *([Text(f"... and {more} more; --json shows all.", style="dim")] if more > 0 else []),
    ]
