"""One state file under two names, its lock file gone, another file in its place, an old copy put back: nothing twice."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

import pytest

from siaghsync.errors import LockHeld
from siaghsync.state.access import locked_state
from siaghsync.state.database import open_state
from siaghsync.state.lock import lock_path, run_lock
from tests.engine.test_documents import quote, review, told
from tests.environment import SINCE
from tests.patience import wait_for
from tests.world import Maker, World, finish, holding

CREATE = "SaveFormData/create"


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    world = make_template(customers=2, also_in_crm=2).set(**SINCE).imported()
    world.json("sync")
    return world


@pytest.fixture
def world(make_world: Maker, template: World) -> World:
    """Two linked customers, and twelve new ones in the CRM."""
    world = make_world().set(**SINCE).twin_of(template)
    for number in range(12):
        world.crm.add_person(nickName=f"مشتری {number}", customerNumber=str(7000 + number))
    return world


def once_each(world: World) -> bool:
    """Whether Finance has each of the new customers exactly once."""
    names = Counter(str(contact["Name"]) for contact in world.finance.contacts.values())
    return [names[f"مشتری {number}"] for number in range(12)] == [1] * 12


def at_work(world: World) -> bool:
    return world.journal.count("finance", CREATE) > 0


# --- two names ---------------------------------------------------------------------------------------------


def test_a_symbolic_link_leads_to_the_same_lock(world: World) -> None:
    link = world.folder / "elsewhere" / "books.db"
    link.parent.mkdir()
    link.symlink_to(world.state_file)
    with holding(world, CREATE):
        first = world.start("--state", str(link), "sync")
        wait_for(lambda: at_work(world))
        assert world.run("sync").exit_code == 75
    assert finish(first).exit_code == 0
    assert once_each(world)
    assert [each.name for each in link.parent.iterdir()] == ["books.db"]


def test_an_import_makes_its_state_file_where_a_symbolic_link_leads(make_world: Maker) -> None:
    world = make_world(customers=1)
    (world.folder / "real").mkdir()
    world.state_file.symlink_to("real/books.db")
    world.imported()
    assert {each.name for each in (world.folder / "real").iterdir()} == {"books.db", "books.db.lock"}


def test_a_state_file_with_a_second_name_is_refused_under_both(world: World) -> None:
    other = world.folder / "other.db"
    other.hardlink_to(world.state_file)
    for path in (world.state_file, other):
        for command in ("sync", "status", "review"):
            ended = world.run("--state", str(path), command)
            assert ended.exit_code == 2
            assert f"-samefile {path}" in ended.stderr
    other.unlink()
    assert world.run("sync").exit_code == 0
    assert once_each(world)


# --- the lock is lost --------------------------------------------------------------------------------------


def delete_lock(world: World) -> None:
    lock_path(world.state_file).unlink()


def replace_lock(world: World) -> None:
    new = world.folder / "new.lock"
    new.touch()
    new.replace(lock_path(world.state_file))


def move_state(world: World) -> None:
    world.state_file.rename(world.folder / "moved.db")


def replace_state(world: World) -> None:
    Path(shutil.copy(world.state_file, world.folder / "copy.db")).replace(world.state_file)


@pytest.mark.parametrize("harm", [delete_lock, replace_lock])
def test_a_run_without_its_lock_file_ends_before_it_sends_more(world: World, harm: Callable[[World], None]) -> None:
    one_at_a_time = {"CONCURRENCY": "1"}
    with holding(world, CREATE):
        first = world.start("sync", "--json", env=one_at_a_time)
        wait_for(lambda: at_work(world))
        harm(world)
        before = world.rows("SELECT id, run_id, state FROM intents WHERE state = 'open'")
        assert before
        for _ in range(2):
            second = world.run("sync", "--json", env=one_at_a_time)
            assert second.exit_code == 75
            assert second.json["error"]["kind"] == "locked"
        assert world.rows("SELECT id, run_id, state FROM intents WHERE state = 'open'") == before
    ended = finish(first)
    assert ended.exit_code == 75
    assert f"{world.state_file.name}.lock" in ended.json["error"]["message"]
    assert world.rows("SELECT count(*) FROM intents WHERE state IN ('open', 'unknown')") == [(0,)]
    assert 0 < len(world.finance.contacts) - 2 < 12, "what was under way is done, and no more"
    assert world.json("status", exit_code=1)["last_run"]["outcome"] == "failed"
    assert world.run("sync").exit_code == 0
    assert once_each(world)


@pytest.mark.parametrize("harm", [move_state, replace_state])
def test_a_run_whose_state_file_was_exchanged_ends_too(world: World, harm: Callable[[World], None]) -> None:
    with holding(world, CREATE):
        run = world.start("sync", env={"CONCURRENCY": "1"})
        wait_for(lambda: at_work(world))
        harm(world)
    assert finish(run).exit_code == 75
    assert len(world.finance.contacts) - 2 < 12


def test_two_decisions_in_one_process_keep_each_other_out_without_the_lock_file(world: World) -> None:
    with locked_state(world.state_file):
        delete_lock(world)
        with pytest.raises(LockHeld), locked_state(world.state_file):
            pytest.fail("the state file itself is locked")
    with locked_state(world.state_file):
        pass


def test_sqlites_own_locks_outlive_another_opening_in_the_same_process(world: World) -> None:
    """As POSIX wants it, a closed descriptor takes all locks of the process along; the next process to close the file would
    take it for unused then, and delete the log that the first one still writes to."""
    with closing(open_state(world.state_file)) as state:
        state.set_meta("before", "1")
        open_state(world.state_file).close()
        with run_lock(world.state_file):
            pass
        code = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT 1 FROM meta').connection.close()"
        subprocess.run([sys.executable, "-c", code, str(world.state_file)], check=True)
        state.set_meta("after", "1")
        with closing(sqlite3.connect(world.state_file)) as other:
            assert other.execute("SELECT count(*) FROM meta WHERE name IN ('before', 'after')").fetchone() == (2,)


# --- an old copy -------------------------------------------------------------------------------------------


def put_back(world: World, copy: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        Path(f"{world.state_file}{ending}").unlink(missing_ok=True)
    shutil.copy(copy, world.state_file)


def test_a_plain_copy_that_is_put_back_asks_about_what_may_have_been_posted(world: World) -> None:
    copy = Path(shutil.copy(world.state_file, world.folder / "plain.db"))
    posted = quote(world)
    assert told(world.json("sync")) == [("create", None)]
    put_back(world, copy)
    assert told(world.json("sync", "--dry-run")) == [("review", "may_be_posted")]
    assert told(world.json("sync", exit_code=1)) == [("review", "may_be_posted")]
    assert review(world, "may_be_posted")["crm_id"] == posted
    assert once_each(world), "customers are looked up before they are created"
    quote(world, number="100-1405/9")
    assert told(world.json("sync")) == [("create", None)]
    assert len(world.finance.preinvoices) == 2


def test_a_snapshot_from_within_the_run_that_posted_is_noticed(world: World) -> None:
    """It is taken while the first customer is created, before the document goes out; the run ends well afterwards."""
    quote(world)
    snapshot = world.folder / "snapshot"
    snapshot.mkdir()
    with holding(world, CREATE):
        run = world.start("sync")
        wait_for(lambda: at_work(world))
        for ending in ("", "-wal"):
            shutil.copy(f"{world.state_file}{ending}", snapshot / f"siaghsync.db{ending}")
    assert finish(run).exit_code == 0
    put_back(world, snapshot / "siaghsync.db")
    shutil.copy(snapshot / "siaghsync.db-wal", f"{world.state_file}-wal")
    assert ("review", "may_be_posted") in told(world.json("sync", exit_code=1))
    assert len(world.finance.preinvoices) == 1
    assert once_each(world)


@pytest.mark.parametrize("lock", [None, b"", b"\0\xff" * 20, b"00000000000000000001\n"])
def test_a_lock_file_that_knows_nothing_gives_no_false_alarm(world: World, lock: bytes | None) -> None:
    world.json("sync")
    lock_path(world.state_file).unlink()
    if lock is not None:
        lock_path(world.state_file).write_bytes(lock)
    quote(world)
    assert told(world.json("sync")) == [("create", None)]
    copy = Path(shutil.copy(world.state_file, world.folder / "plain.db"))
    quote(world, number="100-1405/9")
    assert told(world.json("sync")) == [("create", None)]
    put_back(world, copy)
    assert told(world.json("sync", exit_code=1)) == [("review", "may_be_posted")], "it counts again from then on"


def test_a_kill_at_any_step_of_the_counting_looks_like_no_copy(world: World) -> None:
    """The state file is written first, so it can only be ahead."""
    with locked_state(world.state_file) as state:
        before = lock_path(world.state_file).read_bytes()
        with state.atomic():
            state.advance()
            generation = state.generation
            assert lock_path(world.state_file).read_bytes() == before
        assert int(lock_path(world.state_file).read_text()) == generation
        with suppress(ZeroDivisionError), state.atomic():
            state.advance()
            raise ZeroDivisionError
        assert int(lock_path(world.state_file).read_text()) == state.generation == generation
    os.truncate(lock_path(world.state_file), 0)  # killed before the lock file was written for the first time
    with locked_state(world.state_file) as state:
        assert state.generation == generation + 1
        assert state.meta("is_a_copy") is None


def test_a_new_state_file_beside_an_old_lock_file_is_no_copy(world: World) -> None:
    world.json("sync")
    world.state_file.unlink()
    world.imported()
    assert world.rows("SELECT name FROM meta WHERE name IN ('is_a_copy', 'earlier_state_was_lost')") == [
        ("earlier_state_was_lost",)
    ]
