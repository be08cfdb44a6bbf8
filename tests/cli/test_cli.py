"""The command as cron and its administrator meet it: exit codes, streams, JSON, signals, the lock, secrets."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from siaghsync.cli.app import COMMANDS, PANELS
from siaghsync.sandbox.hooks import System
from siaghsync.state.lock import run_lock
from tests.environment import machine
from tests.patience import wait_for
from tests.world import Maker, Process, World, finish, holding

HEAVY = {
    "pydantic", "requests", "urllib3", "rich", "sqlite3", "sqlite_utils", "tenacity", "uvicorn", "starlette", "dotenv",
}  # fmt: skip
COUNTS = {"seen", "created", "updated", "linked", "unchanged", "skipped", "failed", "review"}
RUN = {"id", "command", "started_at", "finished_at", "outcome", "dry_run"}
CHANGE = {"entity", "action", "crm_id", "customer_number", "finance_code", "fields", "reason"}
STATUS = {
    "initial_import_done", "mappings", "pending", "failed", "review", "last_run", "last_success_at", "cursors", "running",
    "paused", "fallbacks", "clocks", "changed_facts", "suspicions",
}  # fmt: skip


def loaded_by(*arguments: str) -> set[str]:
    """The heavy modules that a command has loaded when it ends."""
    code = (
        f"import sys; from siaghsync.__main__ import run; run({list(arguments)}); print(*sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return HEAVY & set(ended.stderr.split())


def outside(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """`siaghsync ARGUMENTS` in a folder, with no settings but these."""
    command = [sys.executable, "-m", "siaghsync", *arguments]
    return subprocess.run(
        command, cwd=folder, env={**machine(), **environ}, capture_output=True, text=True, check=False
    )


# --- help and version --------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["sync", "--help"]])
def test_help_and_version_need_no_settings_and_load_little(tmp_path: Path, arguments: list[str]) -> None:
    ended = outside(tmp_path, *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "siaghsync" in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_a_command_the_help_is_shown_and_it_is_wrong_use(tmp_path: Path) -> None:
    ended = outside(tmp_path)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("Usage: siaghsync")
    assert "initial-import" in ended.stderr


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_the_list_of_commands_loads_no_command(arguments: list[str]) -> None:
    assert loaded_by(*arguments) == set()


@pytest.mark.parametrize(
    ("arguments", "not_loaded"),
    [
        (["sync", "--quiet"], {"uvicorn", "starlette"}),
        (["status"], {"requests", "urllib3", "uvicorn", "starlette"}),
        (["hash-password", "--stdin"], HEAVY - {"dotenv", "pydantic"}),
    ],
)
def test_a_command_loads_only_what_it_uses(arguments: list[str], not_loaded: set[str]) -> None:
    assert not loaded_by(*arguments) & not_loaded


def test_help_lists_the_commands_in_groups_and_cuts_nothing(tmp_path: Path) -> None:
    shown = outside(tmp_path, "--help", COLUMNS="80").stdout
    headings = [line.removesuffix(":") for line in shown.splitlines() if line and not line.startswith(" ")]
    assert headings[-len(PANELS) :] == list(PANELS)
    words = " ".join(shown.split())
    for command in COMMANDS.values():
        assert f"{command.name} {command.help}" in words
    assert max(map(len, shown.splitlines())) <= 80


# --- exit codes and JSON -----------------------------------------------------------------------------------


def test_0_and_1_and_the_shape_of_a_run(make_world: Maker) -> None:
    world = make_world(customers=3, also_in_crm=1)
    documents = [world.json("initial-import", "--yes"), world.json("sync"), world.json("sync", "--dry-run")]
    world.crm.add_person(nickName={"odd": "shape"}, customerNumber="9001")
    world.crm.edit(next(iter(world.crm.tables["person"].records)), email="a@example.com")
    documents.append(world.json("sync", exit_code=1))
    for document in documents:
        assert set(document) - {"failures"} == {"run", "customers", "invoices", "requests", "changes"}
        assert set(document["run"]) == RUN
        assert set(document["customers"]) == set(document["invoices"]) == COUNTS
        assert set(document["requests"]) == {"crm", "finance"}
        assert all(set(change) == CHANGE for change in document["changes"])
        assert document["run"]["started_at"].endswith("+00:00")
    assert [document["run"]["id"] for document in documents] == [1, 2, 3, 4]
    assert [document["run"]["outcome"] for document in documents] == ["ok", "ok", "ok", "partial"]
    assert [document["run"]["dry_run"] for document in documents] == [False, False, True, False]


def test_the_shape_of_status(make_world: Maker) -> None:
    world = make_world(customers=3)
    empty = world.json("status", exit_code=1)
    assert set(empty) == STATUS
    assert (empty["initial_import_done"], empty["last_run"], empty["cursors"]) == (False, None, {})
    assert not world.state_file.exists()
    world.imported().json("sync")
    full = world.json("status")
    assert set(full) == STATUS
    assert set(full["last_run"]) == RUN
    assert (full["initial_import_done"], full["mappings"]) == (True, {"customers": 3, "invoices": 0})
    assert set(full["cursors"]) <= {"person", "organization"}
    assert full["last_success_at"] == full["last_run"]["finished_at"]
    assert full["running"] is None
    assert world.run("status", "--max-age", "1h").exit_code == 0
    assert world.run("status", "--max-age", "0s").exit_code == 1


def test_check_apis_shows_both_systems_and_writes_nothing(make_world: Maker) -> None:
    world = make_world(customers=3)
    ended = world.run("check-apis")
    assert ended.exit_code == 0
    assert "Payamgostar" in ended.stdout
    assert "Siagh" in ended.stdout
    world.crm.licensed = False
    ended = world.run("check-apis", "--json", env={"FINANCE_API_BASE_URL": "http://127.0.0.1:9"})
    assert ended.exit_code == 3
    assert set(ended.json["error"]) == {"kind", "message", "hint"}
    ended = world.run("check-apis", env={"FINANCE_API_BASE_URL": "http://127.0.0.1:9"})
    assert "MobileApp" in ended.text
    assert "FINANCE_API_BASE_URL" in ended.text
    assert [path.name for path in world.folder.iterdir()] == [".env"]


WRONG_USE = {
    "no such command": ["synchronise"],
    "no such option": ["sync", "--nonsense"],
    "no such choice": ["sync", "--only", "contacts"],
    "not a number": ["initial-import", "--limit", "many"],
    "too small": ["initial-import", "--yes", "--limit", "0"],
    "no age": ["status", "--max-age", "soon"],
    "nobody to ask": ["initial-import"],
    "not imported yet": ["sync"],
    "no such env file": ["--env-file", "missing.env", "sync"],
}


@pytest.mark.parametrize("arguments", WRONG_USE.values(), ids=list(WRONG_USE))
def test_2_wrong_use(world: World, arguments: list[str]) -> None:
    ended = world.run(*arguments, "--json")
    assert ended.exit_code == 2
    assert set(ended.json) == {"error"}
    assert set(ended.json["error"]) == {"kind", "message", "hint"}
    assert all(ended.json["error"].values())
    assert ended.json["error"]["message"] in ended.stderr
    assert world.journal.count() == 0


def test_2_wrong_use_leaves_stdout_empty(world: World) -> None:
    ended = world.run("sync", "--nonsense")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "--nonsense" in ended.stderr


def test_2_settings_names_every_one_that_is_missing_or_wrong(tmp_path: Path) -> None:
    ended = outside(tmp_path, "sync", "--json", CRM_USERNAME="a", FINANCE_PASSWORD="Geheim12", CONCURRENCY="many")
    assert ended.returncode == 2
    error = json.loads(ended.stdout)["error"]
    assert error["kind"] == "settings"
    names = ("CRM_API_BASE_URL", "CRM_PASSWORD", "FINANCE_USERNAME", "FINANCE_PASSWORD", "CONCURRENCY", "hash-password")
    assert all(name in error["message"] for name in names)
    assert "CRM_USERNAME" not in error["message"].replace("the password of CRM_USERNAME", "")
    assert "Geheim12" not in ended.stdout + ended.stderr


@pytest.mark.parametrize("name", ["CRM_API_BASE_URL", "FINANCE_API_BASE_URL"])
def test_3_a_system_that_is_not_there(world: World, name: str) -> None:
    world.imported()
    for arguments in (["sync", "--quiet"], ["initial-import", "--yes"]):
        ended = world.run(*arguments, "--json", env={name: "http://127.0.0.1:9"})
        assert ended.exit_code == 3
        assert set(ended.json) == {"error"}
        assert name in ended.json["error"]["hint"]
        assert "127.0.0.1" not in ended.text


def test_70_a_bug_is_told_as_one_and_shows_a_traceback_on_demand_only(make_world: Maker) -> None:
    world = make_world(customers=1)
    broken = world.folder / "broken"
    broken.mkdir()
    (broken / "sitecustomize.py").write_text("import getpass\ngetpass.getuser = lambda: 1 / 0\n")
    env = {"PYTHONPATH": os.pathsep.join(filter(None, (str(broken), os.environ.get("PYTHONPATH"))))}
    ended = world.run("initial-import", "--yes", "--json", env=env)
    assert (ended.exit_code, ended.json["error"]["kind"]) == (70, "bug")
    assert set(ended.json["error"]) == {"kind", "message", "hint"}
    assert "Traceback" not in ended.text
    verbose = world.run("--verbose", "initial-import", "--yes", env=env)
    assert (verbose.exit_code, verbose.stdout) == (70, "")
    assert "Traceback" in verbose.stderr
    assert not [secret for secret in world.sandbox.secrets() if secret in verbose.text]


def test_75_of_five_at_once_one_works(make_world: Maker) -> None:
    world = make_world(customers=2).imported()
    with holding(world, "login"):
        racing = [world.start("sync", "--json") for _ in range(5)]
        wait_for(lambda: sum(process.poll() is not None for process in racing) == 4)
        assert world.json("status")["running"]["command"] == "sync"
    ended = [finish(process) for process in racing]
    assert sorted(each.exit_code for each in ended) == [0, 75, 75, 75, 75]
    for each in ended:
        assert each.exit_code == 0 or each.json["error"]["kind"] == "locked"
    assert world.run("sync").exit_code == 0


def test_75_what_else_is_wrong_is_told_too(make_world: Maker) -> None:
    world = make_world(customers=1).imported()
    with run_lock(world.state_file):
        world.state_file.write_bytes(b"not a state file " * 300)
        ended = world.run("sync")
    assert ended.exit_code == 75
    assert "is not a state file of siaghsync" in ended.stderr
    assert "Another run is working with" in ended.stderr


# --- signals -----------------------------------------------------------------------------------------------


def stopped(world: World, process: Process, endpoint: str, number: signal.Signals) -> Any:
    """Sends a signal when the server is at the third request to an endpoint, and waits for the end."""
    wait_for(lambda: world.journal.count("crm", endpoint) + world.journal.count("finance", endpoint) >= 3)
    process.send_signal(number)
    return finish(process)


def test_143_sigterm_during_an_import_saves_all_that_was_done(world: World) -> None:
    for number in range(40):
        world.finance.add_contact(Name=f"علی {number}")
    world.set(CONCURRENCY="2")
    world.crm.latency = 0.2
    ended = stopped(world, world.start("initial-import", "--yes", "--json"), "person/create", signal.SIGTERM)
    assert ended.exit_code == 143
    assert ended.json["run"]["outcome"] == "partial"
    made = len(world.crm.records)
    assert 3 <= made < 40
    assert ended.json["customers"]["created"] == made == len(world.rows("SELECT 1 FROM customer_mappings"))
    assert world.rows("SELECT 1 FROM intents WHERE state IN ('open', 'unknown')") == []
    assert world.run("sync").exit_code == 2
    world.crm.latency = 0.0
    assert world.json("initial-import", "--yes")["customers"]["created"] == 40 - made
    assert len({record["customerNumber"] for record in world.crm.records.values()}) == len(world.crm.records) == 40


def test_130_ctrl_c_during_a_sync_saves_all_that_was_done(world: World) -> None:
    codes = [world.finance.add_contact(Name=f"علی {number}") for number in range(30)]
    world.set(CONCURRENCY="2").imported().json("sync")
    for code in codes:
        world.crm.edit(world.crm_of(code), email=f"a{code}@example.com")
    world.finance.latency = 0.2
    ended = stopped(world, world.start("sync"), "SaveFormData", signal.SIGINT)
    assert ended.exit_code == 130
    assert "Traceback" not in ended.text
    world.finance.latency = 0.0
    written = sum(1 for contact in world.finance.contacts.values() if contact["Email"])
    assert 3 <= written < 30
    assert world.json("sync")["customers"]["updated"] == 30 - written
    assert all(world.finance.contacts[code]["Email"] == f"a{code}@example.com" for code in codes)


@pytest.mark.parametrize(
    ("command", "system", "endpoint"),
    [
        ("sync", "crm", "login"),
        ("sync", "crm", "organization/find"),
        ("verify", "finance", "GetAll"),
        ("lint", "finance", "LoginUser"),
    ],
)
def test_a_signal_does_not_wait_for_a_silent_server(world: World, command: str, system: System, endpoint: str) -> None:
    """The request that gives way to it is no failure of the system that was asked."""
    world.set(HTTP_TIMEOUT_SECONDS="3600").imported().json("sync")
    world.arm("hang_before", f"{system}:{endpoint}", seconds=3600)  # so that nothing but the signal can end the run
    process = world.start(command)
    wait_for(lambda: world.journal.count(system, endpoint) == 1)
    process.send_signal(signal.SIGTERM)
    ended = finish(process)
    assert ended.exit_code == 143
    assert "Stopped on request" in ended.stderr
    assert "no clear answer" not in ended.text
    assert world.run("sync").exit_code == 0


# --- streams -----------------------------------------------------------------------------------------------


def test_no_colour_and_no_bar_when_not_on_a_terminal(make_world: Maker) -> None:
    world = make_world(customers=30)
    env = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}
    for arguments in (
        ["initial-import", "--yes"],
        ["sync"],
        ["status"],
        ["check-apis"],
        ["sync", "--nonsense"],
        ["--help"],
    ):
        ended = world.run(*arguments, env=env)
        assert "\x1b" not in ended.text, arguments
        assert "\r" not in ended.text, arguments


def test_quiet_says_nothing_if_all_is_well_and_something_otherwise(make_world: Maker) -> None:
    world = make_world(customers=3).imported()
    crm_id = next(iter(world.crm.tables["person"].records))
    assert world.run("sync", "--quiet").text == ""
    world.crm.edit(crm_id, email="a@example.com")
    ended = world.run("sync", "--quiet")
    assert (ended.exit_code, ended.text) == (0, "")
    assert world.finance.contacts[world.code_of(crm_id)]["Email"] == "a@example.com"
    world.crm.add_person(nickName={"odd": "shape"}, customerNumber="9001")
    ended = world.run("sync", "--quiet")
    assert ended.exit_code == 1
    assert "bad_record" in ended.text
    ended = world.run("sync", "--quiet", env={"CRM_PASSWORD": "wrong"})
    assert ended.exit_code == 3
    assert "CRM_PASSWORD" in ended.stderr


def test_the_result_goes_to_stdout_and_the_rest_to_stderr(make_world: Maker) -> None:
    world = make_world(customers=2)
    ended = world.run("initial-import", "--yes")
    assert "customers" in ended.stdout
    assert ended.stderr == ""
    ended = world.run("sync", env={"FINANCE_API_BASE_URL": "http://127.0.0.1:9"})
    assert ended.stdout == ""
    assert ended.stderr.startswith("Error: ")


# --- settings and files ------------------------------------------------------------------------------------


def test_the_env_file_of_the_folder_the_environment_and_the_state_option(make_world: Maker) -> None:
    world = make_world(customers=1)
    assert outside(world.folder, "initial-import", "--yes").returncode == 0
    assert stat.S_IMODE(world.state_file.stat().st_mode) == 0o600
    elsewhere = world.folder / "elsewhere"
    elsewhere.mkdir()
    # A relative path in the settings starts at the env file's folder, one on the command line at ours.
    by_env = outside(elsewhere, "--env-file", "../.env", "status", "--json", SIAGHSYNC_STATE="other.db")
    assert json.loads(by_env.stdout)["initial_import_done"] is False
    assert outside(elsewhere, "--env-file", "../.env", "status").returncode == 0
    by_option = outside(elsewhere, "--env-file", "../.env", "--state", "mine.db", "initial-import", "--yes")
    assert by_option.returncode == 0
    assert {path.name for path in elsewhere.iterdir()} >= {"mine.db"}


def test_hash_password(tmp_path: Path) -> None:
    hashed = hashlib.md5("رمز 1".encode()).hexdigest().upper()
    assert outside(tmp_path, "hash-password", "رمز 1").stdout == f"{hashed}\n"
    env_file = tmp_path / ".env"
    env_file.write_text("# دفتر\nCRM_USERNAME='a b'\nFINANCE_PASSWORD=old # old one\nCONCURRENCY=4\n", "utf-8")
    command = [sys.executable, "-m", "siaghsync", "hash-password", "--stdin"]
    for more in ([], ["--save"]):
        ended = subprocess.run(
            [*command, *more],
            cwd=tmp_path,
            input="رمز 1\nnext\n",
            capture_output=True,
            text=True,
            check=True,
        )
        assert ended.stdout == ("" if more else f"{hashed}\n")
    lines = env_file.read_text("utf-8").splitlines()
    assert [line for line in lines if "FINANCE_PASSWORD" not in line] == [
        "# دفتر",
        "CRM_USERNAME='a b'",
        "CONCURRENCY=4",
    ]
    assert next(line for line in lines if "FINANCE_PASSWORD" in line).startswith(f"FINANCE_PASSWORD={hashed}")
    assert outside(tmp_path, "hash-password", "--stdin", "too").returncode == 2
    assert outside(tmp_path, "hash-password").returncode == 2  # nobody to ask


# --- secrets -----------------------------------------------------------------------------------------------


def quote_session(world: World) -> None:
    """Finance quotes the newest session and the password's hash in whatever it refuses to save."""
    world.sandbox.faults.clear()
    words = f"نشست {[*world.finance.sessions.issued][-1:]} {world.finance.user.hash}"
    answer = {"Errors": [{"Description": words, "ErrorCode": -1}], "ReturnValue": False, "FinalMessages": [words]}
    world.arm("json", "finance:SaveFormData", body=json.dumps(answer).encode())


def test_no_secret_is_printed_or_kept(make_world: Maker) -> None:
    world = make_world(customers=3, also_in_crm=1)
    printed = []

    def run(*arguments: str) -> None:
        printed.append(world.run("--verbose", *arguments).text)

    run("check-apis")
    run("initial-import", "--yes", "--json")
    # Systems that quote what was sent to them, in refusals and in the middle of a run.
    for where, status in (("crm:login", 401), ("crm:person/find", 500), ("finance:LoginUser", 401)):
        secret = world.crm.account.password if where.startswith("crm") else world.finance.user.hash
        quoted = f'{{"message": "{secret} is wrong"}}'.encode()
        world.arm("refuse_before", where, status=status, body=quoted, times=None)
        run("sync")
        run("check-apis", "--json")
        world.sandbox.faults.clear()
    for number, crm_id in enumerate(world.crm.records):
        world.crm.edit(crm_id, email=f"a{number}@example.com")
    world.sandbox.on_event(lambda *_: quote_session(world))
    run("sync", "--json")
    run("sync")
    run("status")
    kept = b"".join(path.read_bytes() for path in world.folder.iterdir() if path.name != ".env")
    assert any("نشست" in text for text in printed)
    for secret in world.sandbox.secrets():
        assert secret.encode() not in kept
        assert not [text for text in printed if secret in text]
    assert not [text for text in printed if world.sandbox.crm_url in text or world.sandbox.finance_url in text]
