"""The sandbox takes every body that a live server took, and answers as it did."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from siaghsync.sandbox import Sandbox
from tests.contract.client import GET_ALL, LOGIN, UNKNOWN, Client, cells, ctrl, leaf, post
from tests.patience import PATIENCE

CAPTURED_CREATE = {
    "crmObjectTypeCode": "person", "parentCrmObjectId": None, "refId": "x", "stageId": None, "colorId": 3,
    "description": "توضیح", "subject": "موضوع", "assignedToUserName": "webservice", "nickName": "رضا نوری",
    "firstName": "رضا", "lastName": "نوری", "birthDate": "1990-01-01T20:30:00.000Z", "gender": "male",
    "personPrefix": "آقای", "degree": "لیسانس", "paymentStatusType": "نقدی", "areasOfInterest": "", "mannerType": "",
    "spouse": "", "hobbies": "", "children": "", "organizations": [], "customerNumber": "100-1234",
    "customerDate": "2025-12-21T10:36:17.173Z", "categories": [{"id": None, "key": "syaghcontact", "type": "x"}],
    "dontSms": False, "dontEmail": False, "supportUsername": "a", "facebookUsername": "", "preferredContactType": "Phone",
    "nationalCode": "0012345678", "economicCode": "1", "sourceTypeIndex": 1, "tags": ["t"],
    "extendedProperties": [{"value": "1", "userKey": "k", "preview": {"name": "n", "object": "o"}}],
    "phoneContacts": [{"default": True, "phoneType": "Mobile", "phoneNumber": "09001112233"}],
    "addressContacts": [{"default": True, "address": "خیابان نمونه", "longitude": 51.1, "latitude": None}],
}  # fmt: skip


def without_prefix(code: int | None = None) -> str:
    """A form as captured: no taraftype, no passno, other keys, another order, a bare tmpid at the end."""
    first = [f"Param1={code}"] if code else []
    return "|".join(
        [*first, "gn_web_users.mobileno=09001112233", "gn_web_users.fullname=رضا نوری", "gn_web_users.password=secret",
         "gn_web_users.nickname=رضا", "gn_web_users.isactive=1", "gn_web_users.unheard=1", "tmpid="]
    )  # fmt: skip


# ---- the CRM ----


def test_four_keys_are_enough_to_log_in(sandbox: Sandbox, client: Client) -> None:
    url = f"{sandbox.crm_url}/api/v2/auth/login"
    four = {name: LOGIN[name] for name in ("username", "deviceId", "platformType")}
    body = {**four, "password": sandbox.crm.account.password}
    assert requests.post(url, json=body, timeout=PATIENCE).status_code == 200
    pascal = {name[0].upper() + name[1:]: value for name, value in body.items()}
    assert requests.post(url, json={**pascal, "unheard": 1}, timeout=PATIENCE).status_code == 200
    assert client.login(platformType=4, token=None).status_code == 200
    for name in body:
        less = {each: value for each, value in body.items() if each != name}
        assert requests.post(url, json=less, timeout=PATIENCE).status_code == 400


def test_a_live_creates_body_is_taken_whole_and_given_back(sandbox: Sandbox, client: Client) -> None:
    answer = client.crm("person/create", CAPTURED_CREATE)
    assert answer.status_code == 200, answer.text
    record = client.crm("person/get", {"id": answer.json()["crmId"]}).json()
    kept = ("colorId", "subject", "assignedToUserName", "degree", "preferredContactType", "gender", "economicCode")
    assert {name: record[name] for name in kept if name in record} == {
        name: CAPTURED_CREATE[name] for name in kept if name != "economicCode"
    }
    assert record["birthDate"] == "1990-01-02T00:00:00"  # in Tehran, without an offset
    assert record["customerDate"] == "2025-12-21T14:06:17.173"
    assert record["identityTypeName"] == "Person"
    assert record["extendedProperties"] == [{"value": "1", "userKey": "k", "preview": {"name": "n", "object": "o"}}]
    update = {"crmId": record["crmId"].upper(), "NickName": "دیگری", "Unheard": {"a": [1]}, "customerNumber": 77}
    assert client.crm("person/update", update).status_code == 200
    assert [sandbox.crm.records[record["crmId"]][name] for name in ("nickName", "customerNumber")] == ["دیگری", "77"]


def test_gender_is_a_text(sandbox: Sandbox, client: Client) -> None:
    ids = [sandbox.crm.add_person(lastName="x", gender=gender) for gender in (1, 0, "زن", None)]
    shown = [client.crm("person/get", {"id": crm_id}).json()["gender"] for crm_id in ids]
    assert shown == ["male", "female", "زن", None]


@pytest.mark.parametrize(
    "body",
    [{}, {"pageNumber": 0, "pageSize": 500}, {"PageNumber": 0, "PageSize": 5, "SearchTerm": ""},
     {"pageNumber": None, "pageSize": None, "searchTerm": None, "unheard": True}],
)  # fmt: skip
def test_search_takes_what_the_known_clients_send(sandbox: Sandbox, client: Client, body: Any) -> None:
    crm_id = sandbox.crm.add_person(lastName="x", customerNumber="1")
    answer = client.crm("identity/search", body)
    assert answer.json() == [{"identityId": crm_id, "nickName": "x", "customerNo": "1"}]


@pytest.mark.parametrize(
    "body",
    [{}, {"pageNumber": None, "pageSize": None, "queries": None, "orders": None, "typeKey": None},
     {"TypeKey": "person", "Queries": [{"Field": "LastName", "Value": "x"}], "PageNumber": 1, "PageSize": 10},
     {"queries": [], "selectFields": ["crmId"], "leafs": None, "leafLogicalOperator": None},
     {"queries": [{"logicalOperator": 0, "operator": 0, "field": "lastName", "value": "x", "fieldOperator": 0}]},
     {"queries": [{"field": "Unheard", "operator": 0, "value": "y"}], "orders": [{"field": "Unheard"}]},
     {"queries": [{"field": "ModifyDate", "operator": 2, "value": "2020-01-01T00:00:00+03:30"}]}],
)  # fmt: skip
def test_find_takes_what_the_known_clients_send(sandbox: Sandbox, client: Client, body: Any) -> None:
    crm_id = sandbox.crm.add_person(lastName="x")
    answer = client.crm("person/find", body).json()
    assert ([row["crmId"] for row in answer["data"]], answer["total"]) == ([crm_id], 1)


@pytest.mark.parametrize(
    ("operator", "value", "found"),
    [(8, "x", "abc"), (9, "2", "abc"), (10, "^a|c", "ac"), (14, "x", "abc"), (15, "1", "abc"), (15, "2", ""), (3, "a, b", "ab"),
     (7, "a", "bc"), (12, "b", "b")],
)  # fmt: skip
def test_every_operator_of_the_vendor_is_taken(
    sandbox: Sandbox, client: Client, operator: int, value: str, found: str
) -> None:
    for name in "abc":
        sandbox.crm.add_person(lastName=name)
    rows = client.find(leaf("LastName", value, operator))["data"]
    assert "".join(sorted(row["lastName"] for row in rows)) == found


def test_and_not_or_not_and_brackets(sandbox: Sandbox, client: Client) -> None:
    for name in "abcd":
        sandbox.crm.add_person(lastName=name)

    def names(*queries: dict[str, Any]) -> str:
        return "".join(sorted(row["lastName"] for row in client.find(*queries)["data"]))

    a, b, c = (leaf("LastName", name) for name in "abc")
    assert names({**a, "logicalOperator": 2}) == "bcd"
    assert names(a, {**b, "logicalOperator": 3}) == "acd"
    brackets = {"logicalOperator": 0, "leafs": [a, b, c], "leafLogicalOperator": 1, "leafNegate": False}
    assert names(brackets) == "abc"
    assert names({**brackets, "leafNegate": True}) == "d"
    assert names(leaf("LastName", "c", 6), brackets) == "ab"


def test_get_takes_all_flags(sandbox: Sandbox, client: Client) -> None:
    crm_id = sandbox.crm.add_person(lastName="x")
    flags = ("showPreviews", "showExtendedPreviews", "includeProcessLifePaths", "includeColor", "includeTags")
    body = {"Id": crm_id, **dict.fromkeys(flags, True), "includeListFields": False}
    assert client.crm("person/get", body).json()["crmId"] == crm_id
    assert client.crm("person/get", {"identityId": crm_id}).status_code == 400


def test_a_missing_subtype_is_the_usual_one(sandbox: Sandbox, client: Client) -> None:
    crm_id = client.crm("organization/create", {"nickName": "شرکت"}).json()["crmId"]
    assert sandbox.crm.records[crm_id]["crmObjectTypeCode"] == "organization"


# ---- Siagh ----


def test_siaghs_login_reads_names_in_any_case(sandbox: Sandbox, client: Client) -> None:
    user = sandbox.finance.user
    body = {"userName": user.name, "password": user.hash, "Remember": True}
    assert client.siagh("/GeneralApi/LoginUser", body).json()["SessionId"]


def test_a_live_form_with_other_keys_is_taken(sandbox: Sandbox, client: Client) -> None:
    answer = client.save(without_prefix())
    assert answer["ReturnValue"] is True
    code = int(answer["ReturnCode"])
    contact = client.contacts(Code=code)[0]
    assert (contact["Name"], contact["NickName"], contact["MobileNo"]) == ("رضا نوری", "رضا", "09001112233")
    assert contact["Password"] not in ("secret", None)
    assert contact["Password"] in sandbox.secrets()
    again = client.save(without_prefix(code) + "|gn_web_users.email=a@example.com", f"CodeMain={code}")
    assert (again["ReturnCode"], len(sandbox.finance.contacts)) == (str(code), 1)
    assert client.contacts(Code=code)[0]["Email"] == "a@example.com"


@pytest.mark.parametrize(
    "change", [{"postCode": "1"}, {"flowId": None}, {"attachments": None}, {"dataRows": ""}, {"unheard": ""}]
)
def test_an_envelope_may_differ(sandbox: Sandbox, client: Client, change: dict[str, Any]) -> None:
    assert client.save(ctrl(), **change)["ReturnValue"] is True
    assert len(sandbox.finance.contacts) == 1


def test_a_refusal_has_the_full_shape(client: Client) -> None:
    client.save(ctrl(telno="02188888888"))
    assert client.save(ctrl(telno="02188888888")) == {
        "Errors": [
            {"ColName": "", "Group": "", "ErrorType": "ErrError", "Description": "شماره تلفن نمی تواند تکراری باشد.",
             "ErrorCode": -1, "MessageText": "", "Solution": "", "HelpIndex": ""}
        ],
        "FinalMessages": [],
        "ReturnValue": False,
        "ReturnCode": "",
        "ReturnParams": "",
    }  # fmt: skip


def test_a_filter_may_have_its_code_as_a_text_and_its_name_in_camel_case(sandbox: Sandbox, client: Client) -> None:
    code = sandbox.finance.add_contact(Name="a")
    sandbox.finance.add_contact(Name="b")
    for body in ({"Code": str(code)}, {"code": code}):
        assert [contact["Code"] for contact in client.siagh(GET_ALL, body).json()] == [code]


def test_the_vendors_own_pre_invoice_is_taken(sandbox: Sandbox, client: Client) -> None:
    """Picture A: party and contact, a Suid without dashes, centre and sale model independent, few cells."""
    code = sandbox.finance.add_contact(Name="a", AccountPartyCode=5500014)
    row = {name: {"newValue": value} for name, value in {"codekala": "P1", "qty": 1.5, "price": 100}.items()}
    answer = client.save(
        f"sl_sanad.codemoshtari=5500014|sl_sanad.codecontact={code}|sl_sanad.salmali={sandbox.finance.year()}"
        "|sl_sanad.codesalemodel=1|sl_sanad.codemarkazforush=2|sl_sanad.codevaseteh=7|sl_sanad.unheard=1",
        "_In_Suid=0123456789ABCDEF0123456789ABCDEF",
        formId="43D81",
        dataRows=json.dumps([{"name": "dbgrid1", "data": [row]}]),
    )
    assert answer["ReturnValue"] is True
    posted = sandbox.finance.preinvoices[0]
    assert (posted.customer, posted.suid, str(posted.net)) == (code, "0123456789ABCDEF0123456789ABCDEF", "150.0")


def test_the_earlier_synchronisers_pre_invoice_is_taken(sandbox: Sandbox, client: Client) -> None:
    """Picture B: the contact's code as customer, a Suid with dashes, `item-0` as row id."""
    code = sandbox.finance.add_contact(Name="a")
    answer = post(client, code, cells(__uid="item-0", qty=2, finalqty=2, mabtakhfif=0, price=50000))
    assert answer["ReturnValue"] is True
    assert sandbox.finance.preinvoices[0].customer == code


# ---- addresses that are not there ----


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/crm/customers?pageNumber=1", "/api/v2/crmobject/form/find", "/webhooks"])
def test_an_address_that_the_crm_does_not_have_answers_nothing(client: Client, method: str, path: str) -> None:
    answer = client.crm_session.request(method, client.sandbox.crm_url + path, json={}, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"")


def test_an_unknown_id_of_an_update_is_no_new_record(sandbox: Sandbox, client: Client) -> None:
    assert client.crm("person/update", {"crmId": UNKNOWN, "lastName": "x"}).status_code == 404
    assert not sandbox.crm.records
