"""Records what became of each step of an undo: everything about it is settled in one transaction."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, customer_kind
from siaghsync.domain.reasons import AuditOutcome, IntentState, Operation, Reason
from siaghsync.errors import InDoubt, Refused
from siaghsync.messages.message import Message, msg
from siaghsync.state import retries, reviews
from siaghsync.state.outbox import close_intent, unknown_intents, unsettled_of
from siaghsync.sync.decisions import end_link
from siaghsync.sync.outcomes import OutcomeRecorder
from siaghsync.sync.records_by_id import RecordsById


class UndoOutcomes(OutcomeRecorder):
    """Writes outcomes of an undo. Nothing that fails is tried again by itself: whoever wants it runs `undo` again."""

    def confirmed(
        self, intent_id: int, action: Action, key: str, words: tuple[str, ...] = (), read_back: Contact | None = None
    ) -> None:
        """The target did it, or a look-up shows that it is done."""
        with self.run.state.atomic():
            close_intent(self.run, intent_id, IntentState.CONFIRMED)
            if action.operation is Operation.RESTORE and key.strip() != str(action.finance_code):
                message = msg("reason.made_new_contact", code=action.finance_code, new_code=key)
                self.run.note(action, AuditOutcome.MISDIRECTED, message=message)
                self.report.tell_failure(action, Reason.MADE_NEW_CONTACT, message)
                return
            self.done(action)

    def done(self, action: Action) -> None:
        """The step is done. A record that is deleted, or not linked any more, leaves nothing open behind."""
        with self.run.state.atomic():
            if action.operation in (Operation.DELETE, Operation.UNLINK):
                self._forget(action)
            self.run.note(action, AuditOutcome.DONE)
            self.report.tell(action)

    def _forget(self, action: Action) -> None:
        end_link(self.run, action.crm_id or "")
        for side in (
            replace(action, target="finance", record=action.crm_id or ""),
            replace(action, target="crm", record=str(action.finance_code)),
        ):
            retries.release(self.run.state, side)
            reviews.auto_resolve(self.run, side)
            for intent in unsettled_of(self.run.state, side):
                if intent.action.operation is Operation.DELETE:
                    close_intent(self.run, intent.id, IntentState.CONFIRMED)

    def unknown(self, intent_id: int, action: Action, message: Message) -> None:
        """Nobody knows whether it arrived; the next undo looks."""
        with self.run.state.atomic():
            close_intent(self.run, intent_id, IntentState.UNKNOWN, message)
            self.run.note(action, AuditOutcome.UNKNOWN, message=message)

    def failed(self, action: Action, reason: str, message: Message) -> None:
        """The target refused it: it is left for a person."""
        with self.run.state.atomic():
            self.run.note(action, AuditOutcome.FAILED, message=message, reason=reason)
        self.report.tell_failure(action, reason, message)

    def left(self, action: Action) -> None:
        """What can't be undone is told; nothing about it changes."""
        self.report.tell_failure(action, action.reason or "", action.message or msg("sync.no_answer"))


def settle_deletes(by_id: RecordsById, outcomes: UndoOutcomes) -> None:
    """Looks up each delete in doubt. What is gone is settled; the next undo deletes what is still there."""
    for intent in unknown_intents(outcomes.run.state, "crm"):
        if intent.action.operation is not Operation.DELETE:
            continue
        with suppress(InDoubt, Refused):
            if by_id.get(customer_kind(intent.action.kind), intent.action.crm_id or "") is None:
                outcomes.done(intent.action)
