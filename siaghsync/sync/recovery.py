"""What earlier requests left in doubt: taken over at the start of a run, looked up once due, then linked, kept or freed.

Also finds what a request that was given up for lost made after all, much later.

Not found is no proof: a slow server may still be at work. So the first look-up that finds nothing starts the grace time,
and only a look-up in a later run, after it, lets the record be sent again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from siaghsync.clock import elapsed
from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, customer_kind
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import AuditOutcome, Operation, Reason, Resolution
from siaghsync.errors import BadRecord, System
from siaghsync.messages.message import msg
from siaghsync.planning.cases import CustomerCandidate
from siaghsync.planning.recovery import match_sent_contact, match_sent_customer, sent_customer, shows_all
from siaghsync.state import retries, reviews
from siaghsync.state.outbox import Intent, adopt_orphans, expirations, expired_creates, mark_missed, unknown_intents
from siaghsync.sync.context import RunContext
from siaghsync.sync.document_outcomes import DocumentOutcomes
from siaghsync.sync.lists import customers_with_number
from siaghsync.sync.matching import Matcher
from siaghsync.sync.outcomes import OutcomeRecorder
from siaghsync.sync.undo_outcomes import UndoOutcomes, settle_deletes


def report_doubles(context: RunContext, recovery: Recovery, outcomes: OutcomeRecorder) -> None:
    """Puts each of them to review, once; the finance list has to be in staging."""
    found = {contact.code: (contact, twin) for contact, twin in recovery.late_commits()}
    found |= {contact.code: (contact, twin) for contact, twin in context.staging.unlinked_doubles()}
    for contact, twin in found.values():
        action = Action(
            Operation.REVIEW,
            "customer",
            "crm",
            str(contact.code),
            contact.kind,
            contact.marker,
            finance_code=contact.code,
            name=contact.name,
            reason=Reason.DOUBLE_IN_FINANCE,
            message=msg("reason.double_in_finance_linked", code=contact.code, twin=twin),
            checksum=digest([contact.code, twin]),
        )
        last = reviews.last_of(context.state, action)
        if last is None or last.resolution == Resolution.SETTLED or last.checksum != action.checksum:
            outcomes.reviewed(action)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Settles what is in doubt, for one run."""

    context: RunContext
    outcomes: OutcomeRecorder
    documents: DocumentOutcomes
    matcher: Matcher

    def adopt(self) -> None:
        """Takes over what an earlier run left open: creates are to be looked up, updates to be compared again.

        A delete is looked up at once.
        """
        cut_off = msg("reason.unknown_outcome_run_ended")
        with self.context.state.atomic():
            for intent in adopt_orphans(self.context.run):
                if intent.action.entity == "invoice":
                    self.documents.unknown(intent.id, intent.action, cut_off)
                    continue
                self.context.run.note(intent.action, AuditOutcome.UNKNOWN, message=cut_off)
                if intent.action.operation is Operation.UPDATE:
                    retries.schedule_retry(self.context.run, intent.action, Reason.UNKNOWN_OUTCOME, cut_off)
        outcomes = UndoOutcomes(self.context.run, self.outcomes.report, self.outcomes.max_attempts)
        settle_deletes(self.context.by_id, outcomes)

    def due_creates(self, target: System) -> list[Intent]:
        """The creates in doubt whose look-up is due: never looked up, or missed and past the grace time."""
        now, grace = self.context.clocks(target), self.context.limits.grace_seconds
        return [
            intent
            for intent in unknown_intents(self.context.state, target)
            if intent.action.operation is Operation.CREATE
            and (intent.missed is None or not 0 <= elapsed(intent.missed, now) < grace)
        ]

    def look_up_contacts(self, intents: list[Intent]) -> None:
        """Looks for creates in doubt in the finance list, which has to be in staging and fresh."""
        for intent in intents:
            customer = sent_customer(intent.action)
            case = self.matcher.case_of_customer(customer)
            found = match_sent_contact(intent.action, case, self.matcher.name_candidates(customer))
            self._conclude(intent, found)

    def look_up_customers(self, intents: list[Intent]) -> None:
        """Looks for creates in doubt in the CRM, by their number; the finance list has to be in staging."""
        for intent in intents:
            sent = intent.action
            contact = self.context.staging.contact(sent.finance_code or 0)
            kind = customer_kind(sent.kind)
            try:
                customers = customers_with_number(self.context, sent.customer_number, [kind])
            except BadRecord as error:
                # It may be what the create made, so nothing is sent again while nobody can tell.
                self.outcomes.report.tell_failure(sent, Reason.BAD_RECORD, error.message)
                continue
            found = [
                CustomerCandidate(c, self.matcher.owner_of_record(c))
                for c in customers
                if c.number == sent.customer_number
            ]
            self._conclude(intent, match_sent_customer(sent, found, contact) if contact else None)

    def late_commits(self) -> Iterator[tuple[Contact, int]]:
        """Unlinked contacts that a create made which was given up for lost and sent again, each with the code of its twin.

        They are known by what was sent then, whatever the pair has become since; the finance list has to be in staging.
        """
        mappings = self.context.mappings
        for intent in expired_creates(self.context.state):
            twin = mappings.of_crm(intent.record)
            customer = sent_customer(intent.action)
            case = self.matcher.case_of_customer(customer)
            same_name = [c for c in self.matcher.name_candidates(customer) if shows_all(c.contact, intent.action)]
            found = {c.contact.code: c.contact for c in (*case.by_marker, *case.by_identity, *same_name)}
            for contact in found.values():
                if twin and contact.active and not contact.admin and mappings.of_code(contact.code) is None:
                    yield contact, twin.finance_code

    def _conclude(self, intent: Intent, found: Action | None) -> None:
        sent, now = intent.action, self.context.clocks(intent.action.target)
        with self.context.state.atomic():
            if found and found.operation is Operation.LINK and self.outcomes.has_another_contact(found):
                self.outcomes.expired(intent, msg("sync.pair_is_linked"))  # `report_doubles` puts it before a person
            elif found and found.operation is Operation.LINK:
                self.outcomes.linked(replace(found, payload={}), tell=False)
                self.outcomes.report.tell(replace(sent, crm_id=found.crm_id, finance_code=found.finance_code))
            elif found:
                self.outcomes.expired(intent, msg("sync.look_up_unclear"))
                self.outcomes.reviewed(found)
            elif intent.missed is None or elapsed(intent.missed, now) < self.context.limits.grace_seconds:
                mark_missed(self.context.run, intent.id, now)  # the first time, or a clock went back: it waits anew
                why, seconds = intent.message or msg("sync.no_answer"), round(self.context.limits.grace_seconds)
                message = msg("reason.unknown_outcome_missed", message=why, seconds=seconds)
                self.outcomes.report.tell_failure(sent, Reason.UNKNOWN_OUTCOME, message)
            else:
                self._free(intent)

    def _free(self, intent: Intent) -> None:
        """Twice not found. It is sent again in this very run, unless that has happened too often."""
        self.outcomes.expired(intent, msg("sync.not_found_twice"))
        times = expirations(self.context.state, intent.action)
        if times >= self.context.limits.max_attempts:
            message = msg("reason.unknown_outcome_gave_up", times=times)
            review = replace(intent.action, operation=Operation.REVIEW, reason=Reason.UNKNOWN_OUTCOME, message=message)
            self.outcomes.reviewed(review)
        elif intent.action.target == "finance":
            retries.schedule_retry(
                self.context.run,
                intent.action,
                Reason.UNKNOWN_OUTCOME,
                msg("reason.unknown_outcome_not_arrived"),
                failed=False,
            )
