"""`sync` against the sandbox: what is written, what never is, who is linked, who waits, and what stops it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from siaghsync.domain.normalize import ascii_digits
from siaghsync.sandbox.people import national_code
from tests.world import Maker, World

ALI, MINA = national_code(123456789), national_code(987654321)


def counts(document: dict[str, Any]) -> dict[str, int]:
    """The customers' counts that are not zero."""
    customers = document["customers"]
    assert customers["seen"] == sum(value for name, value in customers.items() if name != "seen")
    return {name: value for name, value in customers.items() if value and name != "seen"}


def reasons(document: dict[str, Any]) -> dict[str, tuple[str, str | None]]:
    """CRM id -> (action, reason); no record may be told twice."""
    found = document["changes"]
    told = {each["crm_id"]: (each["action"], each["reason"]) for each in found}
    assert len(told) == len(found)
    return told


def requests(world: World) -> dict[str, int]:
    """The requests of the last command, by system and endpoint."""
    return {f"{system}:{endpoint}": number for (system, endpoint), number in world.journal.counts.items()}


def writes(world: World) -> int:
    return world.journal.count("finance", "SaveFormData")


def form(world: World, position: int = -1) -> dict[str, str]:
    """The form of a write of the last command."""
    pairs = world.journal.of("finance", "SaveFormData")[position].body["ctrlValues"].split("|")
    return dict(pair.split("=", 1) for pair in pairs)


def content(state_file: Path, *but: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables but some, and but the counter by which a copy that was put back is noticed."""
    with closing(sqlite3.connect(state_file)) as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: db.execute(f"SELECT * FROM {name}").fetchall() for name in tables if name not in but}
        return {name: [row for row in rows if row[0] != "generation"] for name, rows in found.items()}


@pytest.fixture(scope="module")
def template(make_template: Maker) -> World:
    world = make_template(customers=6, also_in_crm=3).imported()
    world.json("sync")
    return world


@pytest.fixture
def paired(world: World, template: World) -> World:
    """Six customers that both systems have, linked; the first sync is over."""
    return world.twin_of(template)


def one(world: World, position: int = 0) -> tuple[str, int]:
    """CRM id and finance code of a linked person."""
    pairs = world.rows("SELECT crm_id, finance_code FROM customer_mappings WHERE kind = 'person' ORDER BY finance_code")
    crm_id, code = pairs[position]
    return str(crm_id), int(code)


# --- before the import -------------------------------------------------------------------------------------


def test_it_refuses_before_an_import_and_after_half_an_import(make_world: Maker) -> None:
    world = make_world(customers=3)
    for _ in range(2):
        ended = world.run("sync", "--json")
        assert ended.exit_code == 2
        assert "siaghsync initial-import" in ended.json["error"]["hint"]
        assert world.journal.count() == 0
        world.json("initial-import", "--yes", "--limit", "2")


@pytest.mark.parametrize("content", [None, b"", b"damaged" * 1000])
def test_a_missing_empty_or_damaged_state_file_is_no_first_run(make_world: Maker, content: bytes | None) -> None:
    world = make_world(customers=2).imported()
    for name in ("siaghsync.db", "siaghsync.db-wal", "siaghsync.db-shm"):
        (world.folder / name).unlink(missing_ok=True)
    if content is not None:
        world.state_file.write_bytes(content)
    ended = world.run("sync", "--json")
    assert (ended.exit_code, ended.json["error"]["kind"]) == (2, "state")
    assert world.journal.count() == 0
    assert (world.state_file.read_bytes() if world.state_file.exists() else None) == content


# --- nothing to do, and little to do -----------------------------------------------------------------------


def test_nothing_to_do_takes_a_login_and_one_look_at_each_source(paired: World) -> None:
    done = paired.json("sync")
    assert counts(done) == {}
    assert done["changes"] == []
    customers = {"crm:login": 1, "crm:person/find": 1, "crm:organization/find": 1, "finance:LoginUser": 1}
    assert requests(paired) == {**customers, "crm:quote/sales/find": 1, "crm:invoice/sales/find": 1}
    assert done["requests"] == {"crm": 5, "finance": 1}
    paired.set(SYNC_QUOTES="false", SYNC_INVOICES="false")
    assert paired.json("sync")["requests"] == {"crm": 3, "finance": 1}
    assert requests(paired) == customers


def test_no_echo_after_an_import(make_world: Maker) -> None:
    world = make_world(customers=40, also_in_crm=10).imported()
    before = world.finance.snapshot()
    for arguments in (["sync"], ["sync"], ["sync", "--full"], ["sync", "--full"]):
        done = world.json(*arguments)
        assert set(counts(done)) <= {"unchanged"}
        assert writes(world) == 0
    assert world.finance.snapshot() == before
    assert done["customers"]["unchanged"] == 40


def test_a_changed_customer_is_one_read_and_one_write(paired: World) -> None:
    crm_id, code = one(paired, 1)
    paired.crm.edit(crm_id, nickName="نام تازه")
    done = paired.json("sync", "--only", "customers")
    assert counts(done) == {"updated": 1}
    assert requests(paired) == {
        "crm:login": 1, "crm:person/find": 1, "crm:organization/find": 1,
        "finance:LoginUser": 1, "finance:GetAll/filter": 1, "finance:SaveFormData/update": 1,
    }  # fmt: skip
    (change,) = done["changes"]
    assert change["fields"]["fullname"][1] == "نام تازه"
    assert list(change["fields"]) == ["fullname"]
    assert change["finance_code"] == str(code)
    assert paired.finance.contacts[code]["Name"] == "نام تازه"
    assert counts(paired.json("sync")) == {}


def digits(value: object) -> str:
    return ascii_digits(str(value or ""))


def test_exactly_the_edited_customers_are_written(make_world: Maker) -> None:
    world = make_world(customers=60).imported()
    world.json("sync")
    before = {contact["Code"]: contact for contact in world.finance.snapshot()}
    edited = {int(world.code_of(crm_id)): crm_id for crm_id in list(world.crm.records)[::3]}
    for code, crm_id in edited.items():
        world.crm.edit(crm_id, email=f"new{code}@example.com")
    assert len(edited) == 20
    assert counts(world.json("sync")) == {"updated": 20}
    after = {contact["Code"]: contact for contact in world.finance.snapshot()}
    assert {code for code in after if after[code] != before[code]} == set(edited)
    for code in edited:
        # tmpid was empty before; nothing but the e-mail and that number may have changed.
        expected = {**before[code], "Email": f"new{code}@example.com", "tmpid": str(code)}
        # A code that Siagh had in other digits than the CRM is written as the CRM has it.
        assert {name for name in expected if digits(after[code][name]) != digits(expected[name])} == set()
    assert writes(world) == 20


def test_an_edit_that_does_not_matter_to_finance_is_not_written(paired: World) -> None:
    crm_id, _ = one(paired)
    paired.crm.edit(crm_id, refId="ABC", tags=["خوش حساب"])
    assert set(counts(paired.json("sync"))) <= {"unchanged"}
    assert paired.journal.count("finance", "GetAll") == 0
    assert writes(paired) == 0


# --- CRM wins ----------------------------------------------------------------------------------------------


def test_the_crm_wins_over_edits_in_finance_and_the_old_value_is_kept_in_the_audit_trail(paired: World) -> None:
    crm_id, code = one(paired)
    paired.finance.edit(code, Name="نام از سیاق", Email="siagh@example.com")
    assert counts(paired.json("sync")) == {}
    assert paired.finance.contacts[code]["Name"] == "نام از سیاق"
    paired.crm.edit(crm_id, email="crm@example.com")
    assert counts(paired.json("sync")) == {"updated": 1}
    now = paired.finance.contacts[code]
    assert (now["Name"], now["Email"]) == (paired.crm.records[crm_id]["nickName"], "crm@example.com")
    ((fields,),) = paired.rows("SELECT changes FROM audit WHERE operation = 'update'")
    assert json.loads(fields)["name"][0] == "نام از سیاق"
    assert json.loads(fields)["email"] == ["siagh@example.com", "crm@example.com"]


def test_full_puts_right_what_was_edited_in_finance(paired: World) -> None:
    crm_id, code = one(paired)
    paired.finance.edit(code, Name="نام از سیاق")
    done = paired.json("sync", "--full")
    assert counts(done) == {"updated": 1, "unchanged": 5}
    assert paired.finance.contacts[code]["Name"] == paired.crm.records[crm_id]["nickName"]


def test_what_the_crm_has_no_value_for_and_what_only_finance_knows_is_kept(paired: World) -> None:
    crm_id, code = one(paired)
    kept = {
        "Email": "kept@example.com", "WebSiteAddress": "kept.example.com", "Description": "یادداشت سیاق",
        "CityCode": 7, "GeographicCode": 8, "CountryCode": 9, "Gender": 0, "IsActive": False, "TelNo": "02188",
        "Address": "نشانی سیاق", "PostalCode": "1112223334",
    }  # fmt: skip
    paired.finance.edit(code, **kept)
    paired.crm.edit(
        crm_id, nickName="نام تازه", email="", website="", description=None, addressContacts=None,
        phoneContacts=[{"phoneType": "موبایل", "phoneNumber": "۰۹۰۰۱۱۱۲۲۳۳"}],
    )  # fmt: skip
    assert counts(paired.json("sync")) == {"updated": 1}
    now = paired.finance.contacts[code]
    assert {name: now[name] for name in kept} == kept
    assert (now["Name"], now["MobileNo"]) == ("نام تازه", "09001112233")


def test_an_odd_spelling_is_put_right_once_and_never_twice(paired: World) -> None:
    crm_id, code = one(paired)
    paired.finance.edit(code, Name="علي رضايي", MobileNo="+98 900 111 2233")
    paired.crm.edit(crm_id, nickName="علی رضایی", phoneContacts=[{"phoneType": "Mobile", "phoneNumber": "09001112233"}])
    assert counts(paired.json("sync")) == {"updated": 1}
    # A server that keeps its own spelling is not written to again.
    paired.finance.edit(code, Name="علي رضايي")
    assert counts(paired.json("sync", "--full")) == {"unchanged": 6}
    assert writes(paired) == 0


def test_what_the_form_cannot_carry_is_cleaned_and_noted(paired: World) -> None:
    crm_id, code = one(paired)
    paired.crm.edit(
        crm_id, nickName="علی|gn_web_users.isactive=0\nرضایی\t\u2028پور", email="a\rb@example.com", nationalCode="123",
        description="خط یک\r\nخط دو",
    )  # fmt: skip
    assert counts(paired.json("sync")) == {"updated": 1}
    now = paired.finance.contacts[code]
    assert now["IsActive"] is True
    values = [now[name] for name in ("Name", "Email", "Description")]
    assert not any(letter in value for value in values for letter in "|\n\r\t\u2028")
    assert all(part in now["Name"] for part in ("علی", "gn_web_users.isactive=0", "رضایی", "پور"))
    ((params,),) = paired.rows("SELECT message_params FROM audit WHERE operation = 'update'")
    noted = [(note["code"], note["params"]["field"]) for note in json.loads(params)["parts"]]
    assert {("value_note.cleaned", "name"), ("value_note.cleaned", "notes")} <= set(noted)
    assert ("value_note.national_code", "national_code") in noted
    assert counts(paired.json("sync", "--full")) == {"unchanged": 6}


def test_a_refused_update_waits_then_goes_to_a_person_and_comes_back_when_it_is_mended(paired: World) -> None:
    (ours, code), (other, _) = one(paired, 0), one(paired, 1)
    taken = [{"phoneType": "Mobile", "phoneNumber": "09008887766"}]
    paired.finance.add_contact(Name="کس دیگر", MobileNo="09008887766")
    paired.crm.edit(ours, phoneContacts=taken)
    paired.crm.edit(other, email="other@example.com")
    first = paired.json("sync", exit_code=1)
    assert counts(first) == {"updated": 1, "failed": 1}
    assert "کس دیگر" in first["failures"][0]["message"]
    second = paired.json("sync", exit_code=1)
    assert reasons(second) == {ours: ("review", "phone_taken")}
    assert counts(paired.json("sync")) == {}
    assert writes(paired) == 0
    paired.crm.edit(ours, phoneContacts=[{"phoneType": "Mobile", "phoneNumber": "09008887755"}])
    assert counts(paired.json("sync")) == {"updated": 1}
    assert paired.finance.contacts[code]["MobileNo"] == "09008887755"
    assert paired.json("status")["review"] == 0


# --- new customers -----------------------------------------------------------------------------------------


def test_a_new_customer_is_created_with_a_mark_once(paired: World) -> None:
    crm_id = paired.crm.add_person(
        firstName="مینا", lastName="نوری", customerNumber="۹۰۰۱", nationalCode=MINA, description="یادداشت",
        phoneContacts=[{"phoneType": "Mobile", "phoneNumber": "0900 555 4433"}],
    )  # fmt: skip
    firm = paired.crm.add_organization(nickName="شرکت تازه", customerNumber="9002")
    done = paired.json("sync")
    assert counts(done) == {"created": 2}
    new = paired.finance.contacts[paired.code_of(crm_id)]
    assert {name: new[name] for name in ("Name", "NationalCode", "Description", "TowardType", "tmpid", "IsActive")} == {
        "Name": "مینا نوری", "NationalCode": MINA, "Description": "یادداشت [CRM 9001]", "TowardType": False,
        "tmpid": "9001", "IsActive": True,
    }  # fmt: skip
    assert paired.finance.contacts[paired.code_of(firm)]["TowardType"] is True
    paired.json("sync")
    assert writes(paired) == 0
    # The mark is kept on later updates, and no reason to write.
    paired.crm.edit(crm_id, description="یادداشت دوم")
    assert counts(paired.json("sync")) == {"updated": 1}
    assert paired.finance.contacts[paired.code_of(crm_id)]["Description"] == "یادداشت دوم [CRM 9001]"
    paired.json("sync", "--full")
    assert writes(paired) == 0


def test_without_the_marker_setting_there_is_no_mark(paired: World) -> None:
    paired.set(FINANCE_NOTE_MARKER="false")
    crm_id = paired.crm.add_person(nickName="مینا نوری", customerNumber="9001")
    paired.json("sync")
    assert not paired.finance.contacts[paired.code_of(crm_id)]["Description"]
    paired.json("sync", "--full")
    assert writes(paired) == 0


def test_an_unlinked_customer_is_linked_by_marker_number_or_national_code(paired: World) -> None:
    finance, crm = paired.finance, paired.crm
    phone = {"phoneContacts": [{"phoneNumber": "09001112233"}]}
    marked = finance.add_contact(
        Name="رضا در سیاق", Description="خوب [CRM 9001]", Email="old@example.com", TelNo="09001112233"
    )
    numbered = finance.add_contact(Name="زهرا کریمی")
    known = finance.add_contact(Name="علي رضايي", NationalCode=ALI)
    by_marker = crm.add_person(nickName="رضا در سی آر ام", customerNumber="9001", **phone)
    by_number = crm.add_person(nickName="زهرا کریمی", customerNumber=str(numbered))
    by_code = crm.add_person(nickName="علي رضايي", nationalCode=ALI, customerNumber="9003")
    done = paired.json("sync")
    assert counts(done) == {"linked": 3}
    assert reasons(done) == {
        by_marker: ("link", "marker"),
        by_number: ("link", "number"),
        by_code: ("link", "national_code"),
    }
    linked = {paired.code_of(crm_id): crm_id for crm_id in (by_marker, by_number, by_code)}
    assert linked == {marked: by_marker, numbered: by_number, known: by_code}
    # Linked and different: the CRM wins at once, told as one change.
    assert finance.contacts[marked]["Name"] == "رضا در سی آر ام"
    assert finance.contacts[marked]["Email"] == "old@example.com"
    assert writes(paired) == 1
    (change,) = [each for each in done["changes"] if each["crm_id"] == by_marker]
    assert change["fields"]["fullname"] == ["رضا در سیاق", "رضا در سی آر ام"]


def test_who_is_no_customer_is_skipped_with_a_reason(paired: World) -> None:
    paired.set(CUSTOMER_NUMBER_PREFIX="100-")
    none = paired.crm.add_person(nickName="بی شماره")
    foreign = paired.crm.add_person(nickName="شرکت دیگر", customerNumber="200-15")
    padded = paired.crm.add_person(nickName="صفر اضافه", customerNumber="100-0015")
    done = paired.json("sync")
    assert reasons(done) == {
        none: ("skip", "no_number"),
        foreign: ("skip", "foreign_number"),
        padded: ("skip", "foreign_number"),
    }
    assert writes(paired) == 0
    # A number that comes later makes it a customer.
    paired.crm.edit(none, customerNumber="100-9001")
    assert counts(paired.json("sync")) == {"created": 1}


def test_a_number_that_two_records_carry_goes_to_a_person_but_the_linked_one_goes_on(paired: World) -> None:
    crm_id, code = one(paired)
    twin = paired.crm.add_person(nickName="دومی", customerNumber=str(code))
    news = [paired.crm.add_person(nickName=name, customerNumber="9001") for name in ("یک", "دو")]
    paired.crm.edit(crm_id, email="new@example.com")
    done = paired.json("sync", exit_code=1)
    assert counts(done) == {"updated": 1, "review": 3}
    told = reasons(done)
    assert {told[each] for each in (twin, *news)} == {("review", "number_twice")}
    assert paired.finance.contacts[code]["Email"] == "new@example.com"
    assert writes(paired) == 1
    # The question answers itself when the number is put right; the other then has it alone.
    paired.crm.edit(news[1], customerNumber="9002")
    paired.crm.edit(twin, customerNumber="9003")
    done = paired.json("sync")
    assert set(reasons(done).values()) == {("create", None)}
    paired.crm.edit(news[0], email="late@example.com")
    paired.json("sync")
    assert len(paired.rows("SELECT 1 FROM customer_mappings")) == 9
    assert paired.json("status")["review"] == 0


def test_a_stranger_under_the_code_goes_to_a_person(paired: World) -> None:
    code = paired.finance.add_contact(Name="زهرا کریمی", MobileNo="09003334455")
    stranger = paired.crm.add_person(nickName="علی رضایی", customerNumber=str(code))
    before = paired.finance.contacts[code]
    done = paired.json("sync", exit_code=1)
    assert reasons(done) == {stranger: ("review", "stranger")}
    assert paired.finance.contacts[code] == before
    assert counts(paired.json("sync")) == {}


def test_a_code_that_belongs_to_somebody_else_is_no_obstacle(paired: World) -> None:
    # The CRM has numbered a new customer on its own; the contact with that code is linked to another record.
    crm_id, code = one(paired)
    paired.crm.edit(crm_id, customerNumber="8001")
    paired.json("sync")
    new = paired.crm.add_person(nickName="تازه وارد", customerNumber=str(code))
    assert reasons(paired.json("sync")) == {new: ("create", None)}


def test_a_double_in_the_crm_goes_to_a_person(paired: World) -> None:
    first = paired.crm.add_person(nickName="علی رضایی", nationalCode=ALI, customerNumber="9001")
    paired.json("sync")
    again = paired.crm.add_person(nickName="علي رضايي", nationalCode=ALI, customerNumber="9002")
    done = paired.json("sync", exit_code=1)
    assert reasons(done) == {again: ("review", "double_in_crm")}
    # Two at once: one of them is created, the other asks.
    pair = [
        paired.crm.add_person(nickName="مینا نوری", nationalCode=MINA, customerNumber=number)
        for number in ("9011", "9012")
    ]
    done = paired.json("sync", exit_code=1)
    assert sorted(told for crm_id, told in reasons(done).items() if crm_id in pair) == [
        ("create", None),
        ("review", "double_in_crm"),
    ]
    assert len(paired.rows("SELECT 1 FROM customer_mappings")) == 8
    assert paired.code_of(first)


# --- linked customers that change their number, or lose their contact --------------------------------------


def test_a_pair_stays_linked_whatever_its_number_becomes(paired: World) -> None:
    crm_id, code = one(paired)
    for number in ("9001", "", "foreign-1"):
        paired.crm.edit(crm_id, customerNumber=number, email=f"a{len(number)}@example.com")
        assert counts(paired.json("sync")) == {"updated": 1}
        assert paired.code_of(crm_id) == code
        assert paired.finance.contacts[code]["Email"] == f"a{len(number)}@example.com"
    paired.crm.edit(crm_id, customerNumber="9005")
    paired.json("sync")
    assert writes(paired) == 0


def test_a_contact_deleted_in_finance_is_never_made_again(paired: World) -> None:
    crm_id, code = one(paired)
    paired.finance.delete(code)
    paired.crm.edit(crm_id, nickName="نام تازه")
    done = paired.json("sync", exit_code=1)
    assert reasons(done) == {crm_id: ("review", "missing_in_finance")}
    assert writes(paired) == 0
    assert counts(paired.json("sync")) == {}


def test_a_record_deleted_in_the_crm_is_left_alone_in_finance(paired: World) -> None:
    crm_id, code = one(paired)
    before = paired.finance.contacts[code]
    paired.crm.delete(crm_id)
    paired.json("sync")
    paired.json("sync", "--full")
    assert paired.finance.contacts[code] == before


def test_an_update_that_made_a_new_contact_is_caught(paired: World) -> None:
    crm_id, code = one(paired)
    other = paired.finance.add_contact(Name="ساخته سیاق")
    answer = {
        "Errors": [],
        "FinalMessages": [],
        "ReturnValue": True,
        "ReturnCode": str(other),
        "ReturnParams": str(other),
    }
    paired.arm("json", "finance:SaveFormData/update", body=json.dumps(answer).encode())
    paired.crm.edit(crm_id, nickName="نام تازه")
    done = paired.json("sync", exit_code=1)
    assert reasons(done) == {crm_id: ("review", "made_new_contact")}
    assert paired.code_of(crm_id) == code
    # A person has to look first: nothing is sent again, not even by --full.
    assert counts(paired.json("sync")) == {}
    paired.json("sync", "--full")
    assert writes(paired) == 0


# --- brakes ------------------------------------------------------------------------------------------------


def test_too_many_new_customers_stop_it_before_it_writes(paired: World) -> None:
    crm_id, code = one(paired)
    paired.crm.edit(crm_id, nickName="نام تازه")
    for number in range(4):
        paired.crm.add_person(nickName=f"تازه {number}", customerNumber=str(9001 + number))
    paired.set(MAX_CREATES_PER_RUN="3")
    before = paired.finance.snapshot()
    for arguments in (["sync"], ["sync", "--dry-run"]):
        stopped = paired.json(*arguments, exit_code=1)
        assert stopped["error"]["kind"] == "brake"
        assert all(word in stopped["error"]["message"] for word in ("4", "3"))
        assert "--force" in stopped["error"]["hint"]
    assert paired.finance.snapshot() == before
    assert counts(paired.json("sync", "--force")) == {"created": 4, "updated": 1}
    assert paired.finance.contacts[code]["Name"] == "نام تازه"


def test_a_much_shorter_finance_list_stops_it_before_it_writes(paired: World) -> None:
    crm_id, _ = one(paired)
    for (code,) in paired.rows("SELECT finance_code FROM customer_mappings ORDER BY finance_code DESC LIMIT 4"):
        paired.finance.delete(code)
    paired.finance.delete(max(paired.finance.contacts))
    paired.finance.delete(max(paired.finance.contacts))
    paired.crm.edit(crm_id, nickName="نام تازه")
    paired.crm.add_person(nickName="تازه وارد", customerNumber="9001")
    assert paired.json("sync", exit_code=1)["error"]["kind"] == "brake"
    assert writes(paired) == 0
    assert paired.json("sync", "--force")["customers"]["created"] == 1


def test_an_empty_crm_stops_a_full_sync(paired: World) -> None:
    for crm_id in list(paired.crm.records):
        paired.crm.delete(crm_id)
    assert paired.json("sync", "--full", exit_code=1)["error"]["kind"] == "brake"


# --- options -----------------------------------------------------------------------------------------------


def test_only_invoices_leaves_customers_alone(paired: World) -> None:
    crm_id, _ = one(paired)
    paired.crm.edit(crm_id, nickName="نام تازه")
    assert counts(paired.json("sync", "--only", "invoices")) == {}
    assert writes(paired) == 0
    assert counts(paired.json("sync", "--only", "customers")) == {"updated": 1}


def test_a_dry_run_changes_nothing_anywhere_and_says_what_would_be_done(paired: World) -> None:
    (edited, _), (gone, lost) = one(paired, 0), one(paired, 1)
    paired.crm.edit(edited, nickName="نام تازه")
    paired.finance.delete(lost)
    paired.crm.edit(gone, nickName="نام تازه")
    numbered = paired.finance.add_contact(Name="زهرا کریمی")
    paired.crm.add_person(nickName="زهرا کریمی", customerNumber=str(numbered), email="a@example.com")
    paired.crm.add_person(nickName="تازه وارد", customerNumber="9001")
    paired.crm.add_person(nickName="بی شماره")
    before = content(paired.state_file, "runs"), paired.finance.snapshot(), dict(paired.crm.records)
    planned = paired.json("sync", "--dry-run")
    assert planned["run"]["dry_run"] is True
    assert counts(planned) == {"created": 1, "updated": 1, "linked": 1, "skipped": 1, "review": 1}
    assert (content(paired.state_file, "runs"), paired.finance.snapshot(), dict(paired.crm.records)) == before
    assert paired.json("status")["last_run"]["dry_run"] is False
    done = paired.json("sync", exit_code=1)
    assert done["customers"] == planned["customers"]
    shown = [
        {**each, "finance_code": None if each["action"] == "create" else each["finance_code"]}
        for each in done["changes"]
    ]
    without_names = [{key: value for key, value in each.items() if key != "names"} for each in planned["changes"]]
    assert sorted(shown, key=str) == sorted(without_names, key=str)


def test_the_rolling_check_compares_a_part_of_the_linked_customers_with_each_run(make_world: Maker) -> None:
    world = make_world(customers=5, also_in_crm=5).imported().set(VERIFY_PER_RUN="2")
    world.json("sync")
    assert world.journal.count("crm", "person/get") + world.journal.count("crm", "organization/get") == 3
    assert "Rolling check: 3 of 5" in world.run("status").stdout
    world.json("sync")
    for code in list(world.finance.contacts):
        world.finance.edit(code, Name="نام دیگر")
    gone = world.crm_of(max(code for (code,) in world.rows("SELECT finance_code FROM customer_mappings")))
    world.crm.delete(gone)
    told = [world.json("sync")["customers"]["updated"] for _ in range(3)]
    assert told == [3, 1, 0]
    assert "1 were not in the CRM any more" in " ".join(world.run("status").stdout.split())
    world.set(VERIFY_PER_RUN="0").json("sync")
    assert world.journal.count("crm", "person/get") + world.journal.count("crm", "organization/get") == 0
