"""Stands around the whole site: security headers, the path prefix, the access log, and no trace of a bug to anybody."""

from __future__ import annotations

import time
from collections.abc import Callable
from urllib.parse import quote

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """The outermost layer. `log` gets one line for each bug, and with `access` one for each request, without secrets."""

    def __init__(self, app: ASGIApp, root_path: str, log: Callable[[str], None], *, access: bool) -> None:
        self._app = app
        self._root_path = root_path
        self._log = log
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        start, status = time.monotonic(), 0
        path = self._anchored(scope)

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers.update(_HEADERS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody outside learns more than that it happened
            self._log(f"This is a bug in siaghsync: {type(error).__name__} at {redacted(path)}.")
            if not status:
                await send_guarded({"type": "http.response.start", "status": 500, "headers": []})
                await send_guarded({"type": "http.response.body", "body": b""})
        if self._access:
            milliseconds = (time.monotonic() - start) * 1000
            self._log(f"{scope['method']} {redacted(path)} {status} {milliseconds:.0f} ms")

    def _anchored(self, scope: Scope) -> str:
        """The path as this site knows it; a proxy may have taken the prefix off or left it on."""
        path: str = scope["path"]
        scope["root_path"] = self._root_path
        if self._root_path and (path + "/").startswith(self._root_path + "/"):
            return path[len(self._root_path) :] or "/"
        scope["path"] = self._root_path + path
        return path


def redacted(path: str) -> str:
    """A path for the log: without what follows a webhook's item type, and with nothing that a terminal obeys."""
    parts = path.split("/")
    if parts[1:2] == ["webhook"]:
        return quote("/".join([*parts[:4], *(["..."] if len(parts) > 4 else [])]))
    return quote(path)
