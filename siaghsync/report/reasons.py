"""What the book says about the stable words for reasons, as lines and tables of the terminal have it."""

from __future__ import annotations

from siaghsync.messages.index import reason
from siaghsync.messages.links import LINKED_BY


def in_words(word: str) -> str:
    """The sentence of a reason with the word itself behind it, by which programs and people find it elsewhere."""
    found = reason(word)
    return f"{found.sentence.en} ({word})" if found else word


def why_and_what_to_do(word: str) -> list[str]:
    """How a reason comes about, the likeliest cause first, and what to do; nothing if the book does not know it."""
    found = reason(word)
    if found is None:
        return []
    causes = [f"  {number}. {cause.en}" for number, cause in enumerate(found.causes, 1)]
    if len(causes) == 1:
        causes = [f"Likely cause: {found.causes[0].en}"]
    elif causes:
        causes.insert(0, "Likely causes, the likeliest first:")
    return [*causes, f"What to do: {found.cure.en}"]


def linked_by(word: str) -> str:
    """How two sides were found to belong together."""
    if word not in LINKED_BY:
        return in_words(word)
    said = LINKED_BY[word].en
    return f"by {said[:1].lower()}{said[1:]}"
