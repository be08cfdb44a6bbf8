"""What every page of the dashboard goes through: login, language, forged forms, errors in words."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from siaghsync import clock
from siaghsync.dashboard_users import Role
from siaghsync.errors import CallError, LockHeld, SiaghsyncError, StateError
from siaghsync.messages.message import Message
from siaghsync.state import pauses
from siaghsync.state.reviews import open_count
from siaghsync.web.dependencies import Dependencies
from siaghsync.web.language import PageLanguage, chosen
from siaghsync.web.middleware import LoginSession, LoginSessions, read_form

LANGUAGE_COOKIE = "siaghsync_language"
_TEMPLATES = Path(__file__).parent / "templates"
STATIC = Path(__file__).parent / "static"
VERSIONS = {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in STATIC.iterdir()}
"""File that browsers keep -> its version, which stands in its address, so that a changed file is loaded at once."""
_YEAR_SECONDS = 365 * 86400
_NO_STATE_YET = "state.missing"

Handler = Callable[["PageContext"], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class Pages:
    """Makes endpoints of page handlers. Holds what lasts from one request to the next: templates and open sessions."""

    def __init__(self, dependencies: Dependencies) -> None:
        self.dependencies = dependencies
        self.sessions = LoginSessions()
        self.templates = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.templates.globals["versions"] = VERSIONS

    def endpoint(self, handler: Handler, needs: Role | None) -> Endpoint:
        """An endpoint for `handler`, which runs in a thread of its own, for who is logged in with at least the role `needs`;
        None: for everybody."""

        async def endpoint(request: Request) -> Response:
            page = self.context(request, await read_form(request) if request.method == "POST" else {})
            if refusal := self._refusal(page, needs):
                return refusal
            return await run_in_threadpool(_answered, handler, page)

        return endpoint

    def context(self, request: Request, form: dict[str, str]) -> PageContext:
        """One request, and who makes it in which language."""
        cookie = request.scope.get("session", {})
        language = chosen(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
        return PageContext(self, request, form, language, self._session(cookie.get("id", "")), cookie)

    def _session(self, session_id: str) -> LoginSession | None:
        """The open session with this id. One whose password was changed or removed since is ended; a role counts as it is."""
        session = self.sessions.find(session_id)
        if session is None:
            return None
        kept_hash, role = self.dependencies.access.hash_of(session.user)
        if not kept_hash or kept_hash != session.kept_hash:
            self.sessions.end(session_id)
            return None
        session.role = role
        return session

    def _refusal(self, page: PageContext, needs: Role | None) -> Response | None:
        if not self.dependencies.access.is_open():
            return page.show("closed.html", 403)
        if page.request.method == "POST":
            is_foreign = page.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
            if is_foreign or not _same(page.form.get("csrf", ""), page.cookie.get("csrf", "")):
                return page.message("error_403", 403)
        if needs is None:
            return None
        if page.session:
            return None if page.session.role >= needs else page.message("error_role", 403)
        return page.go(f"/login?next={quote(page.here())}")


def _same(given: str, expected: str) -> bool:
    """Whether two tokens are the same, in constant time; an empty one never is."""
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def _answered(handler: Handler, page: PageContext) -> Response:
    try:
        return handler(page)
    except LockHeld:
        return page.message("busy", 409)
    except SiaghsyncError as error:
        if error.message.code == _NO_STATE_YET:
            return page.show("first_steps.html", missing=error.message)
        status = 503 if isinstance(error, StateError) else 502 if isinstance(error, CallError) else 400
        return page.message("error", status, error.message)


@dataclass(slots=True)
class PageContext:
    """One request at work. `session` is None for who is not logged in; `cookie` is the content of the signed cookie: `id` of
    the session, and `csrf`, the token that each form has to bring along."""

    pages: Pages
    request: Request
    form: dict[str, str]
    language: PageLanguage
    session: LoginSession | None
    cookie: dict[str, Any] = field(default_factory=dict)

    @property
    def dependencies(self) -> Dependencies:
        """What the site was given."""
        return self.pages.dependencies

    def asked(self, name: str) -> str:
        """A parameter of the address, trimmed; "" if it is not there."""
        return self.request.query_params.get(name, "").strip()

    def number(self, name: str) -> int | None:
        """A parameter of the address that is a whole number, else None."""
        text = self.asked(name)
        return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None

    def inside(self, path: str) -> str:
        """A path of this site without its prefix; whatever leads elsewhere becomes the first page."""
        path = path.removeprefix(self.dependencies.root_path)
        return path if re.fullmatch(r"/(?![/\\])[\w/?=&.%+~-]*", path, re.ASCII) else "/"

    def show(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page made from a template."""
        flash = ""
        if self.session and not self.is_part():
            flash, self.session.flash = self.session.flash, ""
        text = self.pages.templates.get_template(template).render(
            t=self.language.text, word=self.language.word, lang=self.language, root=self.dependencies.root_path,
            csrf=self._csrf(), session=self.session, here=self.here(), flash=flash, **self._standing(), **context,
        )  # fmt: skip
        return HTMLResponse(text, status)

    def _standing(self) -> dict[str, Any]:
        """How many questions wait for a decision, and the pause, for every page; nothing if nobody is logged in or the state
        file can't be used."""
        standing: dict[str, Any] = {"to_decide": 0, "paused": None}
        if self.session:
            with suppress(StateError), self.dependencies.state() as state:
                standing = {"to_decide": open_count(state), "paused": pauses.current(state, clock.now())}
        return standing

    def _csrf(self) -> str:
        if "csrf" not in self.cookie:
            self.cookie["csrf"] = secrets.token_urlsafe(32)
        return str(self.cookie["csrf"])

    def here(self) -> str:
        """The page that one is on: where a switch of the language, or a new login, leads back to."""
        url = self.request.url
        if self.is_part():
            url = URL(self.request.headers.get("hx-current-url", ""))
        elif self.request.method == "POST":
            # The form stands on the page above its own address.
            url = url.replace(path=url.path.rpartition("/")[0] or "/", query="")
        found = self.inside(f"{url.path}?{url.query}" if url.query else url.path)
        return "/" if found == "/live" else found  # that is a part of the first page

    def is_part(self) -> bool:
        """Whether only a part of a page is asked for, which changes by itself."""
        return "hx-request" in self.request.headers

    def message(self, text: str, status: int, error: Message | None = None) -> Response:
        """A page that says one thing, and what an error said about it. From a decision it leads back to where that was made."""
        path = self.inside(self.request.url.path)
        review_id = self.request.path_params.get("review_id") if status != 404 else None
        place = f"/reviews/{review_id}" if review_id else "/reviews" if path.startswith("/reviews") else ""
        back = f"{place}?{self.form.get('query', '')}".rstrip("?") if place else ""
        return self.show("message.html", status, text=text, error=error, back=back)

    def go(self, path: str, flash: str = "") -> Response:
        """Sends the browser to another page of this site; `flash` is shown there once."""
        if flash and self.session:
            self.session.flash = flash
        address = self.dependencies.root_path + path
        if self.is_part():
            return Response(status_code=200, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)

    def begin_session(self, user: str, kept_hash: str, role: Role) -> None:
        """Logs the visitor in, under a new id and with a new token for the forms."""
        self.end_session()
        self.cookie["id"] = self.pages.sessions.begin(user, kept_hash, role)

    def end_session(self) -> None:
        """Logs the visitor out; harmless if nobody is logged in."""
        self.pages.sessions.end(self.cookie.get("id", ""))
        self.cookie.clear()


def switch_language(page: PageContext) -> Response:
    """Keeps the other language for a year, and shows the same page in it."""
    response = page.go(page.inside(page.form.get("next", "/")))
    response.set_cookie(
        LANGUAGE_COOKIE,
        "en" if page.form.get("language") == "en" else "fa",
        max_age=_YEAR_SECONDS,
        path=page.dependencies.root_path or "/",
        secure=page.request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    return response
