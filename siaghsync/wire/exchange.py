"""One HTTP request and what became of it: everything that a library can throw becomes an outcome of ours.

Credentials go to the base URL only: no redirect is followed, no .netrc, proxy variable or cookie is used. The connections
are used without what libraries put around them: looking for all that at each call costs more than the call.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO
from urllib.parse import urlsplit

from urllib3.response import HTTPResponse
from urllib3.util import Url, parse_url

from siaghsync import __version__
from siaghsync.errors import CallError, Refused, SettingsError, System
from siaghsync.wire.connection import Connection, TLSConnection
from siaghsync.wire.deadline import Limit, Unreached
from siaghsync.wire.outcomes import ADDRESS_SETTINGS, in_doubt, not_sent, refused, words_of
from siaghsync.wire.receiving import Answer, answer_of, beginning, reason_of, receive, retry_after
from siaghsync.wire.trust import tls_context

_POINTLESS = ("redirect", "too_large", "disk", "interrupted", "unsendable")

# It logs whole URLs, and whole header blocks that it can't parse.
logging.getLogger("urllib3").setLevel(logging.CRITICAL + 1)


class Unauthorized(Refused):
    """401: nothing was done, because the session is unknown to the system, or has ended."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked; see `Transport.call`. The body of the answer goes to `new_file()`, up to `largest` bytes."""

    method: str
    path: str
    payload: object | None = field(repr=False)
    what: str
    repeatable: bool
    headers: Mapping[str, str] = field(repr=False)
    accept: Collection[int]
    new_file: Callable[[], BinaryIO]
    largest: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, its body in a file, or an error; `again` if another try makes sense, after `pause` seconds."""

    answer: Answer | None = None
    file: BinaryIO | None = None
    error: CallError | None = None
    again: bool = False
    pause: float = 0.0


class Exchange:
    """Carries single requests to one base URL. Safe to use from many threads."""

    def __init__(self, system: System, base_url: str, *, timeout: float) -> None:
        self._system = system
        self._base = _checked(base_url, system)
        self._timeout = timeout
        self._address: Url | None = None
        self._tls = tls_context() if self._base.startswith("https:") else None
        # The one used last comes first. Taking and putting back are single steps, so no lock is needed.
        self._idle: list[Connection] = []

    def once(self, request: Request, limit: Limit, redact: Callable[[str], str]) -> Outcome:
        """Try `request` one time; the calling thread must be watched under `limit`."""
        connection, response = None, None
        try:
            headers, body = _written(request)
            connection = self._connection()
            connection.dispatch(request.method, self._target(request), headers, body)
            response = connection.getresponse()
            if 200 <= response.status < 300:
                file = receive(response, request.new_file, request.largest, limit)
                return Outcome(answer_of(response), file)
            return self._other(request, response, redact)
        except Exception as error:  # noqa: BLE001 - whatever a library throws, what is known is how far we came
            return self._trouble(request, limit, error)
        finally:
            limit.let_go()
            self._put_back(connection, response, limit)

    def close(self) -> None:
        """Close the kept connections."""
        while self._idle:
            self._idle.pop().retire()

    def _url(self) -> Url:
        """The base URL, written as it is sent. Raises ValueError if it can't be."""
        if self._address is None:
            self._address = parse_url(self._base)
        return self._address

    def _target(self, request: Request) -> str:
        return f"{self._url().path or ''}{request.path}"

    def _connection(self) -> Connection:
        """A kept connection that the server has not closed meanwhile, or a new one, yet to be connected."""
        while self._idle:
            kept = self._idle.pop()
            if kept.is_connected:
                return kept
            kept.retire()
        url = self._url()
        host = (url.host or "").strip("[]")
        if self._tls is not None:
            return TLSConnection(host, url.port, timeout=self._timeout, ssl_context=self._tls)
        return Connection(host, url.port, timeout=self._timeout)

    def _put_back(self, connection: Connection | None, response: HTTPResponse | None, limit: Limit) -> None:
        """Keeps a connection whose answer was read to its end; any other would mix up two answers."""
        if connection is None:
            return
        if response is not None and response.closed and not limit.cut and not connection.is_closed:
            self._idle.append(connection)
            return
        if response is not None:
            response.close()
        connection.retire()

    def _other(self, request: Request, response: HTTPResponse, redact: Callable[[str], str]) -> Outcome:
        status, reason = response.status, f"status_{response.status}"
        if 300 <= status < 400:
            return Outcome(error=in_doubt(self._system, request.what, "redirect"))
        body = beginning(response)
        answer = answer_of(response, body)
        if status in request.accept:
            return Outcome(answer, io.BytesIO(body))
        words = redact(words_of(body))
        pause = retry_after(answer)
        if status < 400 or status >= 500 or status in (408, 499):
            # 408 and 499 come from proxies that gave up waiting; what stands behind them may go on.
            error: CallError = in_doubt(self._system, request.what, reason, detail=words)
            return Outcome(error=error, again=request.repeatable, pause=pause)
        error = refused(self._system, request.what, reason, words)
        if status == 401:
            error = Unauthorized(error.system, error.what, reason, error.message, error.hint, detail=words)
        return Outcome(error=error, again=status == 429, pause=pause)

    def _trouble(self, request: Request, limit: Limit, error: Exception) -> Outcome:
        cut = limit.finish()
        if not limit.sent:
            known = error if isinstance(error, Unreached) else Unreached("unsendable")
            reason = "interrupted" if cut == "stop" else known.reason
            failed: CallError = not_sent(self._system, request.what, reason, known.note)
            return Outcome(error=failed, again=reason not in _POINTLESS)
        reason = {"time": "timeout", "stop": "interrupted"}.get(cut) or reason_of(error)
        failed = in_doubt(self._system, request.what, reason)
        return Outcome(error=failed, again=request.repeatable and reason not in _POINTLESS)


_HEADERS = {
    "User-Agent": f"siaghsync/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
}


_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def _written(request: Request) -> tuple[dict[str, str], bytes | None]:
    """Headers and body of `request`. Raises ValueError for what JSON can't say."""
    if request.payload is None:
        return {**_HEADERS, **request.headers}, None
    body = _encode(request.payload).encode()
    return {**_HEADERS, **request.headers, "Content-Type": "application/json; charset=utf-8"}, body


def _checked(base_url: str, system: System) -> str:
    try:
        parts = urlsplit(base_url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise SettingsError(
            f"{ADDRESS_SETTINGS[system]} can't be used as an address.",
            "It has to look like http://172.16.16.16 or https://crm.example.com, without user name and password.",
        )
    return parts.geturl().rstrip("/")
