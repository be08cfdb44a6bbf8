"""Updates whose contact was read too long ago: read again and planned again before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, CustomerMapping
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import AuditOutcome, Operation, Reason
from siaghsync.errors import CallError
from siaghsync.messages.message import msg
from siaghsync.sync.context import RunContext
from siaghsync.sync.customers import ContactReader, Pair, step_for
from siaghsync.sync.outcomes import OutcomeRecorder
from siaghsync.sync.plan import CustomerPlan

STALE_AFTER = 40.0
"""Seconds after which a contact is read again. A chunk is written soon after, so that less than a minute lies between
reading and writing (Order, behaviour of `sync`)."""
_STALE = "stale updates"


@dataclass(frozen=True, slots=True)
class FreshUpdates:
    """The planned updates of one run, each with a contact that was read just now."""

    context: RunContext
    outcomes: OutcomeRecorder
    plan: CustomerPlan

    def fresh(self) -> Iterator[Action]:
        """The updates whose contact was read recently; the others are kept for `read_again`."""
        for operation in (Operation.LINK, Operation.UPDATE):
            for planned in self.plan.updates(operation):
                if self.context.monotonic() - planned.read_at < STALE_AFTER:
                    yield planned.action
                else:
                    action = planned.action
                    entry = [action.record, str(action.operation), action.reason, digest(dict(action.payload))]
                    self.context.staging.put(_STALE, entry)

    def stale_count(self) -> int:
        """How many updates `fresh` has kept back."""
        return self.context.staging.sheet_count(_STALE)

    def read_again(self) -> Iterator[list[Action]]:
        """The rest in chunks, each read and planned again when it is asked for.

        What turns out to be something else than an update is recorded here.
        """
        entries = self.context.staging.sheet(_STALE)
        reader = ContactReader(self.context)
        width = self.context.limits.concurrency * 8
        with ThreadPoolExecutor(self.context.limits.concurrency) as pool:
            while chunk := list(islice(entries, width)):
                self.context.stop_if_cancelled()
                pairs = [self._pair(crm_id) for crm_id, *_ in chunk]
                read = reader.read(pool, pairs)
                yield [
                    action
                    for (_, operation, reason, planned), (pair, contact) in zip(chunk, read, strict=True)
                    if (action := self._planned_again(pair, contact, Operation(operation), reason, planned))
                ]

    def _pair(self, crm_id: str) -> Pair:
        customer, mapping = self.context.staging.customer(crm_id), self.context.mappings.of_crm(crm_id)
        assert customer is not None
        assert mapping is not None
        return customer, mapping

    def _planned_again(
        self, pair: Pair, contact: Contact | CallError | None, operation: Operation, reason: str | None, planned: str
    ) -> Action | None:
        customer, mapping = pair
        step = step_for(self.context, customer, mapping, contact)
        if isinstance(step, CustomerMapping):
            self._in_step(step, operation, reason)
        elif not isinstance(step, Action):
            self.outcomes.failed(*step)
        elif step.operation is Operation.CREATE:  # its contact is lost, and a person wants it made anew
            return step
        elif step.operation is not Operation.UPDATE:
            self.outcomes.reviewed(step)
        elif self.plan.mode.follows_plan and digest(dict(step.payload)) != planned:
            self._refuse(step)
        else:
            return replace(step, operation=operation, reason=reason)
        return None

    def _in_step(self, pair: CustomerMapping, operation: Operation, reason: str | None) -> None:
        self.outcomes.in_step(pair)
        if operation is Operation.LINK:
            link = Action(
                operation, "customer", "finance", pair.crm_id, pair.kind, pair.customer_number, pair.crm_id,
                pair.finance_code, reason=reason,
            )  # fmt: skip
            self.outcomes.report.tell(link)
        else:
            self.outcomes.report.tell_unchanged("customer")

    def _refuse(self, action: Action) -> None:
        """What somebody has read and approved was another change."""
        refused = replace(
            action,
            operation=Operation.SKIP,
            reason=Reason.CHANGED_SINCE_PLAN,
            message=msg("reason.changed_since_plan"),
            changes={},
            payload={},
        )
        self.context.run.note(refused, AuditOutcome.REFUSED)
        self.outcomes.report.tell(refused)
        self.outcomes.report.refusals += 1
