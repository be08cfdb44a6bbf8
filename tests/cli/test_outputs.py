"""What no output may replace: our own files, under whatever name, and what is no regular file."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from siaghsync.state.database import open_state
from tests.indoors import indoors
from tests.world import World

COMMANDS = [
    ("lint", "--csv"),
    ("report", "invoices", "--csv"),
    ("initial-import", "--dry-run", "--save-plan"),
    ("sync", "--dry-run", "--save-plan"),
    ("backup",),
]
OWN = ("siaghsync.db", "siaghsync.db.lock", "siaghsync.db-wal", "siaghsync.db-shm", ".env", "mapping.toml")


@pytest.fixture
def home(world: World) -> Iterator[World]:
    """An installation whose files are all there, and a state file that is open, so that its companions are."""
    with closing(open_state(world.state_file, create=True)) as state:
        state.set_meta("a", "b")
        (world.folder / "siaghsync.db.lock").write_text("lock")
        (world.folder / "mapping.toml").write_text("[cities]\n")
        yield indoors(world)


def content(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Each regular file's inode and content."""
    return {each.name: (each.stat().st_ino, each.read_bytes()) for each in folder.iterdir() if each.is_file()}


def refused(home: World, *arguments: str, env: dict[str, str] | None = None) -> str:
    """What was said when an output was refused: exit code 2, no request, nothing touched."""
    before = content(home.folder)
    ended = home.run(*arguments, env=env)
    assert ended.exit_code == 2, ended.text
    assert home.journal.count() == 0
    assert content(home.folder) == before
    return ended.stderr


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_no_command_writes_over_a_file_that_we_need(home: World, command: tuple[str, ...]) -> None:
    for name in OWN:
        assert "siaghsync itself needs" in refused(home, *command, str(home.folder / name))


def test_no_metrics_are_written_over_a_file_that_we_need(home: World) -> None:
    for name in OWN:
        assert "METRICS_FILE" in refused(home, "sync", env={"METRICS_FILE": name})


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_what_is_no_regular_file_is_left_alone(home: World, command: tuple[str, ...], tmp_path: Path) -> None:
    (home.folder / "folder").mkdir()
    os.mkfifo(home.folder / "pipe")
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind(str(home.folder / "socket"))
        for name in ("folder", "pipe", "socket", "/dev/null", "/dev/full"):
            link = home.folder / f"to-{Path(name).name}"
            link.symlink_to(home.folder / name)
            for path in (home.folder / name, link):
                assert "is not a regular file" in refused(home, *command, str(path))
                refused(home, "status", env={"METRICS_FILE": str(path)})


def test_another_name_makes_no_other_file(home: World) -> None:
    folder = home.folder
    (folder / "soft").symlink_to("siaghsync.db")
    (folder / "to-nothing-yet").symlink_to("siaghsync.db-journal")
    (folder / "here").symlink_to(folder)
    (folder / "hard").hardlink_to(folder / ".env")
    names = (
        "soft",
        "to-nothing-yet",
        "here/siaghsync.db.lock",
        "hard",
        f"../{folder.name}/mapping.toml",
        "siaghsync.db-journal",
    )
    for name in names:
        refused(home, "backup", str(folder / name))


def test_a_state_file_that_is_not_there_yet_is_not_taken_for_a_plan(world: World) -> None:
    ended = indoors(world).run("initial-import", "--dry-run", "--save-plan", str(world.state_file))
    assert ended.exit_code == 2
    assert not world.state_file.exists()


def test_the_file_of_state_option_is_guarded(home: World) -> None:
    other = home.folder / "other.db"
    open_state(other, create=True).close()
    refused(home, "--state", "other.db", "backup", str(other))
    assert home.run("--state", "other.db", "backup", str(home.folder / "copy.db")).exit_code == 0
    assert (home.folder / "copy.db").stat().st_mode & 0o777 == 0o600
