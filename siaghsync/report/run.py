"""What a run did, or would do, as tables and lines. Returns what is to be shown and prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from siaghsync.report.reasons import in_words, linked_by
from siaghsync.report.text import Prose, change, isolated, table

_COLUMNS = ("seen", "created", "updated", "linked", "unchanged", "skipped", "failed", "review")
_MOST_CHANGES = 12
_MOST_FIELDS = 8
_TITLES = {
    "create": ("To be created", "Created"),
    "update": ("To be updated", "Updated"),
    "link": ("To be linked", "Linked"),
    "review": ("A person has to decide about", "A person has to decide about"),
}
_NAME_FIELDS = ("fullname", "nickName", "number")


def run_report(
    result: Mapping[str, Any], changes: Iterable[Mapping[str, Any]], failures: list[dict[str, Any]]
) -> list[RenderableType]:
    """What a run of `sync` or `initial-import` did, or would do: counts first, then each change, then what failed."""
    run = result["run"]
    counts = table("", *_COLUMNS, right=_COLUMNS, whole=("",))
    for entity in ("customers", "invoices"):
        row = result[entity]
        if entity == "customers" or row["seen"]:
            counts.add_row(entity, *(_number(row[column], column) for column in _COLUMNS))
    parts: list[RenderableType] = [
        Prose(f"{run['command']} (run {run['id']}): {_outcome(run)}", style="bold"),
        counts,
    ]
    parts += _change_tables(changes, dry_run=run["dry_run"])
    if failures:
        failed = table("", "number", "what happened", whole=("", "number"))
        for failure in failures[:_MOST_CHANGES]:
            said = f"{isolated(failure['message'])} ({failure['reason']})"
            failed.add_row(failure["entity"], isolated(failure["customer_number"]), said)
        title = "Would fail, or wait for another try" if run["dry_run"] else "Failed, or waiting for another try"
        parts += [_title(title, len(failures)), failed, *_more(len(failures) - _MOST_CHANGES)]
    return parts


def _outcome(run: Mapping[str, Any]) -> str:
    if run["dry_run"]:
        return "a dry run, nothing was written"
    return {"ok": "done", "partial": "done, but not all of it", "failed": "failed"}[run["outcome"]]


def _number(value: int, column: str) -> Text:
    return Text(f"{value:,}", style="red" if value and column in ("failed", "review") else "" if value else "dim")


def _change_tables(changes: Iterable[Mapping[str, Any]], *, dry_run: bool) -> Iterator[RenderableType]:
    """Each action's changes together, long lists folded; skips by reason only, since they are no news."""
    shown: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    skips: Counter[tuple[str, str]] = Counter()
    for each in changes:
        kind = (each["action"], each["entity"])
        if each["action"] == "skip":
            skips[each["entity"], each["reason"]] += 1
            continue
        counts[kind] += 1
        if counts[kind] <= _MOST_CHANGES:
            shown.setdefault(kind, []).append(each)
    for action, titles in _TITLES.items():
        for entity in ("customer", "invoice"):
            if kept := shown.get((action, entity)):
                yield _title(f"{titles[not dry_run]}: {entity}s", counts[action, entity])
                yield _changes_of(kept)
                yield from _more(counts[action, entity] - len(kept))
    if skips:
        rows = table("records", "passed over on purpose", right=("records",))
        for (entity, reason), count in skips.most_common():
            rows.add_row(f"{count:,}", f"{entity}s: {in_words(reason)}")
        yield rows


def _title(text: str, count: int) -> Text:
    return Prose(f"{text} ({count:,})", style="bold")


def _changes_of(changes: list[Mapping[str, Any]]) -> Table:
    rows = table("number", "code", "what", right=("code",), whole=("number",))
    for each in changes:
        rows.add_row(isolated(each["customer_number"]), isolated(each["finance_code"]), _what(each))
    return rows


def _what(each: Mapping[str, Any]) -> Text:
    """An update field by field, old -> new; of a new record its name, then the rest; of a link or review its reason."""
    fields = dict(each["fields"])
    if each["action"] == "create":
        key = next((key for key in _NAME_FIELDS if key in fields), "")
        name = isolated(fields.pop(key)[1]) if key else ""
        rest = [f"{field}: {isolated(new)}" for field, (_, new) in fields.items() if new]
        return Prose("\n".join(part for part in (name, "; ".join(_folded(rest))) if part))
    lines = []
    if each["reason"]:
        lines.append(linked_by(each["reason"]) if each["action"] == "link" else in_words(each["reason"]))
    if each["action"] != "review":
        lines += _folded([change(key, old or "", new) for key, (old, new) in fields.items()])
    return Prose("\n".join(line for line in lines if line))


def _folded(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST_FIELDS
    return [*lines[:_MOST_FIELDS], *([f"and {more} more"] if more > 0 else [])]


def _more(count: int) -> list[RenderableType]:
    return [Text(f"... and {count:,} more; --json shows all.", style="dim")] if count > 0 else []
