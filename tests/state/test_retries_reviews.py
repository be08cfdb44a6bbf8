"""Records that wait, records that are skipped on purpose, and questions for a person."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.reasons import AuditOutcome, Operation, Reason, Resolution
from siaghsync.messages.message import Message, msg, verbatim
from siaghsync.planning.cases import CustomerCase
from siaghsync.planning.customers import plan_customer
from siaghsync.state import audit, retries, reviews, runs
from siaghsync.state.audit import Run, stamp
from siaghsync.state.database import State, memory_state
from tests.sample_records import RULES, customer

CREATE = plan_customer(CustomerCase(customer()), RULES)
OTHER = replace(CREATE, record="p-2", crm_id="p-2")
TO_CRM = replace(CREATE, target="crm", record="234")
SKIP = plan_customer(CustomerCase(customer(number="")), RULES)
STRANGER = replace(
    CREATE, operation=Operation.REVIEW, reason=Reason.STRANGER, message=verbatim("Somebody else has its code."),
    details={"customer": {"names": ["علی"]}},
)  # fmt: skip
NO_ANSWER = verbatim("no answer")
REFUSED = replace(STRANGER, reason=Reason.REFUSED, message=verbatim("Finance said no."))


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


def wait(run: Run, action: Action = CREATE, **how: Any) -> int:
    with run.state.atomic():
        return retries.schedule_retry(run, action, "timeout", NO_ANSWER, **how)


def release(run: Run, action: Action = CREATE) -> None:
    with run.state.atomic():
        retries.release(run.state, action)


def skip(run: Run, action: Action = SKIP) -> bool:
    with run.state.atomic():
        return retries.note_skip(run, action)


def put(run: Run, action: Action = STRANGER) -> str:
    with run.state.atomic():
        return reviews.put(run, action)


def answer(run: Run, how: str, action: Action = STRANGER) -> None:
    """What `review resolve` leaves behind."""
    open_one = reviews.last_of(run.state, action)
    assert open_one
    assert open_one.resolution is None
    with run.state.atomic():
        reviews.resolve(run, open_one.id, Resolution(how))


def due(run: Run) -> list[str]:
    return [entry.record for entry in retries.due(run.state, "customer", "finance", run.now())]


def skipped(state: State) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in state.rows("SELECT record, reason, customer_number FROM skips ORDER BY record")]


# --- waiting -----------------------------------------------------------------------------------------------


@given(st.integers(0, 1000))
def test_pauses_grow_up_to_six_hours(attempts: int) -> None:
    assert retries.backoff(attempts) <= retries.backoff(attempts + 1) <= timedelta(hours=6)


def test_the_first_pauses() -> None:
    pauses = [retries.backoff(attempts).total_seconds() for attempts in range(6)]
    assert pauses == [0, 0, 2, 8, 32, 128]
    assert retries.backoff(20) == timedelta(hours=6)


def test_each_failed_try_counts_and_lengthens_the_pause(run: Run, clock: Clock) -> None:
    started = clock()
    for attempt, pause in enumerate((0, 2, 8, 32), 1):
        assert wait(run) == attempt
        entry = retries.find(run.state, "customer", "finance", "p-1")
        assert entry is not None
        assert (entry.attempts, entry.failed, entry.reason, entry.message) == (attempt, True, "timeout", NO_ANSWER)
        assert entry.since == stamp(started), "it waits since its first try"
        assert entry.next_try_at == stamp(clock() + timedelta(seconds=pause))
        if pause:
            clock.move(seconds=pause - 0.001)
            assert due(run) == []
            clock.move(seconds=0.001)
        assert due(run) == ["p-1"]
    assert run.state.value("SELECT count(*) FROM retries") == 1


def test_waiting_for_somebody_else_is_no_try(run: Run) -> None:
    assert wait(run, failed=False) == 0
    assert wait(run) == 1
    assert wait(run, failed=False) == 1
    entry = retries.find(run.state, "customer", "finance", "p-1")
    assert entry is not None
    assert entry.failed is False
    assert due(run) == ["p-1"]


def test_who_waits_longest_comes_first(run: Run, clock: Clock) -> None:
    wait(run, OTHER)
    clock.move(seconds=1)
    wait(run)
    clock.move(seconds=1)
    wait(run, OTHER)
    clock.move(seconds=60)
    assert due(run) == ["p-2", "p-1"]


def test_one_record_per_direction(run: Run) -> None:
    wait(run)
    wait(run, TO_CRM)
    assert due(run) == ["p-1"]
    assert [e.record for e in retries.due(run.state, "customer", "crm", run.now())] == ["234"]
    assert retries.due(run.state, "invoice", "finance", run.now()) == []
    release(run, TO_CRM)
    assert due(run) == ["p-1"]


def test_what_is_released_begins_anew(run: Run) -> None:
    for _ in range(3):
        wait(run)
    release(run)
    assert retries.find(run.state, "customer", "finance", "p-1") is None
    assert wait(run) == 1


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
    wait(run)
    skip(run)
    assert due(run) == []


def test_what_waits_is_skipped_no_more(run: Run) -> None:
    skip(run)
    wait(run)
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
        STRANGER, kind="organization", reason="made_new_contact", message=verbatim("It made contact 9."), finance_code=234,
        customer_number="100-9", details={"new_contact": "9"}, checksum="changed",
    )  # fmt: skip
    assert put(run, other) == "new"
    assert put(run, other) == "known"
    (review,) = reviews.open_items(run.state)
    assert review.as_item() == {
        "id": 1,
        "entity": "customer",
        "reason": "made_new_contact",
        "crm_id": "p-1",
        "customer_number": "100-9",
        "finance_code": "234",
        "document": None,
        "message": verbatim("It made contact 9."),
        "since": since,
        "ways_out": ["link", "retry", "discard"],
    }
    assert reviews.last_of(run.state, other) == review
    assert (review.details, review.kind, review.checksum) == ({"new_contact": "9"}, "organization", "changed")
    assert review.as_action().key == other.key
    assert (review.name, review.as_action().details) == ("علی رضایی", {"new_contact": "9"})


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
        reviews.auto_resolve(run, STRANGER)
        reviews.auto_resolve(run, STRANGER)
    last = reviews.last_of(run.state, STRANGER)
    assert last is not None
    assert (last.resolution, last.resolved_at, last.resolved_by) == ("settled", run.at(), "siaghsync")
    assert [review.id for review in reviews.open_items(run.state)] == [2]
    assert reviews.get(run.state, 1) == last
    assert reviews.get(run.state, 3) is None


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
    assert (standing.operation, standing.reason, standing.message) == ("review", "refused", REFUSED.message)
    assert standing.details == REFUSED.details
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
    odd = msg("normalize.cleaned", field="national_code")
    run.note(replace(CREATE, notes=(odd,)), AuditOutcome.DONE, verbatim("Saved."), finance_code=900)
    run.note(replace(CREATE, notes=(odd,)), AuditOutcome.FAILED, reason="timeout")
    run.note(replace(CREATE, message=NO_ANSWER), AuditOutcome.UNKNOWN)
    run.append(entity="customer", operation="resolve", outcome="retry")
    first, second, third, last = audit.entries(run.state, audit.LogFilter())
    assert (first.run_id, first.actor, first.at) == (run.id, "ali", "2026-01-05T10:00:05.000+00:00")
    assert (first.operation, first.outcome, first.finance_code) == ("create", "done", 900)
    assert (first.kind, first.name, first.changes["name"]) == ("person", "علی رضایی", (None, "علی رضایی"))
    assert first.message == Message("state.several", {"parts": (verbatim("Saved."), odd)})
    assert (second.message, second.reason) == (odd, "timeout")
    assert third.message == NO_ANSWER
    assert (last.message, last.name, last.changes) == (None, "", {})
    assert first.as_json()["fields"]["fullname"] == [None, "علی رضایی"]
    assert {"action", "finance_code", "customer_number"} <= first.as_json().keys()


def test_the_trail_is_found_by_number_code_and_any_name_a_record_had(run: Run) -> None:
    run.note(replace(CREATE, finance_code=234), AuditOutcome.DONE)
    run.note(replace(CREATE, finance_code=234, name="نام تازه", changes={}), AuditOutcome.FAILED)
    run.note(replace(OTHER, customer_number="100-9", name="مريم كاظمي", changes={}), AuditOutcome.DONE)

    def found(**wanted: Any) -> list[int]:
        return [line.id for line in audit.entries(run.state, audit.LogFilter(**wanted))]

    assert found(search="مریم‌کاظمی") == [3]
    assert found(search="نام تازه") == found(search="علی رضا") == found(search="09123456789") == [1, 2]
    assert found(search="234") == found(customer="100-1234") == found(search="100-1234") == [1, 2]
    assert found(search="p-2") == [3]
    assert found(failed=True) == [2]
    assert found(run=run.id, before=3, limit=1) == [2]
    assert found(search="23") == found(search="۲۳") == [1, 2]
    assert found(search="100%") == []


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
    (closed,) = runs.newest(run.state, 5)
    assert closed == runs.last(run.state) == runs.find(run.state, 1)
    assert (closed.summary, closed.error, closed.outcome) == ({"customers": {"seen": 1}}, None, "ok")


def test_runs_that_failed_or_were_killed_are_found(run: Run, clock: Clock) -> None:
    failed = Run(run.state, "sync", clock, "ali")
    failed.finish("failed", {}, msg("call.timeout", system="crm", what="log_in", detail=""))
    Run(run.state, "sync", clock, "ali", dry_run=True).finish("failed", {})
    Run(run.state, "sync", clock, "ali")
    assert [(r.id, r.outcome) for r in runs.failed(run.state, None, 10)] == [(1, None), (2, "failed")]
    assert runs.failed(run.state, clock() + timedelta(days=1), 10) == []
    found = runs.find(run.state, failed.id)
    assert found
    assert found.error == msg("call.timeout", system="crm", what="log_in", detail="")
    failed.note(CREATE, AuditOutcome.DONE)
    assert runs.line_count(run.state, failed.id) == 1


@pytest.mark.parametrize("count", [3, 30])
def test_the_names_of_many_reviews_are_asked_for_at_once(run: Run, count: int) -> None:
    with run.state.atomic():
        for n in range(count):
            run.note(replace(CREATE, record=f"c-{n}", crm_id=f"c-{n}", name=f"مشتری {n}"), AuditOutcome.DONE)
            document = replace(
                STRANGER, entity="invoice", record=f"d-{n}", details={"snapshot": {"customer": f"c-{n}"}}
            )
            reviews.put(run, document)
    found = reviews.open_items(run.state)
    said: list[str] = []
    run.state.db.conn.set_trace_callback(said.append)
    names = reviews.customer_names(run.state, found)
    run.state.db.conn.set_trace_callback(None)
    assert [names[review.id] for review in found] == [f"مشتری {n}" for n in range(count)]
    assert len([statement for statement in said if not statement.startswith("--")]) == 1
