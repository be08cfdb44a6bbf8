"""Saved plans with the real command: what was read is what is done, and what has changed meanwhile is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.environment import SINCE
from tests.indoors import indoors
from tests.world import Maker, World


def save(world: World, *command: str, exit_code: int = 0, **env: str) -> Path:
    """Saves the plan of a dry run and returns its file."""
    file = world.folder / "plan.jsonl"
    world.json(*command, "--dry-run", "--save-plan", str(file), env=env, exit_code=exit_code)
    assert file.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in world.folder.iterdir() if each.name.endswith((".part", ".whole"))] == []
    return file


def actions(file: Path) -> list[tuple[str, str]]:
    """(action, entity) of each line."""
    return [(each["operation"], each["entity"]) for each in map(json.loads, file.read_text("ascii").splitlines()[1:])]


def told(document: dict[str, Any], reason: str = "changed_since_plan") -> list[dict[str, Any]]:
    return [change for change in document["changes"] if change["reason"] == reason]


def done(document: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((change["entity"], change["action"]) for change in document["changes"])


def row(price: int = 100, code: str = "P-1") -> dict[str, Any]:
    return {"productCode": code, "count": 2, "baseUnitPrice": price}


@pytest.fixture
def paired(make_world: Maker) -> World:
    """A world with linked customers; the first sync is over."""
    world = indoors(make_world(customers=4, also_in_crm=2)).set(**SINCE).imported()
    world.json("sync")
    return world


def pairs(world: World) -> list[tuple[str, int]]:
    return [(str(a), int(b)) for a, b in world.rows("SELECT crm_id, finance_code FROM customer_mappings ORDER BY 2")]


# --- the initial import ------------------------------------------------------------------------------------


def test_an_import_does_exactly_what_the_plan_says(make_world: Maker) -> None:
    world = make_world(customers=5, also_in_crm=2)
    file = save(world, "initial-import")
    assert not world.state_file.exists()
    planned = actions(file)
    assert planned.count(("create", "customer")) == 3
    found = world.json("initial-import", "--yes", "--plan", str(file))
    assert len(found["changes"]) == len(planned)
    assert found["plan"] == {"refused": 0, "left": 0}
    assert (found["customers"]["created"], found["customers"]["linked"]) == (3, 2)
    assert world.json("status", exit_code=0)["initial_import_done"] is True
    again = world.run("initial-import", "--yes", "--plan", str(file), "--json")
    assert again.exit_code == 2
    assert "has completed since" in again.json["error"]["message"]


def test_an_import_refuses_what_changed_and_leaves_what_is_new(make_world: Maker) -> None:
    world = indoors(make_world(customers=4))
    file = save(world, "initial-import")
    first, second, *_ = [code for code, c in world.finance.contacts.items() if not c["IsAdminUser"]]
    world.finance.edit(first, Address="نشانی تازه")
    world.finance.delete(second)
    new = world.finance.add_contact(Name="تازه وارد", MobileNo="09351112233")
    found = world.json("initial-import", "--yes", "--plan", str(file), exit_code=1)
    assert sorted(change["finance_code"] for change in told(found)) == sorted([str(first), str(second)])
    assert all(change["action"] == "skip" for change in told(found))
    assert found["plan"] == {"refused": 2, "left": 1}
    assert found["run"]["outcome"] == "partial"
    assert found["customers"]["created"] == 2
    codes = {code for _, code in pairs(world)}
    assert not codes & {first, second, new}
    assert world.run("sync").exit_code == 2, "an import that left something out has not completed"

    shown = world.run("initial-import", "--yes", "--plan", str(file)).stdout
    assert "Refused" in shown
    assert world.json("initial-import", "--yes")["customers"]["created"] == 2
    assert {first, new} <= {code for _, code in pairs(world)}
    assert world.run("sync").exit_code == 0


def test_a_plan_with_a_limit_is_a_part_of_an_import(make_world: Maker) -> None:
    world = indoors(make_world(customers=4))
    file = save(world, "initial-import", "--limit", "2")
    found = world.json("initial-import", "--yes", "--plan", str(file))
    assert found["customers"]["created"] == 2
    assert found["plan"]["left"] >= 2
    assert world.run("sync").exit_code == 2


# --- sync --------------------------------------------------------------------------------------------------


def test_a_sync_does_exactly_what_the_plan_says_and_moves_no_cursor(paired: World) -> None:
    world = paired
    (changed, _), (posted, code) = pairs(world)[:2]
    new = world.crm.add_person(nickName="تازه", lastName="تازه", customerNumber="7777")
    world.crm.edit(changed, email="new@example.com")
    quote = world.crm.add_quote(new, [row()], number="Q-1")
    world.crm.add_invoice(new, [row()], number="I-1", relatedQuoteId=quote)
    world.crm.add_invoice(posted, [row()], number="I-2")
    world.crm.add_person(nickName="بی شماره", lastName="بی شماره", customerNumber="")
    file = save(world, "sync")
    later = world.crm.add_invoice(posted, [row(999)], number="I-3")
    odd = world.crm.add_invoice(posted, [row(code="")], number="I-4")
    cursors = world.rows("SELECT * FROM cursors")
    found = world.json("sync", "--plan", str(file))
    assert done(found) == [
        ("customer", "create"), ("customer", "skip"), ("customer", "update"), ("invoice", "create"),
        ("invoice", "create"), ("invoice", "link"),
    ]  # fmt: skip
    assert found["plan"] == {"refused": 0, "left": 2}
    assert world.rows("SELECT count(*) FROM reviews") == [(0,)]
    assert [p.customer for p in world.finance.preinvoices].count(world.code_of(new)) == 1
    assert world.rows("SELECT * FROM cursors") == cursors
    assert world.rows("SELECT count(*) FROM posted_documents WHERE crm_id = ?", later) == [(0,)]

    ordinary = world.json("sync", exit_code=1)
    assert done(ordinary) == [("customer", "skip"), ("invoice", "create"), ("invoice", "review")]
    assert world.rows("SELECT record FROM reviews") == [(odd,)]
    assert len(world.finance.preinvoices) == 3
    assert code in {p.customer for p in world.finance.preinvoices}


def test_a_sync_refuses_record_by_record_what_has_changed(paired: World) -> None:
    world = paired
    (first, code), (second, _) = pairs(world)[:2]
    for crm_id in (first, second):
        world.crm.edit(crm_id, email="new@example.com")
    invoice = world.crm.add_invoice(first, [row()], number="I-1")
    world.crm.add_invoice(first, [row()], number="I-2")
    file = save(world, "sync")
    world.finance.edit(code, FatherName="نو", CityCode=99)  # what only Finance knows is sent along
    world.crm.edit(invoice, details=[row(101)], totalValue=202, finalValue=202)
    found = world.json("sync", "--plan", str(file), exit_code=1)
    assert {change["crm_id"] for change in told(found)} == {first, invoice}
    assert done(found) == [("customer", "skip"), ("customer", "update"), ("invoice", "create"), ("invoice", "skip")]
    assert found["plan"] == {"refused": 2, "left": 0}
    assert world.finance.contacts[code]["Email"] != "new@example.com"
    assert {outcome for (outcome,) in world.rows("SELECT outcome FROM audit WHERE reason = 'changed_since_plan'")} == {
        "refused"
    }
    assert done(world.json("sync")) == [("customer", "update"), ("invoice", "create")]


def test_what_only_a_person_could_decide_by_now_is_refused_too(paired: World) -> None:
    world = paired
    (first, code), (second, _) = pairs(world)[:2]
    world.crm.edit(first, email="new@example.com")
    quote = world.crm.add_quote(second, [row()], number="Q-1")
    world.json("sync", "--only", "invoices")
    invoice = world.crm.add_invoice(second, [row()], number="I-1", relatedQuoteId=quote)
    file = save(world, "sync")
    assert sorted(actions(file)) == [("link", "invoice"), ("update", "customer")]
    world.finance.delete(code)
    world.crm.edit(invoice, details=[row(5)], totalValue=10, finalValue=10)
    found = world.json("sync", "--plan", str(file), exit_code=1)
    assert {change["crm_id"] for change in told(found)} == {first, invoice}
    assert world.rows("SELECT count(*) FROM reviews") == [(0,)]
    assert {change["reason"] for change in world.json("sync", exit_code=1)["changes"]} == {
        "missing_in_finance",
        "differs_from_posted_quote",
    }


def test_what_was_done_meanwhile_is_refused_and_not_done_again(paired: World) -> None:
    world = paired
    (first, _), *_ = pairs(world)
    world.crm.add_invoice(first, [row()], number="I-1")
    world.crm.edit(first, email="new@example.com")
    file = save(world, "sync")
    world.json("sync")
    found = world.json("sync", "--plan", str(file), exit_code=1)
    assert done(found) == [("customer", "skip"), ("invoice", "skip")]
    assert len(world.finance.preinvoices) == 1
    shown = world.run("sync", "--plan", str(file))
    assert shown.exit_code == 1
    assert "nothing to do for it any more" in " ".join(shown.stdout.split())


def test_a_link_and_its_update_are_one_part_of_the_plan(paired: World) -> None:
    world = paired
    code = world.finance.add_contact(Name="مریم نمونه", MobileNo="09351112233")
    crm_id = world.crm.add_person(
        nickName="مریم نمونه", lastName="نمونه", customerNumber=str(code), email="a@example.com"
    )
    file = save(world, "sync")
    assert actions(file) == [("link", "customer")]
    world.finance.edit(code, CityCode=99)
    found = world.json("sync", "--plan", str(file), exit_code=1)
    assert [change["crm_id"] for change in found["changes"]] == [crm_id]
    assert done(found) == [("customer", "skip")]
    assert not world.finance.contacts[code]["Email"]
    world.json("sync")
    assert world.finance.contacts[code]["Email"] == "a@example.com"


def test_a_plan_keeps_to_what_it_looked_at(paired: World) -> None:
    world = paired
    (_, code), *_ = pairs(world)
    world.finance.edit(code, MobileNo="09359998877")
    assert actions(save(world, "sync")) == []
    file = save(world, "sync", "--full", "--only", "customers")
    found = world.json("sync", "--plan", str(file))
    assert done(found) == [("customer", "update")]


# --- what does not fit -------------------------------------------------------------------------------------


def test_what_does_not_go_together_is_refused_at_once(paired: World) -> None:
    world = paired
    file = save(world, "sync")
    damaged, foreign = world.folder / "damaged", world.folder / "foreign"
    pairs(world)
    head, *rest = file.read_text("ascii").splitlines(keepends=True)
    damaged.write_text(head + "".join(rest) + '{"action": "create"}\n')
    foreign.write_text(json.dumps({**json.loads(head), "state": "0" * 32}) + "\n")
    runs = world.rows("SELECT count(*) FROM runs")
    for arguments, words in (
        (("sync", "--save-plan", "x"), "saves what a dry run plans"),
        (("sync", "--plan", str(file), "--dry-run"), "forbids that"),
        (("sync", "--plan", str(file), "--full"), "made with: --full"),
        (("initial-import", "--yes", "--plan", str(file), "--limit", "3"), "made with: --limit"),
        (("initial-import", "--yes", "--plan", str(file)), "not of `initial-import`"),
        (("sync", "--plan", str(damaged)), "changed or damaged"),
        (("sync", "--plan", str(foreign)), "another state file"),
        (("sync", "--plan", str(world.env_file)), "not a saved plan"),
        (("sync", "--plan", "nowhere"), "can't be read"),
        (("sync", "--dry-run", "--save-plan", "no/where"), "can't be written"),
    ):
        ended = world.run(*arguments, "--json")
        assert (ended.exit_code, ended.json["error"]["kind"]) == (2, "usage"), arguments
        assert words in ended.json["error"]["message"], arguments
        assert world.journal.count() == 0
    assert world.rows("SELECT count(*) FROM runs") == runs


def test_a_dry_run_that_fails_leaves_an_older_plan_alone(paired: World) -> None:
    world = paired
    file = save(world, "sync")
    before = file.read_bytes()
    world.arm("refuse_before", "crm:person/find", times=None)
    assert world.run("sync", "--dry-run", "--save-plan", str(file)).exit_code == 3
    assert file.read_bytes() == before
    assert [each.name for each in world.folder.iterdir() if ".part" in each.name] == []
