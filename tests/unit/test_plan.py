"""Actions as data, the counts of a run, and the brakes."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.errors import BrakeError
from siaghsync.rules.cases import ContactCase, CustomerCase
from siaghsync.rules.plan import Action, Counts, check_creates, check_list_size
from siaghsync.rules.reconcile import reconcile_customer, reconcile_linked
from siaghsync.rules.reconcile_import import reconcile_contact
from tests.unit.samples import RULES, TEXT, contact, contacts, customer, customers, mapping

PLAIN = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=6,
)
ACTIONS = st.builds(
    Action,
    action=st.sampled_from(["create", "update", "link", "skip", "review"]),
    entity=st.sampled_from(["customer", "invoice"]),
    target=st.sampled_from(["crm", "finance"]),
    record=TEXT,
    kind=st.sampled_from(["person", "organization"]),
    customer_number=TEXT,
    crm_id=st.one_of(st.none(), TEXT),
    finance_code=st.one_of(st.none(), st.integers()),
    fields=st.dictionaries(TEXT, st.tuples(st.one_of(st.none(), TEXT), st.one_of(st.none(), TEXT)), max_size=3),
    payload=st.dictionaries(TEXT, PLAIN, max_size=3),
    reason=st.one_of(st.none(), TEXT),
    message=st.one_of(st.none(), TEXT),
    checksum=st.one_of(st.none(), TEXT),
    sent_checksum=st.one_of(st.none(), TEXT),
    notes=st.lists(TEXT, max_size=3).map(tuple),
    details=st.dictionaries(TEXT, PLAIN, max_size=3),
)


def through_json(action: Action) -> Action:
    return Action.from_json(json.loads(json.dumps(action.as_json(), ensure_ascii=False)))


@given(ACTIONS)
def test_an_action_survives_being_written_down(action: Action) -> None:
    assert through_json(action) == action


@given(customers(), contacts())
def test_what_is_decided_survives_being_written_down(ours: Any, there: Any) -> None:
    decisions = [
        reconcile_customer(CustomerCase(ours), RULES),
        reconcile_customer(CustomerCase(replace(ours, number="100-1234")), RULES),
        reconcile_contact(ContactCase(there), RULES),
        reconcile_linked(ours, there, mapping(), RULES),
    ]
    for action in decisions:
        assert action is None or through_json(action) == action


@pytest.mark.parametrize("name", [f.name for f in fields(Action)])
def test_what_lacks_a_part_is_no_action(name: str) -> None:
    data = reconcile_customer(CustomerCase(customer()), RULES).as_json()
    del data[name]
    with pytest.raises(KeyError):
        Action.from_json(data)


def test_a_change_shows_what_the_json_of_a_run_promises() -> None:
    update = reconcile_linked(customer(email="b@c"), contact(), mapping(), RULES)
    assert update is not None
    assert update.as_change() == {
        "entity": "customer",
        "action": "update",
        "crm_id": "p-1",
        "customer_number": "100-1234",
        "finance_code": "234",
        "fields": {"email": ["ali@example.com", "b@c"]},
        "reason": None,
    }
    skip = reconcile_customer(CustomerCase(customer(customerNumber="")), RULES).as_change()
    assert (skip["customer_number"], skip["finance_code"], skip["reason"]) == (None, None, "no_number")


COLUMNS = {"create": "created", "update": "updated", "link": "linked", "skip": "skipped", "review": "review"}


@given(st.lists(st.sampled_from(list(COLUMNS)), max_size=20), st.integers(0, 9), st.integers(0, 9))
def test_seen_is_the_sum_of_the_others(names: list[Any], unchanged: int, failed: int) -> None:
    counts = Counts(unchanged=unchanged, failed=failed)
    for name in names:
        counts.count(Action(name, "customer", "finance", "p-1", "person", "100-1234"))
    shown = counts.as_json()
    assert shown.pop("seen") == counts.seen == sum(shown.values()) == len(names) + unchanged + failed
    assert (shown["unchanged"], shown["failed"]) == (unchanged, failed)
    assert {name: shown[column] for name, column in COLUMNS.items()} == {name: names.count(name) for name in COLUMNS}


def test_the_counts_are_the_ones_of_the_json() -> None:
    assert list(Counts().as_json()) == [
        "seen", "created", "updated", "linked", "unchanged", "skipped", "failed", "review",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("found", "known", "stops"),
    [(0, 0, False), (5, 0, False), (0, 1, True), (1, 1, False), (1, 2, False), (1, 3, True), (49, 100, True),
     (50, 100, False), (1000, 10, False)],
)  # fmt: skip
def test_a_list_that_shrank_by_half_stops_the_run(found: int, known: int, stops: bool) -> None:
    if not stops:
        check_list_size("Finance", found, known)
        return
    with pytest.raises(BrakeError) as caught:
        check_list_size("Finance", found, known)
    assert f"Finance shows {found} customers, but {known} are linked" in caught.value.message
    assert "--force" in caught.value.hint
    assert caught.value.exit_code == 1


def test_too_many_creates_stop_the_run() -> None:
    check_creates(0, 0)
    check_creates(500, 500)
    with pytest.raises(BrakeError) as caught:
        check_creates(501, 500)
    assert "501" in caught.value.message
    assert "MAX_CREATES_PER_RUN (500)" in caught.value.message
    assert "--force" in caught.value.hint
    assert caught.value.exit_code == 1
