"""Finds what the book says about a word, whichever chapter it stands in."""

from __future__ import annotations

from siaghsync.messages.calls import call
from siaghsync.messages.customers import CUSTOMERS
from siaghsync.messages.documents import DOCUMENTS
from siaghsync.messages.entry import Chapter, Entry
from siaghsync.messages.passed_over import SKIPS, WAITS

REASONS: Chapter = {**CUSTOMERS, **DOCUMENTS, **SKIPS, **WAITS}


def reason(word: str) -> Entry | None:
    """What is told about the reason of a review, of a record that is passed over, waits or failed; None if it is none."""
    found = REASONS.get(word) or call(word)
    if found is None or "{" not in found.sentence.en:
        return found
    said = type(found.sentence)(*(text.format(status=word.removeprefix("status_")) for text in found.sentence))
    return found._replace(sentence=said)
