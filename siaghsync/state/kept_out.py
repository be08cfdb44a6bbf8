"""Counts the runs that ended with 75 one after the other: cron does not mail those, so `status` has to tell of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from siaghsync.messages.message import Message, msg
from siaghsync.state.audit import stamp
from siaghsync.state.database import State

_KEPT_OUT = "kept_out"
_MANY = 2


def note(state: State, now: datetime) -> None:
    """One more run found the lock held. Needs no lock."""
    with state.atomic():
        known = json.loads(state.meta(_KEPT_OUT) or "{}")
        since = {"since": known.get("since", stamp(now)), "count": known.get("count", 0) + 1}
        state.set_meta(_KEPT_OUT, json.dumps(since))


def forget(state: State) -> None:
    """A run has got the lock."""
    if state.meta(_KEPT_OUT) is not None:
        state.set_meta(_KEPT_OUT, None)


def repeated(state: State) -> Iterator[Message]:
    """What to tell if it happened more than once since a run last got the lock."""
    known = json.loads(state.meta(_KEPT_OUT) or "{}")
    if known.get("count", 0) >= _MANY:
        yield msg("status.kept_out", count=known["count"], since=known["since"])
