"""Requests to addresses that are no part of the work: a few seconds each, answers never read, addresses never shown.

Each has a thread of its own, since no time limit of a library holds for a name server or an answer that drips.
Redirects, proxies, .netrc and cookies are not used: an address may be a secret.
"""

from __future__ import annotations

import queue
import threading
import time
from contextlib import suppress

from urllib3 import PoolManager
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ProtocolError, ReadTimeoutError, SSLError

from siaghsync import __version__
from siaghsync.wire.trust import tls_context


class Errand:
    """One request on its way: a GET, or with a `body` a POST. `target` is how people call its address.

    It is given up after `seconds`, and its thread never holds the process up.
    """

    def __init__(
        self,
        target: str,
        url: str,
        body: bytes | None = None,
        kind: str = "text/plain; charset=utf-8",
        *,
        seconds: float = 5.0,
    ) -> None:
        self.target = target
        self._seconds = seconds
        self._answer: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._until = time.monotonic() + seconds
        self._trouble: str | None = None
        arguments = (self._answer, url, body, kind, seconds)
        threading.Thread(target=_send, args=arguments, name="siaghsync-notify", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Waits for the answer, so long and no longer."""
        if self._trouble is None:
            with suppress(queue.Empty):
                self._trouble = self._answer.get(timeout=max(0.0, seconds))

    def trouble(self) -> str:
        """Why it did not arrive, as a sentence without an end, or nothing. Waits for the answer."""
        self.wait(self._until - time.monotonic())
        if self._trouble is None:
            self._trouble = f"there was no answer within {self._seconds:g} seconds"
        return self._trouble


def _send(answer: queue.SimpleQueue[str], url: str, body: bytes | None, kind: str, seconds: float) -> None:
    headers = {"User-Agent": f"siaghsync/{__version__}", **({"Content-Type": kind} if body is not None else {})}
    method = "GET" if body is None else "POST"
    try:
        with PoolManager(ssl_context=tls_context() if url.lower().startswith("https:") else None) as pool:
            response = pool.request(
                method, url, body=body, headers=headers, timeout=seconds, retries=False, redirect=False,
                preload_content=False,
            )  # fmt: skip
            answer.put("" if 200 <= response.status < 300 else _said(response.status))
            response.close()
    except (NewConnectionError, ProtocolError, SSLError):  # the first counts as a timeout too
        answer.put("no connection came about")
    except (ConnectTimeoutError, ReadTimeoutError):
        answer.put("there was no answer in time")
    except Exception as error:  # noqa: BLE001 - its text may hold the address, its kind does not
        answer.put(f"it could not be reached ({type(error).__name__})")


def _said(status: int) -> str:
    return f"it answered with status {status}" + (", and redirects are never followed" if 300 <= status < 400 else "")
