"""Reviews and the audit trail as tables and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.show.report import isolated, table


def review_list(items: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """The open reviews, each with its ways out."""
    if not items:
        return [Text("Nothing waits for a person.", style="bold green")]
    rows = table("id", "what", "number", "code", "reason", "what happened", "ways out", right=("id", "code"))
    for item in items:
        rows.add_row(
            str(item["id"]), item["entity"], item["customer_number"] or "", item["finance_code"] or "", item["reason"],
            item["message"], "\n".join(f"--{way}" for way in item["ways_out"]),
        )  # fmt: skip
    return [
        Text(f"{len(items)} record(s) wait for a person.", style="bold"),
        rows,
        Text("`siaghsync review show ID` tells more; `siaghsync review resolve ID --WAY` decides.", style="dim"),
    ]


def review_page(
    item: Mapping[str, Any], details: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> list[RenderableType]:
    """One review: both sides next to each other with the differences marked, and what happened so far."""
    parts: list[RenderableType] = [
        Text(f"Review {item['id']}: {item['reason']}", style="bold"),
        Text(item["message"]),
        Text(f"since {item['since']}"),
    ]
    mine = details.get("customer") or details.get("contact") or details.get("payload")
    if mine:
        parts.append(_side_by_side(mine, details.get("candidates", [])))
    if other := details.get("other_crm_ids") or details.get("other_finance_codes"):
        parts.append(Text(f"See also: {', '.join(map(str, other))}"))
    parts.append(Text("So far:", style="bold"))
    parts += log_table(history)
    ways = " | ".join(f"--{way}{_VALUES.get(way, '')}" for way in item["ways_out"])
    parts.append(Text(f"To decide: siaghsync review resolve {item['id']} {ways}"))
    return parts


_VALUES = {"link": " CODE", "posted": " NUMBER"}


def _side_by_side(mine: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]]) -> RenderableType:
    rows = table("field", "this record", *(f"candidate {i}" for i in range(1, len(candidates) + 1)))
    keys = dict.fromkeys(key for side in (mine, *candidates) for key in side)
    for key in keys:
        first = _value(mine.get(key))
        others = [_value(candidate.get(key)) for candidate in candidates]
        cells = [Text(isolated(other), style="" if other == first else "yellow") for other in others]
        rows.add_row(key, isolated(first), *cells)
    return rows


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)


def log_table(entries: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Lines of the audit trail."""
    if not entries:
        return [Text("Nothing is on record for this.", style="dim")]
    rows = table("when (UTC)", "run", "what", "number", "code", "outcome", "changes and reasons", right=("run", "code"))
    for entry in entries:
        style = {"failed": "red", "unknown": "yellow", "review": "yellow", "misdirected": "red"}.get(
            entry["outcome"], ""
        )
        rows.add_row(
            entry["at"][:19].replace("T", " "), str(entry["run_id"] or ""), f"{entry['action']} {entry['entity']}",
            entry["customer_number"] or "", entry["finance_code"] or "", Text(entry["outcome"], style), Text(_story(entry)),
        )  # fmt: skip
    return [rows]


def _story(entry: Mapping[str, Any]) -> str:
    lines = [text for text in (entry["reason"], entry["message"]) if text]
    if entry["action"] == "resolve":
        lines.append(f"by {entry['actor']}")
    for key, (old, new) in entry["fields"].items():
        lines.append(
            f"{key}: {isolated(new)}" if old is None else f"{key}: {isolated(old) or '(empty)'} -> {isolated(new)}"
        )
    return "\n".join(lines)
