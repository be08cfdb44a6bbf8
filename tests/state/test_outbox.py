"""Intents, and what the state file holds about a pair."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from siaghsync import clock
from siaghsync.domain.action import Action
from siaghsync.domain.reasons import IntentState, Operation, Reason
from siaghsync.messages.message import verbatim
from siaghsync.planning.cases import CustomerCase
from siaghsync.planning.customers import plan_customer
from siaghsync.state import mappings, outbox, retries, reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import State, memory_state
from siaghsync.state.mappings import Mappings
from tests.sample_records import RULES, customer, mapping

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
CREATE = plan_customer(CustomerCase(customer()), RULES)


@pytest.fixture
def state() -> Iterator[State]:
    opened = memory_state()
    yield opened
    opened.close()


@pytest.fixture
def run(state: State) -> Run:
    return Run(state, "sync", lambda: NOW, "ali")


def opened(run: Run, action: Action = CREATE) -> int:
    with run.state.atomic():
        return outbox.open_intent(run, action)


def close(run: Run, intent_id: int, how: IntentState) -> None:
    with run.state.atomic():
        outbox.close_intent(run, intent_id, how, verbatim("so it is"))


def plan_of(run: Run, intent_id: int) -> str:
    return str(run.state.value("SELECT plan FROM intents WHERE id = ?", (intent_id,)))


def test_an_open_intent_holds_the_whole_action(run: Run) -> None:
    intent_id = opened(run)
    (intent,) = outbox.unsettled_of(run.state, CREATE)
    assert intent == outbox.Intent(intent_id, CREATE, None, None, run.at())
    assert intent.record == "p-1"
    assert outbox.unknown_intents(run.state, "finance") == []


def test_two_writes_for_one_record_can_not_be_under_way(run: Run) -> None:
    opened(run)
    with pytest.raises(sqlite3.IntegrityError):
        opened(run)
    opened(run, replace(CREATE, target="crm"))
    opened(run, replace(CREATE, record="p-2"))


@pytest.mark.parametrize("how", [IntentState.CONFIRMED, IntentState.REJECTED, IntentState.NOT_SENT])
def test_a_customer_s_plan_goes_once_it_is_settled_and_a_document_s_stays(run: Run, how: IntentState) -> None:
    customers, documents = opened(run), opened(run, replace(CREATE, entity="invoice"))
    for intent_id in (customers, documents):
        close(run, intent_id, how)
    assert plan_of(run, customers) == "{}"
    assert plan_of(run, documents) != "{}"
    assert outbox.unsettled_of(run.state, CREATE) == []
    opened(run)


def test_what_is_unknown_waits_for_a_look_up_and_can_expire(run: Run) -> None:
    intent_id = opened(run)
    close(run, intent_id, IntentState.UNKNOWN)
    with run.state.atomic():
        outbox.mark_missed(run, intent_id, clock.reading())
    (intent,) = outbox.unknown_intents(run.state, "finance")
    assert (intent.action, intent.message, intent.missed_at) == (CREATE, verbatim("so it is"), run.at())
    assert outbox.unknown_intents(run.state, "crm") == outbox.unknown_intents(run.state, "finance", "invoice") == []
    assert outbox.expirations(run.state, CREATE) == 0
    close(run, intent_id, IntentState.EXPIRED)
    assert outbox.unknown_intents(run.state, "finance") == []
    assert outbox.expirations(run.state, CREATE) == 1
    assert [expired.action for expired in outbox.expired_creates(run.state)] == [CREATE]


def test_what_an_earlier_run_left_open_is_unknown(state: State, run: Run) -> None:
    opened(run)
    later = Run(state, "sync", lambda: NOW, "ali")
    opened(later, replace(CREATE, record="p-2"))
    with state.atomic():
        (orphan,) = outbox.adopt_orphans(later)
        assert outbox.adopt_orphans(later) == []
    assert orphan.action == CREATE
    (unknown,) = outbox.unknown_intents(state, "finance")
    assert (unknown.record, unknown.message) == ("p-1", outbox.CUT_OFF)


def test_the_look_ups_of_single_records_use_an_index(run: Run) -> None:
    for sql in (
        f"SELECT * FROM intents WHERE entity = 'a' AND target = 'b' AND record = 'c' AND {outbox.UNSETTLED}",
        "SELECT count(*) FROM intents WHERE entity = 'a' AND target = 'b' AND record = 'c' AND state = 'expired'",
        f"SELECT * FROM intents WHERE {outbox.UNSETTLED} AND state = 'unknown' AND entity = 'a' AND target = 'b'",
        "SELECT record FROM reviews WHERE resolution IS NULL AND customer_number = '1' AND entity = 'customer'",
        mappings.OF_PAIR,
    ):
        names = {"record1": "a", "record2": "b", "target1": "c", "target2": "d"} if ":record1" in sql else {}
        plan = [str(row["detail"]) for row in run.state.rows(f"EXPLAIN QUERY PLAN {sql}", names)]
        assert not [step for step in plan if step.startswith("SCAN")], plan


def test_loose_ends_of_a_pair_are_found_from_both_sides(run: Run) -> None:
    def of_pair(crm_id: str = "p-1", code: int = 234) -> set[str]:
        return mappings.of_pair(run.state, crm_id, code)

    assert of_pair() == set()
    to_crm = replace(CREATE, target="crm", record="234")
    for side in (CREATE, to_crm):
        with run.state.atomic():
            retries.schedule_retry(run, side, "timeout", verbatim("no answer"))
        assert of_pair() == {"waiting"}
        with run.state.atomic():
            retries.note_skip(run, replace(side, operation=Operation.SKIP, reason=Reason.NO_NUMBER))
        assert of_pair() == {"skips"}
        with run.state.atomic():
            retries.release(run.state, side)
            reviews.put(run, replace(side, operation=Operation.REVIEW, reason=Reason.STRANGER))
        assert of_pair() == {"reviews"}
        with run.state.atomic():
            reviews.auto_resolve(run, side)
        intent_id = opened(run, side)
        assert of_pair() == {"intents"}
        close(run, intent_id, IntentState.CONFIRMED)
        assert of_pair() == set()
    with run.state.atomic():
        Mappings(run.state).add(mapping(), "number", run.at())
    assert of_pair() == of_pair("p-1", 1) == of_pair("p-9", 234) == {"mapping"}
    assert of_pair("p-9", 1) == set()
