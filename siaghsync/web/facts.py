"""What the site's own servers have shown: the open questions of the contracts, the last check of both systems, the rehearsal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.responses import Response

from siaghsync import clock
from siaghsync.domain.site import QUESTIONS
from siaghsync.features.check_apis.rules import ApiReport, Findings
from siaghsync.features.rehearse.journal import Journal
from siaghsync.messages.message import Message, msg
from siaghsync.report.text import answer_text
from siaghsync.state import facts, runs
from siaghsync.state.audit import stamp
from siaghsync.state.database import State
from siaghsync.web.dependencies import RunControl
from siaghsync.web.page import PageContext


class SitePages:
    """The questions with their answers, and the check of both systems, of which one is at work at a time."""

    def __init__(self) -> None:
        self._at_work = threading.Lock()
        self._last: tuple[ApiReport, str] | None = None

    def show(self, page: PageContext) -> Response:
        """Each question with its answer, how and when it was found, or how it can be settled; and the last check."""
        with page.dependencies.state() as state:
            rows = _rows(state, page)
        report, at = self._last or (None, "")
        checked = [(found, _verdict(found)) for found in ((report.crm, report.finance) if report else ())]
        checking = self._at_work.locked()
        return page.show("facts.html", rows=rows, checking=checking, report=report, checked=checked, at=at)

    def check(self, page: PageContext) -> Response:
        """Begins a check, unless one is at work, and goes back to the page, which shows what comes of it."""
        if self._at_work.acquire(blocking=False):
            page.dependencies.errands.start(partial(self._check, page.dependencies.control))
        return page.go("/site")

    def _check(self, control: RunControl, began: Callable[[], object]) -> None:
        began()
        try:
            self._last = control.check_apis(), stamp(clock.now())
        finally:
            self._at_work.release()


def _verdict(found: Findings) -> Message:
    return msg("check.works" if found.ok else "check.does_not_work", system=found.system)


def rehearsal(page: PageContext) -> Response:
    """What rehearsals have answered, what a person has still to answer, and what has to be removed by hand."""
    with page.dependencies.state() as state:
        rows = [row for row in _rows(state, page) if row[1] and row[1].how == "rehearsal"]
        journal, run = Journal(state), runs.last_of(state, "rehearse")
    asked = [msg(f"question.{question}") for question in journal.pending]
    return page.show("rehearsal.html", rows=rows, left=journal.records, asked=asked, run=run)


def _rows(state: State, page: PageContext) -> list[tuple[Any, facts.Fact | None, str]]:
    """Each question, what is known about it, and the answer in words."""
    found = [(question, facts.find(state, question.name)) for question in QUESTIONS]
    return [
        (question, fact, answer_text(fact.answer if fact else None, page.language.code)) for question, fact in found
    ]
