"""Plans all customers of a sync before the first write: those to be linked or created, and those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.domain.reasons import Operation, Reason, Resolution
from siaghsync.errors import CallError, InDoubt, LoginRefused, NotSent
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
from siaghsync.state import decisions, reviews
from siaghsync.state.outbox import unsettled_of
from siaghsync.sync.contacts import read_contact
from siaghsync.sync.context import PlanMode, RunContext
from siaghsync.sync.executor import DOUBTS_IN_A_ROW
from siaghsync.sync.matching import Matcher
from siaghsync.sync.plan import CustomerPlan
from siaghsync.sync.reading import Reading

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
    if context.staging.count_customers(linked=False):
        _plan_unlinked(context, reading, plan, brake)
    if context.staging.count_customers(linked=True):
        _plan_all_linked(context, reading, plan, brake)
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


def _plan_unlinked(context: RunContext, reading: Reading, plan: CustomerPlan, brake: Brake) -> None:
    matcher, heirs = Matcher.of(context, nothing_changes=True), Heirs(context)
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
        elif action.operation is Operation.CREATE and reviews.rests(context.state, action):
            plan.add(reviews.as_it_stands(context.state, action))
        else:
            plan.add(action, read_at)


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
        known = {mapping.crm_id: mapping for mapping in self.context.mappings.with_number(case.customer.number)}
        gone = [crm_id for crm_id in case.number_twins if crm_id in known and self._gone(known[crm_id])]
        if not gone:
            return case
        contact = self.context.staging.contact(known[gone[0]].finance_code)
        twins = [crm_id for crm_id in case.number_twins if crm_id not in gone]
        return replace(case, number_twins=twins, heir_of=contact)

    def _gone(self, mapping: CustomerMapping) -> bool:
        if mapping.crm_id not in self.is_gone:
            try:
                record = self.context.crm.get(mapping.kind, mapping.crm_id)
            except InDoubt:
                return False  # what can't be read may be there; the next run asks again
            self.is_gone[mapping.crm_id] = record is None
        return self.is_gone[mapping.crm_id]


def _plan_all_linked(context: RunContext, reading: Reading, plan: CustomerPlan, brake: Brake) -> None:
    """Compares every linked customer that changed with its contact: from the list in hand, else read one by one."""
    customers = context.staging.customers(linked=True)
    total, done = context.staging.count_customers(linked=True), 0
    reader = ContactReader(context)
    with ThreadPoolExecutor(context.limits.concurrency) as pool:
        while chunk := list(islice(customers, context.limits.concurrency * 8)):
            if done:
                brake(plan)
            to_read: list[Pair] = []
            for customer in chunk:
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
    wanted = decisions.find(context.state, review, Resolution.RECREATE)
    return recreate_contact(customer, context.rules) if wanted else review


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
