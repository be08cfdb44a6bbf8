"""Reviews and the audit trail as tables and lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.messages.calendar import at, day_in_both, in_tehran
from siaghsync.report.reasons import in_words, linked_by, why_and_what_to_do
from siaghsync.report.text import Prose, change, isolated, table

_VALUES = {"link": " CODE", "posted": " NUMBER"}
_STYLES = {"failed": "red", "misdirected": "red", "unknown": "yellow", "review": "yellow"}


def review_list(items: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """The open reviews by reason, each reason with its ways out."""
    if not items:
        return [Text("Nothing waits for a person.", style="bold green")]
    parts: list[RenderableType] = [Text(f"{len(items):,} record(s) wait for a person.", style="bold")]
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for item in items:
        groups.setdefault((item["entity"], item["reason"]), []).append(item)
    for (entity, reason), group in groups.items():
        rows = table("id", "number", "code", "what happened", right=("id", "code"), whole=("number",))
        for item in group:
            rows.add_row(
                str(item["id"]),
                isolated(item["customer_number"]),
                isolated(item["finance_code"]),
                isolated(item["message"]),
            )
        parts += [
            Prose(f"{entity}s ({len(group):,}): {in_words(reason)}", style="bold yellow"),
            Prose(f"Ways out: {_ways(group[0])}", style="dim"),
            rows,
        ]
    hint = "`siaghsync review show ID` tells more; `siaghsync review resolve ID --WAY` decides."
    return [*parts, Text(hint, style="dim")]


def _ways(item: Mapping[str, Any]) -> str:
    return " | ".join(f"--{way}{_VALUES.get(way, '')}" for way in item["ways_out"])


def review_page(
    item: Mapping[str, Any], details: Mapping[str, Any], history: Sequence[Mapping[str, Any]]
) -> list[RenderableType]:
    """One review: what is asked, why, what to do, both sides with the differences marked, and what happened so far."""
    of = ", number" if item["entity"] == "customer" else " of customer"
    number = f"{of} {isolated(item['customer_number'])}" if item["customer_number"] else ""
    parts: list[RenderableType] = [
        Prose(f"Review {item['id']}, {item['entity']}{number}: {in_words(item['reason'])}", style="bold"),
        Prose(isolated(item["message"], 2000)),
        *(Prose(line) for line in why_and_what_to_do(item["reason"])),
        Prose(f"Since {at(item['since'])}, Tehran time.", style="dim"),
    ]
    mine = details.get("customer") or details.get("contact") or details.get("payload")
    if mine:
        parts.append(_side_by_side(mine, details.get("candidates", [])))
    if other := details.get("other_crm_ids") or details.get("other_finance_codes"):
        parts.append(Prose(f"See also: {isolated(', '.join(map(str, other)))}"))
    parts += [Text("So far:", style="bold"), *log_table(history)]
    parts.append(Prose(f"To decide: siaghsync review resolve {item['id']} {_ways(item)}"))
    return parts


def _side_by_side(mine: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]]) -> RenderableType:
    rows = table("field", "this record", *(f"candidate {i}" for i in range(1, len(candidates) + 1)), whole=("field",))
    keys = dict.fromkeys(key for side in (mine, *candidates) for key in side)
    for key in keys:
        first = _value(mine.get(key))
        others = [_value(candidate.get(key)) for candidate in candidates]
        if first or any(others):
            cells = [Prose(isolated(other), style="" if other == first else "yellow") for other in others]
            rows.add_row(key, isolated(first), *cells)
    return rows


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)


def log_table(entries: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Lines of the audit trail, day by day as Tehran has them."""
    if not entries:
        return [Text("Nothing is on record for this.", style="dim")]
    parts: list[RenderableType] = []
    for day, lines in groupby(entries, lambda entry: in_tehran(entry["at"]).date()):
        rows = table("time", "run", "record", "what happened", right=("run",), whole=("time", "record"))
        for entry in lines:
            clock = f"{in_tehran(entry['at']):%H:%M:%S}"
            rows.add_row(clock, str(entry["run_id"] or ""), _record(entry), _happened(entry))
        parts += [Text(f"{day_in_both(day)}, Tehran time", style="bold"), rows]
    return parts


def failed_runs_table(runs: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Whole runs that came to nothing, which have no lines of their own in the trail."""
    if not runs:
        return []
    rows = table(
        "run", "command", "began (Tehran)", "what went wrong", right=("run",), whole=("command", "began (Tehran)")
    )
    for run in runs:
        error = run["error"] or (
            "" if run["finished_at"] else "It ended without a word: killed, or the machine went down."
        )
        rows.add_row(str(run["id"]), run["command"], at(run["started_at"]), isolated(error, 500))
    return [Text("Runs that failed", style="bold"), rows]


def _record(entry: Mapping[str, Any]) -> str:
    number, code = isolated(entry["customer_number"]), isolated(entry["finance_code"])
    name = entry["entity"] if entry["entity"] == "customer" or not number else f"{entry['entity']} of"
    name = f"{name} {number}".rstrip()
    return f"{name}\ncode {code}" if code and code != number else name


def _happened(entry: Mapping[str, Any]) -> Text:
    action, outcome = entry["action"], entry["outcome"]
    did = outcome if outcome in (action, "skipped") else f"{action} {outcome}"
    why = linked_by(entry["reason"]) if entry["reason"] and action == "link" else entry["reason"]
    lines = [isolated(f"{did} ({why})" if why else did), *_story(entry)]
    return Prose.assemble((lines[0], _STYLES.get(outcome, "")), *(f"\n{line}" for line in lines[1:]))


def _story(entry: Mapping[str, Any]) -> list[str]:
    lines = [isolated(line) for line in (entry["message"] or "").splitlines() if line.strip()]
    if entry["action"] == "resolve":
        lines.append(f"by {isolated(entry['actor'])}")
    changes = [change(key, old, new) for key, (old, new) in entry["fields"].items()]
    # A new record has nothing that it was before: its values run on, where changes stand below each other.
    is_new = all(old is None for old, _ in entry["fields"].values())
    return [*lines, *(["; ".join(changes)] if is_new and changes else changes)]
