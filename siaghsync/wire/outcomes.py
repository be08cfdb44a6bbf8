"""What became of a request, in words: the one place that turns a reason into an error with message and hint.

Three classes decide what a caller may do: surely not sent, a clear no, in doubt.
"""

from __future__ import annotations

import re
from typing import Any

from siaghsync.errors import SYSTEM_NAMES, InDoubt, NotSent, Refused, System
from siaghsync.messages.calls import call
from siaghsync.wire import jsontext

ADDRESS_SETTINGS: dict[System, str] = {"crm": "CRM_API_BASE_URL", "finance": "FINANCE_API_BASE_URL"}


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
