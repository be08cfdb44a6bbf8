"""The way back of one run: what can be undone as it stands now, and what is left for a person."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Any

from siaghsync.domain.action import Action, Changes
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, shown_fields
from siaghsync.domain.normalize import same_meaning, split_marker, with_marker
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.domain.site import Site
from siaghsync.domain.undo import Done
from siaghsync.errors import CallError
from siaghsync.messages.message import Message, msg
from siaghsync.planning.customers import contact_payload, is_somebody_else
from siaghsync.planning.import_ import expected_customer


@dataclass(frozen=True, slots=True)
class Now:
    """How one customer stands now. `record` and `contact` are None if the system has none, the error if it can't be read.

    `created` is when the CRM says that the record was made, as it writes dates, `linked_at` when the pair was linked
    (a stored text); `documents` says that one was posted.
    """

    mapping: CustomerMapping | None
    record: Customer | CallError | None = None
    contact: Contact | CallError | None = None
    created: str | None = None
    linked_at: str | None = None
    documents: bool = False


def plan_undo(done: Done, now: Now, site: Site) -> Iterator[Action]:
    """What is to be done about one customer: `restore`, `delete`, `unlink`; and, as `skip` with a reason, what is left."""
    if done.changes:
        yield from _restore(done, now)
    if done.created and done.target == "finance":
        yield _left(done, Reason.UNDO_CONTACT_CREATED, code=done.finance_code)
    elif done.created:
        yield from _delete(done, now, site)
    elif done.linked_at and now.linked_at and now.linked_at <= done.linked_at and _is_linked(done, now):
        if now.documents:
            yield _left(done, Reason.UNDO_HAS_DOCUMENTS)
        else:
            yield about(done, Operation.UNLINK)


def _is_linked(done: Done, now: Now) -> bool:
    return now.mapping is not None and now.mapping.finance_code == done.finance_code


# --- contacts ----------------------------------------------------------------------------------------------


def _restore(done: Done, now: Now) -> Iterator[Action]:
    contact, mapping = now.contact, now.mapping
    if isinstance(contact, CallError):
        yield replace(_left(done, contact.reason), message=contact.message)
        return
    if contact is None or mapping is None or not _is_linked(done, now):
        yield _left(done, Reason.UNDO_CONTACT_GONE, code=done.finance_code)
        return
    if is_somebody_else(mapping, contact):
        yield _left(done, Reason.UNDO_CONTACT_GONE, code=done.finance_code)
        return
    back, since = sort_out(done.changes, {**shown_fields(contact), "number": contact.marker})
    if since:
        yield replace(_left(done, Reason.UNDO_CHANGED_SINCE, code=done.finance_code), changes=since)
    if back and isinstance(now.record, CallError):
        yield replace(_left(done, now.record.reason), message=now.record.message)
    elif back:
        checksum = now.record.checksum if isinstance(now.record, Customer) else None
        yield about(done, Operation.RESTORE, changes=back, payload=_payload(done, contact, back), checksum=checksum)


def sort_out(changes: Changes, shown: dict[str, str]) -> tuple[Changes, Changes]:
    """(what is still as the run left it and goes back, what somebody changed since), each as field -> (now, before the run).

    What shows its old value already is in neither.
    """
    back: dict[str, tuple[str | None, str | None]] = {}
    since: dict[str, tuple[str | None, str | None]] = {}
    for name, (old, new) in changes.items():
        value = shown.get(name, "")
        if value == (old or ""):
            continue
        still = same_meaning(name, value, new or "")
        (back if still else since)[name] = (value, old or "")
    return back, since


def _payload(done: Done, contact: Contact, back: Changes) -> dict[str, str]:
    values = {name: old or "" for name, (_, old) in back.items() if name != "number"}
    number = back["number"][1] if "number" in back else contact.marker
    as_it_was = Customer("", done.kind, number or done.number, (), "", (), values)
    return contact_payload(as_it_was, contact, mark=False)


# --- CRM records -------------------------------------------------------------------------------------------


def _delete(done: Done, now: Now, site: Site) -> Iterator[Action]:
    if isinstance(now.record, CallError):
        yield replace(_left(done, now.record.reason), message=now.record.message)
    elif done.crm_id is None:
        yield _left(done, Reason.UNDO_IN_DOUBT)
    elif now.documents:
        yield _left(done, Reason.UNDO_HAS_DOCUMENTS)
    elif now.record is None:
        if now.mapping and now.mapping.crm_id == done.crm_id:
            yield about(done, Operation.UNLINK)
    elif _was_touched(done, now.record, now.created, site):
        yield _left(done, Reason.UNDO_EDITED_SINCE)
    else:
        yield about(done, Operation.DELETE, changes={name: (text, None) for name, text in done.sent.items() if text})


def _was_touched(done: Done, record: Customer, created: str | None, site: Site) -> bool:
    """By its date, and by the values that the run gave it; mere spelling aside."""
    if created and record.modified and created != record.modified:
        return True
    expected = expected_customer(_as_payload(done), site)
    names = {*expected.fields, *record.fields}
    differs = any(not same_meaning(n, record.fields.get(n, ""), expected.fields.get(n, "")) for n in names)
    return differs or record.number != expected.number or record.kind != expected.kind


def _as_payload(done: Done) -> dict[str, Any]:
    """The payload of the create again, out of what the audit trail shows of it."""
    labels = {"mobile": "mobile", "phone": "office", "mobile2": "mobile", "phone2": "office"}
    phones = [[label, done.sent[name]] for name, label in labels.items() if done.sent.get(name)]
    return {"kind": done.kind, "name": "", "number": done.number, **done.sent, "phones": phones}


# --- afterwards --------------------------------------------------------------------------------------------


def without(customer: Customer, resting: Collection[str]) -> Customer:
    """The customer as if the CRM had no value for what was undone: Finance keeps what it has."""
    if not resting:
        return customer
    return replace(customer, fields={name: value for name, value in customer.fields.items() if name not in resting})


def at_rest(link: Action, resting: Collection[str]) -> Action:
    """A link without the values that were undone."""
    kept = {name: link.changes[name][0] or "" for name in resting if name in link.changes}
    if not kept:
        return link
    payload = {**link.payload, **kept}
    if marker := split_marker(link.payload["notes"])[1]:
        payload["notes"] = with_marker(
            payload["notes"] if "notes" in kept else split_marker(payload["notes"])[0], marker
        )
    changes = {name: pair for name, pair in link.changes.items() if name not in kept}
    return replace(link, changes=changes, payload=payload if changes else {})


# --- both --------------------------------------------------------------------------------------------------


def posted(number: str, crm_id: str | None, finance_number: int | None, kind: Any) -> Action:
    """A document that the run posted, or may have posted: no program can take it back."""
    message = msg("reason.undo_posted", number=number, preinvoice=finance_number or "?")
    return Action(
        Operation.SKIP, "invoice", "finance", crm_id or "", kind, "", crm_id, finance_number, number,
        reason=Reason.UNDO_POSTED, message=message,
    )  # fmt: skip


def about(done: Done, operation: Operation, **more: Any) -> Action:
    """An action about a customer that a run did something to."""
    record = done.crm_id if done.target == "finance" else str(done.finance_code)
    target = "finance" if operation is Operation.RESTORE else done.target
    return Action(
        operation, "customer", target, record or "", done.kind, done.number, done.crm_id, done.finance_code, done.name,
        **more,
    )  # fmt: skip


def _left(done: Done, reason: str, **params: Any) -> Action:
    message: Message = msg(f"reason.{reason}", **params)
    return about(done, Operation.SKIP, reason=reason, message=message)
