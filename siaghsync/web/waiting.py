"""The records that wait for another try, and those that are passed over: who, why, and when next."""

from __future__ import annotations

from starlette.responses import Response

from siaghsync.state import retries as records
from siaghsync.web.page import PageContext

_PAGE = 50


def waiting_list(page: PageContext) -> Response:
    """The list, the longest waiting first; with `of=skipped` the records that are passed over."""
    skipped, place = page.asked("of") == "skipped", page.number("place") or 0
    with page.dependencies.state() as state:
        found = records.skipped(state) if skipped else records.waiting(state)
    return page.show(
        "waiting.html",
        rows=found[place : place + _PAGE],
        skipped=skipped,
        count=len(found),
        earlier=max(place - _PAGE, 0) if place else None,
        later=place + _PAGE if place + _PAGE < len(found) else None,
    )
