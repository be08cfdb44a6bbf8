"""The CRM's client: against the sandbox where the CRM is right, against plain sockets where it is not."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.connectors.http import retry
from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.domain.action import RecordKind
from siaghsync.errors import CallError, InDoubt, LoginLocked, LoginRefused, NotSent, Refused
from siaghsync.messages import catalog
from siaghsync.messages.message import Message
from siaghsync.sandbox import Fault, Sandbox
from tests.connectors.raw_server import MANY_ANSWERS, Handler, RawServer, Received, raw, reply, routed, serving

TOKEN, PASSWORD = "t0ken-9b1c", "p4ss-word-17"
LOGIN = "/auth/login"
LOGGED_IN = reply({"accessToken": TOKEN, "refreshToken": "r", "expiresAt": "2025-12-16T11:43:53.1385332+03:30"})
ID = "8adeeabc-fab9-4a77-a906-e47ac59373a7"
NEW: dict[str, Any] = {"kind": "person", "name": "علی", "number": "100-1"}
Make = Callable[..., Payamgostar]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_growing", lambda state: 0.01)


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        sandbox.crm.strict = True  # each request is held to what is documented
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    switches = {name: getattr(running.crm, name) for name in ("answer_key", "pascal_case", "unknown_id", "licensed")}
    running.journal.reset()
    yield running
    running.faults.clear()
    for name, value in switches.items():
        setattr(running.crm, name, value)


@pytest.fixture
def client() -> Iterator[Make]:
    opened: list[HttpSession] = []

    def make(where: RawServer | Sandbox, *, attempts: int = 1, timeout: float = 60, **options: Any) -> Payamgostar:
        url = where.crm_url if isinstance(where, Sandbox) else where.url
        user, password = "webservice", PASSWORD
        if isinstance(where, Sandbox):
            user, password = where.crm.account.username, where.crm.account.password
        opened.append(HttpSession("crm", url, timeout=timeout, attempts=attempts, concurrency=8))
        return Payamgostar(opened[-1], options.pop("user", user), options.pop("password", password), **options)

    yield make
    for each in opened:
        each.close()


def test_login_sends_what_the_contract_says(client: Make) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply({"data": [], "total": 0}))) as server:
        crm = client(server)
        crm.login()
        crm.find("person")
        assert crm.sent == 2
    login, find = server.requests
    assert (login.method, login.path) == ("POST", "/api/v2/auth/login")
    assert login.json == {
        "username": "webservice", "password": PASSWORD, "deviceId": "SiaghSync-Server", "platformType": 1,
        "os": "Linux", "osVersion": "1.0", "token": "",
    }  # fmt: skip
    assert "authorization" not in login.headers
    assert find.headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize(
    ("source", "path", "type_key"),
    [
        ("person", "person", {"typeKey": "person"}),
        ("person:vip", "person", {"typeKey": "vip"}),
        ("organization:firm", "organization", {"typeKey": "firm"}),
        ("quote", "quote/sales", {}),
        ("invoice", "invoice/sales", {}),
    ],
)
def test_find_sends_what_the_contract_says(client: Make, source: Any, path: str, type_key: dict[str, str]) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply({"data": [{"crmId": ID}], "total": 7}))) as server:
        crm = client(server, person_types=["vip", "person"], organization_types=["firm"])
        page = crm.find(source, since="2025-12-21T14:06:17.173", number="100-1", page=3, size=50, descending=True)
    assert (page.records, page.total) == ([{"crmId": ID}], 7)
    request = server.requests[1]
    assert (request.method, request.path) == ("POST", f"/api/v2/crmobject/{path}/find")
    leaf = {"logicalOperator": 0, "leafNegate": False}
    assert request.json == {
        **type_key,
        "queries": [
            {**leaf, "operator": 2, "field": "ModifyDate", "value": "2025-12-21T14:06:17.173"},
            {**leaf, "operator": 0, "field": "CustomerNumber" if type_key else "Number", "value": "100-1"},
        ],
        "orders": [{"field": "ModifyDate", "order": 1}, {"field": "CrmId", "order": 1}],
        "pageNumber": 3,
        "pageSize": 50,
    }


def test_a_customer_goes_round(client: Make, sandbox: Sandbox) -> None:
    crm = client(sandbox)
    for kind in ("person", "organization"):
        number = f"round-{kind}"
        payload = {"kind": kind, "name": "علی", "number": number, "category": "syaghcontact"}
        crm_id = crm.create(kind, payload)
        page = crm.find(kind, number=number)
        assert [record["crmId"] for record in page.records] == [crm_id]
        assert page.total == 1
        record = crm.get(kind, crm_id)
        assert record is not None
        assert (record["nickName"], record["crmObjectTypeCode"]) == ("علی", kind)
        assert crm.find(kind, number=number, since="2999-01-01T00:00:00").records == []


def test_documents_are_found_with_exact_money(client: Make, sandbox: Sandbox) -> None:
    customer = sandbox.crm.add_person(nickName="x")
    row = {"productCode": "P1", "count": 2, "baseUnitPrice": Decimal("0.1")}
    adders: dict[RecordKind, Any] = {"quote": sandbox.crm.add_quote, "invoice": sandbox.crm.add_invoice}
    for source, add in adders.items():
        crm_id = add(customer, [row])
        crm = client(sandbox)
        (found,) = [record for record in crm.find(source, size=500).records if record["crmId"] == crm_id]
        assert found["details"][0]["baseUnitPrice"] == Decimal("0.1")
        assert isinstance(found["finalValue"], Decimal)
        assert crm.get(source, crm_id) == found


@pytest.mark.parametrize("style", ["404", "null"])
def test_an_unknown_id_is_none(client: Make, sandbox: Sandbox, style: Any) -> None:
    sandbox.crm.unknown_id = style
    assert client(sandbox).get("person", "00000000-1111-2222-3333-444444444444") is None


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        (b"", 404, None),
        (b'{"message": "no such record"}', 404, None),
        (b"", 204, None),
        (b"null", 200, None),
        (b"<html><title>404</title>", 404, Refused),
        (b"", 200, InDoubt),
        (b"[]", 200, InDoubt),
        (b'"x"', 200, InDoubt),
        (b"<html>", 200, InDoubt),
    ],
)
def test_none_is_only_what_says_so(client: Make, body: bytes, status: int, outcome: type[CallError] | None) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body, status))) as server:
        if outcome is None:
            assert client(server).get("person", ID) is None
        else:
            with pytest.raises(outcome):
                client(server).get("person", ID)


def test_property_names_count_in_any_case(client: Make, sandbox: Sandbox) -> None:
    sandbox.crm.pascal_case = True
    sandbox.crm.answer_key = "id"
    crm = client(sandbox)
    crm_id = crm.create("person", {**NEW, "number": "pascal-1"})
    page = crm.find("person", number="pascal-1")
    assert page.total == 1
    assert page.records[0]["CrmId"] == crm_id


@pytest.mark.parametrize(
    "body",
    [
        b"null", b"3", b"[]", b'{"crmId": null}', b'{"crmId": ""}', b'{"crmId": " "}', b"{}", b'{"crmId": {"a": 1}}',
        b'{"crmId": "00000000-0000-0000-0000-000000000000"}', b'{"crmId": "0"}', b"<html>saved</html>", b"",
        b'{"crmId": "a\\nb"}', b'{"message": "not now"}', b"true", b'{"crmId": true}', b'{"crmId": "', b"\xff\xfe{}",
    ],
)  # fmt: skip
def test_a_create_without_a_usable_id_is_in_doubt(client: Make, body: bytes) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        with pytest.raises(InDoubt) as caught:
            client(server, attempts=3).create("person", NEW)
        assert caught.value.reason == "unreadable"
        assert len(server.requests) == 2


@pytest.mark.parametrize("body", [{"crmId": ID}, {"CRMID": ID}, {"id": ID, "crmId": None}, {"crmId": 17, "x": [1]}])
def test_a_create_with_a_usable_id(client: Make, body: dict[str, Any]) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        assert client(server).create("organization", {**NEW, "kind": "organization"}) in (ID, "17")
    assert server.requests[1].path == "/api/v2/crmobject/organization/create"
    sent = server.requests[1].json
    assert (sent["nickName"], sent["customerNumber"], sent["crmObjectTypeCode"]) == ("علی", "100-1", "organization")


@pytest.mark.parametrize("kind", ["reset_after", "close_after", "status_after", "cut", "hang_after", "html", "drip"])
def test_a_create_whose_answer_is_lost_is_sent_once_and_in_doubt(client: Make, sandbox: Sandbox, kind: Any) -> None:
    crm = client(sandbox, attempts=3, timeout=2)
    crm.login()
    sandbox.faults.arm(Fault(kind, "crm:person/create", seconds=3600, commit=True))
    with pytest.raises(InDoubt):
        crm.create("person", {**NEW, "number": f"lost-{kind}"})
    assert len(sandbox.crm.by_number(f"lost-{kind}")) == 1
    assert sandbox.journal.count("crm", "person/create") == 1


@pytest.mark.parametrize("kind", ["reset_before", "close_before", "refuse_before", "cut", "status_after"])
def test_reads_are_repeated(client: Make, sandbox: Sandbox, kind: Any) -> None:
    crm = client(sandbox, attempts=3)
    sandbox.faults.arm(Fault(kind, "crm:person/find", times=2))
    assert crm.find("person", number="nobody").total == 0
    assert sandbox.journal.count("crm", "person/find") == 3


def test_a_refusal_keeps_the_systems_words(client: Make, sandbox: Sandbox) -> None:
    with pytest.raises(Refused) as caught:
        client(sandbox, attempts=3).create("person", {**NEW, "category": "no-such-category"})
    assert caught.value.detail
    assert sandbox.journal.count("crm", "person/create") == 1


PAGES = [
    b"null", b"[]", b"3", b'"x"', b"{}", b'{"data": null}', b'{"data": {}}', b'{"data": "x"}', b'{"data": [null]}',
    b'{"data": [1]}', b'{"data": [[]]}', b'{"data": [], "total": -1}', b'{"data": [], "total": "many"}',
    b'{"data": [], "total": 1.5}', b'{"data": [{"a": NaN}]}', b'{"data": [{"a": Infinity}]}', b'{"data": [{"a": 1e400}]}',
    b'{"data": [{"a": 1e999999999999999999999}]}', b'{"data": [', b"<html>", b"", b"  ", b"\xff", b"nothing", b"[" * 100_000,
    b'{"data": ' + b"[" * 100_000, b'{"data": [{"a": ' + b"9" * 5000 + b"}]}", b'{"data": []} {}', b'{"a": 1} trailing',
    b'{"total": 3}',
]  # fmt: skip


@pytest.mark.parametrize("body", PAGES, ids=[body[:40].decode("latin-1") for body in PAGES])
def test_a_page_of_another_shape_is_never_an_empty_one(client: Make, body: bytes) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        with pytest.raises(InDoubt) as caught:
            client(server).find("person")
    assert (caught.value.reason, caught.value.what) == ("unreadable", "list_persons")
    told = catalog.render(caught.value.message)
    assert "list persons" in told
    assert catalog.render(caught.value.message, "fa")
    assert catalog.cure(caught.value.message)


@pytest.mark.parametrize(
    ("body", "code", "params"),
    [
        (b"[]", "shape.whole", {"place": "", "expected": "object", "came": "list"}),
        (b'{"data": [1]}', "shape.field", {"place": "data.0", "expected": "object", "came": "number"}),
        (b'{"data": null}', "shape.field", {"place": "data", "expected": "list", "came": "null"}),
        (b'{"total": 3}', "shape.field", {"place": "data", "expected": "value", "came": "nothing"}),
        (
            b'{"data": [], "total": "many"}',
            "shape.field",
            {"place": "total", "expected": "whole_number", "came": "text"},
        ),
        (b"<html>", "shape.whole", {"expected": "json", "came": "html"}),
        (b"  ", "shape.whole", {"expected": "json", "came": "no_body"}),
        (b'{"data": [', "shape.whole", {"expected": "json", "came": "broken"}),
        (b"nothing", "shape.whole", {"expected": "json", "came": "plain_text"}),
        (b"\xff", "shape.whole", {"expected": "json", "came": "no_utf8"}),
    ],
)
def test_an_unreadable_page_says_what_came_instead_of_what(
    client: Make, body: bytes, code: str, params: dict[str, str]
) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        with pytest.raises(InDoubt) as caught:
            client(server).find("person")
    assert caught.value.message.params["problem"] == Message(code, params)


@pytest.mark.parametrize(
    ("body", "total"),
    [
        (b'\xef\xbb\xbf{"Data": [], "Total": 4}', 4),
        (b'{"data": []}', None),
        (b'{"data": [], "total": null, "more": [1]}', None),
        (b'{"data": [], "total": 4.0}', 4),
    ],
)
def test_a_page_may_differ_in_small_things(client: Make, body: bytes, total: int | None) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        assert client(server).find("person").total == total


def test_half_letters_are_mended(client: Make) -> None:
    body = rb'{"data": [{"a": "x\ud800y", "b\udfff": ["\uDC00"], "c": "\ud83d\ude00"}], "total": 1}'
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        records = client(server).find("person").records
    assert records == [{"a": "x\ufffdy", "b\ufffd": ["\ufffd"], "c": "\U0001f600"}]


@pytest.mark.parametrize(
    ("status", "kind", "word"),
    [
        (400, LoginRefused, "malformed"),
        (401, LoginRefused, "password"),
        (402, LoginRefused, "MobileApp"),
        (403, LoginLocked, "locked"),
    ],
)
def test_a_refused_login_is_tried_once_in_a_run(client: Make, status: int, kind: type[CallError], word: str) -> None:
    body = {"message": f"no: {PASSWORD}"}
    with serving(reply(body, status)) as server:
        crm = client(server, attempts=3)
        for attempt in (crm.login, crm.login, lambda: crm.find("person"), lambda: crm.create("person", NEW)):
            with pytest.raises(LoginRefused) as caught:
                attempt()
            assert type(caught.value) is kind
        assert len(server.requests) == 1
    error = caught.value
    assert word in catalog.render(error.message)
    assert catalog.render(error.message, "fa")
    assert catalog.cure(error.message)
    assert (error.reason, error.detail) == (f"status_{status}", "no: ***")


def test_the_sandbox_refuses_and_locks(client: Make, sandbox: Sandbox) -> None:
    with pytest.raises(LoginRefused, match=r"login\.crm_401"):
        client(sandbox, password="wrong").login()
    sandbox.crm.licensed = False
    with pytest.raises(LoginRefused, match=r"login\.crm_402"):
        client(sandbox).login()


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{}", b'{"accessToken": null}', b'{"accessToken": ""}', b'{"accessToken": "a\\r\\nX: y"}',
     b'{"accessToken": "\\u06f1"}', b'{"accessToken": 12}', b"<html>secret-page</html>", b'{"accessToken": "s3cret'],
)  # fmt: skip
def test_a_login_without_a_usable_token_is_unreadable_and_quotes_nothing(client: Make, body: bytes) -> None:
    with serving(reply(body)) as server:
        crm = client(server, attempts=3)
        with pytest.raises(InDoubt) as caught:
            crm.login()
        assert caught.value.reason == "unreadable"
        assert "secret" not in str(vars(caught.value))
        with pytest.raises(NotSent):
            crm.create("person", NEW)


@pytest.mark.parametrize("handler", [raw(b""), reply(b"", 500), reply(b"", 404), reply(b"", 302)])
def test_a_create_that_lacks_a_login_was_surely_not_sent(client: Make, handler: Handler) -> None:
    with serving(handler) as server:
        with pytest.raises(NotSent) as caught:
            client(server, attempts=2).create("person", NEW)
        assert caught.value.what == "log_in"
        assert all(request.path.endswith(LOGIN) for request in server.requests)


def test_network_trouble_at_login_is_repeated(client: Make) -> None:
    with serving(raw(b""), reply(b"", 503), LOGGED_IN) as server:
        client(server, attempts=3).login()
        assert len(server.requests) == 3


class Doorkeeper:
    """Accepts only the newest of its tokens, as a system does after a session has ended."""

    def __init__(self, *, accept: bool = True) -> None:
        self.logins = 0
        self.done = 0
        self.accept = accept
        self.valid = ""
        self._lock = threading.Lock()

    def __call__(self, conn: Any, received: Received) -> bool:
        with self._lock:
            if received.path.endswith(LOGIN):
                self.logins += 1
                self.valid = f"token-{self.logins}"
                return reply({"accessToken": self.valid})(conn, received)
            if not self.accept or received.headers.get("authorization") != f"Bearer {self.valid}":
                return reply({"message": "expired"}, 401)(conn, received)
            self.done += 1
        return reply({"crmId": ID})(conn, received)


def test_a_storm_of_401_makes_one_new_login(client: Make) -> None:
    door = Doorkeeper()
    with serving(door) as server:
        crm = client(server)
        crm.login()
        for _ in range(3):
            door.valid = "another"
            logins, barrier = door.logins, threading.Barrier(8)
            ids: list[str] = []

            def work(barrier: threading.Barrier = barrier, ids: list[str] = ids) -> None:
                barrier.wait()
                ids.append(crm.create("person", NEW))

            threads = [threading.Thread(target=work) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert ids == [ID] * 8
            assert door.logins == logins + 1
    assert door.done == 24


def test_a_new_token_that_is_not_accepted_ends_it(client: Make) -> None:
    door = Doorkeeper(accept=False)
    with serving(door) as server:
        crm = client(server, attempts=3)
        for _ in range(3):
            with pytest.raises(LoginRefused) as caught:
                crm.create("person", NEW)
    assert door.logins == 2
    assert (caught.value.reason, caught.value.what) == ("session_rejected", "create_person")
    assert "token-" not in str(vars(caught.value))


def test_expired_tokens_of_the_sandbox(client: Make, sandbox: Sandbox) -> None:
    crm = client(sandbox)
    crm.login()
    sandbox.crm.expire_tokens()
    crm.create("person", {**NEW, "number": "expired-1"})
    assert len(sandbox.crm.by_number("expired-1")) == 1
    assert sandbox.journal.count("crm", "login") == 2


def test_server_time_is_that_of_the_first_answer_in_tehran(client: Make) -> None:
    later = reply({"data": []}, 200, "Date: Sun, 21 Dec 2025 11:00:00 GMT")
    with serving(LOGGED_IN, reply({"data": []}, 200, "Date: Sun, 21 Dec 2025 10:36:17 GMT"), later) as server:
        crm = client(server)
        crm.login()
        assert crm.server_time is None
        crm.find("person")
        crm.find("person")
        assert crm.server_time == datetime(2025, 12, 21, 14, 6, 17)


NAMES = ["data", "Data", "total", "crmId", "CrmId", "id", "message", "errorDetails", "accessToken", "field", "x"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([ID, "0", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
BODIES = VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)
ANSWERS = st.tuples(BODIES, st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 409, 500, 503]))


@MANY_ANSWERS
@given(ANSWERS, st.sampled_from(["find", "get", "create", "login"]), st.integers(0, 40))
def test_whatever_the_crm_answers_only_our_errors_leave(
    fuzzed: tuple[RawServer, dict[str, Handler]], answer: tuple[bytes, int], act: str, cut: int
) -> None:
    server, routes = fuzzed
    body, status = answer
    routes["fuzz"] = reply(body[: len(body) - cut] if cut < 5 else body, status)
    routes[LOGIN] = routes["fuzz"] if act == "login" else LOGGED_IN
    carrier = HttpSession("crm", server.url, timeout=60, attempts=1, concurrency=1)
    crm = Payamgostar(carrier, "user", PASSWORD)
    try:
        result: Any = {
            "find": lambda: crm.find("person").records,
            "get": lambda: crm.get("quote", ID),
            "create": lambda: crm.create("person", NEW),
            "login": crm.login,
        }[act]()
    except CallError as error:
        told = str(vars(error))
    else:
        told = ""
        kind: Any = {"find": list, "get": (dict, type(None)), "create": str, "login": type(None)}[act]
        assert isinstance(result, kind)
        json.dumps(result, default=str, ensure_ascii=False).encode()
    finally:
        carrier.close()
    assert TOKEN not in told


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[RawServer, dict[str, Handler]]]:
    routes: dict[str, Handler] = {}

    def handle(conn: Any, received: Received) -> bool:
        return routes[LOGIN if received.path.endswith(LOGIN) else "fuzz"](conn, received)

    with serving(handle) as server:
        yield server, routes


@MANY_ANSWERS
@given(st.binary(max_size=80), st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
def test_whatever_bytes_come_only_our_errors_leave(
    fuzzed: tuple[RawServer, dict[str, Handler]], data: bytes, start: bytes
) -> None:
    server, routes = fuzzed
    routes[LOGIN], routes["fuzz"] = LOGGED_IN, raw(start + data)
    carrier = HttpSession("crm", server.url, timeout=60, attempts=1, concurrency=1)
    try:
        with pytest.raises(CallError):
            Payamgostar(carrier, "user", PASSWORD).create("person", NEW)
    finally:
        carrier.close()
