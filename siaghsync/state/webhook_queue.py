"""What the CRM's webhooks told: stored at once, one row a record, and taken up by whichever run comes next.

A call carries no data (contract payamgostar §5). So all that is kept is which record to look at again; the run that
takes it up makes it due like a record that waits, in one transaction. A call that comes while a run goes on stays for
the next run, since that one may have read the record before it changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from siaghsync.domain.action import Entity, RecordKind
from siaghsync.domain.reasons import Reason
from siaghsync.messages.message import msg
from siaghsync.state.audit import Run, stamp
from siaghsync.state.columns import message_pair
from siaghsync.state.database import State

_TAKE_UP = """
    INSERT INTO retries (entity, target, record, kind, customer_number, name, attempts, failed, next_try_at, reason,
        message_code, message_params, since)
    SELECT entity, 'finance', record, kind, '', '', 0, 0, :at, :reason, :code, :params, :at FROM webhook_events
    ORDER BY received_at, entity, record LIMIT :most
    ON CONFLICT (entity, target, record) DO UPDATE SET next_try_at = excluded.next_try_at, depends_on = NULL
"""
_TAKEN = (
    "DELETE FROM webhook_events WHERE (entity, record) IN (SELECT entity, record FROM retries WHERE next_try_at = ?)"
)
MOST_AT_ONCE = 200
"""One run takes up so many, so that it never holds the lock for long; the others are left to the next one."""
_REST = timedelta(hours=1)
"""An id that the CRM does not have is asked for again no sooner."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the CRM: what happened (`insert`, `update`, `delete`) to which record. `record` is a CRM id."""

    kind: RecordKind
    record: str
    event: str

    @property
    def entity(self) -> Entity:
        """What the record is to us."""
        return "customer" if self.kind in ("person", "organization") else "invoice"


def keep(state: State, calls: Sequence[Call], at: str, most: int) -> bool:
    """Stores calls, durably when this returns; a record that is there already is counted up.

    `at` is a stored time. Returns False, and stores nothing, if more than `most` records would wait then.
    """
    fresh = {(call.entity, call.record) for call in calls}
    with state.atomic():
        if count(state) + len(fresh) > most:
            return False
        state.execute_many(
            "INSERT INTO webhook_events VALUES (?, ?, ?, ?, 1, ?) ON CONFLICT (entity, record) DO UPDATE SET "
            "kind = excluded.kind, event = excluded.event, calls = calls + 1, received_at = excluded.received_at",
            [(call.entity, call.record, call.kind, call.event, at) for call in calls],
        )
    return True


def take_up(run: Run, switched_off: Sequence[RecordKind] = (), *, everything: bool = False) -> None:
    """Makes the records that were told of due in this run, MOST_AT_ONCE or `everything`. One that rests after a failure is tried
    sooner.

    What was told of kinds that are `switched_off` by now is dropped: no run would ever come to it, and once they are
    switched on again, their own dates bring them back.
    """
    events, retries = run.state.db.table("webhook_events"), run.state.db.table("retries")
    code, params = message_pair(msg("state.webhook_call"))
    at, hour_ago = stamp(run.now()), stamp(run.now() - _REST)
    with run.state.atomic():
        for kind in switched_off:
            events.delete_where("kind = ?", [kind])
            retries.delete_where("kind = ? AND reason = ? AND attempts = 0", [kind, Reason.WEBHOOK])
        run.state.execute("DELETE FROM webhooks_in_vain WHERE asked_at NOT BETWEEN ? AND ?", (hour_ago, at))
        events.delete_where("record IN (SELECT record FROM webhooks_in_vain)")
        names = {
            "at": at,
            "reason": Reason.WEBHOOK,
            "code": code,
            "params": params,
            "most": -1 if everything else MOST_AT_ONCE,
        }
        run.state.execute(_TAKE_UP, names)
        run.state.execute(_TAKEN, (at,))


def in_vain(run: Run, record: str) -> None:
    """The CRM does not have a record that was told of: for an hour, calls about it are dropped. Belongs inside `State.atomic`."""
    run.state.execute("INSERT OR REPLACE INTO webhooks_in_vain VALUES (?, ?)", (record, stamp(run.now())))


def count(state: State) -> int:
    """How many records were told of and have not been taken up by a run yet."""
    return state.db.table("webhook_events").count


def customers(state: State) -> int:
    """How many customers were told of and not looked at yet."""
    taken_up = state.db.table("retries").count_where(
        "entity = 'customer' AND reason = ? AND attempts = 0", [Reason.WEBHOOK]
    )
    return state.db.table("webhook_events").count_where("entity = 'customer'") + taken_up


def left_behind(state: State) -> int:
    """How many were taken up by a run that ended before it came to them."""
    return state.db.table("retries").count_where("reason = ? AND attempts = 0", [Reason.WEBHOOK])
