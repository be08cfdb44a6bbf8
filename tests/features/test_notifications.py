"""What others are told about runs: the cron monitor, the alert address, the metrics file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator

import pytest

from siaghsync.state.lock import run_lock
from tests.cli.listener import Listener, closed_port
from tests.indoors import indoors
from tests.world import Maker, World, finish

STRANGER = {"firstName": "", "lastName": "", "nationalCode": "", "phoneContacts": []}


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    return indoors(make_template(customers=3)).imported()


@pytest.fixture
def imported(make_world: Maker, template: World) -> World:
    """A world whose import is done."""
    return indoors(make_world()).twin_of(template)


def stranger(world: World, name: str, code: int) -> None:
    """A CRM record that has the number of a contact which is somebody else, and linked to nobody."""
    world.finance.add_contact(Code=code, Name=f"همنام {code}")
    world.crm.add_person(nickName=name, customerNumber=str(code), **STRANGER)


def metrics(world: World) -> dict[str, float]:
    """The samples of the metrics file, which has to be well-formed."""
    text = (world.folder / "m.prom").read_text("utf-8")
    samples = {}
    for line in text.splitlines():
        if re.fullmatch(r"# (HELP siaghsync_\w+ .+|TYPE siaghsync_\w+ (gauge|counter))", line):
            continue
        found = re.fullmatch(r'(siaghsync_\w+(?:\{(?:\w+="[^"]*",?)+\})?) (-?[\d.e+]+)', line)
        assert found, line
        samples[found[1]] = float(found[2])
    assert text.endswith("\n")
    return samples


# --- the cron monitor --------------------------------------------------------------------------------------


def test_a_good_run_pings_start_and_success(imported: World, listener: Listener) -> None:
    imported.set(HEALTHCHECK_URL=f"{listener.url}/ping/5e31/")
    ended = finish(imported.start("sync", "--quiet"))
    assert (ended.exit_code, ended.text) == (0, "")
    assert listener.paths == ["GET /ping/5e31/start", "GET /ping/5e31"]


def test_a_failed_run_pings_fail_with_the_summary(imported: World, listener: Listener) -> None:
    imported.set(HEALTHCHECK_URL=f"{listener.url}/p")
    stranger(imported, "غریبه", 900)
    assert imported.run("sync").exit_code == 1
    assert listener.paths == ["GET /p/start", "POST /p/fail"]
    text = listener.take()[1].body.decode()
    assert "exit code 1" in text
    assert "1 review" in text
    assert imported.run("sync", env={"FINANCE_API_BASE_URL": f"http://127.0.0.1:{closed_port()}"}).exit_code == 3
    assert listener.paths == ["GET /p/start", "POST /p/fail"]
    text = listener.take()[1].body.decode()
    assert "exit code 3" in text
    assert "FINANCE_API_BASE_URL" in text
    assert "customers: none looked at" in text
    assert not any(secret in text for secret in imported.sandbox.secrets())


def test_a_brake_and_a_missing_state_file_ping_fail(imported: World, listener: Listener) -> None:
    imported.set(HEALTHCHECK_URL=f"{listener.url}/p", MAX_CREATES_PER_RUN="0")
    imported.crm.add_person(nickName="تازه", customerNumber="901", **STRANGER)
    assert imported.run("sync").exit_code == 1
    assert "MAX_CREATES_PER_RUN" in listener.take()[1].body.decode()
    imported.state_file.unlink()
    assert imported.run("sync").exit_code == 2
    assert [(one.method, one.path) for one in listener.heard] == [("POST", "/p/fail")]
    assert "does not exist" in listener.take()[0].body.decode()


def test_a_run_that_finds_the_lock_held_says_nothing(imported: World, listener: Listener) -> None:
    imported.set(HEALTHCHECK_URL=f"{listener.url}/p", ALERT_URL=listener.url, METRICS_FILE="m.prom")
    with run_lock(imported.state_file):
        assert imported.run("sync").exit_code == 75
    assert listener.heard == []
    assert not (imported.folder / "m.prom").exists()


def test_a_dry_run_is_nobodys_business(imported: World, listener: Listener) -> None:
    imported.set(HEALTHCHECK_URL=f"{listener.url}/p", ALERT_URL=listener.url, METRICS_FILE="m.prom")
    stranger(imported, "غریبه", 900)
    assert imported.run("sync", "--dry-run").exit_code == 0
    assert listener.heard == []
    assert not (imported.folder / "m.prom").exists()


def test_an_import_is_told_too(make_world: Maker, listener: Listener) -> None:
    world = indoors(make_world(customers=2)).set(HEALTHCHECK_URL=f"{listener.url}/p", METRICS_FILE="m.prom")
    assert world.run("initial-import", "--yes").exit_code == 0
    assert listener.paths == ["GET /p/start", "GET /p"]
    found = metrics(world)
    assert found['siaghsync_runs_total{command="initial-import",outcome="ok"}'] == 1
    assert found['siaghsync_last_run_records{entity="customer",outcome="created"}'] == 2


def test_what_can_not_be_told_is_one_line_and_no_failure(imported: World, listener: Listener) -> None:
    listener.status = 500
    (imported.folder / "shut").write_text("a file, no folder")
    imported.set(HEALTHCHECK_URL=f"{listener.url}/5e31", ALERT_URL=f"{listener.url}/5e31", METRICS_FILE="shut/m.prom")
    ended = imported.run("sync")
    assert ended.exit_code == 0
    warning, *troubles = ended.stderr.splitlines()
    assert "METRICS_FILE can't be written" in warning
    assert len(troubles) == 2
    assert "HEALTHCHECK_URL: answered with status 500" in ended.stderr
    assert "METRICS_FILE: " in ended.stderr
    assert "5e31" not in ended.text
    assert str(listener.url) not in ended.text
    assert imported.run("sync", "--quiet").text == ""


# --- alerts ------------------------------------------------------------------------------------------------


def test_what_newly_needs_a_person_is_told_once(imported: World, listener: Listener) -> None:
    imported.set(ALERT_URL=f"{listener.url}/alert?token=5e31")
    assert imported.run("sync").exit_code == 0
    assert listener.heard == []
    stranger(imported, "غریبه", 900)
    stranger(imported, "غریبه دیگر", 901)
    assert imported.run("sync").exit_code == 1
    (alert,) = listener.take()
    assert (alert.method, alert.path) == ("POST", "/alert?token=5e31")
    assert alert.headers["Content-Type"] == "application/json"
    assert {item["reason"] for item in alert.json["items"]} == {"stranger"}
    assert [item["id"] for item in alert.json["items"]] == [1, 2]
    assert {item["customer_number"] for item in alert.json["items"]} == {"900", "901"}
    assert all(item["crm_id"] and item["message"] and item["kind"] == "review" for item in alert.json["items"])
    assert {item["code"] for item in alert.json["items"]} == {"reason.stranger"}
    assert "2 new matter(s)" in alert.json["text"]
    assert alert.json["run"]["outcome"] == "partial"
    stranger(imported, "سومی", 902)
    imported.run("sync", "--full")
    (alert,) = listener.take()
    assert [item["customer_number"] for item in alert.json["items"]] == ["902"]
    assert alert.json["open_reviews"] == 3
    imported.run("sync", "--full")
    assert listener.heard == []


def test_an_alert_that_did_not_arrive_is_tried_again(imported: World, listener: Listener) -> None:
    imported.set(ALERT_URL=f"{listener.url}/alert")
    stranger(imported, "غریبه", 900)
    listener.status = 307
    assert imported.run("sync").exit_code == 1
    assert len(listener.take()) == 1
    listener.status = 204
    assert imported.run("sync").exit_code == 0
    (alert,) = listener.take()
    assert [item["id"] for item in alert.json["items"]] == [1]
    assert imported.run("sync").exit_code == 0
    assert listener.heard == []


def test_a_system_that_fails_is_told_once_until_it_works(imported: World, listener: Listener) -> None:
    imported.set(ALERT_URL=listener.url)
    dead = {"FINANCE_API_BASE_URL": f"http://127.0.0.1:{closed_port()}", "MAX_RETRY_ATTEMPTS": "1"}
    assert imported.run("sync", env=dead).exit_code == 3
    (alert,) = listener.take()
    (item,) = alert.json["items"]
    assert (item["kind"], item["system"], item["reason"]) == ("system", "finance", "refused_connection")
    assert item["code"] == "call.refused_connection"
    assert "FINANCE_API_BASE_URL" in item["hint"]
    assert imported.run("sync", env=dead).exit_code == 3
    assert listener.heard == []
    assert imported.run("sync").exit_code == 0
    assert imported.run("sync", env=dead).exit_code == 3
    assert len(listener.take()) == 1


def test_a_system_that_still_fails_while_the_other_does_is_not_told_again(imported: World, listener: Listener) -> None:
    imported.set(ALERT_URL=listener.url, MAX_RETRY_ATTEMPTS="1")
    dead = f"http://127.0.0.1:{closed_port()}"
    no_finance = {"FINANCE_API_BASE_URL": dead}
    assert imported.run("sync", env=no_finance).exit_code == 3
    (alert,) = listener.take()
    assert [item["system"] for item in alert.json["items"]] == ["finance"]
    assert imported.run("sync", env={**no_finance, "CRM_API_BASE_URL": dead}).exit_code == 3
    (alert,) = listener.take()
    assert [item["system"] for item in alert.json["items"]] == ["crm"]
    assert imported.run("sync", env=no_finance).exit_code == 3
    assert listener.heard == []


def test_a_system_that_worked_meanwhile_is_told_again(imported: World, listener: Listener) -> None:
    imported.set(ALERT_URL=listener.url, MAX_RETRY_ATTEMPTS="1")
    dead = f"http://127.0.0.1:{closed_port()}"
    told = []
    for system in ("CRM", "FINANCE", "CRM"):
        assert imported.run("sync", env={f"{system}_API_BASE_URL": dead}).exit_code == 3
        (alert,) = listener.take()
        told.append([item["system"] for item in alert.json["items"]])
    assert told == [["crm"], ["finance"], ["crm"]]


def test_a_brake_is_told_once_until_a_run_goes_through(imported: World, listener: Listener) -> None:
    imported.set(ALERT_URL=listener.url)
    imported.crm.add_person(nickName="تازه", customerNumber="901", **STRANGER)
    none = {"MAX_CREATES_PER_RUN": "0"}
    assert [imported.run("sync", env=none).exit_code for _ in range(2)] == [1, 1]
    (alert,) = listener.take()
    assert [item["kind"] for item in alert.json["items"]] == ["brake"]
    assert imported.run("sync").exit_code == 0
    imported.crm.add_person(nickName="تازه تر", customerNumber="902", **STRANGER)
    assert imported.run("sync", env=none).exit_code == 1
    assert len(listener.take()) == 1


# --- metrics -----------------------------------------------------------------------------------------------


def test_the_metrics_of_good_and_bad_runs(imported: World) -> None:
    imported.set(METRICS_FILE="m.prom")
    before = os.umask(0o077)
    try:
        assert imported.run("sync").exit_code == 0
    finally:
        os.umask(before)
    path = imported.folder / "m.prom"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    good = metrics(imported)
    assert good['siaghsync_runs_total{command="initial-import",outcome="ok"}'] == 1
    assert good['siaghsync_runs_total{command="sync",outcome="ok"}'] == 1
    assert good['siaghsync_last_run_records{entity="customer",outcome="unchanged"}'] == 3
    assert good['siaghsync_last_run_duration_seconds{command="sync"}'] > 0
    assert good['siaghsync_last_run_requests{system="crm"}'] > 1
    assert (good["siaghsync_waiting"], good["siaghsync_review"]) == (0, 0)
    stranger(imported, "غریبه", 900)
    imported.run("sync")
    imported.arm("refuse_before", "finance", times=None)
    assert imported.run("sync").exit_code == 3
    bad = metrics(imported)
    assert bad['siaghsync_runs_total{command="sync",outcome="failed"}'] == 1
    assert bad['siaghsync_last_run_retries{system="finance"}'] == 1
    assert bad["siaghsync_review"] == 1
    assert bad["siaghsync_last_success_timestamp_seconds"] == good["siaghsync_last_success_timestamp_seconds"]
    assert [file.name for file in imported.folder.iterdir() if "m.prom" in file.name] == ["m.prom"]
