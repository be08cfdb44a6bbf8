"""Records that wait, records that are skipped on purpose, and questions for a person."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.rules.cases import CustomerCase
from siaghsync.rules.plan import Action
from siaghsync.rules.reconcile import reconcile_customer, review_customer
from siaghsync.store import reviews, waiting
from siaghsync.store.audit import Run, stamp
from siaghsync.store.state import State
from siaghsync.store.state_file import memory_state
from tests.unit.samples import RULES, customer

CREATE = reconcile_customer(CustomerCase(customer()), RULES)
OTHER = replace(CREATE, record="p-2", crm_id="p-2")
TO_CRM = replace(CREATE, target="crm", record="234")
SKIP = reconcile_customer(CustomerCase(customer(customerNumber="")), RULES)
STRANGER = review_customer(CustomerCase(customer()), "stranger", "Somebody else has its code.")
REFUSED = replace(STRANGER, reason="refused", message="Finance said no.")


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state() -> Iterator[State]:
    opened = memory_state()
    yield opened
    opened.close()


@pytest.fixture
def run(state: State, clock: Clock) -> Run:
    return Run(state, "sync", clock, "ali")


def postpone(run: Run, action: Action = CREATE, **how: Any) -> int:
    with run.state.atomic():
        return waiting.postpone(run, action, "timeout", "no answer", **how)


def release(run: Run, action: Action = CREATE) -> None:
    with run.state.atomic():
        waiting.release(run.state, action)


def skip(run: Run, action: Action = SKIP) -> bool:
    with run.state.atomic():
        return waiting.note_skip(run, action)


def put(run: Run, action: Action = STRANGER) -> str:
    with run.state.atomic():
        return reviews.put(run, action)


def answer(run: Run, how: str, action: Action = STRANGER) -> None:
    """What `review resolve` leaves behind."""
    with run.state.atomic():
        run.state.execute(
            "UPDATE reviews SET resolution = ?, resolved_at = ?, resolved_by = 'ali' WHERE record = ? AND resolution IS NULL",
            (how, run.at(), action.record),
        )


def due(run: Run) -> list[str]:
    return [entry.record for entry in waiting.due(run.state, "customer", "finance", run.now())]


def skipped(state: State) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in state.rows("SELECT record, reason, customer_number FROM skips ORDER BY record")]


# --- waiting -----------------------------------------------------------------------------------------------


@given(st.integers(0, 1000))
def test_pauses_grow_up_to_six_hours(attempts: int) -> None:
    assert waiting.pause_after(attempts) <= waiting.pause_after(attempts + 1) <= timedelta(hours=6)


def test_the_first_pauses() -> None:
    pauses = [waiting.pause_after(attempts).total_seconds() for attempts in range(6)]
    assert pauses == [0, 0, 2, 8, 32, 128]
    assert waiting.pause_after(20) == timedelta(hours=6)


def test_each_failed_try_counts_and_lengthens_the_pause(run: Run, clock: Clock) -> None:
    started = clock()
    for attempt, pause in enumerate((0, 2, 8, 32), 1):
        assert postpone(run) == attempt
        entry = waiting.find(run.state, "customer", "finance", "p-1")
        assert entry is not None
        assert (entry.attempts, entry.failed, entry.reason, entry.message) == (attempt, True, "timeout", "no answer")
        assert entry.since == stamp(started), "it waits since its first try"
        assert entry.next_try_at == stamp(clock() + timedelta(seconds=pause))
        if pause:
            clock.move(seconds=pause - 0.001)
            assert due(run) == []
            clock.move(seconds=0.001)
        assert due(run) == ["p-1"]
    assert run.state.value("SELECT count(*) FROM waiting") == 1


def test_waiting_for_somebody_else_is_no_try(run: Run) -> None:
    assert postpone(run, failed=False) == 0
    assert postpone(run) == 1
    assert postpone(run, failed=False) == 1
    entry = waiting.find(run.state, "customer", "finance", "p-1")
    assert entry is not None
    assert entry.failed is False
    assert due(run) == ["p-1"]


def test_who_waits_longest_comes_first(run: Run, clock: Clock) -> None:
    postpone(run, OTHER)
    clock.move(seconds=1)
    postpone(run)
    clock.move(seconds=1)
    postpone(run, OTHER)
    clock.move(seconds=60)
    assert due(run) == ["p-2", "p-1"]


def test_one_record_per_direction(run: Run) -> None:
    postpone(run)
    postpone(run, TO_CRM)
    assert due(run) == ["p-1"]
    assert [e.record for e in waiting.due(run.state, "customer", "crm", run.now())] == ["234"]
    assert waiting.due(run.state, "invoice", "finance", run.now()) == []
    release(run, TO_CRM)
    assert due(run) == ["p-1"]


def test_what_is_released_begins_anew(run: Run) -> None:
    for _ in range(3):
        postpone(run)
    release(run)
    assert waiting.find(run.state, "customer", "finance", "p-1") is None
    assert postpone(run) == 1


# --- skips -------------------------------------------------------------------------------------------------


def test_a_skip_is_news_once(run: Run) -> None:
    assert skip(run) is True
    assert skip(run) is False
    assert skipped(run.state) == [("p-1", "no_number", "")]


@pytest.mark.parametrize("change", [{"reason": "foreign_number"}, {"customer_number": "200-1"}])
def test_another_reason_to_skip_is_news(run: Run, change: dict[str, str]) -> None:
    skip(run)
    other = replace(SKIP, **change)  # type: ignore[arg-type]
    assert skip(run, other) is True
    assert skip(run, other) is False
    assert skipped(run.state) == [("p-1", other.reason, other.customer_number)]


def test_what_is_skipped_waits_no_longer(run: Run) -> None:
    postpone(run)
    skip(run)
    assert due(run) == []


def test_what_waits_is_skipped_no_more(run: Run) -> None:
    skip(run)
    postpone(run)
    assert skipped(run.state) == []
    assert skip(run) is True, "skipped again, after it had a number for a while"
    assert due(run) == []


def test_a_release_forgets_the_skip(run: Run) -> None:
    skip(run)
    release(run, SKIP)
    assert skipped(run.state) == []
    assert skip(run) is True


# --- reviews -----------------------------------------------------------------------------------------------


def test_the_same_question_is_asked_once(run: Run) -> None:
    assert put(run) == "new"
    assert put(run) == "known"
    assert reviews.open_count(run.state) == 1


def test_a_question_that_turned_into_another_is_new_but_one(run: Run, clock: Clock) -> None:
    put(run)
    since = run.at()
    clock.move(hours=1)
    other = replace(
        STRANGER, kind="organization", reason="made_new_contact", message="It made contact 9.", finance_code=234,
        customer_number="100-9", details={"new_contact": "9"}, checksum="changed",
    )  # fmt: skip
    assert put(run, other) == "new"
    assert put(run, other) == "known"
    (item,) = reviews.open_items(run.state)
    assert item == {
        "id": 1,
        "entity": "customer",
        "reason": "made_new_contact",
        "crm_id": "p-1",
        "customer_number": "100-9",
        "finance_code": "234",
        "message": "It made contact 9.",
        "since": since,
        "ways_out": ["link", "retry", "discard"],
    }
    row = reviews.last_of(run.state, other)
    assert row is not None
    assert (json.loads(row["details"]), row["kind"], row["checksum"]) == (
        {"new_contact": "9"},
        "organization",
        "changed",
    )


def test_a_discarded_question_stays_so_until_its_record_changes(run: Run) -> None:
    put(run)
    answer(run, "discard")
    assert put(run) == "discarded"
    assert reviews.open_count(run.state) == 0
    assert put(run, replace(STRANGER, checksum="changed")) == "new"
    assert put(run) == "known"


def test_another_question_about_a_discarded_record_is_asked(run: Run) -> None:
    put(run)
    answer(run, "discard")
    assert put(run, replace(STRANGER, reason="number_twice")) == "new"


@pytest.mark.parametrize("how", ["retry", "link", "settled"])
def test_a_question_that_was_answered_otherwise_may_come_again(run: Run, how: str) -> None:
    put(run)
    answer(run, how)
    assert put(run) == "new"
    assert run.state.value("SELECT count(*) FROM reviews") == 2
    assert reviews.open_count(run.state) == 1


def test_a_question_that_answered_itself_is_closed(run: Run) -> None:
    put(run)
    put(run, replace(STRANGER, record="p-2"))
    with run.state.atomic():
        reviews.settle(run, STRANGER)
        reviews.settle(run, STRANGER)
    row = reviews.last_of(run.state, STRANGER)
    assert row is not None
    assert (row["resolution"], row["resolved_at"]) == ("settled", run.at())
    assert [item["id"] for item in reviews.open_items(run.state)] == [2]


def test_questions_of_the_two_directions_are_two(run: Run) -> None:
    assert put(run) == "new"
    assert put(run, replace(STRANGER, target="crm")) == "new"
    assert reviews.open_count(run.state) == 2


@pytest.mark.parametrize("reason", sorted(reviews.FINAL_REASONS))
def test_what_used_up_its_tries_rests_until_it_changes(run: Run, reason: str) -> None:
    final = replace(REFUSED, reason=reason)
    assert not reviews.rests(run.state, CREATE)
    put(run, final)
    assert reviews.rests(run.state, CREATE)
    assert not reviews.rests(run.state, replace(CREATE, checksum="changed"))
    assert not reviews.rests(run.state, OTHER)
    answer(run, "discard")
    assert reviews.rests(run.state, CREATE), "a person wants nothing done"
    assert not reviews.rests(run.state, replace(CREATE, checksum="changed"))


@pytest.mark.parametrize("how", ["retry", "settled", "link", "posted"])
def test_a_person_ends_the_rest(run: Run, how: str) -> None:
    put(run, REFUSED)
    answer(run, how)
    assert not reviews.rests(run.state, CREATE)


@pytest.mark.parametrize("reason", ["stranger", "number_twice", "several_candidates", "double_in_crm", "no_name"])
def test_what_matching_asks_is_decided_anew_each_time(run: Run, reason: str) -> None:
    put(run, replace(STRANGER, reason=reason))
    assert not reviews.rests(run.state, CREATE)


def test_a_resting_record_is_shown_with_the_question_that_stands(run: Run) -> None:
    put(run, REFUSED)
    standing = reviews.as_it_stands(run.state, CREATE)
    assert (standing.action, standing.reason, standing.message) == ("review", "refused", "Finance said no.")
    assert standing.details == json.loads(json.dumps(REFUSED.details))
    assert put(run, standing) == "known"


def test_numbers_in_review_are_remembered(run: Run) -> None:
    put(run)
    put(run, replace(STRANGER, record="p-2"))
    put(run, replace(STRANGER, record="234", target="crm"))
    put(run, replace(STRANGER, record="p-3", customer_number="100-9"))
    assert sorted(reviews.numbers_in_review(run.state, "100-1234")) == ["p-1", "p-2"]
    answer(run, "discard")
    assert reviews.numbers_in_review(run.state, "100-1234") == ["p-2"]


@pytest.mark.parametrize(
    ("entity", "reason", "ways"),
    [
        ("customer", "stranger", ("link", "retry", "discard")),
        ("customer", "unknown_outcome", ("link", "retry", "discard")),
        ("customer", "number_twice", ("link", "retry", "discard")),
        ("customer", "no_name", ("link", "retry", "discard")),
        ("customer", "bad_record", ("retry", "discard")),
        ("invoice", "unknown_outcome", ("posted", "retry", "discard")),
        ("invoice", "other_year", ("retry", "discard")),
    ],
)
def test_the_ways_out(entity: str, reason: str, ways: tuple[str, ...]) -> None:
    assert reviews.ways_out(entity, reason) == ways


# --- the trail ---------------------------------------------------------------------------------------------


def test_the_trail_says_who_did_what_when_and_why(run: Run, clock: Clock) -> None:
    clock.move(seconds=5)
    run.note(replace(CREATE, notes=("passno: odd",)), "done", message="Saved.", finance_code=900)
    row = run.state.row("SELECT * FROM audit")
    assert row is not None
    assert (row["run_id"], row["actor"], row["at"]) == (run.id, "ali", "2026-01-05T10:00:05.000+00:00")
    assert (row["action"], row["outcome"], row["finance_code"]) == ("create", "done", 900)
    assert json.loads(row["fields"])["fullname"] == [None, "علی رضایی"]
    assert row["message"] == "Saved.\npassno: odd"


def test_a_run_is_closed_with_its_sums(run: Run, clock: Clock) -> None:
    clock.move(minutes=1)
    assert run.finish("ok", {"customers": {"seen": 1}}) == {
        "id": 1,
        "command": "sync",
        "started_at": "2026-01-05T10:00:00+00:00",
        "finished_at": "2026-01-05T10:01:00+00:00",
        "outcome": "ok",
        "dry_run": False,
    }
