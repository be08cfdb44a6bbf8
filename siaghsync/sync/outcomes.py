"""Records what became of an action: mapping, intent, retry, review and audit trail, always in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from siaghsync.domain.action import Action, Changes
from siaghsync.domain.customer import Contact, CustomerMapping, customer_kind, kept_checksum, shown_fields
from siaghsync.domain.reasons import AuditOutcome, IntentState, Match, Operation, Reason, Resolution
from siaghsync.messages.message import Message, msg, verbatim
from siaghsync.planning.phones import PART, WITHHELD
from siaghsync.state import mappings, retries, reviews, undo, webhook_queue
from siaghsync.state.audit import Run
from siaghsync.state.mappings import Mappings
from siaghsync.state.outbox import Intent, close_intent, unsettled_of
from siaghsync.state.reviews import StoredDecision
from siaghsync.state.staging import BATCH
from siaghsync.sync.context import RunContext, RunReport


@dataclass(frozen=True, slots=True)
class OutcomeRecorder:
    """Writes outcomes of one run into its state file and its report."""

    run: Run
    report: RunReport
    max_attempts: int

    @staticmethod
    def of(context: RunContext, report: RunReport) -> OutcomeRecorder:
        """The recorder of a run."""
        return OutcomeRecorder(context.run, report, context.limits.max_attempts)

    @property
    def mappings(self) -> Mappings:
        """The linked pairs."""
        return Mappings(self.run.state)

    # --- answers to creates and updates ---

    def confirmed(
        self, intent_id: int, action: Action, key: str, words: tuple[str, ...] = (), read_back: Contact | None = None
    ) -> None:
        """The target said yes. `key` is the finance code or CRM id that it answered with, `words` are its warnings, `read_back`
        is the contact as it stands after an update that it got before.

        A key that contradicts the state (a new contact instead of an update, a code that belongs to another record) is put
        to review; the mappings stay as they were.
        """
        with self.run.state.atomic():
            close_intent(self.run, intent_id, IntentState.CONFIRMED)
            if action.operation is Operation.CREATE:
                self._created(action, key, words)
            else:
                self._updated(action, key, words, read_back)

    def _updated(self, action: Action, key: str, words: tuple[str, ...], read_back: Contact | None) -> None:
        if key.strip() != str(action.finance_code):
            message = msg("reason.made_new_contact", code=action.finance_code, new_code=key)
            self.run.note(as_write(action), AuditOutcome.MISDIRECTED, message=message)
            details = {"new_contact": key, "payload": dict(action.payload)}
            self.reviewed(_as_review(action, Reason.MADE_NEW_CONTACT, message, details))
            return
        if part := action.details.get(PART):
            self._partly_updated(action, part)
            return
        own = _finances_own(action, read_back) if read_back else {}
        sent = kept_checksum(action.sent_checksum or "", own) if own else action.sent_checksum
        self._in_step(replace(action, sent_checksum=sent))
        notes = (*action.notes, *(msg("value_note.kept_otherwise", field=name) for name in own))
        self.run.note(replace(as_write(action), notes=notes), AuditOutcome.DONE, message=_quoted(words))
        self.report.tell(action)

    def _partly_updated(self, action: Action, part: str) -> None:
        """The contact has a part of the change, so the pair is not in step: the rest waits."""
        message = action.message or msg("reason.phone_taken_set_free")
        self.run.note(action, AuditOutcome.DONE, message=message)
        if part == WITHHELD:
            self.failed(replace(action, changes={}), Reason.PHONE_TAKEN, message)
        else:  # it follows in this run; if that is cut off, in the next
            retries.schedule_retry(self.run, action, Reason.PHONE_TAKEN, message, failed=False)

    def _created(self, action: Action, key: str, words: tuple[str, ...]) -> None:
        crm_id = action.crm_id if action.target == "finance" else key
        code = int(key) if action.target == "finance" else action.finance_code
        assert crm_id is not None
        assert code is not None
        done = replace(action, crm_id=crm_id, finance_code=code)
        known = mappings.of_pair(self.run.state, crm_id, code)
        if "mapping" in known and not self._makes_room(done):
            message = msg("reason.code_taken", key=key)
            self.run.note(done, AuditOutcome.MISDIRECTED, message=message)
            self.reviewed(_as_review(done, Reason.CODE_TAKEN, message, done.details))
            return
        self._link(done, known)
        if known:
            self._release(done)
        self.run.note(done, AuditOutcome.DONE, message=_quoted(words))
        self.report.tell(done)

    def unknown(self, intent_id: int, action: Action, message: Message) -> None:
        """Nobody knows whether it arrived. A create stays open until a look-up; an update is compared at the next look."""
        with self.run.state.atomic():
            close_intent(self.run, intent_id, IntentState.UNKNOWN, message)
            write = as_write(action)
            self.run.note(write, AuditOutcome.UNKNOWN, message=message)
            if write.operation is Operation.UPDATE:
                retries.schedule_retry(self.run, write, Reason.UNKNOWN_OUTCOME, message)

    def expired(self, intent: Intent, message: Message) -> None:
        """What was in doubt is not there. The record may be sent again."""
        with self.run.state.atomic():
            close_intent(self.run, intent.id, IntentState.EXPIRED, message)
            self.run.note(intent.action, AuditOutcome.EXPIRED, message=message)

    # --- what needs no request ---

    def linked(self, action: Action, *, tell: bool = True) -> None:
        """Records a link. A link that brings an update along counts as not compared until that update is confirmed.

        A contact that another record got meanwhile is put to review: no two records are ever linked to one contact.
        """
        pending = bool(action.payload)
        with self.run.state.atomic():
            known = mappings.of_pair(self.run.state, action.crm_id or "", action.finance_code or 0)
            if "mapping" in known and self._belongs_to_another(action):
                return
            self._in_step(replace(action, checksum=None, sent_checksum=None) if pending else action, known)
            self.run.note(replace(action, changes={}), AuditOutcome.DONE)
            if tell:
                self.report.tell(action)

    def _belongs_to_another(self, action: Action) -> bool:
        owner = self.mappings.of_code(action.finance_code or 0)
        if owner is None or owner.crm_id == action.crm_id:
            return False
        if action.reason == Match.RELINKED:
            self.mappings.remove(owner.crm_id)
            return False
        if self._gives_way(owner, action.details.get("known", {}).get("record_id", "")):
            give_way(self.run, owner)
            return False
        message = msg("reason.double_in_crm_like", code=action.finance_code, crm_id=owner.crm_id)
        details = {**action.details, "candidates": [], "other_crm_ids": [owner.crm_id]}
        self.reviewed(_as_review(action, Reason.DOUBLE_IN_CRM, message, details))
        return True

    def in_step(self, pair: CustomerMapping) -> None:
        """A linked customer was compared and nothing differs. An update in doubt has arrived, then."""
        known = self.mappings.of_crm(pair.crm_id)
        loose = mappings.of_pair(self.run.state, pair.crm_id, pair.finance_code) - {"mapping"}
        if pair == known and not loose:
            return
        with self.run.state.atomic():
            self.mappings.mark_in_sync(pair, self.run.at())
            if "undone" in loose:
                undo.forget_marks(self.run.state, pair.crm_id, pair.checksum)
            subject = _subject_of(pair)
            for intent in unsettled_of(self.run.state, subject):
                if intent.action.operation is Operation.RESTORE:  # what an undo sent, and the pair rests on
                    continue
                arrived = msg("sync.arrived_after_all")
                close_intent(self.run, intent.id, IntentState.CONFIRMED, arrived)
                self.run.note(intent.action, AuditOutcome.DONE, message=arrived)
            retries.release(self.run.state, subject)
            self._end_recreate(subject)
            reviews.auto_resolve(self.run, subject)

    def reviewed(self, action: Action) -> None:
        """Puts a record to review."""
        with self.run.state.atomic():
            self._end_recreate(action)
            verdict = reviews.put(self.run, action)
            retries.release(self.run.state, action)
            if verdict == "discarded":
                self.report.tell(replace(action, operation=Operation.SKIP, reason=Reason.DISCARDED))
                return
            if verdict == "new":
                self.report.new_reviews += 1
                self.run.note(action, AuditOutcome.REVIEW)
            self.report.tell(action)

    def skipped(self, action: Action) -> None:
        """Passes over a record on purpose, and remembers why."""
        with self.run.state.atomic():
            if retries.note_skip(self.run, action):
                self.run.note(action, AuditOutcome.SKIPPED)
            reviews.auto_resolve(self.run, action)
            self.report.tell(action)

    def failed(self, action: Action, reason: str, message: Message) -> None:
        """This run could not do it. It waits for another try, or, after the usual tries, for a person."""
        action = as_write(action)
        with self.run.state.atomic():
            if action.reason == Match.RECREATED:
                self._not_recreated(action, message)
                return
            # A create in doubt is waited for; how often it was sent, the look-ups count.
            is_try = reason != Reason.UNKNOWN_OUTCOME
            attempts = retries.schedule_retry(self.run, action, reason, message, failed=is_try)
            self.run.note(action, AuditOutcome.FAILED, message=message, reason=reason)
            if attempts < self.max_attempts:
                self.report.tell_failure(action, reason, message)
                return
            final = reason if reason in reviews.FINAL_REASONS else Reason.REFUSED
            last = msg("sync.tried_without_success", attempts=attempts, last=message)
            details = {**action.details, "payload": dict(action.payload)}
            self.reviewed(_as_review(action, final, last, details))

    def _wanted_anew(self, action: Action) -> StoredDecision | None:
        """A person's decision to make the lost contact of this record anew."""
        return reviews.find(self.run.state, action, Resolution.RECREATE)

    def _end_recreate(self, action: Action, *, done: bool = False) -> None:
        """That decision was carried out, or it does not fit any more."""
        stored = self._wanted_anew(action)
        if stored and done:
            reviews.carried_out(self.run, stored)
        elif stored:
            reviews.drop(self.run.state, stored.review.id)

    def _not_recreated(self, action: Action, message: Message) -> None:
        """The question about a lost contact stays open and says why no new one could be made; a person decides again."""
        self.run.note(action, AuditOutcome.FAILED, message=message, reason=Reason.REFUSED)
        retries.release(self.run.state, action)
        if stored := self._wanted_anew(action):
            self._end_recreate(action)
            code = stored.review.finance_code
            told = msg("reason.contact_replaced_not_recreated", code=code, why=message)
            reviews.put(self.run, replace(stored.review.as_action(), reason=stored.review.reason, message=told))
        self.report.tell_failure(action, Reason.REFUSED, message)

    def gone(self, entry: retries.Retry) -> None:
        """A record that waited for another try is not in the CRM any more: nothing is left to do for it."""
        subject = Action(
            Operation.SKIP, entry.entity, entry.target, entry.record, entry.kind, entry.customer_number, entry.record,
            name=entry.name, reason=Reason.GONE, message=msg("reason.gone"),
        )  # fmt: skip
        with self.run.state.atomic():
            retries.release(self.run.state, subject)
            if entry.reason == Reason.WEBHOOK:
                webhook_queue.in_vain(self.run, entry.record)
            self._end_recreate(subject)
            reviews.auto_resolve(self.run, subject)
            self.run.note(subject, AuditOutcome.SKIPPED)
            self.report.tell(subject)

    def many(self, actions: Iterable[Any], record: Callable[[Any], None]) -> None:
        """Records items that nothing is sent for, many in one commit.

        A kill loses the last commit's worth of them at most, and they are planned again in the next run.
        """
        items = iter(actions)
        while batch := list(islice(items, BATCH)):
            with self.run.state.atomic():
                for item in batch:
                    record(item)

    def _in_step(self, action: Action, known: set[str] | None = None) -> None:
        """The pair is linked and both sides agree; nothing about it is left open. `known` are its loose ends."""
        if known is None:
            known = mappings.of_pair(self.run.state, action.crm_id or "", action.finance_code or 0)
        self._link(action, known)
        if known - {"mapping"}:
            self._release(action)

    def _makes_room(self, done: Action) -> bool:
        """Whether the contact that a create made can be linked: no other record has it, and its own has none or wanted another.
        Who had the code before, and lost the contact under it, gives way."""
        owner = self.mappings.of_code(done.finance_code or 0)
        if owner and owner.crm_id != done.crm_id:
            if not self._gives_way(owner):
                return False
            give_way(self.run, owner)
        return done.reason == Match.RECREATED or self.mappings.of_crm(done.crm_id or "") is None

    def _gives_way(self, owner: CustomerMapping, record_id: str = "") -> bool:
        """Whether a link is dead: a person has to say which contact its customer gets, and this one is not what it had."""
        return reviews.asks_for_contact(self.run.state, owner.crm_id) and (
            not record_id or record_id != owner.record_id
        )

    def _link(self, action: Action, loose: set[str]) -> None:
        """Links the pair, or brings its mapping up to date, also when the contact is another one now."""
        if "undone" in loose:
            undo.forget_marks(self.run.state, action.crm_id or "", action.checksum)
        pair, linked_by, at = _pair_of(action), action.reason or str(action.operation), self.run.at()
        known = self.mappings.of_crm(pair.crm_id) if "mapping" in loose else None
        if known is None:
            self.mappings.add(pair, linked_by, at)
        elif known.finance_code != pair.finance_code or action.reason == Match.RECREATED:
            self.mappings.relink(pair, linked_by, at)
        else:
            self.mappings.mark_in_sync(pair, at)

    def has_another_contact(self, found: Action) -> bool:
        """Whether a person has decided for another contact than the one that was found to be made for this customer."""
        known = self.mappings.of_crm(found.crm_id or "")
        is_lost = reviews.asks_for_contact(self.run.state, found.record)
        return known is not None and known.finance_code != found.finance_code and not is_lost

    def _release(self, action: Action) -> None:
        """Nothing waits for, or asks about, either side of a pair any more."""
        sides = (
            replace(action, target="finance", record=action.crm_id or ""),
            replace(action, target="crm", record=str(action.finance_code)),
        )
        self._end_recreate(sides[0], done=action.reason in (Match.RECREATED, Match.LOOK_UP))
        for side in sides:
            retries.release(self.run.state, side)
            reviews.auto_resolve(self.run, side)
            for intent in unsettled_of(self.run.state, side):
                if intent.action.operation is Operation.CREATE:
                    close_intent(self.run, intent.id, IntentState.CONFIRMED, msg("sync.pair_is_linked"))


def _as_review(action: Action, reason: str, message: Message, details: Any) -> Action:
    return replace(action, operation=Operation.REVIEW, reason=reason, message=message, details=details)


def give_way(run: Run, owner: CustomerMapping) -> None:
    """Ends a link that is dead, since its code belongs to another customer now. What a person was asked about it stays open.
    Belongs inside `State.atomic`."""
    subject, why = _subject_of(owner), msg("sync.gave_way", code=owner.finance_code)
    Mappings(run.state).remove(owner.crm_id)
    for intent in unsettled_of(run.state, subject):
        if intent.action.operation is Operation.UPDATE:
            close_intent(run, intent.id, IntentState.EXPIRED, why)
    run.note(replace(subject, operation=Operation.UNLINK), AuditOutcome.DONE, message=why)


def as_write(action: Action) -> Action:
    """The write that an action stands for: a link that brings an update along is sent, and audited, as that update."""
    return replace(action, operation=Operation.UPDATE) if action.operation is Operation.LINK else action


def _quoted(words: tuple[str, ...]) -> Message | None:
    """What the other system said, in its own words."""
    return verbatim("\n".join(words)) if words else None


def _finances_own(action: Action, contact: Contact) -> Changes:
    """What Finance has made of values that were just sent to it: field -> (Finance, CRM)."""
    shown = shown_fields(contact)
    return {
        name: (shown[name], new) for name, (_, new) in action.changes.items() if name in shown and shown[name] != new
    }


def _pair_of(action: Action) -> CustomerMapping:
    assert action.crm_id is not None
    assert action.finance_code is not None
    known: Mapping[str, str] = action.details.get("known", {})
    return CustomerMapping(
        action.crm_id,
        action.finance_code,
        customer_kind(action.kind),
        action.customer_number,
        action.checksum,
        action.sent_checksum,
        known.get("record_id", ""),
        action.payload.get("national_code") or known.get("national_code", ""),
    )


def _subject_of(pair: CustomerMapping) -> Action:
    return Action(
        Operation.UPDATE, "customer", "finance", pair.crm_id, pair.kind, pair.customer_number, pair.crm_id,
        pair.finance_code,
    )  # fmt: skip
