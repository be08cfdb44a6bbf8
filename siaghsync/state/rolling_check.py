"""How far the rolling check has come (VERIFY_PER_RUN): each run compares some linked customers, until all had their turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from siaghsync.domain.customer import CustomerMapping
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings

_ROUND = "rolling_check"


@dataclass(frozen=True, slots=True)
class Round:
    """The round at work: up to which finance code, how many customers, since when, how many of them the CRM does not have any
    more. `last_ended_at` and `last_gone` are of the round before. Times are stored texts."""

    upto: int = -1
    compared: int = 0
    began_at: str | None = None
    gone: int = 0
    last_ended_at: str | None = None
    last_gone: int = 0


def of(state: State) -> Round:
    """The round at work; one that has not begun if there is none."""
    return Round(**json.loads(state.meta(_ROUND) or "{}"))


def share(state: State, parts: int) -> list[CustomerMapping]:
    """The next of the linked customers, one of so many parts of them; none for 0 parts."""
    mappings = Mappings(state)
    return mappings.next_after(of(state).upto, -(-mappings.count() // parts)) if parts else []


def step(state: State, compared: Sequence[tuple[CustomerMapping, bool]], at: str) -> None:
    """These were compared, or (False) the CRM does not have them any more; begins anew once the last one was. Belongs inside
    `State.atomic`."""
    now, upto = of(state), compared[-1][0].finance_code
    began, gone = now.began_at or at, now.gone + sum(not is_there for _, is_there in compared)
    if Mappings(state).next_after(upto, 1):
        now = Round(upto, now.compared + len(compared), began, gone, now.last_ended_at, now.last_gone)
    else:
        now = Round(last_ended_at=at, last_gone=gone)
    state.set_meta(_ROUND, json.dumps(asdict(now)))
