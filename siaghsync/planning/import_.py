"""What should happen to a finance contact in the CRM, at the initial import.

The counterpart of `planning.customers`, with the same rules read in the other direction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer, customer_kind, fields_for_finance
from siaghsync.domain.evidence import agree, evidence
from siaghsync.domain.fields import IN_ADDRESS, IN_RECORD, PLACES
from siaghsync.domain.normalize import ascii_digits, clean, split_marker
from siaghsync.domain.reasons import Match, Operation, Reason
from siaghsync.domain.rehearsal import is_test_record
from siaghsync.domain.site import NO_SITE, Site
from siaghsync.messages.message import Message, msg
from siaghsync.planning.cases import ContactCase, CustomerCandidate, PlanRules, about_contact, view_of
from siaghsync.planning.customers import contact_known, link


def plan_contact(case: ContactCase, rules: PlanRules) -> Action:
    """What becomes of a finance contact that is not linked yet: link, create, skip or review."""
    contact = case.contact
    if contact.admin:
        return _skip(contact, Reason.ADMIN_USER, rules)
    if is_test_record(*contact.names):
        return _skip(contact, Reason.TEST_RECORD, rules)
    if not contact.active and not rules.import_inactive:
        return _skip(contact, Reason.INACTIVE, rules)
    return (
        _by_marker(case, rules)
        or _by_number(case, rules)
        or _by_identity(case, rules)
        or _by_likeness(case, rules)
        or _create_record(contact, rules)
    )


def _by_marker(case: ContactCase, rules: PlanRules) -> Action | None:
    number = case.contact.marker
    if (doubled := _number_twice(case, case.by_marker, number, rules)) or not case.by_marker:
        return doubled
    only = case.by_marker[0]
    if only.taken_by is not None:
        message = msg("reason.double_in_finance_mark", number=number, code=only.taken_by)
        return _review(case, Reason.DOUBLE_IN_FINANCE, message, rules)
    if not agree(only.customer, case.contact):
        return _review(case, Reason.STRANGER, msg("reason.stranger_in_crm_mark", number=number), rules)
    return link(only.customer, case.contact, Match.MARKER, rules, target="crm")


def _by_number(case: ContactCase, rules: PlanRules) -> Action | None:
    number = rules.scheme.encode(case.contact.code)
    if (doubled := _number_twice(case, case.by_number, number, rules)) or not case.by_number:
        return doubled
    only = case.by_number[0]
    if only.taken_by is not None:
        return _review(case, Reason.NUMBER_TAKEN, msg("reason.number_taken", number=number, code=only.taken_by), rules)
    if not agree(only.customer, case.contact):
        return _review(case, Reason.STRANGER, msg("reason.stranger_in_crm", number=number), rules)
    return link(only.customer, case.contact, Match.NUMBER, rules, target="crm")


def _number_twice(
    case: ContactCase, found: Sequence[CustomerCandidate], number: str, rules: PlanRules
) -> Action | None:
    if len(found) < 2:
        return None
    return _review(case, Reason.NUMBER_TWICE, msg("reason.number_twice", number=number), rules)


def _by_identity(case: ContactCase, rules: PlanRules) -> Action | None:
    found = [c for c in case.by_identity if not evidence(c.customer, case.contact).contradicts]
    if taken := [c for c in found if c.taken_by is not None]:
        message = msg("reason.double_in_finance", code=taken[0].taken_by)
        return _review(case, Reason.DOUBLE_IN_FINANCE, message, rules)
    if len(found) > 1:
        return _review(case, Reason.SEVERAL_CANDIDATES, msg("reason.several_candidates_crm"), rules)
    if case.identity_twins and (found or not case.first_twin):
        message = msg("reason.double_in_finance_twin", code=case.identity_twins[0])
        return _review(case, Reason.DOUBLE_IN_FINANCE, message, rules)
    if not found:
        return None
    return link(found[0].customer, case.contact, Match.NATIONAL_CODE, rules, target="crm")


def _by_likeness(case: ContactCase, rules: PlanRules) -> Action | None:
    found = [c for c in case.by_likeness if evidence(c.customer, case.contact).agrees_in_two]
    if not found or case.is_new:
        return None
    if taken := [c for c in found if c.taken_by is not None]:
        message = msg("reason.double_in_finance_like", code=taken[0].taken_by)
        return _review(case, Reason.DOUBLE_IN_FINANCE, message, rules)
    numbers = ", ".join(c.customer.number or c.customer.crm_id for c in found)
    return _review(case, Reason.POSSIBLE_DUPLICATE, msg("reason.possible_duplicate_import", numbers=numbers), rules)


def _create_record(contact: Contact, rules: PlanRules) -> Action:
    if not contact.names:
        return _review(ContactCase(contact), Reason.NO_NAME, msg("reason.no_name_in_finance"), rules)
    number = rules.scheme.encode(contact.code)
    if rules.scheme.decode(number) != contact.code:
        message = msg("reason.no_number_import", number=number, code=contact.code)
        return _review(ContactCase(contact), Reason.NO_NUMBER, message, rules)
    payload = crm_payload(contact, number, rules)
    expected = expected_customer(payload, rules.site)
    return about_contact(
        Operation.CREATE,
        contact,
        rules,
        changes={name: (None, text) for name, text in _shown(payload).items() if text},
        payload=payload,
        checksum=expected.checksum,
        sent_checksum=expected.fields_checksum,
        notes=expected.notes,
        details={"known": contact_known(contact)},
    )


# --- what is sent ------------------------------------------------------------------------------------------


def crm_payload(contact: Contact, number: str, rules: PlanRules) -> dict[str, Any]:
    """What makes a new CRM record out of a finance contact; `phones` are pairs of `mobile` or `office` and the number, places
    stand by their names.

    The name goes whole into the record: Siagh has one name field, and a name is never split.
    """
    value, extra = contact.fields, contact.extra
    translated = {name: rules.site.name_of(name, value[name]) for name in PLACES}
    if contact.kind == "person" and value["gender"] in ("0", "1"):
        translated["gender"] = value["gender"]
    phones = [
        ["mobile", value["mobile"]],
        ["office", value["phone"]],
        # A second number without a first would come back as the first one, and sync would then write it there.
        ["mobile", extra.get("mobile2", "") if clean(value["mobile"]) else ""],
        ["office", extra.get("phone2", "") if clean(value["phone"]) else ""],
    ]
    return {
        "kind": contact.kind,
        "name": value["name"] or contact.name,
        "number": number,
        "national_code": contact.national_code,
        "email": value["email"],
        "email2": extra.get("email2", ""),
        "website": value["website"],
        "notes": split_marker(value["notes"])[0],
        "phones": [[label, ascii_digits(text)] for label, text in phones if clean(text)],
        "address": value["address"],
        "postal_code": ascii_digits(value["postal_code"]),
        "category": rules.category,
        **{name: text for name, text in translated.items() if text},
    }


def expected_customer(payload: Mapping[str, Any], site: Site = NO_SITE) -> Customer:
    """The customer that the CRM will show for a record made of `payload`, under the id `-`.

    Its checksums are stored with the link, so that the first sync finds nothing to do.
    """
    kind, phones = customer_kind(payload["kind"]), payload["phones"]
    values = {
        "name": payload["name"],
        "mobile": next((text for label, text in phones if label == "mobile"), ""),
        "phone": next((text for label, text in phones if label == "office"), ""),
        **{row.name: payload.get(row.name, "") for row in IN_RECORD},
        **{name: payload.get(name, "") for name in IN_ADDRESS},
        **{name: site.code_of(name, payload.get(name, "")) for name in PLACES},
    }
    fields, notes = fields_for_finance(kind, values)
    return Customer(
        crm_id="-",
        kind=kind,
        number=ascii_digits(clean(payload["number"])),
        names=(fields["name"],) if "name" in fields else (),
        national_code=fields.get("national_code", ""),
        phones=tuple(clean(text) for _, text in phones),
        fields=fields,
        notes=notes,
    )


def _shown(payload: Mapping[str, Any]) -> dict[str, str]:
    """The payload as it is shown to people: each phone is a field of its own."""
    names = {"mobile": ["mobile", "mobile2"], "office": ["phone", "phone2"]}
    phones = {names[label].pop(0): text for label, text in payload["phones"]}
    return {key: value for key, value in payload.items() if key not in ("kind", "phones")} | phones


# --- questions and skips -----------------------------------------------------------------------------------


def _skip(contact: Contact, reason: Reason, rules: PlanRules) -> Action:
    return about_contact(Operation.SKIP, contact, rules, reason=reason, message=msg(f"reason.{reason}"))


def _review(case: ContactCase, reason: Reason, message: Message, rules: PlanRules) -> Action:
    contact = case.contact
    candidates = {
        c.customer.crm_id: c for c in (*case.by_marker, *case.by_number, *case.by_identity, *case.by_likeness)
    }
    return about_contact(
        Operation.REVIEW,
        contact,
        rules,
        reason=reason,
        message=message,
        checksum=contact.checksum,
        details={
            "contact": view_of(contact),
            "candidates": [{**view_of(c.customer), "taken_by": c.taken_by} for c in candidates.values()],
            "other_finance_codes": list(case.identity_twins),
        },
    )
