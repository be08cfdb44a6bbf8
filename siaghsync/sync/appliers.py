"""What happens to a plan: `Live` carries it out, `DryRun` only tells it. Nothing below them knows which one is at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from siaghsync.connectors.payamgostar.dates import as_crm_date
from siaghsync.domain.action import Action
from siaghsync.domain.customer import CustomerMapping
from siaghsync.domain.document import Document
from siaghsync.domain.reasons import AuditOutcome, Operation, Reason
from siaghsync.errors import Interrupted
from siaghsync.messages.message import Message, msg
from siaghsync.planning.documents import Wait
from siaghsync.planning.phones import Refusal
from siaghsync.state import facts, retries, rolling_check, webhook_queue
from siaghsync.state.meta import take_into_use
from siaghsync.state.retries import Retry
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import RunContext, RunReport
from siaghsync.sync.customers import FreshUpdates
from siaghsync.sync.document_outcomes import DocumentOutcomes, subject_of
from siaghsync.sync.documents import Assumptions, DocumentPlanner, waits_for
from siaghsync.sync.executor import Executor
from siaghsync.sync.matching import Matcher
from siaghsync.sync.outcomes import OutcomeRecorder
from siaghsync.sync.plan import CustomerPlan
from siaghsync.sync.reading import ChangeReader
from siaghsync.sync.recovery import Recovery, report_doubles
from siaghsync.sync.taken_phones import TakenPhones
from siaghsync.sync.what_was_read import OlderRecord

_NO_FUTURE = timedelta(seconds=1)
"""A header `Date` has whole seconds, records have thousandths."""
Decision = tuple[Document, Action | Wait | None]


class Applier(Protocol):
    """The moments of a sync at which something happens."""

    @property
    def assumptions(self) -> Assumptions:
        """What counts as done for the planning of documents although it is not."""

    def begin(self, reader: ChangeReader, planner: DocumentPlanner) -> None:
        """Before anything is read: what webhooks and earlier runs left."""

    def read_waiting_documents(self, reader: ChangeReader) -> None:
        """Documents that wait for another try, or for a customer that is linked by now."""

    def was_read(self, reader: ChangeReader, planner: DocumentPlanner) -> None:
        """Everything about customers was read and planned, and nothing is written yet."""

    def customers(self, plan: CustomerPlan) -> None:
        """The whole plan about customers."""

    def documents(self, decided: list[Decision]) -> None:
        """What was decided about one round of documents."""

    def aside(self, action: Action) -> None:
        """A document for which nothing is sent: a link, a skip or a review."""

    def failed(self, action: Action, reason: str, message: Message) -> None:
        """A record that can't be dealt with now."""

    def gone(self, entry: Retry) -> None:
        """A waiting record that the CRM does not have any more."""

    def end(self, reader: ChangeReader, *, keep_cursors: bool) -> None:
        """After everything else: duplicates and cursors."""


@dataclass(frozen=True, slots=True)
class DryRun:
    """Tells what would be done."""

    report: RunReport
    assumptions: Assumptions = field(default_factory=Assumptions)

    def begin(self, reader: ChangeReader, planner: DocumentPlanner) -> None:
        """What waits or is in doubt is left to the next real run."""

    def read_waiting_documents(self, reader: ChangeReader) -> None:
        """As `begin`."""

    def was_read(self, reader: ChangeReader, planner: DocumentPlanner) -> None:
        """Nothing is to be remembered."""

    def customers(self, plan: CustomerPlan) -> None:
        """Tells the whole plan."""
        for operation in (Operation.LINK, Operation.CREATE, Operation.SKIP, Operation.REVIEW, Operation.UPDATE):
            for action in plan.actions(operation):
                self.report.tell(action, planned=True)
        for failure in plan.failures():
            self.report.tell_failure(*failure)
        self.report.tell_unchanged("customer", plan.in_step_count())
        self.assumptions.linked.update(plan.linked_to_be)

    def documents(self, decided: list[Decision]) -> None:
        """Tells one round; what would be posted counts as posted for the next one."""
        for document, decision in decided:
            if decision is None:
                self.report.tell_unchanged("invoice")
            elif isinstance(decision, Wait):
                subject = subject_of(document.crm_id, document.source, document.name)
                self.report.tell_failure(subject, decision.reason, decision.message)
            else:
                self.report.tell(decision)
                if decision.operation is Operation.CREATE:
                    self.assumptions.posted.add(document.crm_id)

    def aside(self, action: Action) -> None:
        """Tells it."""
        self.report.tell(action)

    def failed(self, action: Action, reason: str, message: Message) -> None:
        """Tells it."""
        self.report.tell_failure(action, reason, message)

    def gone(self, entry: Retry) -> None:
        """The next real run takes it out."""

    def end(self, reader: ChangeReader, *, keep_cursors: bool) -> None:
        """Nothing moves."""


@dataclass(frozen=True, slots=True)
class Live:
    """Carries everything out."""

    context: RunContext
    outcomes: OutcomeRecorder
    document_outcomes: DocumentOutcomes
    executor: Executor
    recovery: Recovery
    assumptions: Assumptions = field(default_factory=Assumptions)

    @staticmethod
    def of(context: RunContext, report: RunReport) -> Live:
        """The applier of a real run."""
        outcomes = OutcomeRecorder.of(context, report)
        documents = DocumentOutcomes(context.run, report)
        executor = Executor(context, outcomes, documents)
        return Live(context, outcomes, documents, executor, Recovery(context, outcomes, documents, Matcher.of(context)))

    def begin(self, reader: ChangeReader, planner: DocumentPlanner) -> None:
        """Takes up what webhooks told of, and what earlier runs left in doubt."""
        webhook_queue.take_up(self.context.run, reader.options.switched_off, everything=reader.options.looks_at_all)
        self._let_go(planner)
        self.recovery.adopt()
        if due := self.recovery.due_creates("finance"):
            reader.read_list()
            self.recovery.look_up_contacts(due)

    def read_waiting_documents(self, reader: ChangeReader) -> None:
        """Reads those whose time has come."""
        reader.read_waiting_documents()

    def was_read(self, reader: ChangeReader, planner: DocumentPlanner) -> None:
        """A copy of a state file that was put back counts as in use from now on. What the contacts say about whom documents
        are booked on is kept."""
        parties, state = reader.reading.parties, self.context.state
        with state.atomic():
            take_into_use(state, as_crm_date(reader.crm.newest_moment()))
            for pair in reader.reading.recognised:
                self.context.mappings.mark_in_sync(pair, self.context.run.at())
            _note_older(self.context, reader.reading.older)
            if reader.reading.clock_moved:
                self.context.cursors.forget_dates()
            if parties.verdict:
                facts.learn(state, facts.of_parties(parties, self.context.run.at()))
            reader.crm.finder.learn(state, self.context.run.at(), self.context.staging.reading_total())
        self._let_go(planner)

    def _let_go(self, planner: DocumentPlanner) -> None:
        """Documents no longer wait for the decision whom they are booked on, once it is made."""
        state, reason = self.context.state, Reason.CUSTOMER_CODE_UNDECIDED
        if retries.any_for(state, reason) and planner.decided_rules().customer:
            with state.atomic():
                retries.free(state, reason)

    def customers(self, plan: CustomerPlan) -> None:
        """What needs no request first, then creates, then updates."""
        self.outcomes.many(plan.actions(Operation.LINK), self._link)
        self.outcomes.many(plan.actions(Operation.SKIP), self.outcomes.skipped)
        self.outcomes.many(plan.actions(Operation.REVIEW), self.outcomes.reviewed)
        self.outcomes.many(plan.failures(), lambda failure: self.outcomes.failed(*failure))
        self.outcomes.many(plan.in_step(), self._in_step)
        refused = [*self._create(plan), *self._update(plan)]
        self.context.stop_if_cancelled()
        if refused:
            TakenPhones(self.context, self.executor, whole=plan.mode.follows_plan).settle(refused)
            self.context.stop_if_cancelled()

    def _link(self, action: Action) -> None:
        # A link that brings an update along is told once that is confirmed.
        self.outcomes.linked(action, tell=not action.payload)

    def _in_step(self, pair: CustomerMapping) -> None:
        self.outcomes.in_step(pair)
        self.outcomes.report.tell_unchanged("customer")

    def _create(self, plan: CustomerPlan) -> list[Refusal]:
        total = plan.counts[Operation.CREATE]
        if not total:
            return []
        unsettled = self.executor.carry_out(plan.actions(Operation.CREATE), total, "creating_contacts")
        if unsettled.in_doubt:
            context = self.context
            read_contacts(context.finance, context.staging, context.cancel, context.progress)
            records = {action.record for action in unsettled.in_doubt}
            due = self.recovery.due_creates("finance")
            self.recovery.look_up_contacts([intent for intent in due if intent.record in records])
        return unsettled.refused

    def _update(self, plan: CustomerPlan) -> list[Refusal]:
        total = plan.update_count()
        if not total:
            return []
        updates = FreshUpdates(self.context, self.outcomes, plan)
        refused = self.executor.carry_out(updates.fresh(), total, "updating_contacts").refused
        done = total - updates.stale_count()
        for chunk in updates.read_again():
            refused += self.executor.carry_out(chunk, total, "updating_contacts", done=done).refused
            done += len(chunk)
        return refused

    def documents(self, decided: list[Decision]) -> None:
        """Carries one round out: what needs no request first."""
        creates: list[Action] = []
        for document, decision in decided:
            subject = subject_of(document.crm_id, document.source, document.name)
            if decision is None:
                self.outcomes.report.tell_unchanged("invoice")
                self.document_outcomes.released(subject)
            elif isinstance(decision, Wait):
                depends_on = waits_for(document, decision)
                self.document_outcomes.waits(subject, decision.reason, decision.message, depends_on)
            elif decision.operation is Operation.CREATE:
                creates.append(decision)
            else:
                self.aside(decision)
        if creates:
            self._post(creates)

    def _post(self, creates: list[Action]) -> None:
        """The first document of each type goes alone: a script error of Siagh would befall all others of its type too."""
        firsts = list({action.payload["type_code"]: action for action in reversed(creates)}.values())
        others = [action for action in creates if action not in firsts]
        for group in (firsts, others):
            stopped = self.document_outcomes.stopped_types()
            for action in group:
                if failed := stopped.get(action.payload["type_code"]):
                    message = msg("reason.type_stopped", type=action.payload["type_code"])
                    self.document_outcomes.waits(action, Reason.TYPE_STOPPED, message, failed)
            ready = [action for action in group if action.payload["type_code"] not in stopped]
            if ready:
                self.executor.carry_out(ready, len(ready), "posting_preinvoices", careful=True)

    def aside(self, action: Action) -> None:
        """Records it."""
        if action.operation is Operation.LINK:
            self.document_outcomes.linked(action)
        elif action.operation is Operation.SKIP:
            self.outcomes.skipped(action)
        else:
            self.outcomes.reviewed(action)

    def failed(self, action: Action, reason: str, message: Message) -> None:
        """Schedules another try, or puts it to review after the usual tries."""
        self.outcomes.failed(action, reason, message)

    def gone(self, entry: Retry) -> None:
        """Takes it out."""
        self.outcomes.gone(entry)

    def end(self, reader: ChangeReader, *, keep_cursors: bool) -> None:
        """Everything that was read is settled or stored as waiting now, so no cursor steps over anything."""
        if self.context.cancel.is_set():
            raise Interrupted(130)
        reading = reader.reading
        self.document_outcomes.look_at_numbers()
        if reading.list_read_at is not None:
            report_doubles(self.context, self.recovery, self.outcomes)
        with self.context.state.atomic():
            if reading.verified:
                rolling_check.step(self.context.state, reading.verified, self.context.run.at())
            # Those of what was linked and posted in this run, too. A date in the CRM's future is bogus and counts for nothing.
            self.context.cursors.keep_dates(as_crm_date(reader.crm.crm_now() + _NO_FUTURE))
            if keep_cursors:
                return
            for source, whole in reading.whole.items():
                if cursor := reader.crm.cursor_after(source):
                    window = reader.crm.window_after(source, cursor, whole=whole)
                    clocks, at = self.context.clocks("crm"), self.context.run.at()
                    self.context.cursors.move(source, cursor, window, at, whole=whole, clocks=clocks)


def _note_older(context: RunContext, older: Iterable[OlderRecord]) -> None:
    """One line of the audit trail for each record that was shown in a state from before the one seen last."""
    for found in older:
        context.run.append(
            entity=found.entity,
            operation=Operation.SKIP,
            outcome=AuditOutcome.SKIPPED,
            crm_id=found.crm_id,
            reason=Reason.OLDER_THAN_SEEN,
            message=msg("reason.older_than_seen", shown=found.shown, seen=found.seen),
        )
