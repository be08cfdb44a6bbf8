"""Answers that don't come: after any of them, running again until all is settled makes no duplicate and loses nothing."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from siaghsync.sandbox.hooks import Entry
from tests.engine.late_commit import carry_out
from tests.world import Maker, World

HASTE = {"HTTP_TIMEOUT_SECONDS": "2", "MAX_RETRY_ATTEMPTS": "3"}
NEVER = 3600.0
BEFORE: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset_before"},
    "close": {"kind": "close_before"},
    "timeout": {"kind": "hang_before", "seconds": NEVER, "then": "close"},
    "500": {"kind": "refuse_before", "status": 500},
    "503": {"kind": "refuse_before", "status": 503},
    "html": {"kind": "html"},
    "null": {"kind": "json", "body": b"null"},
}
AFTER: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset_after"},
    "close": {"kind": "close_after"},
    "cut": {"kind": "cut"},
    "timeout": {"kind": "hang_after", "seconds": NEVER, "then": "close"},
    "drip": {"kind": "drip", "seconds": 0.5},
    "500": {"kind": "status_after", "status": 500},
    "html": {"kind": "html", "commit": True},
    "null": {"kind": "json", "body": b"null", "commit": True},
}
TROUBLES = {"before": BEFORE, "after": AFTER}


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    return make_template().imported()


@pytest.fixture
def empty(world: World, template: World) -> World:
    """An import of nothing is over."""
    return world.twin_of(template)


def trouble(world: World, faults: dict[str, dict[str, Any]], where: str) -> None:
    """Each fault hits the request that carries its name, once."""
    for name, fault in faults.items():
        world.arm(where=where, containing=f"({name})", **fault)


def until_settled(world: World, *args: str, runs: int = 4) -> int:
    """Runs the command until it ends with 0, at most so many times; returns how often it ran."""
    for number in range(1, runs + 1):
        ended = world.run(*args, "--json", env=HASTE)
        if ended.exit_code == 0:
            return number
        assert ended.exit_code == 1, ended.text
    raise AssertionError(f"not settled after {runs} runs: {ended.text}")


def no_doubles(world: World) -> None:
    """Every number once in the CRM; every name once in Finance."""
    for values in (
        [record["customerNumber"] for record in world.crm.records.values()],
        [contact["Name"] for contact in world.finance.contacts.values()],
    ):
        assert [value for value, times in Counter(values).items() if times > 1] == []


def open_questions(world: World) -> int:
    ((count,),) = world.rows(
        "SELECT (SELECT count(*) FROM intents WHERE state IN ('open', 'unknown')) + (SELECT count(*) FROM retries) "
        "+ (SELECT count(*) FROM reviews WHERE resolution IS NULL)"
    )
    return int(count)


# --- each kind of silence, before and after the work was done ----------------------------------------------


@pytest.mark.parametrize("when", TROUBLES)
def test_creates_of_an_import(world: World, when: str) -> None:
    codes = {name: world.finance.add_contact(Name=f"علی ({name})") for name in (*TROUBLES[when], "fine")}
    trouble(world, TROUBLES[when], "crm:person/create")
    runs = until_settled(world, "initial-import", "--yes")
    assert runs == (1 if when == "after" else 2)
    no_doubles(world)
    assert {world.crm.records[world.crm_of(code)]["nickName"] for code in codes.values()} == {
        f"علی ({name})" for name in codes
    }
    assert len(world.crm.records) == len(codes)
    assert open_questions(world) == 0


@pytest.mark.parametrize("when", TROUBLES)
def test_creates_of_a_sync(empty: World, when: str) -> None:
    people = {
        name: empty.crm.add_person(nickName=f"علی ({name})", customerNumber=str(9001 + i))
        for i, name in enumerate((*TROUBLES[when], "fine"))
    }
    trouble(empty, TROUBLES[when], "finance:SaveFormData/create")
    runs = until_settled(empty, "sync")
    assert runs == (1 if when == "after" else 2)
    no_doubles(empty)
    assert {empty.finance.contacts[empty.code_of(crm_id)]["Name"] for crm_id in people.values()} == {
        f"علی ({name})" for name in people
    }
    assert len(empty.finance.contacts) == len(people)
    assert open_questions(empty) == 0


@pytest.mark.parametrize("when", TROUBLES)
def test_creates_of_a_sync_without_mark_and_national_code(empty: World, when: str) -> None:
    empty.set(FINANCE_NOTE_MARKER="false")
    for i, name in enumerate(TROUBLES[when]):
        empty.crm.add_person(nickName=f"علی ({name})", customerNumber=str(9001 + i))
    trouble(empty, TROUBLES[when], "finance:SaveFormData/create")
    until_settled(empty, "sync")
    no_doubles(empty)
    assert len(empty.finance.contacts) == len(empty.rows("SELECT 1 FROM customer_mappings")) == len(TROUBLES[when])


@pytest.mark.parametrize("when", TROUBLES)
def test_updates_of_a_sync(world: World, when: str) -> None:
    codes = {name: world.finance.add_contact(Name=f"علی {i}") for i, name in enumerate((*TROUBLES[when], "fine"))}
    world.imported().json("sync")
    for name, code in codes.items():
        world.crm.edit(world.crm_of(code), email=f"({name})@example.com")
    trouble(world, TROUBLES[when], "finance:SaveFormData/update")
    assert until_settled(world, "sync") == 2
    assert {name: world.finance.contacts[code]["Email"] for name, code in codes.items()} == {
        name: f"({name})@example.com" for name in codes
    }
    assert len(world.finance.contacts) == len(codes)
    assert open_questions(world) == 0
    # What had arrived was not sent again.
    assert world.journal.count("finance", "SaveFormData") == (len(BEFORE) if when == "before" else 0)


def test_reads_are_simply_repeated(make_world: Maker) -> None:
    world = make_world(customers=3)
    for kind in ("reset_before", "close_after", "refuse_before"):
        world.arm(kind, "crm:person/find")
        world.arm(kind, "finance:GetAll")
    done = world.json("initial-import", "--yes", env={"MAX_RETRY_ATTEMPTS": "4"})
    assert done["customers"]["created"] == 3
    assert done["requests"] == {"crm": world.journal.count("crm"), "finance": world.journal.count("finance")}


# --- the grace time ----------------------------------------------------------------------------------------

IN_ITS_GRACE_TIME = {"UNKNOWN_GRACE_SECONDS": "3600"}
AFTER_IT = {"UNKNOWN_GRACE_SECONDS": "0"}


def doubtful(world: World, target: str) -> tuple[str, ...]:
    """A create in the target that will get no answer and do nothing; returns the command that makes it."""
    world.set(MAX_RETRY_ATTEMPTS="5")
    if target == "crm":
        world.finance.add_contact(Name="علی رضایی")
        world.arm("close_before", "crm:person/create")
        return ("initial-import", "--yes")
    world.imported()
    world.crm.add_person(nickName="علی رضایی", customerNumber="9001")
    world.arm("close_before", "finance:SaveFormData/create")
    return ("sync",)


def lost(world: World, target: str) -> Entry:
    """The create of the last run, which got no answer."""
    (entry,) = world.journal.of(*(("crm", "person/create") if target == "crm" else ("finance", "SaveFormData/create")))
    return entry


def creates(world: World, target: str) -> int:
    return world.journal.count(*(("crm", "person/create") if target == "crm" else ("finance", "SaveFormData/create")))


@pytest.mark.parametrize("target", ["crm", "finance"])
def test_it_is_sent_again_only_after_the_grace_time(world: World, target: str) -> None:
    command = doubtful(world, target)
    done = world.json(*command, exit_code=1, env=IN_ITS_GRACE_TIME)
    assert done["customers"]["failed"] == 1
    assert done["failures"][0]["reason"] == "unknown_outcome"
    # An import looks at every contact, so it speaks of this one again; to a sync it is no news.
    world.json(*command, exit_code=1 if target == "crm" else 0, env=IN_ITS_GRACE_TIME)
    assert creates(world, target) == 0
    assert world.run("status", "--json").json["pending"] == 1
    assert world.json(*command, env=AFTER_IT)["customers"]["created"] == 1
    assert creates(world, target) == 1
    no_doubles(world)
    assert open_questions(world) == 0


@pytest.mark.parametrize("target", ["crm", "finance"])
def test_a_late_commit_within_the_grace_time_is_found(world: World, target: str) -> None:
    command = doubtful(world, target)
    world.json(*command, exit_code=1, env=IN_ITS_GRACE_TIME)
    carry_out(world.sandbox, lost(world, target))
    assert world.json(*command, env=AFTER_IT)["customers"]["created"] == 1
    assert creates(world, target) == 0
    no_doubles(world)
    assert len(world.rows("SELECT 1 FROM customer_mappings")) == 1
    assert open_questions(world) == 0


def test_a_double_that_a_commit_after_the_grace_time_makes_goes_to_a_person(world: World) -> None:
    command = doubtful(world, "finance")
    world.json(*command, exit_code=1, env=AFTER_IT)
    late = lost(world, "finance")
    assert world.json(*command, env=AFTER_IT)["customers"]["created"] == 1
    assert len(world.finance.contacts) == 1
    carry_out(world.sandbox, late)
    assert len(world.finance.contacts) == 2
    done = world.json("sync", "--full", exit_code=1)
    assert [change["reason"] for change in done["changes"]] == ["double_in_finance"]
    assert world.json("status", exit_code=1)["review"] == 1
    assert world.json("sync", "--full")["customers"]["updated"] == 0


def test_waiting_for_the_grace_time_is_no_try(world: World) -> None:
    command = doubtful(world, "finance")
    world.json(*command, exit_code=1, env=IN_ITS_GRACE_TIME)
    (crm_id,) = world.crm.records
    for number in range(5):  # each time there is something new to plan, and nothing that may be sent
        world.crm.edit(crm_id, email=f"{number}@example.com")
        world.run("sync", "--full", env=IN_ITS_GRACE_TIME)
    assert (creates(world, "finance"), world.rows("SELECT 1 FROM reviews")) == (0, [])
    status = world.run("status", "--json").json
    assert (status["pending"], status["failed"], len(world.json("waiting")["items"])) == (1, 1, 1)
    assert world.json(*command, env=AFTER_IT)["customers"]["created"] == 1
    assert creates(world, "finance") == 1
    no_doubles(world)


def test_what_never_arrives_is_put_before_a_person_in_the_end(empty: World) -> None:
    empty.set(MAX_RETRY_ATTEMPTS="2")
    empty.crm.add_person(nickName="علی رضایی", customerNumber="9001")
    empty.arm("reset_before", "finance:SaveFormData/create", times=None)
    exits = [empty.run("sync").exit_code for _ in range(5)]
    assert exits[-1] == 0
    assert exits.count(1) >= 2
    assert empty.rows("SELECT reason FROM reviews WHERE resolution IS NULL") == [("unknown_outcome",)]
    empty.json("sync")
    assert creates(empty, "finance") == 0


# --- logins ------------------------------------------------------------------------------------------------


def test_a_session_that_ends_in_the_middle_is_renewed_once(make_world: Maker) -> None:
    world = make_world(customers=6)
    world.arm("expire", "crm:person/create", skip=1)
    assert world.json("initial-import", "--yes")["customers"]["created"] == 6
    assert world.journal.count("crm", "login") == 2
    world.json("sync")
    for crm_id in world.crm.records:
        world.crm.edit(crm_id, email="new@example.com")
    world.arm("expire", "finance:SaveFormData", skip=2)
    world.arm("expire", "crm:organization/find")
    assert world.json("sync")["customers"]["updated"] == 6
    assert world.journal.count("finance", "LoginUser") == 2
    assert world.journal.count("crm", "login") == 2
    no_doubles(world)


def test_a_locked_account_is_left_in_peace_until_the_cool_down_is_over(empty: World) -> None:
    empty.crm.account.lock(900)
    ended = empty.run("sync", "--json")
    assert (ended.exit_code, ended.json["error"]["kind"]) == (3, "login_locked")
    assert empty.journal.count("crm", "login") == 1
    empty.crm.account.unlock()
    for command in (["sync"], ["initial-import", "--yes"], ["check-apis"]):
        ended = empty.run(*command, "--json")
        assert (ended.exit_code, ended.json["error"]["kind"]) == (3, "login_locked"), command
        assert "Tehran time" in ended.json["error"]["message"]
        assert empty.journal.count("crm") == 0, command
    with closing(sqlite3.connect(empty.state_file)) as db, db:
        db.execute("UPDATE meta SET value = '2020-01-01T00:00:00.000+00:00' WHERE name = 'crm_login_locked_until'")
    empty.json("sync")


def test_a_refused_login_is_tried_once_a_run(empty: World) -> None:
    ended = empty.run("sync", "--json", env={"CRM_PASSWORD": "wrong"})
    assert (ended.exit_code, ended.json["error"]["kind"]) == (3, "login_refused")
    assert empty.journal.count("crm") == 1
    empty.crm.licensed = False
    ended = empty.run("sync", "--json")
    assert (ended.exit_code, ended.json["error"]["kind"]) == (3, "login_refused")
    assert "MobileApp" in ended.json["error"]["hint"]
    assert empty.journal.count("crm") == 1
    empty.crm.licensed = True
    ended = empty.run("sync", "--json", env={"FINANCE_PASSWORD": "0" * 32})
    assert (ended.exit_code, ended.json["error"]["kind"]) == (3, "login_refused")
    assert empty.journal.count("finance") == 1


def test_two_refused_logins_are_told_together(empty: World) -> None:
    ended = empty.run("sync", "--json", env={"CRM_PASSWORD": "wrong", "FINANCE_PASSWORD": "0" * 32})
    error = ended.json["error"]
    assert (ended.exit_code, error["kind"]) == (3, "login_refused")
    assert "Payamgostar (CRM)" in error["message"]
    assert "Siagh (finance)" in error["message"]
    assert "hash-password" in error["hint"]
    assert (empty.journal.count("crm"), empty.journal.count("finance")) == (1, 1)


# --- a server that goes away -------------------------------------------------------------------------------


class Door:
    """A way to a server on 127.0.0.1 that can be shut: a shut door refuses connections, and cuts those it has."""

    def __init__(self, url: str) -> None:
        self._target = ("127.0.0.1", int(url.rsplit(":", 1)[1]))
        self._open: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _listen(self, port: int) -> socket.socket:
        listener = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(self._target)
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._carry, args=pair, daemon=True).start()

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def shut(self) -> None:
        # A thread that is in accept() would keep a closed listener alive; shutdown wakes it up.
        for sock in (self._listener, *self._open):
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._open.clear()

    def open(self) -> None:
        self._listener = self._listen(self.port)


@pytest.fixture
def crm_door(world: World) -> Iterator[Door]:
    door = Door(world.sandbox.crm_url)
    world.set(CRM_API_BASE_URL=door.url, CONCURRENCY="2")
    yield door
    door.shut()


@pytest.fixture
def finance_door(world: World) -> Iterator[Door]:
    door = Door(world.sandbox.finance_url)
    world.set(FINANCE_API_BASE_URL=door.url, CONCURRENCY="2")
    yield door
    door.shut()


def shut_after(world: World, door: Door, endpoint: str, requests: int) -> None:
    """The door is shut for good when the server has begun with so many requests to an endpoint."""
    left = iter(range(requests, -1, -1))

    def count(_system: str, its_endpoint: str, stage: str) -> None:
        if its_endpoint == endpoint and stage == "committed" and next(left, -1) == 1:
            door.shut()

    world.sandbox.on_event(count)


def test_a_crm_that_goes_away_in_the_middle_of_an_import(world: World, crm_door: Door) -> None:
    for number in range(12):
        world.finance.add_contact(Name=f"علی {number}")
    shut_after(world, crm_door, "person/create", 5)
    ended = world.run("initial-import", "--yes", "--json")
    assert ended.exit_code == 3
    assert ended.json["error"]["kind"] == "unreachable"
    assert "CRM_API_BASE_URL" in ended.json["error"]["hint"]
    assert 5 <= len(world.crm.records) < 12
    assert world.run("sync").exit_code == 2
    assert world.run("initial-import", "--yes").exit_code == 3
    crm_door.open()
    until_settled(world, "initial-import", "--yes")
    no_doubles(world)
    assert len(world.rows("SELECT 1 FROM customer_mappings")) == len(world.crm.records) == 12


def test_a_finance_system_that_goes_away_in_the_middle_of_a_sync(world: World, finance_door: Door) -> None:
    codes = [world.finance.add_contact(Name=f"علی {number}") for number in range(12)]
    world.imported().json("sync")
    before = world.rows("SELECT * FROM cursors")
    for code in codes:
        world.crm.edit(world.crm_of(code), email=f"a{code}@example.com")
    for number in range(3):
        world.crm.add_person(nickName=f"تازه {number}", customerNumber=str(9001 + number))
    shut_after(world, finance_door, "SaveFormData/update", 5)
    ended = world.run("sync", "--json")
    assert (ended.exit_code, ended.json["error"]["kind"]) == (3, "unreachable")
    assert [row[:2] for row in world.rows("SELECT * FROM cursors")] == [row[:2] for row in before]
    finance_door.open()
    until_settled(world, "sync")
    no_doubles(world)
    assert {code: world.finance.contacts[code]["Email"] for code in codes} == {c: f"a{c}@example.com" for c in codes}
    assert len(world.finance.contacts) == 15
    assert open_questions(world) == 0


def test_what_a_look_up_cannot_understand_is_neither_taken_nor_sent_again(world: World) -> None:
    code = world.finance.add_contact(Name="علی رضایی")
    record = {"crmId": "11111111-0000-4000-8000-000000000009", "customerNumber": str(code), "nickName": ["?"]}
    body = json.dumps({"data": [record], "total": 1}).encode()
    world.arm("reset_before", "crm:person/create")
    world.arm("json", "crm:person/find", containing="CustomerNumber", body=body, times=2)
    for _ in range(2):
        done = world.json("initial-import", "--yes", exit_code=1)
        assert "bad_record" in [failure["reason"] for failure in done["failures"]]
    assert world.crm.records == {}
    world.json("initial-import", "--yes", exit_code=1)  # now it is looked up, and its grace time begins
    assert world.json("initial-import", "--yes")["customers"]["created"] == 1
    assert len(world.crm.records) == 1


def test_a_gateway_that_repeats_each_post_makes_doubles_that_go_to_a_person(make_world: Maker) -> None:
    world = make_world(customers=3, also_in_crm=0)
    world.arm("repeat", "crm:person/create", times=1)
    world.imported()
    world.finance.unique_phones = ()
    crm_id = world.crm.add_person(nickName="تازه وارد", customerNumber="900100", modifyDate=None)
    world.arm("repeat", "finance:SaveFormData/create", times=None)
    world.run("sync")
    assert len([c for c in world.finance.contacts.values() if c["Name"] == "تازه وارد"]) == 2
    world.sandbox.faults.clear()
    world.run("sync", "--full")
    found = {(item["reason"], item["crm_id"]) for item in world.json("review")["items"]}
    assert ("double_in_finance", None) in found
    assert found, crm_id
