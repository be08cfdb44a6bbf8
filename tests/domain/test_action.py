"""Actions as data, and the counts of a run."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action, Counts
from siaghsync.domain.customer import Contact, Customer
from siaghsync.domain.reasons import Match, Operation, Reason
from siaghsync.messages.message import Message
from siaghsync.planning.cases import ContactCase, CustomerCase
from siaghsync.planning.customers import link, plan_customer, plan_linked
from siaghsync.planning.import_ import plan_contact
from tests.sample_records import RULES, TEXT, contact, contacts, customer, customers, mapping

PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
SIMPLE_PARAMS = st.one_of(st.none(), st.booleans(), st.integers(), TEXT)
MESSAGES = st.recursive(
    st.builds(Message, TEXT, st.dictionaries(TEXT, SIMPLE_PARAMS, max_size=3)),
    lambda inner: st.builds(
        Message, TEXT, st.dictionaries(TEXT, st.one_of(inner, st.lists(inner, max_size=3).map(tuple)), max_size=2)
    ),
    max_leaves=4,
)
ACTIONS = st.builds(
    Action,
    operation=st.sampled_from(Operation),
    entity=st.sampled_from(["customer", "invoice"]),
    target=st.sampled_from(["crm", "finance"]),
    record=TEXT,
    kind=st.sampled_from(["person", "organization", "quote", "invoice"]),
    customer_number=TEXT,
    crm_id=st.one_of(st.none(), TEXT),
    finance_code=st.one_of(st.none(), st.integers()),
    name=TEXT,
    changes=st.dictionaries(TEXT, st.tuples(st.one_of(st.none(), TEXT), st.one_of(st.none(), TEXT)), max_size=3),
    payload=st.dictionaries(TEXT, PLAIN, max_size=3),
    reason=st.one_of(st.none(), st.sampled_from(Reason), st.sampled_from(Match)),
    message=st.one_of(st.none(), MESSAGES),
    checksum=st.one_of(st.none(), TEXT),
    sent_checksum=st.one_of(st.none(), TEXT),
    notes=st.lists(MESSAGES, max_size=3).map(tuple),
    details=st.dictionaries(TEXT, PLAIN, max_size=3),
)


def through_json(action: Action) -> Action:
    return Action.from_json(json.loads(json.dumps(action.as_json(), ensure_ascii=False)))


@given(ACTIONS)
def test_an_action_survives_being_written_down(action: Action) -> None:
    again = through_json(action)
    assert again == action
    assert isinstance(again.operation, Operation)


@given(customers(), contacts())
def test_a_decision_survives_being_written_down(ours: Customer, there: Contact) -> None:
    decisions = [
        plan_customer(CustomerCase(ours), RULES),
        plan_customer(CustomerCase(replace(ours, number="100-1234")), RULES),
        plan_contact(ContactCase(there), RULES),
        plan_linked(ours, there, mapping(), RULES),
        link(ours, there, Match.NUMBER, RULES),
    ]
    for action in decisions:
        assert action is None or through_json(action) == action


@pytest.mark.parametrize("name", [f.name for f in fields(Action)])
def test_data_that_lacks_a_part_is_refused(name: str) -> None:
    data = plan_customer(CustomerCase(customer()), RULES).as_json()
    del data[name]
    with pytest.raises(KeyError):
        Action.from_json(data)


def test_a_change_is_shown_as_the_json_of_a_run_promises() -> None:
    update = plan_linked(customer(email="b@c", mobile="09350000001"), contact(), mapping(), RULES)
    assert update is not None
    assert json.loads(json.dumps(update.as_change())) == {
        "entity": "customer",
        "action": "update",
        "crm_id": "p-1",
        "customer_number": "100-1234",
        "finance_code": "234",
        "fields": {"email": ["ali@example.com", "b@c"], "mobileno": ["09123456789", "09350000001"]},
        "reason": None,
    }
    skip = json.loads(json.dumps(plan_customer(CustomerCase(customer(number="")), RULES).as_change()))
    assert (skip["customer_number"], skip["finance_code"], skip["reason"]) == (None, None, "no_number")


COLUMNS = {
    "created": {"create"}, "updated": {"update", "restore", "delete", "unlink"}, "linked": {"link"}, "skipped": {"skip"},
    "review": {"review"},
}  # fmt: skip


@given(st.lists(st.sampled_from(Operation), max_size=20), st.integers(0, 9), st.integers(0, 9))
def test_seen_is_the_sum_of_the_others(operations: list[Operation], unchanged: int, failed: int) -> None:
    counts = Counts(unchanged=unchanged, failed=failed)
    for operation in operations:
        counts.count(operation)
    shown = counts.as_json()
    assert shown.pop("seen") == counts.seen == sum(shown.values()) == len(operations) + unchanged + failed
    assert (shown["unchanged"], shown["failed"]) == (unchanged, failed)
    for column, counted in COLUMNS.items():
        assert shown[column] == len([each for each in operations if each in counted]), column


def test_the_counts_are_the_ones_of_the_json() -> None:
    assert list(Counts().as_json()) == [
        "seen", "created", "updated", "linked", "unchanged", "skipped", "failed", "review",
    ]  # fmt: skip
