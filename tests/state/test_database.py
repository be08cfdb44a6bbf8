"""The state file: what is taken for one, what survives a kill, and who may work with it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from siaghsync.errors import LockHeld, StateError, UsageError
from siaghsync.messages.catalog import cure, render
from siaghsync.state.database import State, memory_state, open_state
from siaghsync.state.lock import RunLock, lock_path, run_lock
from siaghsync.state.maintenance import backup
from siaghsync.state.migrations import APPLICATION_ID, VERSION

NOBODY = 65534


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "siaghsync.db"


@pytest.fixture
def state(path: Path) -> Iterator[State]:
    opened = open_state(path, create=True)
    yield opened
    opened.close()


def filled(path: Path, values: int = 200) -> Path:
    """A closed state file with something in it."""
    state = open_state(path, create=True)
    with state.atomic():
        rows = ((f"value {i}", "x" * 200) for i in range(values))
        state.execute_many("INSERT INTO meta VALUES (?, ?)", rows)
    state.close()
    return path


def refusal(path: Path, *, create: bool = False) -> str:
    """What the user is told; the file itself stays as it was."""
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(StateError) as caught:
        open_state(path, create=create)
    assert cure(caught.value.message)
    assert cure(caught.value.message, "fa")
    assert caught.value.exit_code == 2
    assert (path.read_bytes() if path.is_file() else None) == before
    return caught.value.message.code


def program(code: str, *args: object) -> subprocess.Popen[str]:
    """A Python process that runs `code`; the state's names are imported, `args` are its sys.argv[1:]."""
    head = (
        "import os, sys, time\nfrom pathlib import Path\nfrom siaghsync.errors import *\n"
        "from siaghsync.messages.catalog import render\nfrom siaghsync.state.database import *\n"
        "from siaghsync.state.lock import *\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", head + textwrap.dedent(code), *map(str, args)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


# --- what is taken for a state file ------------------------------------------------------------------------


def test_a_missing_file_is_no_first_run(path: Path) -> None:
    assert refusal(path) == "state.missing"
    assert list(path.parent.iterdir()) == []


def test_an_empty_file_is_no_first_run(path: Path) -> None:
    path.touch()
    assert refusal(path) == "state.empty"


@pytest.mark.parametrize("there_before", [False, True])
def test_a_new_file_is_private_and_of_this_version(path: Path, there_before: bool) -> None:
    if there_before:
        path.touch(mode=0o644)
    state = open_state(path, create=True)
    state.set_meta("a", "b")
    modes = {p.name: p.stat().st_mode & 0o777 for p in path.parent.iterdir()}
    assert modes == dict.fromkeys(("siaghsync.db", "siaghsync.db-wal", "siaghsync.db-shm"), 0o600)
    assert state.value("PRAGMA application_id") == APPLICATION_ID
    assert state.value("PRAGMA user_version") == VERSION
    assert state.value("PRAGMA journal_mode") == "wal"
    assert state.value("PRAGMA synchronous") == 2
    assert state.value("PRAGMA foreign_keys") == 1
    state.close()


def test_what_was_written_is_there_again(path: Path) -> None:
    filled(path)
    for create in (False, True):
        again = open_state(path, create=create)
        assert again.meta("value 7") == "x" * 200
        again.close()


def test_a_newer_file_is_left_alone(path: Path) -> None:
    filled(path)
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.close()
    for create in (False, True):
        assert refusal(path, create=create) == "state.newer"


def test_a_foreign_database_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE customers (id)")
    db.close()
    for create in (False, True):
        assert refusal(path, create=create) == "state.foreign"


def test_a_database_with_the_mark_of_another_program_is_left_alone(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA application_id = 12345")
    db.close()
    for create in (False, True):
        assert refusal(path, create=create) == "state.foreign"


@pytest.mark.parametrize("content", [b"hello\n", b"\x00" * 8192, b"SQLite format 3\x00", os.urandom(5000)])
@pytest.mark.parametrize("create", [False, True])
def test_garbage_is_refused(path: Path, content: bytes, create: bool) -> None:
    path.write_bytes(content)
    refusal(path, create=create)


@pytest.mark.parametrize("part", [0.9, 0.5, 0.1])
@pytest.mark.parametrize("create", [False, True])
def test_a_truncated_file_is_refused(path: Path, part: float, create: bool) -> None:
    filled(path)
    os.truncate(path, int(path.stat().st_size * part))
    assert refusal(path, create=create) == "state.damaged"


def test_overwritten_pages_are_refused(path: Path) -> None:
    filled(path)
    whole = path.read_bytes()
    for start in range(4096, len(whole), 4096):
        path.write_bytes(whole[:start] + b"\xa5" * 64 + whole[start + 64 :])
        with pytest.raises(StateError):
            open_state(path)


def test_no_flipped_bit_ends_in_anything_but_a_sentence(path: Path, tmp_path: Path) -> None:
    whole = filled(path, 40).read_bytes()
    damaged, chance = tmp_path / "damaged.db", random.Random(7)
    refused = 0
    for _ in range(120):
        at = chance.choice([chance.randrange(len(whole)), chance.randrange(120), 4096 * chance.randrange(12) + 3])
        flipped = bytearray(whole)
        flipped[at] ^= 1 << chance.randrange(8)
        damaged.write_bytes(flipped)
        try:
            state = open_state(damaged)
            state.rows("SELECT name, value FROM meta")
            state.set_meta("a", "b")
            state.close()
        except StateError:
            refused += 1
    assert refused > 20


def test_a_folder_is_no_state_file(tmp_path: Path) -> None:
    for create in (False, True):
        refusal(tmp_path, create=create)


def test_a_path_that_leads_through_a_file(path: Path) -> None:
    path.touch()
    for create in (False, True):
        refusal(path / "siaghsync.db", create=create)
    with pytest.raises(StateError), run_lock(path / "siaghsync.db"):
        pytest.fail("there is no such folder")


def test_a_path_without_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none" / "siaghsync.db", create=True) == "state.not_created"
    assert refusal(tmp_path / "none" / "siaghsync.db") == "state.missing"
    with pytest.raises(StateError, match=r"state\.not_reachable"):
        open_state(tmp_path / ("x" * 300))


# --- as a user who may not write ---------------------------------------------------------------------------

ATTEMPT = """
    what, path = sys.argv[1], Path(sys.argv[2])
    if os.geteuid() == 0:
        os.setgid(65534)
        os.setuid(65534)
    try:
        if what == "lock":
            with run_lock(path):
                print("held")
        else:
            state = open_state(path, create=what == "create")
            print("opened", flush=True)
            state.set_meta("a", "b")
            print("written")
    except StateError as error:
        print("refused:", error.message.code)
    """


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder whose parents anybody may enter."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "state"
        folder.mkdir()
        Path(name).chmod(0o755)
        yield folder
        folder.chmod(0o700)


@pytest.mark.parametrize(
    ("what", "folder_mode", "file_mode", "told"),
    [
        ("create", 0o500, None, ["refused: state.not_created"]),
        ("open", 0o500, 0o600, ["refused: state.not_writable"]),
        ("open", 0o700, 0o400, ["opened", "refused: state.not_writable"]),
        ("open", 0o700, 0o000, ["refused: state.not_writable"]),
        ("open", 0o000, 0o600, ["refused: state.not_reachable"]),
        ("create", 0o000, None, ["refused: state.not_reachable"]),
        ("lock", 0o500, None, ["refused: state.lock_not_created"]),
        ("open", 0o700, 0o600, ["opened", "written"]),
    ],
)
def test_without_the_right_to_write(
    public_folder: Path, what: str, folder_mode: int, file_mode: int | None, told: list[str]
) -> None:
    path = public_folder / "siaghsync.db"
    if file_mode is not None:
        filled(path, 3).chmod(file_mode)
    public_folder.chmod(folder_mode)
    if os.geteuid() == 0:
        for owned in (path, public_folder):
            if owned.exists():
                os.chown(owned, NOBODY, NOBODY)
    out, err = program(ATTEMPT, what, path).communicate()
    assert err == ""
    for text in told:
        assert text in out
    assert ("written" in out) == ("written" in told)


def test_a_lock_file_that_can_be_neither_locked_nor_written(path: Path) -> None:
    descriptor = os.open(lock_path(path), os.O_CREAT | os.O_RDONLY)
    lock = RunLock(path, lock_path(path), descriptor)
    with pytest.raises(StateError) as written:
        lock.keep(3)
    os.close(descriptor)
    with pytest.raises(StateError) as locked:
        lock.take()
    assert [raised.value.message.code for raised in (written, locked)] == [
        "state.lock_not_written",
        "state.lock_refused",
    ]


# --- transactions ------------------------------------------------------------------------------------------


def test_a_block_is_whole_or_not_at_all(state: State) -> None:
    def half() -> None:
        with state.atomic():
            state.execute("INSERT INTO meta VALUES ('a', '1')")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert state.meta("a") is None
    with state.atomic():
        state.execute("INSERT INTO meta VALUES ('a', '2')")
    assert state.meta("a") == "2"


def test_inner_blocks_belong_to_the_outer_one(path: Path, state: State) -> None:
    other = open_state(path)

    def half() -> None:
        with state.atomic():
            with state.atomic():
                state.set_meta("a", "1")
            assert other.meta("a") is None, "the inner block commits nothing"
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half()
    assert (state.meta("a"), other.meta("a")) == (None, None)
    with state.atomic():
        state.set_meta("a", "1")
        with state.atomic():
            state.set_meta("b", "2")
    assert (other.meta("a"), other.meta("b")) == ("1", "2")
    other.close()


def test_a_write_outside_a_block_is_a_mistake_of_ours(state: State) -> None:
    with pytest.raises(RuntimeError):
        state.execute("INSERT INTO meta VALUES ('a', '1')")
    with pytest.raises(RuntimeError):
        state.execute_many("INSERT INTO meta VALUES (?, ?)", [("a", "1")])
    assert state.meta("a") is None


def test_sqlite_utils_writes_inside_a_block_only_too(state: State) -> None:
    meta = state.db.table("meta")
    for write in (
        lambda: meta.insert({"name": "a", "value": "1"}),
        lambda: meta.delete_where(),
        lambda: state.db.execute("  delete from meta"),
        lambda: state.db.execute("INSERT INTO meta VALUES ('a', '1')"),
        lambda: state.db.create_view("v", "SELECT 1"),
        lambda: state.db.executescript("DELETE FROM meta;"),
        lambda: list(state.db.query("INSERT INTO meta VALUES ('a', '1') RETURNING name")),
        lambda: state.db.begin(),
    ):
        with pytest.raises(RuntimeError):
            write()
    assert not state.db.conn.in_transaction
    assert list(meta.rows) == []
    with state.atomic():
        meta.insert({"name": "a", "value": "1"})
        state.db.table("meta").insert_all([{"name": name, "value": "2"} for name in "bc"])
    assert [row["value"] for row in meta.rows_where(order_by="name")] == ["1", "2", "2"]


def test_what_sqlite_utils_wrote_goes_with_the_block(state: State) -> None:
    def insert(times: int, then: Exception) -> None:
        with state.atomic():
            for _ in range(times):
                state.db.table("meta").insert({"name": "a", "value": "1"})
            raise then

    with pytest.raises(ZeroDivisionError):
        insert(1, ZeroDivisionError())
    assert state.meta("a") is None
    with pytest.raises(sqlite3.IntegrityError):
        insert(2, ZeroDivisionError())
    assert state.meta("a") is None


def test_a_broken_rule_of_the_tables_undoes_the_block(state: State) -> None:
    def twice() -> None:
        with state.atomic():
            state.execute("INSERT INTO meta VALUES ('a', '1')")
            state.execute("INSERT INTO meta VALUES ('a', '2')")

    with pytest.raises(sqlite3.IntegrityError):
        twice()
    assert state.meta("a") is None
    state.set_meta("a", "3")
    state.set_meta("a", None)
    assert state.meta("a") is None


def test_a_writer_waits_for_another_one(path: Path, state: State) -> None:
    writer = program(
        """
        state = open_state(Path(sys.argv[1]))
        with state.atomic():
            state.set_meta("a", "1")
            print("inside", flush=True)
            time.sleep(0.3)
        """,
        path,
    )
    assert line_of(writer) == "inside"
    with state.atomic():
        assert state.meta("a") == "1"
        state.set_meta("a", "2")
    assert writer.communicate() == ("", "")
    assert state.meta("a") == "2"


@pytest.mark.parametrize("rows", [1, 20_000])
def test_a_kill_inside_a_block_leaves_nothing_of_it(path: Path, rows: int) -> None:
    filled(path, 3)
    victim = program(
        """
        state = open_state(Path(sys.argv[1]))
        state.set_meta("before", "kept")
        with state.atomic():
            rows = ((f"half {i}", "y" * 200) for i in range(int(sys.argv[2])))
            state.execute_many("INSERT INTO meta VALUES (?, ?)", rows)
            print("inside", flush=True)
            time.sleep(60)
        """,
        path,
        rows,
    )
    assert line_of(victim) == "inside"
    kill(victim)
    state = open_state(path)
    assert state.value("SELECT count(*) FROM meta WHERE name LIKE 'half%'") == 0
    assert state.meta("before") == "kept", "what was committed before the kill is there"
    assert state.value("PRAGMA integrity_check") == "ok"
    state.close()


@pytest.mark.parametrize("statement", [1, 5, 20, 40])
def test_a_kill_while_the_file_is_created(path: Path, statement: int) -> None:
    victim = program(
        """
        from siaghsync.state import migrations
        apply = migrations.apply
        def counted(db):
            left = int(sys.argv[2])
            def count(statement):
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), 9)
            db.conn.set_trace_callback(count)
            apply(db)
        migrations.apply = counted
        open_state(Path(sys.argv[1]), create=True)
        """,
        path,
        statement,
    )
    victim.communicate()
    assert victim.returncode == -signal.SIGKILL
    with pytest.raises(StateError):
        open_state(path)
    state = open_state(path, create=True)
    state.set_meta("a", "b")
    assert state.value("PRAGMA user_version") == VERSION
    assert path.stat().st_mode & 0o777 == 0o600
    state.close()


# --- the lock ----------------------------------------------------------------------------------------------

CONTENDER = """
    sys.stdin.readline()
    try:
        with run_lock(Path(sys.argv[1])):
            print("in", flush=True)
            sys.stdin.readline()
    except LockHeld as error:
        print("out", error.exit_code, flush=True)
    """


def test_of_many_starters_one_gets_in(path: Path) -> None:
    starters = [program(CONTENDER, path) for _ in range(12)]
    try:
        for process in starters:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        said = [line_of(process) for process in starters]
        assert sorted(said) == ["in", *["out 75"] * 11]
        with pytest.raises(LockHeld), run_lock(path):
            pytest.fail("somebody else is in")
        kill(starters[said.index("in")])
        with run_lock(path):
            assert lock_path(path).stat().st_mode & 0o777 == 0o600
    finally:
        for process in starters:
            kill(process)
    assert lock_path(path).exists(), "whoever deletes it lets two in"


def test_the_lock_is_free_after_any_end_of_the_block(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), run_lock(path):
        raise ZeroDivisionError
    with run_lock(path):
        with pytest.raises(LockHeld) as caught, run_lock(path):
            pytest.fail("not twice in one process either")
        assert "siaghsync.db" in render(caught.value.message)
        with run_lock(path.with_name("other.db")):
            pass


def test_the_lock_holds_while_the_file_is_opened_and_closed(path: Path) -> None:
    with run_lock(path):
        open_state(path, create=True).close()
        lock_path(path).read_bytes()
        contender = program(CONTENDER, path)
        assert contender.communicate("go\n")[0] == "out 75\n"


# --- backups -----------------------------------------------------------------------------------------------


def test_a_backup_while_another_process_writes_is_consistent(path: Path, tmp_path: Path, state: State) -> None:
    state.set_meta("left", "0")
    state.set_meta("right", "0")
    writer = program(
        """
        state = open_state(Path(sys.argv[1]))
        print("writing", flush=True)
        for count in range(1_000_000):
            with state.atomic():
                state.set_meta("left", str(count))
                state.execute("INSERT INTO meta VALUES (?, ?)", (f"n {count}", "z" * 100))
                state.set_meta("right", str(count))
        """,
        path,
    )
    try:
        assert line_of(writer) == "writing"
        counts: list[int] = []
        while len(counts) < 8 or counts[-1] == counts[0]:  # until it has written in between
            target = tmp_path / f"backup {len(counts) % 2}.db"
            backup(state, target)
            assert target.stat().st_mode & 0o777 == 0o600
            copy = open_state(Path(shutil.copy(target, tmp_path / "opened.db")))
            counts.append(int(copy.meta("right") or 0))
            assert copy.meta("left") == copy.meta("right")
            assert copy.value("PRAGMA integrity_check") == "ok"
            copy.close()
    finally:
        kill(writer)
    assert counts == sorted(counts)
    assert not list(tmp_path.glob("*.part"))


def test_a_backup_is_one_file_that_can_be_put_back(path: Path, tmp_path: Path, state: State) -> None:
    state.set_meta("a", "1")
    target = tmp_path / "backup.db"
    target.write_text("an older backup")
    (tmp_path / "backup.db.part").write_text("somebody else's")
    backup(state, target)
    assert [each.name for each in tmp_path.glob("*.part")] == ["backup.db.part"], "no file of another name is touched"
    assert open_state(target).meta("a") == "1"


@pytest.mark.parametrize("target", ["none/backup.db", ".", "siaghsync.db/backup.db"])
def test_a_backup_that_can_not_be_written_says_so(tmp_path: Path, state: State, target: str) -> None:
    with pytest.raises(UsageError, match=r"file\.not_(writable|regular)"):
        backup(state, tmp_path / target)
    assert {p.name for p in tmp_path.iterdir()} <= {"siaghsync.db", "siaghsync.db-wal", "siaghsync.db-shm"}


def test_a_backup_into_the_working_folder_itself(state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"file\.not_(writable|regular)"):
        backup(state, Path())


def test_a_dry_run_can_do_without_a_file() -> None:
    state = memory_state()
    state.set_meta("a", "1")
    assert (state.meta("a"), state.path) == ("1", None)
    assert state.value("PRAGMA user_version") == VERSION


def test_a_backup_beside_an_old_log_is_refused_until_the_log_is_gone(tmp_path: Path) -> None:
    path, copy = tmp_path / "state.db", tmp_path / "copy.db"
    state = open_state(path, create=True)
    backup(state, copy)
    state.set_meta("written", "after the backup")
    log = path.with_name("state.db-wal").read_bytes()
    state.close()
    path.write_bytes(copy.read_bytes())
    path.with_name("state.db-wal").write_bytes(log)
    with pytest.raises(StateError, match=r"state\.foreign_log"):
        open_state(path)
    path.with_name("state.db-wal").unlink()
    assert open_state(path).meta("written") is None
