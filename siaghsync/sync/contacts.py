"""Reads the contacts of Finance: the whole list into staging, or one by one."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from siaghsync.connectors.siagh.client import Siagh
from siaghsync.connectors.siagh.schema import contact_from_finance
from siaghsync.domain.customer import AccountParties, Contact
from siaghsync.errors import BadRecord, CallError, InDoubt, Interrupted
from siaghsync.messages.message import Message
from siaghsync.state.staging import Staging
from siaghsync.sync.context import Progress

_LIST, _ONE = "list_contacts", "show_contact"


@dataclass(frozen=True, slots=True)
class ContactList:
    """A finance list that was read. `count` leaves admin users out; `bad` are contacts that could not be understood."""

    count: int
    parties: AccountParties
    bad: list[tuple[Contact, Message]] = field(default_factory=list)


def read_contacts(finance: Siagh, staging: Staging, cancel: threading.Event, progress: Progress) -> ContactList:
    """Reads the whole finance list into staging; an older list there is replaced.

    A contact that can't be understood stays there by its code alone, so that its code does not count as free. Raises
    CallError if the answer is not a list or holds something without a code, Interrupted if a signal asked for the end.
    """
    bad: list[tuple[Contact, Message]] = []
    parties = AccountParties()
    staging.clear_contacts()
    staging.add_contacts(_noted(_contacts(finance, bad, cancel, progress), parties))
    parties.whole = True
    return ContactList(staging.count_contacts(), parties, bad)


def _noted(contacts: Iterator[Contact], parties: AccountParties) -> Iterator[Contact]:
    for contact in contacts:
        parties.note(contact)
        yield contact


def _contacts(
    finance: Siagh, bad: list[tuple[Contact, Message]], cancel: threading.Event, progress: Progress
) -> Iterator[Contact]:
    for count, raw in enumerate(finance.contacts(), 1):
        if cancel.is_set():
            raise Interrupted(130)
        if count % 1000 == 0:
            progress("reading_finance", count, None)
        try:
            yield contact_from_finance(raw)
        except BadRecord as error:
            contact = _by_code_alone(raw, error)
            bad.append((contact, error.message))
            yield contact


def _by_code_alone(raw: Mapping[str, Any], error: BadRecord) -> Contact:
    """What can be kept of a contact that can't be understood: its code."""
    code = {key.lower(): value for key, value in raw.items()}.get("code")
    try:
        return contact_from_finance({"Code": code})
    except BadRecord:
        raise _unreadable(_LIST, error) from None


def read_contact(finance: Siagh, code: int) -> Contact | CallError | None:
    """One contact as it stands now; None if Finance has none with this code; the error if it can't be read."""
    try:
        raw = finance.contact(code)
        return contact_from_finance(raw) if raw is not None else None
    except BadRecord as error:
        return _unreadable(_ONE, error)
    except CallError as error:
        return error


def _unreadable(what: str, error: BadRecord) -> InDoubt:
    return InDoubt("finance", what, "unreadable", problem=error.message)
