"""Keeps the state file small and safe: takes old lines out of the audit trail, and copies the file.

Links, open questions, and whatever is not settled are never taken out.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from siaghsync.files import atomic_path
from siaghsync.messages.message import Message, msg
from siaghsync.state.audit import stamp
from siaghsync.state.columns import message_columns
from siaghsync.state.database import State, explained_errors
from siaghsync.state.meta import IS_A_COPY
from siaghsync.state.outbox import UNSETTLED

# --- pruning -----------------------------------------------------------------------------------------------

_PRUNED_RUNS = "runs_pruned"

_OLD_INTENTS = f"""
    settled_at < ? AND NOT {UNSETTLED}
    -- How often a create was sent in vain still counts until its record is linked.
    AND (state <> 'expired' OR record IN (SELECT crm_id FROM customer_mappings UNION SELECT crm_id FROM posted_documents
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

    @property
    def message(self) -> Message:
        """The numbers in words."""
        return msg("state.pruned", audit=self.audit, runs=self.runs, intents=self.intents)


def prune(state: State, before: datetime, now: datetime, actor: str) -> Pruned:
    """Takes out audit lines, settled intents, and runs that nothing refers to any more, all from before `before` (aware
    UTC), and leaves an audit line about it. The run lock has to be held."""
    limit = stamp(before)
    with state.atomic():
        lines = _take_out(state, "audit", "at < ?", limit)
        intents = _take_out(state, "intents", _OLD_INTENTS, limit)
        _count_on(state, limit)
        pruned = Pruned(audit=lines, runs=_take_out(state, "runs", _OLD_RUNS, limit), intents=intents)
        line = {"at": stamp(now), "actor": actor, "entity": "log", "name": "", "operation": "prune", "outcome": "done"}
        message = msg("state.pruned_before", before=limit, pruned=pruned.message)
        state.db.table("audit").insert({**line, "changes": {}, **message_columns(message)})
    return pruned


def runs_ever(state: State) -> dict[tuple[str, str], int]:
    """(command, outcome) -> how many runs there ever were, those taken out included, dry ones not. One that was killed
    has the outcome `unfinished`."""
    return _added(state, "1")


def _count_on(state: State, limit: str) -> None:
    """Keeps the number of runs that are about to go, for a counter must never go back."""
    counts = _added(state, _OLD_RUNS, limit)
    state.set_meta(_PRUNED_RUNS, json.dumps([[command, how, n] for (command, how), n in counts.items()]))


def _added(state: State, condition: str, *values: str) -> dict[tuple[str, str], int]:
    """The runs that were taken out before, and those that the condition is true of."""
    counts = {(command, how): n for command, how, n in json.loads(state.meta(_PRUNED_RUNS) or "[]")}
    sql = (
        "SELECT command, coalesce(outcome, 'unfinished') AS how, count(*) AS n FROM runs "
        f"WHERE dry_run = 0 AND {condition} GROUP BY 1, 2"
    )
    for row in state.rows(sql, values):
        key = (row["command"], row["how"])
        counts[key] = counts.get(key, 0) + row["n"]
    return counts


def _take_out(state: State, table: str, condition: str, limit: str) -> int:
    state.db.table(table).delete_where(condition, [limit])
    return int(state.value("SELECT changes()"))


# --- condition ---------------------------------------------------------------------------------------------


def condition(state: State) -> dict[str, Any]:
    """The file itself: the versions of SQLite and of the tables, whether it is sound, its size, and the rows of each table."""
    tables = sorted(name for name in state.db.table_names() if not name.startswith("sqlite_"))
    return {
        "sqlite": sqlite3.sqlite_version,
        "schema": state.value("PRAGMA user_version"),
        "sound": state.value("PRAGMA quick_check(1)"),
        "bytes": state.value("PRAGMA page_count") * state.value("PRAGMA page_size"),
        "tables": {name: state.db.table(name).count for name in tables},
    }


# --- backup ------------------------------------------------------------------------------------------------


def backup(state: State, target: Path) -> None:
    """A consistent copy in `target` (mode 0600), also while another process writes. Replaces `target` at the end.

    Raises UsageError if that can't be written, StateError if the disk is full.
    """
    with atomic_path(target) as part, explained_errors(part), closing(sqlite3.connect(part)) as copy:
        state.copy_to(copy)
        with copy:
            copy.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, 'by backup')", (IS_A_COPY,))
        copy.execute("PRAGMA journal_mode = DELETE")
