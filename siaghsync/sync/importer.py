"""The order of an initial import: read both lists, settle what is in doubt, plan, ask, create in the CRM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm
from siaghsync.connectors.payamgostar.dates import as_crm_date
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, Kind
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.errors import BadRecord, Interrupted
from siaghsync.messages.message import Message, msg
from siaghsync.planning.cases import ContactCase, about_contact
from siaghsync.planning.import_ import plan_contact
from siaghsync.planning.limits import check_list_size
from siaghsync.state import facts, reviews
from siaghsync.state.meta import COMPLETED, STARTED, STATE_WAS_LOST
from siaghsync.state.outbox import unsettled_of
from siaghsync.state.staging import BATCH
from siaghsync.sync.appliers import Live
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import PlanMode, RunContext, RunReport
from siaghsync.sync.lists import customer_sources
from siaghsync.sync.matching import Matcher
from siaghsync.sync.plan import CustomerPlan
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.records_by_id import listed_only

_OPERATIONS = (Operation.CREATE, Operation.LINK, Operation.SKIP, Operation.REVIEW)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What an import was asked for. `limit` bounds how many records are newly linked or created."""

    limit: int | None = None
    force: bool = False
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What an import is going to do, in numbers."""

    planned: Mapping[str, int]
    """Operation -> how many."""
    linked_already: int
    left_for_later: int


Confirm = Callable[[ImportPlan], bool]


@dataclass(frozen=True, slots=True)
class Importer:
    """One initial import. `live` carries it out; without it the plan is only told."""

    context: RunContext
    report: RunReport
    options: ImportOptions
    mode: PlanMode
    crm: CrmReader
    live: Live | None

    def run(self, confirm: Confirm) -> bool:
        """Makes a CRM record for every finance contact that has none, and links those that have one.

        `confirm` is asked before anything is written. Returns whether it said yes. Raises CallError, BrakeError and
        Interrupted as a sync does. An import that went through without a limit is remembered as completed: what failed
        in it, or waits for a person, is in the state file.
        """
        if self.live:
            self.live.recovery.adopt()  # first: what an undo has deleted is not missing in the list
        bad = self._read_both()
        if self.live:
            self.live.recovery.look_up_customers(self.live.recovery.due_creates("crm"))
        plan, numbers = self._plan({contact.code for contact, _ in bad})
        if self.live is None:
            for operation in _OPERATIONS:
                for action in plan.actions(operation):
                    self.report.tell(action, planned=True)
            return True
        if not confirm(numbers):
            return False
        self._apply(self.live, plan)
        for contact, message in bad:
            self.live.outcomes.failed(self._subject(contact), Reason.BAD_RECORD, message)
        if self.context.cancel.is_set():
            raise Interrupted(130)
        if self.options.limit is None and not plan.left_out:
            self.context.state.set_meta(COMPLETED, self.context.run.at())
        return True

    def _read_both(self) -> list[tuple[Contact, Message]]:
        """Reads both lists into staging; returns the contacts that can't be understood and are not linked."""
        context = self.context
        contacts = read_contacts(context.finance, context.staging, context.cancel, context.progress)
        if not (contacts.parties.contacts or contacts.parties.admins):  # admin users are in the list too (§3.1)
            self.report.warnings.append(msg("sync.no_contacts"))
        if self.live:
            facts.learn(context.state, facts.of_parties(contacts.parties, context.run.at()))
        pages = {source: AllCustomers(context, self.report, kind) for source, kind in customer_sources(context.crm)}
        self.crm.read_customers(pages, everything=True)
        if self.crm.unshown():  # nobody knows whose it is, and a contact could become a second customer
            raise listed_only("person")
        if self.live:
            with context.state.atomic():
                self.crm.finder.learn(context.state, context.run.at(), context.staging.reading_total())
        if not self.options.force:
            known = context.mappings.count()
            check_list_size("finance", contacts.count, known)
            found = sum(context.staging.reading_count(source) for source, _ in customer_sources(context.crm))
            check_list_size("crm", found, known)
        return [(contact, message) for contact, message in contacts.bad if not context.mappings.of_code(contact.code)]

    def _plan(self, bad: set[int]) -> tuple[CustomerPlan, ImportPlan]:
        linked_already = self.context.staging.count_linked_contacts()
        self.report.tell_unchanged("customer", linked_already)
        plan = CustomerPlan(self.context.staging, self.mode)
        left_for_later = 0
        told = {failure["finance_code"] for failure in self.report.failures}
        for contact, action, in_doubt in self._actions(bad):
            is_new = action.operation in (Operation.CREATE, Operation.LINK)
            planned = plan.counts[Operation.CREATE] + plan.counts[Operation.LINK]
            if in_doubt:
                if str(contact.code) not in told:
                    self.report.tell_failure(action, Reason.UNKNOWN_OUTCOME, msg("reason.unknown_outcome_create"))
            elif is_new and self.options.limit is not None and planned >= self.options.limit:
                left_for_later += 1
            else:
                plan.add(action)
        counts = {str(operation): plan.counts[operation] for operation in _OPERATIONS}
        return plan, ImportPlan(counts, linked_already, left_for_later)

    def _actions(self, bad: set[int]) -> Iterator[tuple[Contact, Action, bool]]:
        """Every unlinked contact with its action, and whether an earlier create for it is still in doubt."""
        matcher, context = Matcher.of(self.context), self.context
        for contact, is_lone in self._unlinked(matcher):
            if contact.code in bad:
                continue
            action = plan_contact(ContactCase(contact) if is_lone else matcher.case_of_contact(contact), context.rules)
            if is_lone:
                yield contact, action, False
                continue
            if action.operation is Operation.CREATE and reviews.rests(context.state, action):
                action = reviews.as_it_stands(context.state, action)
            yield contact, action, bool(unsettled_of(context.state, action))

    def _unlinked(self, matcher: Matcher) -> Iterator[tuple[Contact, bool]]:
        """Every unlinked contact, with whether nothing but itself decides about it."""
        contacts = self.context.staging.unlinked_contacts()
        while batch := list(islice(contacts, BATCH)):
            self.context.stop_if_cancelled()
            lone = matcher.lone_contacts(batch)
            yield from ((contact, contact.code in lone) for contact in batch)

    def _apply(self, live: Live, plan: CustomerPlan) -> None:
        state = self.context.state
        if state.meta(STARTED) is None:
            with state.atomic():
                state.set_meta(STARTED, as_crm_date(_end_of_before(self.crm)))
                if self.context.staging.any_marker():
                    state.set_meta(STATE_WAS_LOST, "a finance contact carries a mark")
        live.outcomes.many(plan.actions(Operation.LINK), live.outcomes.linked)
        live.outcomes.many(plan.actions(Operation.SKIP), live.outcomes.skipped)
        live.outcomes.many(plan.actions(Operation.REVIEW), live.outcomes.reviewed)
        creates = plan.counts[Operation.CREATE]
        in_doubt = live.executor.carry_out(plan.actions(Operation.CREATE), creates, "creating_customers").in_doubt
        records = {action.record for action in in_doubt}
        due = live.recovery.due_creates("crm")
        live.recovery.look_up_customers([intent for intent in due if intent.record in records])

    def _subject(self, contact: Contact) -> Action:
        return about_contact(Operation.CREATE, contact, self.context.rules)


@dataclass(frozen=True, slots=True)
class AllCustomers:
    """Takes every CRM customer into staging; one that can't be understood is nobody's candidate."""

    context: RunContext
    report: RunReport
    kind: Kind

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        keep: list[tuple[Customer, bool]] = []
        checksums = []
        for raw in records:
            try:
                customer = customer_from_crm(raw, self.kind, self.context.rules.site)
            except BadRecord as error:
                self.report.notices.append(error.message)
                checksums.append(digest(crm_id_of(raw)))
                continue
            keep.append((customer, self.context.mappings.of_crm(customer.crm_id) is not None))
            checksums.append(customer.checksum)
        self.context.staging.add_customers(keep)
        return checksums


def _end_of_before(crm: CrmReader) -> datetime:
    """A moment by the CRM's own clock between all documents that are there and those that will be made.

    Where its answers have no date, just after the newest date that it shows, unless that is bogus: our clock may be far from
    its own.
    """
    now = crm.crm_now()
    if crm.crm.server_time is not None:
        return now
    found = [crm.finder.newest_date("quote"), crm.finder.newest_date("invoice")]
    dates = [*filter(None, found), *filter(None, [crm.staging.highest_reading()])]
    if None in found or not dates:
        return now
    newest = datetime.fromisoformat(max(dates)) + timedelta(milliseconds=1)
    return newest if newest < now + timedelta(days=1) else now
