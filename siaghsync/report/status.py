"""How things stand: in step or not, since when, what waits and why, when it is tried again, the last day."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.messages.calendar import in_tehran, moment_for, moment_in_both
from siaghsync.messages.catalog import render, title
from siaghsync.messages.message import Message, msg
from siaghsync.report.run import skipped_table
from siaghsync.report.text import Prose, isolated, reason_with_word, sentence, table
from siaghsync.state.pauses import Pause
from siaghsync.state.rolling_check import Round
from siaghsync.state.runs import RunRecord
from siaghsync.state.status import Group, Overview, Slot, Status, Tries

BLOCKS = "·▁▂▃▅█"
ASCII_BLOCKS = ".-=+*#"
"""What bars are made of, from nothing to the most: for encodings that have such letters, and for others."""

_LARGE_FILE, _MANY_LINES = 200_000_000, 250_000
_MOST_RUNS = 6
_STYLES = {"ok": "green", "partial": "yellow", "failed": "red"}
_UNITS = (("days", 86400), ("hours", 3600), ("minutes", 60))


def status_report(
    found: Overview, status: Status, now: datetime, poll_interval: int, blocks: str = BLOCKS
) -> list[RenderableType]:
    """How things stand at `now`. `poll_interval` is in seconds; `blocks` are letters as in BLOCKS."""
    parts: list[RenderableType] = [_head(found, status.since)]
    if paused := found.figures["paused"]:
        parts.append(Prose(f"- {sentence(Pause(**paused).error.message)}", style="yellow"))
    parts += [Prose(f"- {sentence(problem)}", style="red") for problem in found.problems]
    told = (*found.clocks, *found.fallbacks, *found.suspicions, *found.changes)
    parts += [Prose(f"- {sentence(each)}", style="yellow") for each in told]
    parts += [_summary(found, status, now, poll_interval), *_bars(status.hours, blocks)]
    parts += _rolling_check(status.verified, found.figures["mappings"]["customers"])
    if status.waits:
        parts += _waits(status.waits, status.tries, now)
    if status.reviews:
        parts += _reviews(status.reviews)
    if found.skips:
        parts.append(skipped_table(found.skips.items()))
    if found.runs:
        parts.append(_runs(found.runs[:_MOST_RUNS]))
    if found.figures["cursors"]:
        rows = table("of the CRM", "read up to (its own clock)")
        for source, modified in found.figures["cursors"].items():
            rows.add_row(f"{source}s", moment_in_both(datetime.fromisoformat(modified)))
        parts.append(rows)
    return parts


def companies_table(found: Sequence[tuple[str, Mapping[str, Any], Sequence[Message]]]) -> RenderableType:
    """Many companies, a row each: name, figures as in an Overview, and what a person should know."""
    rows = table("company", "last good run", "waiting", "review", "what to know")
    for name, figures, problems in found:
        last = figures["last_success_at"]
        at = moment_in_both(datetime.fromisoformat(last)) if last else "never"
        told = [Text(sentence(problem), style="red") for problem in problems]
        if paused := figures["paused"]:
            told.append(Text(sentence(Pause(**paused).error.message), style="yellow"))
        rows.add_row(isolated(name), at, str(figures["pending"]), str(figures["review"]), Text("\n").join(told))
    return rows


def ago(stored: str, now: datetime) -> Message:
    """How long ago a stored moment was, in one unit: `3 minutes ago`. `now` is aware."""
    seconds = int((now - in_tehran(stored)).total_seconds())
    for unit, length in _UNITS:
        if seconds >= length:
            count = seconds // length
            return msg(f"status.{unit if count > 1 else unit[:-1]}_ago", count=count)
    return msg("status.just_now")


def _head(found: Overview, since_when: str | None) -> Text:
    """The one line that answers whether all is well."""
    figures = found.figures
    if not figures["initial_import_done"]:
        return Prose(render(msg("status.not_begun")), style="bold red")
    since = render(msg("status.since", at=since_when)) if since_when else ""
    is_open = bool(figures["review"] or figures["pending"])
    if not is_open and not found.problems:
        return Prose(render(msg("status.in_step", since=since)), style="bold green")
    style = "bold red" if found.problems else "bold yellow"
    if not is_open:
        return Prose(render(msg("status.runs_missing", since=since)), style=style)
    counts = [msg("status.for_a_person", count=figures["review"])] if figures["review"] else []
    counts += [msg("status.to_try_again", count=figures["pending"])] if figures["pending"] else []
    open_ends = ", ".join(map(render, counts))
    code = "status.not_in_step" if found.problems else "status.not_in_step_alone"
    return Prose(render(msg(code, since=since, open_ends=open_ends)), style=style)


def _summary(found: Overview, status: Status, now: datetime, poll_interval: int) -> RenderableType:
    rows = table("", "", whole=("",))
    rows.show_header = False
    figures = found.figures
    linked = figures["mappings"]
    rows.add_row("linked", f"{linked['customers']:,} customers, {linked['invoices']:,} documents posted")
    if figures["running"]:
        running = figures["running"]
        rows.add_row("at work", f"{running['command']}, since {moment_for(running['started_at'], 'en')}")
    rows.add_row("last run", _last_run(found, now, poll_interval))
    good = figures["last_success_at"]
    rows.add_row("last good run", f"{moment_for(good, 'en')}, {render(ago(good, now))}" if good else "never")
    size = f"{_bytes(status.size)}, {status.lines:,} lines in the audit trail"
    if status.size >= _LARGE_FILE or status.lines >= _MANY_LINES:
        size = f"{size}; {render(msg('status.prune'))}"
        rows.add_row("state file", Prose(size, style="yellow"))
    else:
        rows.add_row("state file", size)
    return rows


def _last_run(found: Overview, now: datetime, poll_interval: int) -> Text:
    run = found.figures["last_run"]
    if run is None:
        return Prose("never", style="yellow")
    text = f"{run['command']} (run {run['id']}) {render(ago(run['finished_at'], now))}: {run['outcome']}"
    due = (in_tehran(run["started_at"]) + timedelta(seconds=poll_interval)).isoformat()
    if found.is_overdue:
        return Prose(f"{text}; overdue since {_clock(due, now)}", style="red")
    return Prose(f"{text}; the next is due at {_clock(due, now)}")


def _rolling_check(now: Round, linked: int) -> Iterator[RenderableType]:
    """How far VERIFY_PER_RUN has come; nothing if it never was on."""
    if now.began_at:
        message = msg("status.rolling_check", compared=now.compared, linked=linked, at=now.began_at, gone=now.gone)
        yield Prose(render(message), style="dim")
    if now.last_ended_at:
        yield Prose(render(msg("status.rolling_check_ended", at=now.last_ended_at, gone=now.last_gone)), style="dim")


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
    """A cell for each number; the highest fills it, and a number above zero never looks like zero."""
    most, steps = max(numbers, default=0), len(blocks) - 1
    return "".join(blocks[-(-number * steps // most) if number else 0] for number in numbers)


def _waits(waits: Sequence[Group], tries: Tries, now: datetime) -> Iterator[RenderableType]:
    rows = table("records", "waiting for another try", "next try", right=("records",), whole=("next try",))
    for group in waits:
        rows.add_row(f"{group.count:,}", f"{group.entity}s: {reason_with_word(group.reason)}", _next(group, now))
    yield rows
    later = ""
    if tries.later and tries.first and tries.last:
        until = "" if tries.first[:16] == tries.last[:16] else f" to {_clock(tries.last, now)}"
        later = f"{tries.later:,} more from {_clock(tries.first, now)}{until}"
    due = f"{tries.due:,} with the next sync" if tries.due else ""
    if due or later:
        yield Prose(f"Next tries: {', '.join(part for part in (due, later) if part)}.", style="dim")


def _next(group: Group, now: datetime) -> str:
    if group.how == "time" and group.next_try_at is not None and in_tehran(group.next_try_at) > now:
        return f"from {_clock(group.next_try_at, now)}"
    return title(f"status.next_{group.how}")


def _clock(stored: str, now: datetime) -> str:
    """A moment nearby, by its time alone if it is today's."""
    moment = in_tehran(stored)
    return f"{moment:%H:%M}" if moment.date() == in_tehran(now.isoformat()).date() else moment_in_both(moment)


def _reviews(reviews: Sequence[Group]) -> Iterator[RenderableType]:
    rows = table("records", "waiting for a person", "since", right=("records",), whole=("since",))
    for group in reviews:
        what = f"{group.entity}s: {reason_with_word(group.reason)}"
        rows.add_row(f"{group.count:,}", what, moment_for(group.since, "en"))
    yield rows


def _runs(runs: Sequence[RunRecord]) -> RenderableType:
    began = "began (Tehran)"
    rows = table(
        "run", "command", began, "took", "outcome", "note", right=("run", "took"), whole=("command", began, "outcome")
    )
    for run in runs:
        outcome = run.outcome or ("running" if run.finished_at is None else "")
        style = _STYLES.get(outcome, "")
        started = moment_for(run.started_at, "en")
        rows.add_row(str(run.id), run.command, started, _took(run), Text(outcome, style), sentence(run.error))
    return rows


def _took(run: RunRecord) -> str:
    if not run.finished_at:
        return ""
    seconds = int((in_tehran(run.finished_at) - in_tehran(run.started_at)).total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
