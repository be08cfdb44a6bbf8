"""What a system itself says in the body of an error (contracts payamgostar section 1, siagh section 2)."""

from __future__ import annotations

import re
from typing import Any

from siaghsync.connectors.http import strict_json


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
