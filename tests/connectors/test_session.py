"""The HTTP session against servers that break off, drip, lie and redirect: every outcome is one of ours, in time."""

from __future__ import annotations

import gzip
import io
import logging
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trustme

from siaghsync.connectors.http import retry, session
from siaghsync.connectors.http.errors import Unauthorized
from siaghsync.connectors.http.session import HttpSession
from siaghsync.errors import CallError, InDoubt, NotSent, Refused, SettingsError
from siaghsync.messages.message import msg
from tests.connectors.raw_server import (
    RawServer,
    deaf,
    dripping,
    free_port,
    head,
    raw,
    reply,
    resetting,
    serving,
    silent,
)
from tests.patience import wait_for

SECRET = "s3cr3t-5e311c4b2eab409c"
OK = reply({"ok": True})
AMPLE = 60.0
"""Seconds that are more than enough on any machine: such a limit never runs out."""
BRIEF = 1.0
"""A limit that runs out. Where nothing else ends a request, a limit that is not kept lets the test hang."""


@pytest.fixture
def connect() -> Iterator[Any]:
    opened: list[HttpSession] = []

    def make(address: RawServer | str, **options: Any) -> HttpSession:
        url = address if isinstance(address, str) else address.url
        settings = {"timeout": AMPLE, "attempts": 1, "concurrency": 4, **options}
        opened.append(HttpSession("crm", url, **settings))
        return opened[-1]

    yield make
    for each in opened:
        each.close()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_growing", lambda state: 0.01)


def ask(carrier: HttpSession, *, repeatable: bool = False, **more: Any) -> Any:
    options = {"what": "create_contact", "headers": {"Authorization": SECRET}, **more}
    return carrier.call("POST", "/path", {"password": SECRET}, repeatable=repeatable, **options)


def failure(carrier: HttpSession, *, repeatable: bool = False, **more: Any) -> CallError:
    with pytest.raises(CallError) as caught:
        ask(carrier, repeatable=repeatable, **more)
    return caught.value


def test_an_answer_comes_back_whole(connect: Any) -> None:
    with serving(reply(b"[1]", 201, "X-Some: thing", "Date: Sun, 21 Dec 2025 10:36:17 GMT")) as server:
        answer = ask(connect(server))
    assert (answer.status, answer.body) == (201, b"[1]")
    assert answer.headers["x-SOME"] == "thing"
    assert answer.server_time == datetime(2025, 12, 21, 10, 36, 17, tzinfo=UTC)
    received = server.requests[0]
    assert received.headers["content-type"].startswith("application/json")
    assert received.headers["user-agent"].startswith("siaghsync/")
    assert received.headers["authorization"] == SECRET
    assert received.json == {"password": SECRET}


@pytest.mark.parametrize("date", ["", "yesterday", "Sun, 99 Foo 2025 10:36:17 GMT", "Sun, 21 Dec 99999 10:00:00 GMT"])
def test_a_bad_date_is_no_date(connect: Any, date: str) -> None:
    with serving(reply(b"", 200, f"Date: {date}")) as server:
        assert ask(connect(server)).server_time is None


def test_one_connection_serves_many_requests(connect: Any) -> None:
    with serving(OK) as server:
        carrier = connect(server)
        for _ in range(5):
            ask(carrier)
        assert (server.connections, carrier.sent, carrier.retried) == (1, 5, 0)


def test_persian_text_and_gzip_arrive(connect: Any) -> None:
    with serving(reply(gzip.compress("سیاق".encode()), 200, "Content-Encoding: gzip")) as server:
        answer = connect(server).call("POST", "/", {"name": "علی"}, what="x", repeatable=False)
    assert answer.body.decode() == "سیاق"
    assert server.requests[0].json == {"name": "علی"}


def test_base_path_and_trailing_slash_are_kept_in_order(connect: Any) -> None:
    with serving(OK) as server:
        ask(connect(" " + server.url.upper() + "/root/ "))
    assert server.requests[0].path == "/root/path"


BROKEN_AFTER_SENDING = {
    "silence": (silent(), "timeout"),
    "dripping headers": (dripping(b"HTTP/1.1 200 OK\r\nX-A: "), "timeout"),
    "dripping status": (dripping(b"HTTP"), "timeout"),
    "dripping body": (dripping(head(200, "Content-Length: 1000")), "timeout"),
    "dripping chunks": (dripping(head(200, "Transfer-Encoding: chunked"), b"1\r\nx\r\n"), "timeout"),
    "dripping body without length": (dripping(head(200)), "timeout"),
    "valid body without length, never ended": (silent(head(200) + b"{}"), "timeout"),
    "many informational answers": (dripping(b"", head(100)), "timeout"),
    "reset before the answer": (resetting(), "reset"),
    "closed before the answer": (raw(b""), "reset"),
    "reset in the headers": (resetting(b"HTTP/1.1 200 OK\r\nX-A"), "reset"),
    "reset in the body": (resetting(head(200, "Content-Length: 1000") + b"x"), "reset"),
    "reset in a body without length": (resetting(head(200) + b"x"), "reset"),
    "body cut": (raw(head(200, "Content-Length: 10") + b"12345"), "cut"),
    "body missing": (raw(head(200, "Content-Length: 10")), "cut"),
    "chunk cut": (raw(head(200, "Transfer-Encoding: chunked") + b"5\r\nab"), "cut"),
    "last chunk missing": (raw(head(200, "Transfer-Encoding: chunked") + b"2\r\nab\r\n"), "cut"),
    "chunk size is nonsense": (raw(head(200, "Transfer-Encoding: chunked") + b"zz\r\nab\r\n"), "cut"),
    "not HTTP": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "unreadable"),
    "status is nonsense": (raw(b"HTTP/1.1 abc OK\r\n\r\n"), "unreadable"),
    "endless header line": (raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n"), "unreadable"),
    "too many headers": (raw(head(200, *[f"X-{n}: 1" for n in range(300)])), "unreadable"),
    "two lengths": (raw(head(200, "Content-Length: 1", "Content-Length: 2") + b"ab"), "unreadable"),
    "bad gzip": (reply(b"no gzip", 200, "Content-Encoding: gzip"), "unreadable"),
    "an encoding nobody asked for": (reply(b"x", 200, "Content-Encoding: br"), "unreadable"),
    "chained encodings": (reply(b"x", 200, "Content-Encoding: gzip, gzip"), "unreadable"),
    "server error": (reply(b"oops", 500), "status_500"),
    "gateway timeout": (reply(b"", 504), "status_504"),
    "proxy gave up": (reply(b"", 408), "status_408"),
    "informational as final": (reply(b"", 103), "status_103"),
}


@pytest.mark.parametrize("case", BROKEN_AFTER_SENDING)
def test_after_the_first_byte_everything_without_a_clear_answer_is_in_doubt(connect: Any, case: str) -> None:
    handler, reason = BROKEN_AFTER_SENDING[case]
    with serving(handler) as server:
        error = failure(connect(server, attempts=3, timeout=BRIEF if reason == "timeout" else AMPLE))
        assert type(error) is InDoubt
        assert error.reason == reason
        assert len(server.requests) == 1, "a write in doubt must never be repeated"
        assert error.message.code == f"call.{reason}"


@pytest.mark.parametrize("case", BROKEN_AFTER_SENDING)
def test_reads_are_repeated_after_doubt(connect: Any, case: str) -> None:
    handler, reason = BROKEN_AFTER_SENDING[case]
    with serving(handler, OK) as server:
        carrier = connect(server, attempts=2, timeout=BRIEF if reason == "timeout" else AMPLE)
        assert ask(carrier, repeatable=True).status == 200
        assert (carrier.sent, carrier.retried) == (2, 1)


def test_a_dripping_spool_ends_in_time_and_is_never_taken_for_complete(connect: Any) -> None:
    with serving(dripping(head(200) + b"[]", b" ")) as server:
        with pytest.raises(InDoubt) as caught:
            connect(server, timeout=BRIEF).spool("GET", "/", what="list")
        assert caught.value.reason == "timeout"


REDIRECTS = ["/elsewhere", "http://127.0.0.1:1/", "http://[::1", "//\xff\xfe", "", "http://%zz:99999999/", "\x7f"]


@pytest.mark.parametrize("location", REDIRECTS)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("repeatable", [False, True])
def test_redirects_are_never_followed(connect: Any, location: str, status: int, repeatable: bool) -> None:
    with serving(reply(b"x", status, f"Location: {location}")) as server:
        error = failure(connect(server, attempts=3), repeatable=repeatable)
        assert (type(error), error.reason, len(server.requests)) == (InDoubt, "redirect", 1)


def test_a_connection_refused_is_surely_not_sent_and_may_be_repeated(connect: Any) -> None:
    carrier = connect(f"http://127.0.0.1:{free_port()}", attempts=3)
    error = failure(carrier)
    assert (type(error), error.reason, carrier.sent, carrier.retried) == (NotSent, "refused_connection", 3, 2)


def test_an_unknown_name_is_surely_not_sent(connect: Any) -> None:
    error = failure(connect("http://nowhere.invalid"))
    assert (type(error), error.reason) == (NotSent, "unresolved")


def test_a_name_that_cannot_be_one_is_surely_not_sent(connect: Any) -> None:
    error = failure(connect(f"http://{'a' * 80}.example"))
    assert type(error) is NotSent


def test_a_resolver_that_hangs_does_not_hang_the_request(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: over.wait())
    error = failure(connect("http://127.0.0.1:1", timeout=BRIEF))
    over.set()
    assert (type(error), error.reason) == (NotSent, "unresolved")


def test_a_server_that_does_not_accept_is_surely_not_sent(connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
            waiting.append(filler)
        error = failure(connect(f"http://127.0.0.1:{port}", timeout=BRIEF))
        assert (type(error), error.reason) == (NotSent, "connect_timeout")
        for filler in waiting:
            filler.close()


def test_plain_http_where_tls_is_spoken_to_is_surely_not_sent(connect: Any) -> None:
    with serving(OK, greet=raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        error = failure(connect(server.url.replace("http:", "https:")))
    assert (type(error), error.reason) == (NotSent, "tls")


def test_a_tls_handshake_that_hangs_is_surely_not_sent(connect: Any) -> None:
    with serving(OK, greet=silent()) as server:
        error = failure(connect(server.url.replace("http:", "https:"), timeout=BRIEF))
    assert (type(error), error.reason) == (NotSent, "connect_timeout")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    authority = trustme.CA()
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(path)
    authority.cert_pem.write_to_path(path.with_name("c.pem"))
    return path


def speaks_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def test_an_untrusted_certificate_is_refused_before_anything_is_sent(connect: Any, certificate: Path) -> None:
    with serving(OK, tls=speaks_tls(certificate)) as server:
        error = failure(connect(server))
        assert (type(error), error.reason, server.requests) == (NotSent, "tls", [])


def test_tls_works_with_the_computers_trust_store_and_is_bounded_too(
    connect: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("c.pem")))
    tls = speaks_tls(certificate)
    with serving(OK, dripping(head(200) + b"x"), dripping(b"HTTP"), tls=tls) as server:
        carrier = connect(server, timeout=BRIEF)
        assert ask(carrier).status == 200
        for _ in range(2):
            error = failure(carrier)
            assert (type(error), error.reason) == (InDoubt, "timeout")


def test_a_stale_kept_connection_leaves_a_write_in_doubt(connect: Any) -> None:
    def answer_then_wait_then_reset(conn: socket.socket, received: Any) -> bool:
        return OK(conn, received)

    with serving(answer_then_wait_then_reset, resetting(), OK) as server:
        carrier = connect(server, attempts=3)
        ask(carrier)
        error = failure(carrier)
        assert (type(error), server.connections, len(server.requests)) == (InDoubt, 1, 2)


def test_a_connection_closed_in_time_is_replaced(connect: Any) -> None:
    closed = threading.Event()

    def answer_and_close(conn: socket.socket, received: Any) -> bool:
        OK(conn, received)
        conn.shutdown(socket.SHUT_RDWR)
        closed.set()
        return False

    with serving(answer_and_close, OK) as server:
        carrier = connect(server)
        ask(carrier)
        closed.wait()
        assert ask(carrier).status == 200


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 409, 410, 413, 415, 422, 451])
@pytest.mark.parametrize("repeatable", [False, True])
def test_a_clear_no_is_final_and_keeps_the_systems_words(connect: Any, status: int, repeatable: bool) -> None:
    body = {"code": 0, "Message": "Bad\nnumber", "errorDetails": [{"field": "CustomerNumber", "message": "taken"}]}
    with serving(reply(body, status)) as server:
        error = failure(connect(server, attempts=3), repeatable=repeatable)
        assert (type(error), error.reason, len(server.requests)) == (Refused, f"status_{status}", 1)
        assert error.detail == "Bad number; CustomerNumber: taken"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"<html><title>404\nNot Found</title><body>long</body>", "HTML: 404 Not Found"),
        (b"  <!doctype html><p>hello", "HTML"),
        (b"just\x00 words\r\n", "just words"),
        (b"", ""),
        (b"\xff\xfe\xfd\xfc\xfb", ""),
        (b'"quoted"', "quoted"),
        (b"[1, 2]", ""),
        (b'{"message": {"a": 1}, "errorDetails": [null, 3, {"message": 4}]}', ""),
        (b"[" * 100_000, "[" * 200),
        (b"x" * 500_000, "x" * 200),
    ],
)
def test_the_systems_words_are_taken_from_whatever_it_sent(connect: Any, body: bytes, detail: str) -> None:
    with serving(reply(body, 400)) as server:
        assert failure(connect(server)).detail == detail


def test_a_clear_no_stays_one_when_its_body_breaks_off(connect: Any) -> None:
    with serving(raw(head(400, "Content-Length: 1000") + b"x")) as server:
        assert type(failure(connect(server))) is Refused
    with serving(dripping(head(400, "Content-Length: 1000"))) as server:
        assert type(failure(connect(server, timeout=BRIEF))) is Refused


def test_401_is_an_error_of_its_own_or_an_answer_where_it_is_expected(connect: Any) -> None:
    with serving(reply({"Message": "no"}, 401)) as server:
        carrier = connect(server, attempts=3)
        error = failure(carrier, repeatable=True)
        assert (type(error), error.reason, error.detail, carrier.sent) == (Unauthorized, "status_401", "no", 1)
        answer = ask(carrier, accept=(401,))
        assert (answer.status, answer.body) == (401, b'{"Message": "no"}')
        with pytest.raises(Unauthorized):
            carrier.spool("GET", "/", what="list")


def test_429_is_repeated_for_writes_as_well(connect: Any) -> None:
    with serving(reply(b"", 429, "Retry-After: 0"), OK) as server:
        carrier = connect(server, attempts=2)
        assert ask(carrier).status == 200
        assert (carrier.sent, carrier.retried) == (2, 1)
    with serving(reply(b"", 429)) as server:
        error = failure(connect(server, attempts=2))
        assert (type(error), error.reason, len(server.requests)) == (Refused, "status_429", 2)


@pytest.mark.parametrize(
    ("lines", "pause"),
    [
        (("Retry-After: 3",), 3),
        (("Retry-After: 86400",), 60),
        (("Retry-After: 99999999999999999999999",), 60),
        (("Date: Sun, 21 Dec 2025 10:00:00 GMT", "Retry-After: Sun, 21 Dec 2025 10:00:07 GMT"), 7),
        (("Date: Sun, 21 Dec 2025 10:00:00 GMT", "Retry-After: Sun, 21 Dec 2025 09:00:00 GMT"), 0.01),
        (("Retry-After: -5",), 0.01),
        (("Retry-After: soon",), 0.01),
        (("Retry-After: ٣",), 0.01),
        ((), 0.01),
    ],
)
def test_the_server_says_how_long_to_pause(
    connect: Any, monkeypatch: pytest.MonkeyPatch, lines: tuple[str, ...], pause: float
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(HttpSession, "_sleep", lambda self, seconds: pauses.append(seconds))
    encoded = tuple(line.encode().decode("latin-1") for line in lines)
    with serving(reply(b"", 429, *encoded), reply(b"", 503, *encoded), OK) as server:
        assert ask(connect(server, attempts=3), repeatable=True).status == 200
    assert pauses == [pause, pause]


def test_pauses_grow_and_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    states = [type("State", (), {"attempt_number": number})() for number in (1, 2, 3, 12)]
    pauses = [retry._growing(state) for state in states]
    assert 0.2 <= pauses[0] <= 0.4
    assert pauses[0] < pauses[2] < pauses[3] <= 10.2


def test_an_answer_above_the_limit_is_not_kept(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_CALL_BYTES", 1000)
    with serving(reply(b"x" * 1000), reply(b"x" * 1001)) as server:
        carrier = connect(server, attempts=3)
        assert len(ask(carrier).body) == 1000
        error = failure(carrier, repeatable=True)
        assert (type(error), error.reason, carrier.sent) == (InDoubt, "too_large", 2)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_gzip_bomb_is_stopped(connect: Any, chunked: bool) -> None:
    bomb = gzip.compress(b"0" * 200 * 1024**2, 9)
    sent = raw(
        head(200, "Content-Encoding: gzip", "Transfer-Encoding: chunked") + b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb)
    )
    with serving(sent if chunked else reply(bomb, 200, "Content-Encoding: gzip")) as server:
        assert (
            failure(
                connect(
                    server,
                )
            ).reason
            == "too_large"
        )


def test_a_spooled_answer_is_on_disk_and_rewound(connect: Any) -> None:
    body = b"0123456789" * 1_000_000
    with serving(reply(b"", 500), reply(body)) as server:
        carrier = connect(server, attempts=2)
        with carrier.spool("GET", "/list", what="list") as file:
            assert file.read() == body
        assert carrier.retried == 1


def test_a_full_disk_is_named(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "_temporary_file", partial(Path("/dev/full").open, "w+b", buffering=0))
    with serving(OK) as server:
        with pytest.raises(InDoubt) as caught:
            connect(server, attempts=3).spool("GET", "/", what="list")
        assert (caught.value.reason, len(server.requests)) == ("disk", 1)


def test_environment_and_netrc_are_ignored(connect: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login eve password hers\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    with serving(OK) as server:
        carrier = connect(server)
        ask(carrier)
        ask(carrier, headers={})
    assert server.requests[0].headers["authorization"] == SECRET
    assert "authorization" not in server.requests[1].headers


def test_no_cookie_is_kept(connect: Any) -> None:
    with serving(reply(b"", 200, "Set-Cookie: a=b; Path=/")) as server:
        carrier = connect(server)
        ask(carrier)
        ask(carrier)
    assert "cookie" not in server.requests[1].headers


@pytest.mark.parametrize("handler", [OK, reply(b"", 400), resetting(), silent(), reply(b"", 302, "Location: /x")])
def test_no_secret_and_no_address_is_ever_told(connect: Any, handler: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(handler) as server:
        carrier = connect(server, timeout=BRIEF)
        if handler is OK:
            told = repr(ask(carrier))
        else:
            error = failure(carrier)
            told = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(error)
            assert error.__cause__ is None
            assert error.__context__ is None
            told += repr(error.message)
            assert error.message.params["system"] == "crm"
            assert error.message.params["what"] == "create_contact"
    for hidden in (SECRET, "127.0.0.1", str(server.port)):
        assert hidden not in told
    assert caplog.text == ""


def test_a_server_that_quotes_a_secret_does_not_make_us_tell_it(connect: Any) -> None:
    with serving(reply({"message": f"bad password {SECRET}!"}, 400)) as server:
        carrier = connect(server)
        carrier.conceal(SECRET)
        carrier.conceal("")
        error = failure(carrier)
        assert error.detail == "bad password ***!"
        assert SECRET not in repr(error.message)


def test_broken_headers_are_not_logged(connect: Any, caplog: pytest.LogCaptureFixture) -> None:
    with serving(raw(b"HTTP/1.1 200 OK\r\nbroken header\r\nContent-Length: 2\r\n\r\n{}")) as server:
        ask(connect(server))
    assert caplog.text == ""


@pytest.mark.parametrize(
    "payload", [{"x": float("nan")}, {"x": "\ud800"}, {"x": object()}], ids=["NaN", "half a letter", "no JSON"]
)
def test_what_cannot_be_written_is_surely_not_sent(connect: Any, payload: Any) -> None:
    with serving(OK) as server:
        with pytest.raises(NotSent) as caught:
            connect(server, attempts=3).call("POST", "/", payload, what="x", repeatable=True)
        assert (caught.value.reason, server.connections) == ("unsendable", 0)
        error = failure(connect(server), headers={"Authorization": "a\r\nX: b"})
        assert (type(error), error.reason) == (NotSent, "unsendable")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host",
        "host:80",
        "http://",
        "http://[::1",
        "http://u:p@host",
        "http://h:99999",
        "http://h/?a=b",
        "//h",
    ],
)
def test_an_address_that_cannot_be_one_is_a_setting_to_mend(url: str) -> None:
    with pytest.raises(SettingsError) as caught:
        HttpSession("finance", url, timeout=1, attempts=1, concurrency=1)
    assert caught.value.message == msg("settings.bad_address", system="finance")


def test_a_stop_cuts_reads_at_once(connect: Any) -> None:
    stop = threading.Event()

    def ignore(conn: socket.socket, received: Any) -> bool:
        stop.set()
        return silent()(conn, received)

    with serving(ignore) as server:
        error = failure(carrier := connect(server, attempts=3, stop=stop), repeatable=True)
        assert (error.reason, carrier.sent) == ("interrupted", 1)


def test_a_stop_lets_a_write_run_to_its_end(connect: Any) -> None:
    stop = threading.Event()

    def slow(conn: socket.socket, received: Any) -> bool:
        stop.set()
        time.sleep(0.4)
        return OK(conn, received)

    with serving(slow) as server:
        carrier = connect(server, stop=stop)
        assert ask(carrier).status == 200
        error = failure(carrier)
        assert (type(error), error.reason, len(server.requests)) == (NotSent, "interrupted", 1)


def test_a_stop_ends_a_pause(connect: Any) -> None:
    stop = threading.Event()

    def busy(conn: socket.socket, received: Any) -> bool:
        threading.Timer(0.2, stop.set).start()  # before the pause or in it; either way it must not last its hour
        return reply(b"", 429, "Retry-After: 3600")(conn, received)

    with serving(busy) as server:
        error = failure(connect(server, attempts=3, stop=stop))
        assert (type(error), error.reason) == (NotSent, "interrupted")


def test_no_more_than_concurrency_at_a_time(connect: Any) -> None:
    lock, now, most, three = threading.Lock(), [0], [0], threading.Barrier(3)

    def busy(conn: socket.socket, received: Any) -> bool:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        three.wait(AMPLE)
        time.sleep(0.05)  # for a fourth one, which must not come
        with lock:
            now[0] -= 1
        return OK(conn, received)

    with serving(busy) as server:
        carrier = connect(server, concurrency=3)
        threads = [threading.Thread(target=ask, args=(carrier,)) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert (most[0], carrier.sent) == (3, 12)
        assert server.connections <= 3


def test_slow_and_quick_requests_do_not_cut_each_other(connect: Any) -> None:
    """A kept connection changes hands between a request whose time runs out and others that are fine."""

    def sometimes(conn: socket.socket, received: Any) -> bool:
        if received.path == "/slow":
            return dripping(head(200, "Content-Length: 100"))(conn, received)
        return OK(conn, received)

    with serving(sometimes) as server:
        carrier = connect(server, timeout=2 * BRIEF, concurrency=6)
        outcomes: list[str] = []

        def slow() -> None:
            with pytest.raises(InDoubt):
                carrier.call("GET", "/slow", what="x", repeatable=False)

        def quick() -> None:
            for _ in range(100):
                outcomes.append(str(carrier.call("GET", "/", what="x", repeatable=False).status))

        threads = [threading.Thread(target=work) for work in (slow, slow, quick, quick, quick)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == ["200"] * 300


def test_a_request_that_ends_late_leaves_its_connection_to_others(
    connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer is there to its last byte; then time runs out while it is written to disk."""
    written, over = threading.Event(), threading.Event()

    class SlowDisk(io.BytesIO):
        def write(self, data: Any) -> int:
            written.set()
            over.wait()
            return super().write(data)

    monkeypatch.setattr(session, "_temporary_file", SlowDisk)
    with serving(OK) as server:
        carrier = connect(server, timeout=2 * BRIEF)
        late: list[CallError] = []

        def spool() -> None:
            try:
                carrier.spool("GET", "/", what="list")
            except CallError as error:
                late.append(error)

        thread = threading.Thread(target=spool)
        thread.start()
        written.wait()
        assert ask(carrier).status == 200, "each request is held to its own deadline"
        time.sleep(2 * BRIEF)
        over.set()
        thread.join()
        assert [error.reason for error in late] == ["timeout"]
        assert server.connections == 1


def test_close_ends_the_kept_connections() -> None:
    ended = threading.Event()

    def until_closed(conn: socket.socket, received: Any) -> bool:
        OK(conn, received)
        if conn.recv(1) == b"":
            ended.set()
        return False

    before = threading.active_count()
    with serving(until_closed) as server:
        carrier = HttpSession("crm", server.url, timeout=AMPLE, attempts=1, concurrency=1)
        ask(carrier)
        assert not ended.is_set()
        carrier.close()
        carrier.close()
        assert ended.wait(AMPLE)
    wait_for(lambda: threading.active_count() <= before)  # no thread of a session is left


def test_a_foreign_exception_becomes_ours(connect: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def surprise(*_: Any, **__: Any) -> None:
        raise KeyError(SECRET)

    with serving(OK) as server:
        carrier = connect(server)
        monkeypatch.setattr(session, "read_body", surprise)
        error = failure(carrier)
        assert type(error) is InDoubt
        assert SECRET not in str(error)


@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize("status", [200, 204, 400])
def test_an_answer_without_a_body_keeps_its_connection_too(connect: Any, body: bytes, status: int) -> None:
    with serving(reply(b"" if status == 204 else body, status)) as server:
        carrier = connect(server)
        for _ in range(3):
            ask(carrier, accept=(400,))
        assert server.connections == 1


def test_http_1_0_is_understood(connect: Any) -> None:
    answers = [b"Content-Length: 2\r\n\r\n{}", b"\r\n{}", b"Content-Length: 10\r\n\r\n{}"]
    with serving(*(raw(b"HTTP/1.0 200 OK\r\n" + answer) for answer in answers)) as server:
        carrier = connect(server)
        assert ask(carrier).body == b"{}"
        assert ask(carrier).body == b"{}"
        error = failure(carrier)
        assert (type(error), error.reason, server.connections) == (InDoubt, "cut", 3)


@contextmanager
def one_connection(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port whose first connection is given to `serve`, in a thread that has ended after the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            conn, _ = listener.accept()
            with conn:
                serve(conn)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join()


def test_head_and_body_of_a_request_leave_as_one_piece(connect: Any) -> None:
    pieces: list[bytes] = []

    def read_once(conn: socket.socket) -> None:
        pieces.append(conn.recv(65536))
        conn.sendall(head(200, "Content-Length: 0"))

    with one_connection(read_once) as port:
        ask(connect(f"http://127.0.0.1:{port}"))
    assert pieces[0].startswith(b"POST /path HTTP/1.1\r\n")
    assert pieces[0].endswith(b'{"password": "%s"}' % SECRET.encode())


@pytest.mark.parametrize("secure", [False, True])
def test_a_large_request_to_a_slow_reader_arrives_whole(
    connect: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.with_name("c.pem")))
    text = "".join(f"{n:08x}" for n in range(500_000))
    bodies: list[bytes] = []

    def read_slowly(conn: socket.socket) -> None:
        conn = speaks_tls(certificate).wrap_socket(conn, server_side=True) if secure else conn
        data = bytearray()
        while not data.endswith(b'"}'):
            time.sleep(0.2 if len(data) < 1000 else 0)
            data += conn.recv(256 * 1024 if data else 500)
        bodies.append(bytes(data).partition(b"\r\n\r\n")[2])
        conn.sendall(head(200, "Content-Length: 0"))

    with one_connection(read_slowly) as port:
        carrier = connect(f"http{'s' if secure else ''}://127.0.0.1:{port}")
        assert carrier.call("POST", "/", {"text": text}, what="x", repeatable=False).status == 200
    assert bodies == [f'{{"text": "{text}"}}'.encode()]


def test_time_is_limited_while_a_request_leaves_as_well(connect: Any) -> None:
    with serving(OK, greet=deaf) as server:
        with pytest.raises(InDoubt) as caught:
            connect(server, timeout=2).call("POST", "/", {"text": "x" * 16 * 1024**2}, what="x", repeatable=False)
        assert caught.value.reason == "timeout"


@pytest.mark.parametrize("where", ["connecting", "handshake"])
def test_a_stop_cuts_reads_before_they_are_sent_as_well(connect: Any, where: str) -> None:
    stop = threading.Event()
    with serving(OK, greet=silent()) as server, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        waiting = [socket.socket() for _ in range(4)]
        for filler in waiting:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        secure = server.url.replace("http:", "https:")
        carrier = connect(secure if where == "handshake" else f"http://127.0.0.1:{full.getsockname()[1]}", stop=stop)
        threading.Timer(0.2, stop.set).start()
        error = failure(carrier, repeatable=True)
        assert (type(error), error.reason) == (NotSent, "interrupted")
        for filler in waiting:
            filler.close()


@pytest.mark.parametrize("pem", ["", "-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n", None])
def test_a_private_authority_that_cannot_be_read_is_a_setting_to_correct(tmp_path: Path, pem: str | None) -> None:
    if pem is not None:
        (tmp_path / "ca.pem").write_text(pem)
    with pytest.raises(SettingsError) as caught:
        HttpSession("crm", "https://h", timeout=1, attempts=1, concurrency=1, tls_ca_file=tmp_path / "ca.pem")
    assert caught.value.message.code == "settings.bad_tls_ca_file"


def test_a_private_authority_is_believed_and_no_session_key_is_written(
    connect: Any, certificate: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with serving(OK, tls=speaks_tls(certificate)) as server:
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "client-keys"))
        believing = connect(server, tls_ca_file=certificate.with_name("c.pem"))
        assert ask(believing).status == 200
        assert failure(connect(server)).reason == "tls"
    assert not (tmp_path / "client-keys").exists()


@pytest.mark.parametrize(("status", "kind"), [(301, InDoubt), (307, InDoubt), (308, InDoubt)])
def test_a_redirected_write_reaches_no_other_address(connect: Any, status: int, kind: type[CallError]) -> None:
    with serving(OK) as elsewhere, serving(reply(b"", status, f"Location: {elsewhere.url}/")) as server:
        assert type(failure(connect(server, attempts=3))) is kind
        assert (len(server.requests), elsewhere.connections) == (1, 0)
