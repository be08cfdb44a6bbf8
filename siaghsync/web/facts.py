"""What the site's own servers have shown about the open questions of the contracts."""

from __future__ import annotations

from starlette.responses import Response

from siaghsync.domain.site import QUESTIONS
from siaghsync.report.text import answer_text
from siaghsync.state import facts
from siaghsync.web.page import PageContext


def fact_list(page: PageContext) -> Response:
    """Each question with its answer, how and when it was found, or how it can be settled."""
    with page.dependencies.state() as state:
        known = {question.name: facts.find(state, question.name) for question in QUESTIONS}
    code = page.language.code
    rows = [(q, fact, answer_text(fact.answer if fact else None, code)) for q in QUESTIONS for fact in [known[q.name]]]
    return page.show("facts.html", rows=rows)
