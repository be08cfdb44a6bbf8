"""Settles the writes that Siagh refused because another contact has the phone number.

Siagh does not say which contact that is; its list does, so that is read once, after everything else about customers is written.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.messages.message import Message, msg
from siaghsync.planning.phones import (
    PHONES,
    Place,
    Refusal,
    exchanging,
    holders_of,
    key_of,
    out_of_reach,
    set_at_last,
    set_free,
    withheld,
)
from siaghsync.sync.contacts import read_contact, read_contacts
from siaghsync.sync.context import RunContext
from siaghsync.sync.executor import Executor

_LABEL = "updating_contacts"


@dataclass(slots=True)
class TakenPhones:
    """Works off the refusals of one run. `whole` says that a record gets all of its change or nothing, as a saved plan wants."""

    context: RunContext
    executor: Executor
    whole: bool
    waiting: dict[str, Refusal] = field(default_factory=dict)
    """By the record that the write is for."""
    holders: dict[Place, set[int]] = field(default_factory=lambda: defaultdict(set))
    keeps_empty: bool = False
    """Whether the server was seen to keep a field that is sent empty."""
    tried: set[tuple[str, tuple[str, ...]]] = field(default_factory=set)
    """Records that were sent again because nobody had the numbers in these fields any more."""

    def settle(self, refusals: Iterable[Refusal]) -> None:
        """Sends what can be sent by now, and lets the rest wait with a message that says who has the number.

        Raises as `Executor.carry_out` does, and CallError if the list can't be read.
        """
        self.waiting = {refusal.action.record: refusal for refusal in refusals}
        self._find_holders()
        while self._send_freed() or self._exchange() or self._withhold():
            self.context.stop_if_cancelled()
        for refusal in self.waiting.values():
            self.executor.outcomes.failed(refusal.action, Reason.PHONE_TAKEN, self._who_has(refusal))

    def _find_holders(self) -> None:
        read_contacts(self.context.finance, self.context.staging, self.context.cancel, self.context.progress)
        keys = {key for refusal in self.waiting.values() for _, key in refusal.wanted()}
        for contact in self.context.staging.all_contacts():
            for name in PHONES:
                if (key := key_of(contact.fields[name])) in keys:
                    self.holders[name, key].add(contact.code)

    def _send_freed(self) -> bool:
        """Sends again what nobody else has any more, each once. Says whether there was any."""
        freed = [
            refusal
            for record, refusal in self.waiting.items()
            if (record, refusal.fields) not in self.tried and not holders_of(refusal, self.holders)
        ]
        self.tried.update((refusal.action.record, refusal.fields) for refusal in freed)
        refused = {refusal.action.record: refusal for refusal in self._send([refusal.action for refusal in freed])}
        for refusal in freed:
            if refusal.action.record not in refused:
                self._let_go(self.waiting.pop(refusal.action.record))
        self.waiting.update(refused)
        return bool(freed)

    def _exchange(self) -> bool:
        """Lets one of those who wait for each other give up its number first. Says whether that went well."""
        first = None if self.whole or self.keeps_empty else exchanging(self._updates(), self.holders)
        if first is None:
            return False
        action, message = set_free(first), msg("reason.phone_taken_set_free")
        self._send([replace(action, message=message)])
        now = read_contact(self.context.finance, action.finance_code or 0)
        if not isinstance(now, Contact) or any(now.fields[name] != action.payload[name] for name in PHONES):
            self.keeps_empty = True  # a server that keeps what is sent empty: everybody keeps what they have
            return False
        self._let_go(first)
        self.waiting[action.record] = replace(first, action=set_at_last(first.action))
        return True

    def _send(self, actions: list[Action]) -> list[Refusal]:
        return self.executor.carry_out(actions, len(actions), _LABEL).refused if actions else []

    def _let_go(self, refusal: Refusal) -> None:
        for place in refusal.given_up():
            self.holders[place].discard(refusal.action.finance_code or 0)

    def _withhold(self) -> bool:
        """Leaves out of the writes the numbers that they can't get. Says whether there were any."""
        updates = {} if self.keeps_empty else self._updates()
        waiting = [] if self.whole else list(self.waiting.items())
        found = [(record, r, out_of_reach(r, updates, self.holders)) for record, r in waiting]
        for record, refusal, fields in found:
            if fields:
                self._leave_out(record, refusal, fields)
        return any(fields for *_, fields in found)

    def _leave_out(self, record: str, refusal: Refusal, fields: set[str]) -> None:
        message = self._who_has(replace(refusal, fields=tuple(sorted(fields))))
        if part := withheld(refusal, fields):
            left = tuple(name for name in refusal.fields if name not in fields)
            self.waiting[record] = Refusal(replace(part, message=message), left)
        else:
            del self.waiting[record]
            self.executor.outcomes.failed(refusal.action, Reason.PHONE_TAKEN, message)

    def _updates(self) -> dict[int, Refusal]:
        """The refused updates by the codes of their contacts."""
        waiting = self.waiting.values()
        return {
            r.action.finance_code: r
            for r in waiting
            if r.action.finance_code and r.action.operation is not Operation.CREATE
        }

    def _who_has(self, refusal: Refusal) -> Message:
        codes = set().union(*holders_of(refusal, self.holders).values())
        contact, name = self.context.staging.contact(min(codes, default=0)), refusal.fields[0]
        phone = refusal.action.payload[name]
        if contact is None:
            return msg("reason.phone_taken_by_unknown", field=name, phone=phone)
        return msg("reason.phone_taken", field=name, phone=phone, code=contact.code, name=contact.name)
