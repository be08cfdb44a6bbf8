"""Holds the sandbox to the wire contracts, by plain requests that know nothing of the rest of the package."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

import pytest
import requests

from siaghsync.sandbox import Fault, Sandbox, serve_forever
from siaghsync.sandbox.people import customers, legal_id, national_code
from tests.contract.client import GET_ALL, UNKNOWN, Client, cells, ctrl, leaf, post
from tests.patience import PATIENCE, wait_for

NAMES = ("API_BASE_URL", "USERNAME", "PASSWORD")


# ---- the CRM: login ----


def test_login_answers_each_refusal_with_its_status(sandbox: Sandbox, client: Client) -> None:
    assert client.login(platformType="1").status_code == 400
    assert client.login(password="wrong").status_code == 401
    error = client.login(password="wrong").json()
    assert error.keys() == {"code", "message", "errorDetails"}
    sandbox.crm.licensed = False
    assert client.login().status_code == 402


def test_five_wrong_passwords_lock_the_account_and_each_try_begins_the_lock_anew(
    sandbox: Sandbox, client: Client
) -> None:
    sandbox.crm.lock_seconds = 3600
    assert [client.login(password="wrong").status_code for _ in range(5)] == [401] * 5
    assert client.login().status_code == 403
    sandbox.crm.lock_seconds = 0.3  # from the next try on, whatever was left
    assert client.login().status_code == 403
    wait_for(lambda: not sandbox.crm.account.locked)
    assert client.login().status_code == 200


def test_login_gives_an_expiry_with_offset_and_a_refresh_token(sandbox: Sandbox, client: Client) -> None:
    tokens = client.login().json()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+03:30", tokens["expiresAt"])
    body = {"refreshToken": tokens["refreshToken"]}
    refreshed = requests.post(f"{sandbox.crm_url}/api/v2/auth/token/refresh", json=body, timeout=PATIENCE).json()
    assert refreshed.keys() == tokens.keys()
    assert refreshed["accessToken"] != tokens["accessToken"]


def test_a_wrong_or_expired_token_is_401(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.expire_tokens()
    assert client.crm("person/get", {"id": UNKNOWN}).status_code == 401
    token = client.login().json()["accessToken"]
    client.crm_session.headers["Authorization"] = token  # bare, without Bearer
    assert client.crm("person/get", {"id": UNKNOWN}).status_code == 401


# ---- clocks ----


@pytest.mark.parametrize("system", ["crm", "finance"])
@pytest.mark.parametrize("fault", [None, "drip", "html", "refuse_before"])
def test_every_answer_bears_the_date_of_the_servers_own_clock_or_none(
    sandbox: Sandbox, client: Client, system: str, fault: Any
) -> None:
    world = sandbox.crm if system == "crm" else sandbox.finance
    world.clock_offset = -86400.0

    def answer() -> requests.Response:
        if fault:
            sandbox.faults.arm(Fault(fault, system, seconds=0.0))
        return client.create() if system == "crm" else client.siagh(GET_ALL, {})

    before, said = world.now(), parsedate_to_datetime(answer().headers["Date"])
    assert before.replace(microsecond=0) <= said <= world.now()
    assert datetime.now(UTC) - said > timedelta(hours=23)
    world.date_header = False
    assert "Date" not in answer().headers


def test_a_code_that_is_used_again_has_another_record_id(sandbox: Sandbox, client: Client) -> None:
    code = int(client.save(ctrl())["ReturnCode"])
    first = client.contacts(Code=code)[0]["RecordId"]
    client.save(ctrl(code, fullname="رضا نوری"), f"CodeMain={code}")
    assert client.contacts(Code=code)[0]["RecordId"] == first
    sandbox.finance.delete(code)
    assert sandbox.finance.add_contact(Code=code) == code
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", client.contacts(Code=code)[0]["RecordId"])
    assert client.contacts(Code=code)[0]["RecordId"] != first


# ---- the CRM: lists ----


def test_search_counts_pages_from_zero_and_find_from_one(sandbox: Sandbox, client: Client) -> None:
    people = {sandbox.crm.add_person(lastName=f"n{i}") for i in range(5)}
    firm = sandbox.crm.add_organization(nickName="شرکت", customerNumber="100-1")
    pages = [client.search(number, 2) for number in range(4)]
    assert [len(page) for page in pages] == [2, 2, 2, 0]
    rows = [row for page in pages for row in page]
    assert {row["identityId"] for row in rows} == people | {firm}
    assert {"identityId": firm, "nickName": "شرکت", "customerNo": "100-1"} in rows
    found = [client.find(pageNumber=number, pageSize=2) for number in (1, 2, 3, 4)]
    assert [len(page["data"]) for page in found] == [2, 2, 1, 0]
    assert {page["total"] for page in found} == {5}
    assert {row["crmId"] for page in found for row in page["data"]} == people


def test_records_of_one_instant_are_all_at_or_after_it_and_none_after_it(sandbox: Sandbox, client: Client) -> None:
    instant = "2025-12-21T14:06:17.17"
    same = [sandbox.crm.add_person(lastName="x", modifyDate=instant) for _ in range(5)]
    later = sandbox.crm.add_person(lastName="y", modifyDate="2025-12-21T14:06:17.171")
    sandbox.crm.add_person(lastName="z", modifyDate="2025-12-21T14:06:17")
    at_or_after = client.find(leaf("ModifyDate", instant + "0", 2))
    assert [row["crmId"] for row in at_or_after["data"]] == [*sorted(same), later]
    assert [row["crmId"] for row in client.find(leaf("ModifyDate", instant, 1))["data"]] == [later]
    assert client.find(leaf("ModifyDate", instant))["total"] == 5
    backwards = client.find(leaf("ModifyDate", instant, 5), orders=[{"field": "ModifyDate", "order": 1}], pageSize=4)
    assert backwards["total"] == 6
    assert [row["crmId"] for row in backwards["data"]] == sorted(same, reverse=True)[:4]


def test_an_edited_record_moves_to_the_end_of_the_date_order(sandbox: Sandbox, client: Client) -> None:
    ids = [sandbox.crm.add_person(lastName=str(i), modifyDate=f"2025-01-0{i}T00:00:00") for i in range(1, 4)]
    sandbox.crm.edit(ids[0], lastName="edited")
    rows = client.find()["data"]
    assert [row["crmId"] for row in rows] == [ids[1], ids[2], ids[0]]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{0,2}[1-9])?", rows[2]["modifyDate"])


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [(0, "12", {"12"}), (1, "12", {"123", "2"}), (2, "12", {"12", "123", "2"}), (3, "12,2", {"12", "2"}),
     (4, "12", {""}), (5, "12", {"", "12"}), (6, "12", {"", "123", "2"}), (7, "12,2", {"", "123"}),
     (11, "12", {"12", "123"}), (12, "3", {"123"}), (13, "2", {"12", "2"})],
)  # fmt: skip
def test_every_operator_does_what_it_is_called(
    sandbox: Sandbox, client: Client, operator: int, value: str, expected: set[str]
) -> None:
    for number in ("", "12", "123", "2"):
        sandbox.crm.add_person(lastName="x", customerNumber=number)
    rows = client.find(leaf("CustomerNumber", value, operator))["data"]
    assert {row["customerNumber"] for row in rows} == expected
    negated = client.find({**leaf("CustomerNumber", value, operator), "leafNegate": True})["data"]
    assert {row["customerNumber"] for row in negated} == {"", "12", "123", "2"} - expected


def test_queries_are_joined_by_and_or_or_and_bound_to_the_subtype(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.add_person(lastName="a", customerNumber="1")
    sandbox.crm.add_person(lastName="b", customerNumber="2", crmObjectTypeCode="guest")
    both = leaf("CustomerNumber", "1"), leaf("LastName", "b")
    assert client.find(*both)["total"] == 0
    assert client.find(both[0], {**both[1], "logicalOperator": 1})["total"] == 2
    assert client.find(typeKey="guest")["total"] == 1
    assert client.find(leaf("CustomerNumber", "1"), typeKey="guest")["total"] == 0
    assert client.find(typeKey="")["total"] == 2
    sandbox.crm.empty_type_key_means_all = False
    assert client.find(typeKey="")["total"] == 0


@pytest.mark.parametrize(
    "query",
    [leaf("modifyDate", "2025-12-21T14:06:17"), leaf("ModifyDate", "2025-12-21T14:06:17+03:30"),
     leaf("Nonsense", "1"), leaf("PhoneContacts", "1"), leaf("CustomerNumber", "1", 16),
     {**leaf("CustomerNumber", "1"), "value": 1}, {"field": "CustomerNumber", "value": "1"}],
)  # fmt: skip
def test_a_strict_crm_refuses_a_misspelt_query_with_the_documented_error(
    sandbox: Sandbox, client: Client, query: dict[str, Any]
) -> None:
    sandbox.crm.strict = True
    answer = client.crm("person/find", {"queries": [query], "pageNumber": 1, "pageSize": 10})
    assert answer.status_code == 400
    assert answer.json()["errorDetails"][0].keys() == {"statusCode", "field", "message"}


def test_a_page_cap_shortens_pages_but_not_the_total(sandbox: Sandbox, client: Client) -> None:
    for i in range(5):
        sandbox.crm.add_person(lastName=str(i))
    sandbox.crm.page_cap = 2
    pages = [client.find(pageNumber=number)["data"] for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert client.find()["total"] == 5
    assert len(client.search()) == 2


def test_a_change_can_become_visible_after_its_date(sandbox: Sandbox, client: Client) -> None:
    first = sandbox.crm.add_person(lastName="old")
    sandbox.crm.visible_delay = 3600
    sandbox.crm.edit(first, lastName="new")
    second = client.create().json()["crmId"]
    assert [row["lastName"] for row in client.find()["data"]] == ["old"]
    assert client.crm("person/get", {"id": second}).status_code == 404
    asked = sandbox.crm.stamp()
    sandbox.crm.settle(everything=True)
    rows = client.find()["data"]
    assert {row["lastName"] for row in rows} == {"new", "نوری"}
    assert all(row["modifyDate"] <= asked for row in rows)
    sandbox.crm.visible_delay = 0.05
    sandbox.crm.edit(first, lastName="newer")
    wait_for(lambda: "newer" in [row["lastName"] for row in client.find()["data"]])


# ---- the CRM: records ----


def test_create_makes_a_record_each_time_unless_numbers_must_be_unique(sandbox: Sandbox, client: Client) -> None:
    phones = [{"phoneType": "Mobile", "phoneNumber": "0900", "default": True}]
    ids = [client.create(customerNumber="7", phoneContacts=phones).json()["crmId"] for _ in range(2)]
    assert sorted(ids) == sorted(row["crmId"] for row in sandbox.crm.by_number("7"))
    assert sandbox.crm.records[ids[0]]["phoneContacts"][0].keys() >= {"id", "extension", "continuedNumber"}
    sandbox.crm.refuse_double_number = True
    refused = client.create(customerNumber="7")
    assert (refused.status_code, refused.json()["errorDetails"][0]["field"]) == (400, "customerNumber")
    sandbox.crm.answer_key = "id"
    assert client.create(customerNumber="8").json().keys() == {"id"}


@pytest.mark.parametrize(
    "wrong",
    [{"firstname": "x"}, {"crmObjectTypeCode": "nonsense"}, {"crmObjectTypeCode": None}, {"lastName": 7},
     {"lastName": " "}, {"phoneContacts": [{"number": "0900"}]}, {"phoneContacts": {}}, {"balance": 1},
     {"categories": [{"key": "unknown"}]}, {"registerNumber": "1"}, {"birthDate": "1990/01/01"}, {"customerNumber": 12}],
)  # fmt: skip
def test_a_strict_crm_creates_nothing_that_is_not_documented(
    sandbox: Sandbox, client: Client, wrong: dict[str, Any]
) -> None:
    sandbox.crm.strict = True
    assert client.create(**wrong).status_code == 400
    assert not sandbox.crm.records


def test_update_and_delete(sandbox: Sandbox, client: Client) -> None:
    crm_id = sandbox.crm.add_person(lastName="a", customerNumber="1", email="a@example.com")
    assert client.crm("person/update", {"crmId": crm_id, "email": "b@example.com"}).status_code == 200
    assert (sandbox.crm.records[crm_id]["email"], sandbox.crm.records[crm_id]["lastName"]) == ("b@example.com", "a")
    sandbox.crm.update_keeps = False
    client.crm("person/update", {"crmId": crm_id, "lastName": "c"})
    assert (sandbox.crm.records[crm_id]["email"], sandbox.crm.records[crm_id]["lastName"]) == ("", "c")
    assert client.crm("organization/delete", {"id": crm_id, "option": 0}).status_code == 404
    assert client.crm("person/delete", {"id": crm_id, "option": 0}).status_code == 200
    assert crm_id not in sandbox.crm.records
    assert client.find()["total"] == 0


def test_an_unknown_id_is_404_or_null(sandbox: Sandbox, client: Client) -> None:
    assert client.crm("person/get", {"id": UNKNOWN}).status_code == 404
    sandbox.crm.unknown_id = "null"
    answer = client.crm("person/get", {"id": UNKNOWN})
    assert (answer.status_code, answer.text) == (200, "null")
    assert client.crm("person/get", {"crmId": UNKNOWN}).status_code == 400


def test_documents_carry_money_with_its_decimals_and_rows_in_find_by_switch(sandbox: Sandbox, client: Client) -> None:
    owner = sandbox.crm.add_person(lastName="a")
    row = {"productCode": "P1", "count": 2, "baseUnitPrice": 50000, "totalVat": 9000}
    quote = sandbox.crm.add_quote(owner, [row], number="100-1404/15")
    text = client.crm("quote/sales/get", {"id": quote}).text
    assert '"finalValue":109000.00' in text
    assert '"count":2.0000' in text
    assert '"crmObjectTypeIndex":8' in text
    invoice = sandbox.crm.add_invoice(owner, [row], relatedQuoteId=quote)
    found = client.find(leaf("IdentityId", owner), kind="invoice/sales")["data"]
    assert [(each["crmId"], each["relatedQuoteId"], len(each["details"])) for each in found] == [(invoice, quote, 1)]
    sandbox.crm.details_in_find = "null"
    assert client.find(kind="quote/sales")["data"][0]["details"] is None
    sandbox.crm.details_in_find = "missing"
    assert "details" not in client.find(kind="quote/sales")["data"][0]
    assert client.crm("quote/sales/get", {"id": quote}).json()["details"]


def test_pascal_case_reaches_every_property_and_no_value(sandbox: Sandbox, client: Client) -> None:
    crm_id = sandbox.crm.add_person(lastName="crmId", phoneContacts=[{"phoneNumber": "0900"}])
    sandbox.crm.pascal_case = True
    record = client.crm("person/get", {"id": crm_id}).json()
    assert (record["CrmId"], record["LastName"]) == (crm_id, "crmId")
    assert record["PhoneContacts"][0]["PhoneNumber"] == "0900"
    assert not any(name[0].islower() for name in record)


# ---- finance ----


def test_finance_wants_the_upper_case_hash_and_the_bare_session_id(sandbox: Sandbox, client: Client) -> None:
    user = sandbox.finance.user
    for password in (user.plain, user.hash.lower()):
        answer = client.siagh("/GeneralApi/LoginUser", {"UserName": user.name, "Password": password})
        assert (answer.status_code, answer.json()) == (401, {"Message": "Invalid username or password"})
    session = str(client.finance_session.headers["Authorization"])
    for wrong in (f"Bearer {session}", f"{session}:0", ""):
        headers = {"Authorization": wrong}
        assert requests.get(sandbox.finance_url + GET_ALL, headers=headers, timeout=PATIENCE).status_code == 401
    sandbox.finance.expire_sessions()
    assert client.siagh(GET_ALL, {}).status_code == 401


def test_get_all_is_one_array_and_filters_by_equality(sandbox: Sandbox, client: Client) -> None:
    codes = [sandbox.finance.add_contact(Name=f"n{i}", TelNo=f"021{i % 2}", NationalCode="1") for i in range(1201)]
    everything = client.finance_session.get(sandbox.finance_url + GET_ALL, timeout=PATIENCE).json()
    assert [contact["Code"] for contact in everything] == codes
    assert len(everything[0]) > 40
    assert client.contacts() == everything
    assert [c["Name"] for c in client.contacts(Code=codes[5])] == ["n5"]
    assert client.contacts(Code=1) == []
    assert len(client.contacts(TelNo="0211")) == 600
    assert len(client.contacts(NationalCode="2")) == 1201  # an unknown filter is ignored ...
    sandbox.finance.filters.add("NationalCode")
    assert client.contacts(NationalCode="2") == []
    sandbox.finance.unknown_filter = "refuse"  # ... or refused
    assert client.contacts(Name="n5")["ReturnValue"] is False


def test_a_contact_is_created_each_time_and_read_back_without_its_tmpid(sandbox: Sandbox, client: Client) -> None:
    answers = [client.save(ctrl(tmpid="12345", taraftype="1", gender="", codeshahr="7")) for _ in range(2)]
    assert [answer["ReturnValue"] for answer in answers] == [True, True]
    codes = [answer["ReturnCode"] for answer in answers]
    assert all(isinstance(code, str) for code in codes)
    assert codes[0] != codes[1]
    contact = client.contacts(Code=int(codes[0]))[0]
    assert (contact["Name"], contact["TowardType"], contact["IsActive"]) == ("علی نوری", True, True)
    assert (contact["tmpid"], contact["Gender"], contact["CityCode"]) == (None, None, "7")
    assert sandbox.finance.contacts[int(codes[0])]["tmpid"] == "12345"


@pytest.mark.parametrize("separator", ["|", "\n", "\r\n", "\r", "\u2028", "\x0b"])
def test_a_value_can_smuggle_a_field_in(sandbox: Sandbox, client: Client, separator: str) -> None:
    answer = client.save(ctrl(fullname=f"Ali{separator}gn_web_users.isactive=0"))
    contact = sandbox.finance.contacts[int(answer["ReturnCode"])]
    assert (contact["Name"], contact["IsActive"]) == ("Ali", False)
    assert client.save(ctrl(fullname="a=b=c"))["ReturnValue"] is True
    assert sandbox.finance.contacts[int(answer["ReturnCode"]) + 1]["Name"] == "a=b=c"


@pytest.mark.parametrize(
    "spoil",
    [lambda text: text.replace("|gn_web_users.tmpid=", ""),
     lambda text: text + "|gn_web_users.nonsense=1",
     lambda text: text.replace("fullname=علی نوری", "fullname=علی|نوری"),
     lambda text: "|".join(reversed(text.split("|"))),
     lambda text: text.replace("isactive=1", "isactive=true"),
     lambda text: text.replace("#nickname#", "x"),
     lambda text: text + "|Param1=5"],
)  # fmt: skip
def test_a_strict_siagh_refuses_a_form_that_is_not_as_documented(
    sandbox: Sandbox, client: Client, spoil: Callable[[str], str]
) -> None:
    sandbox.finance.strict = True
    assert client.save(spoil(ctrl()))["ReturnValue"] is False
    assert not sandbox.finance.contacts


@pytest.mark.parametrize("change", [{"postCode": "1"}, {"flowId": None}, {"dataRows": []}, {"formId": "X"}, {"a": ""}])
def test_a_strict_siagh_refuses_an_envelope_that_is_not_as_documented(
    sandbox: Sandbox, client: Client, change: dict[str, Any]
) -> None:
    sandbox.finance.strict = True
    assert client.save(ctrl(), **change)["ReturnValue"] is False


def test_an_update_sets_every_field_and_empties_those_sent_empty(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a", Email="a@example.com", FatherName="f", MobileNo="0900")
    assert client.save(ctrl(code, mobileno="0900"), f"CodeMain={code}")["ReturnCode"] == str(code)
    contact = sandbox.finance.contacts[code]
    assert (contact["Name"], contact["Email"], contact["FatherName"]) == ("علی نوری", "", "f")
    sandbox.finance.edit(code, Email="b@example.com")
    sandbox.finance.empty_key_empties = False
    client.save(ctrl(code, mobileno="0900"), f"CodeMain={code}")
    assert sandbox.finance.contacts[code]["Email"] == "b@example.com"


def test_an_update_with_a_code_that_is_unknown_or_named_once_makes_a_new_contact(
    sandbox: Sandbox, client: Client
) -> None:
    code = sandbox.finance.add_contact(Name="a")
    for param, main in ((999, 999), (code, 999), (None, code), (code, "")):
        answer = client.save(ctrl(param), f"CodeMain={main}")
        assert answer["ReturnValue"] is True
        assert answer["ReturnCode"] not in (str(param), str(main))
    assert sandbox.finance.contacts[code]["Name"] == "a"
    assert len(sandbox.finance.contacts) == 5


def test_a_phone_may_be_there_only_once(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a", MobileNo="0900 123", TelNo="021")
    assert client.save(ctrl(mobileno="0900-123"))["Errors"][0]["Description"] == "شماره موبایل نمی تواند تکراری باشد."
    refused = client.save(ctrl(telno="021", mobileno="0900123"))
    assert [error["Description"] for error in refused["Errors"]] == [
        "شماره موبایل نمی تواند تکراری باشد.", "شماره تلفن نمی تواند تکراری باشد.",
    ]  # fmt: skip
    assert client.save(ctrl(code, mobileno="0900123"), f"CodeMain={code}")["ReturnValue"] is True  # its own
    assert client.save(ctrl(mobileno="+98900123"))["ReturnValue"] is True  # other digits
    sandbox.finance.phone_spelling = "national"
    assert client.save(ctrl(mobileno="900123"))["ReturnValue"] is False
    sandbox.finance.unique_phones = ("TelNo",)
    assert client.save(ctrl(mobileno="0900123"))["ReturnValue"] is True


# ---- pre-invoices ----


def test_a_pre_invoice_is_posted_and_says_so_inside_errors(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    answer = post(client, code)
    assert answer["ReturnValue"] is True
    assert (answer["ReturnCode"], answer["ReturnParams"]) == ("15459", "458640")
    assert answer["Errors"] == [
        {"ColName": "", "Group": "", "ErrorType": "ErrSuccs", "ErrorCode": 0, "MessageText": "", "Solution": "",
         "HelpIndex": "",
         "Description": "پیش فاکتور فروش با موفقیت به شماره 2488 ثبت گردید خالص سند: 5,720,000"}
    ]  # fmt: skip
    assert answer["FinalMessages"] == ["پیش فاکتور فروش با موفقیت به شماره 2488 ثبت گردید"]
    posted = sandbox.finance.preinvoices[0]
    assert (posted.number, posted.customer, posted.rows[0]["codekala"], posted.net) == (
        2488,
        code,
        "P1",
        Decimal(5720000),
    )
    assert posted.fields["tozihat"] == "CRM 100-1404/15"
    sandbox.finance.reports_tax_in_net = True
    assert "خالص سند: 6,292,000" in post(client, code)["Errors"][0]["Description"]


@pytest.mark.parametrize(
    ("row", "head", "message"),
    [({"price": 0}, {}, "قیمت ردیف 1 درست وارد نشده است"), ({"codekala": "none"}, {}, "کد کالای ردیف 1"),
     ({"qty": 0, "finalqty": 0}, {}, "تعداد ردیف 1"), ({}, {"codemoshtari": "999"}, "مشتری"),
     ({}, {"salmali": "1399"}, "سال مالی"), ({}, {"codemarkazforush": ""}, "RUNTIME ERROR"),
     ({}, {"codevaseteh": ""}, "RUNTIME ERROR"), ({"vazn": 0}, {}, "vazn"), ({"radif": "2"}, {}, "radif"),
     ({}, {"tozihat": "a|b"}, "unknown key"), ({"finalqty": 3}, {}, "finalqty")],
)  # fmt: skip
def test_a_wrong_pre_invoice_is_refused_and_not_posted(
    sandbox: Sandbox, client: Client, row: dict[str, Any], head: dict[str, str], message: str
) -> None:
    sandbox.finance.products = {"P1"}
    sandbox.finance.strict = message.isascii() and message != "RUNTIME ERROR"
    answer = post(client, sandbox.finance.add_contact(Name="a"), cells(**row), **head)
    assert answer["ReturnValue"] is False
    assert message in answer["Errors"][0]["Description"]
    assert answer["Errors"][0]["ErrorCode"] == -1
    assert not sandbox.finance.preinvoices


# ---- faults ----


@pytest.mark.parametrize(
    ("kind", "committed", "error"),
    [("reset_before", False, "reset by peer"), ("reset_after", True, "reset by peer"),
     ("close_before", False, "RemoteDisconnected"), ("close_after", True, "RemoteDisconnected"),
     ("cut", True, "IncompleteRead")],
)  # fmt: skip
def test_a_broken_connection(sandbox: Sandbox, client: Client, kind: Any, committed: bool, error: str) -> None:
    fault = sandbox.faults.arm(Fault(kind, "crm:person/create"))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError), match=error):
        client.create()
    assert len(sandbox.crm.records) == int(committed)
    assert fault.used == 1
    assert client.create().status_code == 200  # once only


@pytest.mark.parametrize(
    ("kind", "committed", "status"),
    [("refuse_before", False, 503), ("status_after", True, 500), ("html", False, 200), ("redirect", False, 302)],
)
def test_an_answer_in_place_of_the_real_one(
    sandbox: Sandbox, client: Client, kind: Any, committed: bool, status: int
) -> None:
    sandbox.faults.arm(Fault(kind, "crm", times=None))
    assert client.create().status_code == status
    assert client.create().status_code == status
    assert len(sandbox.crm.records) == 2 * int(committed)
    sandbox.faults.clear()
    sandbox.faults.arm(Fault(kind, "crm", status=429, retry_after=7, commit=True))
    answer = client.create()
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == (None if kind in ("html", "redirect") else "7")


@pytest.mark.parametrize(("kind", "committed"), [("hang_before", False), ("hang_after", True)])
def test_silence_that_ends_with_the_connection(sandbox: Sandbox, client: Client, kind: Any, committed: bool) -> None:
    sandbox.faults.arm(Fault(kind, "crm:person/create", seconds=0.3, then="close"))
    with pytest.raises(requests.ConnectionError):
        client.create()
    assert len(sandbox.crm.records) == int(committed)


@pytest.mark.parametrize("kind", ["hang_before", "hang_after"])
def test_silence_that_ends_with_the_work_done(sandbox: Sandbox, client: Client, kind: Any) -> None:
    sandbox.faults.arm(Fault(kind, "crm:person/create", seconds=3))
    with pytest.raises(requests.ReadTimeout):
        client.create(timeout=0.3)
    wait_for(lambda: len(sandbox.crm.records) == 1)


def test_a_late_commit_comes_after_the_connection_is_closed(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.arm(Fault("late_commit", "finance:SaveFormData/create", seconds=3))
    with pytest.raises(requests.ConnectionError):
        client.save(ctrl())
    assert not sandbox.finance.contacts
    wait_for(lambda: len(sandbox.finance.contacts) == 1)


@pytest.mark.parametrize(("kind", "first"), [("drip", b"HTTP/1.1 200 OK\r\n"), ("drip_headers", b"H")])
def test_dripping(sandbox: Sandbox, client: Client, kind: Any, first: bytes) -> None:
    sandbox.faults.arm(Fault(kind, "finance:LoginUser", seconds=0.01))
    user = sandbox.finance.user
    body = json.dumps({"UserName": user.name, "Password": user.hash}).encode()
    head = "POST /GeneralApi/LoginUser HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    port = int(sandbox.finance_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as wire:
        wire.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        pieces = list(iter(lambda: wire.recv(65536), b""))
    assert pieces[0].startswith(first)
    assert len(pieces) > 5
    answer = b"".join(pieces)
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["SessionId"] in sandbox.secrets()


@pytest.mark.parametrize("body", [b"null", b'{"crmId": ', b"\xff\xfe", b"[" * 100_000, b'{"crmId": NaN}', b""])
def test_any_bytes_as_json(sandbox: Sandbox, client: Client, body: bytes) -> None:
    sandbox.faults.arm(Fault("json", "crm:person/create", body=body, commit=True))
    answer = client.create()
    assert (answer.status_code, answer.content) == (200, body)
    assert len(sandbox.crm.records) == 1


def test_answers_that_are_too_big(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.arm(Fault("big", "crm", size=3_000_000))
    assert len(client.create().content) == 3_000_000
    sandbox.faults.arm(Fault("gzip_bomb", "crm", size=20_000_000))
    answer = client.create()
    assert int(answer.headers["Content-Length"]) < 100_000
    assert len(answer.content) == 20_000_000
    sandbox.faults.arm(Fault("big", "crm"))
    url = f"{sandbox.crm_url}/api/v2/crmobject/person/create"
    with client.crm_session.post(url, json={}, stream=True, timeout=PATIENCE) as endless:
        assert len(endless.raw.read(5_000_000)) == 5_000_000
    assert not sandbox.crm.records
    assert client.create().status_code == 200


def test_a_token_that_ends_and_names_that_change_their_case(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.arm(Fault("pascal", "crm"))
    assert client.create().json().keys() == {"CrmId"}
    sandbox.faults.arm(Fault("camel", "finance"))
    assert client.save(ctrl())["returnValue"] is True
    sandbox.faults.arm(Fault("expire", "crm"))
    assert client.create().status_code == 401
    sandbox.faults.arm(Fault("expire", "finance"))
    assert client.siagh(GET_ALL, {}).status_code == 401


def test_a_fault_hits_only_the_requests_it_is_meant_for(sandbox: Sandbox, client: Client) -> None:
    sandbox.faults.arm(Fault("refuse_before", "crm:person", match=lambda body: body.get("customerNumber") == "2"))
    sandbox.faults.arm(Fault("status_after", "crm:person/create", containing="کریمی", skip=1, times=2))
    assert client.create(customerNumber="1").status_code == 200
    assert client.create(customerNumber="2").status_code == 503
    assert client.create(customerNumber="2").status_code == 200
    assert [client.create(lastName="کریمی").status_code for _ in range(4)] == [200, 500, 500, 200]
    with pytest.raises(ValueError, match="no fault"):
        Fault("nonsense", "crm")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no crm:persons"):
        sandbox.faults.arm(Fault("cut", "crm:persons/create"))


# ---- watching ----


def test_events_come_in_order_and_a_read_commits_nothing(sandbox: Sandbox, client: Client) -> None:
    seen: list[tuple[str, str, str, int]] = []

    def watch(system: str, endpoint: str, stage: str) -> None:
        if endpoint.startswith("person/"):  # the fixture's login may still be on its way out
            seen.append((system, endpoint, stage, len(sandbox.crm.records)))

    stop = sandbox.on_event(watch)
    client.create()
    client.find()
    wait_for(lambda: len(seen) == 6)  # the client may read an answer before the server says that it is out
    stop()
    client.find()
    assert seen == [
        ("crm", "person/create", "received", 0),
        ("crm", "person/create", "before_commit", 0),
        ("crm", "person/create", "committed", 1),
        ("crm", "person/create", "answered", 1),
        ("crm", "person/find", "received", 1),
        ("crm", "person/find", "answered", 1),
    ]


def test_the_journal_keeps_bodies_counts_and_the_most_at_once(sandbox: Sandbox, client: Client) -> None:
    sandbox.journal.reset()
    sandbox.finance.latency = 3
    threads = [threading.Thread(target=client.save, args=(ctrl(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sandbox.journal.count("finance", "SaveFormData") == 3
    assert sandbox.journal.count("finance", "SaveFormData/create") == 3
    assert sandbox.journal.count() == 3
    assert sandbox.journal.peak["finance"] == 3
    entry = sandbox.journal.of("finance")[0]
    assert (entry.method, entry.path, entry.body["formId"]) == ("POST", "/BpmsApi/SaveFormData", "2BFDA")
    sandbox.journal.reset()
    sandbox.journal.keep = False
    client.create()
    assert (sandbox.journal.count("crm"), sandbox.journal.entries) == (1, [])


def test_the_control_door_edits_records_arms_faults_and_sets_switches(sandbox: Sandbox, client: Client) -> None:
    def door(method: str, path: str, body: Any = None) -> Any:
        return requests.request(method, f"{sandbox.crm_url}/_sandbox/{path}", json=body, timeout=PATIENCE)

    crm_id = door("POST", "person", {"lastName": "a"}).json()["crmId"]
    assert door("PATCH", f"person/{crm_id}", {"lastName": "b"}).status_code == 200
    assert door("GET", f"person/{crm_id}").json()["lastName"] == "b"
    assert door("GET", f"quote/{crm_id}").status_code == 404
    code = door("POST", "contact", {"Name": "c"}).json()["Code"]
    assert door("PATCH", f"contact/{code}", {"Nme": "d"}).status_code == 400
    assert door("DELETE", f"contact/{code}").status_code == 200
    assert not sandbox.finance.contacts
    assert door("POST", "faults", {"kind": "refuse_before", "where": "crm:person/create"}).status_code == 200
    assert door("GET", "faults").json()[0]["kind"] == "refuse_before"
    assert client.create().status_code == 503
    assert door("PATCH", "switches", {"crm": {"page_cap": 1}, "finance": {"filters": ["Name"]}}).status_code == 200
    assert (sandbox.crm.page_cap, sandbox.finance.filters) == (1, {"Name"})
    assert door("PATCH", "switches", {"crm": {"records": 1}}).status_code == 404
    assert door("GET", "counts").json()["requests"]["crm"]["person/create"] == 1
    assert door("GET", "journal").json()[-1]["endpoint"] == "person/create"
    assert door("POST", "nonsense", {}).status_code == 404


def test_secrets_name_everything_that_must_not_leak(sandbox: Sandbox, client: Client) -> None:
    secrets, settings = sandbox.secrets(), sandbox.settings()
    assert {settings["CRM_PASSWORD"], settings["FINANCE_PASSWORD"]} <= secrets
    assert str(client.crm_session.headers["Authorization"]).removeprefix("Bearer ") in secrets
    assert str(client.finance_session.headers["Authorization"]) in secrets


def test_requests_that_are_not_http_as_documented(sandbox: Sandbox, client: Client) -> None:
    url = f"{sandbox.crm_url}/api/v2/crmobject/person/find"
    typed = {"Content-Type": "application/json"}
    session = client.crm_session
    assert session.get(url, timeout=PATIENCE).status_code == 405
    assert session.post(url, data=b"{}", timeout=PATIENCE).status_code == 415
    for body in (b"", b"{", b"\xff", b'{"pageSize": NaN}', b"[" * 100_000):
        assert session.post(url, data=body, headers=typed, timeout=PATIENCE).status_code == 400
    sandbox.crm.strict = True
    shapes: list[Any] = [None, [], {}, {"pageNumber": 1, "pageSize": 0}, {"pageNumber": 1, "pageSize": 1, "page": 1}]
    for shape in shapes:
        assert session.post(url, data=json.dumps(shape), headers=typed, timeout=PATIENCE).status_code == 400
    assert session.post(url, json={"pageNumber": 1, "pageSize": 1}, timeout=PATIENCE).status_code == 200
    for path in (GET_ALL, "/GeneralApi/LoginUser"):
        assert client.siagh(path, ["x"]).status_code == 400


# ---- people ----


def test_invented_customers_are_the_same_for_a_seed_unique_and_mostly_right() -> None:
    crowd = list(customers(3000, seed=7))
    assert crowd == list(customers(3000, seed=7))
    assert crowd != list(customers(3000, seed=8))
    for values in ([c.mobile for c in crowd if c.mobile], [c.national_id for c in crowd if c.national_id]):
        assert len(set(values)) == len(values)
    plain = [c for c in crowd if c.national_id.isascii() and len(c.national_id) >= 10]
    right = sum(
        c.national_id == (legal_id if c.organization else national_code)(int(c.national_id[:-1])) for c in plain
    )
    assert 0.98 < right / len(plain) < 1
    assert any("\u200c" in c.name for c in crowd)
    assert any("ي" in c.name for c in crowd)
    assert national_code(1_234_567_89) == "1234567891"


def test_a_filled_sandbox_has_users_customers_inactive_ones_and_doubles_in_the_crm() -> None:
    with Sandbox(customers=20, also_in_crm=5) as sandbox:
        contacts = sandbox.finance.contacts.values()
        assert sum(c["IsAdminUser"] for c in contacts) == 2
        assert sum(not c["IsActive"] for c in contacts) == 2
        assert len(contacts) == 24
        assert all(c["Password"] in sandbox.secrets() for c in contacts if c["IsAdminUser"])
        numbers = {record["customerNumber"] for record in sandbox.crm.records.values()}
        assert len(numbers) == 5
        assert numbers <= {str(code) for code in sandbox.finance.contacts}


def test_serving_says_the_settings_and_ends_with_whoever_asked_for_it() -> None:
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(line)
        if len(lines) == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        serve_forever(say, customers=1)
    settings = dict(line.split("=", 1) for line in lines)
    assert settings.keys() == {f"CRM_{n}" for n in NAMES} | {f"FINANCE_{n}" for n in NAMES}
    with pytest.raises(requests.ConnectionError):
        requests.get(settings["CRM_API_BASE_URL"], timeout=1)


def test_a_closed_sandbox_is_gone_and_its_port_can_be_taken_again() -> None:
    with Sandbox() as first:
        port = int(first.crm_url.rpartition(":")[2])
        first.faults.arm(Fault("hang_before", "crm", seconds=60))
        with pytest.raises(requests.ReadTimeout):
            requests.post(f"{first.crm_url}/api/v2/auth/login", json={}, timeout=0.3)
    with pytest.raises(requests.ConnectionError):
        requests.get(first.crm_url, timeout=1)
    with Sandbox(crm_port=port) as second:
        assert second.crm_url == first.crm_url
        with pytest.raises(OSError, match="in use"):
            Sandbox(finance_port=port)
