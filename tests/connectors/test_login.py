"""One login for all threads: a 401 brings one new login and one repeat, and a refused login is not tried again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from siaghsync.connectors.http import retry
from siaghsync.connectors.http.login import SharedLogin
from siaghsync.connectors.http.session import HttpSession
from siaghsync.errors import CallError, LoginRefused, NotSent
from tests.connectors.raw_server import RawServer, Received, raw, reply, serving


class Gate:
    """Accepts one token. `/login` makes it, unless `answer` says otherwise; all else needs it."""

    def __init__(self, answer: Any = None, *, accept: bool = True) -> None:
        self.logins = 0
        self.valid = ""
        self.answer = answer
        self._accept = accept
        self._lock = threading.Lock()

    def __call__(self, conn: Any, received: Received) -> bool:
        if received.path == "/login":
            with self._lock:
                self.logins += 1
                self.valid = f"token-{self.logins}"
            handler = self.answer or reply(self.valid.encode())
        elif self._accept and received.headers.get("authorization") == self.valid:
            handler = reply(b"done")
        else:
            handler = reply({"Message": "expired"}, 401)
        return bool(handler(conn, received))


class Client:
    """Logs in and writes something that must not be repeated."""

    def __init__(self, server: RawServer) -> None:
        self.session = HttpSession("finance", server.url, timeout=60, attempts=2, concurrency=8)
        self.login = SharedLogin("finance", self._log_in)

    def write(self) -> bytes:
        def ask(token: str) -> bytes:
            headers = {"Authorization": token}
            return self.session.call("POST", "/", {}, what="create_contact", repeatable=False, headers=headers).body

        return self.login.use(ask)

    def _log_in(self) -> str:
        answer = self.session.call("POST", "/login", {}, what="log_in", repeatable=True, accept=(403,))
        if answer.status == 403:
            raise LoginRefused("finance", "log_in", "status_403")
        return answer.body.decode()


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "_growing", lambda state: 0.01)


@pytest.fixture
def open_client() -> Iterator[Any]:
    clients: list[Client] = []

    def make(server: RawServer) -> Client:
        clients.append(Client(server))
        return clients[-1]

    yield make
    for client in clients:
        client.session.close()


def failure(client: Client) -> CallError:
    with pytest.raises(CallError) as caught:
        client.write()
    return caught.value


def test_a_401_brings_one_new_login_and_one_repeat(open_client: Any) -> None:
    gate = Gate()
    with serving(gate) as server:
        client = open_client(server)
        assert client.write() == b"done"
        gate.valid = "ended"
        assert client.write() == b"done"
    assert gate.logins == 2
    assert [request.path for request in server.requests] == ["/login", "/", "/", "/login", "/"]


def test_many_threads_share_one_new_login(open_client: Any) -> None:
    gate = Gate()
    with serving(gate) as server:
        client = open_client(server)
        client.login.renew()
        gate.valid = "ended"
        barrier, answers = threading.Barrier(8), []

        def work() -> None:
            barrier.wait()
            answers.append(client.write())

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert (answers, gate.logins) == ([b"done"] * 8, 2)


def test_a_new_token_that_is_not_accepted_ends_it_for_the_whole_run(open_client: Any) -> None:
    gate = Gate(accept=False)
    with serving(gate) as server:
        client = open_client(server)
        for _ in range(2):
            error = failure(client)
            assert (type(error), error.reason, error.detail) == (LoginRefused, "session_rejected", "expired")
    assert gate.logins == 2


def test_a_refused_login_is_not_tried_again(open_client: Any) -> None:
    gate = Gate(reply(b"", 403))
    with serving(gate) as server:
        client = open_client(server)
        for _ in range(3):
            error = failure(client)
            assert (type(error), error.reason) == (LoginRefused, "status_403")
    assert gate.logins == 1


@pytest.mark.parametrize(("answer", "reason"), [(reply(b"", 500), "status_500"), (reply(b"", 400), "status_400")])
def test_what_waits_for_a_login_that_fails_was_surely_not_sent(open_client: Any, answer: Any, reason: str) -> None:
    with serving(Gate(answer)) as server:
        error = failure(open_client(server))
    assert (type(error), error.what, error.reason) == (NotSent, "log_in", reason)
    assert error.message.params["what"] == "log_in"
    assert all(request.path == "/login" for request in server.requests)


def test_a_login_whose_answer_is_lost_is_repeated_and_then_serves(open_client: Any) -> None:
    gate = Gate()
    with serving(raw(b""), gate) as server:
        assert open_client(server).write() == b"done"
    assert [request.path for request in server.requests] == ["/login", "/login", "/"]
