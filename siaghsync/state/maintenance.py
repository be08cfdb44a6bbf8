"""Takes old lines out of the audit trail. Links, open questions, and whatever is not settled are never touched."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime

from siaghsync.state.audit import stamp
from siaghsync.state.database import State

_PRUNED_RUNS = "runs_pruned"

_OLD_INTENTS = """
    settled_at < ? AND state NOT IN ('open', 'unknown')
    -- How often a create was sent in vain still counts until its record is linked.
    AND (state <> 'lapsed' OR record IN (SELECT crm_id FROM customer_mappings UNION SELECT crm_id FROM invoice_mappings
                                         UNION SELECT CAST(finance_code AS TEXT) FROM customer_mappings))
"""
_OLD_RUNS = """
    started_at < ?
    AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.run_id = runs.id)
    AND NOT EXISTS (SELECT 1 FROM intents WHERE intents.run_id = runs.id)
    -- The last one of each kind stays: it says when the last good run was, even if no other has come for long.
    AND id NOT IN (SELECT max(id) FROM runs GROUP BY command, dry_run, outcome)
"""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows were taken out."""

    audit: int
    runs: int
    intents: int

    def as_json(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)


def prune(state: State, before: datetime, now: datetime, actor: str) -> Pruned:
    """Takes out audit lines, settled intents, and runs that nothing refers to any more, all from before `before` (aware
    UTC), and leaves an audit line about it. The run lock has to be held."""
    limit = stamp(before)
    with state.atomic():
        lines = _take_out(state, "audit", "at < ?", limit)
        intents = _take_out(state, "intents", _OLD_INTENTS, limit)
        _count_on(state, limit)
        pruned = Pruned(audit=lines, runs=_take_out(state, "runs", _OLD_RUNS, limit), intents=intents)
        state.execute(
            "INSERT INTO audit (at, actor, entity, action, outcome, fields, message) VALUES (?, ?, 'log', 'prune', 'done', ?, ?)",
            (stamp(now), actor, "{}", f"Everything before {limit[:19]} UTC was taken out: {describe(pruned)}."),
        )
    return pruned


def describe(pruned: Pruned) -> str:
    """The numbers in words."""
    return f"{pruned.audit} line(s) of the audit trail, {pruned.runs} run(s), {pruned.intents} settled intent(s)"


def runs_ever(state: State) -> dict[tuple[str, str], int]:
    """(command, outcome) -> how many runs there ever were, those taken out included, dry ones not. One that was killed
    has the outcome `unfinished`."""
    return _added(state, "1")


def _count_on(state: State, limit: str) -> None:
    """Keeps the number of runs that are about to go, for a counter must never go back."""
    counts = _added(state, _OLD_RUNS, limit)
    state.set_fact(_PRUNED_RUNS, json.dumps([[command, how, n] for (command, how), n in counts.items()]))


def _added(state: State, condition: str, *values: str) -> dict[tuple[str, str], int]:
    """The runs that were taken out before, and those that the condition is true of."""
    counts = {(command, how): n for command, how, n in json.loads(state.fact(_PRUNED_RUNS) or "[]")}
    sql = (
        "SELECT command, coalesce(outcome, 'unfinished') AS how, count(*) AS n FROM runs "
        f"WHERE dry_run = 0 AND {condition} GROUP BY 1, 2"
    )
    for row in state.rows(sql, values):
        key = (row["command"], row["how"])
        counts[key] = counts.get(key, 0) + row["n"]
    return counts


def _take_out(state: State, table: str, condition: str, limit: str) -> int:
    state.execute(f"DELETE FROM {table} WHERE {condition}", (limit,))
    return int(state.value("SELECT changes()"))
