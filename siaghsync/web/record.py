"""The life of one customer or document, found by any of its numbers: what `explain` tells, in the language of the page."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from siaghsync.features.explain.rules import Sentence, explain, sentence_text, title
from siaghsync.messages.message import Message, msg
from siaghsync.state.record_history import RecordHistory, record_histories
from siaghsync.web.language import PageLanguage
from siaghsync.web.page import PageContext

_LONGEST_NUMBER = 100


def record(page: PageContext) -> Response:
    """A search by number, and the story of each record that carries it."""
    asked = page.asked("q")[:_LONGEST_NUMBER]
    with page.dependencies.state() as state:
        found = record_histories(state, asked) if asked else []
    stories = [_story(history, page.language) for history in found]
    return page.show("record.html", stories=stories, q=asked)


def _here(sentence: Sentence) -> Sentence:
    """The sentence as it is said where a button stands for the commands that decide."""
    if isinstance(sentence, Message) and sentence.code == "explain.decide":
        return msg("explain.decide_here")
    return sentence


def _story(history: RecordHistory, language: PageLanguage) -> dict[str, Any]:
    sections = [
        (
            sentence_text(section.heading, language.code),
            [
                language.with_commands(sentence_text(_here(each), language.code, isolate=True))
                for each in section.sentences
            ],
        )
        for section in explain(history)
    ]
    return {"title": sentence_text(title(history), language.code, isolate=True), "sections": sections, "of": history}
