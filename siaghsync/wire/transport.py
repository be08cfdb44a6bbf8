"""The one way to the network: requests with a time limit, repeated only where that does no harm.

Every outcome is an `Answer` or one of our own errors (NotSent, Refused, InDoubt); nothing foreign leaves.
"""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Collection, Mapping
from typing import BinaryIO, cast

from siaghsync.errors import System
from siaghsync.wire.deadline import Limit, Watchdog
from siaghsync.wire.exchange import Exchange, Outcome, Request, Unauthorized
from siaghsync.wire.outcomes import not_sent
from siaghsync.wire.receiving import Answer

__all__ = ["Answer", "Transport", "Unauthorized"]

_CONNECT_SECONDS = 10.0
_CALL_BYTES = 64 * 1024**2
_SPOOL_BYTES = 4 * 1024**3
_IN_MEMORY = 4 * 1024**2


class Transport:
    """Requests to one system, from any number of threads, at most `concurrency` of them at a time.

    `timeout` (seconds) holds for a whole request, `attempts` is the number of tries in all. Once `stop` is set,
    reads are cut, writes in flight run to their end, and nothing new begins. Raises SettingsError for a base URL
    that can't be used.
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
    ) -> None:
        self.system = system
        self.sent = 0
        """HTTP requests that were tried, logins and repeats included."""
        self.retried = 0
        """How many of them were repeats."""
        self._exchange = Exchange(system, base_url, timeout=timeout)
        self._timeout = timeout
        self._attempts = attempts
        self._stop = stop or threading.Event()
        self._lock = threading.Lock()
        self._slots = threading.BoundedSemaphore(concurrency)
        self._secrets: set[str] = set()
        self._watchdog = Watchdog(self._stop)

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

        `what` names it in a user's words ("create a contact"). Only what is `repeatable` is repeated after doubt;
        anything may be repeated that surely was not sent, or was turned away with 429. Raises NotSent, Refused
        (Unauthorized for 401) or InDoubt.
        """
        request = Request(method, path, payload, what, repeatable, headers or {}, accept, io.BytesIO, _CALL_BYTES)
        answer, file = self._settle(request)
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
        request = Request(method, path, payload, what, True, headers or {}, (), _temporary_file, _SPOOL_BYTES)
        return self._settle(request)[1]

    def conceal(self, secret: str) -> None:
        """Let no error of this transport repeat `secret`, should the system quote it."""
        with self._lock:
            self._secrets = self._secrets | ({secret} - {""})

    def redact(self, text: str) -> str:
        """`text` without any concealed secret."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text

    def close(self) -> None:
        """End the watchdog and the kept connections. No request may be in flight."""
        self._watchdog.close()
        self._exchange.close()

    def _settle(self, request: Request) -> tuple[Answer, BinaryIO]:
        outcome = self._try(request, is_repeat=False)
        if outcome.again:
            outcome = self._repeat(request, outcome)
        if outcome.error is not None:
            raise outcome.error
        return cast(Answer, outcome.answer), cast(BinaryIO, outcome.file)

    def _repeat(self, request: Request, first: Outcome) -> Outcome:
        """What comes of the other tries. Apart from the first one, since nearly all requests need no other."""
        from siaghsync.wire.repeats import repeated

        return repeated(first, lambda: self._try(request, is_repeat=True), attempts=self._attempts, rest=self._rest)

    def _rest(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _try(self, request: Request, *, is_repeat: bool) -> Outcome:
        with self._slots:
            if self._stop.is_set():
                return Outcome(error=not_sent(self.system, request.what, "interrupted"))
            with self._lock:
                self.sent += 1
                self.retried += is_repeat
            limit = Limit(_CONNECT_SECONDS, self._timeout, cut_on_stop=request.repeatable)
            with self._watchdog.watch(limit):
                return self._exchange.once(request, limit, self.redact)


def _temporary_file() -> BinaryIO:
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))
