"""One login that all threads share: the first one logs in, the others use its token.

Contracts payamgostar section 2 and siagh section 2: a 401 in the middle of a run is answered with one new login and one
repeat. A login that was refused is not tried again in this run: every attempt brings the account nearer its lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from siaghsync import clock
from siaghsync.connectors.http.errors import Unauthorized
from siaghsync.errors import InDoubt, LoginRefused, NotSent, Refused, System

T = TypeVar("T")


class SharedLogin:
    """Keeps the token that `log_in` returns."""

    def __init__(self, system: System, log_in: Callable[[], str]) -> None:
        self._system = system
        self._log_in = log_in
        self._lock = threading.Lock()
        self._token = ""
        self._since = 0.0
        self.life_s: float | None = None
        """How many seconds after its login the last token ended that the system no longer accepted while it accepts a new one."""
        self._refusal: LoginRefused | None = None

    def renew(self, old: str = "") -> str:
        """A token other than `old`, by a new login unless another thread has already got one.

        Raises what the login raises, and LoginRefused without asking if it was refused before.
        """
        with self._lock:
            if self._refusal is not None:
                raise self._refusal.with_traceback(None)
            if self._token == old or not self._token:
                try:
                    self._token = self._log_in()
                    self._since = clock.monotonic()
                except LoginRefused as error:
                    self._refusal = error
                    raise
            return self._token

    def use(self, ask: Callable[[str], T]) -> T:
        """The result of `ask(token)`, after one new login if the system no longer accepts the token.

        401 says that nothing was done, so a write may be repeated as well. Raises LoginRefused ("session_rejected") if the new
        token is not accepted either, and NotSent if the login fails in any other way.
        """
        token = self._token or self._renew_before_asking("")
        try:
            return ask(token)
        except Unauthorized:
            age = self._age_of(token)
            token = self._renew_before_asking(token)
        try:
            answer = ask(token)
        except Unauthorized as error:
            raise self._rejected(error) from None
        self.life_s = self.life_s if age is None else age
        return answer

    def _age_of(self, token: str) -> float | None:
        """Seconds since the login that brought this token; None if another thread has a newer one already."""
        with self._lock:
            return clock.monotonic() - self._since if token == self._token else None

    def _renew_before_asking(self, old: str) -> str:
        """Whatever became of the login: the request that needs it was surely not sent, or was turned away with 401."""
        try:
            return self.renew(old)
        except (InDoubt, Refused) as error:
            failed = NotSent(self._system, error.what, error.reason, detail=error.detail)
            failed.message = error.message
        raise failed

    def _rejected(self, error: Unauthorized) -> LoginRefused:
        refusal = LoginRefused(self._system, error.what, "session_rejected", detail=error.detail)
        with self._lock:
            self._refusal = self._refusal or refusal
        return refusal
