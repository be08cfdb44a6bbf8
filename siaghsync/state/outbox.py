"""The life of an intent: a write that is about to leave, and what is known of it.

    open ──> confirmed     the system said yes
      │ ───> rejected      the system said no; nothing was done
      │ ───> not_sent      it surely never left
      └────> unknown ──> confirmed   a look-up found what it made
                   └───> expired     two look-ups, the second after the grace time, found nothing

No create leaves without a committed intent, and no intent changes without a row. An intent of an earlier run that is
still open was cut off by the death of that run: nobody knows whether its request left, so it is unknown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from siaghsync.clock import Reading
from siaghsync.domain.action import Action
from siaghsync.domain.reasons import IntentState
from siaghsync.errors import System
from siaghsync.messages.message import Message, msg
from siaghsync.state.audit import Run
from siaghsync.state.columns import Record, encode, message_of, message_pair
from siaghsync.state.database import State

CUT_OFF = msg("state.run_ended")
"""The message of an intent whose run ended before an answer came."""

UNSETTLED = "state IN ('open', 'unknown')"
"""The condition for intents that may have arrived. In these words SQLite uses the partial index instead of reading every intent
there ever was."""
CREATE_IN_DOUBT = f"entity = 'customer' AND operation = 'create' AND {UNSETTLED}"
"""The condition for creates of customers that may have arrived; each counts as a record that waits."""
NOT_IN_DOUBT = f"(entity, target, record) NOT IN (SELECT entity, target, record FROM intents WHERE {CREATE_IN_DOUBT})"
"""The condition for retries that count as well: a record whose create is in doubt waits once."""


@dataclass(frozen=True, slots=True)
class Intent:
    """An unsettled or expired write.

    `missed_at` is when a look-up first did not find it (None: none has looked yet), `missed` what all clocks showed then (None
    also if an earlier version did not write that down).
    """

    id: int
    action: Action
    message: Message | None
    missed_at: str | None
    opened_at: str
    missed: Reading | None = None

    @property
    def record(self) -> str:
        """The source record that it is for."""
        return self.action.record


def open_intent(run: Run, action: Action) -> int:
    """Writes down that `action` is about to be sent. Belongs inside `State.atomic`, which must end before it is sent.

    Raises LockHeld if the lock is lost; nothing more may be sent then.
    """
    run.state.advance()
    return run.state.execute(
        "INSERT INTO intents (run_id, entity, operation, target, record, customer_number, finance_code, plan, opened_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.id, action.entity, action.operation, action.target, action.record, action.customer_number,
            action.finance_code, encode(action.as_json()), run.at(),
        ),
    )  # fmt: skip


def close_intent(run: Run, intent_id: int, state: IntentState, message: Message | None = None) -> None:
    """Moves an intent on. Belongs into the same transaction as everything else that its outcome changes.

    The plan of a customer's intent that needs no look-up any more goes: the audit trail has what matters of it, and the plans
    of a hundred thousand customers would be two thirds of the file.
    """
    settled_at = None if state == IntentState.UNKNOWN else run.at()
    run.state.execute(
        "UPDATE intents SET state = ?1, message_code = ?2, message_params = ?3, settled_at = ?4, "
        "plan = CASE WHEN entity = 'customer' AND ?1 IN ('confirmed', 'rejected', 'not_sent') THEN '{}' ELSE plan END "
        "WHERE id = ?5",
        (state, *message_pair(message), settled_at, intent_id),
    )


def mark_missed(run: Run, intent_id: int, clocks: Reading) -> None:
    """Records that a look-up did not find what the intent may have made; its grace time begins."""
    run.state.db.table("intents").update(intent_id, {"missed_at": run.at(), "missed_clocks": clocks.as_text()})


def adopt_orphans(run: Run) -> list[Intent]:
    """Marks what earlier runs left open as unknown, and returns it. Belongs inside `State.atomic`.

    The lock is held, which belongs to the file and outlives its lock file, so no earlier run can still be at work on them.
    """
    sql = f"SELECT * FROM intents WHERE {UNSETTLED} AND state = 'open' AND run_id <> ? ORDER BY id"
    orphans = run.state.rows(sql, (run.id,))
    for row in orphans:
        close_intent(run, row["id"], IntentState.UNKNOWN, CUT_OFF)
    return [intent_of(row) for row in orphans]


def unknown_intents(state: State, target: System, entity: str = "customer") -> list[Intent]:
    """What was sent to `target` and may or may not have arrived, oldest first."""
    sql = f"SELECT * FROM intents WHERE {UNSETTLED} AND state = 'unknown' AND entity = ? AND target = ? ORDER BY id"
    return [intent_of(row) for row in state.rows(sql, (entity, target))]


def creates_in_doubt(state: State) -> list[Intent]:
    """The creates of customers in either system that may or may not have arrived, oldest first."""
    return [intent_of(row) for row in state.rows(f"SELECT * FROM intents WHERE {CREATE_IN_DOUBT} ORDER BY id")]


def unsettled_of(state: State, action: Action) -> list[Intent]:
    """The open or unknown writes for the record of `action` to its target: one at most, by the table's own rule."""
    sql = f"SELECT * FROM intents WHERE entity = ? AND target = ? AND record = ? AND {UNSETTLED}"
    return [intent_of(row) for row in state.rows(sql, action.key)]


def was_opened(state: State, action: Action, since: str) -> bool:
    """Whether a write for the record of `action` to its target began at that moment (a stored text) or later."""
    sql = "SELECT 1 FROM intents WHERE entity = ? AND target = ? AND record = ? AND opened_at >= ? LIMIT 1"
    return state.row(sql, (*action.key, since)) is not None


def take_back(state: State, action: Action, since: str) -> None:
    """What a decision of that moment (a stored text) settled about the record of `action` is in doubt again. Belongs inside
    `State.atomic`."""
    state.execute(
        "UPDATE intents SET state = 'unknown', settled_at = NULL WHERE entity = ? AND target = ? AND record = ? "
        "AND settled_at >= ? AND message_code = 'sync.a_person_decided'",
        (*action.key, since),
    )


def expirations(state: State, action: Action) -> int:
    """How often a create for this record was sent, looked for, and not found."""
    sql = "SELECT count(*) FROM intents WHERE entity = ? AND target = ? AND record = ? AND state = 'expired'"
    return int(state.value(sql, action.key))


def expired_creates(state: State) -> list[Intent]:
    """The creates of contacts that were given up for lost, oldest first."""
    sql = (
        "SELECT * FROM intents WHERE state = 'expired' AND operation = 'create' AND target = 'finance' "
        "AND entity = 'customer' ORDER BY id"
    )
    return [intent_of(row) for row in state.rows(sql)]


def intent_of(row: Record) -> Intent:
    """A row of the table `intents` that still has its plan."""
    action = Action.from_json(json.loads(row["plan"]))
    missed = Reading.from_text(row["missed_clocks"]) if row["missed_clocks"] else None
    return Intent(row["id"], action, message_of(row), row["missed_at"], row["opened_at"], missed)
