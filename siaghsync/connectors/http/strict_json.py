"""Strict JSON: what Python's reader lets through and what fails later is refused or mended here.

Numbers with a fraction become Decimal. NaN, Infinity, absurd exponents and endless nesting raise ValueError. Half surrogate
pairs, which no database and no UTF-8 text can hold, become U+FFFD.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

from siaghsync.messages.message import Message, Param

_HALF_PAIR = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATES = re.compile("[\ud800-\udfff]")
_WHITE_SPACE = " \t\r\n"
_CHUNK = 256 * 1024
_LARGEST_RECORD = 16 * 1024 * 1024
_LARGEST_EXPONENT = 60
_KINDS = {
    "": "nothing",
    "{": "object",
    "[": "list",
    '"': "text",
    "t": "boolean",
    "f": "boolean",
    "n": "null",
    "<": "html",
}


class BadList(ValueError):
    """A file that is not one complete list of objects; `problem` (chapter `answer`) says what is wrong with it."""

    def __init__(self, code: str, **params: Param) -> None:
        super().__init__(code)
        self.problem = Message(code, params)


def loads(text: str) -> Any:
    """The value that `text` holds. Raises ValueError."""
    try:
        value = _DECODER.decode(text)
        return _mend(value) if _HALF_PAIR.search(text) else value
    except RecursionError:
        raise ValueError("nested too deeply") from None


def records(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """The objects of the JSON list in `file`, one at a time, in flat memory.

    Raises BadList as soon as the file turns out to be anything but one complete list of objects: what was yielded before that
    must not be taken for the whole.
    """
    reader = _Reader(file)
    reader.expect("[", "answer.no_list")
    number = 1
    while reader.peek() != "]":
        if number > 1:
            reader.expect(",", "answer.no_comma", number - 1)
        yield reader.record(number)
        number += 1
    reader.expect("]", "answer.no_comma", number - 1)
    reader.expect("", "answer.more_after_list")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError("a number out of bounds") from None
    if abs(number.adjusted()) > _LARGEST_EXPONENT:
        raise ValueError("a number out of bounds")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_float=_number, parse_constant=_constant)


def _mend(value: Any) -> Any:
    if isinstance(value, str):
        return _SURROGATES.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mend(item) for item in value]
    if isinstance(value, dict):
        return {_mend(key): _mend(item) for key, item in value.items()}
    return value


class _Reader:
    """A window that moves over the text of a file."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._text = ""
        self._at = 0
        self._ended = False

    def peek(self) -> str:
        """The next character that isn't white space, or an empty string at the end of the file."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _WHITE_SPACE:
                    return self._text[self._at]
                self._at += 1
            if not self._more():
                return ""

    def expect(self, mark: str, problem: str, number: int = 0) -> None:
        """Steps over `mark` ("" is the end of the file). Raises BadList if something else stands there."""
        found = self.peek()
        if found != mark:
            raise BadList(problem, found=_kind(found), number=number)
        self._at += len(mark)

    def record(self, number: int) -> dict[str, Any]:
        """The object that begins here. Reads twice as much each time, so that a long one costs no more than O(n)."""
        found = self.peek()
        if found != "{":
            raise BadList("answer.no_record", found=_kind(found), number=number)
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self._at)
                mended = _mend(value) if _HALF_PAIR.search(self._text, self._at, end) else value
            except RecursionError:
                raise BadList("answer.no_record", found="broken", number=number) from None
            except ValueError:
                window = len(self._text) - self._at
                if window > _LARGEST_RECORD or not self._more(max(_CHUNK, window)):
                    raise BadList("answer.no_record", found="broken", number=number) from None
            else:
                self._at = end
                record: dict[str, Any] = mended
                return record

    def _more(self, size: int = _CHUNK) -> bool:
        """Reads on and forgets what lies behind. False at the end of the file."""
        if self._ended:
            return False
        data = self._file.read(size)
        self._ended = not data
        try:
            self._text = self._text[self._at :] + self._decoder.decode(data, final=self._ended)
        except UnicodeDecodeError:
            raise BadList("answer.no_utf8") from None
        self._at = 0
        return True


def _kind(mark: str) -> str:
    return _KINDS.get(mark, "number" if mark in "-0123456789" else "other")
