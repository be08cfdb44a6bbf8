"""Puts the site together: which address is served by what."""

from __future__ import annotations

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from siaghsync.web import pages, review_pages
from siaghsync.web.desk import Desk
from siaghsync.web.guard import Guard
from siaghsync.web.intake import Intake
from siaghsync.web.site import Handler, Site
from siaghsync.web.webhooks import Webhooks

_STATIC = Path(__file__).parent / "static"
_SHOWN = (400, 404, 405, 413)


def create_app(desk: Desk, intake: Intake, *, access: bool = False) -> ASGIApp:
    """The whole site as one ASGI application; `access` logs each request."""
    site = Site(desk)
    webhooks = Webhooks(desk.webhook_secret, desk.sources, intake)

    def get(path: str, handler: Handler, *, open_to_all: bool = False) -> Route:
        return Route(path, site.page(handler, open_to_all=open_to_all), methods=["GET"])

    def post(path: str, handler: Handler, *, open_to_all: bool = False) -> Route:
        return Route(path, site.page(handler, open_to_all=open_to_all), methods=["POST"])

    routes = [
        Route("/health", pages.Health(desk).answer, methods=["GET"]),
        Route("/webhook/crm/{item}", webhooks.answer, methods=["GET", "POST"]),
        Route("/webhook/crm/{item}/{secret:path}", webhooks.answer, methods=["GET", "POST"]),
        Mount("/static", _Static(directory=_STATIC)),
        get("/login", pages.login_form, open_to_all=True),
        post("/login", pages.log_in, open_to_all=True),
        post("/language", pages.switch_language, open_to_all=True),
        post("/logout", pages.log_out),
        get("/", pages.first_page),
        get("/live", pages.live_part),
        get("/reviews", review_pages.review_list),
        get("/reviews/{review_id:int}", review_pages.review),
        get("/reviews/{review_id:int}/confirm", review_pages.confirm),
        post("/reviews/{review_id:int}/decide", review_pages.decide),
        get("/trail", pages.trail),
        get("/links", pages.mappings),
        get("/runs", pages.runs),
        get("/runs/{run_id:int}", pages.run),
    ]

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        visit = site.visit(request, {})
        return visit.message(f"error_{status if status in _SHOWN else 500}", status)

    app = Starlette(routes=routes, exception_handlers={HTTPException: refused, Exception: refused})
    app.router.redirect_slashes = False
    return Guard(app, desk.root_path, desk.log, access=access)


class _Static(StaticFiles):
    """Files that browsers may keep for an hour."""

    def file_response(self, *args: object, **named: object) -> Response:
        response = super().file_response(*args, **named)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = "public, max-age=3600"
        return response
