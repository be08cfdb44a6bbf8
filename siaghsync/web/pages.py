"""The pages about the whole: login, overview, runs, links, audit trail."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siaghsync.errors import StateError
from siaghsync.state import webhook_queue as inbox
from siaghsync.state.audit_log import LogFilter, entries
from siaghsync.state.database import State
from siaghsync.state.status import Overview, overview
from siaghsync.web import figures, sides
from siaghsync.web.auth import SESSION_COOKIE, clean_name
from siaghsync.web.charts import Bar, bar_chart
from siaghsync.web.desk import Desk
from siaghsync.web.i18n import Language
from siaghsync.web.site import Visit

_PAGE = 50


# --- coming and going --------------------------------------------------------------------------------------


def login_form(visit: Visit) -> Response:
    """The login page."""
    return visit.show("login.html", next=visit.inside(visit.asked("next")), trouble="", user="")


def log_in(visit: Visit) -> Response:
    """Checks name and password; a new session for whoever knows the password."""
    lang, address = visit.language, visit.request.client.host if visit.request.client else ""
    user = clean_name(visit.form.get("user", ""))
    wait = visit.site.guesses.seconds_to_wait(address)
    status, trouble = 403, ""
    if wait:
        status, trouble = 429, lang.text("login_too_often", n=wait)
    elif not user:
        status, trouble = 400, lang.text("name_missing")
    elif visit.site.door is None or not visit.site.door.opens(visit.form.get("password", "")):
        visit.site.guesses.note(address)
        visit.desk.log("A login to the dashboard was refused: wrong password.")
        trouble = lang.text("login_failed")
    target = visit.inside(visit.form.get("next", "/"))
    if trouble:
        response = visit.show("login.html", status, next=target, trouble=trouble, user=user)
        if wait:
            response.headers["Retry-After"] = str(wait)
        return response
    visit.remember(SESSION_COOKIE, visit.site.sessions.begin(user))
    return visit.go(target)


def log_out(visit: Visit) -> Response:
    """Ends the session."""
    visit.site.sessions.end(visit.request.cookies.get(SESSION_COOKIE, ""))
    visit.remember(SESSION_COOKIE, "", 0)
    return visit.go("/login")


def switch_language(visit: Visit) -> Response:
    """Keeps the other language, and shows the same page in it."""
    visit.remember_language("en" if visit.form.get("language") == "en" else "fa")
    return visit.go(visit.inside(visit.form.get("next", "/")))


# --- overview ----------------------------------------------------------------------------------------------


def _overview(desk: Desk, state: State) -> Overview:
    running = is_running(desk, state)
    return overview(state, desk.now(), is_running=running, max_age=None, poll_interval=desk.poll_interval)


def is_running(desk: Desk, state: State) -> bool:
    """Whether a run is at work. The lock is only touched if the last run looks unfinished, so that this question never
    stands in the way of a run that wants to begin."""
    last = state.row("SELECT finished_at FROM runs ORDER BY id DESC LIMIT 1")
    return last is not None and last["finished_at"] is None and desk.is_running()


def first_page(visit: Visit) -> Response:
    """In step or not, what goes on, what came of the last day and week, the last runs."""
    return visit.show("overview.html", **_first_page(visit))


def live_part(visit: Visit) -> Response:
    """The part of the first page that changes by itself."""
    return visit.show("_live.html", **_first_page(visit))


def _first_page(visit: Visit) -> dict[str, Any]:
    lang, now = visit.language, visit.desk.now()
    with visit.desk.state() as state:
        found = _overview(visit.desk, state)
        charts = [
            _chart(lang, "last_day", figures.last_day(state, now, lang)),
            _chart(lang, "last_week", figures.last_week(state, now, lang)),
        ]
        stored = inbox.count(state)
        events = _events(state, found.facts["running"])
    last = found.facts["last_success_at"]
    return {
        "found": found,
        "facts": found.facts,
        "charts": charts,
        "stored": stored,
        "events": events,
        "last_success": lang.ago(last, now) if last else lang.text("never"),
    }


def _events(state: State, running: dict[str, Any] | None) -> int:
    return int(state.value("SELECT count(*) FROM audit WHERE run_id = ?", (running["id"],))) if running else 0


def _chart(lang: Language, title: str, bars: list[Bar]) -> dict[str, Any]:
    words = (lang.text("done"), lang.text("trouble"))
    svg = bar_chart(bars, lang.text(title), words, lang.number, mirrored=lang.code == "fa")
    # Made by `charts`, which escapes whatever it is given.
    return {"title": title, "svg": Markup(svg), "bars": bars}


class Health:
    """The answer for monitors: whether all is well, and nothing else. Looks into the state file every few seconds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._last: tuple[float, tuple[str, int]] | None = None

    def answer(self, _request: Request) -> Response:
        """200 and `ok` or `needs attention`; 503 if the state file can't be used."""
        moment = self._desk.now().timestamp()
        if self._last is None or not 0 <= moment - self._last[0] < 5:
            self._last = (moment, self._look())
        status, code = self._last[1]
        return JSONResponse({"status": status}, code)

    def _look(self) -> tuple[str, int]:
        try:
            with self._desk.state() as state:
                return ("needs attention" if _overview(self._desk, state).problems else "ok"), 200
        except StateError:
            return "needs attention", 503


# --- lists -------------------------------------------------------------------------------------------------


def trail(visit: Visit) -> Response:
    """The audit trail, newest first, searched by number, code or name."""
    search, failed = visit.asked("q")[:100], visit.asked("failed") == "1"
    wanted = LogFilter(failed=failed, search=search, before=visit.number("before"), limit=_PAGE + 1)
    with visit.desk.state() as state:
        found = entries(state, wanted)[::-1]
    return visit.show("trail.html", lines=found[:_PAGE], more=len(found) > _PAGE, q=search, failed=failed)


def runs(visit: Visit) -> Response:
    """All runs, newest first."""
    before = visit.number("before") or 1 << 62
    with visit.desk.state() as state:
        rows = state.rows("SELECT * FROM runs WHERE id < ? ORDER BY id DESC LIMIT ?", (before, _PAGE + 1))
        active = is_running(visit.desk, state)
        newest = state.value("SELECT max(id) FROM runs")
    return visit.show("runs.html", runs=rows[:_PAGE], more=len(rows) > _PAGE, active=newest if active else None)


def run(visit: Visit) -> Response:
    """One run: its counts, its error, and each line of the audit trail that it wrote."""
    run_id = int(visit.request.path_params["run_id"])
    with visit.desk.state() as state:
        row = state.row("SELECT * FROM runs WHERE id = ?", (run_id,))
        if row is None:
            return visit.message("error_404", 404)
        found = entries(state, LogFilter(run=run_id, before=visit.number("before"), limit=_PAGE + 1))[::-1]
        active = row["finished_at"] is None and is_running(visit.desk, state)
    summary = json.loads(row["summary"] or "{}")
    return visit.show("run.html", run=row, summary=summary, lines=found[:_PAGE], more=len(found) > _PAGE, active=active)


def mappings(visit: Visit) -> Response:
    """The linked customers, or the posted documents."""
    documents, q = visit.asked("of") == "invoices", visit.asked("q")[:100]
    after = visit.number("after") or 0
    with visit.desk.state() as state:
        rows = state.rows(_DOCUMENTS if documents else _CUSTOMERS, (after, q, q, q, q, _PAGE + 1))
    more, amount = len(rows) > _PAGE, partial(sides.amount, language=visit.language)
    return visit.show("mappings.html", rows=rows[:_PAGE], more=more, documents=documents, q=q, amount=amount)


_CUSTOMERS = (
    "SELECT * FROM customer_mappings WHERE finance_code > ? AND (? = '' OR customer_number = ? OR crm_id = ? "
    "OR CAST(finance_code AS TEXT) = ?) ORDER BY finance_code LIMIT ?"
)
_DOCUMENTS = (
    "SELECT rowid AS place, * FROM invoice_mappings WHERE rowid > ? AND (? = '' OR customer_number = ? OR crm_number = ? "
    "OR finance_number = ?) ORDER BY rowid LIMIT ?"
)
