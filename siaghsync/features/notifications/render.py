"""What a cron monitor and an alert address are told about a run, as text and JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from siaghsync.domain.action import Counts
from siaghsync.errors import SiaghsyncError
from siaghsync.messages.catalog import Language, cure, render, title
from siaghsync.messages.message import Message, msg
from siaghsync.state.alerts import News
from siaghsync.sync.context import RunReport

_MOST_ITEMS = 100
_MOST_LINES = 10
_MOST_FAILURES = 20
_BOTH: tuple[Language, ...] = ("fa", "en")


def alert_document(found: News, command: str, run: Mapping[str, Any] | None, dashboard: str = "") -> dict[str, Any]:
    """The JSON document that ALERT_URL gets. `text` and `text_fa` say it all in a few lines, as chat services show it.

    `dashboard` is DASHBOARD_URL; each review carries a link to its page there.
    """
    return {
        "source": "siaghsync",
        "text": _text(found, command, "en"),
        "text_fa": _text(found, command, "fa"),
        "link": _link(dashboard, "/reviews"),
        "run": run,
        "open_reviews": len(found.after["reviews"]),
        "items": [_item(item, dashboard) for item in found.items[:_MOST_ITEMS]],
        "more": max(0, len(found.items) - _MOST_ITEMS),
    }


def news_letter(found: News, command: str, dashboard: str) -> tuple[str, str]:
    """Title and text of the same news for people: matters of one cause in one line, in Persian and then in English."""
    title_text = render(_head(found, command))
    parts = []
    for language in _BOTH:
        lines = [render(_head(found, command), language), *_grouped(found, language)]
        if link := _link(dashboard, "/reviews"):
            lines.append(render(msg("alert.link", link=link), language))
        parts.append("\n".join(lines))
    return title_text, "\n\n".join(parts)


def _grouped(found: News, language: Language) -> Iterator[str]:
    groups = Counter((item["entity"], item["reason"]) for item in found.items if item["kind"] == "review")
    for item in found.items:
        if item["kind"] != "review":
            yield render(item["message"], language)
    for (entity, reason), count in groups.most_common():
        yield render(msg("alert.group", count=count, entity=entity, reason=reason), language)


def _head(found: News, command: str) -> Message:
    return msg("alert.head", command=command, count=len(found.items))


def _text(found: News, command: str, language: Language) -> str:
    lines = [_line(item, language) for item in found.items[:_MOST_LINES]]
    if (more := len(found.items) - _MOST_LINES) > 0:
        lines.append(render(msg("alert.more", more=more), language))
    return "\n".join([render(_head(found, command), language), *lines])


def _link(dashboard: str, path: str) -> str | None:
    return f"{dashboard}{path}" if dashboard else None


def _item(item: Mapping[str, Any], dashboard: str) -> dict[str, Any]:
    message: Message = item["message"]
    is_review = item["kind"] == "review"
    more = {"link": _link(dashboard, f"/reviews/{item['id']}")} if is_review else {"hint": cure(message)}
    return {**item, "message": render(message), **more, "code": message.code}


def _line(item: Mapping[str, Any], language: Language) -> str:
    message: Message = item["message"]
    if item["kind"] != "review":
        return render(message, language)
    about = {"id": str(item["id"]), "entity": item["entity"], "who": _who(item), "reason": item["reason"]}
    return render(msg("alert.review", message=message, **about), language)


def ping_text(command: str, exit_code: int, error: BaseException | None, report: RunReport | None) -> str:
    """A failed run in plain lines, for the person whom the monitor wakes."""
    return "\n".join(_ping_lines(command, exit_code, error, report))


def _ping_lines(command: str, exit_code: int, error: BaseException | None, report: RunReport | None) -> Iterator[str]:
    yield render(msg("alert.ended", command=command, exit_code=exit_code))
    if isinstance(error, SiaghsyncError):
        yield render(error.message)
        if hint := cure(error.message):
            yield render(msg("alert.what_to_do", hint=hint))
    elif error:
        yield render(msg("alert.bug", kind=type(error).__name__))
    if report:
        for entity, counts in report.counts.items():
            yield render(msg("alert.counts", entity=entity, counts=_counted(counts)))
        yield render(msg("alert.new_reviews", count=report.new_reviews))
        for failure in report.failures[:_MOST_FAILURES]:
            about = {"who": _who(failure), "reason": failure["reason"]}
            yield render(msg("alert.failed", message=failure["message"], **about))


def _counted(counts: Counts) -> str:
    found = [f"{count} {title(f'alert.{outcome}')}" for outcome, count in outcomes(counts).items() if count]
    return ", ".join(found) or title("alert.nothing")


def outcomes(counts: Counts) -> dict[str, int]:
    """How many records came to each outcome."""
    return {outcome: count for outcome, count in counts.as_json().items() if outcome != "seen"}


def _who(item: Mapping[str, Any]) -> str:
    # No name: the message may leave the house.
    return str(item["customer_number"] or item["finance_code"] or item["crm_id"])
