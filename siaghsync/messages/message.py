"""A message for people as data: a stable code and its parameters. The catalog turns it into a sentence in either language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Union

Param = Union[str, int, float, bool, None, "Message", tuple["Message", ...]]
"""What can fill a place of a sentence. A message as a parameter is rendered in the language of the sentence around it."""

VERBATIM = "text.verbatim"
"""The code of a text that is shown as it is: the words of another system, or a sentence that an older version stored."""


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell. `code` is CHAPTER.NAME in the catalog, for example `reason.stranger`."""

    code: str
    params: Mapping[str, Param] = field(default_factory=dict)

    def parts(self) -> Iterator[Message]:
        """The message and all messages among its parameters, at any depth, itself first."""
        yield self
        for value in self.params.values():
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Message):
                    yield from part.parts()

    def as_json(self) -> dict[str, Any]:
        """The message as plain JSON data: {"code": ..., "params": {...}}."""
        return {"code": self.code, "params": {name: _to_plain(value) for name, value in self.params.items()}}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Message:
        """The message that `as_json` wrote. Raises KeyError or TypeError for other data."""
        return Message(data["code"], {name: _from_plain(value) for name, value in data["params"].items()})


def msg(code: str, /, **params: Param) -> Message:
    """Short for `Message(code, {...})`."""
    return Message(code, params)


def verbatim(text: str) -> Message:
    """A text that is shown as it is in both languages."""
    return Message(VERBATIM, {"text": text})


def _to_plain(value: Param) -> Any:
    if isinstance(value, Message):
        return value.as_json()
    if isinstance(value, tuple):
        return [item.as_json() for item in value]
    return value


def _from_plain(value: Any) -> Param:
    if isinstance(value, dict):
        return Message.from_json(value)
    if isinstance(value, list):
        return tuple(Message.from_json(item) for item in value)
    plain: Param = value
    return plain
