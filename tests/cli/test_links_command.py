"""`links`: the table, the files, and links that end."""

from __future__ import annotations

import csv
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.environment import SINCE
from tests.world import Maker, World

CODE_A, CODE_B = "0012345679", "0499370899"
ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


@pytest.fixture
def world(make_world: Maker) -> World:
    return make_world(customers=2).set(**SINCE).imported()


def quote(world: World, crm_id: str, number: str = "100-1405/1") -> str:
    return world.crm.add_quote(crm_id, [ROW], number=number)


def table(world: World, text: str) -> str:
    file = world.folder / "links.csv"
    file.write_text(text, "utf-8")
    return str(file)


def read(path: Path) -> list[dict[str, Any]]:
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))


def reasons(document: dict[str, Any]) -> dict[int, str]:
    return {each["line"]: each["reason"] for each in document["left_out"]}


def test_the_links_as_json_and_as_a_table(world: World) -> None:
    first, second = world.json("links", "list")["links"]
    assert list(first) == ["crm_id", "finance_code", "kind", "customer_number", "name", "linked_by", "linked_at"]
    code = int(first["finance_code"])
    assert first["crm_id"] == world.crm_of(code)
    assert (first["name"], first["linked_by"]) == (world.finance.contacts[code]["Name"], "create")
    assert second["customer_number"] in world.run("links", "list").stdout


def test_an_exported_file_is_taken_over_into_a_new_state_file(world: World) -> None:
    file = world.folder / "out.csv"
    assert world.run("links", "export", str(file)).exit_code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = read(file)
    assert list(before[0]) == ["crm_id", "finance_code", "kind", "customer_number"]
    world.state_file.unlink()
    assert world.json("links", "import", str(file)) == {"links": 2, "documents": 0, "known": 0, "left_out": []}
    assert world.json("links", "import", str(file))["known"] == 2
    world.run("links", "export", str(file))
    assert read(file) == before
    assert {link["linked_by"] for link in world.json("links", "list")["links"]} == {"imported"}
    assert world.run("sync").exit_code == 2  # the import is still to be done
    assert world.json("initial-import", "--yes")["customers"]["unchanged"] == 2
    assert world.json("sync")["customers"]["created"] == 0


def test_an_export_never_replaces_a_file_of_the_program(world: World) -> None:
    before = world.state_file.read_bytes()
    assert world.run("links", "export", str(world.state_file)).exit_code == 2
    assert world.state_file.read_bytes() == before


def test_what_is_not_found_or_contradicts_is_left_out(world: World) -> None:
    linked = world.json("links", "list")["links"][0]
    free = world.finance.add_contact(Name="رضا", NationalCode=CODE_A)
    other = world.finance.add_contact(Name="آزاد")
    admin = world.finance.add_contact(Name="مدیر", IsAdminUser=True)
    crm = [world.crm.add_person(nickName=f"کس {n}", nationalCode=CODE_B) for n in range(3)]
    lines = [
        f"x;{free};{crm[0]}",  # contradicts
        f"x;{other};{linked['crm_id']}",
        f"x;99999;{crm[1]}",
        f"x;{admin};{crm[1]}",
        f"x;{other};no-such-id",
        f"x;;{crm[1]}",
        f"x;abc;{crm[1]}",
        f"x;{linked['finance_code']};{linked['crm_id'].upper()}",
    ]
    done = world.json("links", "import", table(world, "\n".join(["extra;Finance_Code;CRM_ID", *lines])), exit_code=1)
    assert (done["links"], done["known"]) == (0, 0)
    assert reasons(done) == {
        2: "contradicts", 3: "more_than_one", 4: "more_than_one", 5: "more_than_one", 6: "more_than_one", 7: "one_side_empty",
        8: "not_a_code", 9: "more_than_one",
    }  # fmt: skip
    for line, reason in ((1, "linked_otherwise"), (2, "not_in_finance"), (3, "not_in_finance"), (4, "not_in_crm")):
        done = world.json("links", "import", table(world, f"extra;finance_code;crm_id\n{lines[line]}"), exit_code=1)
        assert reasons(done) == {2: reason}
    done = world.json("links", "import", table(world, f"crm_id\tfinance_code\n{crm[2]}\t{other}"))
    assert done["links"] == 1
    known = table(world, f"finance_code,crm_id\n{linked['finance_code']},{linked['crm_id'].upper()}")
    assert world.json("links", "import", known)["known"] == 1
    assert world.code_of(crm[2]) == other


def test_the_table_of_the_earlier_synchroniser_marks_documents_as_posted(make_world: Maker) -> None:
    world = make_world().set(**SINCE)
    code = world.finance.add_contact(Name="رضا رضایی")
    customer = world.crm.add_person(nickName="رضا رضایی", customerNumber="7")
    posted, new = quote(world, customer), quote(world, customer, "100-1405/2")
    rows = [
        "id,entityType,crmId,financeId,createdAt",
        f"1,CUSTOMER,{customer},{code},x",
        f"2,PREINVOICE,{posted},2488,x",
        f"3,PREINVOICE,{posted[:-1]}x,2489,x",
        "4,CUSTOMER,,12,x",
        f"5,PRODUCT,{new},1,x",
    ]
    done = world.json("links", "import", table(world, "\n".join(rows)), exit_code=1)
    assert (done["links"], done["documents"]) == (1, 1)
    assert reasons(done) == {4: "unreadable", 5: "one_side_empty", 6: "other_kind"}
    world.imported()
    changes = world.json("sync")["changes"]
    assert [c["crm_id"] for c in changes if c["entity"] == "invoice"] == [new]
    assert world.json("sync", "--full")["invoices"]["created"] == 0
    assert [p.customer for p in world.finance.preinvoices] == [code]


def test_a_file_that_is_no_table_of_links_leaves_no_state_file(make_world: Maker) -> None:
    world = make_world()
    for text in ("crm_id,other\n1,2\n", "", "\x00"):
        assert world.json("links", "import", table(world, text), exit_code=2)["error"]["kind"] == "usage"
    assert world.run("links", "import", str(world.folder / "none.csv")).exit_code == 2
    assert not world.state_file.exists()


def test_a_link_that_is_removed_leaves_a_customer_to_the_usual_rules(world: World) -> None:
    link = world.json("links", "list")["links"][0]
    assert world.json("links", "remove", link["crm_id"]) == {"removed": link["crm_id"]}
    assert world.json("status")["mappings"]["customers"] == 1
    assert world.json("sync")["customers"]["linked"] == 1
    assert world.crm_of(int(link["finance_code"])) == link["crm_id"]
    assert world.run("links", "remove", "no-such-id").exit_code == 2


def test_after_an_older_finance_came_back_everything_can_be_made_anew(world: World) -> None:
    crm_id = world.crm.add_person(nickName="تازه وارد", customerNumber="9001")
    document = quote(world, crm_id)
    world.json("sync")
    code = world.code_of(crm_id)
    world.finance.delete(code)
    world.finance.preinvoices.clear()
    world.crm.edit(crm_id, email="a@example.com")
    world.json("sync", exit_code=1)
    (item,) = world.json("review")["items"]
    assert item["reason"] == "missing_in_finance"
    assert world.run("review", "resolve", str(item["id"]), "--recreate").exit_code == 0
    refused = world.json("links", "remove", document, exit_code=2)
    assert refused["error"]["kind"] == "usage"
    assert world.json("status")["mappings"]["invoices"] == 1
    world.json("links", "remove", document, "--yes")
    done = world.json("sync")
    assert (done["customers"]["created"], done["invoices"]["created"]) == (1, 1)
    assert [p.customer for p in world.finance.preinvoices] == [world.code_of(crm_id)]
    assert world.json("sync", "--full")["changes"] == []
    assert world.run("explain", "9001").exit_code == world.run("log").exit_code == 0


def test_a_quote_and_its_invoice_lose_their_pre_invoice_together(world: World) -> None:
    customer = world.json("links", "list")["links"][0]["crm_id"]
    first = quote(world, customer)
    second = world.crm.add_invoice(customer, [ROW], number="100-1405/2", relatedQuoteId=first)
    world.json("sync")
    assert len(world.finance.preinvoices) == 1
    world.finance.preinvoices.clear()
    world.json("links", "remove", second, "--yes")
    world.json("sync")
    world.json("sync", "--full")
    assert len(world.finance.preinvoices) == 1


def test_a_link_without_its_crm_record_is_told_once(world: World) -> None:
    link = world.json("links", "list")["links"][0]
    world.crm.delete(link["crm_id"])
    first = world.run("verify")
    assert first.exit_code == 1
    assert f"links remove {link['crm_id']}" in first.stdout
    later = world.json("verify")
    assert [pair["crm_id"] for pair in later["missing_in_crm"]] == [link["crm_id"]]
    world.json("links", "remove", link["crm_id"])
    assert world.json("verify")["missing_in_crm"] == []


def test_a_file_that_is_not_there_can_not_be_read(make_world: Maker) -> None:
    world = make_world(customers=1).imported()
    ended = world.run("links", "import", "nowhere.csv", "--json")
    assert ended.exit_code == 2
    assert "nowhere.csv can't be read" in ended.json["error"]["message"]
