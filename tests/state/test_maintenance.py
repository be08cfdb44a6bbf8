"""Old lines leave the audit trail, and nothing that still counts; alerts are told once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from siaghsync.domain.reasons import AuditOutcome, IntentState, Operation, Reason
from siaghsync.errors import BrakeError, InDoubt
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.planning.cases import CustomerCase
from siaghsync.planning.customers import plan_customer
from siaghsync.state import alerts, audit, meta, outbox, reviews, runs
from siaghsync.state.audit import Run
from siaghsync.state.database import State, memory_state, open_state
from siaghsync.state.maintenance import Pruned, prune, runs_ever, tidy
from siaghsync.state.mappings import Mappings
from tests.sample_records import RULES, customer, mapping

OLD, NOW = datetime(2025, 1, 5, 10, 0, tzinfo=UTC), datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
CREATE = plan_customer(CustomerCase(customer()), RULES)
STRANGER = replace(CREATE, operation=Operation.REVIEW, reason=Reason.STRANGER)


@pytest.fixture
def state() -> Iterator[State]:
    opened = memory_state()
    yield opened
    opened.close()


def begun(state: State, at: datetime) -> Run:
    return Run(state, "sync", lambda: at, "ali")


def write(run: Run, record: str, how: IntentState | None) -> None:
    with run.state.atomic():
        intent_id = outbox.open_intent(run, replace(CREATE, record=record))
        if how:
            outbox.close_intent(run, intent_id, how)


def test_old_lines_go_and_what_still_counts_stays(state: State) -> None:
    for _ in range(3):
        run = begun(state, OLD)
        run.note(CREATE, AuditOutcome.DONE)
        run.finish("ok", {})
    begun(state, OLD)  # killed
    busy = begun(state, OLD)
    write(busy, "p-1", IntentState.CONFIRMED)
    write(busy, "p-2", IntentState.UNKNOWN)
    write(busy, "p-3", None)
    write(busy, "p-4", IntentState.EXPIRED)
    write(busy, "p-5", IntentState.EXPIRED)
    busy.finish("partial", {})
    with state.atomic():
        Mappings(state).add(mapping(crm_id="p-5"), "number", busy.at())
    begun(state, NOW).note(CREATE, AuditOutcome.DONE)
    before = runs_ever(state)
    pruned = prune(state, NOW - timedelta(days=1), NOW, "ali")
    assert pruned == Pruned(audit=3, runs=3, intents=2)
    assert runs_ever(state) == before == {("sync", "ok"): 3, ("sync", "partial"): 1, ("sync", "unfinished"): 2}
    states = [(row["record"], row["state"]) for row in state.rows("SELECT record, state FROM intents ORDER BY id")]
    assert states == [("p-2", "unknown"), ("p-3", "open"), ("p-4", "expired")]
    kept, line = audit.entries(state, audit.LogFilter())
    assert kept.operation == "create"
    assert (line.entity, line.operation, line.run_id, line.actor) == ("log", "prune", None, "ali")
    assert line.message
    assert "3 line(s) of the audit trail, 3 run(s), 2 settled intent(s)" in render(line.message)
    assert "۳ سطر" in render(line.message, "fa")


def test_a_lost_state_file_is_remembered_until_a_run_was_there(state: State) -> None:
    meta.note_lost_state(state, had_lock=False)
    assert state.meta(meta.STATE_WAS_LOST) is None
    meta.note_lost_state(state, had_lock=True)
    assert state.meta(meta.STATE_WAS_LOST)
    state.set_meta(meta.STATE_WAS_LOST, None)
    begun(state, NOW)
    meta.note_lost_state(state, had_lock=True)
    assert state.meta(meta.STATE_WAS_LOST) is None


# --- alerts ------------------------------------------------------------------------------------------------

SILENT = InDoubt("crm", "log_in", "timeout")


def told(state: State, error: BaseException | None = None, working: tuple[str, ...] = ()) -> list[str]:
    """What is told now: the kinds of the items; it is remembered as told."""
    found = alerts.news(state, "ALERT_URL", error, working)
    alerts.remember(state, "ALERT_URL", found.after)
    return [item["kind"] for item in found.items]


def test_a_question_is_told_once_and_again_when_it_becomes_another(state: State) -> None:
    run = begun(state, NOW)
    with state.atomic():
        reviews.put(run, STRANGER)
    (item,) = alerts.news(state, "ALERT_URL", None, ()).items
    assert (item["id"], item["reason"], item["customer_number"]) == (1, "stranger", "100-1234")
    assert told(state) == ["review"]
    assert told(state) == []
    with state.atomic():
        reviews.put(run, replace(STRANGER, reason=Reason.NUMBER_TWICE))
    assert told(state) == ["review"]
    with state.atomic():
        reviews.auto_resolve(run, STRANGER)
    assert told(state) == []
    with state.atomic():
        reviews.put(run, STRANGER)
    assert told(state) == ["review"]


def test_a_system_that_fails_is_told_once_until_it_works(state: State) -> None:
    (item,) = alerts.news(state, "ALERT_URL", SILENT, ()).items
    assert (item["system"], item["reason"], item["message"]) == ("crm", "timeout", SILENT.message)
    assert told(state, SILENT) == ["system"]
    assert told(state, SILENT, ("crm", "finance")) == []
    assert told(state, None, ("crm",)) == []
    assert told(state, SILENT) == ["system"]


def test_a_brake_is_told_once_until_a_run_goes_through(state: State) -> None:
    brake = BrakeError("brake.creates", count=9, limit=5)
    assert told(state, brake) == ["brake"]
    assert told(state, brake) == []
    assert told(state) == []
    (item,) = alerts.news(state, "ALERT_URL", brake, ()).items
    assert item["message"] == msg("brake.creates", count=9, limit=5)


def test_what_could_not_be_told_is_told_the_next_time(state: State) -> None:
    run = begun(state, NOW)
    with state.atomic():
        reviews.put(run, STRANGER)
    for _ in range(2):
        found = alerts.news(state, "ALERT_URL", None, ())
        assert [item["kind"] for item in found.items] == ["review"]
        alerts.remember(state, "ALERT_URL", found.before)


def test_old_runs_without_change_fold_and_their_ids_and_counts_stay(state: State) -> None:
    for minutes in (0, 5, 10, 15, 20, 25, 30):
        run = begun(state, OLD + timedelta(minutes=minutes))
        if minutes == 15:
            run.note(CREATE, AuditOutcome.DONE)
        run.finish("ok", {"customers": {"seen": 0}})
    begun(state, OLD + timedelta(minutes=35)).finish("failed", {})
    begun(state, OLD + timedelta(days=1)).finish("ok", {})
    begun(state, NOW - timedelta(days=8) + timedelta(hours=15)).finish("ok", {})
    begun(state, NOW).finish("ok", {})
    ever = runs_ever(state)
    tidy(state, NOW, 0, "cron")
    assert runs_ever(state) == ever
    assert [(run.id, run.count) for run in runs.newest(state, 20)] == [
        (11, 1), (10, 1), (9, 1), (8, 1), (7, 3), (4, 1), (3, 3),
    ]  # fmt: skip
    first = runs.find(state, 1)
    assert first is not None
    assert (first.id, first.first_id, first.first_started_at) == (3, 1, OLD.isoformat(timespec="seconds"))
    assert runs.find(state, 4) == runs.page(state, 5, None, 1)[0]
    assert runs.quiet_between(state, 0, 8) == 6
    assert runs.find(state, 12) is None
    tidy(state, NOW + timedelta(days=9), 0, "cron")
    assert [(run.id, run.count) for run in runs.newest(state, 20)][:3] == [(11, 1), (10, 1), (9, 1)]


def test_a_day_that_a_wrong_clock_noted_does_not_end_the_folding(state: State) -> None:
    tidy(state, NOW + timedelta(days=365), 0, "cron")
    for minutes in (0, 5):
        begun(state, OLD + timedelta(minutes=minutes)).finish("ok", {})
    tidy(state, NOW, 0, "cron")
    assert [run.count for run in runs.newest(state, 20)] == [2]


def test_what_came_to_nothing_goes_and_what_undo_and_explain_need_stays(state: State) -> None:
    run = begun(state, OLD)
    update = replace(CREATE, operation=Operation.UPDATE)
    for action in (
        CREATE,
        update,
        replace(CREATE, operation=Operation.LINK),
        replace(CREATE, operation=Operation.DELETE),
    ):
        run.note(action, AuditOutcome.DONE)
    run.note(CREATE, AuditOutcome.UNKNOWN)
    run.append(entity="customer", operation="resolve", outcome="link")
    write(run, "p-1", IntentState.CONFIRMED)
    write(run, "p-2", None)
    kept = state.rows("SELECT * FROM audit"), state.rows("SELECT * FROM intents")
    run.note(update, AuditOutcome.FAILED)
    run.note(STRANGER, AuditOutcome.REVIEW)
    write(run, "p-3", IntentState.REJECTED)
    run.finish("partial", {})
    tidy(state, OLD + timedelta(days=729), 730, "cron")
    assert state.value("SELECT count(*) FROM audit") == len(kept[0]) + 2
    tidy(state, OLD + timedelta(days=731), 0, "cron")
    assert state.value("SELECT count(*) FROM audit") == len(kept[0]) + 2
    tidy(state, OLD + timedelta(days=732), 730, "cron")
    assert state.rows("SELECT * FROM audit WHERE operation <> 'prune'") == kept[0]
    assert state.rows("SELECT * FROM intents") == kept[1]


def test_a_year_of_runs_without_change_takes_little_and_the_file_shrinks(tmp_path: Path) -> None:
    path = tmp_path / "siaghsync.db"
    with closing(open_state(path, create=True)) as state:
        with state.atomic():
            state.execute_many(
                "INSERT INTO runs (command, pid, started_at, finished_at, outcome, summary) VALUES ('sync', 1, ?, ?, 'ok', ?)",
                (
                    (at.isoformat(), at.isoformat(), "x" * 300)
                    for at in (OLD + timedelta(minutes=5 * n) for n in range(105_120))
                ),
            )
        before = path.stat().st_size + path.with_name("siaghsync.db-wal").stat().st_size
        tidy(state, OLD + timedelta(days=365), 730, "cron")
        state.value("PRAGMA wal_checkpoint(TRUNCATE)")
        assert runs_ever(state) == {("sync", "ok"): 105_120}
        assert state.value("SELECT count(*) FROM runs") < 3_000
    assert before > 40_000_000
    assert path.stat().st_size < 5_000_000


def test_a_file_that_could_not_shrink_is_written_anew_when_much_of_it_is_free(tmp_path: Path) -> None:
    path = tmp_path / "siaghsync.db"
    with closing(open_state(path, create=True)) as state:
        state.rows("PRAGMA auto_vacuum = NONE")
        state.rows("VACUUM")
        assert state.value("PRAGMA auto_vacuum") == 0
        with state.atomic():
            state.execute_many("INSERT INTO meta VALUES (?, ?)", ((f"x{n}", "y" * 3_000) for n in range(3_000)))
        with state.atomic():
            state.execute("DELETE FROM meta WHERE name LIKE 'x%'")
        state.give_back(1)
        assert state.value("PRAGMA auto_vacuum") == 2
    assert path.stat().st_size < 1_000_000
