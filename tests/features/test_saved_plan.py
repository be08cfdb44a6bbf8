"""A saved plan as text, and whether what a run means to do is still what the plan says."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.reasons import Operation
from siaghsync.errors import UsageError
from siaghsync.features.saved_plan.plan_file import (
    VERSION,
    Fingerprint,
    Head,
    action_line,
    check_head,
    read_actions,
    read_head,
)
from siaghsync.features.saved_plan.rules import Comparison
from siaghsync.messages.catalog import cure, render
from siaghsync.messages.message import msg, verbatim
from tests.environment import machine
from tests.patience import PATIENCE
from tests.world import World

UPDATE = Action(
    Operation.UPDATE, "customer", "finance", "c-1", "person", "100-1234", "c-1", 234, changes={"mobile": ("1", "2")},
    payload={"mobile": "2", "name": "علی"}, checksum="x",
)  # fmt: skip
LINK = replace(UPDATE, operation=Operation.LINK, changes={}, payload={}, reason="number")
POST = Action(
    Operation.CREATE, "invoice", "finance", "d-1", "invoice", "100-1234", "d-1", changes={"net": (None, "5")},
    payload={"customer_code": 234, "notes": "x", "rows": [{"quantity": "1"}], "suid": "S"},
)  # fmt: skip

TEXT = st.text(max_size=8)
ACTIONS = st.builds(
    Action,
    operation=st.sampled_from(Operation),
    entity=st.just("customer"),
    target=st.sampled_from(["crm", "finance"]),
    record=TEXT,
    kind=st.just("person"),
    customer_number=TEXT,
    crm_id=st.none() | TEXT,
    finance_code=st.none() | st.integers(0, 10**9),
    changes=st.dictionaries(TEXT, st.tuples(st.none() | TEXT, st.none() | TEXT), max_size=3),
    payload=st.dictionaries(TEXT, TEXT | st.lists(st.dictionaries(TEXT, TEXT, max_size=2), max_size=2), max_size=3),
    reason=st.none() | TEXT,
    message=st.none() | TEXT.map(verbatim),
    notes=st.lists(TEXT.map(verbatim), max_size=2).map(tuple),
)


def saved(actions: list[Action]) -> tuple[Head, list[str]]:
    found = Fingerprint()
    lines = [action_line(action) for action in actions]
    for line in lines:
        found.add(line)
    return Head("sync", "id", {}, "2026-01-05T10:00:00+00:00", found.lines, found.hex()), lines


def comparison(*actions: Action) -> Comparison:
    found = Comparison()
    for action in actions:
        found.expect(action)
    return found


@given(st.lists(ACTIONS, max_size=5))
def test_a_plan_survives_its_file_and_is_then_the_same(actions: list[Action]) -> None:
    head, lines = saved(actions)
    text = (head.line() + "".join(lines)).encode("ascii").decode()
    first, *rest = text.splitlines(keepends=True)
    assert read_head(first, "plan") == head
    again = list(read_actions(rest, head, "plan"))
    assert again == actions
    held = comparison(*again)
    assert [held.judge(action) for action in actions] == ["same"] * len(actions)
    assert held.rest() == []


@given(ACTIONS, st.data())
def test_any_damage_is_noticed(action: Action, data: st.DataObject) -> None:
    head, lines = saved([action, UPDATE])
    text = "".join(lines)
    place = data.draw(st.integers(0, len(text) - 1))
    sign = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda c: c != text[place]))
    broken = text[:place] + sign + text[place + 1 :]
    for damaged in (broken, text + text, "", "".join(lines[:1]), text[:-1]):
        with pytest.raises(UsageError, match=r"plan\.damaged"):
            list(read_actions(damaged.splitlines(keepends=True), head, "plan"))


@pytest.mark.parametrize("line", ["", "x", "[]", "null", "7", "{}", '{"version": 2}', '{"version": 2, "options": 7}'])
def test_what_is_no_plan_is_refused(line: str) -> None:
    with pytest.raises(UsageError, match=r"plan\.not_a_plan"):
        read_head(line, "plan")


@pytest.mark.skipif(sys.platform == "win32", reason="there the memory of a process can't be limited")
def test_a_file_without_an_end_is_no_plan_and_fills_no_memory(world: World) -> None:
    with (world.folder / "my.plan").open("wb") as file:
        file.write(b"[")
        file.truncate(8 * 1024**3)  # nothing but zeros, which take no room on the disk
    command = [sys.executable, "-m", "siaghsync", "--env-file", str(world.env_file), "sync", "--plan", "my.plan"]
    limited = ["prlimit", f"--as={4 * 1024**3}", *command]
    ended = subprocess.run(
        limited, cwd=world.folder, env=machine(), capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert (ended.returncode, "is not a saved plan" in ended.stderr) == (2, True), ended.stderr


def test_a_plan_of_another_version_is_refused() -> None:
    head = json.loads(saved([])[0].line())
    for version in (VERSION - 1, VERSION + 1):
        with pytest.raises(UsageError, match=r"plan\.other_version") as raised:
            read_head(json.dumps({**head, "version": version, "more": 1}), "my.plan")
        sentence = render(raised.value.message)
        assert "my.plan" in sentence
        assert f"plan format {version}; this version reads format {VERSION}" in sentence
        assert "--save-plan" in cure(raised.value.message)


def head(**changes: Any) -> Head:
    return replace(saved([])[0], **changes)


def test_a_plan_fits_its_own_command_and_state_file() -> None:
    check_head(head(), "plan", "sync", "id", imported=True)
    with pytest.raises(UsageError, match=r"plan\.other_command"):
        check_head(head(), "plan", "initial-import", "id", imported=False)
    with pytest.raises(UsageError, match=r"plan\.other_state"):
        check_head(head(), "plan", "sync", "other", imported=True)


def test_a_plan_from_before_any_state_file_fits_one_without_an_import() -> None:
    check_head(head(state=None), "plan", "sync", "id", imported=False)
    with pytest.raises(UsageError, match=r"plan\.before_import"):
        check_head(head(state=None), "plan", "sync", "id", imported=True)


# --- comparing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": Operation.CREATE}, {"finance_code": 235}, {"crm_id": "c-2"}, {"customer_number": "100-1"},
        {"changes": {"mobile": ("1", "3")}}, {"changes": {"mobile": ("0", "2")}},
        {"payload": {"mobile": "2", "name": "علی "}}, {"kind": "organization"},
    ],
)  # fmt: skip
def test_what_would_do_something_else_has_changed(changes: dict[str, Any]) -> None:
    held = comparison(UPDATE)
    assert held.judge(replace(UPDATE, **changes)) == "changed"
    assert held.judge(UPDATE) == "unplanned", "a record that was refused stays refused"
    assert held.rest() == [], "and is told once"


def test_what_is_only_said_about_an_action_is_no_change() -> None:
    now = replace(
        UPDATE,
        checksum="y",
        sent_checksum="z",
        message=msg("reason.m"),
        notes=(verbatim("n"),),
        name="n",
        details={"d": 1},
        reason="r",
    )
    assert comparison(UPDATE).judge(now) == "same"


def test_the_reason_counts_where_nothing_is_sent() -> None:
    review = replace(LINK, operation=Operation.REVIEW, reason="stranger")
    assert comparison(review).judge(replace(review, reason="number_twice")) == "changed"
    assert comparison(LINK).judge(replace(LINK, reason="marker")) == "same"


def test_each_planned_action_is_done_once() -> None:
    held = comparison(UPDATE)
    assert [held.judge(UPDATE), held.judge(UPDATE)] == ["same", "unplanned"]


def test_a_link_and_the_update_behind_it_are_two() -> None:
    held = comparison(LINK, UPDATE)
    assert [held.judge(LINK), held.judge(UPDATE)] == ["same", "same"]
    held = comparison(LINK, UPDATE)
    assert held.judge(LINK) == "same"
    assert held.judge(replace(UPDATE, payload={})) == "changed"
    held = comparison(LINK, UPDATE)
    assert held.judge(LINK) == "same"
    assert [(a.operation, a.record, a.payload) for a in held.rest()] == [("update", "c-1", {})]
    held = comparison(LINK, UPDATE)
    assert [(a.operation, a.record) for a in held.rest()] == [("link", "c-1")], "one line for one record"


def test_records_of_the_same_name_in_the_other_direction_are_others() -> None:
    held = comparison(UPDATE)
    assert held.judge(replace(UPDATE, target="crm")) == "unplanned"
    assert held.judge(replace(UPDATE, entity="invoice")) == "unplanned"
    assert held.judge(UPDATE) == "same"


def test_only_the_code_of_a_customer_yet_to_be_made_is_a_blank() -> None:
    def to(code: int) -> Action:
        return replace(POST, payload={**POST.payload, "customer_code": code})

    assert comparison(to(0)).judge(POST) == "same"
    assert comparison(POST).judge(POST) == "same"
    assert comparison(POST).judge(to(235)) == "changed"
    assert comparison(POST).judge(to(0)) == "changed"
    other_row = replace(POST, payload={**POST.payload, "rows": [{"quantity": "2"}]})
    assert comparison(to(0)).judge(other_row) == "changed"
