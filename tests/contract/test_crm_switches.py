"""Each switch of the stand-in CRM in each of its positions."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from siaghsync.sandbox import Sandbox
from siaghsync.sandbox.people import national_code
from tests.contract.client import UNKNOWN, Client, leaf
from tests.patience import PATIENCE, wait_for

ROW = {"productCode": "P1", "count": 1, "baseUnitPrice": 1000}
OLD, LATER = "2026-01-01T00:00:00", "2026-02-01T00:00:00"


def people(sandbox: Sandbox, *dates: str) -> list[str]:
    """Persons a, b, c ... modified at these dates, numbered from 1."""
    return [
        sandbox.crm.add_person(lastName="abcdefgh"[i], customerNumber=str(i + 1), modifyDate=date)
        for i, date in enumerate(dates)
    ]


def names(answer: Any) -> str:
    return "".join(row["lastName"] for row in answer["data"])


# ---- addresses, login ----


def test_an_unknown_address_is_empty_or_404(sandbox: Sandbox, client: Client) -> None:
    assert (client.crm("none", {}).status_code, client.crm("none", {}).content) == (200, b"")
    sandbox.crm.unknown_address = "404"
    assert client.crm("none", {}).status_code == 404


@pytest.mark.parametrize("name", ["quote/sales/find", "person/find", "identity/search"])
def test_an_endpoint_can_be_missing(sandbox: Sandbox, client: Client, name: str) -> None:
    assert client.crm(name, {}).json() in ([], {"data": [], "total": 0})
    sandbox.crm.missing = {name}
    assert (client.crm(name, {}).status_code, client.crm(name, {}).content) == (200, b"")
    sandbox.crm.unknown_address = "404"
    assert client.crm(name, {}).status_code == 404
    assert sandbox.journal.count("crm", name) == 4


def test_a_token_ends_after_its_life(sandbox: Sandbox, client: Client) -> None:
    assert client.crm("person/find", {}).status_code == 200
    sandbox.crm.token_seconds = 0.0
    client.crm_session.headers["Authorization"] = f"Bearer {client.login().json()['accessToken']}"
    assert client.crm("person/find", {}).status_code == 401


def test_so_many_wrong_passwords_lock_the_account(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.max_tries = 2
    assert [client.login(password="wrong").status_code for _ in range(3)] == [401, 401, 403]
    sandbox.crm.account.unlock()
    sandbox.crm.max_tries = 3
    assert [client.login(password="wrong").status_code for _ in range(3)] == [401, 401, 401]


def test_latency_holds_every_answer_back(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.latency = 60.0
    with pytest.raises(requests.ReadTimeout):
        client.crm("person/find", {}, timeout=0.2)


# ---- the light list ----


def test_the_filter_by_kind_means_one_thing_or_the_other(sandbox: Sandbox, client: Client) -> None:
    person, firm = sandbox.crm.add_person(lastName="x"), sandbox.crm.add_organization(nickName="y")

    def of_type(number: int) -> list[str]:
        return [row["identityId"] for row in client.crm("identity/search", {"identityType": number}).json()]

    assert (of_type(1), of_type(2), sorted(of_type(0))) == ([person], [firm], sorted([person, firm]))
    sandbox.crm.identity_types = "organization 1, person 2"
    assert (of_type(1), of_type(2)) == ([firm], [person])


def test_the_light_list_shows_the_number_or_not(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.add_person(lastName="x", customerNumber="7")
    shown = []
    positions: list[Any] = ["shown", "empty", "null"]
    for position in positions:
        sandbox.crm.search_number = position
        shown.append(client.search()[0]["customerNo"])
    assert shown == ["7", "", None]


# ---- find ----


def test_find_obeys_dates_or_not(sandbox: Sandbox, client: Client) -> None:
    people(sandbox, OLD, LATER)
    since = leaf("ModifyDate", LATER, 2)
    assert (names(client.find(since)), client.find(since)["total"]) == ("b", 1)
    sandbox.crm.find_filters_by_date = False
    assert (names(client.find(since)), client.find(since)["total"]) == ("ab", 2)
    assert names(client.find(since, leaf("CustomerNumber", "1"))) == "a"


def test_find_obeys_types_or_not(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.add_person(lastName="a")
    sandbox.crm.add_person(lastName="b", crmObjectTypeCode="lead")
    assert (names(client.find(typeKey="lead")), client.find(typeKey="lead")["total"]) == ("b", 1)
    sandbox.crm.find_filters_by_type = False
    assert (sorted(names(client.find(typeKey="lead"))), client.find(typeKey="lead")["total"]) == (["a", "b"], 2)


def test_find_obeys_numbers_or_not(sandbox: Sandbox, client: Client) -> None:
    people(sandbox, OLD, LATER)
    number = leaf("CustomerNumber", "2")
    assert names(client.find(number)) == "b"
    sandbox.crm.find_filters_by_number = False
    assert names(client.find(number)) == "ab"
    assert names(client.find(number, leaf("LastName", "b"))) == "b"


def test_find_obeys_orders_or_not(sandbox: Sandbox, client: Client) -> None:
    people(sandbox, *[f"2026-01-0{day}T00:00:00" for day in range(1, 9)])
    backwards = [{"field": "ModifyDate", "order": 1}]
    assert (names(client.find()), names(client.find(orders=backwards))) == ("abcdefgh", "hgfedcba")
    sandbox.crm.find_orders = False
    assert names(client.find()) == names(client.find(orders=backwards))
    assert sorted(names(client.find())) == list("abcdefgh")
    pages = "".join(names(client.find(pageNumber=page, pageSize=3)) for page in (1, 2, 3))
    assert pages == names(client.find())
    sandbox.crm.own_order = "newest"
    assert (names(client.find()), names(client.find(orders=backwards))) == ("hgfedcba", "hgfedcba")
    sandbox.crm.own_order = "oldest"
    assert (names(client.find()), names(client.find(orders=backwards))) == ("abcdefgh", "abcdefgh")


def test_find_takes_conditions_and_orders_or_refuses_them(sandbox: Sandbox, client: Client) -> None:
    people(sandbox, OLD, LATER)
    asked = {
        "queries": [leaf("ModifyDate", LATER, 2)],
        "orders": [{"field": "ModifyDate", "order": 1}],
        "pageNumber": 1,
    }
    assert names(client.crm("person/find", asked).json()) == "b"
    sandbox.crm.find_refuses = {"modifyDate"}
    assert client.crm("person/find", asked).status_code == 400
    assert names(client.crm("person/find", {**asked, "queries": []}).json()) == "ba"
    sandbox.crm.find_refuses = {"orders"}
    assert client.crm("person/find", asked).status_code == 400
    assert names(client.crm("person/find", {**asked, "orders": []}).json()) == "b"


def test_invoices_name_the_quote_they_were_made_from_or_do_not(sandbox: Sandbox, client: Client) -> None:
    (owner,) = people(sandbox, OLD)
    crm_id = sandbox.crm.add_invoice(owner, [ROW], relatedQuoteId=UNKNOWN)
    assert client.crm("invoice/sales/get", {"id": crm_id}).json()["relatedQuoteId"] == UNKNOWN
    sandbox.crm.names_quote = False
    (row,) = client.crm("invoice/sales/find", {"queries": [], "orders": [], "pageNumber": 1}).json()["data"]
    for shown in (row, client.crm("invoice/sales/get", {"id": crm_id}).json()):
        assert "relatedQuoteId" not in shown


def test_find_obeys_pages_or_repeats_the_first(sandbox: Sandbox, client: Client) -> None:
    people(sandbox, OLD, LATER)
    assert [names(client.find(pageNumber=page, pageSize=1)) for page in (1, 2, 3)] == ["a", "b", ""]
    sandbox.crm.find_pages = False
    assert [names(client.find(pageNumber=page, pageSize=1)) for page in (1, 2, 3)] == ["a", "a", "a"]
    assert client.find(pageNumber=2, pageSize=1)["total"] == 2


def test_find_without_queries_gives_all_or_none_or_refuses(sandbox: Sandbox, client: Client) -> None:
    people(sandbox, OLD)
    assert client.find()["total"] == 1
    sandbox.crm.find_empty_queries = "none"
    assert client.find() == {"data": [], "total": 0}
    assert client.find(leaf("LastName", "a"))["total"] == 1
    sandbox.crm.find_empty_queries = "400"
    assert client.crm("person/find", {"queries": []}).status_code == 400
    assert client.find(leaf("LastName", "a"))["total"] == 1


def test_find_without_a_type_gives_all_or_none(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.add_person(lastName="a")
    sandbox.crm.add_person(lastName="b", crmObjectTypeCode="M_01")
    assert (client.find()["total"], client.find(typeKey="M_01")["total"]) == (2, 1)
    sandbox.crm.empty_type_key_means_all = False
    assert (client.find()["total"], client.find(typeKey="M_01")["total"]) == (0, 1)


def test_find_can_answer_from_an_older_state(sandbox: Sandbox, client: Client) -> None:
    first, second = people(sandbox, OLD, OLD)
    third = sandbox.crm.add_person(lastName="z", modifyDate=LATER)
    sandbox.crm.edit(first, lastName="new", modifyDate=LATER)
    sandbox.crm.delete(second)
    assert sorted(row["lastName"] for row in client.find()["data"]) == ["new", "z"]
    sandbox.crm.find_as_of = "2026-01-15T00:00:00"
    cached = client.find(leaf("ModifyDate", "2025-01-01T00:00:00", 2))
    assert {row["crmId"]: (row["lastName"], row["modifyDate"]) for row in cached["data"]} == {
        first: ("a", OLD),
        second: ("b", OLD),
    }
    assert client.crm("person/get", {"id": first}).json()["lastName"] == "new"
    assert client.crm("person/get", {"id": third}).status_code == 200


def test_find_gives_rows_or_null_or_nothing(sandbox: Sandbox, client: Client) -> None:
    quote = sandbox.crm.add_quote(sandbox.crm.add_person(lastName="a"), [ROW])

    def found() -> Any:
        return client.find(kind="quote/sales")["data"][0]

    assert len(found()["details"]) == 1
    sandbox.crm.details_in_find = "null"
    assert found()["details"] is None
    sandbox.crm.details_in_find = "missing"
    assert "details" not in found()
    assert len(client.crm("quote/sales/get", {"id": quote}).json()["details"]) == 1


# ---- records ----


@pytest.mark.parametrize("path", ["person/get", "organization/get", "quote/sales/get", "person/delete"])
def test_an_unknown_id_is_404_or_null(sandbox: Sandbox, client: Client, path: str) -> None:
    assert client.crm(path, {"id": UNKNOWN}).status_code == 404
    sandbox.crm.unknown_id = "null"
    answer = client.crm(path, {"id": UNKNOWN})
    assert (answer.status_code, answer.text) == (200, "null")


def test_delete_deletes_is_refused_or_does_nothing(sandbox: Sandbox, client: Client) -> None:
    crm_id = client.create().json()["crmId"]
    for sandbox.crm.deletes, status in (("refuse", 400), ("ignore", 200)):
        assert client.crm("person/delete", {"id": crm_id, "option": 3}).status_code == status
        assert client.crm("person/get", {"id": crm_id}).json()["crmId"] == crm_id
    sandbox.crm.deletes = "yes"
    assert client.crm("person/delete", {"id": crm_id, "option": 3}).status_code == 200
    assert client.crm("person/get", {"id": crm_id}).status_code == 404


def test_documents_have_one_type_index_or_another(sandbox: Sandbox, client: Client) -> None:
    owner = sandbox.crm.add_person(lastName="a")
    sandbox.crm.document_indexes = {"quote": 11, "invoice": 12}
    quote = sandbox.crm.add_quote(owner, [ROW])
    assert client.crm("quote/sales/get", {"id": quote}).json()["crmObjectTypeIndex"] == 11
    answer = client.crm_session.post(
        f"{sandbox.crm_url}/api/v2/crmobjecttype/search", json={"crmOjectTypeIndex": 8}, timeout=PATIENCE
    )
    assert answer.json() == []


def test_empty_lists_are_lists_or_null(sandbox: Sandbox, client: Client) -> None:
    crm_id = sandbox.crm.add_person(lastName="a", phoneContacts=[{"phoneNumber": "0900"}])
    record = client.crm("person/get", {"id": crm_id}).json()
    assert (record["addressContacts"], record["categories"], record["tags"]) == ([], [], [])
    sandbox.crm.null_lists = True
    for record in (client.crm("person/get", {"id": crm_id}).json(), client.find()["data"][0]):
        assert (record["addressContacts"], record["categories"], record["tags"]) == (None, None, None)
        assert len(record["phoneContacts"]) == 1


def test_dates_have_a_fraction_or_none(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.date_precision = "seconds"
    assert "." not in client.crm("person/get", {"id": client.create().json()["crmId"]}).json()["modifyDate"]
    sandbox.crm.date_precision = "ms"
    stamps = {sandbox.crm.stamp() for _ in range(20_000)}
    assert any("." in stamp for stamp in stamps)


@pytest.mark.parametrize("key", ["crmId", "id"])
def test_create_and_update_call_the_id_so(sandbox: Sandbox, client: Client, key: Any) -> None:
    sandbox.crm.answer_key = key
    crm_id = client.create().json()[key]
    assert client.crm("person/update", {"crmId": crm_id, "email": "a@example.com"}).json() == {key: crm_id}


def test_a_create_can_make_nothing_and_say_so_by_an_id_of_zeros(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.creates_nothing = True
    assert client.create().json() == {"crmId": UNKNOWN}
    assert not sandbox.crm.records
    sandbox.crm.creates_nothing = False
    assert client.create().json()["crmId"] in sandbox.crm.records


def test_a_number_twice_is_refused_or_not(sandbox: Sandbox, client: Client) -> None:
    assert [client.create(customerNumber="7").status_code for _ in range(2)] == [200, 200]
    sandbox.crm.refuse_double_number = True
    assert [client.create(customerNumber=number).status_code for number in ("7", "8")] == [400, 200]


@pytest.mark.parametrize(
    ("rule", "fields", "place"),
    [("phone", {"phoneContacts": [{"phoneType": "Mobile", "phoneNumber": "0900"}]}, "phoneContacts"),
     ("email", {"email": "a@example.com"}, "email"), ("name", {"nickName": "علی نوری"}, "nickName"),
     ("nationalCode", {"nationalCode": "0012345678"}, "nationalCode")],
)  # fmt: skip
def test_doubles_can_be_forbidden(
    sandbox: Sandbox, client: Client, rule: str, fields: dict[str, Any], place: str
) -> None:
    assert [client.create(**fields).status_code for _ in range(2)] == [200, 200]
    sandbox.crm.refuse_doubles = {rule}
    refused = client.create(**fields)
    assert (refused.status_code, refused.json()["errorDetails"][0]["field"]) == (400, place)
    assert client.create(lastName="کسی دیگر").status_code == 200
    sandbox.crm.refuse_doubles = {"economicCode"}
    assert client.create(**fields).status_code == 200


def test_national_codes_can_be_checked(sandbox: Sandbox, client: Client) -> None:
    right, wrong = national_code(123456789), "1234567890"
    assert client.create(nationalCode=wrong).status_code == 200
    sandbox.crm.checks_national_codes = True
    assert [client.create(nationalCode=code).status_code for code in (right, wrong, "12", "")] == [200, 400, 400, 200]
    firm = {"nickName": "x", "crmObjectTypeCode": "organization", "nationalCode": wrong}
    assert client.crm("organization/create", firm).status_code == 200


def test_a_customer_without_a_number_can_be_given_the_next_one(sandbox: Sandbox, client: Client) -> None:
    def number(**fields: Any) -> str:
        return str(sandbox.crm.records[client.create(**fields).json()["crmId"]]["customerNumber"])

    assert number() == ""
    sandbox.crm.automatic_numbers = True
    assert number() == "1"
    assert number(customerNumber="100-99000") == "100-99000"
    assert number() == "100-99001"


@pytest.mark.parametrize(
    "fields", [{"crmObjectTypeCode": "lead"}, {"categories": [{"key": "unknown"}]}], ids=["subtype", "category"]
)
def test_an_unknown_subtype_or_category_is_refused_or_taken(
    sandbox: Sandbox, client: Client, fields: dict[str, Any]
) -> None:
    assert client.create(**fields).status_code == 400
    sandbox.crm.unknown_codes = "accept"
    assert client.create(**fields).status_code == 200


def test_an_update_keeps_or_empties_what_it_leaves_out(sandbox: Sandbox, client: Client) -> None:
    crm_id = sandbox.crm.add_person(lastName="a", email="a@example.com")
    update = {"crmId": crm_id, "lastName": "b"}
    client.crm("person/update", update)
    assert sandbox.crm.records[crm_id]["email"] == "a@example.com"
    sandbox.crm.update_keeps = False
    client.crm("person/update", update)
    assert sandbox.crm.records[crm_id]["email"] == ""


# ---- what is set up ----


def test_the_item_types_and_categories_are_listed(sandbox: Sandbox, client: Client) -> None:
    sandbox.crm.type_codes["person"].add("M_01")
    sandbox.crm.add_quote(sandbox.crm.add_person(lastName="a"), [ROW], crmObjectTypeCode="PI_7")

    def asked(path: str, **body: Any) -> Any:
        return client.crm_session.post(f"{sandbox.crm_url}/api/v2/{path}", json=body, timeout=PATIENCE).json()

    listed = asked("crmobjecttype/search")
    assert all(row.keys() >= {"id", "name", "code", "index", "enabled"} for row in listed)
    codes = {row["code"]: row["index"] for row in listed}
    assert codes.keys() == {"person", "M_01", "organization", "PI_5", "PI_7", "SI_5"}
    assert (codes["PI_7"], codes["SI_5"]) == (8, 5)
    assert [row["code"] for row in asked("crmobjecttype/search", crmOjectTypeIndex=8)] == ["PI_5", "PI_7"]
    assert [row["code"] for row in asked("crmobjecttype/search", crmOjectTypeIndex=8, pageNumber=2, pageSize=1)] == [
        "PI_7"
    ]
    assert [row["code"] for row in asked("crmobjecttype/search", code="M_01")] == ["M_01"]
    assert [row["key"] for row in asked("category/search", key="syaghcontact")] == ["syaghcontact"]
    assert asked("category/search", key="none") == []
    sandbox.crm.missing = {"crmobjecttype/search"}
    answer = client.crm_session.post(f"{sandbox.crm_url}/api/v2/crmobjecttype/search", json={}, timeout=PATIENCE)
    assert (answer.status_code, answer.content) == (200, b"")


# ---- documents ----


def test_a_headers_discount_repeats_the_rows_or_comes_on_top(sandbox: Sandbox) -> None:
    owner = sandbox.crm.add_person(lastName="a")

    def document(**fields: Any) -> tuple[Decimal, Decimal]:
        crm_id = sandbox.crm.add_quote(owner, [{**ROW, "totalDiscount": 100}], **fields)
        record = sandbox.crm.documents[crm_id]
        return record["discount"], record["finalValue"]

    assert document() == (Decimal(100), Decimal(900))
    sandbox.crm.header_discount = "on top"
    assert document() == (Decimal(0), Decimal(900))
    assert document(discount=50) == (Decimal(50), Decimal(850))


def test_totals_are_exact_or_whole_rials(sandbox: Sandbox) -> None:
    owner = sandbox.crm.add_person(lastName="a")

    def totals() -> list[Decimal]:
        row = {"productCode": "P", "count": "1.5", "baseUnitPrice": "333.50", "totalVat": "50.40"}
        record = sandbox.crm.documents[sandbox.crm.add_quote(owner, [row])]
        return [record["details"][0]["totalUnitPrice"], record["totalValue"], record["vat"], record["finalValue"]]

    assert totals() == [Decimal("500.25"), Decimal("500.25"), Decimal("50.40"), Decimal("550.65")]
    sandbox.crm.whole_rials = True
    assert totals() == [500, 500, 50, 550]


def test_a_document_comes_into_force_when_it_is_approved_and_numbered(sandbox: Sandbox, client: Client) -> None:
    owner = sandbox.crm.add_person(lastName="a")
    codes = sandbox.crm.state_codes

    def step(crm_id: str, name: str) -> tuple[str, int]:
        assert client.crm(f"invoice/sales/make-{name}", {"id": crm_id}).status_code == 200
        record = sandbox.crm.documents[crm_id]
        return record["number"], record["billableObjectStateIndex"]

    first, second, other = (
        sandbox.crm.add_invoice(owner, [ROW], crmObjectTypeCode=code) for code in ("SI_5", "SI_5", "SI_6")
    )
    assert sandbox.crm.documents[first]["billableObjectStateIndex"] == codes["pending"] == 1
    assert step(first, "approved") == ("", codes["approved"])
    assert step(first, "numbered") == ("1", 2)
    assert step(second, "numbered") == ("2", codes["numbered"])
    assert step(second, "approved") == ("2", 2)
    assert step(other, "numbered") == ("1", codes["numbered"])  # each type counts on its own
    assert step(second, "rejected") == ("2", codes["rejected"])
    assert step(second, "pending") == ("2", codes["pending"])
    numbered = sandbox.crm.add_invoice(owner, [ROW], number="100-1404/15")
    assert sandbox.crm.documents[numbered]["billableObjectStateIndex"] == 2


def test_state_codes_may_be_others(sandbox: Sandbox) -> None:
    sandbox.crm.state_codes = {"pending": 1, "in force": 7, "rejected": 2, "approved": 3, "numbered": 4}
    crm_id = sandbox.crm.add_quote(sandbox.crm.add_person(lastName="a"), [ROW], number="1")
    assert sandbox.crm.documents[crm_id]["billableObjectStateIndex"] == 7


def test_a_type_can_be_without_numbers_or_without_approval(sandbox: Sandbox) -> None:
    owner = sandbox.crm.add_person(lastName="a")
    sandbox.crm.unnumbered_types, sandbox.crm.unapproved_types = {"PI_1"}, {"PI_2"}
    unnumbered, unapproved = (sandbox.crm.add_quote(owner, [ROW], crmObjectTypeCode=code) for code in ("PI_1", "PI_2"))
    sandbox.crm.advance(unnumbered, "numbered")
    assert sandbox.crm.documents[unnumbered]["number"] == ""
    sandbox.crm.advance(unnumbered, "approved")
    sandbox.crm.advance(unapproved, "numbered")
    shown = [sandbox.crm.documents[each] for each in (unnumbered, unapproved)]
    assert [(each["number"], each["billableObjectStateIndex"]) for each in shown] == [("", 2), ("1", 2)]


def test_documents_have_a_date_of_their_own_or_none(sandbox: Sandbox) -> None:
    owner = sandbox.crm.add_person(lastName="a")
    assert sandbox.crm.documents[sandbox.crm.add_quote(owner, [ROW])]["quoteDate"] is None
    sandbox.crm.document_date = OLD
    assert sandbox.crm.documents[sandbox.crm.add_invoice(owner, [ROW])]["invoiceDate"] == OLD


# ---- webhooks ----


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """An address, and the requests that have come to it as they stood on the wire."""
    heard: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(65536).decode())
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/webhook/SECRET", heard
        server.shutdown(socket.SHUT_RDWR)


def said(request: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(request.split()[1]).query).items()}


def test_a_webhook_is_a_bare_get_with_everything_in_its_query(sandbox: Sandbox) -> None:
    with listening() as (address, heard):
        sandbox.crm.webhooks.addresses = {"Identity": address, "Quote": f"{address}?token=1"}
        person = sandbox.crm.add_person(lastName="a")
        firm = sandbox.crm.add_organization(nickName="b")
        sandbox.crm.edit(person, lastName="c")
        quote = sandbox.crm.add_quote(person, [ROW])
        sandbox.crm.add_invoice(person, [ROW])  # nobody wants to know
        sandbox.crm.delete(firm)
        wait_for(lambda: len(heard) == 5)
    lines = heard[0].split("\r\n")
    assert lines[0].startswith("GET /webhook/SECRET?event=Insert&id=")
    assert "+" in lines[0]
    assert {line.partition(":")[0] for line in lines[1:] if line} == {"Host", "Connection"}
    person_name, firm_name = "مخاطب حقیقی", "مخاطب حقوقی"
    assert [said(request) for request in heard] == [
        {"event": "Insert", "id": person, "type": "Identity", "subtype": person_name},
        {"event": "Insert", "id": firm, "type": "Identity", "subtype": firm_name},
        {"event": "Update", "id": person, "type": "Identity", "subtype": person_name},
        {"token": "1", "event": "Insert", "id": quote, "type": "Quote", "subtype": "پیش فاکتور فروش"},
        {"event": "Delete", "id": firm, "type": "Identity", "subtype": firm_name},
    ]


@pytest.mark.parametrize(
    ("position", "order"), [("once", "abcd"), ("doubled", "aabbccdd"), ("swapped", "badc"), ("lost", "")]
)
def test_webhooks_can_be_lost_doubled_or_out_of_order(sandbox: Sandbox, position: Any, order: str) -> None:
    with listening() as (address, heard):
        sandbox.crm.webhooks.addresses = {"Identity": address}
        sandbox.crm.webhook_calls = position
        ids = {sandbox.crm.add_person(lastName=name): name for name in "abcd"}
        sandbox.crm.webhook_calls = "once"
        sandbox.crm.webhooks.addresses = {"Identity": "", "Quote": address}
        sandbox.crm.add_quote(next(iter(ids)), [ROW])
        wait_for(lambda: heard and said(heard[-1])["type"] == "Quote")
    came = "".join(ids[said(request)["id"]] for request in heard if said(request)["type"] == "Identity")
    assert came == order


def test_events_are_words_or_numbers(sandbox: Sandbox) -> None:
    with listening() as (address, heard):
        sandbox.crm.webhooks.addresses = {"Identity": address}
        sandbox.crm.webhook_events = "numbers"
        crm_id = sandbox.crm.add_person(lastName="a")
        sandbox.crm.edit(crm_id, lastName="b")
        sandbox.crm.delete(crm_id)
        wait_for(lambda: len(heard) == 3)
    assert [said(request)["event"] for request in heard] == ["2", "1", "0"]


def test_the_control_door_says_whom_to_call_and_moves_documents_on(sandbox: Sandbox) -> None:
    def door(method: str, path: str, body: Any = None) -> requests.Response:
        return requests.request(method, f"{sandbox.finance_url}/_sandbox/{path}", json=body, timeout=PATIENCE)

    assert door("PATCH", "webhooks", {"Identity": "http://127.0.0.1:1/x"}).status_code == 200
    assert door("GET", "webhooks").json() == {"Identity": "http://127.0.0.1:1/x"}
    assert door("PATCH", "webhooks", {"Nonsense": ""}).status_code == 404
    assert door("PATCH", "webhooks", {"Identity": 1}).status_code == 400
    quote = sandbox.crm.add_quote(sandbox.crm.add_person(lastName="a"), [ROW])
    assert door("POST", f"quote/{quote}/approved").status_code == 200
    assert door("POST", f"quote/{quote}/numbered").status_code == 200
    assert sandbox.crm.documents[quote]["billableObjectStateIndex"] == 2
    assert door("POST", f"quote/{quote}/nonsense").status_code == 404
    assert door("POST", f"quote/{UNKNOWN}/approved").status_code == 404


def test_at_least_a_date_means_one_thing_or_another(sandbox: Sandbox, client: Client) -> None:
    for hour in (10, 12, 16):
        sandbox.crm.add_person(lastName="a", modifyDate=f"2026-01-01T{hour}:00:00")

    def found(value: str) -> int:
        condition = {"field": "ModifyDate", "operator": 2, "value": value, "logicalOperator": 0}
        return len(client.find(queries=[condition])["data"])

    assert found("2026-01-01T12:00:00") == 2
    sandbox.crm.since_means = "utc"
    assert (found("2026-01-01T12:00:00"), found("1900-01-01T00:00:00")) == (1, 3)
    sandbox.crm.since_means = "equals"
    assert (found("2026-01-01T12:00:00"), found("2026-01-01T11:00:00")) == (1, 0)


def test_an_unknown_id_is_answered_in_many_ways(sandbox: Sandbox, client: Client) -> None:
    for sandbox.crm.unknown_id, status, text in (
        ("400", 400, None),
        ("403", 403, None),
        ("object", 200, "{}"),
        ("empty", 200, ""),
    ):
        answer = client.crm("person/get", {"id": UNKNOWN})
        assert answer.status_code == status
        assert text in (None, answer.text)


def test_get_shows_what_lists_show_or_does_not(sandbox: Sandbox, client: Client) -> None:
    crm_id = sandbox.crm.add_person(lastName="a")
    sandbox.crm.unshown = {crm_id}
    assert client.crm("person/get", {"id": crm_id}).status_code == 404
    assert [each["crmId"] for each in client.find()["data"]] == [crm_id]


def test_documents_are_listed_without_a_type_or_only_some_of_them(sandbox: Sandbox, client: Client) -> None:
    owner = sandbox.crm.add_person(lastName="a")
    for code in ("PI_5", "PI_6"):
        sandbox.crm.add_quote(owner, [ROW], crmObjectTypeCode=code)
    sandbox.crm.typeless_type = "PI_6"
    found = client.crm("quote/sales/find", {"queries": [], "orders": [], "pageNumber": 1, "pageSize": 10}).json()
    assert [each["crmObjectTypeCode"] for each in found["data"]] == ["PI_6"]


def test_types_are_counted_from_one_or_from_nought(sandbox: Sandbox, client: Client) -> None:
    def listed(number: int) -> int:
        body = {"pageNumber": number, "pageSize": 100}
        url = f"{sandbox.crm_url}/api/v2/crmobjecttype/search"
        return len(client.crm_session.post(url, json=body, timeout=PATIENCE).json())

    assert (listed(1) > 0, listed(2)) == (True, 0)
    sandbox.crm.types_from = 0
    assert (listed(0) > 0, listed(1)) == (True, 0)
