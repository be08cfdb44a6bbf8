"""Odd input is never a bug of the program: any list of arguments ends with a sentence and a known exit code."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from typer import Context
from typer.core import TyperGroup

from siaghsync.cli.app import app
from tests.indoors import Indoors, indoors
from tests.world import Maker

ENDLESS = {"demo", "sandbox", "serve"}
"""They work until Ctrl-C, or start processes of their own."""
ODD = [
    "", " ", "-", "--", "0", "-1", "99999999999999999999", "1e9", "۱۲۳", "12\u200f", "\udcff\udcfe", "a\nb", "|", "%s{0}",
    "'; --", "x" * 5000, "2026-02-30", "1404/12/30", "0001-01-01", "9999-12-31", "1h", "-5m", "999999999d", "15m", ".",
    "no/such/folder/f", "plan.json", "deep.json", "odd.csv", "odd.toml", "invoice", "customers",
    "00000000-0000-0000-0000-000000000000", "1", "100-1", "look",
]  # fmt: skip


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    context = Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, TyperGroup):
            yield from commands(command, (*path, name))
        elif name not in ENDLESS:
            yield (*path, name), command


@st.composite
def lines(draw: st.DrawFn) -> list[str]:
    """A command with odd arguments, and options of its own with odd values or without any."""
    path, command = draw(st.sampled_from(COMMANDS))
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    line = [*path, *draw(st.lists(st.sampled_from(ODD), min_size=len(arguments) and 1, max_size=len(arguments) + 1))]
    options = [p for p in command.params if p.param_type_name == "option"]
    for option in draw(st.lists(st.sampled_from(options), max_size=4)) if options else ():
        takes_value = not option.is_flag and draw(st.integers(0, 9))
        line += [option.opts[-1], *([draw(st.sampled_from(ODD))] if takes_value else [])]
    return line


COMMANDS = list(commands(typer.main.get_group(app)))


@pytest.fixture(scope="module")
def world(make_template: Maker) -> Indoors:
    world = indoors(make_template(customers=3, also_in_crm=1))
    world.imported().json("sync")
    kept = world.folder / "kept"
    kept.mkdir()
    for file in [*world.folder.glob("siaghsync.db*"), world.env_file]:
        shutil.copy(file, kept / file.name)
    return world


def put_back(world: Indoors) -> None:
    for file in world.folder.iterdir():
        if file.is_file():
            file.unlink()
    for file in (world.folder / "kept").iterdir():
        shutil.copy(file, world.folder / file.name)
    write(world.folder / "plan.json", '{"format": 1, "actions": [{"operation": "create"}]}')
    write(world.folder / "deep.json", "[" * 100_000)
    write(world.folder / "odd.csv", "crm_id,finance_code\r\n,\r\n\x00,\udcff\n")
    write(world.folder / "odd.toml", "a = [")


def write(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))


@given(lines())
@example(["sync", "--plan", "deep.json"])
@example(["review", "show", "99999999999999999999"])
@example(["links", "remove", "\udcff\udcfe"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_list_of_arguments_is_a_bug(world: Indoors, line: list[str]) -> None:
    put_back(world)
    ended = world.run(*line)
    assert ended.exit_code in (0, 1, 2, 3), (line, ended.text)
    assert "Traceback" not in ended.text
    if "--json" in line and "--help" not in line and ended.exit_code != 2:
        json.loads(ended.stdout)
