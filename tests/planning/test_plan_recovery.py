"""After a create without a clear answer: whether what a look-up shows is what the create made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer
from siaghsync.messages import catalog
from siaghsync.planning.cases import ContactCandidate, ContactCase, CustomerCandidate, CustomerCase
from siaghsync.planning.customers import plan_customer
from siaghsync.planning.import_ import expected_customer, plan_contact
from siaghsync.planning.recovery import match_sent_contact, match_sent_customer, sent_customer
from tests.sample_records import RULES, contact, customer, customers, somebody_else, somebody_elses_record, stored

SAME, TWIN, ADMIN, STRANGER = contact(), contact(500), contact(admin=True), somebody_else()
OURS, OTHER = customer(), somebody_elses_record()


def free(there: Contact) -> ContactCandidate:
    return ContactCandidate(there)


def taken(there: Contact, by: str = "p-2") -> ContactCandidate:
    return ContactCandidate(there, by)


def mine(who: Customer, by: int | None = None) -> CustomerCandidate:
    return CustomerCandidate(who, by)


SENT_MARKED = plan_customer(CustomerCase(OURS), RULES)
SENT_PLAIN = plan_customer(CustomerCase(OURS), replace(RULES, mark=False))
MADE_PLAIN = stored(dict(SENT_PLAIN.payload), 900)
MADE = stored(dict(SENT_MARKED.payload), 900)


@pytest.mark.parametrize(
    ("why", "sent", "case", "by_name", "action", "code"),
    [
        ("nothing is there", SENT_MARKED, {}, [], None, None),
        ("its mark", SENT_MARKED, {"by_marker": [free(MADE)]}, [], "link", 900),
        ("its mark, on a contact that is taken", SENT_MARKED, {"by_marker": [taken(MADE)]}, [], None, None),
        ("its mark, on an admin", SENT_MARKED, {"by_marker": [free(replace(MADE, admin=True))]}, [], None, None),
        ("its mark twice: it was made twice", SENT_MARKED, {"by_marker": [free(MADE), free(replace(MADE, code=901))]},
         [], "review", None),
        ("its mark goes before its code", SENT_MARKED, {"by_marker": [free(MADE)], "by_code": free(SAME)},
         [], "link", 900),
        ("its code, agreeing", SENT_MARKED, {"by_code": free(SAME)}, [], "link", 234),
        ("its code, a stranger", SENT_MARKED, {"by_code": free(STRANGER)}, [], None, None),
        ("its code, an admin", SENT_MARKED, {"by_code": free(ADMIN)}, [], None, None),
        ("its code, taken", SENT_MARKED, {"by_code": taken(SAME)}, [], None, None),
        ("the same national code and name", SENT_MARKED, {"by_identity": [free(TWIN)]}, [], "link", 500),
        ("the same, taken", SENT_MARKED, {"by_identity": [taken(TWIN)]}, [], None, None),
        ("the same, an admin", SENT_MARKED, {"by_identity": [free(contact(code=500, admin=True))]}, [], None, None),
        ("the same, twice", SENT_MARKED, {"by_identity": [free(TWIN), free(contact(code=501))]}, [], "review", None),
        ("a name alone proves nothing when a mark was sent", SENT_MARKED, {}, [free(MADE_PLAIN)], None, None),
        ("the name and every value, when none was sent", SENT_PLAIN, {}, [free(MADE_PLAIN)], "link", 900),
        ("the name, but another address", SENT_PLAIN, {},
         [free(replace(MADE_PLAIN, fields={**MADE_PLAIN.fields, "address": "شیراز"}))], None, None),
        ("the name and every value, but an organization", SENT_PLAIN, {},
         [free(replace(MADE_PLAIN, kind="organization"))], None, None),
        ("the name and every value, taken", SENT_PLAIN, {}, [taken(MADE_PLAIN)], None, None),
        ("the name and every value, twice", SENT_PLAIN, {}, [free(MADE_PLAIN), free(replace(MADE_PLAIN, code=901))],
         "review", None),
    ],
)  # fmt: skip
def test_what_a_look_up_in_finance_shows(
    why: str,
    sent: Action,
    case: dict[str, Any],
    by_name: Sequence[ContactCandidate],
    action: str | None,
    code: int | None,
) -> None:
    found = match_sent_contact(sent, CustomerCase(sent_customer(sent), **case), by_name)
    assert (found and found.operation, found and found.finance_code) == (action, code), why
    if found and action == "link":
        assert found.reason == "look_up"
        assert (found.checksum, found.sent_checksum, found.crm_id) == (sent.checksum, sent.sent_checksum, "p-1")


@given(customers(), st.booleans())
@example(customer(notes="[CRM 100-1234]"), True)
def test_what_was_made_is_recognised(ours: Customer, mark: bool) -> None:
    sent = plan_customer(CustomerCase(replace(ours, number="100-1234")), replace(RULES, mark=mark))
    if sent.operation != "create":
        return
    made = stored(dict(sent.payload), 900)
    assert made.marker == ("100-1234" if mark else "")
    case = CustomerCase(sent_customer(sent), by_marker=[free(made)] if mark else [])
    found = match_sent_contact(sent, case, [] if mark else [free(made), free(STRANGER)])
    assert found is not None
    assert (found.operation, found.finance_code) == ("link", 900)


def test_the_customer_that_was_sent_is_read_back_from_the_intent() -> None:
    again = sent_customer(Action.from_json(SENT_MARKED.as_json()))
    assert again.fields == customer().fields
    assert (again.crm_id, again.number, again.names) == ("p-1", "100-1234", ("علی رضایی",))
    assert again.phones == ("09123456789", "02188776655")
    assert again.checksum == customer().checksum


SENT_TO_CRM = plan_contact(ContactCase(contact()), RULES)
MADE_IN_CRM = replace(expected_customer(SENT_TO_CRM.payload), crm_id="new")


@pytest.mark.parametrize(
    ("why", "found", "action", "reason", "crm_id"),
    [
        ("nothing is there", [], None, None, None),
        ("it is there", [mine(MADE_IN_CRM)], "link", "look_up", "new"),
        ("a stranger has the number", [mine(OTHER)], "review", "stranger", None),
        ("it is there, linked to another", [mine(MADE_IN_CRM, 5)], "review", "stranger", None),
        ("it is there twice", [mine(MADE_IN_CRM), mine(OURS)], "review", "number_twice", None),
    ],
)
def test_what_a_look_up_in_the_crm_shows(
    why: str, found: list[CustomerCandidate], action: str | None, reason: str | None, crm_id: str | None
) -> None:
    verdict = match_sent_customer(SENT_TO_CRM, found, contact())
    assert (verdict and verdict.operation, verdict and verdict.reason, verdict and verdict.crm_id) == (
        action, reason, crm_id,
    ), why  # fmt: skip
    if verdict and action == "review":
        assert verdict.message is not None
        assert catalog.render(verdict.message)
        assert catalog.render(verdict.message, "fa")
        assert verdict.details["payload"] == SENT_TO_CRM.payload
        assert len(verdict.details["candidates"]) == len(found)
