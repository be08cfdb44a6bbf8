"""What newly needs a person: each open review, a system that fails, a brake. What was told is kept in the state file."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from siaghsync.errors import BrakeError, CallError
from siaghsync.state import reviews
from siaghsync.state.database import State

_TOLD = {"ALERT_URL": "alerts_told", "NOTIFY_URLS": "notifications_told"}
"""Setting -> the name under which it is remembered what was told there."""

Told = dict[str, Any]
"""`reviews`: review id -> the reason that was told; `systems`: those told as failing; `brake`: whether one was told."""


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told, what was told before and still holds, and both together.

    `items` are `{"kind": "review", ...}` as in the JSON of `review`, `{"kind": "system", "system", "reason", "message"}` and
    `{"kind": "brake", "reason", "message"}`; each `message` is still a `Message`.
    """

    items: list[dict[str, Any]]
    before: Told
    after: Told


def news(state: State, target: str, error: BaseException | None, working: Iterable[str]) -> News:
    """What has not been told yet to `target`, which is the name of its setting. `error` is what ended the run early, `working`
    are the systems that answered in it.

    A review is told once, and again only if its question becomes another one. A system that fails, or a brake, is told
    once until it works, or a run goes through.
    """
    told: Told = {"reviews": {}, "systems": [], "brake": False, **json.loads(state.meta(_TOLD[target]) or "{}")}
    open_now = {str(review.id): review for review in reviews.open_items(state)}
    items: list[dict[str, Any]] = [
        {"kind": "review", **review.as_item()}
        for key, review in open_now.items()
        if told["reviews"].get(key) != review.reason
    ]
    failing = error.system if isinstance(error, CallError) else None
    if isinstance(error, CallError) and failing not in told["systems"]:
        about = {"system": error.system, "reason": error.reason, "message": error.message}
        items.insert(0, {"kind": "system", **about})
    braked = isinstance(error, BrakeError)
    if isinstance(error, BrakeError) and not told["brake"]:
        items.insert(0, {"kind": "brake", "reason": "brake", "message": error.message})
    before: Told = {
        "reviews": {key: reason for key, reason in told["reviews"].items() if key in open_now},
        "systems": sorted(set(told["systems"]) - (set(working) - {failing})),
        "brake": bool(told["brake"] and error),
    }
    after: Told = {
        "reviews": {key: review.reason for key, review in open_now.items()},
        "systems": sorted({*before["systems"], *([failing] if failing else [])}),
        "brake": before["brake"] or braked,
    }
    return News(items, before, after)


def remember(state: State, target: str, told: Told) -> None:
    """Keeps what was told to `target`, if that has changed."""
    text = json.dumps(told, sort_keys=True)
    if state.meta(_TOLD[target]) != text:
        state.set_meta(_TOLD[target], text)
