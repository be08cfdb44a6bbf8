"""The way back of one run: read how things stand, plan, ask, carry it out.

Everything rests on what both systems show now, so it can be killed anywhere and run again: what is done already needs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from siaghsync.connectors.payamgostar.customers import created_of, crm_id_of, customer_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, Kind
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.domain.undo import Done
from siaghsync.errors import BadRecord, CallError, InDoubt, Refused
from siaghsync.messages.message import msg
from siaghsync.planning.undo import Now, plan_undo, posted
from siaghsync.state import runs, undo
from siaghsync.state.audit import AuditLine
from siaghsync.state.meta import COMPLETED
from siaghsync.sync.contacts import read_contact, read_contacts
from siaghsync.sync.context import RunContext, RunReport
from siaghsync.sync.customers import STALE_AFTER
from siaghsync.sync.document_outcomes import DocumentOutcomes, source_of
from siaghsync.sync.executor import Executor
from siaghsync.sync.lists import customer_sources
from siaghsync.sync.matching import Matcher
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.recovery import Recovery
from siaghsync.sync.undo_outcomes import UndoOutcomes

IMPORT = "initial-import"
_MANY = 100
"""From so many records on, whole lists are cheaper than a look at each."""
_SENT = (Operation.RESTORE, Operation.DELETE)
Record = tuple[Customer, str | None]
Confirm = Callable[[Mapping[str, int]], bool]
"""Asked with the number of steps by operation, and of what is `left`."""


@dataclass(slots=True)
class Undo:
    """The undo of one run."""

    context: RunContext
    report: RunReport
    of_run: runs.RunRecord
    outcomes: UndoOutcomes = field(init=False)
    recovery: Recovery = field(init=False)
    lines: list[AuditLine] = field(default_factory=list)

    def __post_init__(self) -> None:
        context, report = self.context, self.report
        self.outcomes = UndoOutcomes(context.run, report, context.limits.max_attempts)
        documents = DocumentOutcomes(context.run, report)
        self.recovery = Recovery(context, self.outcomes, documents, Matcher.of(context))

    def run(self, confirm: Confirm, *, only_told: bool) -> bool:
        """Plans, asks, carries out. Returns whether a person said yes. With `only_told` nothing is written.

        Raises CallError, Interrupted and LockHeld as a sync does.
        """
        if not only_told:
            self._settle_doubts()
        self.lines = undo.lines_of(self.context.state, self.of_run.id)
        customers = undo.customers_of(self.lines)
        plans = self._plan(customers)
        read_at = self.context.monotonic()
        planned = [action for each in plans for action in each]
        counts = {str(op): sum(a.operation is op for a in planned) for op in Operation}
        if only_told:
            self._tell(planned)
            return True
        if not confirm(counts):
            return False
        self._import_is_not_done(any_step=any(a.operation is not Operation.SKIP for a in planned))
        self._carry_out(customers, plans, read_at)
        self.context.stop_if_cancelled()
        return True

    def _settle_doubts(self) -> None:
        """What earlier runs, this one among them, were killed in."""
        context = self.context
        self.recovery.adopt()
        if due := self.recovery.due_creates("crm"):
            read_contacts(context.finance, context.staging, context.cancel, context.progress)
            self.recovery.look_up_customers(due)
            self.report.forget_failures()  # the plan tells of what is still in doubt

    def _tell(self, planned: Sequence[Action]) -> None:
        for action in planned:
            if action.operation is Operation.SKIP:
                self.outcomes.left(action)
            else:
                self.report.tell(action, planned=True)
        self._tell_posted()

    def _tell_posted(self) -> None:
        for line in self.lines:
            if line.entity == "invoice" and line.operation == Operation.CREATE:
                self.outcomes.left(posted(line.name, line.crm_id, line.finance_code, source_of(line.kind or "")))

    def _import_is_not_done(self, *, any_step: bool) -> None:
        state = self.context.state
        if self.of_run.command == IMPORT and (any_step or not runs.any_after(state, self.of_run)):
            state.set_meta(COMPLETED, None)

    # --- planning ---

    def _plan(self, customers: Sequence[Done]) -> list[list[Action]]:
        """The steps for each customer, in order."""
        nows = self._look(customers)
        site = self.context.rules.site
        return [list(plan_undo(done, now, site)) for done, now in zip(customers, nows, strict=True)]

    def _look(self, customers: Sequence[Done]) -> list[Now]:
        context = self.context
        ids = {done.crm_id: done.kind for done in customers if done.crm_id and (done.created or done.changes)}
        codes = [done.finance_code for done in customers if done.changes and done.finance_code is not None]
        records, contacts = self._records(ids), self._contacts(codes)
        nows = []
        for done in customers:
            record, link = records.get(done.crm_id or ""), context.mappings.link_of(done.crm_id or "")
            nows.append(
                Now(
                    context.mappings.of_crm(done.crm_id or ""),
                    record[0] if isinstance(record, tuple) else record,
                    contacts.get(done.finance_code or 0),
                    record[1] if isinstance(record, tuple) else None,
                    link.linked_at if link else None,
                    bool(context.posted.of_customer(done.crm_id or "")),
                )
            )
        return nows

    def _records(self, ids: Mapping[str, Kind]) -> dict[str, Record | CallError | None]:
        context = self.context
        found: dict[str, Record | CallError | None] = {}
        if len(ids) > _MANY:
            reader = CrmReader.of(context)
            for source, kind in customer_sources(context.crm):
                reader.read(source, partial(self._take_page, kind, ids, found), everything=True)
        missing = [crm_id for crm_id in ids if crm_id not in found]
        with ThreadPoolExecutor(context.limits.concurrency) as pool:
            return found | dict(zip(missing, pool.map(lambda i: self._one(ids[i], i), missing), strict=True))

    def _take_page(
        self, kind: Kind, ids: Mapping[str, Kind], found: dict[str, Any], records: Sequence[Mapping[str, Any]]
    ) -> list[str]:
        for raw in records:
            if (crm_id := crm_id_of(raw) or "") in ids:
                found[crm_id] = self._understood(kind, raw)
        return [digest(crm_id_of(raw)) for raw in records]

    def _one(self, kind: Kind, crm_id: str) -> Record | CallError | None:
        try:
            raw = self.context.by_id.get(kind, crm_id)
        except (InDoubt, Refused) as error:
            return error
        return None if raw is None else self._understood(kind, raw)

    def _understood(self, kind: Kind, raw: Mapping[str, Any]) -> Record | CallError:
        try:
            return customer_from_crm(raw, kind, self.context.rules.site), created_of(raw)
        except BadRecord as error:
            return InDoubt("crm", f"show_{kind}", "unreadable", problem=error.message)

    def _contacts(self, codes: Sequence[int]) -> dict[int, Contact | CallError | None]:
        context = self.context
        if len(codes) > _MANY:
            read_contacts(context.finance, context.staging, context.cancel, context.progress)
            return {code: context.staging.contact(code) for code in codes}
        with ThreadPoolExecutor(context.limits.concurrency) as pool:
            return dict(zip(codes, pool.map(partial(read_contact, context.finance), codes), strict=True))

    # --- doing ---

    def _carry_out(self, customers: Sequence[Done], plans: Sequence[list[Action]], read_at: float) -> None:
        unlinks: list[Action] = []
        executor = Executor(self.context, self.outcomes, self.recovery.documents)
        total = sum(action.operation in _SENT for actions in plans for action in actions)
        refused = executor.carry_out(self._fresh(customers, plans, read_at, unlinks), total, "undoing").refused
        for refusal in refused:
            self.outcomes.failed(refusal.action, Reason.PHONE_TAKEN, msg("reason.phone_taken_undo"))
        self.outcomes.many(unlinks, self.outcomes.done)
        self._tell_posted()

    def _fresh(
        self, customers: Sequence[Done], plans: Sequence[list[Action]], read_at: float, unlinks: list[Action]
    ) -> Iterator[Action]:
        """What is to be sent. What was read too long ago is read and planned again first."""
        width = self.context.limits.concurrency * 8
        for start in range(0, len(customers), width):
            chunk = plans[start : start + width]
            if self.context.monotonic() - read_at > STALE_AFTER:
                chunk = self._plan(customers[start : start + width])
            actions = [action for each in chunk for action in each]
            self._mark(actions)
            for action in actions:
                if action.operation in _SENT:
                    yield action
                elif action.operation is Operation.UNLINK:
                    unlinks.append(action)
                else:
                    self.outcomes.left(action)

    def _mark(self, actions: Sequence[Action]) -> None:
        """Before a value goes back: a sync that comes between does not send it again."""
        with self.context.state.atomic():
            for action in actions:
                if action.operation is Operation.RESTORE and action.crm_id and action.checksum:
                    undo.mark(self.context.state, action.crm_id, action.checksum, action.changes)
