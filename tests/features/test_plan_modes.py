"""A plan on its way through a file: what a dry run allows and saves, and what a later run may do of it."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from siaghsync.domain.action import Action
from siaghsync.domain.reasons import Operation
from siaghsync.errors import UsageError
from siaghsync.features.saved_plan.enforcer import Enforcer, read_plan, read_plan_head
from siaghsync.features.saved_plan.recorder import recording
from siaghsync.state.audit import Run
from siaghsync.state.database import State, memory_state, open_state
from siaghsync.state.meta import COMPLETED
from siaghsync.state.staging import Staging
from siaghsync.sync.context import RunReport

OPTIONS = {"full": True, "only": None}


def update(record: str, mobile: str = "0912") -> Action:
    return Action(
        Operation.UPDATE, "customer", "finance", record, "person", "100", record, 234, name="علی",
        changes={"mobile": (None, mobile)}, payload={"mobile": mobile},
    )  # fmt: skip


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with closing(open_state(tmp_path / "s.db", create=True)) as opened:
        yield opened


def run_of(state: State, *, dry_run: bool) -> Run:
    return Run(state, "sync", lambda: datetime(2026, 1, 5, 10, tzinfo=UTC), "tester", dry_run=dry_run)


def save(path: Path, state: State, *actions: Action) -> None:
    with recording(path, OPTIONS) as recorder:
        assert not recorder.follows_plan
        assert all(map(recorder.allows, actions))
        recorder.finish(run_of(state, dry_run=True), RunReport(Staging(memory_state())))
        assert recorder.actions == len(actions)


def carry_out(enforcer: Enforcer, state: State, *actions: Action) -> tuple[list[bool], RunReport]:
    report = RunReport(Staging(memory_state()))
    allowed = [enforcer.allows(action) for action in actions]
    enforcer.finish(run_of(state, dry_run=False), report)
    return allowed, report


def test_a_saved_plan_is_private_and_says_what_it_is_for(tmp_path: Path, state: State) -> None:
    path = tmp_path / "plan"
    save(path, state, update("c-1"), update("c-2"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    head, first, second = path.read_text("ascii").splitlines()
    assert json.loads(head)["options"] == OPTIONS
    assert [json.loads(line)["record"] for line in (first, second)] == ["c-1", "c-2"]
    assert read_plan_head(path).command == "sync"
    assert {file.name for file in tmp_path.iterdir() if "plan" in file.name} == {"plan"}


def test_a_dry_run_that_fails_leaves_no_plan(tmp_path: Path) -> None:
    with recording(tmp_path / "plan", OPTIONS) as recorder:
        recorder.allows(update("c-1"))
    assert list(tmp_path.iterdir()) == []


def test_a_plan_that_can_not_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"file\.not_writable"), recording(tmp_path / "nowhere" / "plan", OPTIONS):
        pytest.fail("the run must not begin")
    with pytest.raises(UsageError, match=r"file\.not_readable"):
        read_plan_head(tmp_path / "nowhere")


def test_only_what_is_in_the_plan_as_it_is_now_is_allowed(tmp_path: Path, state: State) -> None:
    path = tmp_path / "plan"
    same, changed, gone, new = update("same"), update("changed"), update("gone"), update("new")
    save(path, state, same, changed, gone)
    enforcer = read_plan(path, read_plan_head(path), "sync", state)
    assert enforcer.follows_plan
    now = (same, replace(changed, payload={"mobile": "0935"}), new)
    allowed, report = carry_out(enforcer, state, *now)
    assert allowed == [True, False, False]
    assert enforcer.as_json() == {"plan": {"refused": 2, "left": 1}}
    assert [(r.action.record, r.operation, r.message.code) for r in enforcer.refused] == [
        ("changed", "update", "reason.changed_since_plan"),
        ("gone", "update", "reason.changed_since_plan_nothing"),
    ]
    assert (report.refusals, report.counts["customer"].skipped) == (2, 2)
    assert [(c["action"], c["crm_id"], c["reason"]) for c in report.changes()] == [
        ("skip", "changed", "changed_since_plan"),
        ("skip", "gone", "changed_since_plan"),
    ]
    told = state.rows("SELECT crm_id, outcome, name FROM audit WHERE outcome = 'refused' ORDER BY id")
    assert list(map(tuple, told)) == [("changed", "refused", "علی"), ("gone", "refused", "علی")]


def test_a_plan_belongs_to_its_own_state_file(tmp_path: Path, state: State) -> None:
    path = tmp_path / "plan"
    save(path, state, update("c-1"))
    with closing(open_state(tmp_path / "other.db", create=True)) as other:
        with pytest.raises(UsageError, match=r"plan\.other_state"):
            read_plan(path, read_plan_head(path), "sync", other)


def test_a_plan_without_a_state_file_fits_until_an_import_has_completed(tmp_path: Path, state: State) -> None:
    path = tmp_path / "plan"
    save(path, memory_state(), update("c-1"))
    assert read_plan(path, read_plan_head(path), "sync", state).left == 0
    with state.atomic():
        state.set_meta(COMPLETED, "2026-01-05T10:00:00+00:00")
    with pytest.raises(UsageError, match=r"plan\.before_import"):
        read_plan(path, read_plan_head(path), "sync", state)
