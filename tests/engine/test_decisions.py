"""What people decide about documents: during a run, with numbers that can't be right, and taken back."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.test_documents import customer, invoice, quote, review, row, template, told, world
from tests.patience import wait_for
from tests.world import World, finish, holding

__all__ = ["template", "world"]
"""The fixtures."""
SAVE = "finance:SaveFormData/preinvoice"


def resolve(world: World, item: dict[str, Any], *way: str, exit_code: int = 0) -> str:
    ended = world.run("review", "resolve", str(item["id"]), *way)
    assert ended.exit_code == exit_code, ended
    return ended.text


def reopen(world: World, item: dict[str, Any], exit_code: int = 0) -> str:
    ended = world.run("review", "reopen", str(item["id"]))
    assert ended.exit_code == exit_code, ended
    return ended.text


def in_doubt(world: World) -> dict[str, Any]:
    """The question about a quote that arrived without an answer, after another one that was posted."""
    quote(world, number="100-1405/9")
    world.json("sync")
    quote(world)
    world.arm("close_after", SAVE)
    world.json("sync", exit_code=1)
    return review(world, "unknown_outcome")


def changed(world: World) -> dict[str, Any]:
    crm_id = quote(world)
    world.json("sync")
    world.crm.edit(crm_id, details=[row(count="3")])
    world.json("sync", exit_code=1)
    return review(world, "changed_after_posting")


# --- what is shown -----------------------------------------------------------------------------------------


def test_a_review_of_a_document_says_which_one_and_whose(world: World) -> None:
    item = changed(world)
    number = str(world.finance.preinvoices[0].number)
    assert item["document"] == {"number": "100-1405/1", "type": "PI_5", "net": "300000", "finance_number": number}
    assert item["customer_name"] == world.crm.records[customer(world)]["nickName"]
    assert item["ways_out"] == ["corrected", "retry", "discard"]
    shown = world.run("review").stdout
    assert "300,000" in shown
    world.crm.delete(item["crm_id"])
    world.json("sync", "--full", exit_code=1)
    assert review(world, "deleted_after_posting")["document"]["finance_number"] == number


# --- during a run ------------------------------------------------------------------------------------------


def test_a_decision_during_a_run_is_stored_and_the_next_run_carries_it_out(world: World) -> None:
    item = in_doubt(world)
    with holding(world, "person/find"):
        run = world.start("sync")
        wait_for(lambda: world.rows("SELECT * FROM runs WHERE finished_at IS NULL"))
        wait_for(lambda: world.journal.count("crm", "login"))
        said = resolve(world, item, "--retry")
        assert "next run" in said
        found = world.json("review")
        status = world.json("status")
    assert found["items"] == []
    assert [(each["id"], each["way_out"]) for each in found["decided"]] == [(item["id"], "retry")]
    assert status["review"] == 0
    finish(run)
    assert told(world.json("sync")) == [("create", None)]
    assert world.json("review") == {"items": [], "decided": []}
    ((who, way),) = world.rows("SELECT actor, outcome FROM audit WHERE operation = 'resolve'")
    assert (bool(who), way) == (True, "retry")


def test_a_stored_decision_can_be_taken_back_and_does_not_answer_another_question(world: World) -> None:
    item = changed(world)
    world.crm.edit(item["crm_id"], details=[row(count="4")])
    with holding(world, "person/find"):
        run = world.start("sync")
        wait_for(lambda: world.rows("SELECT * FROM runs WHERE finished_at IS NULL"))
        wait_for(lambda: world.journal.count("crm", "login"))
        assert "next run" in resolve(world, item, "--discard")
        assert "taken back" in reopen(world, item)
        assert world.json("review")["decided"] == []
        resolve(world, item, "--discard")
        assert "no way" not in resolve(world, item, "--posted", "7", exit_code=2)
    finish(run)
    assert world.json("sync", exit_code=0)["invoices"]["review"] == 0
    assert review(world, "changed_after_posting")["document"]["net"] == "400000"
    assert world.json("review")["decided"] == []


# --- numbers -----------------------------------------------------------------------------------------------


def test_the_number_of_another_document_is_refused(world: World) -> None:
    item = in_doubt(world)
    taken, right = (str(posted.number) for posted in world.finance.preinvoices)
    assert "100-1405/9" in resolve(world, item, "--posted", taken, exit_code=2)
    assert "100-1405/9" in resolve(world, item, "--posted", taken, "--force", exit_code=2)
    assert "--force" in resolve(world, item, "--posted", "99999999", exit_code=2)
    assert review(world, "unknown_outcome") == item
    resolve(world, item, "--posted", right)
    assert world.json("sync", "--full")["run"]["outcome"] == "ok"


def test_a_far_number_is_taken_by_force_and_can_be_taken_back(world: World) -> None:
    item = in_doubt(world)
    resolve(world, item, "--posted", "99999999", "--force")
    assert told(world.json("sync", "--full")) == []
    reopen(world, item)
    assert review(world, "unknown_outcome") == item
    assert told(world.json("sync", "--full")) == [("review", "unknown_outcome")]
    resolve(world, item, "--posted", str(world.finance.preinvoices[1].number))


def test_a_quote_and_its_invoice_may_have_one_number(world: World) -> None:
    item = in_doubt(world)
    number = str(world.finance.preinvoices[1].number)
    invoice(world, relatedQuoteId=item["crm_id"])
    world.json("sync", exit_code=1)
    resolve(world, item, "--posted", number)
    assert told(world.json("sync")) == [("link", "same_as_quote")]
    assert "can't be taken back" in reopen(world, item, exit_code=2)


# --- corrected in Siagh ------------------------------------------------------------------------------------


def test_what_was_corrected_in_siagh_is_what_later_changes_are_compared_with(world: World) -> None:
    item = changed(world)
    resolve(world, item, "--corrected")
    assert told(world.json("sync", "--full")) == []
    world.crm.edit(item["crm_id"], details=[row(count="4")])
    assert world.json("sync", exit_code=1)["changes"][0]["fields"]["net"] == ["300000", "400000"]


def test_a_correction_can_be_taken_back(world: World) -> None:
    item = changed(world)
    before = world.rows("SELECT snapshot, net FROM posted_documents")
    resolve(world, item, "--corrected")
    assert world.rows("SELECT snapshot, net FROM posted_documents") != before
    reopen(world, item)
    assert world.rows("SELECT snapshot, net FROM posted_documents") == before
    assert told(world.json("sync", "--full")) == [("review", "changed_after_posting")]


def test_an_invoice_that_differs_from_its_quote_counts_as_posted_with_it_once_corrected(world: World) -> None:
    crm_id = quote(world)
    world.json("sync")
    other = invoice(world, row(count="3"), relatedQuoteId=crm_id)
    world.json("sync", exit_code=1)
    item = review(world, "differs_from_posted_quote")
    resolve(world, item, "--corrected")
    assert told(world.json("sync", "--full")) == []
    world.crm.edit(other, details=[row(count="4")])
    assert told(world.json("sync", exit_code=1)) == [("review", "changed_after_posting")]


# --- taken back --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["--retry", "--discard"])
def test_what_sent_nothing_can_be_taken_back(world: World, way: str) -> None:
    item = in_doubt(world)
    resolve(world, item, way)
    assert world.json("review")["items"] == []
    reopen(world, item)
    assert review(world, "unknown_outcome") == item
    world.json("sync", "--full")
    assert len(world.finance.preinvoices) == 2
    assert "nobody" in reopen(world, item, exit_code=2).lower()


def test_what_was_sent_can_not_be_taken_back(world: World) -> None:
    item = in_doubt(world)
    resolve(world, item, "--retry")
    world.json("sync")
    assert "can't be taken back" in reopen(world, item, exit_code=2)


def test_that_it_is_the_same_document_can_be_taken_back(world: World) -> None:
    old = quote(world)
    world.json("sync")
    world.crm.delete(old)
    quote(world)
    world.json("sync", exit_code=1)
    item = review(world, "same_document")
    resolve(world, item, "--discard")
    reopen(world, item)
    resolve(world, item, "--retry")
    assert told(world.json("sync")) == [("create", None)]


def test_a_link_can_be_taken_back_until_it_was_compared(world: World) -> None:
    crm_id = world.crm.add_person(nickName="تازه", customerNumber="24999")
    code = world.finance.add_contact(Name="کس دیگر", Code=24999)
    world.json("sync", exit_code=1)
    (item,) = world.json("review")["items"]
    resolve(world, item, "--link", str(code))
    assert world.code_of(crm_id) == code
    reopen(world, item)
    assert not world.rows("SELECT * FROM customer_mappings WHERE crm_id = ?", crm_id)
    resolve(world, item, "--link", str(code))
    world.json("sync")
    assert "can't be taken back" in reopen(world, item, exit_code=2)
