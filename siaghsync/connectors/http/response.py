"""An answer, and reading its body to the proven end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import BinaryIO

from requests import Response
from urllib3.exceptions import DecodeError

from siaghsync.connectors.http.deadline import Aborted, Deadline

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
        return _http_date(self.headers.get("Date"))

    @property
    def retry_after(self) -> float:
        """Seconds that the server asks to wait, from a number or from a date by its own clock."""
        text = self.headers.get("Retry-After", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        until = _http_date(text)
        if until is None or self.server_time is None:
            return 0.0
        return max(0.0, (until - self.server_time).total_seconds())


def read_body(response: Response, new_file: Callable[[], BinaryIO], largest: int, deadline: Deadline) -> BinaryIO:
    """The whole decoded body in a new file, rewound.

    Raises Aborted for a body above `largest` bytes, for a full disk and at the deadline, and whatever the libraries raise
    for a broken body.
    """
    file = new_file()
    try:
        size = 0
        for chunk in _decoded(response):
            size += len(chunk)
            if size > largest:
                raise Aborted("too_large")
            _write(file, chunk)
        deadline.check()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def read_error_body(response: Response) -> bytes:
    """The first 64 KiB of an error's body. The status has said what matters, so a broken body counts as empty."""
    body = b""
    try:
        for chunk in _decoded(response):
            body += chunk
            if len(body) >= _ERROR_BYTES:
                break
    except Exception:  # noqa: BLE001 - see above
        return b""
    return body[:_ERROR_BYTES]


def _decoded(response: Response) -> Iterator[bytes]:
    # Chains of encodings multiply: a small answer could fill the memory before its size is known.
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise DecodeError
    yield from response.raw.stream(_CHUNK, decode_content=True)
    response.raw.release_conn()  # urllib3 does it as it reads, but an empty body is never read


def _write(file: BinaryIO, chunk: bytes) -> None:
    try:
        file.write(chunk)
    except OSError as error:
        raise Aborted("disk") from error


def _http_date(text: str | None) -> datetime | None:
    """An HTTP date. Anything else becomes None."""
    try:
        moment = parsedate_to_datetime(text or "")
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
