"""The figures behind `status`, read from the state file alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siaghsync.messages.calendar import at
from siaghsync.state import reviews
from siaghsync.state.audit import run_as_json
from siaghsync.state.database import State
from siaghsync.state.mappings import Cursors, Mappings
from siaghsync.state.meta import COMPLETED
from siaghsync.state.posted import PostedDocuments


@dataclass(frozen=True, slots=True)
class Overview:
    """What `status` shows. `runs` are the last ones, newest first; `waits` is (entity, reason) -> how many."""

    facts: dict[str, Any]
    runs: list[dict[str, Any]]
    waits: dict[tuple[str, str], int]
    skips: dict[tuple[str, str], int]
    next_try_at: str | None
    problems: list[str]
    """Why a person is needed, in sentences; empty if nobody is."""


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
}


_REAL_RUN = "dry_run = 0 AND command IN ('sync', 'initial-import')"
_UNKNOWN_CREATES = (
    "SELECT count(*) FROM intents WHERE state IN ('open', 'unknown') AND entity = 'customer' AND action = 'create'"
)


def overview(state: State, now: datetime, *, is_running: bool, max_age: float | None, poll_interval: int) -> Overview:
    """The state of affairs at `now`. `max_age` and `poll_interval` are seconds; `is_running` says that the lock is held."""
    runs = [dict(row) for row in state.rows("SELECT * FROM runs WHERE dry_run = 0 ORDER BY id DESC LIMIT 8")]
    unknown = int(state.value(_UNKNOWN_CREATES))
    waiting = int(state.value("SELECT count(*) FROM waiting"))
    facts = {
        **EMPTY,
        "initial_import_done": state.fact(COMPLETED) is not None,
        "mappings": {"customers": Mappings(state).count(), "invoices": PostedDocuments(state).count()},
        "pending": waiting + unknown,
        "failed": int(state.value("SELECT count(*) FROM waiting WHERE failed")) + unknown,
        "review": reviews.open_count(state),
        "last_run": _last_finished(state),
        "last_success_at": state.value(f"SELECT max(finished_at) FROM runs WHERE {_REAL_RUN} AND outcome = 'ok'"),
        "cursors": Cursors(state).all(),
        "running": run_as_json(runs[0]) if is_running and runs and runs[0]["finished_at"] is None else None,
    }
    return Overview(
        facts,
        runs,
        _grouped(state, "waiting") | ({("customer", "unknown_outcome"): unknown} if unknown else {}),
        _grouped(state, "skips"),
        state.value("SELECT min(next_try_at) FROM waiting"),
        _problems(facts, _import_leftovers(state), now, max_age, poll_interval),
    )


def _last_finished(state: State) -> dict[str, Any] | None:
    row = state.row(f"SELECT * FROM runs WHERE {_REAL_RUN} AND finished_at IS NOT NULL ORDER BY id DESC LIMIT 1")
    return run_as_json(row) if row else None


def _grouped(state: State, table: str) -> dict[tuple[str, str], int]:
    rows = state.rows(f"SELECT entity, reason, count(*) AS n FROM {table} GROUP BY entity, reason ORDER BY n DESC")
    return {(row["entity"], row["reason"]): row["n"] for row in rows}


def _import_leftovers(state: State) -> int:
    """Contacts that the import could not bring over: cron's sync never comes back to them."""
    waiting = "SELECT record FROM waiting WHERE target = 'crm'"
    unknown = "SELECT record FROM intents WHERE target = 'crm' AND state IN ('open', 'unknown')"
    return int(state.value(f"SELECT count(*) FROM ({waiting} UNION {unknown})"))


def _problems(
    facts: dict[str, Any], leftovers: int, now: datetime, max_age: float | None, poll_interval: int
) -> list[str]:
    if not facts["initial_import_done"]:
        return ["The initial import has not completed: run `siaghsync initial-import`."]
    problems = []
    if leftovers:
        problems.append(f"{leftovers} contact(s) of the import wait: run `siaghsync initial-import` again.")
    if facts["review"]:
        problems.append(f"{facts['review']} record(s) wait for a person: see `siaghsync review`.")
    if facts["last_run"] and facts["last_run"]["outcome"] == "failed":
        problems.append("The last run failed: run `siaghsync check-apis`.")
    last = facts["last_success_at"]
    age = (now - datetime.fromisoformat(last)).total_seconds() if last else None
    if max_age is not None and (age is None or age > max_age):
        when = at(last) if last else "never"
        problems.append(f"No good run in the last {max_age:g} s: is cron running? (last good one: {when})")
    elif is_overdue(facts, now, poll_interval):
        ended = at(facts["last_run"]["finished_at"])
        problems.append(f"A sync is overdue: the last run ended at {ended}. Is cron running?")
    return problems


def is_overdue(facts: dict[str, Any], now: datetime, poll_interval: int) -> bool:
    """Whether at `now` no run is at work and none has ended for twice POLL_INTERVAL_SECONDS; `facts` as in an Overview."""
    if facts["running"] or not facts["last_run"]:
        return False
    ended = datetime.fromisoformat(facts["last_run"]["finished_at"])
    return (now - ended).total_seconds() > 2 * poll_interval
