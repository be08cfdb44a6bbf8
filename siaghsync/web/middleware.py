"""What stands around the pages: sessions, a limit on what is posted, security headers, the access log."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from siaghsync import clock
from siaghsync.dashboard_users import Role
from siaghsync.messages.message import msg
from siaghsync.web.dependencies import Dependencies, bug

# --- sessions ----------------------------------------------------------------------------------------------

SESSION_COOKIE = "siaghsync_session"
_IDLE_SECONDS = 2 * 3600
_LONGEST_SECONDS = 12 * 3600
_MOST_SESSIONS = 200


@dataclass(slots=True)
class LoginSession:
    """Somebody who is logged in. `user` is the name that was given at login, `kept_hash` that of the password that opened it;
    `flash` is a message that is shown once."""

    user: str
    role: Role
    kept_hash: str
    began: float
    seen: float
    flash: str = ""

    @property
    def may_administer(self) -> bool:
        """Whether what only administrators may do is open to this user."""
        return self.role >= Role.ADMINISTER

    @property
    def may_decide(self) -> bool:
        """Whether the ways out of a review are open to this user."""
        return self.role >= Role.DECIDE


class LoginSessions:
    """The open sessions. They end at log-out, with the process, after two idle hours, or twelve hours after the login.

    The cookie holds only a signed id: what is not listed here opens nothing, whatever the cookie says.
    """

    def __init__(self) -> None:
        self._open: dict[str, LoginSession] = {}
        self._lock = threading.Lock()

    def begin(self, user: str, kept_hash: str, role: Role) -> str:
        """Begins a session and returns its id. The one that was idle longest makes room if there are too many."""
        session_id, moment = secrets.token_urlsafe(32), clock.monotonic()
        with self._lock:
            if len(self._open) >= _MOST_SESSIONS:
                del self._open[min(self._open, key=lambda known: self._open[known].seen)]
            self._open[session_id] = LoginSession(user, role, kept_hash, moment, moment)
        return session_id

    def find(self, session_id: str) -> LoginSession | None:
        """The session with this id, if it is open."""
        moment = clock.monotonic()
        with self._lock:
            session = self._open.get(session_id)
            if session and (moment - session.seen > _IDLE_SECONDS or moment - session.began > _LONGEST_SECONDS):
                del self._open[session_id]
                return None
            if session:
                session.seen = moment
            return session

    def end(self, session_id: str) -> None:
        """Ends a session; harmless if there is none."""
        with self._lock:
            self._open.pop(session_id, None)


class SessionCookie:
    """The signed cookie: never readable by scripts, never sent along from elsewhere, over HTTPS marked as secure.

    The key that signs it lives as long as the process.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        key = secrets.token_hex(32)
        self._plain, self._secure = (
            SessionMiddleware(app, key, SESSION_COOKIE, None, root_path or "/", "strict", https_only)
            for https_only in (False, True)
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        await (self._secure if scope["scheme"] == "https" else self._plain)(scope, receive, send)


# --- what is posted ----------------------------------------------------------------------------------------

_MOST_BYTES = 16_384
_MOST_BYTES_OF_IDS = 262_144
"""One decision about some thirty thousand questions."""
_MOST_FIELDS = 50


class BodyLimit:
    """Refuses requests with a body of more than 16 kB, of 256 kB where ids are listed: HTTPException 413 to whoever reads it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        received, most = 0, _MOST_BYTES_OF_IDS if scope.get("path", "").endswith("/reviews/decide") else _MOST_BYTES

        async def receive_limited() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_limited, send)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of an urlencoded form; of a repeated field the last. Raises HTTPException 413 or 400."""
    body = await request.body()
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise HTTPException(400) from None


# --- what every answer carries -----------------------------------------------------------------------------

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
    """The outermost layer: security headers, the path prefix, one log line for each bug and, with `access`, one for each
    request. No line holds a secret."""

    def __init__(self, app: ASGIApp, dependencies: Dependencies, *, access: bool) -> None:
        self._app = app
        self._dependencies = dependencies
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request."""
        start, status = clock.monotonic(), 0
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
        except ClientDisconnect:  # in the middle of a request, which is nobody's fault here
            status = 499
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody outside learns more than that it happened
            self._dependencies.tell(msg("web.bug_at", bug=bug(error), path=redacted(path)))
            if not status:
                await send_guarded({"type": "http.response.start", "status": 500, "headers": []})
                await send_guarded({"type": "http.response.body", "body": b""})
        if self._access:
            milliseconds = (clock.monotonic() - start) * 1000
            self._dependencies.log(f"{scope['method']} {redacted(path)} {status} {milliseconds:.0f} ms")

    def _anchored(self, scope: Scope) -> str:
        """The path as this site knows it; a proxy may have taken the prefix off or left it on."""
        path: str = scope["path"]
        prefix = scope["root_path"] = self._dependencies.root_path
        if prefix and (path + "/").startswith(prefix + "/"):
            return path[len(prefix) :] or "/"
        scope["path"] = prefix + path
        return path


def redacted(path: str) -> str:
    """A path for the log: without what follows a webhook's item type, and with nothing that a terminal obeys."""
    parts = path.split("/")
    if parts[1:2] == ["webhook"]:
        return quote("/".join([*parts[:4], *(["..."] if len(parts) > 4 else [])]))
    return quote(path)
