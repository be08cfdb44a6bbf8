"""What stands in the book under one stable word."""

from __future__ import annotations

from typing import NamedTuple


class Said(NamedTuple):
    """The same in both languages. A sentence has no full stop at its end, so that it can stand in a heading or a table."""

    fa: str
    en: str


class Entry(NamedTuple):
    """What is told about one stable word: what it means, why it comes about (the likeliest cause first), and what to do."""

    sentence: Said
    causes: tuple[Said, ...]
    cure: Said


Chapter = dict[str, Entry]
NOTHING_TO_DO = Said("لازم نیست کسی کاری بکند.", "Nobody has to act.")
