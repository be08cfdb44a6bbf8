"""What a run that kept to a saved plan did not do, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.report.text import isolated, table

_MOST_ROWS = 12


def refusals(refused: Sequence[Mapping[str, Any]], left: int) -> list[RenderableType]:
    """Each action of the plan that was refused, and how much is left for an ordinary run."""
    parts: list[RenderableType] = []
    if refused:
        rows = table("refused", "number", "code", "CRM id", "why", right=("code",), whole=("number",))
        for each in refused[:_MOST_ROWS]:
            rows.add_row(
                f"{each['planned']} {each['entity']}",
                isolated(each["customer_number"]),
                isolated(each["finance_code"]),
                isolated(each["crm_id"]),
                isolated(each["message"]),
            )
        parts += [Text("Refused, since it is not as it was when the plan was saved:", style="bold red"), rows]
        if len(refused) > _MOST_ROWS:
            parts.append(Text(f"... and {len(refused) - _MOST_ROWS} more; --json shows all.", style="dim"))
    if left:
        parts.append(Text(f"{left} action(s) are not in the plan and were left for an ordinary run.", style="bold"))
    return parts
