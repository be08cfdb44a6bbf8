"""What lies around the code keeps its promises: README, env example, crontab example, `.ci/run`, hooks."""

from __future__ import annotations

import os
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from siaghsync.settings import Settings, load

ROOT = Path(__file__).parent.parent
MAIN_JOB = "python3 -m venv .venv && .venv/bin/pip install -q . && .venv/bin/siaghsync demo"
TESTS = "python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest"
CHECKS = ("lint", "types", "dates", "pythons")
"""What `.ci/run` has done after the tests."""
ASSIGNMENT = re.compile(r"^(#?)([A-Z_]+)=(.*)$")


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


# --- README and .ci/run ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [MAIN_JOB, TESTS])
def test_the_readme_gives_the_command_in_a_block_of_its_own(command: str) -> None:
    assert f"```sh\n{command}\n```" in text("README.md")


def test_the_readme_links_to_files_that_exist() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text("README.md"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def checks(folder: Path, readme: str, failing: str = "") -> subprocess.CompletedProcess[str]:
    """`.ci/run` in a folder with this README and tools that only tell how they were called. One check may fail."""
    (folder / ".ci").mkdir()
    script = folder / ".ci" / "run"
    script.write_text(text(".ci/run"), "utf-8")
    script.chmod(0o755)
    (folder / "README.md").write_text(readme, "utf-8")
    tools = folder / ".venv" / "bin"
    tools.mkdir(parents=True)
    for name in ("pip", "nox"):
        (tools / name).write_text(f'#!/bin/sh\necho "[{name} $*]"\n[ "$*" != "--session {failing}" ]\n')
        (tools / name).chmod(0o755)
    environ = {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [script], input="a terminal", cwd="/", env=environ, text=True, capture_output=True, check=False
    )


def test_the_checks_run_the_test_command_of_the_readme(tmp_path: Path) -> None:
    command = """echo "[tests '$PYTEST_ADDOPTS']" && wc -c"""
    readme = text("README.md").replace(TESTS, command)
    assert command in readme
    done = checks(tmp_path, readme)
    assert (done.returncode, done.stderr) == (0, "")
    said = re.findall(r"^\[.*\]$", done.stdout, re.MULTILINE)
    assert "--cov=siaghsync" in said[0]
    assert "\n0\n" in done.stdout, "nothing comes from standard input"
    assert said[1:] == ["[pip install -q -e .[dev]]", *(f"[nox --session {check}]" for check in CHECKS)]


@pytest.mark.parametrize("command", ["false", "false && true", "false\ntrue"])
def test_the_checks_fail_with_the_tests(tmp_path: Path, command: str) -> None:
    done = checks(tmp_path, text("README.md").replace(TESTS, command))
    assert done.returncode == 1
    assert "[nox" not in done.stdout


@pytest.mark.parametrize("check", CHECKS)
def test_the_checks_fail_with_each_of_them(tmp_path: Path, check: str) -> None:
    done = checks(tmp_path, text("README.md").replace(TESTS, "true"), failing=check)
    assert done.returncode == 1
    assert f"[nox --session {check}]" in done.stdout
    assert "All checks passed" not in done.stdout


def test_every_check_that_is_named_somewhere_is_one_of_noxs() -> None:
    sessions = set(re.findall(r"@nox\.session\ndef (\w+)", text("noxfile.py")))
    named = set(CHECKS)
    for file in (".pre-commit-config.yaml", "CONTRIBUTING.md", "README.md"):
        found = re.findall(r"nox (?:--session|-s) (\w+)", text(file))
        assert found or file == "README.md"
        named |= set(found)
    assert named <= sessions


@pytest.mark.parametrize("file", ["noxfile.py", "tests/odd_dates.py", "CONTRIBUTING.md", "README.md"])
def test_every_test_that_is_named_somewhere_exists(file: str) -> None:
    found = re.findall(r"\b(tests/[\w/]+(?:\.py)?)(?:::(\w+))?", text(file))
    assert found
    missing = [
        path for path, name in found if not (ROOT / path).exists() or (name and f"def {name}(" not in text(path))
    ]
    assert missing == []


def test_the_checks_fail_without_a_test_command(tmp_path: Path) -> None:
    assert checks(tmp_path, "# nothing here\n").returncode == 1


# --- .env.example ------------------------------------------------------------------------------------------


def assignments() -> list[tuple[str, str, str]]:
    found = [match.groups() for line in text(".env.example").splitlines() if (match := ASSIGNMENT.match(line))]
    return [(mark, name, value) for mark, name, value in found]


def test_the_env_example_names_exactly_the_settings_that_exist() -> None:
    names = [name for _, name, _ in assignments()]
    assert len(names) == len(set(names))
    assert set(names) == {name.upper() for name in Settings.model_fields}


def test_the_env_example_puts_what_is_required_first_and_the_rest_in_comments() -> None:
    required = [name.upper() for name, field in Settings.model_fields.items() if field.is_required()]
    assert [name for mark, name, _ in assignments() if not mark] == required
    assert [name for _, name, _ in assignments()][: len(required)] == required


def test_the_env_example_explains_each_setting_in_one_line() -> None:
    lines = text(".env.example").splitlines()
    for before, line in pairwise(lines):
        if ASSIGNMENT.match(line):
            assert re.fullmatch(r"# .{10,}[^-]", before), line


def test_the_defaults_in_the_env_example_are_the_defaults(tmp_path: Path) -> None:
    required = {
        "CRM_API_BASE_URL": "http://127.0.0.1:1",
        "CRM_USERNAME": "a",
        "CRM_PASSWORD": "b",
        "FINANCE_API_BASE_URL": "http://127.0.0.1:2",
        "FINANCE_USERNAME": "c",
        "FINANCE_PASSWORD": "0" * 32,
    }
    lines = [re.sub(r"^#(?=[A-Z_]+=)", "", line) for line in text(".env.example").splitlines()]
    plain = load(None, required, tmp_path)
    (tmp_path / ".env").write_text("\n".join(lines), "utf-8")
    assert load(None, required, tmp_path) == plain


# --- crontab.example ---------------------------------------------------------------------------------------


def crontab() -> list[str]:
    return [line for line in text("crontab.example").splitlines() if line and not line.startswith("#")]


def said_to_cron(code: int) -> subprocess.CompletedProcess[str]:
    """What cron would mail if a command said something on both channels and ended with `code`."""
    variable = next(line for line in crontab() if line.startswith("UNLESS_FINE="))
    environ = {"PATH": os.environ["PATH"], "UNLESS_FINE": variable.partition("=")[2].strip("'")}
    line = f"""sh -c "$UNLESS_FINE" sh sh -c 'echo out; echo trouble >&2; exit {code}'"""
    return subprocess.run(["/bin/sh", "-c", line], env=environ, text=True, capture_output=True, check=False)


@pytest.mark.parametrize("code", [0, 75])
def test_cron_mails_nothing_if_all_is_well_or_a_run_is_still_at_work(code: int) -> None:
    done = said_to_cron(code)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")


@pytest.mark.parametrize("code", [1, 2, 3, 70, 130, 143])
def test_cron_mails_trouble(code: int) -> None:
    done = said_to_cron(code)
    assert (done.returncode, done.stdout) == (code, "out\ntrouble\n")


def test_the_crontab_has_well_formed_lines() -> None:
    jobs = [line for line in crontab() if not re.match(r"[A-Z_]+=", line)]
    assert len(jobs) == 4
    for job in jobs:
        assert re.fullmatch(r"(?:[\d*/,-]+ +){5}cd \$HERE && .*\.venv/bin/siaghsync [a-z-]+.*", job), job
        assert "%" not in job, "cron takes a percent sign for the end of the command"
