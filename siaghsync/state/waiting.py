"""The records that wait for another try, and those that are skipped on purpose, one by one: for `waiting` and the dashboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from siaghsync.domain.action import Entity
from siaghsync.domain.reasons import Reason
from siaghsync.messages.message import Message, msg
from siaghsync.state.database import State
from siaghsync.state.outbox import Intent, creates_in_doubt
from siaghsync.state.retries import Retry, Skip, retry_of, skip_of


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
    retries = [_of_retry(retry_of(row)) for row in state.db.table("retries").rows]
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
