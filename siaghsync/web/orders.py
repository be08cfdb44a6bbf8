"""What people tell the sync as a whole: run now, pause, go on."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from siaghsync.errors import LockHeld
from siaghsync.web.page import PageContext

_LONGEST_REASON = 200


def run_now(page: PageContext) -> Response:
    """Starts a whole sync in the name of who is logged in, and answers as soon as it is at work."""
    assert page.session is not None
    try:
        page.dependencies.errands.start(partial(page.dependencies.control.run_now, page.session.user))
    except LockHeld:
        return page.go("/", page.language.text("run_at_work"))
    return page.go("/", page.language.text("run_begun"))


def pause(page: PageContext) -> Response:
    """Begins a pause, for which a reason is wanted."""
    assert page.session is not None
    reason = " ".join(page.form.get("reason", "").split())[:_LONGEST_REASON]
    if not reason:
        return page.go("/", page.language.text("pause_needs_reason"))
    page.dependencies.control.pause(page.session.user, reason)
    return page.go("/", page.language.text("pause_begun"))


def resume(page: PageContext) -> Response:
    """Ends the pause by hand."""
    assert page.session is not None
    page.dependencies.control.resume(page.session.user)
    return page.go("/", page.language.text("pause_ended"))
