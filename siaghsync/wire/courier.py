"""Requests to addresses that are no part of the work: a few seconds each, answers never read, addresses never shown.

Each has a thread of its own, since no time limit of a library holds for a name server or an answer that drips.
Redirects, proxies, .netrc and cookies are not used: an address may be a secret.
"""

from __future__ import annotations

import queue
import ssl
import threading
import time
from contextlib import suppress
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from siaghsync import __version__


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


class _SystemTrust(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        # The computer's own trust store, as for both systems.
        super().init_poolmanager(*args, ssl_context=ssl.create_default_context(), **kwargs)


def _send(answer: queue.SimpleQueue[str], url: str, body: bytes | None, kind: str, seconds: float) -> None:
    headers = {"User-Agent": f"siaghsync/{__version__}", **({"Content-Type": kind} if body is not None else {})}
    method = "GET" if body is None else "POST"
    try:
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _SystemTrust())
            with session.request(
                method, url, data=body, headers=headers, timeout=seconds, allow_redirects=False, stream=True
            ) as response:
                answer.put("" if 200 <= response.status_code < 300 else _said(response.status_code))
    except requests.Timeout:
        answer.put("there was no answer in time")
    except requests.ConnectionError:
        answer.put("no connection came about")
    except Exception as error:  # noqa: BLE001 - its text may hold the address, its kind does not
        answer.put(f"it could not be reached ({type(error).__name__})")


def _said(status: int) -> str:
    return f"it answered with status {status}" + (", and redirects are never followed" if 300 <= status < 400 else "")
