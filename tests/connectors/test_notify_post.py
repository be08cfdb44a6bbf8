"""Requests to addresses outside: whatever the other end does, what went wrong is known in good time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from siaghsync.connectors.http.notify_post import NotifyPost
from siaghsync.messages.message import Message, msg
from tests.cli.listener import Listener, closed_port

SECRET = "5e311c4b-secret"


@pytest.fixture
def listener() -> Iterator[Listener]:
    with Listener() as listening:
        yield listening


def trouble(url: str, body: bytes | None = None, seconds: float = 60.0) -> Message | None:
    return NotifyPost("HEALTHCHECK_URL", f"{url}/{SECRET}", body, seconds=seconds).trouble()


def test_a_get_without_and_a_post_with_a_body(listener: Listener) -> None:
    assert trouble(listener.url) is None
    assert trouble(listener.url, "چه شد".encode()) is None
    get, post = listener.heard
    assert (get.method, get.path, get.body) == ("GET", f"/{SECRET}", b"")
    assert (post.method, post.body.decode()) == ("POST", "چه شد")


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500, 503])
def test_anything_but_a_2xx_is_trouble(listener: Listener, status: int) -> None:
    listener.status = status
    found = trouble(listener.url)
    if status < 400:
        assert found == msg("notify.failed", target="HEALTHCHECK_URL", reason="redirect")
    else:
        assert found == msg("notify.status", target="HEALTHCHECK_URL", status=status)


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/elsewhere", "//[", "http://[::", "\x00"])
def test_redirects_are_not_followed_nor_even_understood(listener: Listener, target: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n"
    listener.answers[f"/{SECRET}"] = answer.encode()
    assert trouble(listener.url) == msg("notify.failed", target="HEALTHCHECK_URL", reason="redirect")
    assert len(listener.heard) == 1


@pytest.mark.parametrize("answer", [b"", b"\x00\x01\x02", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/1.1 200 OK\r\nodd line\r\n"])
def test_nonsense_is_trouble_or_nothing_but_never_an_exception(
    listener: Listener, answer: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    listener.answers[f"/{SECRET}"] = answer
    said = trouble(listener.url)
    assert SECRET not in repr(said) + "".join(capfd.readouterr())


def test_nobody_there() -> None:
    found = trouble(f"http://127.0.0.1:{closed_port()}")
    assert found == msg("notify.failed", target="HEALTHCHECK_URL", reason="refused_connection")


@pytest.mark.parametrize("url", ["", "ftp://127.0.0.1", "http://[::1", "nonsense"])
def test_an_address_that_cannot_be_one(url: str) -> None:
    assert trouble(url) == msg("notify.failed", target="HEALTHCHECK_URL", reason="unsendable")


@pytest.mark.parametrize("way", ["hang", "drip"])
def test_time_is_limited_for_the_whole_of_it(listener: Listener, way: str) -> None:
    listener.answers[f"/{SECRET}"] = b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100
    setattr(listener, way, 0.5 if way == "drip" else 3600)  # it takes minutes where the limit is not kept
    assert trouble(listener.url, seconds=1) == msg("notify.failed", target="HEALTHCHECK_URL", reason="timeout")


def test_an_endless_answer_is_not_read(listener: Listener) -> None:
    listener.answers[f"/{SECRET}"] = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nx"
    assert trouble(listener.url) is None


def test_neither_proxies_nor_netrc_are_used(
    listener: Listener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login somebody password hidden\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", os.fspath(tmp_path))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port()}")
    assert trouble(listener.url) is None
    assert "Authorization" not in listener.heard[0].headers
