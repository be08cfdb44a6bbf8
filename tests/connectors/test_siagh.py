"""The finance client: against the sandbox where Siagh is right, against plain sockets where it is not."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from siaghsync.connectors.http import retry, strict_json
from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.siagh.client import Saved, SavedPreinvoice, Session, Siagh
from siaghsync.domain.fields import FIELDS
from siaghsync.errors import CallError, InDoubt, LoginRefused, NotSent, Refused
from siaghsync.messages import catalog
from siaghsync.sandbox import Fault, Sandbox
from tests.connectors.raw_server import MANY_ANSWERS, Handler, RawServer, Received, head, raw, reply, routed, serving

SESSION, HASH = "5e311c4b2eab409ca7c3ceaf5954d0a5", "0123456789ABCDEF0123456789ABCDEF"
LOGIN = "/LoginUser"
LOGGED_IN = reply(
    {
        "ContactCode": 2, "ContactName": "مدیر", "UserCode": 1, "UserName": "مدیر سیستم", "SessionId": SESSION,
        "Token": f"{SESSION}:0", "BranchCode": 1, "BranchName": "دفتر مرکزی", "IsAdminUser": True,
        "FiscalYear": 1404, "MobileNo": "9123456789", "SystemDate": "1404/09/04", "SystemTime": "17:33",
    }
)  # fmt: skip
SAVED = {"Errors": [], "FinalMessages": [], "ReturnValue": True, "ReturnCode": "22", "ReturnParams": "22"}
CONTACT = {**dict.fromkeys(FIELDS, ""), "active": "1", "name": "علی", "kind": "0", "number": "7"}
DOCUMENT: dict[str, Any] = {
    "customer_code": 1, "sale_model": 5, "sales_centre": 5, "payment_type": 2, "sale_kind": 1, "intermediary": 31,
    "fiscal_year": 1404, "type_code": "PI_5", "notes": "note|", "suid": "0b8e7a52-aaaa-bbbb-cccc-000000000001",
    "rows": [{"product_code": "P-1", "unit": "عدد", "quantity": "2", "unit_price": "2860000", "discount": "0"}],
}  # fmt: skip
Make = Callable[..., Siagh]


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_growing", lambda state: 0.01)


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox(customers=25) as sandbox:
        sandbox.finance.strict = True  # each form is held to what is documented
        yield sandbox


@pytest.fixture
def sandbox(running: Sandbox) -> Iterator[Sandbox]:
    running.journal.reset()
    yield running
    running.faults.clear()
    running.finance.camel_case = False
    running.finance.filters = {"Code", "TelNo"}


@pytest.fixture
def client() -> Iterator[Make]:
    opened: list[HttpSession] = []

    def make(where: RawServer | Sandbox, *, attempts: int = 1, timeout: float = 60, hashed: str = "") -> Siagh:
        if isinstance(where, Sandbox):
            url, user, its_hash = where.finance_url, where.finance.user.name, where.finance.user.hash
        else:
            url, user, its_hash = where.url, "مدیر سیستم", HASH
        opened.append(HttpSession("finance", url, timeout=timeout, attempts=attempts, concurrency=8))
        return Siagh(opened[-1], user, hashed or its_hash)

    yield make
    for each in opened:
        each.close()


def test_login_sends_and_reads_what_the_contract_says(client: Make) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply([]))) as server:
        siagh = client(server)
        session = siagh.login()
        assert list(siagh.contacts()) == []
        assert siagh.sent == 2
    assert session == Session("مدیر سیستم", "مدیر", "1", "دفتر مرکزی", 1404, "1404/09/04")
    login, listing = server.requests
    assert (login.method, login.path) == ("POST", "/GeneralApi/LoginUser")
    assert login.json == {"UserName": "مدیر سیستم", "Password": HASH}
    assert (listing.method, listing.path) == ("GET", "/api/Sgh/GEN/Gn_Web_Users/GetAll")
    assert listing.headers["authorization"] == SESSION, "bare, neither Bearer nor Token"


@pytest.mark.parametrize(
    ("year", "read"),
    [(1404, 1404), ("1404", 1404), ("۱۴۰۴", 1404), (None, None), ("", None), ("14x4", None), (2025, None), ([], None)],
)
def test_a_fiscal_year_that_cannot_be_read_is_none(client: Make, year: Any, read: int | None) -> None:
    with serving(reply({"sessionid": SESSION, "FiscalYear": year})) as server:
        session = client(server).login()
    assert (session.fiscal_year, session.system_date) == (read, None)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_refused_login_is_tried_once_in_a_run(client: Make, status: int) -> None:
    with serving(reply({"Message": f"Invalid username or password {HASH}"}, status)) as server:
        siagh = client(server, attempts=3)
        attempts = (siagh.login, siagh.login, lambda: siagh.contact(1), lambda: siagh.save_contact(CONTACT, None))
        for attempt in attempts:
            with pytest.raises(LoginRefused) as caught:
                attempt()
        assert len(server.requests) == 1
    assert caught.value.detail == "Invalid username or password ***"
    assert (caught.value.reason, caught.value.what) == (f"status_{status}", "log_in")
    assert "refused the login" in catalog.render(caught.value.message)
    assert "hash-password" in catalog.cure(caught.value.message)


def test_a_login_refused_inside_a_200(client: Make) -> None:
    body = {"Errors": [{"Description": "کاربر غیرفعال است", "ErrorCode": -1}], "ReturnValue": False}
    with serving(reply(body)) as server, pytest.raises(LoginRefused) as caught:
        client(server).login()
    assert caught.value.detail == "کاربر غیرفعال است"


def test_the_sandbox_refuses_a_wrong_hash(client: Make, sandbox: Sandbox) -> None:
    with pytest.raises(LoginRefused):
        client(sandbox, hashed=HASH).login()


@pytest.mark.parametrize(
    "body", [b"", b"null", b"[]", b"{}", b'{"SessionId": null}', b'{"SessionId": "a b"}', b"<html>"]
)
def test_a_login_without_a_usable_session_is_unreadable(client: Make, body: bytes) -> None:
    with serving(reply(body)) as server:
        siagh = client(server, attempts=3)
        with pytest.raises(InDoubt) as caught:
            siagh.login()
        assert caught.value.reason == "unreadable"
        with pytest.raises(NotSent):
            siagh.save_contact(CONTACT, None)


def test_the_sandboxs_contacts(client: Make, sandbox: Sandbox) -> None:
    siagh = client(sandbox)
    contacts = list(siagh.contacts())
    assert {contact["Code"] for contact in contacts} == set(sandbox.finance.contacts)
    code = contacts[-1]["Code"]
    assert siagh.contact(code) == contacts[-1]
    assert siagh.contact(10**8) is None


def test_a_filter_that_is_ignored_does_no_harm(client: Make, sandbox: Sandbox) -> None:
    sandbox.finance.filters = set()
    code = max(sandbox.finance.contacts)
    contact = client(sandbox).contact(code)
    assert contact is not None
    assert contact["Code"] == code


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([], None),
        ([{"Code": 8407}], {"Code": 8407}),
        ([{"code": "8407"}], {"code": "8407"}),
        ([{"Code": 84070}, {"Name": "x"}, {"Code": None}, {"Code": True}], None),
        ([{"Code": 1}, {"Code": 8407, "Name": "y"}], {"Code": 8407, "Name": "y"}),
    ],
)
def test_only_the_asked_code_counts(client: Make, answer: Any, found: Any) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(answer))) as server:
        assert client(server).contact(8407) == found
    assert server.requests[1].json == {"Code": 8407}


def test_one_code_twice_is_unreadable(client: Make) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply([{"Code": 1}, {"Code": 1}]))) as server:
        with pytest.raises(InDoubt) as caught:
            client(server).contact(1)
        assert caught.value.reason == "unreadable"


LISTS = [
    b"", b"  ", b"null", b"{}", b'{"data": []}', b"3", b'"x"', b"<html></html>", b"[", b'[{"Code": 1}', b'[{"Code": 1},',
    b'[{"Code": 1},]', b'[,{"Code": 1}]', b'[{"Code": 1} {"Code": 2}]', b"[null]", b"[1]", b"[[]]", b'["a"]', b"[] []",
    b'[{"Code": 1}] x', b'[{"Code": 1}', b'[{"Code": 1', b'[{"a": NaN}]', b'[{"a": 1e400}]', b'[{"a": "\xff"}]', b"[]\xc3",
    b"[" * 100_000, b'[{"a": ' + b"[" * 100_000, b'[{"a": ' + b"9" * 5000 + b"}]", b'[{"a": "line\nbreak"}]', b"[{'a': 1}]",
]  # fmt: skip


@pytest.mark.parametrize("body", LISTS, ids=[body[:30].decode("latin-1") for body in LISTS])
def test_a_list_that_is_not_one_whole_list_of_objects_is_unreadable(client: Make, body: bytes) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(body))) as server:
        siagh = client(server, attempts=3)
        for read in (lambda: list(siagh.contacts()), lambda: siagh.contact(1)):
            with pytest.raises(InDoubt) as caught:
                read()
            assert caught.value.reason == "unreadable"
            assert catalog.render(caught.value.message, "fa")
            assert catalog.cure(caught.value.message)


def test_a_list_cut_anywhere_is_never_taken_for_whole(client: Make) -> None:
    whole = json.dumps([{"Code": 1, "Name": "علی]"}, {"Code": 2, "Name": '}]"'}], ensure_ascii=False).encode() + b"\n"
    box = {"body": whole}
    with serving(routed({LOGIN: LOGGED_IN}, lambda conn, received: reply(box["body"])(conn, received))) as server:
        siagh = client(server)
        assert len(list(siagh.contacts())) == 2
        for end in range(len(whole) - 1):
            box["body"] = whole[:end]
            with pytest.raises(InDoubt):
                list(siagh.contacts())


@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.none() | st.integers() | st.text() | st.lists(st.text())), max_size=5
    ),
    st.integers(1, 20),
    st.sampled_from([None, 1]),
    st.booleans(),
)
@example([{"a": "\ud83d\ude00\ud800"}], 3, None, True)
@settings(deadline=None)
def test_the_reader_gives_what_was_written_in_any_portions(
    records: list[dict[str, Any]], portion: int, indent: int | None, escaped: bool
) -> None:
    text = json.dumps(records, indent=indent, ensure_ascii=escaped)
    body = text.encode(errors="surrogatepass") if escaped else text.encode()
    wanted = strict_json.loads(text)
    assert list(strict_json.records(_Portions(body, portion))) == wanted  # type: ignore[arg-type]


class _Portions:
    """A file that never gives more than a few bytes at a time."""

    def __init__(self, body: bytes, portion: int) -> None:
        self._body, self._portion = body, portion

    def read(self, _: int) -> bytes:
        part, self._body = self._body[: self._portion], self._body[self._portion :]
        return part


def test_a_long_list_is_read_in_flat_memory(client: Make) -> None:
    record = {f"Property{n}": "مقدار" * 3 for n in range(45)}
    body = json.dumps([{"Code": n, **record} for n in range(6000)], ensure_ascii=False).encode()

    def listing(conn: Any, _: Received) -> bool:
        conn.sendall(head(200, f"Content-Length: {len(body)}"))
        conn.sendall(body)
        return True

    with serving(routed({LOGIN: LOGGED_IN}, listing)) as server:
        siagh = client(server)
        siagh.login()
        tracemalloc.start()
        count = sum(1 for _ in siagh.contacts())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 6000
    assert len(body) > 10_000_000
    assert peak < 9_000_000


def test_money_is_exact_and_half_letters_are_mended(client: Make) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(rb'[{"Coin": 0.10, "Name": "\ud800"}]'))) as server:
        (contact,) = client(server).contacts()
    assert contact == {"Coin": Decimal("0.10"), "Name": "\ufffd"}


def test_save_contact_sends_what_the_contract_says(client: Make) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(SAVED))) as server:
        siagh = client(server)
        assert siagh.save_contact(CONTACT, None) == Saved("22", ())
        assert siagh.save_contact({**CONTACT, "name": "a|gn_web_users.isactive=0\nb"}, 8407) == Saved("22", ())
    _, create, update = (request.json for request in server.requests)
    assert server.requests[1].path == "/BpmsApi/SaveFormData"
    assert server.requests[1].headers["authorization"] == SESSION
    values = create.pop("ctrlValues")
    assert values.startswith("NickName=dbgrid1.#nickname#|gn_web_users.isactive=1|")
    assert "|gn_web_users.fullname=علی|" in values
    assert create == {
        "formId": "2BFDA", "parameters": "CodeMain=", "dataRows": "[]", "attachments": "[]", "postCode": "1110", "flowId": "",
    }  # fmt: skip
    assert update["parameters"] == "CodeMain=8407"
    assert update["ctrlValues"].startswith("Param1=8407|NickName=")
    assert "|gn_web_users.fullname=a/gn_web_users.isactive=0 b|" in update["ctrlValues"]


def test_a_contact_goes_round(client: Make, sandbox: Sandbox) -> None:
    siagh = client(sandbox)
    code = int(siagh.save_contact({**CONTACT, "mobile": "09120000001", "notes": "note"}, None).code)
    contact = siagh.contact(code)
    assert contact is not None
    assert (contact["Name"], contact["MobileNo"], contact["Description"]) == ("علی", "09120000001", "note")
    assert siagh.save_contact({**CONTACT, "name": "زهرا", "kind": "1"}, code).code == str(code)
    assert sandbox.finance.contacts[code]["Name"] == "زهرا"
    assert sandbox.finance.contacts[code]["TowardType"] is True


def test_camel_case_is_understood(client: Make, sandbox: Sandbox) -> None:
    sandbox.finance.camel_case = True
    siagh = client(sandbox)
    code = int(siagh.save_contact(CONTACT, None).code)
    contact = siagh.contact(code)
    assert contact is not None
    assert contact["code"] == code


def test_a_double_phone_is_refused_in_the_systems_words(client: Make, sandbox: Sandbox) -> None:
    siagh = client(sandbox, attempts=3)
    siagh.save_contact({**CONTACT, "phone": "02112345678"}, None)
    with pytest.raises(Refused) as caught:
        siagh.save_contact({**CONTACT, "phone": "02112345678"}, None)
    assert (caught.value.reason, caught.value.detail) == ("rejected", "شماره تلفن نمی تواند تکراری باشد.")
    assert sandbox.journal.count("finance", "SaveFormData") == 2


def entry(kind: str | None = None, text: str = "متن", **more: Any) -> dict[str, Any]:
    return {"Description": text, "ErrorCode": 0, **({} if kind is None else {"ErrorType": kind}), **more}


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (SAVED, Saved("22", ())),
        ({**SAVED, "Errors": None, "FinalMessages": None}, Saved("22", ())),
        ({"returnvalue": True, "returncode": 22}, Saved("22", ())),
        ({**SAVED, "Errors": [entry("ErrSuccs")], "FinalMessages": [1, "x", {}]}, Saved("22", ())),
        ({**SAVED, "Errors": [entry("ErrWarning", "a\nb"), entry("ErrSuccs")]}, Saved("22", ("a b",))),
        ({**SAVED, "Errors": [entry("ErrWarning", ErrorCode=-1)]}, Saved("22", ("متن",))),
        ({**SAVED, "Errors": [entry("ErrError")]}, "unreadable"),
        ({**SAVED, "ReturnCode": "", "Errors": [entry("ErrError")]}, "rejected"),
        ({**SAVED, "ReturnCode": "", "Errors": [entry("errerror")]}, "rejected"),
        ({**SAVED, "ReturnCode": "", "Errors": [entry(ErrorCode=-1)]}, "rejected"),
        ({**SAVED, "ReturnCode": None, "Errors": [entry("", ErrorCode="-1")]}, "rejected"),
        ({**SAVED, "ReturnValue": False}, "rejected"),
        ({"ReturnValue": False}, "rejected"),
        ({"Errors": [entry("ErrSuccs")], "ReturnValue": False, "ReturnCode": "22"}, "rejected"),
        (
            {"Errors": [entry(text="پیامهای سرویس : RUNTIME ERROR\nField 'Code' not found")], "ReturnValue": False},
            "script_error",
        ),
        ({**SAVED, "Errors": [entry("ErrWarning", "runtime error")]}, "script_error"),
        ({**SAVED, "ReturnCode": ""}, "unreadable"),
        ({**SAVED, "ReturnCode": None}, "unreadable"),
        ({**SAVED, "ReturnCode": "0"}, "unreadable"),
        ({**SAVED, "ReturnCode": "abc"}, "unreadable"),
        ({**SAVED, "ReturnCode": "۲۲"}, "unreadable"),
        ({**SAVED, "ReturnCode": [22]}, "unreadable"),
        ({**SAVED, "ReturnValue": None}, "unreadable"),
        ({**SAVED, "ReturnValue": "maybe"}, "unreadable"),
        ({**SAVED, "Errors": "none"}, "unreadable"),
        ({**SAVED, "Errors": [None]}, "unreadable"),
        ({}, "unreadable"),
        ([], "unreadable"),
        (None, "unreadable"),
        (b"<html>ok</html>", "unreadable"),
        (b"", "unreadable"),
        (b'{"ReturnValue": true, "ReturnCode": "22"', "unreadable"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_save_means(client: Make, answer: Any, outcome: Saved | str) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(answer))) as server:
        siagh = client(server, attempts=3)
        if isinstance(outcome, Saved):
            assert siagh.save_contact(CONTACT, None) == outcome
        else:
            with pytest.raises(CallError) as caught:
                siagh.save_contact(CONTACT, None)
            assert caught.value.reason == outcome
            assert type(caught.value) is (Refused if outcome == "rejected" else InDoubt)
        assert len(server.requests) == 2, "a write is never repeated"


def test_all_descriptions_of_a_refusal_are_kept(client: Make) -> None:
    errors = [
        {"ColName": "Price", "Description": "قیمت ردیف 1", "ErrorCode": -1},
        entry("ErrError", "a\nb"),
        entry(text=""),
    ]
    with serving(routed({LOGIN: LOGGED_IN}, reply({"Errors": errors, "ReturnValue": False}))) as server:
        with pytest.raises(Refused) as caught:
            client(server).save_preinvoice(DOCUMENT)
    assert caught.value.detail == "قیمت ردیف 1; a b"
    assert "قیمت ردیف 1" in catalog.render(caught.value.message)


def test_a_preinvoice_goes_round(client: Make, sandbox: Sandbox) -> None:
    code = max(sandbox.finance.contacts)
    rows = [*DOCUMENT["rows"], {**DOCUMENT["rows"][0], "quantity": "1.5", "unit_price": "3", "discount": "0.5"}]
    document = {**DOCUMENT, "customer_code": code, "fiscal_year": sandbox.finance.year(), "rows": rows}
    saved = client(sandbox).save_preinvoice(document)
    (posted,) = [each for each in sandbox.finance.preinvoices if each.code == saved.key]
    assert (saved.number, saved.net) == (str(posted.number), Decimal(5_720_004))
    assert posted.suid == "0B8E7A52AAAABBBBCCCC000000000001"
    assert (posted.customer, posted.fields["tozihat"]) == (code, "note/")
    first, second = posted.rows
    assert (first["codekala"], first["nameunit"], first["qty"]) == ("P-1", "عدد", 2)
    assert (second["qty"], second["mabtakhfif"]) == (Decimal("1.5"), Decimal("0.5"))


def test_a_preinvoice_sends_what_the_contract_says(client: Make) -> None:
    with serving(routed({LOGIN: LOGGED_IN}, reply(SAVED))) as server:
        saved = client(server).save_preinvoice(DOCUMENT)
    assert saved == SavedPreinvoice(None, "22", None, ())
    sent = server.requests[1].json
    assert sent["formId"] == "43D81"
    assert sent["parameters"] == "_In_EditKeys=|_In_Suid=0B8E7A52AAAABBBBCCCC000000000001|nocheck="
    (grid,) = json.loads(sent["dataRows"])
    cells = grid["data"][0]
    assert cells["qty"] == cells["finalqty"] == {"oldValue": None, "newValue": 2}
    assert (cells["price"]["newValue"], cells["mabtakhfif"]["newValue"]) == (2860000, 0)
    assert [cells[key]["newValue"] for key in ("codekala", "nameunit", "vazn", "hajm", "radif")] == [
        "P-1",
        "عدد",
        "0",
        "0",
        "1",
    ]


@pytest.mark.parametrize(
    ("text", "number", "net"),
    [
        ("پیش فاکتور فروش با موفقیت به شماره 2488 ثبت گردید خالص سند: 5,720,000", "2488", Decimal(5_720_000)),
        ("پیش فاکتور به شماره ۲۴۸۸ ثبت گردید خالص سند: ۵٬۷۲۰٬۰۰۰", "2488", Decimal(5_720_000)),
        ("به شماره: ٢٬٤٨٨ ثبت گردید. خالص سند ٥،٧٢٠،٠٠٠.", "2488", Decimal(5_720_000)),
        ("به شماره \u200e2488\u200f ثبت، خالص\u200cسند :\u00a05,720,000.50", "2488", Decimal("5720000.50")),
        ("به شماره 2488 خالص سند: ۵۷۲۰٫۵", "2488", Decimal("5720.5")),
        ("به شماره 2488 خالص سند: 0", "2488", Decimal(0)),
        ("به شماره 2488 خالص سند: 5.720.000", "2488", None),
        ("شماره تلفن 7 درست نیست", None, None),
        ("ثبت گردید", None, None),
        ("", None, None),
    ],
)
@pytest.mark.parametrize("final", [False, True])
def test_number_and_net_are_read_from_the_success(
    client: Make, text: str, number: str | None, net: Decimal | None, final: bool
) -> None:
    warning = entry("ErrWarning", "شماره 1 خالص سند: 1")
    answer = {**SAVED, "Errors": [warning, *([] if final else [entry("ErrSuccs", text)])]}
    answer["FinalMessages"] = [text] if final else []
    with serving(routed({LOGIN: LOGGED_IN}, reply(answer))) as server:
        saved = client(server).save_preinvoice(DOCUMENT)
    assert saved == SavedPreinvoice(number, "22", net, ("شماره 1 خالص سند: 1",))


@pytest.mark.parametrize(
    "kind", ["reset_after", "close_after", "status_after", "cut", "hang_after", "html", "drip_headers"]
)
def test_a_save_whose_answer_is_lost_is_sent_once_and_in_doubt(client: Make, sandbox: Sandbox, kind: Any) -> None:
    siagh = client(sandbox, attempts=3, timeout=2)
    siagh.login()
    before = len(sandbox.finance.contacts)
    sandbox.faults.arm(Fault(kind, "finance:SaveFormData", seconds=3600, commit=True))
    with pytest.raises(InDoubt):
        siagh.save_contact(CONTACT, None)
    assert len(sandbox.finance.contacts) == before + 1
    assert sandbox.journal.count("finance", "SaveFormData") == 1


@pytest.mark.parametrize("kind", ["reset_before", "close_before", "refuse_before", "cut", "status_after"])
def test_reads_are_repeated(client: Make, sandbox: Sandbox, kind: Any) -> None:
    siagh = client(sandbox, attempts=3)
    sandbox.faults.arm(Fault(kind, "finance:GetAll", times=2))
    assert len(list(siagh.contacts())) == len(sandbox.finance.contacts)


class Doorkeeper:
    """Accepts only the newest of its sessions."""

    def __init__(self, *, accept: bool = True) -> None:
        self.logins = 0
        self.accept = accept
        self.valid = ""
        self._lock = threading.Lock()

    def __call__(self, conn: Any, received: Received) -> bool:
        with self._lock:
            if received.path.endswith(LOGIN):
                self.logins += 1
                self.valid = f"session-{self.logins}"
                return reply({"SessionId": self.valid})(conn, received)
            if not self.accept or received.headers.get("authorization") != self.valid:
                return reply({"Message": "expired"}, 401)(conn, received)
        return reply([] if received.path.endswith("GetAll") else SAVED)(conn, received)


def test_a_storm_of_401_makes_one_new_login(client: Make) -> None:
    door = Doorkeeper()
    with serving(door) as server:
        siagh = client(server)
        siagh.login()
        for _ in range(3):
            door.valid = "another"
            logins, barrier = door.logins, threading.Barrier(8)
            codes: list[str] = []

            def work(odd: int, barrier: threading.Barrier = barrier, codes: list[str] = codes) -> None:
                barrier.wait()
                if odd:
                    list(siagh.contacts())
                codes.append(siagh.save_contact(CONTACT, None).code)

            threads = [threading.Thread(target=work, args=(number % 2,)) for number in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert codes == ["22"] * 8
            assert door.logins == logins + 1


def test_a_storm_of_refused_logins_makes_one_attempt(client: Make) -> None:
    def door(conn: Any, received: Received) -> bool:
        return reply({"Message": "no"}, 401)(conn, received)

    with serving(LOGGED_IN, door) as server:
        siagh = client(server)
        siagh.login()
        barrier, refused = threading.Barrier(8), []

        def work() -> None:
            barrier.wait()
            try:
                siagh.save_contact(CONTACT, None)
            except LoginRefused as error:
                refused.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(refused) == 8
        assert sum(request.path.endswith(LOGIN) for request in server.requests) == 2


def test_a_new_session_that_is_not_accepted_ends_it(client: Make) -> None:
    door = Doorkeeper(accept=False)
    with serving(door) as server:
        siagh = client(server, attempts=3)
        for _ in range(2):
            with pytest.raises(LoginRefused):
                siagh.contact(1)
    assert door.logins == 2


NAMES = [
    "Errors",
    "FinalMessages",
    "ReturnValue",
    "ReturnCode",
    "Description",
    "ErrorType",
    "ErrorCode",
    "Code",
    "SessionId",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["22", "ErrError", "\ud800"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
BODIES = VALUES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=60)
ANSWERS = st.tuples(BODIES, st.sampled_from([200, 200, 200, 201, 204, 301, 400, 401, 403, 404, 500, 503]))


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[tuple[RawServer, dict[str, Handler]]]:
    routes: dict[str, Handler] = {}

    def handle(conn: Any, received: Received) -> bool:
        return routes[LOGIN if received.path.endswith(LOGIN) else "fuzz"](conn, received)

    with serving(handle) as server:
        yield server, routes


@MANY_ANSWERS
@given(ANSWERS, st.sampled_from(["contacts", "contact", "save", "post", "login"]), st.integers(0, 40))
def test_whatever_siagh_answers_only_our_errors_leave(
    fuzzed: tuple[RawServer, dict[str, Handler]], answer: tuple[bytes, int], act: str, cut: int
) -> None:
    server, routes = fuzzed
    body, status = answer
    routes["fuzz"] = reply(body[: len(body) - cut] if cut < 5 else body, status)
    routes[LOGIN] = routes["fuzz"] if act == "login" else LOGGED_IN
    carrier = HttpSession("finance", server.url, timeout=60, attempts=1, concurrency=1)
    siagh = Siagh(carrier, "user", HASH)
    told = ""
    try:
        result: Any = {
            "contacts": lambda: list(siagh.contacts()),
            "contact": lambda: siagh.contact(22),
            "save": lambda: siagh.save_contact(CONTACT, 22),
            "post": lambda: siagh.save_preinvoice(DOCUMENT),
            "login": siagh.login,
        }[act]()
    except CallError as error:
        told = str(vars(error))
    else:
        kinds: dict[str, Any] = {
            "contacts": list,
            "contact": (dict, type(None)),
            "save": Saved,
            "post": SavedPreinvoice,
            "login": Session,
        }
        assert isinstance(result, kinds[act])
        str(result).encode()
    finally:
        carrier.close()
    assert SESSION not in told
    assert HASH not in told


@MANY_ANSWERS
@given(st.binary(max_size=80), st.sampled_from([b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"]))
def test_whatever_bytes_come_only_our_errors_leave(
    fuzzed: tuple[RawServer, dict[str, Handler]], data: bytes, start: bytes
) -> None:
    server, routes = fuzzed
    routes[LOGIN], routes["fuzz"] = LOGGED_IN, raw(start + data)
    carrier = HttpSession("finance", server.url, timeout=60, attempts=1, concurrency=1)
    try:
        with pytest.raises(CallError):
            Siagh(carrier, "user", HASH).save_contact(CONTACT, None)
    finally:
        carrier.close()
