"""`initial-import` against the sandbox: what is created, what is linked, what waits for a person, and what stops it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from siaghsync.sandbox.people import national_code
from tests.world import Maker, World

IMPORT = ("initial-import", "--yes")
NUMBERED = {"CUSTOMER_NUMBER_PREFIX": "100-", "CUSTOMER_NUMBER_OFFSET": "1000", "CUSTOMER_NUMBER_WIDTH": "6"}


def changes(document: dict[str, Any]) -> dict[str, tuple[str, str | None, str | None]]:
    """Finance code -> (action, CRM id, reason); no record may be told twice."""
    found = document["changes"]
    told = {each["finance_code"]: (each["action"], each["crm_id"], each["reason"]) for each in found}
    assert len(told) == len(found)
    return told


def counts(document: dict[str, Any]) -> dict[str, int]:
    """The customers' counts that are not zero."""
    customers = document["customers"]
    assert customers["seen"] == sum(value for name, value in customers.items() if name != "seen")
    return {name: value for name, value in customers.items() if value and name != "seen"}


def crm_writes(world: World) -> int:
    return world.journal.count("crm", "person/create") + world.journal.count("crm", "organization/create")


# --- creation ----------------------------------------------------------------------------------------------


def test_a_contact_becomes_a_crm_record_with_all_that_the_crm_can_hold(world: World) -> None:
    person = world.finance.add_contact(
        Name="علی  رضایی", NationalCode="۰۰۱۲۳۴۵۶۷۹", MobileNo="0900 111 2233", TelNo="۰۲۱۸۰۱۱۲۲۳۳", Email="a@example.com",
        Address="تهران، نمونه", PostalCode="1234567890", Description="یادداشت", WebSiteAddress="example.com",
    )  # fmt: skip
    firm = world.finance.add_contact(Name="شرکت نمونه", TowardType=True, NationalCode="14000000037")
    done = world.json(*IMPORT)
    assert counts(done) == {"created": 2}
    assert done["run"]["outcome"] == "ok"
    made = world.crm.tables["person"].records[world.crm_of(person)]
    assert {key: made[key] for key in ("customerNumber", "nickName", "firstName", "lastName", "nationalCode")} == {
        "customerNumber": str(person), "nickName": "علی  رضایی", "firstName": "", "lastName": "علی  رضایی",
        "nationalCode": "0012345679",
    }  # fmt: skip
    phones = [(p["phoneType"], p["phoneNumber"]) for p in made["phoneContacts"]]
    assert phones == [("Mobile", "0900 111 2233"), ("Office", "02180112233")]
    assert (made["email"], made["website"], made["description"]) == ("a@example.com", "example.com", "یادداشت")
    assert [(a["address"], a["zipCode"]) for a in made["addressContacts"]] == [("تهران، نمونه", "1234567890")]
    assert made["categories"] == []
    assert world.crm.tables["organization"].records[world.crm_of(firm)]["nickName"] == "شرکت نمونه"


def test_an_import_writes_to_the_crm_only_and_a_second_one_writes_nothing(make_world: Maker) -> None:
    world = make_world(customers=20, also_in_crm=5)
    before = world.finance.snapshot()
    first = world.json(*IMPORT)
    assert counts(first) == {"created": 15, "linked": 5, "skipped": 4}
    assert world.finance.snapshot() == before
    assert world.journal.count("finance", "SaveFormData") == 0
    numbers = Counter(record["customerNumber"] for record in world.crm.records.values())
    assert len(numbers) == 20
    assert set(numbers.values()) == {1}
    second = world.json(*IMPORT)
    assert counts(second) == {"unchanged": 20, "skipped": 4}
    assert crm_writes(world) == 0
    assert len(world.crm.records) == 20


def test_a_second_import_creates_what_is_new(make_world: Maker) -> None:
    world = make_world(customers=3).imported()
    code = world.finance.add_contact(Name="تازه وارد")
    again = world.json(*IMPORT)
    assert counts(again) == {"created": 1, "unchanged": 3, "skipped": 4}
    assert world.crm.records[world.crm_of(code)]["customerNumber"] == str(code)


def test_number_settings_and_category(world: World) -> None:
    code = world.finance.add_contact(Name="علی رضایی")
    there = world.finance.add_contact(Name="زهرا کریمی")
    known = world.crm.add_person(nickName="زهرا كریمی", customerNumber=f"100-{there + 1000:06d}")
    done = world.json(*IMPORT, env={**NUMBERED, "CRM_CATEGORY": "syaghcontact"})
    assert counts(done) == {"created": 1, "linked": 1}
    assert world.crm_of(there) == known
    made = world.crm.records[world.crm_of(code)]
    assert made["customerNumber"] == f"100-{code + 1000:06d}"
    assert [category["key"] for category in made["categories"]] == ["syaghcontact"]


# --- linking -----------------------------------------------------------------------------------------------


def test_links_by_marker_number_and_national_code(world: World) -> None:
    add, crm = world.finance.add_contact, world.crm.add_person
    ali = national_code(123456789)
    pairs = {
        # The mark, whatever the code is, if the two agree.
        add(Name="مریم نوری", Description="مشتری خوب [CRM 9001]"): (
            crm(nickName="مریم نوری", customerNumber="9001"),
            "marker",
        ),
        add(Code=101, Name="مریم  كاظمي"): (crm(nickName="مریم کاظمی", customerNumber="101"), "number"),
        add(Code=102, Name="نام یک", NationalCode="۰۰۱۲۳۴۵۶۷۹"): (
            crm(nickName="نام دو", customerNumber="102", nationalCode="12345679"),
            "number",
        ),
        add(Code=103, Name="نام سه", TelNo="+98 900 111 2233"): (
            crm(nickName="نام چهار", customerNumber="103", phoneContacts=[{"phoneNumber": "09001112233"}]),
            "number",
        ),
        # Neither marker nor number: the same national code and the same name.
        add(Name="علی رضایی", NationalCode=ali): (crm(nickName="علي رضايي", nationalCode=ali), "national_code"),
    }
    done = world.json(*IMPORT)
    assert counts(done) == {"linked": 5}
    assert changes(done) == {str(code): ("link", crm_id, reason) for code, (crm_id, reason) in pairs.items()}
    assert crm_writes(world) == 0
    assert {code: world.crm_of(code) for code in pairs} == {code: crm_id for code, (crm_id, _) in pairs.items()}


def test_the_same_national_code_or_the_same_name_alone_links_nobody(world: World) -> None:
    code = national_code(123456789)
    world.finance.add_contact(Name="علی رضایی", NationalCode=code)
    world.finance.add_contact(Name="زهرا کریمی")
    world.crm.add_person(nickName="کس دیگر", nationalCode=code)
    world.crm.add_person(nickName="زهرا کریمی")
    assert counts(world.json(*IMPORT)) == {"created": 2}


def test_what_is_not_certain_waits_for_a_person(world: World) -> None:
    ali = national_code(123456789)
    stranger = world.finance.add_contact(Name="علی رضایی", MobileNo="09001112233")
    world.crm.add_person(nickName="کس دیگر", customerNumber=str(stranger))
    twice = world.finance.add_contact(Name="زهرا کریمی")
    for _ in range(2):
        world.crm.add_person(nickName="زهرا کریمی", customerNumber=str(twice))
    several = world.finance.add_contact(Name="رضا نوری", NationalCode=ali)
    for _ in range(2):
        world.crm.add_person(nickName="رضا نوری", nationalCode=ali)
    fine = world.finance.add_contact(Name="بی دردسر")
    before = dict(world.crm.records)
    done = world.json(*IMPORT, exit_code=1)
    assert counts(done) == {"created": 1, "review": 3}
    assert done["run"]["outcome"] == "partial"
    told = changes(done)
    assert {int(code): reason for code, (action, _, reason) in told.items() if action == "review"} == {
        stranger: "stranger",
        twice: "number_twice",
        several: "several_candidates",
    }
    assert world.rows("SELECT finance_code FROM customer_mappings") == [(fine,)]
    assert {crm_id: record for crm_id, record in world.crm.records.items() if crm_id in before} == before
    # The same questions are no news in the next run, and hold nothing up: sync may begin.
    assert counts(world.json(*IMPORT)) == {"unchanged": 1, "review": 3}
    world.json("sync", exit_code=1)
    world.json("sync")


def test_a_double_in_finance_is_not_created_twice(world: World) -> None:
    code = national_code(123456789)
    first = world.finance.add_contact(Name="علی رضایی", NationalCode=code)
    second = world.finance.add_contact(Name="علي رضايي", NationalCode=code)
    done = world.json(*IMPORT, exit_code=1)
    assert counts(done) == {"created": 1, "review": 1}
    assert changes(done)[str(second)][::2] == ("review", "double_in_finance")
    assert world.rows("SELECT finance_code FROM customer_mappings") == [(first,)]


def test_nobody_is_linked_to_a_record_that_another_contact_has(world: World) -> None:
    # The CRM numbers on its own: its number 101 is the contact 55 with the mark; the contact 101 is somebody else.
    world.crm.add_person(nickName="علی رضایی", customerNumber="101")
    world.finance.add_contact(Code=55, Name="علی رضایی", Description="[CRM 101]")
    world.finance.add_contact(Code=101, Name="علی رضایی")
    done = world.json(*IMPORT, exit_code=1)
    assert changes(done)["55"][0] == "link"
    assert changes(done)["101"][::2] == ("review", "number_taken")
    assert len(world.crm.records) == 1


# --- who is a customer -------------------------------------------------------------------------------------


def test_admin_users_never_and_inactive_contacts_on_demand(world: World) -> None:
    admin = world.finance.add_contact(Name="مدیر", IsAdminUser=True)
    resting = world.finance.add_contact(Name="راکد", IsActive=False)
    active = world.finance.add_contact(Name="فعال")
    done = world.json(*IMPORT)
    assert counts(done) == {"created": 1, "skipped": 2}
    assert {code: told[::2] for code, told in changes(done).items()} == {
        str(admin): ("skip", "admin_user"), str(resting): ("skip", "inactive"), str(active): ("create", None),
    }  # fmt: skip
    done = world.json(*IMPORT, env={"IMPORT_INACTIVE": "true"})
    assert counts(done) == {"created": 1, "skipped": 1, "unchanged": 1}
    assert world.crm.records[world.crm_of(resting)]["nickName"] == "راکد"


# --- options -----------------------------------------------------------------------------------------------


def test_limit_goes_on_where_it_stopped(make_world: Maker) -> None:
    world = make_world(customers=5, also_in_crm=1)
    for linked in (2, 4, 5):
        done = world.json(*IMPORT, "--limit", "2")
        customers = done["customers"]
        assert customers["created"] + customers["linked"] == min(2, linked - customers["unchanged"])
        assert len(world.rows("SELECT 1 FROM customer_mappings")) == linked
    assert len(world.crm.records) == 5
    # However far it came, only an import without a limit counts as complete.
    assert world.run("sync").exit_code == 2
    world.imported().json("sync")


def test_a_dry_run_writes_nothing_and_leaves_nothing(make_world: Maker) -> None:
    world = make_world(customers=4, also_in_crm=2)
    before = dict(world.crm.records)
    planned = world.json("initial-import", "--dry-run")
    assert planned["run"]["dry_run"] is True
    assert dict(world.crm.records) == before
    assert crm_writes(world) == 0
    assert [path.name for path in world.folder.iterdir()] == [".env"]
    done = world.json(*IMPORT)
    assert done["customers"] == planned["customers"]
    shown = [{**each, "crm_id": None if each["action"] == "create" else each["crm_id"]} for each in done["changes"]]
    without_names = [{key: value for key, value in each.items() if key != "names"} for each in planned["changes"]]
    assert sorted(shown, key=str) == sorted(without_names, key=str)


def test_a_dry_run_beside_a_state_file_changes_no_link(make_world: Maker) -> None:
    world = make_world(customers=2).imported()
    world.finance.add_contact(Name="تازه وارد")
    before = world.rows("SELECT * FROM customer_mappings")
    assert counts(world.json("initial-import", "--dry-run")) == {"created": 1, "unchanged": 2, "skipped": 4}
    assert world.rows("SELECT * FROM customer_mappings") == before
    assert len(world.crm.records) == 2


def test_without_a_terminal_and_without_yes_it_refuses(make_world: Maker) -> None:
    world = make_world(customers=2)
    ended = world.run("initial-import", stdin="y\n")
    assert ended.exit_code == 2
    assert "--yes" in ended.stderr
    assert world.journal.count() == 0
    assert not world.state_file.exists()


# --- the state file ----------------------------------------------------------------------------------------


def test_a_lost_state_file_is_made_again_by_linking_alone(make_world: Maker) -> None:
    world = make_world(customers=12, also_in_crm=4).imported()
    world.crm.add_person(nickName="مشتری تازه", customerNumber="9001")
    world.json("sync")
    pairs = sorted(world.rows("SELECT crm_id, finance_code FROM customer_mappings"))
    assert len(pairs) == 13
    world.state_file.unlink()
    done = world.json(*IMPORT)
    assert counts(done) == {"linked": 13, "skipped": 4}
    assert sorted(world.rows("SELECT crm_id, finance_code FROM customer_mappings")) == pairs
    assert crm_writes(world) == 0
    world.json("sync")
    assert world.journal.count("finance", "SaveFormData") == 0


def test_an_empty_state_file_is_filled(make_world: Maker) -> None:
    world = make_world(customers=2)
    world.state_file.touch()
    assert counts(world.json(*IMPORT)) == {"created": 2, "skipped": 4}


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"\0" * 4096])
def test_a_foreign_file_is_never_overwritten(make_world: Maker, content: bytes) -> None:
    world = make_world(customers=2)
    world.state_file.write_bytes(content)
    ended = world.run(*IMPORT, "--json")
    assert (ended.exit_code, ended.json["error"]["kind"]) == (2, "state")
    assert world.state_file.read_bytes() == content
    assert not world.crm.records


# --- brakes and refusals -----------------------------------------------------------------------------------


def test_a_much_shorter_list_stops_it_before_it_writes(make_world: Maker) -> None:
    world = make_world(customers=6).imported()
    gone = {code: world.finance.contacts[code] for code in world.finance.contacts}
    for code in gone:
        world.finance.delete(code)
    world.finance.add_contact(Name="تازه وارد")
    ended = world.run(*IMPORT, "--json")
    assert ended.exit_code == 1
    assert ended.json["run"]["outcome"] == "failed"
    assert ended.json["error"]["kind"] == "brake"
    assert "--force" in ended.json["error"]["hint"]
    assert all(word in ended.json["error"]["message"] for word in ("1", "6"))
    assert len(world.crm.records) == 6
    assert world.json(*IMPORT, "--force")["customers"]["created"] == 1


def test_an_empty_crm_stops_it_too(make_world: Maker) -> None:
    world = make_world(customers=4).imported()
    for crm_id in list(world.crm.records):
        world.crm.delete(crm_id)
    world.finance.add_contact(Name="تازه وارد")
    assert world.json(*IMPORT, exit_code=1)["error"]["kind"] == "brake"
    assert not world.crm.records


def test_a_refused_record_waits_then_goes_to_a_person_and_holds_nobody_up(world: World) -> None:
    refused = world.finance.add_contact(Name="نام بد")
    for number in range(4):
        world.finance.add_contact(Name=f"نام خوب {number}")
    words = '{"code": 7, "message": "نام درست نیست", "errorDetails": []}'.encode()
    world.arm("refuse_before", "crm:person/create", status=400, body=words, containing="نام بد", times=None)
    first = world.json(*IMPORT, exit_code=1)
    assert counts(first) == {"created": 4, "failed": 1}
    assert first["run"]["outcome"] == "partial"
    assert world.run("status", "--json").json["failed"] == 1
    second = world.json(*IMPORT, exit_code=1)
    assert counts(second) == {"unchanged": 4, "review": 1}
    assert changes(second)[str(refused)][::2] == ("review", "refused")
    ((message,),) = world.rows("SELECT message_params FROM reviews")
    assert "نام درست نیست" in message
    # It rests now: no further attempt, no further news.
    assert counts(world.json(*IMPORT)) == {"unchanged": 4, "review": 1}
    assert crm_writes(world) == 0
    # Once somebody has put it right in Finance, it is tried again.
    world.sandbox.faults.clear()
    world.finance.edit(refused, Name="نام بهتر")
    assert counts(world.json(*IMPORT)) == {"created": 1, "unchanged": 4}
    assert world.json("status")["review"] == 0


def test_a_contact_that_cannot_be_understood_holds_nobody_up(make_world: Maker) -> None:
    world = make_world(customers=3)
    world.finance.add_contact(Name={"odd": "shape"})
    done = world.json(*IMPORT, exit_code=1)
    assert counts(done) == {"created": 3, "skipped": 4, "failed": 1}
    assert len(world.crm.records) == 3
