"""Keeps the state file small and safe: folds runs without change, takes old lines out, and copies the file.

Links, posted documents, questions, and whatever is not settled are never taken out. What goes by itself after KEEP_DAYS is less
than what `log --prune-before` takes: of what was written, linked, undone and decided every line stays, since `undo` and `explain`
go by it.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from siaghsync.domain.normalize import ascii_digits
from siaghsync.errors import UsageError
from siaghsync.files import atomic_path
from siaghsync.messages.message import Message, msg
from siaghsync.state.audit import stamp
from siaghsync.state.columns import encode, message_columns
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
        _note_pruned(state, limit, pruned, now, actor)
    return pruned


def _note_pruned(state: State, limit: str, pruned: Pruned, now: datetime, actor: str) -> None:
    line = {"at": stamp(now), "actor": actor, "entity": "log", "name": "", "operation": "prune", "outcome": "done"}
    message = msg("state.pruned_before", before=limit, pruned=pruned.message)
    state.db.table("audit").insert({**line, "changes": {}, **message_columns(message)})


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
        "SELECT command, coalesce(outcome, 'unfinished') AS how, sum(id - coalesce(first_id, id) + 1) AS n FROM runs "
        f"WHERE dry_run = 0 AND {condition} GROUP BY 1, 2"
    )
    for row in state.rows(sql, values):
        key = (row["command"], row["how"])
        counts[key] = counts.get(key, 0) + row["n"]
    return counts


def _take_out(state: State, table: str, condition: str, limit: str) -> int:
    state.db.table(table).delete_where(condition, [limit])
    return int(state.value("SELECT changes()"))


# --- once a day --------------------------------------------------------------------------------------------

_TIDIED = "tidied_on"
_FOLDED_AFTER = timedelta(days=8)
"""The charts count the runs of the last seven days one by one."""
_IDLE = """
    started_at >= ? AND started_at < ? AND dry_run = 0 AND outcome = 'ok'
    AND NOT EXISTS (SELECT 1 FROM audit WHERE audit.run_id = runs.id)
    AND NOT EXISTS (SELECT 1 FROM intents WHERE intents.run_id = runs.id)
"""
_GROUPS = f"""
    SELECT min(id) AS first, max(id) AS last, min(started_at) AS began
    FROM (SELECT id, started_at, command, id - row_number() OVER (PARTITION BY command, date(started_at) ORDER BY id) AS island
        FROM runs WHERE {_IDLE})
    GROUP BY command, date(started_at), island HAVING count(*) > 1
"""
_VAIN_LINES = """
    at < ? AND operation IN ('create', 'update', 'link', 'skip', 'review')
    AND outcome IN ('failed', 'expired', 'misdirected', 'review', 'skipped', 'waits', 'refused')
"""
_MOST_PAGES = 10_000
"""So many free pages are given back at once, of 4 kB mostly."""


def tidy(state: State, now: datetime, keep_days: int, actor: str) -> None:
    """Once a day: folds old runs that found nothing to do, takes out what came to nothing more than `keep_days` ago (0: never),
    and gives free space back. `now` is aware UTC; the run lock has to be held."""
    today = now.date().isoformat()
    if (since := state.meta(_TIDIED) or "") == today:
        return
    since = "" if since > today else since  # by a clock that was ahead
    limit = stamp(now - timedelta(days=keep_days))
    with state.atomic():
        _fold(state, since, (now - _FOLDED_AFTER).date().isoformat())
        if keep_days:
            _thin(state, limit, now, actor)
        state.set_meta(_TIDIED, today)
    state.give_back(_MOST_PAGES)


def _fold(state: State, since: str, before: str) -> None:
    """Of the runs of a day that followed each other and found nothing to do the last one stays, and stands for all."""
    begin = (date.fromisoformat(since) - _FOLDED_AFTER).isoformat() if since else ""
    for group in state.rows(_GROUPS, (begin, before)):
        first, last = group["first"], group["last"]
        state.db.table("runs").update(last, {"first_id": first, "first_started_at": group["began"]})
        state.db.table("runs").delete_where("id >= ? AND id < ?", [first, last])


def _thin(state: State, limit: str, now: datetime, actor: str) -> None:
    lines = _take_out(state, "audit", _VAIN_LINES, limit)
    intents = _take_out(state, "intents", f"{_OLD_INTENTS} AND state <> 'confirmed'", limit)
    _count_on(state, limit)
    pruned = Pruned(audit=lines, runs=_take_out(state, "runs", _OLD_RUNS, limit), intents=intents)
    if any(pruned.as_json().values()):
        _note_pruned(state, limit, pruned, now, actor)


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


FORGOTTEN = msg("state.forgotten_values")
"""The message of what was forgotten."""
_MINE = """(customer_number = :n
    OR {crm_id} IN (SELECT crm_id FROM customer_mappings WHERE customer_number = :n
                    UNION SELECT crm_id FROM audit WHERE entity = 'customer' AND customer_number = :n AND crm_id IS NOT NULL)
    OR (entity = 'customer' AND finance_code IN (SELECT finance_code FROM customer_mappings WHERE customer_number = :n)))"""
"""The condition for rows about the customer with the number `:n` and its documents, whatever its number was then."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """From how many rows the values were taken."""

    audit: int
    reviews: int
    intents: int

    def as_json(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)

    @property
    def message(self) -> Message:
        """The numbers in words."""
        return msg("state.forgotten", **asdict(self))


def forget(state: State, asked: str, now: datetime, actor: str) -> Forgotten:
    """Takes the customer's values out, leaves an audit line about it, and rewrites the file without them.

    Open questions, what waits, and links keep what they need. The run lock has to be held. Raises UsageError if nothing is
    known of the number.
    """
    number = ascii_digits(asked).strip()
    if not number:  # that many customers have in common
        raise UsageError("usage.nothing_to_forget", number=number)
    with state.atomic():
        forgotten = Forgotten(
            audit=_blank(state, "audit", "crm_id", {"changes": "{}"}, "entity <> 'log'", number),
            reviews=_blank(state, "reviews", "record", {"details": "{}"}, "resolution IS NOT NULL", number),
            intents=_blank_plans(state, number),
        )
        if not any(forgotten.as_json().values()):
            raise UsageError("usage.nothing_to_forget", number=number)
        line = {"at": stamp(now), "actor": actor, "entity": "log", "name": "", "operation": "forget", "outcome": "done"}
        message = msg("state.forgotten_of", number=number, forgotten=forgotten.message)
        state.db.table("audit").insert({**line, "changes": {}, **message_columns(message)})
    state.rewrite()
    return forgotten


def _blank(state: State, table: str, crm_id: str, values: dict[str, str], condition: str, number: str) -> int:
    """A document keeps its number as its name: it is by that number that people know it."""
    columns = {**values, **message_columns(FORGOTTEN)}
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    state.execute(
        f"UPDATE {table} SET {assignments}, name = CASE entity WHEN 'customer' THEN '' ELSE name END "
        f"WHERE {condition} AND {_MINE.format(crm_id=crm_id)}",
        {**columns, "n": number},
    )
    return int(state.value("SELECT changes()"))


def _blank_plans(state: State, number: str) -> int:
    condition = f"NOT {UNSETTLED} AND plan <> '{{}}' AND {_MINE.format(crm_id='record')}"
    rows = state.rows(f"SELECT id, plan FROM intents WHERE {condition}", {"n": number})
    for row in rows:
        columns = {"plan": encode(_without_values(json.loads(row["plan"]))), **message_columns(FORGOTTEN)}
        state.db.table("intents").update(row["id"], columns)
    return len(rows)


def _without_values(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan of the same shape: a create that was given up is still looked for by the number in it."""
    payload = {name: "" if isinstance(value, str) else value for name, value in plan["payload"].items()}
    name = "" if plan["entity"] == "customer" else plan["name"]
    kept = {**plan, "name": name, "changes": {}, "details": {}, "notes": [], "message": None}
    return {**kept, "payload": payload if plan["entity"] == "customer" else {}}
