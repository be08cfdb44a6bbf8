"""What should happen to a CRM customer in Finance: decision tables, one branch for each situation in the world.

The rules are "Identity" and "CRM wins" of the program. Whatever the rules don't decide becomes a review with a stable
reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from siaghsync.domain.action import AGAIN, Action, Changes
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, kept_checksum, shown_fields
from siaghsync.domain.evidence import agree, contradict, evidence
from siaghsync.domain.fields import FIELDS, READ_BACK, TABLE, FieldKind
from siaghsync.domain.normalize import clean, national_key, same_meaning, split_marker, with_marker
from siaghsync.domain.reasons import Match, Operation, Reason
from siaghsync.domain.rehearsal import is_test_record
from siaghsync.errors import System
from siaghsync.messages.message import Message, msg
from siaghsync.planning.cases import ContactCandidate, CustomerCase, PlanRules, about_customer, view_of

Longest = Callable[[str], int]
"""Field -> how many letters the longest value has that any contact of Finance shows in it; 0 if that is not known."""
NOTHING_KNOWN: Longest = Counter[str]().__getitem__

# --- a customer that is not linked -------------------------------------------------------------------------


def plan_customer(case: CustomerCase, rules: PlanRules) -> Action:
    """What becomes of a CRM customer that is not linked yet: link, create, skip or review."""
    customer = case.customer
    if is_test_record(*customer.names):
        return _skip(customer, Reason.TEST_RECORD, msg("reason.test_record"))
    if not rules.takes(customer):
        if not customer.number:
            return _skip(customer, Reason.NO_NUMBER, msg("reason.no_number"))
        return _skip(customer, Reason.FOREIGN_NUMBER, msg("reason.foreign_number", number=customer.number))
    if case.number_twins:
        return review_customer(case, Reason.NUMBER_TWICE, msg("reason.number_twice", number=customer.number))
    return (
        _by_inheritance(case, rules)
        or _by_marker(case, rules)
        or _by_code(case, rules)
        or _by_identity(case, rules)
        or _by_likeness(case)
        or _by_held_marker(case)
        or create_contact(customer, rules)
    )


def _by_inheritance(case: CustomerCase, rules: PlanRules) -> Action | None:
    """The record that had the number is gone from the CRM: a customer that was deleted and entered again keeps its contact."""
    if case.heir_of is None:
        return None
    if not agree(case.customer, case.heir_of):
        message = msg("reason.stranger", code=case.heir_of.code, number=case.customer.number)
        return review_customer(replace(case, by_code=ContactCandidate(case.heir_of)), Reason.STRANGER, message)
    return link(case.customer, case.heir_of, Match.RELINKED, rules)


def _by_marker(case: CustomerCase, rules: PlanRules) -> Action | None:
    free = [c for c in case.by_marker if c.taken_by is None and not c.contact.admin]
    if len(free) > 1:
        message = msg("reason.several_candidates_mark", number=case.customer.mark)
        return review_customer(case, Reason.SEVERAL_CANDIDATES, message)
    if not free:
        return None
    contact = free[0].contact
    if not agree(case.customer, contact):  # numbers are given anew and exchanged: a mark alone is no proof
        message = msg("reason.stranger_mark", code=contact.code, number=case.customer.mark)
        return review_customer(case, Reason.STRANGER, message)
    return link(case.customer, contact, Match.MARKER, rules)


def _by_code(case: CustomerCase, rules: PlanRules) -> Action | None:
    candidate = case.by_code
    if candidate is None or candidate.taken_by is not None:
        return None  # somebody else: the two systems number new customers independently
    if candidate.contact.admin or not agree(case.customer, candidate.contact):
        message = msg("reason.stranger", code=candidate.contact.code, number=case.customer.number)
        return review_customer(case, Reason.STRANGER, message)
    return link(case.customer, candidate.contact, Match.NUMBER, rules)


def _by_identity(case: CustomerCase, rules: PlanRules) -> Action | None:
    found = [c for c in case.by_identity if not c.contact.admin and not evidence(case.customer, c.contact).contradicts]
    if taken := [c for c in found if c.taken_by is not None]:
        return _double_in_crm(case, taken[0])
    if len(found) > 1:
        return review_customer(case, Reason.SEVERAL_CANDIDATES, msg("reason.several_candidates"))
    if case.identity_twins and (found or not case.first_twin):
        message = msg("reason.double_in_crm_twin", crm_id=case.identity_twins[0])
        return review_customer(case, Reason.DOUBLE_IN_CRM, message)
    return link(case.customer, found[0].contact, Match.NATIONAL_CODE, rules) if found else None


def _double_in_crm(case: CustomerCase, taken: ContactCandidate) -> Action:
    message = msg("reason.double_in_crm", code=taken.contact.code, crm_id=taken.taken_by)
    return review_customer(case, Reason.DOUBLE_IN_CRM, message)


def _by_likeness(case: CustomerCase) -> Action | None:
    """Two of name, national code and phone under another number are too much for a silent create and too little for a link."""
    found = [c for c in case.by_likeness if not c.contact.admin and evidence(case.customer, c.contact).agrees_in_two]
    if not found or case.is_new:
        return None
    if taken := [c for c in found if c.taken_by is not None]:
        message = msg("reason.double_in_crm_like", code=taken[0].contact.code, crm_id=taken[0].taken_by)
        return review_customer(case, Reason.DOUBLE_IN_CRM, message)
    codes = ", ".join(str(c.contact.code) for c in found)
    return review_customer(case, Reason.POSSIBLE_DUPLICATE, msg("reason.possible_duplicate", codes=codes))


def _by_held_marker(case: CustomerCase) -> Action | None:
    """A contact that bears the customer's mark and agrees, but is linked to another record: a code that was given again can come
    to be under a link that is dead. A second contact would be a double."""
    held = [c for c in case.by_marker if c.taken_by is not None and agree(case.customer, c.contact)]
    return _double_in_crm(case, held[0]) if held else None


def create_contact(customer: Customer, rules: PlanRules) -> Action:
    """The create of a contact for a customer; a review if it has no name."""
    if "name" not in customer.fields:
        return review_customer(CustomerCase(customer), Reason.NO_NAME, msg("reason.no_name"))
    return about_customer(
        Operation.CREATE,
        customer,
        changes={name: (None, value) for name, value in customer.fields.items()},
        payload=contact_payload(customer, None, mark=rules.mark),
        checksum=customer.checksum,
        sent_checksum=customer.fields_checksum,
        notes=customer.notes,
    )


def _skip(customer: Customer, reason: Reason, message: Message) -> Action:
    return about_customer(Operation.SKIP, customer, reason=reason, message=message)


def review_customer(case: CustomerCase, reason: Reason, message: Message) -> Action:
    """A question about a CRM customer that shows its candidates."""
    customer = case.customer
    by_code = (case.by_code,) if case.by_code else ()
    candidates = {c.contact.code: c for c in (*case.by_marker, *by_code, *case.by_identity, *case.by_likeness)}
    return about_customer(
        Operation.REVIEW,
        customer,
        reason=reason,
        message=message,
        checksum=customer.checksum,
        details={
            "customer": view_of(customer),
            "candidates": [{**view_of(c.contact), "taken_by": c.taken_by} for c in candidates.values()],
            "other_crm_ids": [*case.number_twins, *case.identity_twins],
            "more_crm_ids": case.more_twins,
        },
    )


# --- a linked customer -------------------------------------------------------------------------------------


def differences(customer: Customer, contact: Contact) -> Changes:
    """Each field that the CRM has a value for and Finance shows another value of: name -> (Finance, CRM)."""
    shown = shown_fields(contact)
    return {name: (shown[name], value) for name, value in customer.fields.items() if shown[name] != value}


def contact_known(contact: Contact, mapping: CustomerMapping | None = None) -> dict[str, str]:
    """What a linked contact is known by, for the details of an action that ends with the pair in step."""
    record_id = contact.record_id or (mapping.record_id if mapping else "")
    return {"record_id": record_id, "national_code": contact.national_code}


def is_somebody_else(mapping: CustomerMapping, contact: Contact, customer: Customer | None = None) -> bool:
    """Whether the code of a linked contact has come to belong to somebody else (contract siagh §3.1).

    Where its RecordId is not known, by what the mapping last knew of it; a mapping that knows nothing yet goes by the customer.
    A new code of the customer may have arrived in Finance without a clear answer, so it speaks for the contact. A RecordId that
    is seen for the first time needs something that speaks for the contact: a contact that a sync made is not looked at again
    for long.
    """
    if mapping.record_id and contact.record_id:
        return mapping.record_id != contact.record_id
    ours = customer.national_code if customer else ""
    known = ours if mapping.national_code is None else mapping.national_code
    is_ours = bool(ours) and national_key(ours) == national_key(contact.national_code)
    if contradict(mapping.kind, ours if is_ours else known, contact):
        return True
    if not contact.record_id or customer is None or is_recognised(mapping, contact):
        return False
    found = evidence(customer, contact)
    return not (found.name or found.code or found.phone)


def is_new_to(mapping: CustomerMapping, contact: Contact) -> bool:
    """Whether only the customer itself can tell if the contact is still the one that the mapping means."""
    if mapping.record_id:
        return False
    return mapping.national_code is None or (bool(contact.record_id) and not is_recognised(mapping, contact))


def is_recognised(mapping: CustomerMapping, contact: Contact) -> bool:
    """Whether the mark or the national code of a contact says that it is the one that the mapping knows."""
    is_marked = bool(contact.marker) and contact.marker in (mapping.customer_number, mapping.crm_id)
    code = national_key(mapping.national_code or "")
    return is_marked or (bool(code) and code == national_key(contact.national_code))


def plan_linked(
    customer: Customer, contact: Contact, mapping: CustomerMapping, rules: PlanRules, longest: Longest = NOTHING_KNOWN
) -> Action | None:
    """The update that brings the linked contact in step with the CRM, or None if nothing would change."""
    differing = differences(customer, contact)
    changes = {**differing, **_new_number(customer, contact, mapping)}
    sent = customer.fields_checksum
    if not changes:
        return None
    if changes == differing and _is_finances_own(customer, contact, mapping, longest):
        return None
    return about_customer(
        Operation.UPDATE,
        customer,
        mapping,
        changes=changes,
        payload=contact_payload(customer, contact, mark=rules.mark),
        checksum=customer.checksum,
        sent_checksum=sent,
        notes=customer.notes,
        details={"known": contact_known(contact, mapping), **({AGAIN: True} if mapping.sent_checksum == sent else {})},
    )


def settled_checksum(customer: Customer, contact: Contact, mapping: CustomerMapping) -> str:
    """The `sent_checksum` of a pair that is in step: it goes on telling what Finance has made of the values."""
    kept = kept_checksum(customer.fields_checksum, differences(customer, contact))
    return kept if mapping.sent_checksum == kept else customer.fields_checksum


def _is_finances_own(customer: Customer, contact: Contact, mapping: CustomerMapping, longest: Longest) -> bool:
    """Whether the differences are what Finance makes of these very values, which it got before: they are not sent again."""
    changes = differences(customer, contact)
    if mapping.sent_checksum == kept_checksum(customer.fields_checksum, changes):
        return True
    return mapping.sent_checksum == customer.fields_checksum and all(
        same_meaning(name, old or "", new or "") or _is_shortened(name, new or "", customer, contact, longest)
        for name, (old, new) in changes.items()
    )


def _is_shortened(name: str, value: str, customer: Customer, contact: Contact, longest: Longest) -> bool:
    """Whether Finance keeps the beginning of a text only. Where another contact has a longer one, somebody has cut it instead."""
    shown = contact.fields[name]
    if not shown or FIELDS[name].kind not in (FieldKind.TEXT, FieldKind.NOTES) or longest(name) > len(shown):
        return False
    sent = (value, with_marker(value, customer.number)) if name == "notes" else (value,)
    return any(text.startswith(shown) for text in sent)


def _new_number(customer: Customer, contact: Contact, mapping: CustomerMapping) -> Changes:
    """The mark in a contact's notes follows the customer's number; a mark that differs otherwise is no reason to write."""
    known = contact.marker if contact.marker == customer.crm_id else mapping.customer_number  # it had no number then
    follows = customer.number and contact.marker and customer.number not in (known, contact.marker)
    return {"number": (contact.marker, customer.number)} if follows else {}


def contact_is_lost(customer: Customer, mapping: CustomerMapping, stranger: Contact | None) -> Action:
    """The review for a linked customer whose contact Finance does not show any more, or only a stranger under its code."""
    reason = Reason.CONTACT_REPLACED if stranger else Reason.MISSING_IN_FINANCE
    name = stranger.name if stranger else ""
    return about_customer(
        Operation.REVIEW,
        customer,
        mapping,
        reason=reason,
        message=msg(f"reason.{reason}", code=mapping.finance_code, **({"name": name} if stranger else {})),
        checksum=customer.checksum,
        details={"customer": view_of(customer), "candidates": [view_of(stranger)] if stranger else []},
    )


def recreate_contact(case: CustomerCase, rules: PlanRules) -> Action:
    """What a person chose for a linked customer whose contact is lost: a create; a review if it has no name. A contact of its own
    stands there already where a create before went astray: it is linked, or asked about, as a second would be a double."""
    own = replace(case, by_marker=[c for c in case.by_marker if agree(case.customer, c.contact)], identity_twins=())
    if found := _by_marker(own, rules) or _by_identity(own, rules) or _by_held_marker(own):
        return found
    action = create_contact(case.customer, rules)
    return replace(action, reason=Match.RECREATED) if action.operation is Operation.CREATE else action


# --- both --------------------------------------------------------------------------------------------------


def link(customer: Customer, contact: Contact, match: Match, rules: PlanRules, *, target: System = "finance") -> Action:
    """The link of a pair. `match` says how the pair was found, `target` which system the run writes to.

    If the two sides differ in more than spelling, a link of a sync carries the `changes` and the `payload` of the update
    that follows it, and its checksums hold once that update is done. An import writes nothing to Finance: its link has no
    checksums then, so that the next sync compares the pair. Whoever was entered again under another number has that put into
    the mark, or two contacts could come to bear the same one.
    """
    changes = differences(customer, contact)
    if match is Match.RELINKED and customer.number and contact.marker not in ("", customer.number):
        changes = {**changes, "number": (contact.marker, customer.number)}
    in_step = _only_spelling(changes)
    follows = not in_step and target == "finance"
    settled = in_step or follows
    return Action(
        operation=Operation.LINK,
        entity="customer",
        target=target,
        record=customer.crm_id if target == "finance" else str(contact.code),
        kind=customer.kind,
        customer_number=customer.number,
        crm_id=customer.crm_id,
        finance_code=contact.code,
        name=customer.name or contact.name,
        changes=changes if follows else {},
        payload=contact_payload(customer, contact, mark=rules.mark) if follows else {},
        reason=match,
        checksum=customer.checksum if settled else None,
        sent_checksum=customer.fields_checksum if settled else None,
        notes=customer.notes if follows else (),
        details={"known": contact_known(contact), "names": {"crm": customer.name, "finance": contact.name}},
    )


def contact_payload(customer: Customer, contact: Contact | None, *, mark: bool) -> dict[str, str]:
    """Every field that is sent so that `contact` (None: a new one) shows what the CRM shows; keys as `domain.fields.TABLE`.

    Fields that the CRM has no value for are sent back as they were read, since the form blanks what is left out. `mark` puts
    the mark of the customer at the end of a new contact's notes; an existing contact keeps having one, or none.
    """
    blank = dict.fromkeys((row.name for row in READ_BACK), "") | {"active": "1"}
    values = {**(contact.fields if contact else blank), **customer.fields, "number": customer.number}
    payload = {row.name: clean(values[row.name]) for row in TABLE}
    notes = customer.fields.get("notes", split_marker(payload["notes"])[0])
    carries_mark = bool(contact.marker) if contact else mark
    # A pair keeps its link when the CRM record loses its number. The old mark is still right then.
    named = customer.number or (contact.marker if contact else customer.mark)
    payload["notes"] = with_marker(notes, named) if carries_mark else notes
    return payload


def _only_spelling(changes: Changes) -> bool:
    return all(same_meaning(name, old or "", new or "") for name, (old, new) in changes.items())
