"""Clocks that are wrong, jump, or go back: ours, the CRM's, and those of pages from a cache."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.environment import MACHINE
from tests.odd_dates import Occasion, moved
from tests.web.serving import write
from tests.world import Maker, World


def our_clock(**ahead: float) -> dict[str, str]:
    """The environment of a command that believes in another time: so much later than it is."""
    if sys.platform != "linux":
        pytest.skip("the library that moves a process's clock is for Linux")
    now = datetime.now(UTC)
    environ = moved(Occasion("another time", now + timedelta(**ahead)), now)
    return {name: environ[name] for name in MACHINE if name in environ}


def with_dates(world: World) -> World:
    """Both servers' answers bear their date, as they do outside the tests."""
    world.crm.date_header = world.finance.date_header = True
    return world


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    return make_template().imported()


@pytest.fixture
def empty(world: World, template: World) -> World:
    """An import of nothing is over."""
    return world.twin_of(template)


# --- waiting after a create in doubt -----------------------------------------------------------------------


def lost_create(world: World, env: dict[str, str]) -> None:
    """A create without an answer, which a look-up in the same run does not find."""
    world.set(UNKNOWN_GRACE_SECONDS="600")
    world.crm.add_person(nickName="علی یزدی", customerNumber="9001")
    world.arm("close_before", "finance:SaveFormData/create")
    world.json("sync", env=env, exit_code=1)


@pytest.mark.parametrize("dates", [True, False], ids=["Date", "no Date"])
@pytest.mark.parametrize("days", [-30, 30])
def test_a_jump_of_our_clock_does_not_shorten_the_waiting(empty: World, days: int, dates: bool) -> None:
    empty.crm.date_header = empty.finance.date_header = dates
    lost_create(empty, our_clock(days=days))
    for _ in range(2):
        empty.json("sync", exit_code=0)
        assert empty.journal.count("finance", "SaveFormData") == 0
    assert empty.json("status")["pending"] == 1


def test_the_waiting_is_over_when_the_server_says_so(empty: World) -> None:
    with_dates(empty)
    lost_create(empty, {})
    empty.finance.clock_offset = 500
    empty.json("sync")
    assert empty.journal.count("finance", "SaveFormData") == 0
    empty.finance.clock_offset = 700
    assert empty.json("sync")["customers"]["created"] == 1


def test_a_server_whose_clock_went_back_is_waited_for_anew(empty: World) -> None:
    with_dates(empty)
    empty.finance.clock_offset = 3600
    lost_create(empty, {})
    empty.finance.clock_offset = 0
    empty.json("sync", exit_code=1)
    empty.finance.clock_offset = 700
    assert empty.json("sync")["customers"]["created"] == 1


# --- the CRM's clock is set --------------------------------------------------------------------------------


def edited_after_a_wrong_hour(world: World) -> str:
    """The CRM's clock was an hour ahead for one sync, then put right, and a customer was edited after that."""
    with_dates(world)
    crm_id: str = world.crm.add_person(nickName="علی یزدی", customerNumber="9001")
    world.json("sync")
    world.crm.clock_offset = 3600
    world.crm.edit(crm_id, email="ahead@example.com")
    assert world.json("sync")["customers"]["updated"] == 1
    world.crm.clock_offset = 0
    world.crm.edit(crm_id, email="right@example.com")
    return crm_id


def email(world: World, crm_id: str) -> str:
    return str(world.finance.contacts[world.code_of(crm_id)]["Email"])


@pytest.mark.parametrize("ours", [True, False], ids=["our clock too", "only the CRM's"])
@pytest.mark.parametrize("later", [0, 1200, 5400])
def test_an_edit_after_the_crms_clock_was_put_right_is_carried_over(empty: World, later: int, ours: bool) -> None:
    """Also after a pause in which this machine slept: its monotonic clock stood still then."""
    crm_id = edited_after_a_wrong_hour(empty)
    empty.crm.clock_offset = later
    empty.json("sync", env=our_clock(seconds=later) if ours and later else {})
    assert email(empty, crm_id) == "right@example.com"


def test_a_clock_that_was_set_is_told_once(empty: World) -> None:
    edited_after_a_wrong_hour(empty)
    assert "clock was set" in empty.run("sync").stderr
    assert "clock was set" not in empty.run("sync").stderr


# --- older states ------------------------------------------------------------------------------------------


def test_an_older_state_of_a_record_changes_nothing_and_is_noted(empty: World) -> None:
    with_dates(empty)
    crm_id = empty.crm.add_person(nickName="علی یزدی", customerNumber="9001", email="old@example.com")
    empty.json("sync")
    cached = str(empty.crm.records[crm_id]["modifyDate"])
    empty.crm.edit(crm_id, email="new@example.com")
    empty.json("sync")
    empty.crm.find_as_of = cached
    done = empty.json("sync", "--full")
    assert done["customers"] == {**done["customers"], "seen": 1, "unchanged": 1}
    assert empty.finance.contacts[empty.code_of(crm_id)]["Email"] == "new@example.com"
    assert "older_than_seen" in str(empty.json("log")["entries"])
    empty.crm.find_as_of = None
    empty.crm.edit(crm_id, email="newest@example.com")
    assert empty.json("sync")["customers"]["updated"] == 1


def test_a_state_that_was_read_alone_counts_against_a_cached_list(empty: World) -> None:
    with_dates(empty)
    crm_id = empty.crm.add_person(nickName="علی یزدی", customerNumber="9001", email="a@example.com")
    empty.json("sync")
    empty.crm.edit(crm_id, email="b@example.com")
    cached = str(empty.crm.records[crm_id]["modifyDate"])
    empty.crm.edit(crm_id, email="c@example.com")
    empty.json("sync", "--id", crm_id)
    empty.crm.find_as_of = cached
    for options in ((), ("--full",)):
        empty.json("sync", *options)
        assert email(empty, crm_id) == "c@example.com"


# --- our own clock was a year ahead ------------------------------------------------------------------------


def test_what_a_clock_that_was_a_year_ahead_left_behind_holds_nothing_up(empty: World) -> None:
    ahead = our_clock(days=365)
    crm_id = empty.crm.add_person(nickName="علی یزدی", customerNumber="9001")
    empty.json("sync")
    empty.crm.edit(crm_id, email="new@example.com")
    empty.arm("refuse_before", "finance:SaveFormData/update", times=None)
    for _ in range(2):
        empty.json("sync", env={**ahead, "MAX_RETRY_ATTEMPTS": "9"}, exit_code=1)
    empty.sandbox.faults.clear()
    empty.arm("json", "crm:login", status=403, body=b'{"message": "locked"}')
    empty.json("sync", env=ahead, exit_code=3)
    good = empty.json("status", exit_code=1)["last_success_at"]
    assert good is not None
    assert datetime.fromisoformat(good) <= datetime.now(UTC)
    told = empty.run("sync")
    assert "longer than any can" in told.stderr
    assert "1 records had their next try" in told.stderr
    assert empty.json("status")["pending"] == 0
    assert "than any can" not in empty.run("sync").stderr
    ended = empty.run("status", "--max-age", "1h")
    assert (ended.exit_code, "in the future" in ended.text) == (0, False)


def test_a_good_run_in_the_future_is_none(empty: World) -> None:
    empty.json("sync", env=our_clock(days=365))
    ended = empty.run("status", "--max-age", "1h")
    assert (ended.exit_code, "in the future" in ended.text) == (1, True)


# --- a clock that is far off, and a sync that nobody starts ------------------------------------------------


@pytest.mark.parametrize(("ahead", "words"), [(400, "7 minutes ahead of"), (-10800, "3 hours behind"), (200, "")])
def test_a_clock_that_is_far_off_is_told_by_a_sync_once_and_by_status_as_long_as_it_is(
    empty: World, ahead: int, words: str
) -> None:
    with_dates(empty)
    empty.finance.clock_offset = ahead
    said = empty.run("sync").stderr
    assert ("The clock of" in said, words in said) == (bool(words), True)
    assert "The clock of" not in empty.run("sync").stderr
    for text in (*empty.json("status")["clocks"], empty.run("status").stdout.replace("\n", " ")) if words else ():
        assert words in text
    assert len(empty.json("status")["clocks"]) == bool(words)
    empty.finance.clock_offset = 0
    empty.run("sync")
    assert empty.json("status")["clocks"] == []


def test_a_sync_that_nobody_starts_is_told_from_an_hour_after_the_import_on(empty: World) -> None:
    def told(env: dict[str, str]) -> list[bool]:
        status = empty.run("status", env=env)
        checked = empty.json("check-apis", env=env)["warnings"]
        return ["cron" in status.stdout, status.exit_code == 1, "not_scheduled" in {each["reason"] for each in checked}]

    assert told(our_clock(minutes=50)) == [False, False, False]
    assert told(our_clock(minutes=70)) == [True, True, True]
    empty.json("sync")
    assert told(our_clock(minutes=70)) == [True, True, False]  # overdue, which is another thing


# --- what is thinned out -----------------------------------------------------------------------------------


def test_a_clock_that_is_a_year_ahead_for_one_run_thins_out_nothing_that_is_young(empty: World) -> None:
    with_dates(empty)
    at = (datetime.now(UTC) - timedelta(days=500)).isoformat(timespec="seconds")
    columns = "at, actor, entity, name, operation, outcome, changes"
    write(empty, f"INSERT INTO audit ({columns}) VALUES (?, 'cron', 'customer', 'x', 'update', 'failed', '{{}}')", at)
    empty.json("sync", env=our_clock(days=365))
    assert empty.rows("SELECT count(*) FROM audit WHERE outcome = 'failed'") == [(1,)]
