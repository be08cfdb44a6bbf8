"""Quotes and invoices against the sandbox: posted once, with the right customer, or put aside with a reason."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from persiantools.jdatetime import JalaliDate

from tests.environment import FISCAL_YEAR, SINCE
from tests.patience import wait_for
from tests.world import Maker, World, finish

EVE = JalaliDate(FISCAL_YEAR, 1, 1).to_gregorian() - timedelta(days=1)


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    world = make_template(customers=3, also_in_crm=3).set(**SINCE).imported()
    world.json("sync")
    return world


@pytest.fixture
def world(make_world: Maker, template: World) -> World:
    world = make_world().set(**SINCE)
    return world.twin_of(template)


def customer(world: World) -> str:
    return next(iter(world.crm.records))


def row(code: str = "Product-1", count: str = "2", price: str = "100000", **more: Any) -> dict[str, Any]:
    return {"productCode": code, "count": Decimal(count), "baseUnitPrice": Decimal(price), **more}


def quote(world: World, *rows: dict[str, Any], number: str = "100-1405/1", **more: Any) -> str:
    who = more.pop("identityId", None) or customer(world)
    return world.crm.add_quote(who, list(rows or (row(),)), number=number, **{"crmObjectTypeCode": "PI_5", **more})


def invoice(world: World, *rows: dict[str, Any], number: str = "100-1405/2", **more: Any) -> str:
    who = more.pop("identityId", None) or customer(world)
    return world.crm.add_invoice(who, list(rows or (row(),)), number=number, **more)


def told(document: dict[str, Any]) -> list[tuple[str, str | None]]:
    assert document["invoices"]["seen"] == sum(v for k, v in document["invoices"].items() if k != "seen")
    return [(each["action"], each["reason"]) for each in document["changes"] if each["entity"] == "invoice"]


def review(world: World, reason: str) -> dict[str, Any]:
    (item,) = [item for item in world.json("review")["items"] if item["reason"] == reason]
    return dict(item)


# --- posted ------------------------------------------------------------------------------------------------


def test_every_document_is_posted_if_only_one_request_goes_out_at_a_time(world: World) -> None:
    for number in range(3):
        quote(world, number=f"100-1405/{number + 1}")
    assert told(world.json("sync", env={"CONCURRENCY": "1"})) == [("create", None)] * 3
    assert len(world.finance.preinvoices) == 3


def test_a_numbered_quote_is_posted_once_as_the_contract_says(world: World) -> None:
    quote(
        world,
        row(count="1.5000", price="5720000.00", totalDiscount=Decimal("80000.00")),
        description="برای آزمون | دوم",
    )
    document = world.json("sync")
    assert told(document) == [("create", None)]
    (posted,) = world.finance.preinvoices
    assert document["changes"][-1]["finance_code"] == str(posted.number)
    assert posted.customer == world.code_of(customer(world))
    assert (posted.fields["codesalemodel"], posted.fields["codemarkazforush"], posted.fields["salmali"]) == (
        "5",
        "5",
        str(FISCAL_YEAR),
    )
    assert posted.fields["tozihat"] == "برای آزمون / دوم [CRM PI_5 100-1405/1]"
    (cells,) = posted.rows
    assert (cells["qty"], cells["price"], cells["mabtakhfif"], cells["codekala"]) == (
        Decimal("1.5"),
        Decimal(5720000),
        Decimal(80000),
        "Product-1",
    )
    assert posted.net == Decimal("8500000")
    assert told(world.json("sync")) == told(world.json("sync", "--full")) == []
    assert len(world.finance.preinvoices) == 1


def test_a_net_with_tax_is_in_order_and_another_net_is_posted_and_reviewed(world: World) -> None:
    quote(world, row(totalVat=Decimal("20000")), number="100-1405/1")
    world.finance.reports_tax_in_net = True
    world.json("sync")
    assert world.json("review")["items"] == []
    world.finance.tax_percent = 25
    quote(world, row(totalVat=Decimal("20000")), number="100-1405/7")
    document = world.json("sync", exit_code=1)
    assert told(document) == [("create", None)]
    assert review(world, "net_differs")["finance_code"] == str(world.finance.preinvoices[-1].number)


def test_rows_that_a_list_leaves_out_are_fetched(world: World) -> None:
    world.crm.details_in_find = "null"
    quote(world)
    assert told(world.json("sync")) == [("create", None)]
    assert world.journal.count("crm", "quote/sales/get") == 1


def test_a_waiting_document_is_left_alone_by_a_run_for_customers_only(world: World) -> None:
    world.finance.products = {"none"}
    quote(world)
    world.json("sync", exit_code=1)
    world.finance.products = None
    assert world.json("sync", "--only", "customers")["invoices"]["seen"] == 0
    assert world.json("sync", env={"SYNC_QUOTES": "false"})["invoices"]["seen"] == 0
    assert world.finance.preinvoices == []
    assert told(world.json("sync")) == [("create", None)]


def test_settings_choose_the_sources_the_states_and_the_start(world: World) -> None:
    quote(world, number="")
    invoice(world)
    assert told(world.json("sync", "--only", "customers")) == []
    nothing = world.json("sync", env={"SYNC_QUOTES": "false", "SYNC_INVOICES": "false"})
    assert nothing["invoices"]["seen"] == 0
    assert told(world.json("sync", "--dry-run", env={"INVOICES_SINCE": "2100-01-01"})) == [
        ("skip", "not_numbered"),
        ("skip", "before_start"),
    ]
    assert sorted(told(world.json("sync", "--only", "invoices", env={"INVOICE_STATES": "any"}))) == [
        ("create", None),
        ("create", None),
    ]
    assert len(world.finance.preinvoices) == 2


def test_what_was_there_before_the_first_import_is_not_posted(make_world: Maker) -> None:
    world = make_world(customers=2, also_in_crm=2)
    old = quote(world, creatDate="2020-01-01T10:00:00")
    world.imported()
    assert told(world.json("sync")) == [("skip", "before_start")]
    assert "before_start" in world.run("status").stdout
    new = quote(world, number="100-1405/9")
    assert [c["crm_id"] for c in world.json("sync")["changes"]] == [new]
    assert old != new


# --- once --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["quote first", "invoice first", "at once", "two invoices"])
def test_a_quote_and_its_invoices_count_as_one(world: World, order: str) -> None:
    its_quote = quote(world, number="" if order == "invoice first" else "100-1405/1")
    if order == "quote first":
        world.json("sync")
    invoice(world, relatedQuoteId=its_quote)
    if order == "two invoices":
        invoice(world, relatedQuoteId=its_quote, number="100-1405/3")
    if order == "invoice first":
        world.json("sync")
        world.crm.edit(its_quote, number="100-1405/1")
    document = world.json("sync", exit_code=1 if order == "two invoices" else 0)
    assert ("link", "same_as_invoice" if order == "invoice first" else "same_as_quote") in told(document)
    assert (("review", "quote_posted_already") in told(document)) is (order == "two invoices")
    world.json("sync", "--full")
    assert len(world.finance.preinvoices) == 1


@pytest.mark.parametrize("order", ["quote first", "invoice first", "both at once", "in doubt"])
def test_where_the_crm_names_no_quote_a_person_is_asked_about_what_sells_the_same(world: World, order: str) -> None:
    world.crm.names_quote = False
    its_quote = quote(world, number="" if order == "invoice first" else "100-1405/1")
    if order == "in doubt":
        world.arm("reset_after", "finance:SaveFormData/preinvoice")
    if order in ("quote first", "in doubt"):
        world.run("sync")
    of_it = invoice(world, relatedQuoteId=its_quote)
    if order == "invoice first":
        world.json("sync")
        world.crm.edit(its_quote, number="100-1405/1")
    done = world.run("sync", "--json").json
    if order == "in doubt":
        assert world.json("waiting")["items"][0]["reason"] == "quote_in_doubt"
    else:
        assert ("review", "same_document") in told(done)
        item = review(world, "same_document")
        assert item["crm_id"] == (its_quote if order == "invoice first" else of_it)
        world.json("review", "resolve", str(item["id"]), "--discard")
    world.run("sync", "--full")
    assert len(world.finance.preinvoices) == 1


def test_where_the_crm_names_no_quote_what_sells_something_else_is_posted(world: World) -> None:
    world.crm.names_quote = False
    quote(world)
    world.json("sync")
    invoice(world, row(count="7"))
    world.json("sync")
    assert len(world.finance.preinvoices) == 2


@pytest.mark.parametrize("way", ["--discard", "--retry"])
def test_what_was_deleted_and_entered_again_is_asked_about(world: World, way: str) -> None:
    old = quote(world)
    world.json("sync")
    world.crm.delete(old)
    again = quote(world)
    related = invoice(world, relatedQuoteId=again)
    others = [
        quote(world, row(price="7")),
        invoice(world, number="100-1405/1"),
        quote(world, identityId=list(world.crm.records)[1]),
    ]
    assert {c["crm_id"]: c["action"] for c in world.json("sync", "--dry-run")["changes"]}[again] == "review"
    document = world.json("sync", exit_code=1)
    assert {c["crm_id"]: (c["action"], c["reason"]) for c in document["changes"]} == {
        again: ("review", "same_document"),
        **dict.fromkeys(others, ("create", None)),
    }
    assert [(f["crm_id"], f["reason"]) for f in document["failures"]] == [(related, "quote_in_doubt")]
    item = review(world, "same_document")
    assert f"pre-invoice {world.finance.preinvoices[0].number}," in item["message"]
    assert item["ways_out"] == ["retry", "discard"]
    assert world.run("review", "resolve", str(item["id"]), way).exit_code == 0
    made = [("create", None)] if way == "--retry" else []
    assert told(world.json("sync")) == [*made, ("link", "same_as_quote")]
    assert len(world.finance.preinvoices) == 4 + len(made)


def test_a_document_that_the_crm_holds_twice_is_posted_once(world: World) -> None:
    first, second = quote(world, creatDate=None), quote(world)
    unnumbered = [quote(world, number=""), quote(world, number="")]
    document = world.json("sync", exit_code=1, env={"INVOICE_STATES": "any"})
    found = {c["crm_id"]: (c["action"], c["reason"]) for c in document["changes"]}
    assert sorted(found.pop(crm_id) for crm_id in (first, second)) == [("create", None), ("review", "same_document")]
    assert found == dict.fromkeys(unnumbered, ("create", None))


def test_a_second_copy_waits_while_the_first_is_in_doubt(world: World) -> None:
    old = quote(world)
    world.arm("close_after", "finance:SaveFormData/preinvoice")
    world.json("sync", exit_code=1)
    world.crm.delete(old)
    quote(world)
    assert [f["reason"] for f in world.json("sync", exit_code=1)["failures"]] == ["quote_in_doubt"]
    item, number = review(world, "unknown_outcome"), str(world.finance.preinvoices[0].number)
    assert world.run("review", "resolve", str(item["id"]), "--posted", number).exit_code == 0
    assert told(world.json("sync", exit_code=1)) == [("review", "same_document")]


def test_the_customer_goes_first_in_the_same_run(world: World) -> None:
    new = world.crm.add_person(nickName="تازه وارد", customerNumber="7000")
    invoice(world, identityId=new)
    document = world.json("sync", "--only", "invoices")
    assert [c["entity"] for c in document["changes"]] == ["customer", "invoice"]
    assert world.finance.preinvoices[0].customer == world.code_of(new)


def test_a_customer_without_a_number_is_waited_for(world: World) -> None:
    new = world.crm.add_person(nickName="بی شماره", customerNumber="")
    invoice(world, identityId=new)
    document = world.json("sync", exit_code=1)
    assert document["failures"][0]["reason"] == "customer_without_number"
    assert "بی شماره" in document["failures"][0]["message"]
    assert world.json("status")["pending"] == 1
    assert world.json("sync")["requests"] == {"crm": 5, "finance": 1}  # it costs nothing to wait
    world.crm.edit(new, customerNumber="7001")
    assert told(world.json("sync")) == [("create", None)]
    assert world.json("status")["pending"] == 0


def test_documents_of_another_companys_customer_are_passed_over_as_he_is(make_world: Maker) -> None:
    world = make_world(customers=1).set(CUSTOMER_NUMBER_PREFIX="100-", **SINCE).imported()
    foreign = world.crm.add_person(nickName="شرکت دیگر", customerNumber="200-7001")
    crm_id = quote(world, identityId=foreign)
    first = world.json("sync")
    assert told(first) == [("skip", "foreign_number")]
    assert "200-7001" in world.run("explain", "200-7001").stdout
    for _ in range(2):
        assert world.json("sync", "--full")["run"]["outcome"] == "ok"
    status = world.json("status")
    assert (status["pending"], status["failed"], status["review"]) == (0, 0, 0)
    (line,) = world.json("report", "invoices")["documents"]
    assert (line["state"], line["reason"]) == ("skipped", "foreign_number")
    world.crm.edit(foreign, customerNumber="100-7001")
    assert [c["crm_id"] for c in world.json("sync")["changes"] if c["action"] == "create"] == [foreign, crm_id]


def test_a_customer_in_review_is_waited_for(world: World) -> None:
    code = world.finance.add_contact(Name="کسی دیگر", MobileNo="09120000001")
    stranger = world.crm.add_person(nickName="غریبه", customerNumber=str(code))
    invoice(world, identityId=stranger)
    document = world.json("sync", exit_code=1)
    assert document["failures"][0]["reason"] == "customer_in_review"
    item = review(world, "stranger")
    world.run("review", "resolve", str(item["id"]), "--link", str(code))
    assert told(world.json("sync")) == [("create", None)]
    assert world.finance.preinvoices[0].customer == code


def test_after_the_loss_of_the_state_file_nothing_is_posted_twice(world: World) -> None:
    old = quote(world)
    world.json("sync")
    world.state_file.unlink()
    world.imported()
    new = quote(world, number="100-1405/8")
    document = world.json("sync", exit_code=1)
    assert {c["crm_id"]: (c["action"], c["reason"]) for c in document["changes"] if c["entity"] == "invoice"} == {
        old: ("review", "may_be_posted"),
        new: ("create", None),
    }
    item = review(world, "may_be_posted")
    assert "[CRM PI_5 100-1405/1]" in item["message"]
    number = str(world.finance.preinvoices[0].number)
    assert world.run("review", "resolve", str(item["id"]), "--posted", number).exit_code == 0
    assert told(world.json("sync", "--full")) == []
    assert len(world.finance.preinvoices) == 2


def test_after_the_loss_a_document_that_a_wrong_clock_has_dated_ahead_is_asked_about(world: World) -> None:
    """By its date it is younger than the new state file, though it was posted before that."""
    world.crm.date_header = True
    world.crm.clock_offset = 7200
    quote(world)
    world.json("sync")
    world.crm.clock_offset = 0
    world.state_file.unlink()
    world.imported()
    assert told(world.json("sync", exit_code=1)) == [("review", "may_be_posted")]
    assert len(world.finance.preinvoices) == 1


@pytest.mark.parametrize("fate", ["stays", "loses its number", "is deleted"])
def test_after_the_loss_an_invoice_made_from_an_older_quote_is_asked_about(world: World, fate: str) -> None:
    """However young it is: its quote may stand in Siagh already, and counts as one with it."""
    old = quote(world)
    world.json("sync")
    world.state_file.unlink()
    world.imported()
    made = invoice(world, relatedQuoteId=old)
    young = quote(world, number="100-1405/8")
    invoice(world, number="100-1405/9", relatedQuoteId=young)
    if fate == "is deleted":
        world.crm.delete(old)
    elif fate == "loses its number":
        world.crm.edit(old, number="")
    document = world.json("sync", exit_code=1)
    became = {c["crm_id"]: (c["action"], c["reason"]) for c in document["changes"] if c["entity"] == "invoice"}
    assert became[made] == ("review", "may_be_posted")
    assert became[young] == ("create", None)
    assert len(world.finance.preinvoices) == 2
    (item,) = [item for item in world.json("review")["items"] if item["crm_id"] == made]
    number = str(world.finance.preinvoices[0].number)
    assert world.run("review", "resolve", str(item["id"]), "--posted", number).exit_code == 0
    world.run("sync", "--full")
    assert len(world.finance.preinvoices) == 2


def test_a_quote_whose_age_can_not_be_read_is_no_question_but_another_try(world: World) -> None:
    world.json("sync")
    world.state_file.unlink()
    world.imported()
    young = quote(world, number="")
    made = invoice(world, relatedQuoteId=young)
    world.arm("html", "crm:quote/sales/get", times=None)
    document = world.json("sync", exit_code=1)
    assert [(f["crm_id"], f["reason"]) for f in document["failures"]] == [(made, "bad_record")]
    assert world.finance.preinvoices == []
    world.sandbox.faults.clear()
    assert ("create", None) in told(world.json("sync"))
    assert len(world.finance.preinvoices) == 1


def test_a_dry_run_after_a_kill_says_what_is_in_doubt(world: World) -> None:
    crm_id = quote(world)
    world.arm("hang_after", "finance:SaveFormData/preinvoice", seconds=60)
    process = world.start("sync")
    wait_for(lambda: world.journal.count("finance", "SaveFormData") == 1)
    process.kill()
    finish(process)
    world.sandbox.faults.clear()
    for _ in range(2):
        assert told(world.json("sync", "--dry-run")) == [("review", "unknown_outcome")]
    world.run("sync")
    assert review(world, "unknown_outcome")["crm_id"] == crm_id
    assert len(world.finance.preinvoices) == 1


def test_an_emptied_state_file_is_a_lost_one(world: World) -> None:
    quote(world)
    world.json("sync")
    world.state_file.write_bytes(b"")
    for ending in ("-wal", "-shm"):
        world.state_file.with_name(f"{world.state_file.name}{ending}").unlink(missing_ok=True)
    world.imported()
    assert told(world.json("sync", exit_code=1)) == [("review", "may_be_posted")]


def test_the_loss_is_known_also_after_a_kill_before_it_could_be_noted(world: World) -> None:
    quote(world)
    world.json("sync")
    world.state_file.unlink()
    trap = world.folder / "trap"
    trap.mkdir()
    lines = (
        "import os",
        "from siaghsync.state.database import State",
        "State.set_meta = lambda *_: os.kill(os.getpid(), 9)",
    )
    (trap / "sitecustomize.py").write_text("\n".join(lines), "utf-8")
    path = os.pathsep.join(filter(None, (str(trap), os.environ.get("PYTHONPATH"))))
    assert world.run("initial-import", "--yes", env={"PYTHONPATH": path}).exit_code == -signal.SIGKILL
    assert world.state_file.exists()
    world.imported()
    assert told(world.json("sync", exit_code=1)) == [("review", "may_be_posted")]


def test_what_was_not_posted_before_the_loss_is_posted_when_a_person_has_looked(world: World) -> None:
    world.json("sync")
    quote(world)
    world.state_file.unlink()
    world.imported()
    world.json("sync", exit_code=1)
    item = review(world, "may_be_posted")
    assert world.run("review", "resolve", str(item["id"]), "--retry").exit_code == 0
    assert told(world.json("sync")) == [("create", None)]
    assert told(world.json("sync", "--full")) == []


@pytest.mark.parametrize("of_the_crm", [0, 5400])
def test_a_copy_that_was_put_back_asks_about_what_may_have_been_posted_after_it(world: World, of_the_crm: int) -> None:
    world.crm.clock_offset = of_the_crm
    waits = quote(world, number="100-1405/1", identityId=world.crm.add_person(nickName="بی شماره"))
    world.run("sync")
    assert world.run("backup", "copy.db").exit_code == 0
    a_little_earlier = (world.crm.now() - timedelta(seconds=30)).replace(tzinfo=None).isoformat(timespec="seconds")
    after = quote(world, number="100-1405/2", creatDate=a_little_earlier)
    assert told(world.json("sync")) == [("create", None)]
    world.state_file.write_bytes((world.folder / "copy.db").read_bytes())
    for ending in ("-wal", "-shm"):
        world.state_file.with_name(f"{world.state_file.name}{ending}").unlink(missing_ok=True)
    assert told(world.json("sync", "--dry-run")) == [("review", "may_be_posted")]
    assert told(world.json("sync", exit_code=1)) == [("review", "may_be_posted")]
    assert review(world, "may_be_posted")["crm_id"] == after
    new = quote(world, number="100-1405/3")
    assert told(world.json("sync")) == [("create", None)]
    world.crm.edit(world.crm.documents[waits]["identityId"], customerNumber="7001")
    assert ("review", "may_be_posted") in told(world.json("sync", exit_code=1))
    assert {p.fields["tozihat"] for p in world.finance.preinvoices} == {
        "[CRM PI_5 100-1405/2]",
        "[CRM PI_5 100-1405/3]",
    }
    assert len(world.finance.preinvoices) == 2
    assert new in world.crm.documents


# --- put aside ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "more", "reason"),
    [
        ([], {"details": []}, "no_rows"),
        ([row("")], {}, "row_without_product"),
        ([row(count="0")], {}, "row_count_not_positive"),
        ([row(returnedCount=Decimal(1))], {}, "row_returned"),
        ([row()], {"discount": Decimal("5")}, "discount_differs"),
        ([row()], {"totalValue": Decimal("199998")}, "total_differs"),
        ([row()], {"quoteDate": f"{EVE}T23:59:00"}, "fiscal_year"),
    ],
)
def test_what_a_person_must_look_at_is_not_posted(
    world: World, rows: list[dict[str, Any]], more: dict[str, Any], reason: str
) -> None:
    details = more.pop("details", rows)
    world.crm.add_quote(customer(world), details, number="100-1405/1", **more)
    document = world.json("sync", exit_code=1)
    assert told(document) == [("review", reason)]
    assert world.json("sync")["invoices"]["seen"] == 0  # told once, not every five minutes
    assert world.finance.preinvoices == []


def test_a_change_after_posting_is_shown_and_can_be_accepted(world: World) -> None:
    crm_id = quote(world)
    world.json("sync")
    world.crm.edit(crm_id, details=[row(count="3")])
    document = world.json("sync", exit_code=1)
    assert document["changes"][0]["fields"] == {"net": ["200000", "300000"], "rows.1.quantity": ["2", "3"]}
    item = review(world, "changed_after_posting")
    assert world.run("review", "resolve", str(item["id"]), "--discard").exit_code == 0
    assert told(world.json("sync", "--full")) == [("skip", "discarded")]
    assert len(world.finance.preinvoices) == 1


def test_what_is_given_back_after_posting_is_asked_about(world: World) -> None:
    crm_id = quote(world)
    world.json("sync")
    world.crm.edit(crm_id, details=[row(returnedCount=Decimal(1))])
    world.json("sync", exit_code=1)
    assert "row 1, returned count: 0 -> 1" in review(world, "changed_after_posting")["message"]


def test_names_of_products_and_units_in_another_spelling_are_no_change(world: World) -> None:
    crm_id = quote(world, row(productName="ميز كوچك", productUnitTypeName="كيلو"))
    world.json("sync")
    world.crm.edit(crm_id, details=[row(productName="میز کوچک", productUnitTypeName="کیلو")])
    assert world.json("sync")["invoices"]["unchanged"] == 1


def as_an_older_version_stored_it(world: World) -> None:
    """Takes out of the state file what an older version did not remember of documents, and its checksums."""
    with closing(sqlite3.connect(world.state_file)) as db, db:
        for table, column in (("posted_documents", "snapshot"), ("reviews", "details")):
            for place, text in db.execute(f"SELECT rowid, {column} FROM {table}").fetchall():
                less = re.sub(r', "(returned|vat|toll|total_value|final_value)": ("[^"]*"|null)(?=[^{]*})', "", text)
                db.execute(f"UPDATE {table} SET {column} = ?, checksum = 'older' WHERE rowid = ?", (less, place))


def test_after_an_upgrade_nothing_is_asked_about_what_did_not_change(world: World) -> None:
    quote(world, row(totalVat=Decimal(9000)))
    answered = quote(world, number="100-1405/2")
    world.json("sync")
    world.crm.edit(answered, details=[row(count="3")])
    world.json("sync", exit_code=1)
    item = review(world, "changed_after_posting")
    assert world.run("review", "resolve", str(item["id"]), "--discard").exit_code == 0
    as_an_older_version_stored_it(world)
    assert told(world.json("sync", "--full")) == [("skip", "discarded")]
    world.crm.edit(answered, details=[row(count="4")])
    assert told(world.json("sync", exit_code=1)) == [("review", "changed_after_posting")]


def test_sums_of_rows_in_whole_rials_add_up(world: World) -> None:
    rows = [
        row(count="0.5", price=price, totalUnitPrice=Decimal(whole))
        for price, whole in (("1.2", "1"), ("3.2", "2"), ("5.2", "3"))
    ]
    quote(world, *rows, totalValue=Decimal(6), finalValue=Decimal(6))
    quote(world, *rows, number="100-1405/2", totalValue=Decimal(7), finalValue=Decimal(7))
    assert sorted(told(world.json("sync", exit_code=1))) == [("create", None), ("review", "total_differs")]


def test_what_is_withdrawn_or_deleted_after_posting_is_reviewed(world: World) -> None:
    withdrawn, deleted = quote(world), quote(world, number="100-1405/5")
    world.json("sync")
    world.crm.edit(withdrawn, number="")
    world.crm.delete(deleted)
    reasons = told(world.json("sync", "--full", exit_code=1))
    assert sorted(reasons) == [("review", "deleted_after_posting"), ("review", "withdrawn_after_posting")]


def test_a_refusal_is_told_in_siaghs_words_and_reviewed_after_the_usual_tries(world: World) -> None:
    world.finance.products = {"Product-1"}
    wrong = quote(world, row("Product-9"))
    right = quote(world, number="100-1405/4")
    first = world.json("sync", exit_code=1)
    assert [f["crm_id"] for f in first["failures"]] == [wrong]
    assert "کد کالای ردیف 1" in first["failures"][0]["message"]
    assert [c["crm_id"] for c in first["changes"]] == [right]
    world.json("sync", exit_code=1)
    item = review(world, "refused")
    world.finance.products = None
    assert world.run("review", "resolve", str(item["id"]), "--retry").exit_code == 0
    assert told(world.json("sync")) == [("create", None)]
    assert len(world.finance.preinvoices) == 2


@pytest.mark.parametrize(("switch", "position"), [("dashed_suid", "demand"), ("text_cells", "refuse")])
def test_a_siagh_that_wants_the_form_otherwise_gets_nothing_until_it_takes_it(
    world: World, switch: str, position: str
) -> None:
    documents = {quote(world), invoice(world, row("Product-2"))}
    usual = getattr(world.finance, switch)
    setattr(world.finance, switch, position)
    for _ in range(3):
        world.run("sync")
    assert not world.finance.preinvoices
    items = world.json("review")["items"]
    assert {(each["crm_id"], each["reason"]) for each in items} == {(crm_id, "refused") for crm_id in documents}
    assert all("درست وارد نشده است" in each["message"] for each in items)
    setattr(world.finance, switch, usual)
    for item in items:
        world.json("review", "resolve", str(item["id"]), "--retry")
    assert told(world.json("sync")) == [("create", None)] * 2
    assert len(world.finance.preinvoices) == 2
    assert told(world.json("sync", "--full")) == []


# --- in doubt ----------------------------------------------------------------------------------------------

DOUBTS = ["reset_before", "reset_after", "close_after", "cut", "status_after", "html"]


@pytest.mark.parametrize("fault", DOUBTS)
def test_an_outcome_in_doubt_goes_to_review_and_is_never_repeated(world: World, fault: str) -> None:
    crm_id = quote(world)
    related = invoice(world, relatedQuoteId=crm_id)
    world.arm(fault, "finance:SaveFormData/preinvoice", status=502 if fault == "status_after" else None)
    document = world.json("sync", exit_code=1)
    assert {f["crm_id"]: f["reason"] for f in document["failures"]} == {
        crm_id: "unknown_outcome",
        related: "quote_in_doubt",
    }
    sent = world.journal.count("finance", "SaveFormData/preinvoice")
    assert sent == 1
    item = review(world, "unknown_outcome")
    assert item["ways_out"] == ["posted", "retry", "discard"]
    assert "[CRM PI_5 100-1405/1]" in item["message"]
    assert "200,000" in item["message"]
    world.json("sync", "--full", exit_code=1)
    assert world.journal.count("finance", "SaveFormData/preinvoice") == 0
    arrived = len(world.finance.preinvoices)
    decision = ("--posted", str(world.finance.preinvoices[0].number)) if arrived else ("--retry",)
    assert world.run("review", "resolve", str(item["id"]), *decision).exit_code == 0
    assert ("link", "same_as_quote") in told(world.json("sync"))
    assert len(world.finance.preinvoices) == 1


def test_a_script_error_is_in_doubt_too(world: World) -> None:
    quote(world)
    words = "RUNTIME ERROR\\nField 'Code' not found when evaluating instruction"
    body = ('{"Errors": [{"Description": "' + words + '", "ErrorCode": -1}], "ReturnValue": false}').encode()
    world.arm("json", "finance:SaveFormData/preinvoice", body=body)
    world.json("sync", exit_code=1)
    assert "RUNTIME ERROR" in review(world, "unknown_outcome")["message"]


def test_what_a_person_discards_is_never_posted_without_being_asked_again(world: World) -> None:
    crm_id = quote(world)
    world.arm("reset_before", "finance:SaveFormData/preinvoice")
    world.json("sync", exit_code=1)
    item = review(world, "unknown_outcome")
    assert world.run("review", "resolve", str(item["id"]), "--discard").exit_code == 0
    world.json("sync", "--full")
    world.crm.edit(crm_id, details=[row(count="5")], totalValue=None, finalValue=None)
    assert told(world.json("sync", exit_code=1)) == [("review", "changed_after_discard")]
    assert world.finance.preinvoices == []


def test_the_brake_counts_documents(world: World) -> None:
    quote(world)
    invoice(world)
    ended = world.run("sync", env={"MAX_CREATES_PER_RUN": "1"})
    assert ended.exit_code == 1
    assert "MAX_CREATES_PER_RUN" in ended.stderr
    assert world.finance.preinvoices == []
    assert world.json("sync", "--force", env={"MAX_CREATES_PER_RUN": "1"})["invoices"]["created"] == 2


def test_a_script_error_is_one_question_for_all_documents_of_its_type(world: World) -> None:
    world.set(**SINCE)
    crm_id = next(iter(world.crm.records))
    row = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}
    for number in range(1, 6):
        world.crm.add_quote(crm_id, [row], number=f"100-1405/{number}", crmObjectTypeCode="PI_5")
    world.finance.script_errors = {"always"}
    world.json("sync", exit_code=1)
    assert world.journal.count("finance", "SaveFormData") == 1
    (item,) = world.json("review")["items"]
    assert item["reason"] == "unknown_outcome"
    assert [each["reason"] for each in world.json("waiting")["items"]] == ["type_stopped"] * 4
    world.json("sync")  # what waits is neither sent nor told again
    assert world.journal.count("finance", "SaveFormData") == 0
    world.finance.script_errors = set()
    world.json("review", "resolve", str(item["id"]), "--retry")
    assert world.json("sync")["invoices"]["created"] == 5
    assert world.json("review")["items"] == []


def test_what_a_script_error_saved_nevertheless_is_not_posted_again(world: World) -> None:
    world.finance.script_errors, world.finance.script_error_saves = {"always"}, True
    quote(world)
    world.json("sync", exit_code=1)
    world.finance.script_errors = set()
    world.run("sync", "--full")
    (posted,) = world.finance.preinvoices
    item = review(world, "unknown_outcome")
    world.json("review", "resolve", str(item["id"]), "--posted", str(posted.number))
    assert told(world.json("sync", "--full")) == []
    assert len(world.finance.preinvoices) == 1


def test_a_jump_of_two_in_siaghs_numbers_is_told_as_a_suspicion(world: World) -> None:
    quote(world, number="100-1405/11")
    world.json("sync")
    assert world.json("status")["suspicions"] == []
    world.arm("repeat", "finance:SaveFormData/preinvoice", times=1)
    quote(world, number="100-1405/12")
    between = world.finance.preinvoices[-1].number + 1
    said = world.run("sync")
    assert said.exit_code == 0
    assert f"{between} came in between" in " ".join(said.stderr.split())
    assert str(between) in world.json("status")["suspicions"][0]
    quote(world, number="100-1405/13")
    assert "in between" not in world.run("sync").stderr
    assert world.json("status")["suspicions"] == []


def test_numbers_that_are_known_are_no_jump(world: World) -> None:
    for number in (31, 32):
        quote(world, number=f"100-1405/{number}")
    world.json("sync")
    world.arm("reset_after", "finance:SaveFormData/preinvoice", times=1)
    quote(world, number="100-1405/33")
    world.json("sync", exit_code=1)
    (item,) = world.json("review")["items"]
    world.json("review", "resolve", str(item["id"]), "--posted", str(world.finance.preinvoices[-1].number))
    quote(world, number="100-1405/34")
    world.json("sync")
    assert world.json("status")["suspicions"] == []
