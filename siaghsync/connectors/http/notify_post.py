"""Requests to addresses outside: a few seconds each, answers never read, addresses never shown.

Redirects, proxies, .netrc and cookies are not used: an address may be a secret.
"""

from __future__ import annotations

import threading
from contextlib import closing

from siaghsync import __version__
from siaghsync.clock import monotonic
from siaghsync.connectors.http.adapter import Deadline, DirectAdapter, tls_context
from siaghsync.connectors.http.errors import reason_of
from siaghsync.messages.message import Message, msg


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
        self._until = monotonic() + seconds
        self._trouble: Message | None = self._failed("timeout")
        arguments = (url, body, content_type)
        self._thread = threading.Thread(target=self._send, args=arguments, name="siaghsync-notify", daemon=True)
        self._thread.start()

    def wait(self, seconds: float) -> None:
        """Waits for the answer, `seconds` at most."""
        self._thread.join(max(0.0, seconds))

    def trouble(self) -> Message | None:
        """Why the request did not arrive, or None. Waits for the answer."""
        self.wait(self._until - monotonic())
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
                    self._trouble = self._answered(response.status_code)
        except Exception as error:  # noqa: BLE001 - its text may hold the address, its reason does not
            self._trouble = self._failed(reason_of(error, sent=deadline.sent))

    def _answered(self, status: int) -> Message | None:
        if 200 <= status < 300:
            return None
        if 300 <= status < 400:
            return self._failed("redirect")
        return msg("notify.status", target=self.target, status=status)

    def _failed(self, reason: str) -> Message:
        return msg("notify.failed", target=self.target, reason=reason)
