"""What people tell the sync on the dashboard: run now, pause, go on; by whom, and what a pause keeps from being written."""

from __future__ import annotations

import signal
from contextlib import closing
from datetime import timedelta

import pytest

from siaghsync import clock
from siaghsync.state import pauses
from siaghsync.state.database import open_state
from tests.patience import wait_for
from tests.web.serving import PASSWORD, Served, ready, serving, write
from tests.web.test_users import OTHER, user, visitor
from tests.world import Maker, World, finish, holding

REASON = "بستن حساب‌های سال مالی"


@pytest.fixture
def office(make_world: Maker) -> World:
    """Five linked customers, and two users: Mina may look, Ali may decide."""
    world = ready(make_world(customers=5, also_in_crm=5)).imported()
    user(world, "add", "Mina", "--role", "look", password=PASSWORD)
    user(world, "add", "Ali", "--role", "decide", password=OTHER)
    return world


def logged_in(served: Served, name: str, password: str) -> Served:
    found = visitor(served)
    assert found.log_in(name, password).status_code == 303
    return found


def order(visitor: Served, path: str, **form: str) -> str:
    """Sends an order; returns the page that it leads to."""
    answer = visitor.post(path, {"csrf": visitor.csrf("/"), **form})
    assert (answer.status_code, answer.headers.get("Location")) == (303, "/")
    return visitor.get("/").text


def change_all(world: World, sign: str) -> None:
    for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings"):
        world.crm.edit(crm_id, email=f"{sign}@example.com")


def written(world: World, sign: str) -> int:
    return sum(f"{sign}@example.com" in contact.values() for contact in world.finance.contacts.values())


def orders(world: World) -> list[tuple[str, ...]]:
    return world.rows("SELECT actor, outcome FROM audit WHERE operation = 'order' ORDER BY id")


def is_at_rest(world: World) -> bool:
    return not world.rows("SELECT 1 FROM runs WHERE finished_at IS NULL")


# --- run now -----------------------------------------------------------------------------------------------


def test_who_may_decide_starts_a_run_whose_lines_bear_the_name(office: World) -> None:
    change_all(office, "new")
    with serving(office) as served:
        mina, ali = logged_in(served, "Mina", PASSWORD), logged_in(served, "Ali", OTHER)
        assert 'id="orders"' not in mina.get("/").text
        assert mina.post("/run", {"csrf": mina.csrf("/")}).status_code == 403
        assert ali.post("/run", {"csrf": "forged"}).status_code == 403
        assert written(office, "new") == 0
        page = order(ali, "/run")
        assert "A run has begun." in page
        wait_for(lambda: written(office, "new") == 5 and is_at_rest(office))
        assert orders(office) == [("Ali (dashboard)", "started")]
        assert {actor for (actor,) in office.rows("SELECT actor FROM audit WHERE operation = 'update'")} == {
            "Ali (dashboard)"
        }
        assert ali.get("/trail").text.count("(dashboard)") == 1  # beside the instruction
    last = office.json("status")["last_run"]
    assert (last["command"], last["outcome"]) == ("sync", "ok")


def test_while_a_run_is_at_work_no_other_one_is_begun_and_that_is_said(office: World) -> None:
    with serving(office) as served:
        ali = logged_in(served, "Ali", OTHER)
        with holding(office, "login"):
            assert "pulse" in order(ali, "/run")  # it shows as at work at once
            assert "no other one was begun" in order(ali, "/run")
            assert len(office.rows("SELECT 1 FROM runs WHERE command = 'sync'")) == 1
        wait_for(lambda: is_at_rest(office))
    assert orders(office) == [("Ali (dashboard)", "started")]


def test_a_run_that_can_not_begin_says_why(make_world: Maker) -> None:
    world = ready(make_world())
    world.imported()
    write(world, "DELETE FROM meta WHERE name = 'initial_import_completed_at'")
    with serving(world) as served:
        served.log_in()
        answer = served.post("/run", {"csrf": served.csrf("/")})
        assert (answer.status_code, "No initial import has completed" in answer.text) == (503, True)


# --- pause -------------------------------------------------------------------------------------------------


def test_a_pause_is_shown_everywhere_and_nothing_is_written_until_it_ends(office: World) -> None:
    change_all(office, "new")
    with serving(office) as served:
        mina, ali = logged_in(served, "Mina", PASSWORD), logged_in(served, "Ali", OTHER)
        assert mina.post("/pause", {"csrf": mina.csrf("/"), "reason": REASON}).status_code == 403
        assert "Please write the reason" in order(ali, "/pause", reason=" ")
        assert office.json("status")["paused"] is None
        assert REASON in order(ali, "/pause", reason=REASON)
        for path in ("/", "/reviews", "/trail", "/runs", "/site", "/waiting"):
            assert REASON in mina.get(path).text
        assert "/resume" in ali.get("/runs").text
        assert "/resume" not in mina.get("/runs").text
        assert 'id="orders"' not in ali.get("/").text
        assert "Paused until" in ali.post("/run", {"csrf": ali.csrf("/")}).text

        for options in ((), ("--force",), ("--full",)):
            ended = office.run("sync", *options)
            assert (ended.exit_code, REASON in ended.stderr, office.journal.count()) == (0, True, 0)
        assert office.run("sync", "--quiet").text == ""
        told = office.json("sync")
        assert (told["run"], told["paused"]["reason"], told["paused"]["by"]) == (None, REASON, "Ali (dashboard)")
        assert told["customers"] == dict.fromkeys(told["customers"], 0)
        assert office.json("status")["paused"] == told["paused"]
        assert REASON in office.run("status").stdout
        served.call("identity", office.rows("SELECT crm_id FROM customer_mappings")[0][0])
        assert len(office.json("sync", "--dry-run")["changes"]) == 5
        office.json("initial-import", "--yes")  # watched by whoever started it
        assert (written(office, "new"), served.stored()) == (0, 1)

        assert mina.post("/resume", {"csrf": mina.csrf("/")}).status_code == 403
        assert REASON not in order(ali, "/resume")
    assert office.json("sync")["customers"]["updated"] == 5
    assert [outcome for _, outcome in orders(office)] == ["paused", "resumed"]


def test_a_pause_outlives_a_killed_service(office: World) -> None:
    with serving(office) as served:
        order(logged_in(served, "Ali", OTHER), "/pause", reason=REASON)
        served.process.send_signal(signal.SIGKILL)
        served.process.wait()
    assert office.json("status")["paused"]["reason"] == REASON
    assert office.json("sync")["run"] is None


def test_a_run_at_work_ends_before_its_next_change(office: World) -> None:
    change_all(office, "new")
    with serving(office) as served:
        ali = logged_in(served, "Ali", OTHER)
        with holding(office, "SaveFormData"):
            process = office.start("sync", env={"CONCURRENCY": "1"})
            wait_for(lambda: office.journal.count("finance", "SaveFormData") > 0)
            order(ali, "/pause", reason=REASON)
        ended = finish(process)
        assert (ended.exit_code, REASON in ended.stderr) == (0, True)
        assert 0 < written(office, "new") < 5
        assert office.json("status")["last_run"]["outcome"] == "partial"
        order(ali, "/resume")
    assert office.json("sync")["customers"]["failed"] == 0
    assert written(office, "new") == 5


@pytest.mark.parametrize(("days", "said"), [(-1.1, False), (0.1, True)], ids=["a day ago", "by a clock ahead"])
def test_a_pause_ends_by_itself_and_one_by_a_wrong_clock_never_lasts(office: World, days: float, said: bool) -> None:
    change_all(office, "new")
    with closing(open_state(office.state_file)) as state:
        pauses.begin(state, clock.now() + timedelta(days=days), "Ali (dashboard)", REASON)
    assert office.json("status")["paused"] is None
    ended = office.run("sync")
    assert (ended.exit_code, written(office, "new")) == (0, 5)
    assert ("longer than any can" in ended.stderr) == said
    assert "longer than any can" not in office.run("sync").stderr


def test_the_next_run_is_due_after_the_pause_as_after_a_run(office: World) -> None:
    """A monitor is not to be woken between the end of a pause and the next run of cron."""
    office.json("sync")
    long_ago = (clock.now() - timedelta(hours=25)).isoformat(timespec="seconds")
    write(office, "UPDATE runs SET started_at = ?, finished_at = ?", long_ago, long_ago)
    assert office.run("status").exit_code == 1
    with closing(open_state(office.state_file)) as state:
        pauses.begin(state, clock.now(), "Ali (dashboard)", REASON)
        assert office.run("status").exit_code == 0
        pauses.end(state, clock.now(), "Ali (dashboard)")
    assert office.run("status").exit_code == 0
