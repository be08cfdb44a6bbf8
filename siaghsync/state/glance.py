"""What `status` tells beyond the figures of `overview`: since when, why and until when things wait, and how large it all is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from siaghsync.state.activity import Slot, last_hours
from siaghsync.state.audit import stamp
from siaghsync.state.database import State

How = Literal["time", "condition", "import"]


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one kind that wait for the same reason.

    `how` says what the next try depends on: a time (`next_try_at` is that of the first of them), a customer or a quote that
    has to be settled first, or another initial import. Of reviews both are empty.
    """

    entity: str
    reason: str
    count: int
    since: str
    how: How = "time"
    next_try_at: str | None = None


@dataclass(frozen=True, slots=True)
class Tries:
    """How many records the next sync tries again, and how many come later: from when on, and until when."""

    due: int
    later: int
    first: str | None
    last: str | None


@dataclass(frozen=True, slots=True)
class Glance:
    """`since` is when all came in step, or when the first thing that still waits began to; None if nobody can tell.

    `size` is in bytes, the write-ahead log included.
    """

    since: str | None
    waits: Sequence[Group]
    reviews: Sequence[Group]
    tries: Tries
    hours: Sequence[Slot]
    size: int
    lines: int


_UNKNOWN = "entity = 'customer' AND action = 'create' AND state IN ('open', 'unknown')"
_HOW = (
    "CASE WHEN target = 'crm' THEN 'import' WHEN depends_on IS NOT NULL AND depends_on NOT IN "
    "(SELECT crm_id FROM customer_mappings) THEN 'condition' ELSE 'time' END"
)
_WAITS = f"""
    SELECT entity, reason, {_HOW} AS how, count(*) AS n, min(since) AS since, min(next_try_at) AS next
    FROM waiting GROUP BY 1, 2, 3
    UNION ALL
    SELECT entity, 'unknown_outcome', CASE target WHEN 'crm' THEN 'import' ELSE 'time' END, count(*), min(opened_at),
        min(opened_at)
    FROM intents WHERE {_UNKNOWN} GROUP BY 1, 2, 3 ORDER BY n DESC, entity, reason
"""
_REVIEWS = (
    "SELECT entity, reason, count(*) AS n, min(since) AS since FROM reviews WHERE resolution IS NULL "
    "GROUP BY entity, reason ORDER BY n DESC, entity, reason"
)
_TRIES = f"""
    SELECT coalesce(sum(next <= :now), 0) AS due, coalesce(sum(next > :now), 0) AS later,
        min(CASE WHEN next > :now THEN next END) AS first, max(CASE WHEN next > :now THEN next END) AS last
    FROM (SELECT next_try_at AS next FROM waiting WHERE {_HOW} = 'time'
        UNION ALL SELECT opened_at FROM intents WHERE target = 'finance' AND {_UNKNOWN})
"""
_REAL_RUN = "dry_run = 0 AND command IN ('sync', 'initial-import', 'webhook')"
_FIRST_BAD_RUN = f"""
    SELECT min(finished_at) FROM runs WHERE {_REAL_RUN} AND outcome = 'failed'
    AND id > coalesce((SELECT max(id) FROM runs WHERE {_REAL_RUN} AND outcome IN ('ok', 'partial')), 0)
"""
_CAME_IN_STEP = f"""
    SELECT min(finished_at) FROM runs WHERE {_REAL_RUN} AND outcome = 'ok'
    AND id > coalesce((SELECT max(id) FROM runs WHERE {_REAL_RUN} AND outcome IN ('partial', 'failed')), 0)
    AND finished_at >= coalesce((SELECT substr(max(resolved_at), 1, 19) FROM reviews), '')
"""


def glance(state: State, now: datetime) -> Glance:
    """How things stand at `now` (aware UTC)."""
    waits = [
        Group(row["entity"], row["reason"], row["n"], row["since"], row["how"], row["next"])
        for row in state.rows(_WAITS)
    ]
    reviews = [Group(row["entity"], row["reason"], row["n"], row["since"]) for row in state.rows(_REVIEWS)]
    tries = state.row(_TRIES, {"now": stamp(now)})
    assert tries is not None
    began = [group.since for group in (*waits, *reviews)]
    if bad := state.value(_FIRST_BAD_RUN):
        began.append(bad)
    return Glance(
        since=min(began) if began else state.value(_CAME_IN_STEP),
        waits=waits,
        reviews=reviews,
        tries=Tries(tries["due"], tries["later"], tries["first"], tries["last"]),
        hours=last_hours(state, now),
        size=_size(state),
        # Not counted: lines are only ever added at the one end and taken out at the other.
        lines=int(state.value("SELECT coalesce(max(id) - min(id) + 1, 0) FROM audit")),
    )


def _size(state: State) -> int:
    paths: list[Any] = [state.path, state.path.with_name(f"{state.path.name}-wal")] if state.path else []
    return sum(path.stat().st_size for path in paths if path.exists())
