"""How things stand, read from the state file alone: for `status`, the dashboard, monitors and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from siaghsync.domain.reasons import Reason
from siaghsync.domain.site import is_no
from siaghsync.messages.calendar import TEHRAN
from siaghsync.messages.message import Message, msg
from siaghsync.state import facts, far_clocks, kept_out, pauses, reviews, rolling_check, runs
from siaghsync.state.audit import stamp
from siaghsync.state.cursors import Cursors
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.meta import COMPLETED, doubled_numbers
from siaghsync.state.outbox import CREATE_IN_DOUBT, NOT_IN_DOUBT, UNSETTLED
from siaghsync.state.runs import RunRecord

How = Literal["time", "condition", "import"]
NOT_SCHEDULED = "status.not_scheduled"
"""The problem that no sync has come since the import."""
_AFTER_IMPORT_SECONDS = 3600

_REAL_RUN = "dry_run = 0 AND command IN ('sync', 'initial-import')"
_TOLERANCE = timedelta(minutes=1)
"""A run that ended later than so long after now was dated by a clock that was wrong."""
_FULL_OR_PART = "dry_run = 0 AND command IN ('sync', 'initial-import', 'webhook')"


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one kind that wait for the same reason.

    `how` says what the next try depends on: a time (`next_try_at` is that of the first of them), a customer or a quote that
    has to be settled first, or another initial import. Of reviews `next_try_at` is None.
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
class Slot:
    """An hour or a day: how many runs began, how many records went through and did not, how many writes were made."""

    start: datetime
    runs: int = 0
    done: int = 0
    written: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Overview:
    """The figures of `status`. `figures` are its JSON; `runs` are the last ones, newest first; `waits` and `skips` are (entity,
    reason) -> how many; `problems` say why a person is needed, and are empty if nobody is."""

    figures: dict[str, Any]
    runs: list[RunRecord]
    waits: dict[tuple[str, str], int]
    skips: dict[tuple[str, str], int]
    next_try_at: str | None
    problems: list[Message]
    suspicions: list[Message]
    """What somebody should look at when there is time: runs that another one kept out, numbers of Siagh that went on by two."""
    fallbacks: list[Message]
    """What the CRM's find does not do, and how it is read instead; and a suspicion about Siagh's numbers."""
    clocks: list[Message]
    """Which system's clock is far from this machine's."""
    is_overdue: bool
    """Whether the next run should have come by now."""
    changes: list[Message]
    """Learned facts that have changed and of which nobody was told yet."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `status` tells beyond its figures: since when, why and until when things wait.

    `since` is when all came in step, or when the first thing that still waits began to; None if it is not known. `waits` and
    `reviews` are grouped by entity and reason, `hours` are the last 24. `size` is in bytes, the write-ahead log included;
    `lines` are those of the audit trail.
    """

    since: str | None
    waits: Sequence[Group]
    reviews: Sequence[Group]
    tries: Tries
    hours: Sequence[Slot]
    size: int
    lines: int
    verified: rolling_check.Round
    """The rolling check."""


# --- the figures ------------------------------------------------------------------------------------------

_UNKNOWN = ("customer", Reason.UNKNOWN_OUTCOME)
EMPTY: dict[str, Any] = {
    "initial_import_done": False,
    "mappings": {"customers": 0, "invoices": 0},
    "pending": 0,
    "failed": 0,
    "review": 0,
    "last_run": None,
    "last_success_at": None,
    "cursors": {},
    "running": None,
    "paused": None,
}
"""The figures where there is no state file yet."""


def overview(state: State, now: datetime, *, is_running: bool, max_age: float | None, poll_interval: int) -> Overview:
    """The figures at `now`. `max_age` and `poll_interval` are seconds; `is_running` says that the lock is held."""
    last_runs = runs.select(state, "dry_run = 0", (), 8)
    figures = _figures(state, now, last_runs[0] if is_running and last_runs else None)
    unknown, waits = _in_doubt(state), _grouped(state, "retries", NOT_IN_DOUBT)
    late = _is_overdue(state, figures, now, poll_interval)
    problems = [*_problems(figures, _import_leftovers(state), now, max_age, late=late), *_undecided(state, waits)]
    return Overview(
        figures=figures,
        runs=last_runs,
        waits=waits | ({_UNKNOWN: waits.get(_UNKNOWN, 0) + unknown} if unknown else {}),
        skips=_grouped(state, "skips"),
        next_try_at=state.value("SELECT min(next_try_at) FROM retries"),
        problems=problems,
        fallbacks=[
            msg(f"finding.{name}", seen=fact.evidence)
            for name, fact in facts.about_reading(state).items()
            if is_no(fact.answer)
        ],
        clocks=far_clocks.known(state),
        is_overdue=late,
        suspicions=[*kept_out.repeated(state), *doubled_numbers(state)],
        changes=[change for change in facts.untold(state) if change not in problems],
    )


def _figures(state: State, now: datetime, working: RunRecord | None) -> dict[str, Any]:
    unknown, retries = _in_doubt(state), state.db.table("retries")
    finished = runs.select(state, f"{_REAL_RUN} AND finished_at IS NOT NULL", (), 1)
    return {
        **EMPTY,
        "initial_import_done": state.meta(COMPLETED) is not None,
        "mappings": {"customers": Mappings(state).count(), "invoices": PostedDocuments(state).count()},
        "pending": retries.count_where(NOT_IN_DOUBT) + unknown,
        "failed": retries.count_where(f"failed AND {NOT_IN_DOUBT}") + unknown,
        "review": reviews.open_count(state),
        "last_run": finished[0].as_json() if finished else None,
        "last_success_at": state.value(
            f"SELECT max(finished_at) FROM runs WHERE {_REAL_RUN} AND outcome = 'ok' AND finished_at <= ?",
            (stamp(now + _TOLERANCE),),
        ),
        "cursors": Cursors(state).all(),
        "running": working.as_json() if working and working.finished_at is None else None,
        "paused": pause.as_json() if (pause := pauses.current(state, now)) else None,
    }


def _in_doubt(state: State) -> int:
    return state.db.table("intents").count_where(CREATE_IN_DOUBT)


def _grouped(state: State, table: str, which: str = "1") -> dict[tuple[str, str], int]:
    sql = f"SELECT entity, reason, count(*) AS n FROM {table} WHERE {which} GROUP BY entity, reason ORDER BY n DESC"
    rows = state.rows(sql)
    return {(row["entity"], row["reason"]): row["n"] for row in rows}


def _import_leftovers(state: State) -> int:
    """Contacts that the import could not bring over: cron's sync never comes back to them."""
    waiting = "SELECT record FROM retries WHERE target = 'crm'"
    unknown = f"SELECT record FROM intents WHERE target = 'crm' AND {UNSETTLED}"
    return int(state.value(f"SELECT count(*) FROM ({waiting} UNION {unknown})"))


def _problems(
    figures: Mapping[str, Any], leftovers: int, now: datetime, max_age: float | None, *, late: bool
) -> list[Message]:
    if not figures["initial_import_done"]:
        return [msg("status.not_imported")]
    problems = []
    if leftovers:
        problems.append(msg("status.import_leftovers", count=leftovers))
    if figures["review"]:
        problems.append(msg("status.reviews", count=figures["review"]))
    if figures["last_run"] and figures["last_run"]["outcome"] == "failed":
        problems.append(msg("status.last_run_failed"))
    if figures["last_run"] and _ended(figures) > now + _TOLERANCE:
        problems.append(msg("status.run_in_the_future", at=figures["last_run"]["finished_at"]))
    last = figures["last_success_at"]
    age = (now - datetime.fromisoformat(last)).total_seconds() if last else None
    if max_age is not None and (age is None or age > max_age):
        seconds = f"{max_age:g}"
        problems.append(
            msg("status.too_old", seconds=seconds, at=last) if last else msg("status.never", seconds=seconds)
        )
    elif late:
        code = NOT_SCHEDULED if _is_import(figures) else "status.overdue"
        problems.append(msg(code, at=figures["last_run"]["finished_at"]))
    return problems


def _undecided(state: State, waits: Mapping[tuple[str, str], int]) -> list[Message]:
    """What holds up documents until a person decides it once for all."""
    count = waits.get(("invoice", Reason.CUSTOMER_CODE_UNDECIDED))
    return [msg("status.customer_code_undecided", count=count), *facts.doubts(state)] if count else []


def _is_overdue(state: State, figures: Mapping[str, Any], now: datetime, poll_interval: int) -> bool:
    """Whether at `now` no run is at work, none is paused, and neither a run nor a pause has ended for twice
    POLL_INTERVAL_SECONDS; after an import, for an hour at least."""
    if figures["running"] or figures["paused"] or not figures["last_run"]:
        return False
    longest = max(2 * poll_interval, _AFTER_IMPORT_SECONDS if _is_import(figures) else 0)
    since = max(_ended(figures), pauses.last_end(state, now) or _ended(figures))
    return (now - since).total_seconds() > longest


def _is_import(figures: Mapping[str, Any]) -> bool:
    return bool(figures["last_run"]["command"] == "initial-import")


def _ended(figures: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(figures["last_run"]["finished_at"])


# --- what waits, since when and until when -----------------------------------------------------------------

_HOW = (
    "CASE WHEN target = 'crm' THEN 'import' WHEN depends_on IS NOT NULL AND depends_on NOT IN "
    "(SELECT crm_id FROM customer_mappings) THEN 'condition' ELSE 'time' END"
)
_WAITS = f"""
    SELECT entity, reason, {_HOW} AS how, count(*) AS count, min(since) AS since, min(next_try_at) AS next_try_at
    FROM retries WHERE {NOT_IN_DOUBT} GROUP BY 1, 2, 3
    UNION ALL
    SELECT entity, 'unknown_outcome', CASE target WHEN 'crm' THEN 'import' ELSE 'time' END, count(*), min(opened_at),
        min(opened_at)
    FROM intents WHERE {CREATE_IN_DOUBT} GROUP BY 1, 2, 3 ORDER BY count DESC, entity, reason
"""
_REVIEWS = (
    f"SELECT entity, reason, count(*) AS count, min(since) AS since FROM reviews WHERE {reviews.UNANSWERED} "
    "GROUP BY entity, reason ORDER BY count DESC, entity, reason"
)
_TRIES = f"""
    SELECT coalesce(sum(next <= :now), 0) AS due, coalesce(sum(next > :now), 0) AS later,
        min(CASE WHEN next > :now THEN next END) AS first, max(CASE WHEN next > :now THEN next END) AS last
    FROM (SELECT next_try_at AS next FROM retries WHERE {_HOW} = 'time' AND {NOT_IN_DOUBT}
        UNION ALL SELECT opened_at FROM intents WHERE target = 'finance' AND {CREATE_IN_DOUBT})
"""
_FIRST_BAD_RUN = f"""
    SELECT min(finished_at) FROM runs WHERE {_FULL_OR_PART} AND outcome = 'failed'
    AND id > coalesce((SELECT max(id) FROM runs WHERE {_FULL_OR_PART} AND outcome IN ('ok', 'partial')), 0)
"""
_CAME_IN_STEP = f"""
    SELECT min(coalesce(first_started_at, finished_at)) FROM runs WHERE {_FULL_OR_PART} AND outcome = 'ok'
    AND id > coalesce((SELECT max(id) FROM runs WHERE {_FULL_OR_PART} AND outcome IN ('partial', 'failed')), 0)
    AND finished_at >= coalesce((SELECT substr(max(resolved_at), 1, 19) FROM reviews), '')
"""


def status(state: State, now: datetime) -> Status:
    """What `status` tells beyond its figures, at `now` (aware UTC)."""
    waits = [Group(**dict(row)) for row in state.rows(_WAITS)]
    asked = [Group(**dict(row)) for row in state.rows(_REVIEWS)]
    tries = state.row(_TRIES, {"now": stamp(now)})
    assert tries is not None
    return Status(
        since=_since(state, [group.since for group in (*waits, *asked)]),
        waits=waits,
        reviews=asked,
        tries=Tries(**dict(tries)),
        hours=last_hours(state, now),
        size=_size(state),
        verified=rolling_check.of(state),
        # Not counted: lines are only ever added at the one end and taken out at the other.
        lines=int(state.value("SELECT coalesce(max(id) - min(id) + 1, 0) FROM audit")),
    )


def _since(state: State, began: list[str]) -> str | None:
    if bad := state.value(_FIRST_BAD_RUN):
        began.append(bad)
    found: str | None = min(began) if began else state.value(_CAME_IN_STEP)
    return found


def _size(state: State) -> int:
    paths = [state.path, state.path.with_name(f"{state.path.name}-wal")] if state.path else []
    return sum(path.stat().st_size for path in paths if path.exists())


# --- hour by hour, day by day ------------------------------------------------------------------------------


_HOUR, _DAY = "%Y-%m-%dT%H", "%Y-%m-%d"
"""How a slot is named, for SQLite and for Python alike."""

_LINES = (
    "SELECT strftime(?, at, ?) AS slot, sum(outcome = 'done') AS done, "
    "sum(outcome = 'done' AND operation IN ('create', 'update')) AS written, "
    "sum(outcome IN ('failed', 'unknown', 'misdirected', 'review')) AS failed FROM audit WHERE at >= ? GROUP BY slot"
)
_RUNS = (
    "SELECT strftime(?, started_at, ?) AS slot, count(*) AS runs FROM runs "
    "WHERE dry_run = 0 AND started_at >= ? GROUP BY slot"
)


def last_hours(state: State, now: datetime, count: int = 24) -> list[Slot]:
    """The last hours of Tehran's clock, the oldest first; the last one is not over yet."""
    end = now.astimezone(TEHRAN).replace(minute=0, second=0, microsecond=0)
    return _slots(state, [end - timedelta(hours=back) for back in range(count - 1, -1, -1)], _HOUR)


def last_days(state: State, now: datetime, count: int = 7) -> list[Slot]:
    """The last days in Tehran, the oldest first, today included."""
    end = now.astimezone(TEHRAN).replace(hour=0, minute=0, second=0, microsecond=0)
    return _slots(state, [end - timedelta(days=back) for back in range(count - 1, -1, -1)], _DAY)


def _slots(state: State, starts: Sequence[datetime], pattern: str) -> list[Slot]:
    offset = starts[-1].utcoffset() or timedelta()
    shift = f"{int(offset.total_seconds() // 60):+d} minutes"
    since = stamp((starts[0] - offset).replace(tzinfo=None)) + "+00:00"
    lines = {row["slot"]: row for row in state.rows(_LINES, (pattern, shift, since))}
    began: Mapping[str, int] = {row["slot"]: row["runs"] for row in state.rows(_RUNS, (pattern, shift, since))}
    slots = []
    for start in starts:
        name = start.strftime(pattern)
        found = lines.get(name)
        known = (found["done"], found["written"], found["failed"]) if found else (0, 0, 0)
        slots.append(Slot(start, began.get(name, 0), *known))
    return slots
