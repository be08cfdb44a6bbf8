"""Reads the contacts of Finance: the whole list into the scratch tables, or one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from siaghsync.connectors.siagh.contacts import contact_from_finance
from siaghsync.domain.customer import Contact
from siaghsync.errors import BadRecord, CallError, InDoubt, Interrupted
from siaghsync.sync.context import Engine


def read_contacts(engine: Engine) -> tuple[int, list[tuple[Contact, str]]]:
    """Reads the whole finance list into the scratch tables.

    Returns how many contacts it holds, admin users left out, and those that could not be understood, each with the
    reason. Such a contact stays in the tables by its code alone, so that nobody takes that code for free. Raises
    CallError if the list is no list, or holds something without a code.
    """
    bad: list[tuple[Contact, str]] = []
    engine.scratch.drop_contacts()
    engine.scratch.keep_contacts(_contacts(engine, bad))
    return engine.scratch.count_contacts(), bad


def _contacts(engine: Engine, bad: list[tuple[Contact, str]]) -> Iterator[Contact]:
    for count, raw in enumerate(engine.siagh.contacts(), 1):
        if count % 1000 == 0:
            engine.progress("reading Finance", count, None)
            if engine.stop.is_set():
                raise Interrupted(130)
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
        raise InDoubt(
            "finance", "list all contacts", "unreadable", error.message, "Look at this contact in Siagh."
        ) from None


def read_contact(engine: Engine, code: int) -> Contact | CallError | None:
    """One contact as it stands now; None if Finance has none with this code; the error if it can't be had."""
    try:
        raw = engine.siagh.contact(code)
        return contact_from_finance(raw) if raw is not None else None
    except BadRecord as error:
        return InDoubt("finance", f"read contact {code}", "unreadable", error.message, "Look at this contact in Siagh.")
    except CallError as error:
        return error
