"""The first page, which shows how things stand, and the answer for monitors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siaghsync import clock
from siaghsync.errors import StateError
from siaghsync.state import runs, webhook_queue
from siaghsync.state.database import State
from siaghsync.state.status import Overview, Slot, last_days, last_hours, overview
from siaghsync.web.charts import Bar, bar_chart
from siaghsync.web.dependencies import Dependencies
from siaghsync.web.language import PageLanguage
from siaghsync.web.page import PageContext

_HEALTH_SECONDS = 5
_PLACES = {
    "status.reviews": "/reviews",
    "status.import_leftovers": "/waiting",
    "status.customer_code_undecided": "/site",
    "warning.fact_changed": "/site",
}
"""Problem -> the page that tells more; of any other problem the runs do."""


def first_page(page: PageContext) -> Response:
    """In step or not, what is at work, what came of the last day and week, the last runs."""
    return page.show("overview.html", **_first_page(page))


def live_part(page: PageContext) -> Response:
    """The part of the first page that changes by itself; the whole page for whoever opens its address."""
    return page.show("_live.html" if page.is_part() else "overview.html", **_first_page(page))


def _overview(dependencies: Dependencies, state: State) -> Overview:
    return overview(
        state,
        clock.now(),
        is_running=dependencies.is_running(state),
        max_age=None,
        poll_interval=dependencies.settings.poll_interval_seconds,
    )


def _first_page(page: PageContext) -> dict[str, Any]:
    language, now = page.language, clock.now()
    with page.dependencies.state() as state:
        found = _overview(page.dependencies, state)
        running = found.figures["running"]
        hours, days = last_hours(state, now), last_days(state, now)
        stored = webhook_queue.count(state)
        events = runs.line_count(state, running["id"]) if running else 0
    last = found.figures["last_success_at"]
    return {
        "found": found,
        "figures": found.figures,
        "places": {problem.code: _PLACES.get(problem.code, "/runs") for problem in found.problems},
        "charts": [
            _chart(language, "last_day", "hour", [language.hour(slot.start) for slot in hours], hours),
            _chart(language, "last_week", "day", [language.day(slot.start) for slot in days], days),
        ],
        "stored": stored,
        "events": events,
        "last_success": language.ago(last) if last else language.text("never"),
    }


def _chart(
    language: PageLanguage, title: str, unit: str, labels: Sequence[str], slots: Sequence[Slot]
) -> dict[str, Any]:
    """Records that went through and records that did not, as bars; the last one is not over yet."""
    names = {"done_label": language.text("done"), "failed_label": language.text("trouble")}
    bars = [
        Bar(
            label,
            slot.done,
            slot.failed,
            language.text("bar", label=label, done=slot.done, failed=slot.failed, **names),
        )
        for label, slot in zip(labels, slots, strict=True)
    ]
    axes = language.text(unit), language.text("records")
    svg = bar_chart(bars, language.text(title), axes, language.number, mirrored=language.direction == "rtl")
    # Made by `charts`, which escapes whatever it is given.
    return {"title": title, "unit": unit, "svg": Markup(svg), "bars": bars}


class Health:
    """The answer for monitors: whether all is well, and nothing else. Looks into the state file every few seconds."""

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._last: tuple[float, tuple[str, int]] | None = None

    def answer(self, _request: Request) -> Response:
        """200 and `ok` or `needs attention`; 503 if the state file can't be used."""
        moment = clock.monotonic()
        if self._last is None or moment - self._last[0] >= _HEALTH_SECONDS:
            self._last = (moment, self._look())
        status, code = self._last[1]
        return JSONResponse({"status": status}, code)

    def _look(self) -> tuple[str, int]:
        try:
            with self._dependencies.state() as state:
                return ("needs attention" if _overview(self._dependencies, state).problems else "ok"), 200
        except StateError:
            return "needs attention", 503
