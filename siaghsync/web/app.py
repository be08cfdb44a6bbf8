"""Puts the site together: which address is served by what."""

from __future__ import annotations

import os
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Scope

from siaghsync.dashboard_users import Role
from siaghsync.web import auth, dashboard, facts, orders, record, records, reviews, waiting
from siaghsync.web.dependencies import Dependencies
from siaghsync.web.middleware import BodyLimit, Guard, SessionCookie
from siaghsync.web.month_end import MonthEndPages
from siaghsync.web.page import STATIC, VERSIONS, Handler, Pages, switch_language
from siaghsync.web.webhooks import Intake, Webhooks

_STATUSES_WITH_TEXT = (400, 404, 405, 413)


def create_app(dependencies: Dependencies, intake: Intake, *, access: bool = False) -> ASGIApp:
    """The whole site as one ASGI application; `access` logs each request."""
    pages = Pages(dependencies)
    webhooks = Webhooks(dependencies, intake)

    async def refused(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        text = f"error_{status if status in _STATUSES_WITH_TEXT else 500}"
        return pages.context(request, {}).message(text, status)

    app = Starlette(
        routes=[
            Route("/health", dashboard.Health(dependencies).answer, methods=["GET"]),
            Mount(
                "/webhook/crm",
                routes=[
                    Route("/{item}", webhooks.answer, methods=["GET", "POST"]),
                    Route("/{item}/{secret:path}", webhooks.answer, methods=["GET", "POST"]),
                ],
            ),
            Mount("/static", _Static(directory=STATIC)),
            Mount(
                "",
                routes=_page_routes(pages),
                middleware=[Middleware(SessionCookie, root_path=dependencies.root_path)],
            ),
        ],
        middleware=[Middleware(BodyLimit)],
        exception_handlers={HTTPException: refused, Exception: refused},
    )
    app.router.redirect_slashes = False
    return Guard(app, dependencies, access=access)


def _page_routes(pages: Pages) -> list[Route]:
    def get(path: str, handler: Handler, needs: Role | None = Role.LOOK) -> Route:
        return Route(path, pages.endpoint(handler, needs), methods=["GET"])

    def post(path: str, handler: Handler, needs: Role | None) -> Route:
        return Route(path, pages.endpoint(handler, needs), methods=["POST"])

    login, site, month_end = auth.LoginPages(), facts.SitePages(), MonthEndPages()
    return [
        get("/login", login.form, None),
        post("/login", login.log_in, None),
        post("/language", switch_language, None),
        post("/logout", auth.log_out, Role.LOOK),
        get("/", dashboard.first_page),
        get("/live", dashboard.live_part),
        post("/run", orders.run_now, Role.DECIDE),
        post("/pause", orders.pause, Role.DECIDE),
        post("/resume", orders.resume, Role.DECIDE),
        get("/reviews", reviews.review_list),
        get("/reviews/", reviews.review_list),
        get("/reviews/confirm", reviews.confirm_many, Role.DECIDE),
        post("/reviews/decide", reviews.decide_many, Role.DECIDE),
        get("/reviews/{review_id:int}", reviews.one_review),
        get("/reviews/{review_id:int}/confirm", reviews.confirm, Role.DECIDE),
        post("/reviews/{review_id:int}/decide", reviews.decide, Role.DECIDE),
        post("/reviews/{review_id:int}/reopen", reviews.reopen, Role.DECIDE),
        get("/trail", records.trail),
        get("/waiting", waiting.waiting_list),
        get("/record", record.record),
        get("/site", site.show),
        post("/site/check", site.check, Role.ADMINISTER),
        get("/rehearsal", facts.rehearsal),
        get("/report", month_end.show),
        post("/report", month_end.read, Role.LOOK),
        get("/report.csv", month_end.csv_file),
        get("/report.xlsx", month_end.excel_file),
        get("/links", records.links),
        get("/runs", records.run_list),
        get("/runs/{run_id:int}", records.one_run),
    ]


class _Static(StaticFiles):
    """Files that browsers may keep: for a year at the address of their version, for an hour at any other."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        is_version = scope["query_string"].decode("latin-1") == VERSIONS.get(Path(full_path).name)
        response.headers["Cache-Control"] = "public, max-age=" + ("31536000, immutable" if is_version else "3600")
        return response
