"""The links, and what was left out of a file, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.features.links.take_over import TakenOver
from siaghsync.messages.calendar import moment_for
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.report.text import Prose, isolated, linked_by, not_shown, sentence, table
from siaghsync.state.mappings import Link

_MOST_ROWS = 200


def link_as_json(link: Link, name: str) -> dict[str, Any]:
    """One link as in the JSON of `links list`."""
    return {
        "crm_id": link.crm_id,
        "finance_code": str(link.finance_code),
        "kind": link.kind,
        "customer_number": link.customer_number or None,
        "name": name or None,
        "linked_by": link.linked_by,
        "linked_at": link.linked_at,
    }


def links_table(links: Sequence[tuple[Link, str]]) -> list[RenderableType]:
    """The links by finance code; the first 200, then how many more there are."""
    head = Text(render(msg("links.count", count=len(links))), style="bold")
    rows = table(
        "number", "code", "name, crm id", "linked by, since", right=("code",), whole=("number", "name, crm id")
    )
    for link, name in links[:_MOST_ROWS]:
        since = moment_for(link.linked_at, "en")
        who, how = f"{isolated(name)}\n{link.crm_id}", f"{linked_by(link.linked_by)}\n{since}"
        rows.add_row(isolated(link.customer_number), str(link.finance_code), who, how)
    return [head, rows, *not_shown(len(links) - _MOST_ROWS)] if links else [head]


def taken_over(found: TakenOver) -> list[RenderableType]:
    """What was taken over in numbers, and each line that was left out."""
    numbers = {"links": found.links, "documents": found.documents, "known": found.known}
    parts: list[RenderableType] = [Prose(render(msg("links.taken_over", **numbers)), style="bold")]
    if not found.left_out:
        return parts
    rows = table("line", "crm id", "code", "why", right=("line", "code"))
    for each in found.left_out[:_MOST_ROWS]:
        rows.add_row(str(each.row.line), isolated(each.row.crm_id), isolated(each.row.finance_id), sentence(each.why))
    head = Text(render(msg("links.left_out", count=len(found.left_out))), style="bold red")
    return [*parts, head, rows, *not_shown(len(found.left_out) - _MOST_ROWS)]
