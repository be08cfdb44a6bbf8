"""What people see on the terminal, by the real command: `status` at a glance, narrow screens, names that want to steer."""

from __future__ import annotations

import os
import pty
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from tests.indoors import Indoors, indoors
from tests.world import Maker, World, finish

STRANGER = {"firstName": "", "lastName": "", "nationalCode": "", "phoneContacts": []}
ROW = {"productCode": "P-1", "count": 2, "baseUnitPrice": 1500000}
KEYS = {
    "initial_import_done", "mappings", "pending", "failed", "review", "last_run", "last_success_at", "cursors", "running",
    "paused", "fallbacks", "clocks", "changed_facts", "suspicions",
}  # fmt: skip
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u061c\u202a-\u202e]")


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    return indoors(make_template(customers=4, also_in_crm=2)).imported()


@pytest.fixture
def world(make_world: Maker, template: World) -> Indoors:
    """Four linked customers."""
    return indoors(indoors(make_world()).twin_of(template))


@pytest.fixture
def busy(world: Indoors) -> Indoors:
    """A world with a bit of everything, synced once."""
    ids = [crm_id for (crm_id,) in world.rows("SELECT crm_id FROM customer_mappings ORDER BY finance_code")]
    for crm_id, name in zip(
        ids, ("a\u202e\x1b[31mقرمز", "نام\tبا\nخط\u2067", "شرکت می‌خواهم " * 30, "👨‍👩‍👧 ❤️"), strict=False
    ):
        world.crm.edit(crm_id, nickName=name)
    for code in (900, 901):
        world.finance.add_contact(Code=code, Name=f"همنام \u202e{code}")
        world.crm.add_person(nickName="غریبه\x1b]0;x\x07\u202e", customerNumber=str(code), **STRANGER)
    nobody = world.crm.add_person(nickName="\u202eبی‌شماره\x9b", customerNumber="", **STRANGER)
    world.crm.add_quote(nobody, [ROW], number="100-1405/1\x1b[2J", crmObjectTypeCode="PI_5")
    world.crm.add_invoice(ids[0], [ROW], number="100-1405/2", crmObjectTypeCode="PI_5")
    assert world.run("sync").exit_code == 1
    return world


def age(world: World, **back: float) -> None:
    """Lets all runs have been so long ago."""
    moment = (datetime.now(UTC) - timedelta(**back)).isoformat(timespec="seconds")
    with closing(sqlite3.connect(world.state_file)) as db, db:
        db.execute("UPDATE runs SET started_at = ?, finished_at = ?", (moment, moment))


# --- status ------------------------------------------------------------------------------------------------


def test_in_step_since_when(world: Indoors) -> None:
    ended = world.run("status")
    assert (ended.exit_code, ended.stderr) == (0, "")
    first, *rest = ended.stdout.splitlines()
    assert re.fullmatch(
        r"In step since \d{4}-\d\d-\d\d \d\d:\d\d \(14\d\d/\d\d/\d\d\); nothing waits, nobody needs to act\.", first
    )
    text = "\n".join(rest)
    assert re.search(r"linked +4 customers, 0 documents posted", text)
    assert re.search(
        r"last run +initial-import \(run 1\) (just now|\d+ minutes? ago): ok; the next is due at .*\d\d:\d\d", text
    )
    assert re.search(r"state file +\d+ kB, \d+ lines in the audit trail", text)
    assert re.search(r"runs +·{22}(·█|█·) +1 *$", text, re.MULTILINE)  # the hour may have turned
    assert "prune" not in text


def test_what_waits_and_why_and_who_must_act(busy: Indoors) -> None:
    ended = busy.run("status")
    assert ended.exit_code == 1
    lines = ended.stdout.splitlines()
    assert re.fullmatch(r"Not in step since 2\S+ \S+ \(14\S+\): 2 for a person, 1 to try again\.", lines[0])
    assert "`siaghsync review`" in lines[1]
    text = ended.stdout
    assert re.search(r"^ +1 +invoices: .*customer_without_number", text, re.MULTILINE)
    assert re.search(r"^ +2 +customers: .*stranger.* 2\S+ \d\d:\d\d \(14", text, re.MULTILINE)
    assert "when that is settled" in text
    assert re.search(r"writes +[·▁▂▃▅█]{24} +\d+ *$", text, re.MULTILINE)
    assert set(busy.json("status", exit_code=1)) == KEYS


def test_next_tries_say_when_and_how_many(world: Indoors) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=2)).isoformat(timespec="milliseconds")
    with closing(sqlite3.connect(world.state_file)) as db, db:
        for record, when in (("a", "2020-01-01T00:00:00.000+00:00"), ("b", soon), ("c", soon)):
            retry = {
                "entity": "customer", "target": "finance", "record": record, "kind": "person", "customer_number": "1", "name": "",
                "attempts": 2, "failed": 1, "next_try_at": when, "reason": "timeout", "message_code": "text.verbatim",
                "message_params": '{"text": "m"}', "since": "2020-01-01T00:00:00.000+00:00",
            }  # fmt: skip
            marks = ", ".join("?" * len(retry))
            db.execute(f"INSERT INTO retries ({', '.join(retry)}) VALUES ({marks})", tuple(retry.values()))
    ended = world.run("status")
    assert ended.exit_code == 0
    assert ended.stdout.startswith(
        "Not in step since 2020-01-01 03:30 (1398/10/11): 3 to try again; nobody needs to act."
    )
    assert re.search(r"Next tries: 1 with the next sync, 2 more from .+\.", ended.stdout)
    assert re.search(r"^ +3 +customers: .*timeout.* next sync", ended.stdout, re.MULTILINE)


def test_a_run_is_overdue_by_the_poll_interval(world: Indoors) -> None:
    world.json("sync")
    age(world, minutes=20)
    ended = world.run("status")
    assert ended.exit_code == 1
    assert ended.stdout.splitlines()[0].startswith("Not in step for sure")
    assert "A sync is overdue: the last run ended at" in ended.stdout
    assert "overdue since" in ended.stdout
    assert world.run("status", env={"POLL_INTERVAL_SECONDS": "3600"}).exit_code == 0
    assert world.run("status", "--max-age", "15m", env={"POLL_INTERVAL_SECONDS": "3600"}).exit_code == 1


def test_runs_that_leave_something_are_no_reason_to_ask_for_cron(busy: Indoors) -> None:
    """The last good run may be long ago while runs come as they should."""
    with closing(sqlite3.connect(busy.state_file)) as db, db:
        db.execute(
            "UPDATE runs SET started_at = '2020-01-01T00:00:00+00:00', finished_at = started_at WHERE outcome = 'ok'"
        )
    assert "cron" not in busy.run("status").stdout


def test_a_large_trail_brings_the_hint(world: Indoors) -> None:
    with closing(sqlite3.connect(world.state_file)) as db, db:
        db.execute("UPDATE audit SET id = 400000 WHERE id = (SELECT max(id) FROM audit)")
    assert "400,000 lines in the audit trail; `siaghsync log --prune-before" in world.run("status").stdout


def test_before_the_import_it_says_so(make_world: Maker) -> None:
    world = indoors(make_world(customers=2))
    assert world.run("initial-import", "--yes", "--limit", "1").exit_code == 0
    ended = world.run("status")
    assert (ended.exit_code, ended.stdout.splitlines()[0]) == (1, "Not begun: the initial import has not completed.")


def test_status_loads_no_network(world: World) -> None:
    code = (
        "import sys; from siaghsync.__main__ import run; run(sys.argv[1:]); "
        "print(sorted({'requests', 'urllib3', 'starlette', 'jinja2', 'typer.testing'} & set(sys.modules)), file=sys.stderr)"
    )
    command = [sys.executable, "-c", code, "--env-file", str(world.env_file), "status"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stderr.splitlines()[-1] == "[]"


# --- every screen ------------------------------------------------------------------------------------------

SCREENS = (
    ["status"], ["review"], ["review", "show", "1"], ["log"], ["explain", "900"], ["verify"], ["report", "invoices"],
    ["sync", "--dry-run", "--full"], ["initial-import", "--dry-run"], ["lint"], ["check-apis"],
)  # fmt: skip


@pytest.mark.parametrize("columns", [80, 120])
def test_no_screen_is_wider_than_the_terminal_or_lets_a_name_steer_it(busy: Indoors, columns: int) -> None:
    codes = [str(code) for (code,) in busy.rows("SELECT finance_code FROM customer_mappings")]
    for arguments in (*SCREENS, *(["explain", code] for code in codes)):
        ended = busy.run(*arguments, env={"COLUMNS": str(columns)})
        assert ended.stdout, arguments
        assert ended.exit_code in (0, 1), ended.text
        assert not STEERING.search(ended.text), (arguments, STEERING.search(ended.text))
        for line in ended.stdout.splitlines():
            assert cell_len(line.rstrip()) <= columns, (arguments, line)
            assert line.count("\u2066") + line.count("\u2067") == line.count("\u2069"), (arguments, line)


def test_json_is_as_it_was_typed(busy: Indoors) -> None:
    crm_id = str(busy.rows("SELECT crm_id FROM customer_mappings ORDER BY finance_code")[0][0])
    busy.crm.edit(crm_id, nickName="b\u202eعلی")
    (change,) = busy.json("sync", "--dry-run")["changes"]
    assert change["fields"]["fullname"][1] == "b\u202eعلی"


def test_a_log_line_and_a_review_tell_the_day_in_both_calendars(busy: Indoors) -> None:
    day = r"20\d\d-\d\d-\d\d \(14\d\d/\d\d/\d\d\)"
    assert re.search(rf"^{day}, Tehran time$", busy.run("log").stdout, re.MULTILINE)
    assert re.search(r"Since 20\S+ \d\d:\d\d \(14\S+\), Tehran time", busy.run("review", "show", "1").stdout)
    assert re.search(r"20\d\d-\d\d-\d\d +quote|20\d\d-\d\d-\d\d +invoice", busy.run("report", "invoices").stdout)
    assert re.search(r"20\S+ \d\d:\d\d \(14\S+\), run 2", busy.run("explain", "900").stdout)


def test_the_log_tells_of_runs_that_came_to_nothing(world: Indoors) -> None:
    world.arm("refuse_before", "crm:login", status=402, body=b"{}", times=None)
    assert world.run("sync").exit_code == 3
    world.sandbox.faults.clear()
    world.json("sync")
    (run,) = world.json("log", "--failed", "--since", "1h")["failed_runs"]
    assert run["command"] == "sync"
    assert "402" in run["error"] or "licence" in run["error"]
    shown = world.run("log", "--failed").stdout
    assert "Runs that failed" in shown
    assert "Nothing is on record" not in shown
    assert "Runs that failed" not in world.run("log", "--customer", "24").stdout


def test_a_dry_run_shows_counts_first_and_then_each_field(world: Indoors) -> None:
    (crm_id, code), *_ = world.rows("SELECT crm_id, finance_code FROM customer_mappings WHERE kind = 'person'")
    world.crm.edit(crm_id, email="new@example.com", nickName="نام تازه")
    for number in range(15):
        world.crm.add_person(nickName=f"تازه {number}", customerNumber=str(5000 + number), **STRANGER)
    lines = world.run("sync", "--dry-run").stdout.splitlines()
    assert lines[0].endswith("a dry run, nothing was written")
    at_counts, at_created, at_updated = (
        next(place for place, line in enumerate(lines) if line.strip().startswith(start))
        for start in ("customers", "To be created: customers (15)", "To be updated: customers (1)")
    )
    assert at_counts < at_created < at_updated
    updated = "\n".join(lines[at_updated:])
    assert re.search(r"e-mail: \S+ -> new@example\.com", updated)
    assert re.search(r"name: \u2067.+\u2069 -> \u2067نام تازه\u2069", updated)
    assert "3 more are not shown; --json shows all." in lines
    assert re.search(rf"^ ?{code} ", updated, re.MULTILINE)


# --- files, mails, terminals -------------------------------------------------------------------------------


def test_an_encoding_without_blocks_or_persian_is_no_bug(busy: Indoors) -> None:
    for arguments in (["status"], ["log"], ["review"], ["log", "--json"]):
        ended = finish(busy.start(*arguments, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}))
        assert ended.exit_code in (0, 1), ended.text
        assert ended.stdout.isascii()
        if arguments == ["status"]:
            # both last cells where the hour struck between two of the runs
            assert re.search(r"runs.+[.]{22}([.]#|#[.]|##)", ended.stdout)
        if "--json" in arguments:
            assert any("قرمز" in str(entry["fields"]) for entry in ended.json["entries"])


def test_the_progress_bar_makes_way_for_the_result(world: Indoors) -> None:
    """On a terminal, where the bar stands on stderr and the result goes to stdout."""
    main, side = pty.openpty()
    command = [sys.executable, "-m", "siaghsync", "--env-file", str(world.env_file), "sync", "--full", "--dry-run"]
    with subprocess.Popen(
        command, stdin=side, stdout=side, stderr=side, env={**os.environ, "TERM": "xterm"}
    ) as process:
        os.close(side)
        seen = b""
        try:
            while piece := os.read(main, 65536):
                seen += piece
        except OSError:  # how Linux says that nobody holds the other end any more
            assert process.wait(60) == 0
    os.close(main)
    text = seen.decode()
    before, title, after = text.partition("sync (run ")
    assert title
    assert "━" in before
    assert "━" not in after
    assert before.endswith(("\x1b[2K", "\n", "\x1b[1m"))
