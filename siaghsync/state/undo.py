"""What a run did, out of the audit trail and the intents; and the values that were undone and are not sent again."""

from __future__ import annotations

import json
from collections.abc import Iterable

from siaghsync.domain.customer import customer_kind
from siaghsync.domain.reasons import AuditOutcome, Operation
from siaghsync.domain.undo import Done
from siaghsync.errors import System
from siaghsync.state.audit import AuditLine, line_of
from siaghsync.state.columns import encode
from siaghsync.state.database import State

_OUTCOMES = f"outcome IN ('{AuditOutcome.DONE}', '{AuditOutcome.UNKNOWN}')"
_WRITES = f"operation IN ('{Operation.CREATE}', '{Operation.UPDATE}', '{Operation.LINK}') AND {_OUTCOMES}"
_LATER = (
    f"SELECT * FROM audit WHERE run_id > ? AND entity = ? AND target = ? AND {_WRITES} AND "
    "{column} = ? ORDER BY id LIMIT 2"
)


def lines_of(state: State, run_id: int) -> list[AuditLine]:
    """What the run wrote, done or in doubt, the oldest first; also what a later run noted about a write that this one was killed
    in, if it is not known to have got lost."""
    rows = state.rows(f"SELECT * FROM audit WHERE run_id = ? AND {_WRITES} ORDER BY id", (run_id,))
    lines = [line_of(row) for row in rows]
    told = {(line.entity, line.target, _record(line)) for line in lines}
    sql = (
        "SELECT entity, target, record FROM intents WHERE run_id = ? AND state IN ('confirmed', 'unknown') ORDER BY id"
    )
    for intent in state.rows(sql, (run_id,)):
        if tuple(intent) in told:
            continue
        column = "finance_code" if intent["target"] == "crm" else "crm_id"
        later = state.rows(_LATER.format(column=column), (run_id, *intent))
        lines += [line_of(row) for row in later[:1]]
        # A create in doubt that a look-up found: its second line knows the CRM id.
        lines += [line_of(row) for row in later[1:] if row["operation"] == Operation.LINK]
    return lines


def _record(line: AuditLine) -> str | None:
    return str(line.finance_code) if line.target == "crm" else line.crm_id


def customers_of(lines: Iterable[AuditLine]) -> list[Done]:
    """What was done about each customer; several changes of one field count as one."""
    found: dict[tuple[System, str | None], Done] = {}
    for line in lines:
        if line.entity != "customer":
            continue
        target: System = "crm" if line.target == "crm" else "finance"
        done = found.setdefault(
            (target, _record(line)),
            Done(target, customer_kind(line.kind or ""), line.name, line.customer_number or "", None, None),
        )
        done.crm_id, done.finance_code = line.crm_id or done.crm_id, line.finance_code or done.finance_code
        if line.operation == Operation.CREATE:
            done.created = True
            done.sent = {name: new or "" for name, (_, new) in line.changes.items()} or done.sent
        elif line.operation == Operation.LINK:
            done.linked_at = None if done.created else line.at
        else:
            changes = {name: (done.changes[name][0] if name in done.changes else old, new)
                       for name, (old, new) in line.changes.items()}  # fmt: skip
            done.changes = {**done.changes, **changes}
    return list(found.values())


def mark(state: State, crm_id: str, checksum: str, fields: Iterable[str]) -> None:
    """These values of a record, which has this checksum, were undone and rest until it changes. Belongs inside
    `State.atomic`."""
    resting = sorted({*fields, *at_rest(state, crm_id, checksum)})
    state.execute("INSERT OR REPLACE INTO undone VALUES (?, ?, ?)", (crm_id, checksum, encode(resting)))


def at_rest(state: State, crm_id: str, checksum: str) -> set[str]:
    """The fields of the record whose values were undone, if it is still as it was then."""
    row = state.row("SELECT checksum, fields FROM undone WHERE crm_id = ?", (crm_id,))
    return set(json.loads(row["fields"])) if row and row["checksum"] == checksum else set()


def forget_marks(state: State, crm_id: str, checksum: str | None) -> None:
    """What was undone in another state of the record rests no longer. Belongs inside `State.atomic`."""
    state.execute("DELETE FROM undone WHERE crm_id = ? AND checksum IS NOT ?", (crm_id, checksum))
