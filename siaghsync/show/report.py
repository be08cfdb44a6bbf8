"""Plans, results, status and check-ups as tables and lines. Returns what is to be shown and prints nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

_COLUMNS = ("seen", "created", "updated", "linked", "unchanged", "skipped", "failed", "review")
_MOST_CHANGES = 12
_VERBS = {"create": "created", "update": "updated", "link": "linked", "skip": "skipped", "review": "for review"}
_NAME_FIELDS = ("fullname", "nickName", "number")


def table(*headers: str, right: Iterable[str] = ()) -> Table:
    """An empty table in the house's style; columns named in `right` hold numbers."""
    found = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for header in headers:
        found.add_column(header, justify="right" if header in right else "left", overflow="fold")
    return found


def run_report(
    result: Mapping[str, Any], changes: Iterable[Mapping[str, Any]], failures: list[dict[str, Any]]
) -> list[RenderableType]:
    """What a run of `sync` or `initial-import` did, or would do: counts first, then each change, then what failed."""
    run = result["run"]
    title = f"{run['command']} (run {run['id']}): {_outcome(run)}"
    counts = table("", *_COLUMNS, right=_COLUMNS)
    for entity in ("customers", "invoices"):
        row = result[entity]
        if entity == "customers" or row["seen"]:
            counts.add_row(entity, *(_number(row[column], column) for column in _COLUMNS))
    parts: list[RenderableType] = [Text(title, style="bold"), counts]
    parts += _change_tables(changes, dry_run=run["dry_run"])
    if failures:
        failed = table("failed", "number", "reason", "what happened")
        for failure in failures[:_MOST_CHANGES]:
            failed.add_row(failure["entity"], failure["customer_number"] or "", failure["reason"], failure["message"])
        parts += [failed, *_more(len(failures) - _MOST_CHANGES, "failures")]
    return parts


def _outcome(run: Mapping[str, Any]) -> str:
    if run["dry_run"]:
        return "a dry run, nothing was written"
    return {"ok": "done", "partial": "done, but not all of it", "failed": "failed"}[run["outcome"]]


def _number(value: int, column: str) -> Text:
    return Text(str(value), style="red" if value and column in ("failed", "review") else "" if value else "dim")


def _change_tables(changes: Iterable[Mapping[str, Any]], *, dry_run: bool) -> Iterator[RenderableType]:
    """Each action's changes together, long lists folded; skips by reason only, since they are no news."""
    shown: dict[str, list[Mapping[str, Any]]] = {action: [] for action in _VERBS}
    counts: Counter[str] = Counter()
    skips: Counter[str] = Counter()
    for change in changes:
        action = change["action"]
        counts[action] += 1
        if action == "skip":
            skips[change["reason"]] += 1
        elif len(shown[action]) < _MOST_CHANGES:
            shown[action].append(change)
    for action, kept in shown.items():
        if kept:
            yield _changes_of(action, kept, dry_run=dry_run)
            yield from _more(counts[action] - len(kept), f"to {action}" if dry_run else _VERBS[action])
    if skips:
        reasons = ", ".join(f"{count} {reason}" for reason, count in skips.most_common())
        yield Text(f"skipped on purpose: {reasons}", style="dim")


def _changes_of(action: str, changes: list[Mapping[str, Any]], *, dry_run: bool) -> Table:
    rows = table("would" if dry_run else "did", "number", "finance code", "what", right=("finance code",))
    for change in changes:
        rows.add_row(
            action if dry_run else _VERBS[action],
            change["customer_number"] or "",
            change["finance_code"] or "",
            _what(change),
        )
    return rows


def _what(change: Mapping[str, Any]) -> Text:
    """An update field by field, old -> new; of a new record its name; of a link or review its reason."""
    fields = change["fields"]
    if change["action"] == "create":
        name = next((fields[key][1] for key in _NAME_FIELDS if key in fields), "")
        return Text(f"{isolated(name)} ({len(fields)} fields)")
    lines = [f"by {change['reason']}" if change["action"] == "link" else change["reason"]] if change["reason"] else []
    if change["action"] != "review":
        lines += [f"{key}: {isolated(old) or '(empty)'} -> {isolated(new)}" for key, (old, new) in fields.items()]
    return Text("\n".join(lines))


def isolated(text: str | None) -> str:
    """Text between marks that keep its direction to itself, so that Persian does not reorder what stands around it."""
    return f"\u2068{text}\u2069" if text and any("\u0590" <= letter <= "\u08ff" for letter in text) else text or ""


def _more(count: int, what: str) -> list[RenderableType]:
    return [Text(f"... and {count} more {what}; --json shows all.", style="dim")] if count > 0 else []


def status_report(
    facts: Mapping[str, Any],
    runs: list[dict[str, Any]],
    waits: Mapping[tuple[str, str], int],
    skips: Mapping[tuple[str, str], int],
    problems: list[str],
) -> list[RenderableType]:
    """The state of affairs: in step or not, what waits and why, the last runs, the cursors."""
    head = Text("In step: nothing needs a person.", style="bold green")
    if problems:
        head = Text("\n".join(problems), style="bold red")
    elif facts["pending"]:
        head = Text(f"{facts['pending']} record(s) wait for another try; nobody needs to act.", style="bold yellow")
    summary = table("", "", right=())
    summary.show_header = False
    for name, value in (
        ("linked customers", facts["mappings"]["customers"]),
        ("posted documents", facts["mappings"]["invoices"]),
        ("waiting for another try", f"{facts['pending']} (of them failed: {facts['failed']})"),
        ("waiting for a person", facts["review"]),
        ("last good run", facts["last_success_at"] or "never"),
        ("running now", facts["running"]["command"] if facts["running"] else "nothing"),
    ):
        summary.add_row(name, str(value))
    parts: list[RenderableType] = [head, summary]
    if waits or skips:
        reasons = table("", "reason", "records", right=("records",))
        for label, groups in (("waiting", waits), ("skipped on purpose", skips)):
            for (entity, reason), count in groups.items():
                reasons.add_row(f"{entity}s {label}", reason, str(count))
        parts.append(reasons)
    if runs:
        parts.append(_runs_table(runs))
    if facts["cursors"]:
        cursors = table("CRM source", "read up to (CRM's own time)")
        for source, modified in facts["cursors"].items():
            cursors.add_row(source, modified)
        parts.append(cursors)
    return parts


def _runs_table(runs: list[dict[str, Any]]) -> Table:
    rows = table("run", "command", "started (UTC)", "outcome", "note", right=("run",))
    for run in runs:
        outcome = run["outcome"] or ("running" if run["finished_at"] is None else "")
        style = {"ok": "green", "partial": "yellow", "failed": "red"}.get(outcome, "")
        rows.add_row(
            str(run["id"]),
            run["command"],
            run["started_at"][:19].replace("T", " "),
            Text(outcome, style),
            run["error"] or "",
        )
    return rows
