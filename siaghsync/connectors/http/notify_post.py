"""Requests to addresses outside: a few seconds each, answers never read, addresses never shown.

Redirects, proxies, .netrc and cookies are not used: an address may be a secret.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing

from siaghsync import __version__
from siaghsync.connectors.http.adapter import DirectAdapter
from siaghsync.connectors.http.deadline import Deadline
from siaghsync.connectors.http.errors import reason_after_sending, reason_before_sending
from siaghsync.connectors.http.tls import tls_context


class NotifyPost:
    """One request on its way in a thread of its own: a GET, or a POST if there is a `body`.

    `target` is how people call its address. The request is given up after `seconds` and never holds up the process.
    """

    def __init__(
        self,
        target: str,
        url: str,
        body: bytes | None = None,
        content_type: str = "text/plain; charset=utf-8",
        *,
        seconds: float = 5.0,
    ) -> None:
        self.target = target
        self._seconds = seconds
        self._until = time.monotonic() + seconds
        self._trouble = f"there was no answer within {seconds:g} seconds"
        thread = threading.Thread(
            target=self._send, args=(url, body, content_type), name="siaghsync-notify", daemon=True
        )
        self._thread = thread
        thread.start()

    def wait(self, seconds: float) -> None:
        """Waits for the answer, `seconds` at most."""
        self._thread.join(max(0.0, seconds))

    def trouble(self) -> str:
        """Why the request did not arrive, as a sentence without an end, or nothing. Waits for the answer."""
        self.wait(self._until - time.monotonic())
        return self._trouble

    def _send(self, url: str, body: bytes | None, content_type: str) -> None:
        method, headers = "GET", {"User-Agent": f"siaghsync/{__version__}"}
        if body is not None:
            method, headers["Content-Type"] = "POST", content_type
        deadline = Deadline(self._seconds, self._seconds)
        try:
            tls = tls_context() if url.lower().startswith("https:") else None
            with deadline.applied(), closing(DirectAdapter(1, tls)) as adapter:
                with adapter.send_once(method, url, headers, body) as response:
                    self._trouble = "" if 200 <= response.status_code < 300 else _said(response.status_code)
        except Exception as error:  # noqa: BLE001 - its text may hold the address, its kind does not
            self._trouble = _trouble(error, sent=deadline.sent)


def _said(status: int) -> str:
    return f"it answered with status {status}" + (", and redirects are never followed" if 300 <= status < 400 else "")


def _trouble(error: Exception, *, sent: bool) -> str:
    reason = reason_after_sending(error) if sent else reason_before_sending(error)[0]
    return {"timeout": "there was no answer in time", "connect_timeout": "there was no answer in time"}.get(
        reason, "no connection came about" if reason in ("unresolved", "refused_connection", "tls", "reset") else reason
    )
