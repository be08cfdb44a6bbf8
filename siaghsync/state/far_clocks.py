"""Which system's clock is far from this machine's, as the last run found it. One value of the state file, in whole minutes."""

from __future__ import annotations

import json
from collections.abc import Mapping

from siaghsync.errors import System
from siaghsync.messages.message import Message, msg
from siaghsync.state.database import State

_FAR_MINUTES = 5
_META = "clocks_far_off"


def far_off(system: System, seconds: float) -> Message | None:
    """What is told of a system's clock that is so far ahead of this machine's (below zero: behind); None up to five minutes."""
    if abs(seconds) <= _FAR_MINUTES * 60:
        return None
    minutes = round(abs(seconds) / 60)
    span = msg("warning.minutes", count=minutes) if minutes < 120 else msg("warning.hours", count=round(minutes / 60))
    direction = msg("warning.ahead" if seconds > 0 else "warning.behind")
    return msg("warning.clock", system=system, span=span, direction=direction)


def note(state: State, seconds: Mapping[System, float]) -> list[Message]:
    """Remembers how far ahead the systems' clocks are. Returns what is to be told of those that were not far off before."""
    before = _stored(state)
    now = {system: round(each / 60) for system, each in seconds.items() if far_off(system, each)}
    if now != before:
        state.set_meta(_META, json.dumps(now) if now else None)
    return [told for system in now if system not in before and (told := far_off(system, seconds[system]))]


def known(state: State) -> list[Message]:
    """What is told of those that the last run found far off."""
    return [told for system, minutes in _stored(state).items() if (told := far_off(system, minutes * 60))]


def _stored(state: State) -> dict[System, int]:
    found: dict[System, int] = json.loads(state.meta(_META) or "{}")
    return found
