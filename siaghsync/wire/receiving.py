"""Reading an answer to its proven end, and what it means when that fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, IncompleteRead
from typing import BinaryIO

from urllib3.exceptions import DecodeError, ProtocolError
from urllib3.response import HTTPResponse

from siaghsync.wire.deadline import Limit

_ERROR_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_ENCODINGS = ("", "identity", "gzip", "x-gzip", "deflate")


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `headers` are case-insensitive."""

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    @property
    def server_time(self) -> datetime | None:
        """The Date header as aware UTC."""
        return _moment(self.headers.get("Date"))


class Oversize(Exception):
    """The answer is larger than allowed."""


class DiskTrouble(Exception):
    """The temporary file can't be written."""


def receive(response: HTTPResponse, new_file: Callable[[], BinaryIO], largest: int, limit: Limit) -> BinaryIO:
    """The whole decoded body in a file, rewound.

    Raises whatever the libraries raise for a broken one, Oversize above `largest` bytes, DiskTrouble, and
    TimeoutError if the watchdog has cut it: an end that we made ourselves must not look like the real one.
    """
    file = new_file()
    try:
        _copy(response, file, largest, limit)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def _copy(response: HTTPResponse, file: BinaryIO, largest: int, limit: Limit) -> None:
    size = 0
    for chunk in _decoded(response):
        size += len(chunk)
        if size > largest:
            raise Oversize
        if limit.cut:
            break
        try:
            file.write(chunk)
        except OSError as error:
            raise DiskTrouble from error
    if limit.finish():
        raise TimeoutError


def answer_of(response: HTTPResponse, body: bytes = b"") -> Answer:
    """Status and headers of `response`, with `body`."""
    return Answer(response.status, body, response.headers)


def _moment(text: str | None) -> datetime | None:
    """An HTTP date; None for anything else."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def retry_after(answer: Answer) -> float:
    """Seconds that the server asks to wait: a number, or a date that its own clock makes a number of."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    until = _moment(text)
    if until is None or answer.server_time is None:
        return 0.0
    return max(0.0, (until - answer.server_time).total_seconds())


def _decoded(response: HTTPResponse) -> Iterator[bytes]:
    # Chains of encodings multiply: a small answer could fill the memory before its size is known.
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise DecodeError
    yield from response.stream(_CHUNK, decode_content=True)


def beginning(response: HTTPResponse) -> bytes:
    """The beginning of an error's body. Its status has said what matters, so a broken one is no trouble."""
    body = b""
    try:
        for chunk in _decoded(response):
            body += chunk
            if len(body) >= _ERROR_BYTES:
                break
    except Exception:  # noqa: BLE001 - see above
        return b""
    return body[:_ERROR_BYTES]


def _causes(error: BaseException) -> Iterator[BaseException]:
    """`error` and everything that it wraps, outermost first."""
    seen: list[BaseException] = []
    waiting: list[BaseException] = [error]
    while waiting:
        present = waiting.pop(0)
        if present not in seen:
            seen.append(present)
            yield present
            inner = (*present.args, present.__cause__, present.__context__)
            waiting.extend(part for part in inner if isinstance(part, BaseException))


def reason_of(error: Exception) -> str:
    """The stable word for a request that broke after it had left."""
    causes = list(_causes(error))

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if has(Oversize):
        return "too_large"
    if has(DiskTrouble):
        return "disk"
    if has(TimeoutError):
        return "timeout"
    if has(IncompleteRead):
        return "cut"
    if has(OSError):
        return "reset"
    if has(DecodeError, HTTPException) or not has(ProtocolError):
        return "unreadable"
    return "cut"
