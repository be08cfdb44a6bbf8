"""The one way out to the two systems: requests with a time limit, repeated only where that does no harm.

Every outcome is an `Answer`, whose body is read to its proven end, or one of our own errors (NotSent, Refused, InDoubt).
Credentials go to the base URL only: no redirect is followed, no .netrc, proxy variable or cookie is used.
"""

from __future__ import annotations

import io
import json
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import urlsplit

from requests import Response
from urllib3.exceptions import DecodeError

from siaghsync import __version__
from siaghsync.clock import Reading, reading
from siaghsync.connectors.http.adapter import Aborted, Deadline, DirectAdapter, tls_context
from siaghsync.connectors.http.errors import Unauthorized, error_of, is_page, words_of
from siaghsync.connectors.http.retry import Failure, with_retries
from siaghsync.errors import InDoubt, NotSent, Refused, SettingsError, System

_ERROR_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `headers` are case-insensitive."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def server_time(self) -> datetime | None:
        """The Date header as aware UTC."""
        return _http_date(self.headers.get("Date"))

    @property
    def retry_after(self) -> float:
        """Seconds that the server asks to wait, from a number or from a date by its own clock."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        until = _http_date(text)
        if until is None or self.server_time is None:
            return 0.0
        return max(0.0, (until - self.server_time).total_seconds())


def read_body(response: Response, new_file: Callable[[], BinaryIO], largest: int, deadline: Deadline) -> BinaryIO:
    """The whole decoded body in a new file, rewound.

    Raises Aborted for a body above `largest` bytes, for a full disk and at the deadline, and whatever the libraries raise
    for a broken body.
    """
    file = new_file()
    try:
        size = 0
        for chunk in _decoded(response):
            size += len(chunk)
            if size > largest:
                raise Aborted("too_large")
            _write(file, chunk)
        deadline.check()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def read_error_body(response: Response) -> bytes:
    """The first 64 KiB of an error's body. The status has said what matters, so a broken body counts as empty."""
    body = b""
    try:
        for chunk in _decoded(response):
            body += chunk
            if len(body) >= _ERROR_BYTES:
                break
    except Exception:  # noqa: BLE001 - see above
        return b""
    return body[:_ERROR_BYTES]


def _decoded(response: Response) -> Iterator[bytes]:
    # Chains of encodings multiply: a small answer could fill the memory before its size is known.
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise DecodeError
    yield from response.raw.stream(_CHUNK, decode_content=True)
    response.raw.release_conn()  # urllib3 does it as it reads, but an empty body is never read


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise Aborted("disk") from error


def _http_date(text: str | None) -> datetime | None:
    """An HTTP date. Anything else becomes None."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


_CONNECT_SECONDS = 10.0
_CALL_BYTES = 64 * 1024**2
_SPOOL_BYTES = 4 * 1024**3
_IN_MEMORY = 4 * 1024**2
_POINTLESS = ("redirect", "too_large", "disk", "interrupted", "unsendable")
_HEADERS = {
    "User-Agent": f"siaghsync/{__version__}",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "Connection": "keep-alive",
}
_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked; see `HttpSession.call`. The body of the answer goes to `new_file()`, up to `largest` bytes."""

    method: str
    path: str
    payload: object | None = field(repr=False)
    what: str
    repeatable: bool
    headers: Mapping[str, str] = field(repr=False)
    accept: Collection[int]
    new_file: Callable[[], BinaryIO]
    largest: int


class HttpSession:
    """Requests to one system, from any number of threads, at most `concurrency` of them at a time.

    `timeout` (seconds) holds for a whole request, `attempts` is the number of tries in all. Once `stop` is set, reads are
    cut, writes in flight run to their end, and nothing new begins. `tls_ca_file` is a private authority to believe. Raises
    SettingsError for a base URL or file that can't be used.
    """

    def __init__(
        self,
        system: System,
        base_url: str,
        *,
        timeout: float,
        attempts: int,
        concurrency: int,
        stop: threading.Event | None = None,
        tls_ca_file: Path | None = None,
    ) -> None:
        self.system = system
        self.sent = 0
        """HTTP requests that were tried, logins and repeats included."""
        self.retried = 0
        """How many of them were repeats."""
        self.clocks: Reading | None = None
        """What all clocks showed when the last good answer with a header `Date` came."""
        self._base = _checked(base_url, system)
        tls = tls_context(tls_ca_file) if self._base.startswith("https:") else None
        self._adapter = DirectAdapter(concurrency, tls)
        self._timeout = timeout
        self._attempts = attempts
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(concurrency)
        self._secrets: set[str] = set()

    def call(
        self,
        method: str,
        path: str,
        payload: object | None = None,
        *,
        what: str,
        repeatable: bool,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
    ) -> Answer:
        """Send one request and return its complete 2xx answer, or one with a status in `accept`.

        `what` names it by a code of the catalog's chapter `request` ("create_contact"). Only what is `repeatable` is
        repeated after doubt; anything may be repeated that surely was not sent, or was turned away with 429. Raises
        NotSent, Refused (Unauthorized for 401) or InDoubt.
        """
        answer, file = self._send(
            _Request(method, path, payload, what, repeatable, headers or {}, accept, io.BytesIO, _CALL_BYTES)
        )
        with file:
            return Answer(answer.status, file.read(), answer.headers)

    def spool(
        self,
        method: str,
        path: str,
        payload: object | None = None,
        *,
        what: str,
        headers: Mapping[str, str] | None = None,
    ) -> BinaryIO:
        """A read whose body is kept in a temporary file, complete before this returns. Raises as `call` does."""
        return self._send(
            _Request(method, path, payload, what, True, headers or {}, (), _temporary_file, _SPOOL_BYTES)
        )[1]

    def conceal(self, secret: str) -> None:
        """Let no error of this session repeat `secret`, should the system quote it."""
        with self._lock:
            self._secrets = self._secrets | ({secret} - {""})

    def redact(self, text: str) -> str:
        """`text` without any concealed secret."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        """Close the kept connections. No request may be in flight."""
        self._adapter.close()

    def _send(self, request: _Request) -> tuple[Answer, BinaryIO]:
        tries = count()
        return with_retries(
            lambda: self._try_once(request, is_repeat=next(tries) > 0), attempts=self._attempts, sleep=self._sleep
        )

    def _sleep(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _try_once(self, request: _Request, *, is_repeat: bool) -> tuple[Answer, BinaryIO] | Failure:
        with self._slots:
            if self._stop.is_set():
                return Failure(NotSent(self.system, request.what, "interrupted"))
            with self._lock:
                self.sent += 1
                self.retried += is_repeat
            deadline = Deadline(_CONNECT_SECONDS, self._timeout, self._stop if request.repeatable else None)
            try:
                with deadline.applied(), self._dispatch(request) as response:
                    return self._received(request, response, deadline)
            except Exception as error:  # noqa: BLE001 - whatever a library raises, it is known whether a byte has left
                return self._broken(request, error, sent=deadline.sent)

    def _dispatch(self, request: _Request) -> Response:
        headers, body = {**_HEADERS, **request.headers}, None
        if request.payload is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
            body = _encode(request.payload).encode()
        return self._adapter.send_once(request.method, f"{self._base}{request.path}", headers, body)

    def _received(self, request: _Request, response: Response, deadline: Deadline) -> tuple[Answer, BinaryIO] | Failure:
        status = response.status_code
        if 200 <= status < 300:
            file = read_body(response, request.new_file, request.largest, deadline)
            good = Answer(status, b"", response.headers)
            self.clocks = reading(good.server_time) if good.server_time else self.clocks
            return good, file
        if 300 <= status < 400:
            return Failure(InDoubt(self.system, request.what, "redirect"))
        answer = Answer(status, read_error_body(response), response.headers)
        if status in request.accept:
            return answer, io.BytesIO(answer.body)
        return self._declined(request, answer)

    def _declined(self, request: _Request, answer: Answer) -> Failure:
        status = answer.status
        # 408 and 499 come from proxies that gave up waiting; what stands behind them may go on.
        in_doubt = status < 400 or status >= 500 or status in (408, 499)
        kind = InDoubt if in_doubt else Unauthorized if status == 401 else Refused
        words = self.redact(words_of(answer.body))
        page = is_page(answer.body)
        error = kind(self.system, request.what, f"status_{status}", detail=words, status=status, is_page=page)
        return Failure(error, again=request.repeatable if in_doubt else status == 429, pause=answer.retry_after)

    def _broken(self, request: _Request, error: Exception, *, sent: bool) -> Failure:
        failure = error_of(error, self.system, request.what, sent=sent)
        return Failure(failure, again=failure.reason not in _POINTLESS and (request.repeatable or not sent))


def _temporary_file() -> BinaryIO:
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))


def _checked(base_url: str, system: System) -> str:
    try:
        parts = urlsplit(base_url.strip())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.username is not None or parts.query or parts.fragment:
        raise SettingsError("settings.bad_address", system=system)
    return parts.geturl().rstrip("/")
