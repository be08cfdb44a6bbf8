"""`undo`: the way back of a sync and of an import, what is left for a person, and kills in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engine.bench import Bench
from tests.engine.moments import Trap
from tests.engine.moments import World as Kept
from tests.environment import SINCE
from tests.patience import wait_for
from tests.world import Maker, World, finish, holding

ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


def steps(document: dict[str, Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for each in document["changes"]:
        found[each["action"]] = found.get(each["action"], 0) + 1
    return found


def left(document: dict[str, Any]) -> list[str]:
    return sorted(each["reason"] for each in document["failures"])


def changed(world: World) -> tuple[int, str, int]:
    """A customer whose e-mail a sync has changed: code, CRM id, and that run."""
    (code,) = world.finance.contacts
    crm_id = world.crm_of(code)
    world.crm.edit(crm_id, email="new@example.com", website="new.example.com")
    return code, crm_id, world.json("sync")["run"]["id"]


@pytest.fixture
def one(make_world: Maker) -> World:
    world = make_world()
    world.finance.add_contact(Name="علی رضایی", Email="old@example.com", Description="یادداشت")
    return world.set(**SINCE).imported()


def test_values_go_back_and_rest_until_the_record_changes(one: World) -> None:
    code, crm_id, run = changed(one)
    planned = one.json("undo", str(run), "--dry-run")
    assert steps(planned) == {"restore": 1}
    assert one.finance.contacts[code]["Email"] == "new@example.com"
    done = one.json("undo", str(run), "--yes")
    assert steps(done) == {"restore": 1}
    assert done["changes"][0]["fields"]["email"] == ["new@example.com", "old@example.com"]
    contact = one.finance.contacts[code]
    assert (contact["Email"], contact["WebSiteAddress"] or "", contact["Description"]) == (
        "old@example.com",
        "",
        "یادداشت",
    )
    for command in (("sync",), ("sync", "--full"), ("sync", "--id", crm_id)):
        assert steps(one.json(*command)) == {}
    assert one.finance.contacts[code]["Email"] == "old@example.com"
    assert steps(one.json("undo", str(run), "--yes")) == {}
    one.crm.edit(crm_id, phoneContacts=[{"phoneType": "Mobile", "phoneNumber": "09121112233"}])
    one.json("sync")
    assert one.finance.contacts[code]["Email"] == "new@example.com"
    one.crm.edit(crm_id, phoneContacts=[])
    one.json("sync")
    one.finance.edit(code, Email="else@example.com")
    one.json("sync", "--full")
    assert one.finance.contacts[code]["Email"] == "new@example.com"
    trail = [
        (line["action"], line["outcome"]) for line in one.json("log")["entries"] if line["run_id"] == done["run"]["id"]
    ]
    assert trail == [("restore", "done")]


def test_what_somebody_changed_since_stays_and_is_told(one: World) -> None:
    code, _, run = changed(one)
    one.finance.edit(code, Email="else@example.com")
    done = one.json("undo", str(run), "--yes", exit_code=1)
    assert (steps(done), left(done)) == ({"restore": 1}, ["undo_changed_since"])
    contact = one.finance.contacts[code]
    assert (contact["Email"], contact["WebSiteAddress"] or "") == ("else@example.com", "")


def test_contacts_and_documents_are_left_for_a_person(one: World) -> None:
    customer = one.crm.add_person(nickName="مریم کاظمی", customerNumber="500")
    one.crm.add_quote(customer, [ROW], number="1")
    run = one.json("sync")["run"]["id"]
    done = one.json("undo", str(run), "--yes", exit_code=1)
    assert (steps(done), left(done)) == ({}, ["undo_contact_created", "undo_posted"])
    assert one.code_of(customer)
    assert "pre-invoice" in one.run("undo", str(run), "--yes").stdout


def test_an_import_is_undone_and_counts_as_not_done(make_world: Maker) -> None:
    world = make_world(customers=6)
    existing = world.finance.add_contact(Name="مریم کاظمی")
    linked = world.crm.add_person(nickName="مریم کاظمی", customerNumber=str(existing))
    world.set(**SINCE, ENABLE_WEBHOOKS="false")
    first = world.json("initial-import", "--yes")
    made = first["customers"]["created"]
    touched, booked = [each["crm_id"] for each in first["changes"] if each["action"] == "create"][:2]
    world.crm.add_quote(booked, [ROW], number="1")
    world.json("sync")
    world.crm.edit(touched, tags=["vip"])
    plan = world.json("undo", "1", "--dry-run", exit_code=1)
    done = world.json("undo", "1", "--yes", exit_code=1)
    assert steps(plan) == steps(done)
    assert steps(done).get("delete") == made - 2
    assert left(done) == ["undo_edited_since", "undo_has_documents"]
    assert {touched, booked} <= set(world.crm.records)
    assert len(world.crm.records) == 3
    assert linked in world.crm.records
    assert not world.rows("SELECT 1 FROM customer_mappings WHERE crm_id = ?", linked)
    assert {row[0] for row in world.rows("SELECT crm_id FROM customer_mappings")} >= {touched, booked}
    assert world.json("sync", exit_code=2)["error"]["kind"]
    again = world.json("initial-import", "--yes")
    assert again["customers"]["created"] == made - 2
    code = next(each["finance_code"] for each in again["changes"] if each["action"] == "create")
    assert world.run("explain", code).stdout.count("Where it stands") == 1  # the deleted record has no story of its own
    assert steps(world.json("undo", "1", "--yes", exit_code=1)) == {}
    world.json("sync")


def test_a_link_that_brought_an_update_is_taken_out(one: World) -> None:
    code = one.finance.add_contact(Name="مریم کاظمی", Email="old@example.com")
    crm_id = one.crm.add_person(nickName="مریم کاظمی", customerNumber=str(code), email="new@example.com")
    run = one.json("sync")["run"]["id"]
    assert steps(one.json("undo", str(run), "--yes")) == {"restore": 1, "unlink": 1}
    assert one.finance.contacts[code]["Email"] == "old@example.com"
    assert not one.rows("SELECT 1 FROM customer_mappings WHERE crm_id = ?", crm_id)
    assert steps(one.json("sync", "--full")) == {"link": 1}
    assert one.finance.contacts[code]["Email"] == "old@example.com"


def test_runs_that_cannot_be_undone(one: World) -> None:
    _, _, run = changed(one)
    dry = one.json("sync", "--dry-run")["run"]["id"]
    undone = one.json("undo", str(run), "--yes")["run"]["id"]
    for wrong in (dry, undone, 99):
        assert one.json("undo", str(wrong), "--yes", exit_code=2)["error"]["message"]
    assert one.run("undo", str(run)).exit_code == 2


def test_a_code_that_belongs_to_somebody_else_is_left_alone(one: World) -> None:
    code, _, run = changed(one)
    one.finance.delete(code)
    one.finance.add_contact(Code=code, Name="کس دیگر", Email="new@example.com")
    done = one.json("undo", str(run), "--yes", exit_code=1)
    assert left(done) == ["undo_contact_gone"]
    assert one.finance.contacts[code]["Email"] == "new@example.com"


@pytest.mark.parametrize("unknown_address", ["empty", "404"])
@pytest.mark.parametrize("deletes", ["refuse", "ignore", "missing"])
def test_a_crm_that_does_not_delete_is_found_out(make_world: Maker, deletes: Any, unknown_address: Any) -> None:
    world = make_world(customers=5).set(**SINCE)
    world.imported()
    made = len(world.crm.records)
    world.crm.unknown_address = unknown_address
    if deletes == "missing":
        world.crm.missing = {"person/delete", "organization/delete"}
    else:
        world.crm.deletes = deletes
    done = world.json("undo", "1", "--yes", exit_code=1)
    assert len(world.crm.records) == made == len(done["failures"])
    assert {each["reason"] for each in done["failures"]} == {"refused"}
    assert steps(done) == {}
    assert len(world.rows("SELECT 1 FROM customer_mappings")) == made
    world.crm.missing, world.crm.deletes = set(), "yes"
    assert steps(world.json("undo", "1", "--yes")) == {"delete": made}
    assert not world.crm.records


def test_a_delete_after_which_nothing_is_heard_is_in_doubt(one: World) -> None:
    fault = one.arm("reset_before", "crm:person/get", skip=1, times=None)  # the first is for the plan
    one.run("undo", "1", "--yes")
    assert one.rows("SELECT state FROM intents ORDER BY id DESC LIMIT 1") == [("unknown",)]
    assert not one.crm.records
    fault.times = 0
    one.json("undo", "1", "--yes")
    assert not one.rows("SELECT 1 FROM customer_mappings")


# --- kills -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("undo")) as bench:
        bench.settings = {"UNKNOWN_GRACE_SECONDS": "60", "CONCURRENCY": "2", **SINCE}
        yield bench


@pytest.fixture(scope="module")
def kept(bench: Bench) -> Kept:
    for number in range(3):
        bench.sandbox.finance.add_contact(Name=f"علی {number}", MobileNo=f"0912000000{number}")
    assert bench.run("initial-import", "--yes").code == 0
    assert bench.run("sync").code == 0
    touched = min(bench.sandbox.crm.records)
    bench.sandbox.crm.edit(touched, tags=["vip"])
    return bench.keep()


def test_an_undo_that_is_killed_is_finished_by_the_next(bench: Bench, kept: Kept) -> None:
    bench.restore(kept)
    events = bench.run("undo", "1", "--yes").events
    assert len(bench.sandbox.crm.records) == 1
    writes = [at for at, event in enumerate(events, 1) if event.endpoint.endswith("/delete")]
    assert writes
    traps = [Trap(at) for at in range(1, len(events) + 1)]
    traps += [Trap(at, lost=True) for at in writes if events[at - 1].stage == "received"]
    for trap in traps:
        bench.restore(kept)
        bench.run("undo", "1", "--yes", traps=[trap])
        ended = bench.run("undo", "1", "--yes")
        assert ended.code == 1, (trap, ended)
        assert len(bench.sandbox.crm.records) == 1, trap
        assert len(bench.rows("SELECT 1 FROM customer_mappings")) == 1, trap
        assert bench.unsettled() == [], trap


def test_an_import_after_a_killed_undo_makes_anew_what_is_gone(bench: Bench, kept: Kept) -> None:
    bench.restore(kept)
    events = bench.run("undo", "1", "--yes").events
    deletes = [at for at, event in enumerate(events, 1) if event.endpoint.endswith("/delete")]
    for at in deletes:
        bench.restore(kept)
        bench.run("undo", "1", "--yes", traps=[Trap(at)])
        assert bench.run("sync").code == 2
        bench.run("initial-import", "--yes")
        assert len(bench.sandbox.crm.records) == len(bench.rows("SELECT 1 FROM customer_mappings")) == 3, at
        linked = {row["crm_id"] for row in bench.rows("SELECT crm_id FROM customer_mappings")}
        assert linked == set(bench.sandbox.crm.records), at


def test_an_import_that_was_killed_is_undone(bench: Bench) -> None:
    contacts = [{"Name": f"علی {n}", "MobileNo": f"0912000000{n}"} for n in range(3)]
    bench.restore(Kept([], [], None, 0.0))
    for contact in contacts:
        bench.sandbox.finance.add_contact(**contact)
    blank = bench.keep()
    events = bench.run("initial-import", "--yes").events
    creates = [at for at, event in enumerate(events, 1) if event.endpoint.endswith("/create")]
    for at in creates:
        bench.restore(blank)
        bench.run("initial-import", "--yes", traps=[Trap(at)])
        assert bench.run("undo", "1", "--yes").code in (0, 1)
        (summary,) = bench.rows("SELECT summary FROM runs ORDER BY id DESC LIMIT 1")
        assert json.loads(summary["summary"])["customers"]["failed"] == len(bench.unsettled()), (
            at
        )  # each in doubt counts once
        for _ in range(2):
            bench.advance(61)
            ended = bench.run("undo", "1", "--yes")
        assert ended.code == 0, ended
        assert dict(bench.sandbox.crm.records) == {}, at
        assert bench.unsettled() == []


def test_a_run_that_is_still_at_work_is_not_undone(one: World) -> None:
    one.crm.edit(one.crm_of(next(iter(one.finance.contacts))), email="new@example.com")
    with holding(one, "SaveFormData/update"):
        process = one.start("sync")
        wait_for(lambda: bool(one.rows("SELECT 1 FROM intents WHERE state = 'open'")))
        ended = one.run("undo", "2", "--yes", "--json")
        assert ended.exit_code == 2, ended.text
        assert "still at work" in ended.json["error"]["message"]
    assert finish(process).exit_code == 0
    assert "To be restored" in one.run("undo", "2", "--dry-run").stdout
