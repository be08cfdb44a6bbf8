"""What `check-apis` found: facts, failures with causes and cures, and what looks wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.text import Text

from siaghsync.report.text import Prose, isolated, table

_CRM_LINES = (
    ("persons", "persons"), ("organizations", "organizations"), ("quotes", "quotes"), ("invoices", "invoices"),
    ("server time (Tehran)", "server_time"), ("login, ms", "login_ms"), ("reading persons, ms", "person_ms"),
    ("reading organizations, ms", "organization_ms"), ("reading quotes, ms", "quote_ms"),
    ("reading invoices, ms", "invoice_ms"),
)  # fmt: skip
_FINANCE_LINES = (
    ("user", "user"), ("branch", "branch"), ("fiscal year", "fiscal_year"), ("date in Siagh", "system_date"),
    ("contacts", "contacts"), ("of them admin users", "admins"), ("of them inactive", "inactive"),
    ("persons", "persons"), ("of them with a valid national code", "persons_with_national_code"),
    ("of them with 11 digits, as organizations have", "persons_with_11_digits"),
    ("organizations", "organizations"), ("of them with a valid legal id", "organizations_with_legal_id"),
    ("of them with 10 digits, as persons have", "organizations_with_10_digits"),
    ("not understood", "not_understood"), ("login, ms", "login_ms"), ("reading the list, ms", "list_ms"),
    ("looking one contact up, ms", "contact_ms"),
)  # fmt: skip


def checkup_report(
    crm: Mapping[str, Any],
    finance: Mapping[str, Any],
    warnings: Sequence[Mapping[str, str]],
    unchecked: Sequence[str],
) -> list[RenderableType]:
    """Each system in turn, then the warnings, then what was not checked."""
    parts: list[RenderableType] = []
    for name, found, lines in (("Payamgostar (CRM)", crm, _CRM_LINES), ("Siagh (finance)", finance, _FINANCE_LINES)):
        title = f"{name}: {'works' if found['ok'] else 'does not work'}"
        parts.append(Text(title, style="bold green" if found["ok"] else "bold red"))
        rows = table("", "")
        rows.show_header = False
        for label, key in lines:
            if found.get(key) is not None:
                value = found[key]
                rows.add_row(label, isolated(f"{value:.0f}" if isinstance(value, float) else str(value)))
        if rows.row_count:
            parts.append(rows)
        parts += [_failure(each) for each in found["failures"]]
    for warning in warnings:
        parts.append(Prose(f"Warning: {isolated(warning['message'], 1000)}", style="bold yellow"))
        parts.append(_inside(f"What to do: {isolated(warning['hint'], 1000)}"))
    if unchecked:
        parts.append(Text("Not checked, since only a write can tell:", style="dim"))
        parts += [_inside(f"- {each}", style="dim") for each in unchecked]
    return parts


def _inside(text: str, style: str = "") -> Padding:
    return Padding(Prose(text, style=style), (0, 0, 0, 2))


def _failure(failure: Mapping[str, Any]) -> Padding:
    lines = [isolated(failure["message"], 1000)]
    if failure["said"]:
        lines.append(f"It said: {isolated(failure['said'], 1000)}")
    if failure["causes"]:
        lines.append("Likely causes, the likeliest first:")
        lines += [f"  {number}. {cause}" for number, cause in enumerate(failure["causes"], 1)]
    lines.append(f"What to do: {failure['hint']}")
    return _inside("\n".join(lines))
