"""One HTTP request and what became of it: everything that a library can throw becomes an outcome of ours.

Credentials go to the base URL only: no redirect is followed, no .netrc, proxy variable or cookie is used.
"""

from __future__ import annotations

import io
import json
import logging
import ssl
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from siaghsync import __version__
from siaghsync.errors import CallError, Refused, SettingsError, System
from siaghsync.wire.deadline import POOLS, Limit, Unreached
from siaghsync.wire.outcomes import ADDRESS_SETTINGS, in_doubt, not_sent, refused, words_of
from siaghsync.wire.receiving import Answer, answer_of, beginning, reason_of, receive, retry_after

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


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Not even looked at: a malformed Location would raise here after a write was done."""


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS


class _TLSAdapter(_Adapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # The computer's own trust store, so that a company's own authority counts when it is installed there.
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **kwargs)


class Exchange:
    """Carries single requests to one base URL. Safe to use from many threads."""

    def __init__(self, system: System, base_url: str, *, timeout: float, concurrency: int) -> None:
        self._system = system
        self._base = _checked(base_url, system)
        self._timeout = timeout
        adapter = _TLSAdapter if self._base.startswith("https:") else _Adapter
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self._session.adapters.clear()
        self._session.mount(
            self._base.split("//")[0] + "//",
            adapter(pool_connections=1, pool_maxsize=concurrency, max_retries=0),
        )
        self._session.headers.update(
            {
                "User-Agent": f"siaghsync/{__version__}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            }
        )

    def once(self, request: Request, limit: Limit, redact: Callable[[str], str]) -> Outcome:
        """Try `request` one time; the calling thread must be watched under `limit`."""
        try:
            prepared = self._session.prepare_request(self._written(request))
            timeout = (self._timeout, self._timeout)
            response = self._session.send(prepared, stream=True, timeout=timeout, allow_redirects=False)
            with closing(response):
                status = response.status_code
                if 200 <= status < 300:
                    file = receive(response, request.new_file, request.largest, limit)
                    return Outcome(answer_of(response), file)
                return self._other(request, response, redact)
        except Exception as error:  # noqa: BLE001 - whatever a library throws, what is known is how far we came
            return self._trouble(request, limit, error)

    def close(self) -> None:
        """Close the kept connections."""
        self._session.close()

    def _written(self, request: Request) -> requests.Request:
        headers = dict(request.headers)
        body = None
        if request.payload is not None:
            body = json.dumps(request.payload, ensure_ascii=False, allow_nan=False).encode()
            headers["Content-Type"] = "application/json; charset=utf-8"
        return requests.Request(request.method, self._base + request.path, headers=headers, data=body)

    def _other(self, request: Request, response: requests.Response, redact: Callable[[str], str]) -> Outcome:
        status, reason = response.status_code, f"status_{response.status_code}"
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
