"""What is odd about the settings: one line each on stderr, from every command that reads them, and nothing else changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from siaghsync.cli.doubts import doubts_of_env_file
from siaghsync.messages.catalog import render
from siaghsync.sandbox import Sandbox
from tests.cli.test_cli import outside
from tests.indoors import Indoors, indoors
from tests.world import Maker

COMMANDS = [
    ("status",), ("log",), ("review",), ("verify",), ("lint",), ("report", "invoices"), ("explain", "1"), ("check-apis",),
    ("backup", "copy.db"), ("sync",), ("initial-import", "--yes"),
]  # fmt: skip


@pytest.fixture(scope="module")
def home(make_template: Maker) -> Indoors:
    return indoors(make_template(customers=1, also_in_crm=1).imported())


def said(folder: Path, text: str, mode: int = 0o600) -> list[str]:
    path = folder / "e.env"
    path.write_text(text, "utf-8")
    path.chmod(mode)
    return [render(doubt).replace(str(path), "FILE") for doubt in doubts_of_env_file(path)]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_reads_settings_warns(home: Indoors, command: tuple[str, ...]) -> None:
    quiet = home.set().run(*command)
    assert "Warning" not in quiet.text
    home.set(CRM_PASWORD="geheim")
    home.env_file.chmod(0o604)
    ended = home.run(*command, env={"METRICS_FILE": "none/m.prom"})
    assert ended.exit_code == quiet.exit_code
    warnings = [line for line in ended.stderr.splitlines() if line.startswith("Warning: ")]
    assert len(warnings) == 3
    assert "`chmod o= " in warnings[0]
    assert warnings[1].endswith("CRM_PASWORD is not a setting. Did you mean CRM_PASSWORD?")
    assert str(home.folder / "none") in warnings[2]
    assert "geheim" not in ended.text
    assert "Warning" not in ended.stdout


def test_json_stays_one_document(home: Indoors) -> None:
    ended = home.set(NOT_OURS="1").run("sync", "--json")
    assert json.loads(ended.stdout)
    assert "NOT_OURS is not a setting." in ended.stderr


def test_a_quiet_sync_warns_only_if_it_fails(home: Indoors) -> None:
    assert home.set(NOT_OURS="1").run("sync", "--quiet").text == ""
    failed = home.run("sync", "--quiet", env={"CRM_PASSWORD": "wrong"})
    assert failed.exit_code == 3
    assert failed.stderr.count("Warning: ") == 1
    home.set(NOT_OURS="1", FINANCE_PASSWORD="")
    assert "NOT_OURS" in home.run("sync", "--quiet").stderr
    assert home.set().run("sync", "--quiet").text == "", "nothing is left of an earlier command"


def test_a_missing_setting_is_told_beside_the_name_that_was_meant(home: Indoors) -> None:
    text = home.set().env_file.read_text("utf-8").replace("CRM_USERNAME", "CRM_USER_NAME")
    home.env_file.write_text(text, "utf-8")
    ended = home.run("status")
    assert ended.exit_code == 2
    assert "Did you mean CRM_USERNAME?" in ended.stderr


def test_names(tmp_path: Path) -> None:
    text = """
# a comment
CRM_USERNAME=a

SYNC_QUOTE=1
export CRM_USERNAME='b
c'
crm_password=x
ZZZ_1=1
Zm9vYmFyYmF6=
hunter2
"""
    assert said(tmp_path, text) == [
        "Line 5 of FILE: SYNC_QUOTE is not a setting. Did you mean SYNC_QUOTES?",
        "Line 6 of FILE gives CRM_USERNAME once more; this value counts, not the earlier one.",
        "Line 8 of FILE: crm_password is not a setting. Did you mean CRM_PASSWORD?",
        "Line 9 of FILE: ZZZ_1 is not a setting.",
        "Line 10 of FILE is not a setting.",
        "Line 11 of FILE is not a setting.",
    ]


@pytest.mark.parametrize(("mode", "count"), [(0o600, 0), (0o640, 0), (0o660, 0), (0o644, 1), (0o604, 1), (0o666, 1)])
def test_who_may_read_the_env_file(tmp_path: Path, mode: int, count: int) -> None:
    assert len(said(tmp_path, "", mode)) == count


def test_what_can_not_be_read_is_told_by_others(tmp_path: Path) -> None:
    assert list(doubts_of_env_file(tmp_path / "none")) == []
    assert list(doubts_of_env_file(tmp_path)) == []
    (tmp_path / "x").write_bytes(b"\xff")
    (tmp_path / "x").chmod(0o600)
    assert list(doubts_of_env_file(tmp_path / "x")) == []


def test_what_the_sandbox_prints_and_the_example_are_beyond_doubt(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        assert said(tmp_path, "".join(f"{name}={value}\n" for name, value in sandbox.settings().items())) == []
    example = (Path(__file__).parents[2] / ".env.example").read_text("utf-8").replace("#CRM", "CRM")
    assert said(tmp_path, "\n".join(line.removeprefix("#") for line in example.splitlines())) == []


def test_commands_without_settings_read_no_env_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("NOT_OURS=1\n")
    assert outside(tmp_path, "--help").stderr == ""
    assert outside(tmp_path, "hash-password", "x").stderr == ""
