"""What a run that kept to a saved plan did not do, and why."""

from __future__ import annotations

from rich.console import RenderableType
from rich.text import Text

from siaghsync.features.saved_plan.enforcer import Enforcer
from siaghsync.messages.catalog import render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import isolated, not_shown, table

_MOST_ROWS = 12


def plan_report(enforcer: Enforcer) -> list[RenderableType]:
    """Each action of the plan that was refused, and how many are left for an ordinary run."""
    parts: list[RenderableType] = []
    if enforcer.refused:
        rows = table("refused", "number", "code", "CRM id", "why", right=("code",), whole=("number",))
        for refusal in enforcer.refused[:_MOST_ROWS]:
            action = refusal.action
            rows.add_row(
                f"{title(f'operation.{refusal.operation}')} {title(f'kind.{action.kind}')}",
                isolated(action.customer_number),
                isolated(None if action.finance_code is None else str(action.finance_code)),
                isolated(action.crm_id),
                render(refusal.message),
            )
        parts += [Text(render(msg("plan.refused")), style="bold red"), rows]
        parts += not_shown(len(enforcer.refused) - _MOST_ROWS)
    if enforcer.left:
        parts.append(Text(render(msg("plan.left", count=enforcer.left)), style="bold"))
    return parts
