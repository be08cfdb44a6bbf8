"""One request and its answer, as the handlers of both systems see them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from siaghsync.sandbox.hooks import Stage
from siaghsync.sandbox.wire import Json, encode

T = TypeVar("T")
Header = tuple[bytes, bytes]
JSON_TYPE: Header = (b"content-type", b"application/json; charset=utf-8")


@dataclass(frozen=True)
class Reply:
    """An answer: a body in one piece, or an iterator of pieces."""

    body: bytes | Iterator[bytes]
    status: int = 200
    headers: tuple[Header, ...] = (JSON_TYPE,)

    def whole(self) -> bytes:
        """The body in one piece; once only if it is an iterator."""
        return self.body if isinstance(self.body, bytes) else b"".join(self.body)


def reply(value: Json, status: int = 200) -> Reply:
    """An answer in JSON."""
    return Reply(encode(value), status)


class Refusal(Exception):
    """Ends a handler with this answer."""

    def __init__(self, answer: Reply) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Call:
    """One request. `body` is the parsed JSON of a POST, None otherwise."""

    method: str
    endpoint: str
    authorization: str
    body: Json
    fire: Callable[[Stage], None]

    def commit(self, change: Callable[[], T]) -> T:
        """Carries out a change, with the events before and after it."""
        self.fire("before_commit")
        result = change()
        self.fire("committed")
        return result


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Endpoint:
    """What answers to one method and path. `name` is what faults and the journal call it."""

    name: str
    handler: Handler
    part: Callable[[Json], str] | None = None
    """Given the body: which part of the endpoint it is about (`SaveFormData/create`), or ""."""
    parts: tuple[str, ...] = ()
    """All parts that there are."""

    def named(self, body: Json) -> str:
        """The endpoint's name for this body."""
        part = self.part(body) if self.part else ""
        return f"{self.name}/{part}" if part else self.name
