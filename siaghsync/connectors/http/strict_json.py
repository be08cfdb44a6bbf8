"""Strict JSON: what Python's reader lets through and what fails later is refused or mended here.

Numbers with a fraction become Decimal. NaN, Infinity, absurd exponents and bottomless nesting raise ValueError;
half surrogate pairs, which no database and no UTF-8 text can hold, become U+FFFD.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_SPACE = " \t\r\n"
_CHUNK = 256 * 1024
_LARGEST_ELEMENT = 16 * 1024 * 1024
_LARGEST_EXPONENT = 60


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number out of all bounds") from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("a number out of all bounds")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"{name}, which is no JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_constant)


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value


def loads(text: str) -> Any:
    """The value that `text` holds. Raises ValueError."""
    try:
        value = _DECODER.decode(text)
        return _mend(value) if _HALF_PAIR.search(text) else value
    except RecursionError:
        raise ValueError("brackets nested without end") from None


def records(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The objects of the JSON list in `file`, one at a time, in flat memory.

    Raises ValueError as soon as the file turns out to be anything but one complete list of objects: what was
    yielded before that must not be taken for the whole.
    """
    reader = _Reader(file)
    reader.expect("[", "where a list belongs")
    count = 0
    while reader.peek() != "]":
        if count:
            reader.expect(",", f"after record {count} of a list")
        yield reader.record(f"where record {count + 1} of a list belongs")
        count += 1
    reader.expect("]", "where a list ends")
    reader.expect("", "after the end of a list")


class _Reader:
    """A window that moves over the text of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False

    def _more(self, size: int = _CHUNK) -> bool:
        """Read on, and forget what lies behind. False at the end of the file."""
        if self._ended:
            return False
        data = self._file.read(size)
        self._ended = not data
        self._text = self._text[self._at :] + self._decoder.decode(data, final=self._ended)
        self._at = 0
        return True

    def peek(self) -> str:
        """The next character that isn't white space; empty at the end of the file."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def expect(self, mark: str, place: str) -> None:
        """Step over `mark` ("" is the end of the file). Raises ValueError if something else stands there."""
        found = self.peek()
        if found != mark:
            raise ValueError(f"{self._describe(found)} {place}")
        self._at += len(mark)

    def record(self, place: str) -> dict[str, Any]:
        """The object that begins here. Reads twice as much each time, so that a long one costs no more than O(n)."""
        found = self.peek()
        if found != "{":
            raise ValueError(f"{self._describe(found)} {place}")
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                mended = _mend(value) if _HALF_PAIR.search(self._text, self._at, end) else value
            except RecursionError:
                raise ValueError("brackets nested without end") from None
            except ValueError:
                window = len(self._text) - self._at
                if window > _LARGEST_ELEMENT or not self._more(max(_CHUNK, window)):
                    raise ValueError(f"something that is no complete object {place}") from None
            else:
                self._at = end
                record: dict[str, Any] = mended
                return record

    def _describe(self, mark: str) -> str:
        if not mark:
            return "the end of the answer"
        return _KINDS.get(mark, "a number" if mark in "-0123456789" else "something that is no JSON")


_KINDS = {
    "{": "an object",
    "[": "a list",
    '"': "a text",
    "t": "true",
    "f": "false",
    "n": "null",
    "<": "an HTML page",
}
