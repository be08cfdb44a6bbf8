"""The lists: runs, links, and the audit trail."""

from __future__ import annotations

from starlette.responses import Response

from siaghsync.state import runs
from siaghsync.state.audit import LogFilter, entries
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.web.page import PageContext

_PAGE = 50
_LONGEST_SEARCH = 100


def trail(page: PageContext) -> Response:
    """The audit trail, newest first, searched by number, code or name."""
    search, failed = page.asked("q")[:_LONGEST_SEARCH], page.asked("failed") == "1"
    wanted = LogFilter(failed=failed, search=search, before=page.number("before"), limit=_PAGE + 1)
    with page.dependencies.state() as state:
        found = entries(state, wanted)[::-1]
    return page.show("trail.html", lines=found[:_PAGE], more=len(found) > _PAGE, q=search, failed=failed)


def run_list(page: PageContext) -> Response:
    """All runs, newest first."""
    with page.dependencies.state() as state:
        found = runs.newest(state, _PAGE + 1, page.number("before"))
        last = runs.last(state)
        active = last.id if last and page.dependencies.is_running(state) else None
    return page.show("runs.html", runs=found[:_PAGE], more=len(found) > _PAGE, active=active)


def one_run(page: PageContext) -> Response:
    """One run: its counts, its error, and each line of the audit trail that it wrote."""
    run_id = int(page.request.path_params["run_id"])
    with page.dependencies.state() as state:
        run = runs.find(state, run_id)
        if run is None:
            return page.message("error_404", 404)
        found = entries(state, LogFilter(run=run_id, before=page.number("before"), limit=_PAGE + 1))[::-1]
        is_active = run.finished_at is None and page.dependencies.is_running(state)
    return page.show("run.html", run=run, lines=found[:_PAGE], more=len(found) > _PAGE, is_active=is_active)


def links(page: PageContext) -> Response:
    """The linked customers, or the posted documents."""
    documents, search = page.asked("of") == "invoices", page.asked("q")[:_LONGEST_SEARCH]
    place = page.number("place") or 0
    with page.dependencies.state() as state:
        listed: Mappings | PostedDocuments = PostedDocuments(state) if documents else Mappings(state)
        found = listed.page(_PAGE + 1, place, search)
    return page.show(
        "documents.html" if documents else "links.html",
        rows=found[:_PAGE],
        q=search,
        earlier=max(place - _PAGE, 0) if place else None,
        later=place + _PAGE if len(found) > _PAGE else None,
    )
