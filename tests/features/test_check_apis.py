"""`check-apis` as an expert: for each way in which a system can't be used, its likely cause and its cure."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from siaghsync.domain.site import BY_NAME
from siaghsync.messages.calendar import TEHRAN
from siaghsync.sandbox.people import legal_id, national_code
from tests.connectors.raw_server import Handler, Received, free_port, raw, reply, resetting, routed, serving, silent
from tests.environment import FISCAL_YEAR
from tests.indoors import Indoors, indoors
from tests.world import Maker

NO_ONE = {"data": [], "total": 0}
PAGE = b"<html><head><title>Sign in</title></head></html>"
HTTPS = b"<html><title>400 The plain HTTP request was sent to HTTPS port</title></html>"


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """A world that is as it should be."""
    found = indoors(make_world(customers=4, also_in_crm=2))
    found.finance.fiscal_year = 0  # the current one
    found.set(MAX_RETRY_ATTEMPTS="1")
    return found


def failures(world: Indoors, system: str, **env: str) -> list[dict[str, Any]]:
    """The failures of one system; the other one must have been looked at and work."""
    found = world.json("check-apis", env=env, exit_code=3)
    other = "finance" if system == "crm" else "crm"
    assert found[other]["ok"] is True
    assert found[system]["ok"] is False
    first = found[system]["failures"][0]
    assert found["error"] == found[system]["error"] == {name: first[name] for name in ("kind", "message", "hint")}
    assert all(each["message"] and each["hint"] for each in found[system]["failures"])
    assert not re.search(r"https?://[^1\s]", str(found)), "no address but our own example"
    assert not any(secret in str(found) for secret in world.sandbox.secrets())
    return list(found[system]["failures"])


def only(world: Indoors, system: str, **env: str) -> tuple[str, str]:
    """(all causes, cure) of the one failure of a system."""
    (found,) = failures(world, system, **env)
    assert found["causes"]
    return " ".join(found["causes"]), found["hint"]


def warned(world: Indoors, **env: str) -> dict[str, dict[str, str]]:
    """Reason -> warning; nothing may have failed."""
    found = world.json("check-apis", env=env)["warnings"]
    assert all(each["system"] and each["message"] and each["hint"] for each in found)
    return {each["reason"]: each for each in found}


def crm(**routes: Any) -> Any:
    """A CRM on a plain socket that accepts every login."""
    login = reply({"accessToken": "abc", "expiresAt": ""})
    return routed({"auth/login": routes.get("login", login)}, routes.get("find", reply(NO_ONE)))


# --- all is well -------------------------------------------------------------------------------------------


def test_what_works_is_shown_with_its_round_trip_times(world: Indoors) -> None:
    customer = next(iter(world.crm.records))
    world.crm.add_quote(customer, [{"productCode": "P", "count": 1, "baseUnitPrice": 1}])
    found = world.json("check-apis")
    assert "error" not in found
    assert found["warnings"] == []
    assert (found["crm"]["persons"] + found["crm"]["organizations"], found["crm"]["quotes"]) == (2, 1)
    assert found["finance"]["finds_by_code"] is True
    for system, names in (
        ("crm", ("login_ms", "person_ms", "organization_ms", "quote_ms", "invoice_ms")),
        ("finance", ("login_ms", "list_ms", "contact_ms")),
    ):
        assert all(found[system][name] > 0 for name in names)
    assert world.journal.count("finance", "SaveFormData") == 0
    shown = world.run("check-apis").stdout
    assert "looking one contact up, ms" in shown
    assert "Warning" not in shown


def test_what_only_a_write_can_tell_is_said(world: Indoors) -> None:
    (rights,) = world.json("check-apis")["unchecked"]
    assert "may create persons" in rights
    world.crm.missing = {"category/search"}
    _, category = world.json("check-apis", env={"CRM_CATEGORY": "syaghcontact"})["unchecked"]
    assert "'syaghcontact' (CRM_CATEGORY)" in category
    world.crm.edit(next(iter(world.crm.records)), categories=[{"key": "syaghcontact"}])
    assert len(world.json("check-apis", env={"CRM_CATEGORY": "syaghcontact"})["unchecked"]) == 1


# --- the open questions ------------------------------------------------------------------------------------


def answers(world: Indoors, *options: str, exit_code: int = 0) -> dict[str, Any]:
    """Question -> answer; every question is there, in its order."""
    found = world.json("check-apis", *options, exit_code=exit_code)["facts"]
    assert [each["question"] for each in found] == list(BY_NAME)
    assert all((each["answer"] is None) or (each["how"] and each["evidence"] and each["at"]) for each in found)
    return {each["question"]: each["answer"] for each in found}


@pytest.mark.parametrize(
    ("switch", "value", "question", "before", "after"),
    [
        ("find_filters_by_date", False, "find_filters_by_date", True, False),
        ("find_orders", False, "find_orders", True, False),
        ("find_pages", False, "find_pages", True, False),
        ("find_filters_by_type", False, "find_filters_by_type", True, False),
        ("find_empty_queries", "none", "find_empty_queries", "all", "none"),
        ("find_empty_queries", "400", "find_empty_queries", "all", "refused"),
        ("find_refuses", {"modifyDate"}, "find_filters_by_date", True, "refused"),
        ("find_refuses", {"orders"}, "find_orders", True, "refused"),
        ("empty_type_key_means_all", False, "find_without_type", True, False),
        ("details_in_find", "null", "find_has_details", True, False),
        ("details_in_find", "missing", "find_has_details", True, False),
        ("clock_offset", -208.0, "crm_clock_offset_s", 0, -208),
    ],
)
def test_a_probe_answers_for_both_positions_of_a_switch(
    make_world: Maker, switch: str, value: Any, question: str, before: Any, after: Any
) -> None:
    world = indoors(make_world(customers=8, also_in_crm=8))
    customer = next(iter(world.crm.records))
    for number, crm_id in enumerate(world.crm.records):
        world.crm.records[crm_id]["modifyDate"] = f"2026-01-0{number + 1}T10:00:00"
    world.crm.date_header = True
    world.crm.add_person(lastName="بیگانه", crmObjectTypeCode="lead")
    world.crm.add_quote(customer, [{"productCode": "P", "count": 1, "baseUnitPrice": 1}])
    found = answers(world)[question]
    assert found == before or (switch == "clock_offset" and abs(found) <= 60)
    setattr(world.crm, switch, value)
    found = answers(world)[question]
    assert found == after or (switch == "clock_offset" and abs(found - after) <= 60)


def test_deep_probes_read_whole_lists(make_world: Maker) -> None:
    world = indoors(make_world(customers=4, also_in_crm=4))
    world.crm.page_cap = 1
    customer = next(iter(world.crm.records))
    world.crm.add_quote(customer, [{"productCode": "P", "count": 1, "baseUnitPrice": 1}])
    cheap, deep = answers(world), answers(world, "--deep")
    assert (cheap["page_cap"], deep["page_cap"]) == (None, 1)
    assert cheap["state_codes"] is None
    assert deep["state_codes"]
    assert world.journal.count("finance", "SaveFormData") == 0


def sold(world: Indoors, kind: str, price: str, **more: Any) -> str:
    """A quote of this type with one row at this price, discounted by 40."""
    customer = next(iter(world.crm.records))
    row = {"productCode": "P", "count": "1.5", "baseUnitPrice": price, "totalDiscount": 40, "totalVat": "9.9"}
    return world.crm.add_quote(customer, [row], crmObjectTypeCode=kind, **more)


@pytest.mark.parametrize("rows", ["full", "null", "missing"])
def test_deep_probes_see_how_discounts_and_fractions_are_reckoned(world: Indoors, rows: Any) -> None:
    def reckoned() -> tuple[Any, Any]:
        found = answers(world, "--deep")
        return found["header_discount"], found["rounding"]

    world.crm.details_in_find = rows
    sold(world, "PI_5", "100", discount=0, finalValue="119.9")
    assert reckoned() == (None, None), "neither a discount in the header nor a fraction"
    sold(world, "PI_5", "101.01", discount=50, finalValue="121.42")
    assert reckoned() == (None, {"PI_5": "exact"}), "a discount that fits neither sum"
    sold(world, "PI_5", "101.01")
    world.crm.header_discount, world.crm.whole_rials = "on top", True
    sold(world, "PI_7", "101.01", discount=50)
    assert reckoned() == ({"PI_5": "repeats", "PI_7": "on_top"}, {"PI_5": "exact", "PI_7": "whole"})
    sold(world, "PI_5", "101.01", discount=40)
    assert reckoned() == ({"PI_5": "both", "PI_7": "on_top"}, {"PI_5": "both", "PI_7": "whole"})
    assert answers(world)["rounding"] is None


DOCUMENTS = {"quote/sales/find", "invoice/sales/find"}


@pytest.mark.parametrize("unknown_address", ["empty", "404"])
@pytest.mark.parametrize(
    ("missing", "question", "reason"),
    [
        ({"person/find", "organization/find"}, "find_customers", "no_find_customers"),
        ({"organization/find"}, "find_customers", "no_find_customers"),
        (DOCUMENTS, "find_documents", "no_find_documents"),
        ({"quote/sales/find"}, "find_documents", "no_find_documents"),
    ],
)
def test_a_crm_without_some_find_is_read_otherwise_and_said(
    make_world: Maker, unknown_address: Any, missing: set[str], question: str, reason: str
) -> None:
    world = indoors(make_world(customers=4, also_in_crm=4))
    assert answers(world)[question] is True
    world.crm.missing, world.crm.unknown_address = missing, unknown_address
    found = answers(world, "--deep")
    assert found[question] is False
    assert found["crm_token_life_s"] is not None
    told = warned(world)
    assert reason in told
    assert "ENABLE_WEBHOOKS" in told[reason]["hint"]
    assert "nothing_to_read" not in told
    if question == "find_documents":
        assert found["find_pages"] is True
        assert reason not in warned(world, SYNC_QUOTES="false", SYNC_INVOICES="false")
        world.imported().json("sync")
        assert [each["reason"] for each in world.json("check-apis")["warnings"]] == [reason], "no fact has changed"


def test_customers_that_can_not_be_read_at_all_are_a_failure(world: Indoors) -> None:
    world.crm.missing = {"person/find", "organization/find", "identity/search"}
    assert failures(world, "crm")


def test_subtypes_are_those_that_are_set_up_or_else_those_that_are_seen(world: Indoors) -> None:
    assert answers(world)["subtypes"] == sorted(set().union(*world.crm.type_codes.values()))
    world.crm.missing = {"crmobjecttype/search"}
    assert answers(world)["subtypes"] == ["organization", "person"]


def test_without_a_date_in_the_answers_the_newest_record_says_how_far_the_clock_is_ahead(world: Indoors) -> None:
    world.crm.date_header = False
    now = datetime.now(TEHRAN).replace(tzinfo=None)
    for crm_id in list(world.crm.records):
        world.crm.edit(crm_id, modifyDate=(now - timedelta(hours=1)).isoformat(timespec="seconds"))
    assert answers(world)["crm_clock_offset_s"] is None
    for crm_id in list(world.crm.records):
        world.crm.edit(crm_id, modifyDate=(now + timedelta(hours=2)).isoformat(timespec="seconds"))
    assert 5400 < answers(world)["crm_clock_offset_s"] <= 7200


def test_account_parties_that_several_contacts_share_are_counted(world: Indoors) -> None:
    for code in list(world.finance.contacts)[-3:]:
        world.finance.edit(code, AccountPartyCode=5_500_014)
    evidence = {each["question"]: each["evidence"] for each in world.json("check-apis")["facts"]}["preinvoice_customer"]
    assert "2 of them have one that another contact has too." in evidence


@pytest.mark.parametrize(
    ("position", "setting", "answer"),
    [("null", "", "contact"), ("code", "", "contact"), ("other", "", None), ("other", "party", "party")],
)
def test_whom_documents_are_booked_on(make_world: Maker, position: Any, setting: str, answer: str | None) -> None:
    built = make_world(customers=4, also_in_crm=2)
    built.finance.account_party = position
    world = indoors(built)
    if setting:
        world.set(PREINVOICE_CUSTOMER=setting)
    assert answers(world)["preinvoice_customer"] == answer


@pytest.mark.parametrize(
    ("numbers", "answer"),
    [
        ("{code}", {"prefix": "", "offset": 0, "width": 0}),
        ("100-{thousand}", {"prefix": "100-", "offset": 1000, "width": 0}),
        ("{code:06}", {"prefix": "", "offset": 0, "width": 6}),
        ("{square}", None),
    ],
)
def test_how_numbers_follow_from_codes(make_world: Maker, numbers: str, answer: Any) -> None:
    world = indoors(make_world(customers=8, also_in_crm=8))
    for place, record in enumerate(list(world.crm.records.values())):
        code = int(record["customerNumber"])
        own = national_code(10_006_000 + code)
        shape = {"code": code, "thousand": code + 1000, "square": code * (place + 2)}
        world.crm.edit(record["crmId"], nationalCode=own, customerNumber=numbers.format(**shape))
        world.finance.edit(code, NationalCode=own)
    assert answers(world)["number_scheme"] == answer
    told = warned(world)
    assert ("number_scheme" in told) == bool(answer and answer["offset"])
    if "number_scheme" in told:
        assert "CUSTOMER_NUMBER_PREFIX=100-, CUSTOMER_NUMBER_OFFSET=1000" in told["number_scheme"]["message"]
        right = {"CUSTOMER_NUMBER_PREFIX": "100-", "CUSTOMER_NUMBER_OFFSET": "1000"}
        assert "number_scheme" not in warned(world, **right)


def test_a_session_that_ends_shows_how_long_it_lived(world: Indoors) -> None:
    world.imported()
    assert answers(world)["siagh_session_life_s"] is None
    for command in ("check-apis", "sync"):
        ends = iter([world.finance.expire_sessions])

        def end(_system: str, endpoint: str, stage: str, ends: Any = ends) -> None:
            if stage == "received" and endpoint.startswith("GetAll"):
                next(ends, int)()

        forget = world.sandbox.on_event(end)
        world.json(command, *(["--full"] if command == "sync" else []))
        forget()
        (kept,) = world.rows("SELECT value FROM meta WHERE name = 'fact: siagh_session_life_s'")
        assert json.loads(kept[0])["answer"] is not None
        world.crm.edit(next(iter(world.crm.records)), email="x@example.com")
        with sqlite3.connect(world.state_file) as db:
            db.execute("DELETE FROM meta WHERE name = 'fact: siagh_session_life_s'")


def test_the_open_questions_are_shown_with_the_way_to_settle_them(world: Indoors) -> None:
    shown = " ".join(world.run("check-apis").stdout.split())
    assert "Open question" in shown
    assert "siaghsync rehearse" in shown


# --- no way to a system ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "cause", "cure"),
    [
        ("http://nowhere.invalid", "misspelled", "DNS server"),
        ("http://127.0.0.1:{port}", "does not run", "host and port"),
    ],
)
@pytest.mark.parametrize("system", ["crm", "finance"])
def test_a_system_that_is_not_there(world: Indoors, system: str, address: str, cause: str, cure: str) -> None:
    name = f"{system.upper()}_API_BASE_URL"
    causes, hint = only(world, system, **{name: address.format(port=free_port())})
    assert cause in causes
    assert cure in hint
    assert name in hint


def test_a_server_that_does_not_answer(world: Indoors) -> None:
    with serving(silent()) as server:
        causes, hint = only(world, "finance", FINANCE_API_BASE_URL=server.url, HTTP_TIMEOUT_SECONDS="2")
    assert "overloaded" in causes
    assert "HTTP_TIMEOUT_SECONDS" in hint


@pytest.mark.parametrize(
    ("handler", "scheme", "wanted"),
    [
        (resetting(), "http", "https"),
        (reply(HTTPS, 400), "http", "https"),
    ],
)
def test_http_where_https_is_wanted(world: Indoors, handler: Any, scheme: str, wanted: str) -> None:
    with serving(handler) as server:
        causes, hint = only(world, "crm", CRM_API_BASE_URL=server.url)
    assert f"speaks {wanted} at this port, and the address says {scheme}" in causes
    assert f"Try {wanted}://" in hint


def test_https_where_http_is_spoken(world: Indoors) -> None:
    with serving(reply(), greet=raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        causes, hint = only(world, "crm", CRM_API_BASE_URL=server.url.replace("http:", "https:"))
    assert "plain http" in causes
    assert "CRM_API_BASE_URL" in hint


@pytest.mark.parametrize(
    ("handler", "cause"),
    [
        (reply(PAGE), "login page on the way"),
        (reply(PAGE, 401), "login of its own"),
        (reply(PAGE, 403), "firewall"),
        (reply(PAGE, 502), "gateway"),
        (reply(b"", 407), "gateway"),
        (reply(b"", 302, "Location: http://127.0.0.1/login"), "wants https"),
    ],
)
def test_something_in_between(world: Indoors, handler: Any, cause: str) -> None:
    with serving(handler) as server:
        causes, hint = only(world, "crm", CRM_API_BASE_URL=server.url)
    assert cause in causes
    assert "CRM_API_BASE_URL" in hint


@pytest.mark.parametrize("path", ["/api", "/api/v2/", "/API"])
def test_a_path_of_ours_in_the_address(world: Indoors, path: str) -> None:
    causes, hint = only(world, "crm", CRM_API_BASE_URL=world.sandbox.crm_url + path)
    assert f"ends in {path.rstrip('/')}" in causes
    assert "only scheme, host" in hint
    causes, _ = only(world, "finance", FINANCE_API_BASE_URL=f"{world.sandbox.finance_url}/GeneralApi")
    assert "ends in /GeneralApi" in causes


def test_another_path_is_not_shown_since_it_may_hold_a_secret(world: Indoors) -> None:
    found = world.run("check-apis", env={"CRM_API_BASE_URL": f"{world.sandbox.crm_url}/s3cret"})
    assert found.exit_code == 3
    assert "has a path after the host" in " ".join(found.text.split())
    assert "s3cret" not in found.text


def test_swapped_addresses(world: Indoors) -> None:
    env = {"CRM_API_BASE_URL": world.sandbox.finance_url, "FINANCE_API_BASE_URL": world.sandbox.crm_url}
    found = world.json("check-apis", env=env, exit_code=3)
    for system in ("crm", "finance"):
        assert "are swapped" in " ".join(found[system]["failures"][0]["causes"])


# --- logins ------------------------------------------------------------------------------------------------


def test_a_wrong_password_of_the_crm(world: Indoors) -> None:
    causes, hint = only(world, "crm", CRM_PASSWORD="wrong")
    assert "password is wrong" in causes
    assert "locks the account" in hint
    assert world.journal.count("crm") == 1


def test_a_licence_without_the_module(world: Indoors) -> None:
    world.crm.licensed = False
    assert "MobileApp" in only(world, "crm")[1]


def test_a_locked_account_is_remembered_if_there_is_where_to(world: Indoors) -> None:
    world.crm.account.lock(60)
    (found,) = failures(world, "crm")
    assert found["kind"] == "login_locked"
    assert found["causes"]
    assert "30 minutes" in found["hint"]
    assert not world.state_file.exists()
    world.crm.account.unlock()
    world.imported()
    world.crm.account.lock(60)
    for asked in (1, 0, 0):
        (found,) = failures(world, "crm")
        assert found["kind"] == "login_locked"
        assert world.journal.count("crm") == asked
    assert world.run("sync", "--json").json["error"]["kind"] == "login_locked"
    assert world.journal.count("crm") == 0


def test_a_wrong_hash_is_explained_in_order(world: Indoors) -> None:
    (found,) = failures(world, "finance", FINANCE_PASSWORD="0" * 32)
    causes = found["causes"]
    places = [
        next(i for i, c in enumerate(causes) if word in c)
        for word in ("is wrong", "hashed twice", "line end", "active")
    ]
    assert places == sorted(places)
    assert places[0] == 0
    assert "hash-password --save" in found["hint"]
    assert "lower case is no cause" in found["hint"]
    assert found["said"] == "Invalid username or password"


def test_a_hash_in_lower_case_is_accepted(world: Indoors) -> None:
    world.json("check-apis", env={"FINANCE_PASSWORD": world.finance.user.hash.lower()})


def test_a_hash_of_nothing_and_a_name_in_arabic_letters_are_seen(world: Indoors) -> None:
    env = {"FINANCE_PASSWORD": "d41d8cd98f00b204e9800998ecf8427e", "FINANCE_USERNAME": "مدير سيستم"}
    (found,) = failures(world, "finance", **env)
    assert "hash of an empty password" in found["causes"][0]
    assert "Arabic" in found["causes"][1]


# --- rights and types --------------------------------------------------------------------------------------


def test_rights_that_are_missing_are_named_one_by_one(world: Indoors) -> None:
    world.arm("refuse_before", "crm:organization/find", status=403, times=None)
    world.arm("refuse_before", "crm:quote/sales/find", status=403, times=None)
    first, second = failures(world, "crm")
    assert "may not list organizations" in first["causes"][0]
    assert "may not list quotes" in second["causes"][0]
    assert "SYNC_QUOTES=false" in second["hint"]
    assert len(failures(world, "crm", SYNC_QUOTES="false")) == 1
    world.sandbox.faults.clear()
    world.arm("refuse_before", "finance:GetAll", status=403, times=None)
    assert "may not list all contacts" in only(world, "finance")[0]


def test_lists_without_anybody_are_suspicious(make_world: Maker) -> None:
    empty = indoors(make_world())
    empty.finance.add_contact(Name="مدیر", IsAdminUser=True)
    found = empty.json("check-apis")["warnings"]
    assert [(each["system"], each["reason"]) for each in found] == [
        ("crm", "nothing_to_read"),
        ("finance", "nothing_to_read"),
    ]


def test_a_subtype_that_shows_nobody(world: Indoors) -> None:
    world.crm.add_person(nickName="الف", lastName="الف", crmObjectTypeCode="haghighi")
    found = warned(world, CRM_PERSON_TYPE="persson")["unknown_type"]
    assert "'persson'" in found["message"]
    assert "CRM_PERSON_TYPE" in found["hint"]
    assert "'haghighi'" in found["hint"]


def test_a_category_that_the_crm_does_not_know(world: Indoors) -> None:
    found = warned(world, CRM_CATEGORY="syagcontact")["unknown_category"]
    assert "'syagcontact'" in found["message"]
    assert "The CRM's categories are syaghcontact." in found["hint"]
    assert len(world.json("check-apis", env={"CRM_CATEGORY": "syagcontact"})["unchecked"]) == 1
    assert "unknown_category" not in warned(world, CRM_CATEGORY="syaghcontact")
    world.crm.category_keys |= {f"key{number}" for number in range(9)}
    world.crm.page_cap = 2
    assert "unknown_category" not in warned(world, CRM_CATEGORY="syaghcontact"), "a list may be capped"


def test_an_extended_property_that_no_customer_has(world: Indoors) -> None:
    (world.folder / "mapping.toml").write_text('[customers]\nnational_code_property = "meli"\n', "utf-8")
    assert "'meli'" in world.json("check-apis")["unchecked"][1]
    first = next(iter(world.crm.records))
    world.crm.edit(first, extendedProperties=[{"userKey": "melli", "value": "0012345679"}])
    found = warned(world)["mapping_property"]
    assert "customers.national_code_property" in found["message"]
    assert "'meli'" in found["message"]
    assert "The customers have melli." in found["hint"]
    (world.folder / "mapping.toml").write_text('[customers]\nnational_code_property = "melli"\n', "utf-8")
    assert warned(world) == {}


def test_a_subtype_that_is_refused(world: Indoors) -> None:
    world.arm("refuse_before", "crm:organization/find", status=400, containing="firm", times=None)
    causes, hint = only(world, "crm", CRM_ORGANIZATION_TYPE="firm")
    assert "'firm'" in causes
    assert "CRM_ORGANIZATION_TYPE" in hint


# --- what looks wrong --------------------------------------------------------------------------------------


def off(body: Any, by: timedelta) -> Handler:
    """Answers with a clock that is ahead by so much at that moment."""

    def handle(conn: socket.socket, received: Received) -> bool:
        date = format_datetime(datetime.now(UTC) + by, usegmt=True)
        return reply(body, 200, f"Date: {date}")(conn, received)

    return handle


@pytest.mark.parametrize(
    ("minutes", "words"), [(6, "6 minutes ahead"), (-200, "3 hours behind"), (4, None), (-4, None)]
)
def test_a_clock_that_is_off(world: Indoors, minutes: int, words: str | None) -> None:
    login = off({"accessToken": "abc"}, timedelta(minutes=minutes, seconds=20))
    with serving(crm(login=login)) as server:
        found = warned(world, CRM_API_BASE_URL=server.url)
    assert (words in found["clock"]["message"]) if words else "clock" not in found


def test_finances_clock_and_date_that_are_off(world: Indoors) -> None:
    session = {"SessionId": "abc", "FiscalYear": FISCAL_YEAR, "SystemDate": "1390/01/01"}
    with serving(routed({"LoginUser": off(session, timedelta(minutes=-9))}, reply([]))) as server:
        found = warned(world, FINANCE_API_BASE_URL=server.url)
    assert found["clock"]["system"] == "finance"
    assert "1390/01/01" in found["date"]["message"]


def test_kinds_that_may_be_swapped(world: Indoors) -> None:
    for code in list(world.finance.contacts):
        world.finance.edit(code, TowardType=not world.finance.contacts[code]["TowardType"])
    for number in range(3):
        world.finance.add_contact(
            Name=f"شرکت {number}", TowardType=False, NationalCode=legal_id(1_400_000_500 + number)
        )
        world.finance.add_contact(
            Name=f"خانم {number}", TowardType=True, NationalCode=national_code(10_005_000 + number)
        )
    assert "TowardType" in warned(world)["kinds_swapped"]["message"]
    for code in list(world.finance.contacts):
        world.finance.edit(code, TowardType=not world.finance.contacts[code]["TowardType"])
    assert "kinds_swapped" not in warned(world)


def test_numbers_that_do_not_fit(world: Indoors) -> None:
    for number in range(3):
        world.crm.add_person(nickName="الف", lastName="الف", customerNumber=f"100-{7000 + number}")
    found = warned(world)["numbers_do_not_fit"]
    assert "3 of 5" in found["message"]
    assert "begin with '100-'" in found["hint"]
    found = warned(world, CUSTOMER_NUMBER_PREFIX="100-")["numbers_do_not_fit"]
    assert "2 of 5" in found["message"]


def test_a_fiscal_year_that_is_not_todays(world: Indoors) -> None:
    world.finance.fiscal_year = 1399
    assert "1399" in warned(world)["fiscal_year"]["message"]


def test_a_contact_that_can_not_be_looked_up(world: Indoors) -> None:
    world.finance.filters = set()
    world.arm("json", "finance:GetAll/filter", body=b"[]", times=None)
    assert "by its code" in warned(world)["no_look_up"]["message"]


def test_a_state_file_that_can_not_be_used_is_no_reason_not_to_look(world: Indoors) -> None:
    Path(world.state_file).write_text("this is no database at all, but a text of some length" * 50)
    assert "not a state file" in warned(world)["state"]["message"]


def test_warnings_and_failures_are_shown_to_people(world: Indoors) -> None:
    world.finance.fiscal_year = 1399
    shown = world.run("check-apis", env={"CRM_PASSWORD": "wrong"})
    assert shown.exit_code == 3
    text = " ".join(shown.stdout.split())
    for words in ("CRM): does not work", "Likely causes", "1. The password is wrong", "What to do: Log in to the CRM",
                  "Siagh (finance): works", "Warning: Siagh posts in fiscal year 1399", "Not checked"):  # fmt: skip
        assert words in text
