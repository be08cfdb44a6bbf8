"""Makes the text of others safe for a terminal. Names and messages come from two systems where people type and paste what
they like; nothing of it may steer the terminal or reorder what stands around it."""

from __future__ import annotations

import re
import unicodedata

_HALF_SPACE, _JOINER = "\u200c", "\u200d"
_ODD = "\N{REPLACEMENT CHARACTER}"
_VARIANT = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_BREAK = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")
_FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2068\ud800-\udfff]")


def cleaned(text: str) -> str:
    """Text on one line without anything that has an effect: tabs and line breaks become a space, other control characters
    and half surrogates a sign that something odd is there; what reorders or joins letters unseen goes, except what Persian
    is written with: the half-space, and the joiner behind a letter."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    for letter in _BREAK.sub(" ", _VARIANT.sub("", text)):
        kind = unicodedata.category(letter)
        if kind in ("Cc", "Cs"):
            shown.append(_ODD)
        elif kind != "Cf" or letter == _HALF_SPACE or (letter == _JOINER and shown and shown[-1].isalpha()):
            shown.append(letter)
    return "".join(shown)


def harmless(text: str, encoding: str = "utf-8") -> str:
    """The last look at what goes to a terminal or into a file: no control character but the line's end, nothing that
    overrides a direction, and nothing that its encoding can't carry."""
    text = _FORBIDDEN.sub("", text)
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        bare = "".join(letter for letter in text if unicodedata.category(letter) != "Cf")
        return bare.encode(encoding, "replace").decode(encoding)
    return text
