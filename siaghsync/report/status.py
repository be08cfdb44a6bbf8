"""How things stand, at a glance: in step or not, since when, what waits and why, when it is tried again, the last day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.messages.calendar import ago, at, in_tehran, moment_in_both
from siaghsync.report.reasons import in_words
from siaghsync.report.text import Prose, isolated, table
from siaghsync.state.activity import Slot
from siaghsync.state.glance import Glance, Group, Tries
from siaghsync.state.status import Overview, is_overdue

BLOCKS = "·▁▂▃▅█"
ASCII_BLOCKS = ".-=+*#"
"""What bars are made of, from nothing to the most: for encodings that have such letters, and for others."""

_LARGE_FILE, _MANY_LINES = 200_000_000, 250_000
_MOST_RUNS = 6
_STYLES = {"ok": "green", "partial": "yellow", "failed": "red"}


def status_report(
    found: Overview, glance: Glance, now: datetime, poll_interval: int, blocks: str = BLOCKS
) -> list[RenderableType]:
    """The state of affairs at `now`. `poll_interval` is in seconds; `blocks` are letters as in BLOCKS."""
    parts: list[RenderableType] = [_head(found, glance), *_problems(found)]
    parts += [_summary(found, glance, now, poll_interval), *_bars(glance.hours, blocks)]
    if glance.waits:
        parts += _waits(glance.waits, glance.tries, now)
    if glance.reviews:
        parts += _reviews(glance.reviews)
    if found.skips:
        rows = table("records", "passed over on purpose", right=("records",))
        for (entity, reason), count in found.skips.items():
            rows.add_row(f"{count:,}", f"{entity}s: {in_words(reason)}")
        parts.append(rows)
    if found.runs:
        parts.append(_runs(found.runs[:_MOST_RUNS]))
    if found.facts["cursors"]:
        rows = table("of the CRM", "read up to (its own clock)")
        for source, modified in found.facts["cursors"].items():
            rows.add_row(f"{source}s", moment_in_both(datetime.fromisoformat(modified)))
        parts.append(rows)
    return parts


def _head(found: Overview, glance: Glance) -> Text:
    """The one line that answers whether all is well."""
    facts = found.facts
    since = f" since {at(glance.since)}" if glance.since else ""
    if not facts["initial_import_done"]:
        return Prose("Not begun: the initial import has not completed.", style="bold red")
    open_ends = [
        *([f"{facts['review']:,} for a person"] if facts["review"] else []),
        *([f"{facts['pending']:,} to try again"] if facts["pending"] else []),
    ]
    if open_ends:
        nobody = "" if found.problems else "; nobody needs to act"
        style = "bold red" if found.problems else "bold yellow"
        return Prose(f"Not in step{since}: {', '.join(open_ends)}{nobody}.", style=style)
    if found.problems:
        return Prose(f"Not in step for sure{since}: nothing waits, but runs are missing or fail.", style="bold red")
    return Prose(f"In step{since}; nothing waits, nobody needs to act.", style="bold green")


def _problems(found: Overview) -> list[RenderableType]:
    return [Prose(f"- {isolated(problem)}", style="red") for problem in found.problems]


def _summary(found: Overview, glance: Glance, now: datetime, poll_interval: int) -> RenderableType:
    facts, rows = found.facts, table("", "", whole=("",))
    rows.show_header = False
    linked = facts["mappings"]
    rows.add_row("linked", f"{linked['customers']:,} customers, {linked['invoices']:,} documents posted")
    if facts["running"]:
        running = facts["running"]
        rows.add_row("at work", f"{running['command']}, since {at(running['started_at'])}")
    rows.add_row("last run", _last_run(facts, now, poll_interval))
    good = facts["last_success_at"]
    rows.add_row("last good run", f"{at(good)}, {ago(good, now)}" if good else "never")
    size = f"{_bytes(glance.size)}, {glance.lines:,} lines in the audit trail"
    if glance.size >= _LARGE_FILE or glance.lines >= _MANY_LINES:
        rows.add_row(
            "state file", Prose(f"{size}; `siaghsync log --prune-before 365d` makes it smaller", style="yellow")
        )
    else:
        rows.add_row("state file", size)
    return rows


def _last_run(facts: dict[str, Any], now: datetime, poll_interval: int) -> Text:
    run = facts["last_run"]
    if run is None:
        return Prose("never", style="yellow")
    text = f"{run['command']} (run {run['id']}) {ago(run['finished_at'], now)}: {run['outcome']}"
    due = (in_tehran(run["started_at"]) + timedelta(seconds=poll_interval)).isoformat()
    if is_overdue(facts, now, poll_interval):
        return Prose(f"{text}; overdue since {_clock(due, now)}", style="red")
    return Prose(f"{text}; the next is due at {_clock(due, now)}")


def _bytes(size: int) -> str:
    for unit, length in (("GB", 10**9), ("MB", 10**6)):
        if size >= length:
            return f"{size / length:.1f} {unit}"
    return f"{size / 1000:.0f} kB"


def _bars(hours: Sequence[Slot], blocks: str) -> Iterator[RenderableType]:
    """One row of cells for each of runs, writes and troubles, an hour a cell."""
    if not any(slot.runs or slot.done or slot.failed for slot in hours):
        return
    first, last = hours[0].start, hours[-1].start
    rows = table(f"{first:%H}:00 to {last:%H}:59", "hour by hour (Tehran)", "in all", right=("in all",))
    counts: tuple[tuple[str, Callable[[Slot], int], str], ...] = (
        ("runs", lambda slot: slot.runs, "cyan"),
        ("writes", lambda slot: slot.written, "green"),
        ("troubles", lambda slot: slot.failed, "red"),
    )
    for name, count, style in counts:
        numbers = [count(slot) for slot in hours]
        rows.add_row(name, Text(bar(numbers, blocks), style=style if any(numbers) else "dim"), f"{sum(numbers):,}")
    yield rows


def bar(numbers: Sequence[int], blocks: str) -> str:
    """A cell for each number; the highest fills it, and what is not zero can be told from zero."""
    most, steps = max(numbers, default=0), len(blocks) - 1
    return "".join(blocks[-(-number * steps // most) if number else 0] for number in numbers)


def _waits(waits: Sequence[Group], tries: Tries, now: datetime) -> Iterator[RenderableType]:
    rows = table("records", "waiting for another try", "next try", right=("records",), whole=("next try",))
    for group in waits:
        rows.add_row(f"{group.count:,}", f"{group.entity}s: {in_words(group.reason)}", _next(group, now))
    yield rows
    later = ""
    if tries.later and tries.first and tries.last:
        until = "" if tries.first[:16] == tries.last[:16] else f" to {_clock(tries.last, now)}"
        later = f"{tries.later:,} more from {_clock(tries.first, now)}{until}"
    due = f"{tries.due:,} with the next sync" if tries.due else ""
    if due or later:
        yield Prose(f"Next tries: {', '.join(part for part in (due, later) if part)}.", style="dim")


def _next(group: Group, now: datetime) -> str:
    if group.how == "import":
        return "next initial-import"
    if group.how == "condition":
        return "when that is settled"
    due = group.next_try_at is None or in_tehran(group.next_try_at) <= now
    return "next sync" if due else f"from {_clock(str(group.next_try_at), now)}"


def _clock(stored: str, now: datetime) -> str:
    """A moment that lies close, by its time alone if it is today's."""
    moment = in_tehran(stored)
    return f"{moment:%H:%M}" if moment.date() == in_tehran(now.isoformat()).date() else moment_in_both(moment)


def _reviews(reviews: Sequence[Group]) -> Iterator[RenderableType]:
    rows = table("records", "waiting for a person", "since", right=("records",), whole=("since",))
    for group in reviews:
        rows.add_row(f"{group.count:,}", f"{group.entity}s: {in_words(group.reason)}", at(group.since))
    yield rows


def _runs(runs: Sequence[Mapping[str, Any]]) -> RenderableType:
    rows = table("run", "command", "began (Tehran)", "took", "outcome", "note", right=("run", "took"),
                 whole=("command", "began (Tehran)", "outcome"))  # fmt: skip
    for run in runs:
        outcome = run["outcome"] or ("running" if run["finished_at"] is None else "")
        rows.add_row(
            str(run["id"]), run["command"], at(run["started_at"]), _took(run), Text(outcome, _STYLES.get(outcome, "")),
            isolated(run["error"]),
        )  # fmt: skip
    return rows


def _took(run: Mapping[str, Any]) -> str:
    if not run["finished_at"]:
        return ""
    seconds = int((in_tehran(run["finished_at"]) - in_tehran(run["started_at"])).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
