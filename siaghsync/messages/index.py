"""Finds what the book says about a word of a failed request. All other reasons are in the catalog, in the chapter `reason`."""

from __future__ import annotations

from siaghsync.messages.calls import call
from siaghsync.messages.entry import Entry


def reason(word: str) -> Entry | None:
    """What is told about the reason of a failed request; None if it is none."""
    found = call(word)
    if found is None or "{" not in found.sentence.en:
        return found
    said = type(found.sentence)(*(text.format(status=word.removeprefix("status_")) for text in found.sentence))
    return found._replace(sentence=said)
