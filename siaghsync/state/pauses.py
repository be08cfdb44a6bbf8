"""A pause: until when, why and by whose word the runs that nobody watches write to neither system. One value of the state file.

It ends by itself after a day, so that nobody has to remember it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from siaghsync.errors import Paused
from siaghsync.messages.message import verbatim
from siaghsync.state.audit import note_order, stamp
from siaghsync.state.database import State

LENGTH = timedelta(days=1)
_META = "paused"


@dataclass(frozen=True, slots=True)
class Pause:
    """`since` and `until` are stored texts, `by` is as in the audit trail."""

    reason: str
    by: str
    since: str
    until: str

    def as_json(self) -> dict[str, Any]:
        """The pause as `paused` in the JSON of `status` and `sync`."""
        return asdict(self)

    @property
    def error(self) -> Paused:
        """What ends a run because of it; its message is the pause as a sentence."""
        return Paused("sync.paused", until=self.until, by=self.by, reason=self.reason)


def begin(state: State, now: datetime, by: str, reason: str) -> None:
    """Pauses from `now` on, in place of a pause that lasts. Waits for a commit of the run at work, no longer."""
    pause = Pause(reason, by, stamp(now), stamp(now + LENGTH))
    with state.atomic():
        _keep(state, pause)
        note_order(state, None, pause.since, by, "paused", verbatim(reason))


def end(state: State, now: datetime, by: str) -> None:
    """Ends the pause; harmless if there is none."""
    with state.atomic():
        if pause := current(state, now):
            note_order(state, None, stamp(now), by, "resumed")
            _keep(state, replace(pause, until=stamp(now)))


def current(state: State, now: datetime) -> Pause | None:
    """The pause that lasts at `now`. One that ends later than any can was begun by a clock that was wrong, and counts as over."""
    pause = _stored(state)
    return pause if pause and now < datetime.fromisoformat(pause.until) <= now + LENGTH else None


def drop_impossible(state: State, now: datetime) -> str | None:
    """Forgets a pause that ends later than any can; returns until when it would have lasted."""
    pause = _stored(state)
    if pause is None or datetime.fromisoformat(pause.until) <= now + LENGTH:
        return None
    state.set_meta(_META, None)
    return pause.until


def last_end(state: State, now: datetime) -> datetime | None:
    """When the last pause ended, if there was one and it is over at `now`."""
    pause = _stored(state)
    ended = datetime.fromisoformat(pause.until) if pause else None
    return ended if ended and ended <= now else None


def _keep(state: State, pause: Pause) -> None:
    state.set_meta(_META, json.dumps(pause.as_json(), ensure_ascii=False))


def _stored(state: State) -> Pause | None:
    text = state.meta(_META)
    return Pause(**json.loads(text)) if text else None
