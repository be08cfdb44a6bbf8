"""State files of every released version, opened by the program at hand: everything is still there and understood.

At a release: run `.venv/bin/python tests/released/make.py` and commit what it writes. Until a version is out, its file
is made anew with each change of the tables. Once it is out, neither its file nor the steps of `schema.MIGRATIONS` that it
was made with are ever changed: a change of the tables is a new step at the end.
"""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from siaghsync import __version__
from siaghsync.errors import StateError
from siaghsync.store import dossier, history, outbox, reviews, state_file
from siaghsync.store.mappings import Cursors, Mappings
from siaghsync.store.posted import PostedDocuments
from siaghsync.store.schema import APPLICATION_ID, MIGRATIONS
from siaghsync.store.state import State
from siaghsync.store.state_file import open_state
from tests.environment import machine

FOLDER = Path(__file__).parent
TABLES = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
BAD_STEP = "CREATE TABLE extra (x TEXT);\nUPDATE facts SET value = 'lost';\nINSERT INTO no_such_table VALUES (1);"
GOOD_STEP = "CREATE TABLE extra (x TEXT);\nINSERT INTO extra VALUES ('y');\nUPDATE facts SET value = value || '!';"


def restored(version: str, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as db:
        db.executescript((FOLDER / f"{version}.sql").read_text("utf-8"))
    return path


@pytest.fixture(params=sorted(file.stem for file in FOLDER.glob("*.sql")))
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The state file of a released version."""
    return restored(request.param, tmp_path / "siaghsync.db")


def contents(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Table -> its rows."""
    with closing(sqlite3.connect(path)) as db:
        db.row_factory = sqlite3.Row
        tables = [row["name"] for row in db.execute(TABLES)]
        return {table: [dict(row) for row in db.execute(f"SELECT * FROM {table}")] for table in tables}


def shape(path: Path) -> dict[str, str]:
    """Table or index -> how it was made."""
    with closing(sqlite3.connect(path)) as db:
        return dict(db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))


def test_everything_is_still_there(old: Path) -> None:
    before = contents(old)
    assert sum(map(len, before.values())) >= 20
    open_state(old).close()
    after = contents(old)
    for table, rows in before.items():
        for row in rows:
            assert any(row.items() <= kept.items() for kept in after[table]), f"{table} has lost {row}"
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == len(MIGRATIONS)
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_it_is_understood(old: Path) -> None:
    with closing(open_state(old)) as state:
        linked = Mappings(state).of_code(234)
        assert linked
        assert (linked.crm_id, linked.customer_number, linked.checksum) == ("p-1", "234", "c1")
        posted = PostedDocuments(state).of("i-1")
        assert posted
        assert (posted.number, posted.snapshot["net"]) == ("51", "3000000")
        assert Cursors(state).all() == {"person": "2026-01-05T15:00:00"}
        (sent,) = outbox.unknown_intents(state, "finance", "customer")
        assert (sent.action.fields["fullname"], sent.action.notes, bool(sent.missed_at)) == (
            (None, "علی"),
            ("نشان",),
            True,
        )
        assert [item["reason"] for item in reviews.open_items(state)] == ["stranger"]
        assert history.entries(state, history.LogFilter())[0]["fields"] == {"mobileno": ["0912", "0935"]}
        assert dossier.dossiers(state, "234")[0].documents[0]["finance_number"] == "51"


def told(old: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Runs a command on the state file; only `status` finds something that somebody has to do."""
    settings = {
        "CRM_API_BASE_URL": "http://127.0.0.1:9", "CRM_USERNAME": "a", "CRM_PASSWORD": "b",
        "FINANCE_API_BASE_URL": "http://127.0.0.1:9", "FINANCE_USERNAME": "c", "FINANCE_PASSWORD": "0" * 32,
        "SIAGHSYNC_STATE": str(old), **machine(),
    }  # fmt: skip
    call = [sys.executable, "-m", "siaghsync", *command.split()]
    ended = subprocess.run(call, cwd=old.parent, env=settings, capture_output=True, text=True, check=False)
    assert ended.returncode == (1 if command.startswith("status") else 0), ended.stderr
    assert not ended.stderr
    return ended


SHOWN = {
    "status": ("2 customers, 1 documents posted", "(timeout)", "(customer_unknown)", "(stranger)", "(no_number)"),
    "review": ("1 238 Somebody else.", "(stranger)"),
    "review show 1": ("Review 1, customer, number 238", "finance_code 238", "رضا"),
    "log": ("15:30:00 2 customer 234 update done mobileno: 0912 -> 0935",),
    "explain 234": ("Customer 234", "Record p-1", "contact 234", "pre-invoice 51", "mobileno: 0912 -> 0935"),
}


@pytest.mark.parametrize("command", SHOWN)
def test_the_commands_show_it(old: Path, command: str) -> None:
    text = " ".join(told(old, command).stdout.split())  # whatever the widths of the columns
    for words in SHOWN[command]:
        assert words in text


def test_the_status_for_programs_counts_it(old: Path) -> None:
    status = json.loads(told(old, "status --json").stdout)
    assert status["initial_import_done"] is True
    assert status["mappings"] == {"customers": 2, "invoices": 1}
    assert (status["pending"], status["failed"], status["review"]) == (3, 2, 1)
    assert (status["last_run"]["id"], status["last_run"]["outcome"]) == (2, "partial")
    assert status["cursors"] == {"person": "2026-01-05T15:00:00"}


def test_the_version_at_hand_has_its_file_with_something_in_each_table(tmp_path: Path) -> None:
    assert (FOLDER / f"{__version__}.sql").exists(), "run tests/released/make.py"
    found = contents(restored(__version__, tmp_path / "a.db"))
    assert [table for table, rows in found.items() if not rows] == []
    open_state(tmp_path / "new.db", create=True).close()
    assert shape(tmp_path / "a.db") == shape(tmp_path / "new.db"), "run tests/released/make.py"


def test_the_steps_of_a_release_stay_as_they_were(old: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        steps = db.execute("PRAGMA user_version").fetchone()[0]
    with closing(sqlite3.connect(tmp_path / "steps.db")) as db:
        for step in MIGRATIONS[:steps]:
            db.executescript(step)
    assert shape(tmp_path / "steps.db") == shape(old)


# --- a step that does not go well --------------------------------------------------------------------------


@pytest.fixture
def next_step(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Adds a step to those that the program knows."""

    def add(step: str) -> None:
        monkeypatch.setattr(state_file, "MIGRATIONS", (*MIGRATIONS, step))

    yield add
    monkeypatch.undo()


def test_a_step_that_fails_leaves_the_file_as_it_was(
    old: Path, next_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_state(old).close()
    before = contents(old)
    next_step(BAD_STEP)
    for _ in range(2):
        with pytest.raises(sqlite3.OperationalError, match="no_such_table"):
            open_state(old)
        assert contents(old) == before
    monkeypatch.undo()
    with closing(open_state(old)) as state:  # the version before goes on with it
        assert state.value("PRAGMA user_version") == len(MIGRATIONS)


def test_after_a_step_the_version_before_refuses_and_changes_nothing(
    old: Path, next_step: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    next_step(GOOD_STEP)
    open_state(old).close()
    after = contents(old)
    assert after["extra"] == [{"x": "y"}]
    monkeypatch.undo()
    with pytest.raises(StateError, match="newer siaghsync"):
        open_state(old)
    assert contents(old) == after


CHILD = """
import os, sys
from pathlib import Path
from siaghsync.store import schema, state, state_file
path, step, left = sys.argv[1:]
state_file.MIGRATIONS = (*schema.MIGRATIONS, step)
execute = state.State.execute
def counted(self, sql, values=()):
    global left
    found = execute(self, sql, values)
    left = int(left) - 1
    if left == 0:
        os.kill(os.getpid(), 9)
    return found
state.State.execute = counted
sys.stdin.readline()
opened = state_file.open_state(Path(path))
print(opened.value("SELECT count(*) FROM extra"))
"""


def child(path: Path, *, killed_after: int) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", CHILD, str(path), GOOD_STEP, str(killed_after)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("killed_after", [1, 2, 3, 5])
def test_a_kill_within_a_step_leaves_the_file_as_it_was(old: Path, killed_after: int) -> None:
    open_state(old).close()
    before = contents(old)
    with child(old, killed_after=killed_after) as victim:
        victim.communicate("go\n")
    assert victim.returncode == -signal.SIGKILL
    assert contents(old) == before
    with child(old, killed_after=0) as heir:
        assert heir.communicate("go\n") == ("1\n", "")


def test_of_many_that_open_an_old_file_at_once_one_takes_the_step(old: Path) -> None:
    open_state(old).close()
    facts = contents(old)["facts"]
    children = [child(old, killed_after=0) for _ in range(6)]
    for each in children:
        assert each.stdin
        each.stdin.write("go\n")
        each.stdin.flush()
    told = [each.communicate() for each in children]
    assert told == [("1\n", "")] * 6
    assert [row["value"] for row in contents(old)["facts"]] == [f"{row['value']}!" for row in facts]


def test_the_mark_is_in_the_file_itself(old: Path) -> None:
    with closing(sqlite3.connect(old)) as db:
        assert db.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
    assert isinstance(open_state(old), State)
