"""Records that wait for another try, and records that are skipped on purpose. A skip is not a failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from siaghsync.domain.action import Action, Entity, RecordKind
from siaghsync.errors import System
from siaghsync.state.audit import Run, stamp
from siaghsync.state.database import Row, State


@dataclass(frozen=True, slots=True)
class Waiting:
    """A record that waits: how often it was tried, when next, and why it failed. Times are stored UTC texts."""

    entity: Entity
    target: System
    record: str
    kind: RecordKind
    customer_number: str
    attempts: int
    failed: bool
    next_try_at: str
    reason: str
    message: str
    since: str


def pause_after(attempts: int) -> timedelta:
    """How long a record rests after so many failed runs: none after the first, then 2 s, 8 s, 32 s... up to six hours.

    Under cron the first few tries simply are the next runs; what keeps failing is asked for less and less often.
    """
    return timedelta(seconds=min(2 * 4 ** (attempts - 2), 6 * 3600)) if attempts > 1 else timedelta(0)


def postpone(
    run: Run, action: Action, reason: str, message: str, *, failed: bool = True, depends_on: str | None = None
) -> int:
    """Stores a record as waiting, with one more try behind it if it `failed`. Returns the number of tries.

    With `depends_on` it waits until that CRM customer is linked, or until `free` is called for it. Belongs inside `State.atomic`.
    """
    known = find(run.state, action.entity, action.target, action.record)
    release(run.state, action)
    attempts = (known.attempts if known else 0) + int(failed)
    run.state.execute(
        "INSERT INTO waiting VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            action.entity, action.target, action.record, action.kind, action.customer_number, attempts, int(failed),
            stamp(run.now() + pause_after(attempts)), reason, message, known.since if known else run.at(), depends_on,
        ),
    )  # fmt: skip
    return attempts


def free(state: State, reason: str) -> None:
    """Lets all that wait for this reason be tried in the next run. Belongs inside `State.atomic`."""
    state.execute("UPDATE waiting SET depends_on = NULL WHERE reason = ?", (reason,))


def release(state: State, action: Action) -> None:
    """The record waits no longer and is not skipped any more. Belongs inside `State.atomic`."""
    key = (action.entity, action.target, action.record)
    state.execute("DELETE FROM waiting WHERE entity = ? AND target = ? AND record = ?", key)
    state.execute("DELETE FROM skips WHERE entity = ? AND target = ? AND record = ?", key)


def find(state: State, entity: Entity, target: System, record: str) -> Waiting | None:
    """The waiting entry of a record, or None."""
    row = state.row("SELECT * FROM waiting WHERE entity = ? AND target = ? AND record = ?", (entity, target, record))
    return _waiting(row) if row else None


def due(state: State, entity: Entity, target: System, now: datetime) -> list[Waiting]:
    """The records whose next try has come and whose customer, if they depend on one, is linked; the oldest first."""
    sql = (
        "SELECT * FROM waiting WHERE entity = ? AND target = ? AND next_try_at <= ? "
        "AND (depends_on IS NULL OR depends_on IN (SELECT crm_id FROM customer_mappings)) ORDER BY since, record"
    )
    return [_waiting(row) for row in state.rows(sql, (entity, target, stamp(now)))]


def note_skip(run: Run, action: Action) -> bool:
    """Remembers why a record is skipped. Returns whether that is news. Belongs inside `State.atomic`."""
    key = (action.entity, action.target, action.record)
    known = run.state.row(
        "SELECT reason, customer_number, since FROM skips WHERE entity = ? AND target = ? AND record = ?", key
    )
    is_news = known is None or tuple(known)[:2] != (action.reason, action.customer_number)
    release(run.state, action)
    since = known["since"] if known and not is_news else run.at()
    run.state.execute(
        "INSERT INTO skips VALUES (?, ?, ?, ?, ?, ?)", (*key, action.customer_number, action.reason, since)
    )
    return is_news


def _waiting(row: Row) -> Waiting:
    return Waiting(
        entity=row["entity"],
        target=row["target"],
        record=row["record"],
        kind=row["kind"],
        customer_number=row["customer_number"],
        attempts=row["attempts"],
        failed=bool(row["failed"]),
        next_try_at=row["next_try_at"],
        reason=row["reason"],
        message=row["message"],
        since=row["since"],
    )
