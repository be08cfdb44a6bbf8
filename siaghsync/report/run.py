"""What a run did, or would do, as tables and lines. Returns what is to be shown and prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from siaghsync.domain.fields import finance_key
from siaghsync.domain.reasons import Operation
from siaghsync.messages.catalog import render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import (
    Prose,
    change,
    field_label,
    isolated,
    linked_by,
    not_shown,
    reason_with_word,
    sentence,
    table,
)

_COLUMNS = ("seen", "created", "updated", "linked", "unchanged", "skipped", "failed", "review")
_MOST_CHANGES = 12
_MOST_FIELDS = 8
_SHOWN = (
    Operation.CREATE, Operation.UPDATE, Operation.LINK, Operation.REVIEW, Operation.RESTORE, Operation.DELETE, Operation.UNLINK,
)  # fmt: skip
"""Operations with a table of their own, in this order."""
_NAME_KEYS = (finance_key("name"), finance_key("number"))


def failures_as_json(failures: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The failures of a RunReport as in the JSON of a run, their messages as English sentences."""
    for failure in failures:
        yield {**failure, "message": render(failure["message"])}


def run_report(
    result: Mapping[str, Any], changes: Iterable[Mapping[str, Any]], failures: Sequence[Mapping[str, Any]]
) -> list[RenderableType]:
    """What a run of `sync` or `initial-import` did, or would do: counts first, then each change, then what failed.

    `result` is the JSON head of the run, `changes` and `failures` are those of its RunReport.
    """
    run = result["run"]
    counts = table("", *_COLUMNS, right=_COLUMNS, whole=("",))
    for entity in ("customers", "invoices"):
        row = result[entity]
        if entity == "customers" or row["seen"]:
            counts.add_row(entity, *(_number(row[column], column) for column in _COLUMNS))
    head = msg(
        "outcome.run", command=run["command"], id=run["id"], outcome="dry_run" if run["dry_run"] else run["outcome"]
    )
    parts: list[RenderableType] = [Prose(render(head), style="bold"), counts]
    parts += _change_tables(changes, dry_run=run["dry_run"])
    if failures:
        failed = table("", "number", "what happened", whole=("", "number"))
        for failure in failures[:_MOST_CHANGES]:
            what = f"{sentence(failure['message'])} ({failure['reason']})"
            failed.add_row(failure["entity"], isolated(failure["customer_number"]), what)
        parts += [_heading("failures", len(failures), dry_run=run["dry_run"]), failed]
        parts += not_shown(len(failures) - _MOST_CHANGES)
    return parts


def _number(value: int, column: str) -> Text:
    return Text(f"{value:,}", style="red" if value and column in ("failed", "review") else "" if value else "dim")


def _change_tables(changes: Iterable[Mapping[str, Any]], *, dry_run: bool) -> Iterator[RenderableType]:
    """Each operation's changes together, long lists cut; skips by reason only, since they are no news."""
    kept: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    skips: Counter[tuple[str, str]] = Counter()
    for each in changes:
        if each["action"] == Operation.SKIP:
            skips[each["entity"], each["reason"]] += 1
            continue
        group = (each["action"], each["entity"])
        counts[group] += 1
        if counts[group] <= _MOST_CHANGES:
            kept.setdefault(group, []).append(each)
    for operation in _SHOWN:
        for entity in ("customer", "invoice"):
            if shown := kept.get((operation, entity)):
                count = counts[operation, entity]
                yield _heading(operation, count, entity, dry_run=dry_run)
                yield _changes_of(shown)
                yield from not_shown(count - len(shown))
    if skips:
        yield skipped_table(skips.most_common())


def skipped_table(counts: Iterable[tuple[tuple[str, str], int]]) -> Table:
    """What was passed over on purpose: ((entity, reason), how many)."""
    rows = table("records", title("outcome.skipped"), right=("records",))
    for (entity, reason), count in counts:
        rows.add_row(f"{count:,}", f"{entity}s: {reason_with_word(reason)}")
    return rows


def _heading(name: str, count: int, entity: str = "", *, dry_run: bool) -> Text:
    text = title(f"outcome.{'planned' if dry_run else 'done'}_{name}")
    return Prose(f"{text}{f': {entity}s' if entity else ''} ({count:,})", style="bold")


def _changes_of(changes: list[Mapping[str, Any]]) -> Table:
    rows = table("number", "code", "what", right=("code",), whole=("number",))
    for each in changes:
        rows.add_row(isolated(each["customer_number"]), isolated(each["finance_code"]), _what(each))
    return rows


def _what(each: Mapping[str, Any]) -> Text:
    """An update field by field, old -> new; of a new record its name, then the rest; of a link or review its reason."""
    fields = dict(each["fields"])
    if each["action"] == Operation.CREATE:
        key = next((key for key in _NAME_KEYS if key in fields), "")
        name = isolated(fields.pop(key)[1]) if key else ""
        rest = [change(field_label(field), None, new) for field, (_, new) in fields.items() if new]
        return Prose("\n".join(part for part in (name, "; ".join(_cut(rest))) if part))
    lines = []
    if each["reason"]:
        is_link = each["action"] == Operation.LINK
        lines.append(linked_by(each["reason"]) if is_link else reason_with_word(each["reason"]))
    if names := each.get("names"):
        lines.append(f"CRM: {isolated(names['crm'])}; Siagh: {isolated(names['finance'])}")
    if each["action"] != Operation.REVIEW:
        lines += _cut([change(field_label(key), old or "", new) for key, (old, new) in fields.items()])
    return Prose("\n".join(line for line in lines if line))


def _cut(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_FIELDS
    return [*lines[:_MOST_FIELDS], *([render(msg("cli.more_fields", count=more))] if more > 0 else [])]
