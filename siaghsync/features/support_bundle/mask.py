"""Masks values so that the same customer has the same mask, and describes the shape of an answer without its values."""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from siaghsync.domain.normalize import fold
from siaghsync.messages.message import Message, Param

_LETTERS = 10
_WORD = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)?\Z")
"""A word of ours: a reason, a field, a command. Nothing that a person is called looks so once words are known ones only."""
_OWN_WORDS = frozenset(
    {
        "reason",
        "system",
        "entity",
        "field",
        "what",
        "record_kind",
        "command",
        "operation",
        "option",
        "type",
        "where",
        "kind",
    }
)
"""Parameters of messages that hold words of ours."""
_BUG = "error.bug"
"""The message of a bug holds the kind of the exception and places in our code."""


class Mask:
    """Masks by HMAC-SHA-256 with a key that stays at home."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def __call__(self, value: object) -> str | None:
        """The mask of a name, number, code or amount, however it is spelled; None and "" stay."""
        if value is None or value == "":
            return None if value is None else ""
        return f"~{hmac.new(self._key, fold(str(value)).encode(), 'sha256').hexdigest()[:_LETTERS]}"

    def message(self, message: Message | None) -> dict[str, Any] | None:
        """The code of a message, and its parameters: words of ours as they are, counts too, all else masked."""
        if message is None:
            return None
        if message.code == "error.bug":  # file names, line numbers and functions of ours, and no value
            return {"code": message.code, "params": dict(message.params)}
        return {
            "code": message.code,
            "params": {name: self._param(name, value) for name, value in message.params.items()},
        }

    def _param(self, name: str, value: Param) -> Any:
        if isinstance(value, Message):
            return self.message(value)
        if isinstance(value, tuple):
            return [self.message(item) for item in value]
        if isinstance(value, bool | None):
            return value
        if isinstance(value, str) and name in _OWN_WORDS and _WORD.match(value):
            return value
        return self(value)


def shape_of(value: Any) -> Any:
    """Property names, types and lengths of parsed JSON. Of a list its length and the shape of its first entry."""
    if isinstance(value, Mapping):
        return {str(name): shape_of(item) for name, item in value.items()}
    if isinstance(value, list):
        return {"list": len(value), "first": shape_of(value[0]) if value else None}
    if isinstance(value, str):
        return f"text({len(value)})"
    if isinstance(value, bool):
        return "bool"
    return "number" if isinstance(value, int | float | Decimal) else "null"
