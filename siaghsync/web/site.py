"""What every page of the dashboard goes through: login, language, forged forms, errors in words."""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from siaghsync.errors import CallError, LockHeld, SiaghsyncError, StateError
from siaghsync.web import sides
from siaghsync.web.auth import SESSION_COOKIE, VISIT_COOKIE, Door, Guesses, Session, Sessions, same
from siaghsync.web.desk import Desk
from siaghsync.web.forms import read_form
from siaghsync.web.i18n import Language, chosen

LANGUAGE_COOKIE = "siaghsync_language"
_HERE = Path(__file__).parent
_YEAR_SECONDS = 365 * 86400

Handler = Callable[["Visit"], Response]
Endpoint = Callable[[Request], Awaitable[Response]]


class Site:
    """The dashboard's memory: templates, sessions, wrong guesses."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.sessions = Sessions()
        self.guesses = Guesses()
        self.door = Door(desk.password_hash) if desk.password_hash else None
        self.templates = Environment(
            loader=FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def page(self, handler: Handler, *, open_to_all: bool = False) -> Endpoint:
        """An endpoint for `handler`, which runs in a thread of its own. Without `open_to_all` only for who is logged in."""

        async def endpoint(request: Request) -> Response:
            form = await read_form(request) if request.method == "POST" else {}
            visit = self.visit(request, form)
            response = self._refusal(visit, open_to_all=open_to_all)
            if response is None:
                response = await run_in_threadpool(_answered, handler, visit)
            return visit.marked(response)

        return endpoint

    def visit(self, request: Request, form: dict[str, str]) -> Visit:
        """One request, and who makes it in which language."""
        cookies = request.cookies
        session = self.sessions.of(cookies.get(SESSION_COOKIE, ""))
        language = chosen(cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))
        known = cookies.get(VISIT_COOKIE, "")
        token = known if re.fullmatch(r"[\w-]{43}", known) else secrets.token_urlsafe(32)
        return Visit(self, request, form, language, session, token)

    def _refusal(self, visit: Visit, *, open_to_all: bool) -> Response | None:
        if self.door is None:
            return visit.show("closed.html", 403)
        if visit.request.method == "POST":
            foreign = visit.request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none")
            if foreign or not same(visit.form.get("csrf", ""), visit.csrf):
                return visit.message("error_403", 403)
        if open_to_all or visit.session:
            return None
        wanted = visit.request.url.path if visit.request.method == "GET" else ""
        return visit.go(f"/login?next={quote(visit.inside(wanted))}")


def _answered(handler: Handler, visit: Visit) -> Response:
    try:
        return handler(visit)
    except LockHeld:
        return visit.message("busy", 409)
    except SiaghsyncError as error:
        status = 503 if isinstance(error, StateError) else 502 if isinstance(error, CallError) else 400
        return visit.message("error", status, said=error)


@dataclass(slots=True)
class Visit:
    """One request at work."""

    site: Site
    request: Request
    form: dict[str, str]
    language: Language
    session: Session | None
    token: str
    """Stands in a cookie and in the forms of who is not logged in."""
    cookies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def desk(self) -> Desk:
        """What the site was given."""
        return self.site.desk

    @property
    def csrf(self) -> str:
        """What each form has to bring along."""
        return self.session.csrf if self.session else self.token

    def asked(self, name: str) -> str:
        """A parameter of the address, trimmed; "" if it is not there."""
        return self.request.query_params.get(name, "").strip()

    def number(self, name: str) -> int | None:
        """A parameter of the address that is a whole number, else None."""
        text = self.asked(name)
        return int(text) if re.fullmatch(r"[0-9]{1,15}", text) else None

    def inside(self, path: str) -> str:
        """A path of this site without its prefix; whatever leads elsewhere becomes the first page."""
        path = path.removeprefix(self.desk.root_path)
        return path if re.fullmatch(r"/(?![/\\])[\w/?=&.%+~-]*", path, re.ASCII) else "/"

    def show(self, template: str, status: int = 200, **context: Any) -> Response:
        """A page made from a template."""
        flash, lang = "", self.language
        if self.session and template != "_live.html":
            flash, self.session.flash = self.session.flash, ""
        text = self.site.templates.get_template(template).render(
            t=lang.text, word=lang.word, lang=lang, root=self.desk.root_path, csrf=self.csrf, session=self.session,
            here=self._here(), flash=flash, value_of=partial(sides.shown, language=lang), **context,
        )  # fmt: skip
        return HTMLResponse(text, status)

    def _here(self) -> str:
        """Where a switch of the language leads back to."""
        url = self.request.url
        return (
            self.inside(f"{url.path}?{url.query}" if url.query else url.path) if self.request.method == "GET" else "/"
        )

    def message(self, key: str, status: int, said: SiaghsyncError | None = None) -> Response:
        """A page that says one thing, and what an error said about it."""
        return self.show("message.html", status, key=key, said=said)

    def go(self, path: str, flash: str = "") -> Response:
        """Sends the browser to another page of this site; `flash` is shown there once."""
        if flash and self.session:
            self.session.flash = flash
        address = self.desk.root_path + path
        if "hx-request" in self.request.headers:
            return Response(status_code=200, headers={"HX-Redirect": address})
        return RedirectResponse(address, 303)

    def remember(self, name: str, value: str, max_age: int | None = None) -> None:
        """Sets a cookie with the answer."""
        self.cookies.append({"key": name, "value": value, "max_age": max_age})

    def remember_language(self, code: str) -> None:
        """Keeps the language for the next visits."""
        self.remember(LANGUAGE_COOKIE, code, _YEAR_SECONDS)

    def marked(self, response: Response) -> Response:
        """The answer with its cookies: never readable by scripts, never sent along from elsewhere."""
        if self.session is None and self.request.cookies.get(VISIT_COOKIE) != self.token:
            self.remember(VISIT_COOKIE, self.token)
        for cookie in self.cookies:
            response.set_cookie(
                **cookie,
                path=self.desk.root_path or "/",
                secure=self.request.url.scheme == "https",
                httponly=True,
                samesite="strict",
            )
        return response
