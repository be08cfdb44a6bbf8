"""The lists: runs, links, and the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from siaghsync.state import runs
from siaghsync.state.audit import AuditLine, LogFilter, entries
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.web.page import PageContext

_PAGE = 50
_LONGEST_SEARCH = 100


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a list, the newest first. `older` and `newer` are ids to go on from, None where there is nothing more."""

    rows: Sequence[Any]
    newer: int | None
    older: int | None


def _slice(page: PageContext, read: Callable[[int | None, int | None, int], Sequence[Any]]) -> Slice:
    """What `read` finds before or after the id in the address; one more than a page is read, to know whether there is more."""
    after = page.number("after")
    before = page.number("before") if after is None else None
    found = read(before, after, _PAGE + 1)
    more = len(found) > _PAGE
    rows = found[-_PAGE:] if after is not None else found[:_PAGE]
    if not rows:
        return Slice((), None, None)
    has_newer, has_older = (more, True) if after is not None else (before is not None, more)
    return Slice(rows, rows[0].id if has_newer else None, rows[-1].id if has_older else None)


def trail(page: PageContext) -> Response:
    """The audit trail, newest first, searched by number, code or name."""
    search, failed = page.asked("q")[:_LONGEST_SEARCH], page.asked("failed") == "1"
    query = urlencode({"q": search, **({"failed": 1} if failed else {})})
    with page.dependencies.state() as state:
        return page.show(
            "trail.html",
            **_lines(page, state, LogFilter(failed=failed, search=search)),
            q=search,
            failed=failed,
            query=query,
        )


def _lines(page: PageContext, state: State, wanted: LogFilter) -> dict[str, Any]:
    """A page of the audit trail, and the names of the customers that documents in it are for."""

    def read(before: int | None, after: int | None, limit: int) -> list[AuditLine]:
        return entries(state, replace(wanted, before=before, after=after, limit=limit))[::-1]

    found = _slice(page, read)
    numbers = {line.customer_number for line in found.rows if line.entity == "invoice"}
    return {"slice": found, "lines": found.rows, "customers": Mappings(state).names(numbers)}


def run_list(page: PageContext) -> Response:
    """The runs, newest first. Those that went well and had nothing to do are folded, or with `all=1` shown too."""
    everything = page.asked("all") == "1"
    with page.dependencies.state() as state:
        found = _slice(page, lambda *how: runs.page(state, *how, with_quiet=everything))
        quiet = {} if everything else _quiet_below(state, found)
        top = 0 if everything or found.newer else runs.quiet_between(state, found.rows[0].id if found.rows else 0)
        last = runs.last(state)
        active = last.id if last and page.dependencies.is_running(state) else None
    return page.show(
        "runs.html", slice=found, runs=found.rows, quiet=quiet, top=top, everything=everything, active=active
    )


def _quiet_below(state: State, found: Slice) -> dict[int, int]:
    """Id of a run -> how many quiet ones lie between it and the next older one of the list."""
    ids = [run.id for run in found.rows]
    if found.older is not None:
        ids += [run.id for run in runs.page(state, found.older, None, 1, with_quiet=False)]
    return {newer: runs.quiet_between(state, older, newer) for newer, older in zip(ids, [*ids[1:], 0], strict=True)}


def one_run(page: PageContext) -> Response:
    """One run: its counts, its error, and each line of the audit trail that it wrote."""
    run_id = int(page.request.path_params["run_id"])
    with page.dependencies.state() as state:
        run = runs.find(state, run_id)
        if run is None:
            return page.message("error_404", 404)
        lines = _lines(page, state, LogFilter(run=run_id))
        is_active = run.finished_at is None and page.dependencies.is_running(state)
    return page.show("run.html", run=run, **lines, is_active=is_active)


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
