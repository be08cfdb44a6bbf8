"""Records that wait for another try, and records that are skipped on purpose, as a whole and one by one. A skip is not a
failure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from siaghsync.domain.action import Action, Entity, RecordKind
from siaghsync.domain.reasons import LINK_IN_DOUBT, Reason
from siaghsync.errors import System
from siaghsync.messages.message import Message, msg, verbatim
from siaghsync.state.audit import Run, stamp
from siaghsync.state.columns import Record, message_columns, message_of
from siaghsync.state.database import State
from siaghsync.state.outbox import NOT_IN_DOUBT, Intent, creates_in_doubt

LONGEST_PAUSE = timedelta(hours=6)
"""No record rests longer between two tries."""
_KEY = "entity = ? AND target = ? AND record = ?"


@dataclass(frozen=True, slots=True)
class Retry:
    """A record that waits: how often it was tried, when next, and why it failed. Times are stored UTC texts.

    `depends_on` is the CRM id of the customer or quote that has to be settled first, or None.
    """

    entity: Entity
    target: System
    record: str
    kind: RecordKind
    customer_number: str
    name: str
    attempts: int
    failed: bool
    next_try_at: str
    reason: str
    message: Message
    since: str
    depends_on: str | None


@dataclass(frozen=True, slots=True)
class Skip:
    """A record that is skipped on purpose, why, and since when (a stored text)."""

    entity: Entity
    target: System
    record: str
    kind: str
    customer_number: str
    name: str
    reason: str
    since: str


def backoff(attempts: int) -> timedelta:
    """How long a record rests after so many failed runs: none after the first, then 2 s, 8 s, 32 s, and so on up to six hours.

    Under cron the first few tries simply are the next runs; what keeps failing is tried less and less often.
    """
    return (
        timedelta(seconds=min(2 * 4 ** (attempts - 2), LONGEST_PAUSE.total_seconds())) if attempts > 1 else timedelta(0)
    )


def schedule_retry(
    run: Run, action: Action, reason: str, message: Message, *, failed: bool = True, depends_on: str | None = None
) -> int:
    """Stores a record as waiting, with one more try behind it if it `failed`. Returns the number of tries.

    With `depends_on` it waits until that CRM customer is linked, or until `free` is called for its reason. Belongs inside
    `State.atomic`.
    """
    known = find(run.state, action.entity, action.target, action.record)
    release(run.state, action)
    attempts = (known.attempts if known else 0) + int(failed)
    run.state.db.table("retries").insert(
        {
            "entity": action.entity,
            "target": action.target,
            "record": action.record,
            "kind": action.kind,
            "customer_number": action.customer_number,
            "name": action.name or (known.name if known else ""),
            "attempts": attempts,
            "failed": failed,
            "next_try_at": stamp(run.now() + backoff(attempts)),
            "reason": reason,
            **message_columns(message),
            "since": known.since if known else run.at(),
            "depends_on": depends_on,
        }
    )
    return attempts


def any_for(state: State, reason: str) -> bool:
    """Whether anything waits for this reason that `free` would let go."""
    return bool(state.value("SELECT 1 FROM retries WHERE reason = ? AND depends_on IS NOT NULL", (reason,)))


def too_far_ahead(state: State, now: datetime) -> int:
    """How many records have their next try later than any can be."""
    return state.db.table("retries").count_where("next_try_at > ?", [stamp(now + LONGEST_PAUSE)])


def customers_waited_for(state: State, reason: str) -> int:
    """How many customers documents wait for, for this reason."""
    sql = "SELECT count(DISTINCT depends_on) FROM retries WHERE entity = 'invoice' AND reason = ?"
    return int(state.value(sql, (reason,)))


def free(state: State, reason: str) -> None:
    """Lets all that wait for this reason be tried in the next run. Belongs inside `State.atomic`."""
    state.execute("UPDATE retries SET depends_on = NULL WHERE reason = ?", (reason,))


def release(state: State, action: Action) -> None:
    """The record waits no longer and is not skipped any more. Belongs inside `State.atomic`."""
    state.execute(f"DELETE FROM retries WHERE {_KEY}", action.key)
    state.execute(f"DELETE FROM skips WHERE {_KEY}", action.key)


def find(state: State, entity: Entity, target: System, record: str) -> Retry | None:
    """The waiting entry of a record, or None."""
    row = state.row(f"SELECT * FROM retries WHERE {_KEY}", (entity, target, record))
    return retry_of(row) if row else None


def find_skip(state: State, entity: Entity, target: System, record: str) -> Skip | None:
    """Why a record is skipped, or None."""
    row = state.row(f"SELECT * FROM skips WHERE {_KEY}", (entity, target, record))
    return skip_of(row) if row else None


def due(state: State, entity: Entity, target: System, now: datetime) -> list[Retry]:
    """The records whose next try has come and whose customer, if they depend on one, is linked without a doubt; the oldest first.

    A next try further ahead than the longest pause was set by a clock that was wrong: it counts as come. Those that were passed
    over for the sake of a customer that is linked by now come last.
    """
    reasons = ", ".join(f"'{reason}'" for reason in sorted(LINK_IN_DOUBT))
    linked = (
        "IN (SELECT crm_id FROM customer_mappings WHERE NOT EXISTS (SELECT 1 FROM reviews WHERE entity = 'customer' "
        f"AND target = 'finance' AND record = customer_mappings.crm_id AND resolution IS NULL AND reason IN ({reasons})))"
    )
    sql = (
        "SELECT * FROM retries WHERE entity = ? AND target = ? AND (next_try_at <= ? OR next_try_at > ?) "
        f"AND (depends_on IS NULL OR depends_on {linked}) ORDER BY since, record"
    )
    waiting = [retry_of(row) for row in state.rows(sql, (entity, target, stamp(now), stamp(now + LONGEST_PAUSE)))]
    sql = f"SELECT * FROM skips WHERE entity = ? AND target = ? AND depends_on {linked} ORDER BY since, record"
    return [*waiting, *(_due_again(row) for row in state.rows(sql, (entity, target)))]


def _due_again(row: Record) -> Retry:
    known = {name: row[name] for name in ("entity", "target", "record", "kind", "customer_number", "name", "reason")}
    since, message = row["since"], verbatim("")
    return Retry(**known, since=since, next_try_at=since, message=message, attempts=0, failed=False, depends_on=None)


def note_skip(run: Run, action: Action) -> bool:
    """Remembers why a record is skipped. Returns whether that is news. Belongs inside `State.atomic`.

    With `depends_on` in the action's details it is due again once that CRM customer is linked.
    """
    depends_on = action.details.get("depends_on")
    known = run.state.row(f"SELECT reason, customer_number, since FROM skips WHERE {_KEY}", action.key)
    is_news = known is None or tuple(known)[:2] != (action.reason, action.customer_number)
    release(run.state, action)
    since = known["since"] if known and not is_news else run.at()
    run.state.execute(  # plain SQL: a first sync can skip every customer without a number
        "INSERT INTO skips VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*action.key, action.kind, action.customer_number, action.name, action.reason, since, depends_on),
    )
    return is_news


def retry_of(row: Record) -> Retry:
    """A row of the table `retries` as an entry."""
    return Retry(
        entity=row["entity"],
        target=row["target"],
        record=row["record"],
        kind=row["kind"],
        customer_number=row["customer_number"],
        name=row["name"],
        attempts=row["attempts"],
        failed=bool(row["failed"]),
        next_try_at=row["next_try_at"],
        reason=row["reason"],
        message=message_of(row) or verbatim(""),
        since=row["since"],
        depends_on=row["depends_on"],
    )


def skip_of(row: Record) -> Skip:
    """A row of the table `skips` as an entry."""
    return Skip(**{name: row[name] for name in Skip.__slots__})


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """One record of the list. `customer_number` of a document is its customer's, `name` its own number.

    `attempts` are those that failed. `next_try_at` is None where no time decides: what is skipped is looked at again when it
    changes, what may have arrived is looked for in each run. Times are stored UTC texts.
    """

    entity: Entity
    crm_id: str | None
    customer_number: str | None
    name: str
    reason: str
    message: Message
    since: str
    attempts: int = 0
    next_try_at: str | None = None

    def as_item(self) -> dict[str, Any]:
        """The record as in the JSON of `waiting`; the message is still a `Message`."""
        return {name: getattr(self, name) for name in self.__slots__}


def waiting(state: State) -> list[WaitingRecord]:
    """All that `status` counts as pending, the longest first."""
    retries = [_of_retry(retry_of(row)) for row in state.db.table("retries").rows_where(NOT_IN_DOUBT)]
    doubts = [_of_doubt(intent) for intent in creates_in_doubt(state)]
    return sorted(retries + doubts, key=lambda record: record.since)


def skipped(state: State) -> list[WaitingRecord]:
    """All that is skipped on purpose, the longest first."""
    skips = map(skip_of, state.rows("SELECT * FROM skips ORDER BY since, customer_number"))
    return [_of_skip(skip) for skip in skips]


def _of_retry(retry: Retry) -> WaitingRecord:
    return WaitingRecord(
        retry.entity,
        _crm_id(retry),
        retry.customer_number or None,
        retry.name,
        retry.reason,
        retry.message,
        retry.since,
        retry.attempts,
        retry.next_try_at,
    )


def _of_skip(skip: Skip) -> WaitingRecord:
    message = msg("cli.skipped", reason=skip.reason)
    number = skip.customer_number or None
    return WaitingRecord(skip.entity, _crm_id(skip), number, skip.name, skip.reason, message, skip.since)


def _of_doubt(intent: Intent) -> WaitingRecord:
    action = intent.action
    message = intent.message or msg("state.run_ended")
    number = action.customer_number or None
    reason = str(Reason.UNKNOWN_OUTCOME)
    return WaitingRecord(
        action.entity, action.crm_id, number, action.name, reason, message, intent.opened_at, attempts=1
    )


def _crm_id(record: Retry | Skip) -> str | None:
    # What the import writes to the CRM is known by its finance code until then.
    return record.record if record.target == "finance" else None
