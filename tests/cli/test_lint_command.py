"""`lint` over the real command line: reads both systems, writes to none, and says the same in three forms."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import pytest

from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

COLUMNS = ["system", "record", "customer_number", "check", "value", "message"]


@pytest.fixture
def odd(make_world: Maker) -> Indoors:
    """A world with a few odd customers on both sides, and no state file."""
    world = indoors(make_world())
    world.finance.add_contact(Code=500, Name="علي رضايي", NationalCode="123", MobileNo="12", PostalCode="5")
    world.finance.add_contact(Code=501, Name="علی رضایی", Address="الف|ب")
    world.finance.add_contact(Code=502, Name="علی رضایی", IsActive=False, NationalCode="1")
    world.crm.add_person(nickName="=1+1", firstName="", lastName="", customerNumber="77")
    world.crm.add_person(nickName="همان شماره", firstName="", lastName="", customerNumber="77")
    world.crm.add_person(nickName="بی شماره", firstName="", lastName="", customerNumber="")
    world.crm.add_organization(nickName="شرکت", customerNumber="X-1", nationalCode="10380284790")
    world.crm.add_person(nickName={"odd": "shape"}, customerNumber="78")
    return world


def checks(document: dict[str, Any]) -> Counter[tuple[str, str]]:
    return Counter((finding["system"], finding["check"]) for finding in document["findings"])


def test_the_findings_as_json(odd: Indoors) -> None:
    document = odd.json("lint")
    assert set(document) == {"findings", "counts"}
    assert all(list(finding) == COLUMNS for finding in document["findings"])
    expected = {
        ("finance", "letter_forms"): 1, ("finance", "national_code"): 1, ("finance", "phone"): 1, ("finance", "postal_code"): 1,
        ("finance", "characters"): 1, ("finance", "same_name"): 2, ("crm", "number_twice"): 2, ("crm", "number_form"): 1,
        ("crm", "not_understood"): 1,
    }  # fmt: skip
    assert checks(document) == expected
    counted = {
        (system, check): count
        for system, found in document["counts"]["findings"].items()
        for check, count in found.items()
    }
    assert counted == expected
    assert document["counts"]["customers"] == {"crm": 4, "finance": 2}
    assert document["counts"]["without_number"] == 1
    ids = {finding["record"] for finding in document["findings"] if finding["system"] == "finance"}
    assert ids == {"500", "501"}


def test_inactive_contacts_count_if_they_are_imported(odd: Indoors) -> None:
    document = odd.json("lint", env={"IMPORT_INACTIVE": "true"})
    assert checks(document)["finance", "national_code"] == 2


def test_nothing_is_written_anywhere(odd: Indoors) -> None:
    contacts, records = odd.finance.snapshot(), dict(odd.crm.records)
    assert odd.run("lint").exit_code == 0
    assert (odd.finance.snapshot(), dict(odd.crm.records)) == (contacts, records)
    assert {entry.endpoint for entry in odd.journal.entries if "Save" in entry.path or "create" in entry.path} == set()
    assert [path.name for path in odd.folder.iterdir()] == [".env"]


def test_the_table_and_the_file(odd: Indoors) -> None:
    ended = odd.run("lint", "--csv", "found.csv")
    assert ended.exit_code == 0
    assert "2 customers of Siagh and 4 of the CRM: 11 findings" in ended.stdout
    assert "1 of the CRM have no customer number" in ended.stdout
    assert "number_twice" in ended.stdout
    raw = (odd.folder / "found.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(raw.decode("utf-8-sig").splitlines()))
    assert rows[0] == COLUMNS
    assert len(rows) == 12
    assert {len(row) for row in rows} == {6}


def test_long_lists_are_folded_and_spreadsheets_run_nothing(make_world: Maker) -> None:
    world = indoors(make_world())
    for code in range(600, 615):
        world.finance.add_contact(Code=code, Name=f"کسی {code}", NationalCode=f"=HYPERLINK({code})")
    ended = world.run("lint", "--csv", "found.csv")
    assert "And 5 more: --csv FILE or --json has all." in ended.stdout
    assert "'=HYPERLINK(600)" in (world.folder / "found.csv").read_text("utf-8-sig")
    assert world.run("lint", "--csv", "missing/found.csv").exit_code == 2


def test_without_any_finding(make_world: Maker) -> None:
    ended = indoors(make_world()).run("lint")
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert "nothing odd" in ended.stdout


def test_a_system_that_fails_and_an_account_that_is_locked(odd: Indoors) -> None:
    odd.arm("refuse_before", "finance", times=None)
    ended = odd.run("lint", "--json")
    assert ended.exit_code == 3
    assert set(ended.json) == {"error"}
    odd.sandbox.faults.clear()
    odd.imported()
    odd.arm("refuse_before", "crm:login", status=403, times=None)
    assert odd.json("lint", exit_code=3)["error"]["kind"] == "login_locked"
    assert odd.json("lint", exit_code=3)["error"]["kind"] == "login_locked"
    assert odd.journal.count("crm") == 0


def test_pairs_under_other_numbers_invisible_characters_and_places(make_world: Maker) -> None:
    world = indoors(make_world())
    world.finance.add_contact(Code=500, Name="علی رضایی", MobileNo="09120000001")
    world.finance.add_contact(Code=501, Name="علی رضایی", MobileNo="09120000002")
    world.finance.add_contact(Code=502, Name="مینا نوری", MobileNo="09120000003", Description="[CRM 90]")
    phone = {"phoneType": "Mobile", "default": True}
    for number, name, mobile in (
        ("70", "علی رضایی", "09120000001"), ("5\u200f01", "علی رضایی", "09120000002"), ("90", "مینا نوری", "09120000003"),
    ):  # fmt: skip
        world.crm.add_person(
            nickName=name, customerNumber=number, phoneContacts=[{**phone, "phoneNumber": mobile}],
            addressContacts=[{"city": "ری", "default": True}],
        )  # fmt: skip
    found = world.json("lint")["findings"]
    told = {each["check"]: each for each in found}
    assert {"like_pair", "number_invisible", "place_without_code"} <= set(told)
    assert (told["like_pair"]["customer_number"], "500" in told["like_pair"]["message"]) == ("70", True)
    assert [each["customer_number"] for each in found if each["check"] == "number_invisible"] == ["501"]
    assert (told["place_without_code"]["value"], "3 customers" in told["place_without_code"]["message"]) == ("ری", True)
    assert len([each for each in found if each["check"] in ("like_pair", "place_without_code")]) == 2
    own = world.crm.add_person(
        nickName="سارا کریمی", customerNumber="", phoneContacts=[{**phone, "phoneNumber": "09120000004"}]
    )
    world.finance.add_contact(Name="سارا کریمی", MobileNo="09120000004", Description=f"[CRM {own}]")
    assert len([each for each in world.json("lint")["findings"] if each["check"] == "like_pair"]) == 1


def test_customers_whose_documents_wait_for_a_number(make_world: Maker) -> None:
    world = indoors(make_world(customers=1)).set(**SINCE)
    stranger = world.crm.add_person(nickName="بی شماره", customerNumber="")
    assert world.json("lint")["counts"]["without_number_waiting"] == 0
    world.imported()
    world.crm.add_quote(stranger, [{"productCode": "P", "count": 1, "baseUnitPrice": 100}], number="Q-1")
    world.run("sync")
    assert world.json("lint")["counts"]["without_number_waiting"] == 1
    assert "Documents of 1 of them wait" in world.run("lint").stdout
