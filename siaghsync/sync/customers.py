"""Plans all customers of a sync before the first write: those to be linked or created, and those that changed.

An update whose contact was read too long ago is read and planned again before it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import AuditOutcome, Match, Operation, Reason, Resolution
from siaghsync.errors import CallError, InDoubt, LoginRefused, NotSent, Refused
from siaghsync.messages.message import Message, msg
from siaghsync.planning.cases import MOST_TWINS, CustomerCase, about_customer
from siaghsync.planning.customers import (
    contact_is_lost,
    is_somebody_else,
    plan_customer,
    plan_linked,
    recreate_contact,
    settled_checksum,
)
from siaghsync.planning.undo import at_rest, without
from siaghsync.state import reviews
from siaghsync.state.database import State
from siaghsync.state.outbox import unsettled_of
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import PlanMode, RunContext
from siaghsync.sync.executor import DOUBTS_IN_A_ROW
from siaghsync.sync.matching import Matcher
from siaghsync.sync.outcomes import OutcomeRecorder
from siaghsync.sync.plan import CustomerPlan
from siaghsync.sync.what_was_read import Reading

Pair = tuple[Customer, CustomerMapping]
Brake = Callable[[CustomerPlan], None]
"""Looks at a plan that is not complete yet."""
Step = Action | CustomerMapping | tuple[Action, str, Message]
"""What is planned about a linked customer: an action, a pair that is in step, or a failure."""


def plan_customers(context: RunContext, reading: Reading, mode: PlanMode, brake: Brake) -> CustomerPlan:
    """The whole plan for the customers that were read. Writes to neither system, nor to the state file.

    `brake` may raise BrakeError on the way, so that nothing more is read and planned in vain. Raises
    CallError if Finance can't be reached, Interrupted if a signal asked for the end.
    """
    plan = CustomerPlan(context.staging, mode)
    heirs = Heirs(context)
    if context.staging.count_customers(linked=False):
        _plan_unlinked(context, reading, plan, brake, heirs)
    if context.staging.count_customers(linked=True):
        _plan_all_linked(context, reading, plan, brake, heirs)
    for crm_id, (kind, message) in reading.bad.items():
        mapping = context.mappings.of_crm(crm_id)
        plan.add_failure(
            Action(
                Operation.UPDATE if mapping else Operation.CREATE,
                "customer",
                "finance",
                crm_id,
                kind,
                mapping.customer_number if mapping else "",
                crm_id,
                mapping.finance_code if mapping else None,
            ),
            Reason.BAD_RECORD,
            message,
        )
    return plan


def _plan_unlinked(context: RunContext, reading: Reading, plan: CustomerPlan, brake: Brake, heirs: Heirs) -> None:
    matcher = Matcher.of(context, nothing_changes=True)
    read_at = reading.list_read_at or 0.0
    total = context.staging.count_customers(linked=False)
    for count, customer in enumerate(context.staging.customers(linked=False)):
        context.stop_if_cancelled()
        if count and count % 100 == 0:
            context.progress("matching_customers", count, total)
            brake(plan)
        action = plan_customer(heirs.considered(matcher.case_of_customer(customer)), context.rules)
        if action.payload and action.operation is Operation.LINK:
            action = at_rest(action, context.staging.undone(customer.crm_id, customer.checksum))
        if unsettled_of(context.state, action):
            plan.add_failure(action, Reason.UNKNOWN_OUTCOME, msg("reason.unknown_outcome_create"))
        else:
            plan.add(_as_decided(context.state, action) if action.operation is Operation.CREATE else action, read_at)


def _as_decided(state: State, create: Action) -> Action:
    """A create, unless a person has to decide first. Who has lost a contact gets a new one by decision only."""
    if reviews.find(state, create, Resolution.RECREATE):
        return replace(create, reason=Match.RECREATED)
    is_asked = reviews.rests(state, create) or reviews.asks_for_contact(state, create.record)
    return reviews.as_it_stands(state, create) if is_asked else create


@dataclass(slots=True)
class Heirs:
    """Finds customers that were deleted in the CRM and entered again, under the same number or with the same code and name. Each
    record is asked for once."""

    context: RunContext
    is_gone: dict[str, bool] = field(default_factory=dict)
    inherited: set[int] = field(default_factory=set)
    """Codes of contacts that one has inherited already: the next one with the same code and name is a double."""

    def considered(self, case: CustomerCase) -> CustomerCase:
        """The case with the contact of a linked record that had the number and is gone; that one is no twin any more. A crowd
        under one number has no heir."""
        if len(case.number_twins) == MOST_TWINS:
            return case
        return self._under_its_number(case) if case.number_twins else self._by_identity(case)

    def _by_identity(self, case: CustomerCase) -> CustomerCase:
        """A contact with the same code and name is free if the record that it is linked to is gone."""
        for candidate in case.by_identity:
            owner = self.context.mappings.of_crm(candidate.taken_by) if candidate.taken_by else None
            code = candidate.contact.code
            if owner and owner.finance_code == code and code not in self.inherited and self._gone(owner):
                self.inherited.add(code)
                return replace(case, heir_of=candidate.contact)
        return case

    def _under_its_number(self, case: CustomerCase) -> CustomerCase:
        known = {crm_id: pair for crm_id in case.number_twins if (pair := self.context.mappings.of_crm(crm_id))}
        gone = [crm_id for crm_id, pair in known.items() if self._gone(pair)]
        if not gone:
            return case
        contact = self.context.staging.contact(known[gone[0]].finance_code)
        twins = [crm_id for crm_id in case.number_twins if crm_id not in gone]
        return replace(case, number_twins=twins, heir_of=contact)

    def _gone(self, mapping: CustomerMapping) -> bool:
        if mapping.crm_id not in self.is_gone:
            try:
                record = self.context.by_id.get(mapping.kind, mapping.crm_id)
            except (InDoubt, Refused):
                return False  # what can't be read may be there; the next run asks again
            self.is_gone[mapping.crm_id] = record is None
        return self.is_gone[mapping.crm_id]


def _plan_all_linked(context: RunContext, reading: Reading, plan: CustomerPlan, brake: Brake, heirs: Heirs) -> None:
    """Compares every linked customer that changed with its contact: from the list in hand, else read one by one. Those that
    were deleted after they were read have nothing to say: their contacts belong to their heirs."""
    customers = context.staging.customers(linked=True)
    total, done = context.staging.count_customers(linked=True), 0
    reader = ContactReader(context)
    with ThreadPoolExecutor(context.limits.concurrency) as pool:
        while chunk := list(islice(customers, context.limits.concurrency * 8)):
            if done:
                brake(plan)
            to_read: list[Pair] = []
            for customer in (each for each in chunk if not heirs.is_gone.get(each.crm_id)):
                mapping = context.mappings.of_crm(customer.crm_id)
                assert mapping is not None
                listed = context.staging.contact(mapping.finance_code) if reading.list_read_at is not None else None
                if listed is None:
                    to_read.append((customer, mapping))
                    continue
                _add(plan, step_for(context, customer, mapping, listed), reading.list_read_at or 0.0)
            for (customer, mapping), contact in reader.read(pool, to_read):
                if isinstance(contact, Contact):
                    reading.parties.note(contact)
                _add(plan, step_for(context, customer, mapping, contact), context.monotonic())
            done += len(chunk)
            context.progress("comparing_customers", done, total)
            context.stop_if_cancelled()


def _add(plan: CustomerPlan, step: Step, read_at: float) -> None:
    if isinstance(step, Action):
        plan.add(step, read_at)
    elif isinstance(step, CustomerMapping):
        plan.add_in_step(step)
    else:
        plan.add_failure(*step)


def step_for(
    context: RunContext, customer: Customer, mapping: CustomerMapping, contact: Contact | CallError | None
) -> Step:
    """What is to be done about a linked customer whose contact was just read."""
    if isinstance(contact, CallError):
        subject = about_customer(Operation.UPDATE, customer, mapping, checksum=customer.checksum)
        return subject, contact.reason, contact.message
    if contact is None or is_somebody_else(mapping, contact, customer):
        return _without_contact(context, customer, mapping, contact)
    resting = context.staging.undone(customer.crm_id, customer.checksum)
    action = plan_linked(without(customer, resting), contact, mapping, context.rules, context.staging.longest)
    if action is None:
        return replace(
            mapping,
            kind=customer.kind,
            customer_number=customer.number or mapping.customer_number,
            checksum=customer.checksum,
            sent_checksum=settled_checksum(customer, contact, mapping),
            record_id=contact.record_id or mapping.record_id,
            national_code=contact.national_code,
        )
    action = replace(action, checksum=customer.checksum)
    return reviews.as_it_stands(context.state, action) if reviews.rests(context.state, action) else action


def _without_contact(
    context: RunContext, customer: Customer, mapping: CustomerMapping, stranger: Contact | None
) -> Step:
    """A person decides what becomes of a customer whose contact is lost; the one who decided for a new one gets it."""
    review = contact_is_lost(customer, mapping, stranger)
    if any(intent.action.operation is Operation.CREATE for intent in unsettled_of(context.state, review)):
        return review, Reason.UNKNOWN_OUTCOME, msg("reason.unknown_outcome_create")
    if not reviews.find(context.state, review, Resolution.RECREATE):
        return review
    if not context.staging.has_contacts():  # decided while this run was reading
        return review, Reason.RESOLVED, msg("reason.resolved")
    return recreate_contact(Matcher.of(context).case_of_customer(customer), context.rules)


@dataclass(slots=True)
class ContactReader:
    """Reads contacts one by one, many at the same time, and notices when Finance is down."""

    context: RunContext
    doubts_in_a_row: int = 0

    def read(
        self, pool: ThreadPoolExecutor, pairs: Iterable[Pair]
    ) -> Iterator[tuple[Pair, Contact | CallError | None]]:
        """Each pair with its contact as it stands now. Raises the CallError that shows that Finance can't be reached."""
        pairs = list(pairs)
        codes = [mapping.finance_code for _, mapping in pairs]
        contacts = pool.map(partial(read_contact, self.context.finance), codes)
        for pair, contact in zip(pairs, contacts, strict=True):
            self.doubts_in_a_row = self.doubts_in_a_row + 1 if isinstance(contact, InDoubt) else 0
            is_down = isinstance(contact, InDoubt) and self.doubts_in_a_row >= DOUBTS_IN_A_ROW
            if isinstance(contact, NotSent | LoginRefused) or is_down:
                assert isinstance(contact, CallError)
                raise contact
            yield pair, contact


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
