"""The list of `waiting` as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.messages.calendar import moment_for
from siaghsync.messages.catalog import render, title
from siaghsync.messages.message import msg
from siaghsync.report.labels import reason_with_word
from siaghsync.report.text import Prose, isolated, not_shown, sentence, table
from siaghsync.state.waiting import WaitingRecord

_MOST_ROWS = 200


def waiting_as_json(record: WaitingRecord) -> dict[str, Any]:
    """One record as in the JSON of `waiting`, its message as an English sentence."""
    return {**record.as_item(), "message": render(record.message)}


def waiting_list(records: Sequence[WaitingRecord], *, skipped: bool) -> list[RenderableType]:
    """The records by reason, each reason with a table of its own; the first 200, then how many more there are."""
    if not records:
        return [Text(render(msg("cli.nothing_skipped" if skipped else "cli.nothing_waits")), style="bold green")]
    head = msg("cli.passed_over" if skipped else "cli.waiting", count=len(records))
    parts: list[RenderableType] = [Text(render(head), style="bold")]
    groups: dict[tuple[str, str], list[WaitingRecord]] = {}
    for record in records[:_MOST_ROWS]:
        groups.setdefault((record.entity, record.reason), []).append(record)
    for (entity, reason), group in groups.items():
        parts.append(Prose(f"{entity}s: {reason_with_word(reason)}", style="bold yellow"))
        parts.append(_skipped(group) if skipped else _waiting(group))
    return parts + not_shown(len(records) - _MOST_ROWS)


def _skipped(group: Sequence[WaitingRecord]) -> RenderableType:
    rows = table("number", "name", "since", whole=("number", "since"))
    for record in group:
        rows.add_row(isolated(record.customer_number), isolated(record.name), moment_for(record.since, "en"))
    return rows


def _waiting(group: Sequence[WaitingRecord]) -> RenderableType:
    rows = table("number", "name", "tries", "next try", "why", right=("tries",), whole=("number", "next try"))
    for record in group:
        following = moment_for(record.next_try_at, "en") if record.next_try_at else title("status.next_time")
        name, number = isolated(record.name), isolated(record.customer_number)
        rows.add_row(number, name, str(record.attempts), following, sentence(record.message))
    return rows
