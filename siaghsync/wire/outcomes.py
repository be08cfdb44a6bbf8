"""What became of a request, in words: the one place that turns a reason into an error with message and hint.

Three classes decide what a caller may do: surely not sent, a clear no, in doubt.
"""

from __future__ import annotations

import re
from typing import Any

from siaghsync.errors import SYSTEM_NAMES, InDoubt, NotSent, Refused, System
from siaghsync.wire import jsontext

ADDRESS_SETTINGS: dict[System, str] = {"crm": "CRM_API_BASE_URL", "finance": "FINANCE_API_BASE_URL"}

_HAPPENED = {
    "unresolved": "the host name was not found",
    "refused_connection": "no connection came about",
    "connect_timeout": "the server did not accept the connection in time",
    "tls": "no secure connection (TLS) came about",
    "unsendable": "the request could not be written down as HTTP",
    "interrupted": "the run was asked to stop",
    "timeout": "there was no complete answer within the time limit",
    "reset": "the connection broke before the answer was there",
    "cut": "the answer ended in the middle",
    "redirect": "the server answered with a redirect, and redirects are never followed",
    "unreadable": "the answer could not be understood",
    "too_large": "the answer was larger than any that makes sense",
    "disk": "the answer could not be kept in the temporary folder",
    "script_error": "the server's own script failed while it worked on the request",
    "rejected": "the system did not accept what was sent",
}

_HINTS = {
    "unresolved": "Check the host name in {address}, and the name server of this computer.",
    "refused_connection": "Check host and port in {address}, and that the server and its web service run.",
    "connect_timeout": "Check the network, VPN and firewall between this computer and the server in {address}.",
    "tls": "Check that {address} should begin with https, and that this computer trusts the server's certificate.",
    "unsendable": "Check that {address} is a plain address like http://172.16.16.16.",
    "timeout": "Try again later; if the server is just slow, raise HTTP_TIMEOUT_SECONDS.",
    "reset": "Try again later; if it stays so, look at the server's own log and at proxies on the way.",
    "cut": "Try again later; if it stays so, look at the server's own log and at proxies on the way.",
    "redirect": "Enter the address that the server really answers at in {address}, with http or https as it wants.",
    "unreadable": "Check that {address} leads to the system itself and not a proxy, a login page or another program.",
    "too_large": "Check that {address} leads to the system itself.",
    "disk": "Free space in the temporary folder, or name another one in TMPDIR.",
    "status_408": "A proxy on the way gave up waiting. Try again later.",
    "status_499": "A proxy on the way gave up waiting. Try again later.",
    "status_404": "Check that {address} is the root of the server, without any path.",
    "status_429": "The server is asked too often: lower CONCURRENCY.",
}

_SERVER_ERROR = "The server itself failed; its own log says why. Try again later."


def _texts(system: System, reason: str, note: str) -> tuple[str, str]:
    happened = _HAPPENED.get(reason, "")
    if reason.startswith("status_"):
        happened = f"it answered with status {reason.removeprefix('status_')}"
    hint = _HINTS.get(reason, _SERVER_ERROR if re.match("status_[15]|script_error", reason) else "")
    return f"{happened} ({note})" if note else happened, hint.format(address=ADDRESS_SETTINGS[system])


def not_sent(system: System, what: str, reason: str, note: str = "") -> NotSent:
    """The request surely never arrived; `note` is added to the sentence in brackets."""
    happened, hint = _texts(system, reason, note)
    return NotSent(system, what, reason, f"{SYSTEM_NAMES[system]} could not be reached to {what}: {happened}.", hint)


def in_doubt(system: System, what: str, reason: str, note: str = "", *, detail: str = "") -> InDoubt:
    """There is no clear answer; `detail` is what the system itself said."""
    happened, hint = _texts(system, reason, note or detail[:200])
    message = f"{SYSTEM_NAMES[system]} gave no clear answer when asked to {what}: {happened}."
    return InDoubt(system, what, reason, message, hint, detail=detail)


def refused(system: System, what: str, reason: str, detail: str) -> Refused:
    """The system said a clear no; `detail` is what it said."""
    happened, hint = _texts(system, reason, detail[:300])
    message = f"{SYSTEM_NAMES[system]} refused to {what}: {happened}."
    return Refused(system, what, reason, message, hint, detail=detail)


def one_line(text: str, length: int = 1000) -> str:
    """`text` without line breaks and control characters, at most `length` characters."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", " ", text).split())[:length]


def words_of(body: bytes) -> str:
    """What the system itself says in the body of an error (contracts payamgostar §1, siagh §2), as one line.

    An HTML page counts by its title, other text by its beginning, and what isn't text says nothing.
    """
    text = body.decode("utf-8-sig", errors="replace")
    try:
        value = jsontext.loads(text)
    except ValueError:
        return _excerpt(text)
    return one_line("; ".join(dict.fromkeys(filter(None, _messages(value)))))


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
        return one_line(f'an HTML page, "{title[1]}"' if title else "an HTML page", 200)
    return "" if text.count("\ufffd") * 10 > len(text) else one_line(text, 200)


def is_html(text: str) -> bool:
    """Whether `text` looks like a web page, or any other markup, rather than data."""
    return text.lstrip("\ufeff \t\r\n").startswith("<")
