"""Learned facts from end to end: they survive in the state file whoever learns them, and one that changes is told once and holds
documents where it bears on them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.test_customer_code import failures
from tests.engine.test_documents import quote, told
from tests.environment import SINCE
from tests.indoors import indoors
from tests.world import Maker, World

MESSAGE = (
    "What was learned of the systems is no longer so. Whom are pre-invoices booked on: the contact's own code, or its account "
    'party? Before: "party". Now: "contact".'
)
ANSWERS = 'preinvoice_customer = "SIAGHSYNC TEST"\nscript_error_saves_nothing = true\n'


@pytest.fixture
def world(make_world: Maker) -> World:
    """Contacts have account parties of other numbers than their codes, and a rehearsal has shown that those are booked on."""
    world = indoors(make_world(customers=3, also_in_crm=3)).set(**SINCE)
    world.finance.account_party, world.finance.customer_key = "other", "party"
    (world.folder / "answers.toml").write_text(ANSWERS, "utf-8")
    quote(world)
    rehearse(world)
    world.imported()
    world.json("sync")
    return world


def rehearse(world: World) -> dict[str, Any]:
    return by_question(world.json("rehearse", "--yes", "--answers", "answers.toml"))


def by_question(document: dict[str, Any]) -> dict[str, Any]:
    return {fact["question"]: fact for fact in document["facts"]}


def news(document: dict[str, Any]) -> list[str]:
    return [each["message"] for each in document["warnings"] if each["reason"] == "fact_changed"]


def agree_now(world: World) -> None:
    """Siagh was upgraded: from now on account parties are the codes themselves."""
    world.finance.account_party, world.finance.customer_key = "code", "contact"


def test_facts_survive_between_rehearse_sync_and_check_apis(world: World) -> None:
    rehearsed = rehearse(world)
    checked = by_question(world.json("check-apis"))
    assert {name: checked[name] for name in rehearsed} == rehearsed
    world.json("sync", "--full")
    again = world.json("check-apis")
    assert news(again) == []
    for name in (*rehearsed, "find_documents", "find_has_details"):
        assert (again_fact := by_question(again)[name])["answer"] == checked[name]["answer"] is not None
        assert again_fact["how"] == checked[name]["how"]
    posted = {p.fields["codemoshtari"] for p in world.finance.preinvoices if "[CRM" in p.fields["tozihat"]}
    assert len(posted) == 1, "what the rehearsal has found decides about documents"


def test_a_fact_of_documents_that_changes_is_told_once_by_check_apis_and_holds_them(world: World) -> None:
    agree_now(world)
    (message,) = news(world.json("check-apis"))
    assert 'Before: "party". Now: "contact".' in message
    assert news(world.json("check-apis")) == []
    quote(world, number="100-1405/7")
    assert failures(world.json("sync", exit_code=1)) == ["customer_code_undecided"]
    assert 'Now: "contact".' in " ".join(world.run("status").stdout.split())
    assert told(world.json("sync")) == []
    rehearse(world)
    assert told(world.json("sync")) == [("create", None)]
    assert world.run("status").exit_code == 0


def test_a_run_that_learns_it_tells_it_once_and_posts_nothing(world: World) -> None:
    agree_now(world)
    quote(world, number="100-1405/7")
    first, second = world.run("sync", "--full"), world.run("sync", "--full")
    assert ("no longer so" in first.stderr, "no longer so" in second.stderr) == (True, False)
    assert (first.exit_code, "100-1405/7" in str([p.fields for p in world.finance.preinvoices])) == (1, False)
    by_setting = world.json("sync", env={"PREINVOICE_CUSTOMER": "contact"})
    assert told(by_setting) == [("create", None)]


def test_what_a_quiet_run_learns_stays_in_status_until_somebody_was_told(world: World) -> None:
    agree_now(world)

    def in_status() -> bool:
        shown = " ".join(world.run("status").stdout.split())
        assert world.json("status")["changed_facts"] == ([] if "no longer so" not in shown else [MESSAGE])
        return MESSAGE in shown

    quiet = world.run("sync", "--full", "--quiet")
    assert (quiet.exit_code, quiet.text) == (0, "")
    assert world.run("sync", "--full", "--dry-run").exit_code == 0
    assert in_status()
    assert in_status(), "a monitor that looks every minute is nobody"
    assert MESSAGE in world.run("sync").stderr
    assert not in_status()
    assert MESSAGE not in world.run("sync").stderr


def test_a_quiet_run_that_fails_tells_what_earlier_ones_have_learned(world: World) -> None:
    agree_now(world)
    assert world.run("sync", "--full", "--quiet").text == ""
    quote(world, number="100-1405/7")
    assert MESSAGE in world.run("sync", "--quiet").stderr
    assert news(world.json("check-apis")) == []


@pytest.mark.parametrize("command", [("check-apis",), ("rehearse", "--yes", "--only", "contacts")])
def test_a_look_or_a_rehearsal_tells_what_quiet_runs_have_learned(world: World, command: tuple[str, ...]) -> None:
    agree_now(world)
    assert world.run("sync", "--full", "--quiet").text == ""
    assert MESSAGE in " ".join(world.run(*command).text.split())
    assert "no longer so" not in world.run(*command).text
    assert world.json("status")["changed_facts"] == []


def test_what_does_not_bear_on_documents_is_told_and_holds_nothing(world: World) -> None:
    world.json("check-apis")
    world.crm.find_empty_queries = "none"
    (message,) = news(world.json("check-apis"))
    assert 'Before: "all". Now: "none".' in message
    assert news(world.json("check-apis")) == []
    world.crm.find_empty_queries = "all"
    quote(world, number="100-1405/7")
    assert told(world.json("sync")) == [("create", None)]


@pytest.mark.parametrize(("later", "count"), [("numbered", 0), ("unnumbered", 1)])
def test_a_tally_that_grows_is_no_contradiction(world: World, later: str, count: int) -> None:
    def deep() -> list[str]:
        return news(world.json("check-apis", "--deep"))

    first = next(iter(world.crm.tables["quote"].records))
    kept, number = ("numbered", "") if later == "unnumbered" else ("unnumbered", "100-1405/1")
    world.crm.edit(first, number="" if kept == "unnumbered" else "100-1405/1")
    assert deep() == []
    quote(world, number="100-1405/8", billableObjectStateIndex=7)
    assert deep() == []
    world.crm.edit(first, number=number)
    assert (len(deep()), deep()) == (count, [])
    quote(world, number="100-1405/9")
    assert ("100-1405/9" in str(world.json("sync", exit_code=count)["failures"])) == bool(count)
    rehearse(world)
    world.json("sync")
    assert "100-1405/9" in str([p.fields for p in world.finance.preinvoices]), "a rehearsal settles every doubt"
