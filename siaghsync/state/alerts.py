"""What newly needs a person: each open review, a system that fails, a brake. What was told is kept in the state file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from siaghsync.errors import BrakeError, CallError
from siaghsync.state import reviews
from siaghsync.state.database import State

TOLD = "alerts_told"
_MOST_ITEMS = 100
_MOST_LINES = 10

Told = dict[str, Any]
"""`reviews`: review id -> the reason that was told; `systems`: those told as failing; `brake`: whether one was told."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, what was told before and still holds, and both together."""

    items: list[dict[str, Any]]
    before: Told
    after: Told


def news(state: State, error: BaseException | None, working: Iterable[str]) -> News:
    """What has not been told yet. `error` is what ended the run early, `working` are the systems that answered in it.

    A review is told once, and again only if its question becomes another one. A system that fails, or a brake, is told
    once until it works, or a run goes through.
    """
    told: Told = {"reviews": {}, "systems": [], "brake": False, **json.loads(state.fact(TOLD) or "{}")}
    open_now = {str(item["id"]): item for item in reviews.open_items(state)}
    items: list[dict[str, Any]] = [
        {"kind": "review", **item} for key, item in open_now.items() if told["reviews"].get(key) != item["reason"]
    ]
    failing = error.system if isinstance(error, CallError) else None
    if isinstance(error, CallError) and failing not in told["systems"]:
        about = {"system": error.system, "reason": error.reason, "message": error.message, "hint": error.hint}
        items.insert(0, {"kind": "system", **about})
    braked = isinstance(error, BrakeError)
    if isinstance(error, BrakeError) and not told["brake"]:
        items.insert(0, {"kind": "brake", "reason": "brake", "message": error.message, "hint": error.hint})
    before: Told = {
        "reviews": {key: reason for key, reason in told["reviews"].items() if key in open_now},
        "systems": sorted(set(told["systems"]) - (set(working) - {failing})),
        "brake": bool(told["brake"] and error),
    }
    after: Told = {
        "reviews": {key: item["reason"] for key, item in open_now.items()},
        "systems": sorted({*before["systems"], *([failing] if failing else [])}),
        "brake": before["brake"] or braked,
    }
    return News(items, before, after)


def remember(state: State, told: Told) -> None:
    """Keeps what was told, if that has changed."""
    text = json.dumps(told, sort_keys=True)
    if state.fact(TOLD) != text:
        state.set_fact(TOLD, text)


def message(found: News, command: str, run: dict[str, Any] | None) -> dict[str, Any]:
    """The JSON document that ALERT_URL gets. `text` says it all in a few lines, as chat services show it."""
    items = found.items
    lines = [_line(item) for item in items[:_MOST_LINES]]
    lines += [f"... and {len(items) - _MOST_LINES} more"] if len(items) > _MOST_LINES else []
    return {
        "source": "siaghsync",
        "text": "\n".join([f"siaghsync {command}: {len(items)} new matter(s) for a person.", *lines]),
        "run": run,
        "open_reviews": len(found.after["reviews"]),
        "items": items[:_MOST_ITEMS],
        "more": max(0, len(items) - _MOST_ITEMS),
    }


def _line(item: dict[str, Any]) -> str:
    if item["kind"] == "review":
        who = item["customer_number"] or item["finance_code"] or item["crm_id"]
        return f"Review {item['id']} ({item['entity']} {who}, {item['reason']}): {item['message']}"
    return str(item["message"])
