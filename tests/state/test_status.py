"""How things stand: the figures, who is needed and why, since when and until when things wait."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from siaghsync.domain.document import Posted
from siaghsync.domain.reasons import AuditOutcome, IntentState, Operation, Reason
from siaghsync.messages.message import msg, verbatim
from siaghsync.planning.cases import CustomerCase
from siaghsync.planning.customers import plan_customer
from siaghsync.state import outbox, retries, reviews, webhook_queue
from siaghsync.state.audit import Outcome, Run, stamp
from siaghsync.state.database import State, memory_state
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.meta import COMPLETED
from siaghsync.state.status import EMPTY, Group, Overview, Tries, last_days, overview, status
from tests.sample_records import RULES, customer, mapping

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
CREATE = plan_customer(CustomerCase(customer()), RULES)


@pytest.fixture
def state() -> Iterator[State]:
    opened = memory_state()
    opened.set_meta(COMPLETED, "2026-01-01T00:00:00.000+00:00")
    yield opened
    opened.close()


def begun(state: State, at: datetime = NOW, command: str = "sync", *, dry_run: bool = False) -> Run:
    return Run(state, command, lambda: at, "ali", dry_run=dry_run)


def ended(state: State, outcome: Outcome = "ok", at: datetime = NOW, command: str = "sync") -> None:
    begun(state, at, command).finish(outcome, {})


def seen(
    state: State, at: datetime = NOW, *, is_running: bool = False, max_age: float | None = None, poll: int = 300
) -> Overview:
    return overview(state, at, is_running=is_running, max_age=max_age, poll_interval=poll)


def test_before_the_import_only_that_is_a_problem(state: State) -> None:
    state.set_meta(COMPLETED, None)
    found = seen(state)
    assert (found.figures, found.problems) == (EMPTY, [msg("status.not_imported")])
    assert (found.runs, found.waits, found.skips, found.next_try_at) == ([], {}, {}, None)


def test_the_figures_count_what_there_is(state: State) -> None:
    ended(state)
    run = begun(state)
    posted = Posted("i-1", "invoice", "51", "9", "c", {"number": "7", "customer": "p-1"})
    with state.atomic():
        Mappings(state).add(mapping(), "number", run.at())
        PostedDocuments(state).add(posted, "100-1234", None, "create", run.at())
        retries.schedule_retry(run, replace(CREATE, record="p-2"), "timeout", verbatim("no answer"))
        retries.schedule_retry(run, replace(CREATE, record="p-3"), "customer_unknown", verbatim("waits"), failed=False)
        outbox.close_intent(run, outbox.open_intent(run, replace(CREATE, record="p-4")), IntentState.UNKNOWN)
        reviews.put(run, replace(CREATE, record="p-5", operation=Operation.REVIEW, reason=Reason.STRANGER))
        retries.note_skip(run, replace(CREATE, record="p-6", operation=Operation.SKIP, reason=Reason.NO_NUMBER))
    found = seen(state, is_running=True)
    assert found.figures["mappings"] == {"customers": 1, "invoices": 1}
    assert (found.figures["pending"], found.figures["failed"], found.figures["review"]) == (3, 2, 1)
    assert found.figures["running"]["id"] == run.id
    assert found.figures["last_run"]["id"] == 1
    assert found.waits == {
        ("customer", "timeout"): 1, ("customer", "customer_unknown"): 1, ("customer", "unknown_outcome"): 1,
    }  # fmt: skip
    assert found.skips == {("customer", "no_number"): 1}
    assert found.next_try_at == stamp(NOW)
    assert found.problems == [msg("status.reviews", count=1)]
    assert seen(state).figures["running"] is None


@pytest.mark.parametrize(
    ("age", "max_age", "problems"),
    [
        (60, None, []),
        (601, None, [msg("status.overdue", at="2026-01-05T10:00:00+00:00")]),
        (601, 900, [msg("status.overdue", at="2026-01-05T10:00:00+00:00")]),
        (901, 900, [msg("status.too_old", seconds="900", at="2026-01-05T10:00:00+00:00")]),
    ],
)
def test_a_run_that_does_not_come_is_a_problem(
    state: State, age: int, max_age: float | None, problems: list[object]
) -> None:
    ended(state)
    begun(state, dry_run=True).finish("failed", {})
    assert seen(state, NOW + timedelta(seconds=age), max_age=max_age).problems == problems


def test_a_failed_run_a_missing_good_one_and_leftovers_of_the_import_are_problems(state: State) -> None:
    run = begun(state)
    with state.atomic():
        retries.schedule_retry(run, replace(CREATE, target="crm", record="7"), "timeout", verbatim("no answer"))
    run.finish("failed", {})
    assert seen(state, max_age=60).problems == [
        msg("status.import_leftovers", count=1),
        msg("status.last_run_failed"),
        msg("status.never", seconds="60"),
    ]


def test_in_step_since_the_first_good_run_after_the_last_trouble(state: State) -> None:
    for minutes, outcome in enumerate(("ok", "partial", "ok", "ok")):
        ended(state, outcome, NOW + timedelta(minutes=minutes))  # type: ignore[arg-type]
    later = NOW + timedelta(hours=1)
    assert status(state, later).since == "2026-01-05T10:02:00+00:00"
    ended(state, "failed", NOW + timedelta(minutes=9))
    assert status(state, later).since == "2026-01-05T10:09:00+00:00"


def test_what_waits_says_until_when_and_for_what(state: State) -> None:
    run = begun(state)
    with state.atomic():
        for record, attempts in (("p-2", 1), ("p-3", 5)):
            for _ in range(attempts):
                retries.schedule_retry(run, replace(CREATE, record=record), "timeout", verbatim("no answer"))
        waits = replace(CREATE, record="i-1", entity="invoice")
        retries.schedule_retry(run, waits, "customer_unknown", verbatim("waits"), failed=False, depends_on="p-9")
        retries.schedule_retry(run, replace(CREATE, target="crm", record="7"), "timeout", verbatim("no answer"))
        reviews.put(run, replace(CREATE, operation=Operation.REVIEW, reason=Reason.STRANGER))
    found = status(state, NOW)
    at, late = stamp(NOW), stamp(NOW + timedelta(seconds=128))
    assert found.waits == [
        Group("customer", "timeout", 2, at, "time", at),
        Group("customer", "timeout", 1, at, "import", at),
        Group("invoice", "customer_unknown", 1, at, "condition", at),
    ]
    assert found.reviews == [Group("customer", "stranger", 1, at)]
    assert found.tries == Tries(due=1, later=1, first=late, last=late)
    assert found.since == at


def test_hours_and_days_are_those_of_tehran(state: State) -> None:
    for at in (datetime(2026, 1, 4, 20, 29, tzinfo=UTC), datetime(2026, 1, 4, 20, 31, tzinfo=UTC), NOW):
        run = begun(state, at)
        run.note(CREATE, AuditOutcome.DONE)
        run.note(replace(CREATE, operation=Operation.LINK), AuditOutcome.DONE)
        run.note(CREATE, AuditOutcome.FAILED)
        run.finish("ok", {})
    days = last_days(state, NOW, 2)
    assert [(slot.start.day, slot.runs, slot.done, slot.written, slot.failed) for slot in days] == [
        (4, 1, 2, 1, 1),
        (5, 2, 4, 2, 2),
    ]
    hours = status(state, NOW).hours
    assert [(slot.start.hour, slot.runs) for slot in hours if slot.runs] == [(23, 1), (0, 1), (13, 1)]
    assert status(state, NOW).lines == 9


# --- webhooks ----------------------------------------------------------------------------------------------


def test_calls_wait_once_for_each_record_and_are_due_in_the_run_that_takes_them_up(state: State) -> None:
    calls = [webhook_queue.Call("person", "p-1", "update"), webhook_queue.Call("quote", "q-1", "insert")]
    assert webhook_queue.keep(state, [*calls, calls[0]], stamp(NOW), most=2)
    assert not webhook_queue.keep(state, [webhook_queue.Call("person", "p-2", "update")], stamp(NOW), most=2)
    assert webhook_queue.count(state) == 2
    run = begun(state)
    with state.atomic():
        for _ in range(5):
            retries.schedule_retry(run, CREATE, "timeout", verbatim("no answer"))
    webhook_queue.take_up(run)
    assert webhook_queue.count(state) == 0
    (rested,) = retries.due(state, "customer", "finance", NOW)
    assert (rested.record, rested.reason, rested.attempts) == ("p-1", "timeout", 5)
    (called,) = retries.due(state, "invoice", "finance", NOW)
    assert (called.reason, called.kind, called.message) == ("webhook", "quote", msg("state.webhook_call"))
    assert webhook_queue.left_behind(state) == 1


def test_calls_of_kinds_that_are_switched_off_are_dropped(state: State) -> None:
    run = begun(state)
    webhook_queue.keep(state, [webhook_queue.Call("quote", "q-1", "insert")], stamp(NOW), most=9)
    webhook_queue.take_up(run)
    webhook_queue.keep(state, [webhook_queue.Call("quote", "q-2", "insert")], stamp(NOW), most=9)
    webhook_queue.take_up(run, ["quote"])
    assert (webhook_queue.left_behind(state), webhook_queue.count(state)) == (0, 0)
