"""A standard stream that is closed, full, or whose reader has gone: it ends the output, never the work, and is no bug."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.environment import SINCE, machine
from tests.world import Maker, World


@pytest.fixture
def world(make_world: Maker) -> World:
    world = make_world(customers=2, also_in_crm=2).set(**SINCE).imported()
    for number in range(3):
        world.crm.add_person(nickName=f"تازه {number}", customerNumber=str(7000 + number))
    return world


def closed(descriptor: int) -> None:
    os.close(descriptor)


def full(descriptor: int) -> None:
    os.dup2(os.open("/dev/full", os.O_WRONLY), descriptor)


def without_reader(descriptor: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    os.dup2(writer, descriptor)


Spoil = Callable[[int], None]


def run(world: World, *arguments: str, spoil: Spoil, descriptors: tuple[int, ...]) -> tuple[int, str, str]:
    """(exit code, stdout, stderr) of a command some of whose standard streams were spoilt before it began."""
    command = [sys.executable, "-m", "siaghsync", "--env-file", str(world.env_file), *arguments]
    ended = subprocess.run(
        command,
        cwd=world.folder,
        env=machine(),
        text=True,
        capture_output=True,
        check=False,
        preexec_fn=lambda: list(map(spoil, descriptors)),
    )
    return ended.returncode, ended.stdout, ended.stderr


@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["tables", "json"])
@pytest.mark.parametrize(("spoil", "code"), [(closed, 0), (full, 1), (without_reader, 1)])
def test_a_sync_does_its_work_without_stdout(world: World, spoil: Spoil, code: int, as_json: tuple[str, ...]) -> None:
    before = len(world.finance.contacts)
    assert run(world, "sync", *as_json, spoil=spoil, descriptors=(1,)) == (code, "", "")
    assert len(world.finance.contacts) == before + 3
    assert world.json("status")["last_run"]["outcome"] == "ok"


@pytest.mark.parametrize("spoil", [closed, full, without_reader])
def test_what_would_go_to_stderr_goes_nowhere_else(world: World, spoil: Spoil) -> None:
    code, out, _ = run(world, "sync", "--plan", "none.plan", "--json", spoil=spoil, descriptors=(2,))
    assert (code, set(json.loads(out))) == (2, {"error"})
    code, out, _ = run(world, "backup", "copy.db", spoil=spoil, descriptors=(2,))
    assert (code, out) == (0, "")


@pytest.mark.parametrize("spoil", [closed, full, without_reader])
@pytest.mark.parametrize("descriptors", [(1,), (1, 2), (0, 1, 2)])
def test_the_exit_code_of_the_work_comes_first(world: World, spoil: Spoil, descriptors: tuple[int, ...]) -> None:
    (world.folder / "siaghsync.db").unlink()
    for arguments, expected in ((("status",), 1), (("sync",), 2), (("nosuch",), 2), ((), 2)):
        code, out, err = run(world, *arguments, spoil=spoil, descriptors=descriptors)
        assert (code, out) == (expected, ""), err


@pytest.mark.parametrize("spoil", [closed, full, without_reader])
def test_no_file_of_ours_takes_the_place_of_a_closed_stream(world: World, spoil: Spoil) -> None:
    before = len(world.finance.contacts)
    run(world, "--verbose", "sync", spoil=spoil, descriptors=(0, 1, 2))
    assert len(world.finance.contacts) == before + 3
    assert world.rows("PRAGMA integrity_check") == [("ok",)]
    assert Path(f"{world.state_file}.lock").read_bytes().strip().isdigit()


def test_a_reader_that_goes_away_in_the_middle_is_no_bug(world: World) -> None:
    world.json("sync")
    for arguments in (("log", "--json"), ("--help",), ("status",)):
        ended = subprocess.run(
            ["bash", "-c", '"$@" | head -c 1 > /dev/null; exit ${PIPESTATUS[0]}', "-",
             sys.executable, "-m", "siaghsync", "--env-file", str(world.env_file), *arguments],
            cwd=world.folder, env=machine(), text=True, capture_output=True, check=False,
        )  # fmt: skip
        assert ended.returncode in (0, 1)  # as soon as the pipe's buffer took it all
        assert ended.stderr == ""
