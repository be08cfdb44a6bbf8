"""What became of a request: every exception of requests, urllib3, ssl and the operating system becomes one of ours."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead
from typing import Any

import requests
from urllib3.exceptions import DecodeError, ProtocolError

from siaghsync.connectors.http import strict_json
from siaghsync.connectors.http.adapter import Aborted
from siaghsync.errors import InDoubt, NotSent, Refused, System
from siaghsync.messages.message import Message, msg


def words_of(body: bytes) -> str:
    """The system's own words as one line.

    An HTML page counts by its title, other text by its beginning. What is not text says nothing.
    """
    text = body.decode("utf-8-sig", errors="replace")
    try:
        value = strict_json.loads(text)
    except ValueError:
        return _excerpt(text)
    return one_line("; ".join(dict.fromkeys(filter(None, _messages(value)))))


def one_line(text: str, length: int = 1000) -> str:
    """`text` without line breaks and control characters, at most `length` characters."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", text).split())[:length]


def is_html(text: str) -> bool:
    """Whether `text` looks like a web page, or any other markup, rather than data."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")


def is_page(body: bytes) -> bool:
    """Whether the body of an error is a web page for people."""
    return is_html(body.decode("utf-8-sig", errors="replace"))


def _messages(value: Any) -> list[str]:
    if not isinstance(value, dict):
        return [value] if isinstance(value, str) else []
    named = {key.lower(): part for key, part in value.items()}
    details = named.get("errordetails")
    texts = [named.get("message"), *(_detail(d) for d in (details if isinstance(details, list) else []))]
    return [text for text in texts if isinstance(text, str)]


def _detail(value: Any) -> str:
    if not isinstance(value, dict):
        return ""
    named = {key.lower(): str(part) for key, part in value.items() if isinstance(part, str)}
    return ": ".join(filter(None, (named.get("field"), named.get("message"))))


def _excerpt(text: str) -> str:
    if is_html(text):
        title = re.search(r"<title[^>]*>(.*?)</title>", text, re.IGNORECASE | re.DOTALL)
        return one_line(f"HTML: {title[1]}" if title else "HTML", 200)
    return "" if text.count("\ufffd") * 10 > len(text) else one_line(text, 200)


class Unauthorized(Refused):
    """401: nothing was done, because the session is unknown to the system or has ended."""


def unreadable(system: System, what: str, problem: Message, *, detail: str = "") -> InDoubt:
    """An answer came, but not one that can be understood; `problem` (chapter `answer`) says what is wrong with it."""
    return InDoubt(system, what, "unreadable", detail=detail, problem=problem)


def error_of(error: Exception, system: System, what: str, *, sent: bool) -> NotSent | InDoubt:
    """The error for a request that ended with `error`; `sent` says whether a byte of it can have left."""
    reason = reason_of(error, sent=sent)
    if not sent:
        return NotSent(system, what, reason, note=_note(error), verify_code=_verify_code(error))
    if reason == "unreadable":
        return unreadable(system, what, msg("answer.no_http"))
    return InDoubt(system, what, reason)


def reason_of(error: Exception, *, sent: bool) -> str:
    """The reason of a CallError for a request that ended with `error`."""
    if isinstance(error, Aborted):
        return error.reason
    if not sent:  # The connection was there (see open_socket), so what failed is TLS or the writing.
        return "tls" if isinstance(error, requests.ConnectionError) else "unsendable"
    # An exception of requests is an OSError by its class, whatever it wraps.
    causes = [cause for cause in _causes(error) if not isinstance(cause, requests.RequestException)]

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if has(TimeoutError):
        return "timeout"
    if has(IncompleteRead):
        return "cut"
    if has(OSError):
        return "reset"
    if has(DecodeError, HTTPException) or not has(ProtocolError):
        return "unreadable"
    return "cut"


def _note(error: Exception) -> str:
    """What the operating system or OpenSSL said, if there is something worth showing."""
    if isinstance(error, Aborted):
        return error.note
    notes = (cause.verify_message for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next(notes, "")


def _verify_code(error: Exception) -> int | None:
    """OpenSSL's number (X509_V_ERR_*) for what is wrong with the certificate, or None."""
    codes = (cause.verify_code for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
    return next(codes, None)


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
