"""What became of a request: every exception of requests, urllib3, ssl and the operating system becomes one of ours.

Three classes decide what a caller may do: surely not sent, a clear no, in doubt.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from http.client import HTTPException, IncompleteRead

import requests
from urllib3.exceptions import DecodeError, ProtocolError

from siaghsync.book.calls import call
from siaghsync.connectors.http.deadline import Aborted
from siaghsync.errors import SYSTEM_NAMES, InDoubt, NotSent, Refused, System

ADDRESS_SETTINGS: dict[System, str] = {"crm": "CRM_API_BASE_URL", "finance": "FINANCE_API_BASE_URL"}


class Unauthorized(Refused):
    """401: nothing was done, because the session is unknown to the system or has ended."""


def _texts(system: System, reason: str, note: str) -> tuple[str, str]:
    entry = call(reason)
    assert entry is not None, reason
    happened = entry.sentence.en.format(status=reason.removeprefix("status_"))
    happened = f"{happened[0].lower()}{happened[1:]}"
    hint = entry.cure.en.format(address=ADDRESS_SETTINGS[system])
    return f"{happened} ({note})" if note else happened, hint


def not_sent(system: System, what: str, reason: str, note: str = "") -> NotSent:
    """The request surely never arrived; `note` is added to the sentence in brackets."""
    happened, hint = _texts(system, reason, note)
    return NotSent(system, what, reason, f"{SYSTEM_NAMES[system]} could not be reached to {what}: {happened}.", hint)


def in_doubt(system: System, what: str, reason: str, note: str = "", *, detail: str = "") -> InDoubt:
    """There is no clear answer; `detail` is what the system itself said."""
    happened, hint = _texts(system, reason, note or detail[:200])
    message = f"{SYSTEM_NAMES[system]} gave no clear answer when asked to {what}: {happened}."
    return InDoubt(system, what, reason, message, hint, detail=detail)


def refused(system: System, what: str, reason: str, detail: str, kind: type[Refused] = Refused) -> Refused:
    """The system said a clear no; `detail` is what it said."""
    happened, hint = _texts(system, reason, detail[:300])
    message = f"{SYSTEM_NAMES[system]} refused to {what}: {happened}."
    return kind(system, what, reason, message, hint, detail=detail)


def reason_before_sending(error: Exception) -> tuple[str, str]:
    """The reason of a CallError, and a note, for a request of which no byte has left."""
    if isinstance(error, Aborted):
        return error.reason, error.note
    if isinstance(error, requests.ConnectionError):  # The connection was there (see open_socket), so it was TLS.
        notes = (cause.verify_message for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError))
        return "tls", next(notes, "")
    return "unsendable", ""


def reason_after_sending(error: Exception) -> str:
    """The reason of a CallError for a request that broke after its first byte had left."""
    causes = [cause for cause in _causes(error) if not isinstance(cause, requests.RequestException)]

    def has(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if isinstance(error, Aborted):
        return error.reason
    if has(TimeoutError):
        return "timeout"
    if has(IncompleteRead):
        return "cut"
    if has(OSError):
        return "reset"
    if has(DecodeError, HTTPException) or not has(ProtocolError):
        return "unreadable"
    return "cut"


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
