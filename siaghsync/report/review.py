"""Reviews, waiting records and the audit trail as tables, lines and JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from rich.console import RenderableType
from rich.text import Text

from siaghsync.domain.reasons import AuditOutcome, Operation
from siaghsync.messages.calendar import day_in_both, in_tehran, moment_for
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
    why_and_what_to_do,
)
from siaghsync.state.audit import AuditLine
from siaghsync.state.retries import WaitingRecord
from siaghsync.state.reviews import Review, StoredDecision
from siaghsync.state.runs import RunRecord

_VALUES = {"link": " CODE", "posted": " NUMBER"}
_STYLES: dict[str, str] = {
    AuditOutcome.FAILED: "red",
    AuditOutcome.MISDIRECTED: "red",
    AuditOutcome.UNKNOWN: "yellow",
    AuditOutcome.REVIEW: "yellow",
}
_MOST_CELLS = 2000


def review_as_json(review: Review, names: Mapping[int, str]) -> dict[str, Any]:
    """One review as in the JSON of `review`, its message as an English sentence. `names` are those of customers by review."""
    return {**review.as_item(), "customer_name": names.get(review.id), "message": render(review.message)}


def decision_as_json(decision: StoredDecision, names: Mapping[int, str]) -> dict[str, Any]:
    """One decision that no run has carried out yet as in the JSON of `review`."""
    return {**decision.as_item(), **review_as_json(decision.review, names)}


def entry_as_json(entry: AuditLine) -> dict[str, Any]:
    """One line of the audit trail as in the JSON of `log`, its message as an English sentence."""
    return {**entry.as_json(), "message": render(entry.message) if entry.message else None}


def failed_run_as_json(run: RunRecord) -> dict[str, Any]:
    """A run that failed as in the JSON of `log`."""
    told = {name: getattr(run, name) for name in ("id", "command", "started_at", "finished_at")}
    return {**told, "error": render(run.error) if run.error else None}


def ways_as_options(review: Review) -> str:
    """The ways out as options of `review resolve`: `--link CODE | --retry | --discard`."""
    return " | ".join(f"--{way}{_VALUES.get(way, '')}" for way in review.ways_out)


def review_list(
    reviews: Sequence[Review], names: Mapping[int, str], decided: Sequence[StoredDecision]
) -> list[RenderableType]:
    """The open reviews by reason, each reason with its ways out, and what the next run does about those that are decided."""
    told = [
        Prose(render(msg("cli.decided", id=each.review.id, way=each.way_out, by=each.decided_by)), style="dim")
        for each in decided
    ]
    if not reviews:
        return [Text(render(msg("cli.no_reviews")), style="bold green"), *told]
    parts: list[RenderableType] = [Text(render(msg("cli.reviews", count=len(reviews))), style="bold")]
    groups: dict[tuple[str, str], list[Review]] = {}
    for review in reviews:
        groups.setdefault((review.entity, review.reason), []).append(review)
    for (entity, reason), group in groups.items():
        amount = ("net",) if entity == "invoice" else ()
        rows = table(
            "id", "number", "name", *amount, "code", "what happened", right=("id", "net", "code"), whole=("number",)
        )
        for each in group:
            rows.add_row(
                str(each.id),
                isolated(each.customer_number),
                isolated(names.get(each.id)),
                *(_net(each) for _ in amount),
                isolated(_code(each.finance_code)),
                sentence(each.message),
            )
        parts += [
            Prose(f"{entity}s ({len(group):,}): {reason_with_word(reason)}", style="bold yellow"),
            Prose(render(msg("cli.ways_out", ways=ways_as_options(group[0]))), style="dim"),
            rows,
        ]
    return [*parts, *told, Text(render(msg("cli.how_to_decide")), style="dim")]


def _net(review: Review) -> str:
    net = (review.as_item()["document"] or {}).get("net")
    return render(msg("document.amount", amount=net)) if net else ""


def _code(code: object) -> str | None:
    return None if code is None else str(code)


def review_page(review: Review, history: Sequence[AuditLine]) -> list[RenderableType]:
    """One review: what is asked, why, what to do, both sides with the differences marked, and what happened so far."""
    of = ", number" if review.entity == "customer" else " of customer"
    number = f"{of} {isolated(review.customer_number)}" if review.customer_number else ""
    head = f"Review {review.id}, {review.entity}{number}: {reason_with_word(review.reason)}"
    parts: list[RenderableType] = [
        Prose(head, style="bold"),
        Prose(sentence(review.message, _MOST_CELLS)),
        *(Prose(line) for line in why_and_what_to_do(review.reason)),
        Prose(render(msg("cli.since", at=review.since)), style="dim"),
    ]
    details = review.details
    mine = details.get("customer") or details.get("contact") or details.get("payload")
    if mine:
        parts.append(_side_by_side(mine, details.get("candidates", [])))
    if other := details.get("other_crm_ids") or details.get("other_finance_codes"):
        more = f", +{details['more_crm_ids']:,}" if details.get("more_crm_ids") else ""
        parts.append(Prose(f"See also: {isolated(', '.join(map(str, other)))}{more}"))
    parts += [Text("So far:", style="bold"), *log_table(history)]
    parts.append(Prose(f"To decide: siaghsync review resolve {review.id} {ways_as_options(review)}"))
    return parts


def _side_by_side(mine: Mapping[str, Any], candidates: Sequence[Mapping[str, Any]]) -> RenderableType:
    names = [f"candidate {number}" for number in range(1, len(candidates) + 1)]
    rows = table("field", "this record", *names, whole=("field",))
    for key in dict.fromkeys(key for side in (mine, *candidates) for key in side):
        first = _value(mine.get(key))
        others = [_value(candidate.get(key)) for candidate in candidates]
        if first or any(others):
            cells = [Prose(isolated(other), style="" if other == first else "yellow") for other in others]
            rows.add_row(field_label(key), isolated(first), *cells)
    return rows


def _value(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "; ".join(map(str, value))
    return "" if value is None else str(value)


def log_table(entries: Sequence[AuditLine]) -> list[RenderableType]:
    """Lines of the audit trail, day by day in Tehran's time."""
    if not entries:
        return [Text(render(msg("cli.no_entries")), style="dim")]
    parts: list[RenderableType] = []
    for day, lines in groupby(entries, lambda entry: in_tehran(entry.at).date()):
        rows = table("time", "run", "record", "what happened", right=("run",), whole=("time", "record"))
        for entry in lines:
            clock = f"{in_tehran(entry.at):%H:%M:%S}"
            rows.add_row(clock, str(entry.run_id or ""), _record(entry), _happened(entry))
        parts += [Text(f"{day_in_both(day)}, Tehran time", style="bold"), rows]
    return parts


def failed_runs_table(runs: Sequence[RunRecord]) -> list[RenderableType]:
    """Whole runs that failed; they have no lines of their own in the trail."""
    if not runs:
        return []
    began = "began (Tehran)"
    rows = table("run", "command", began, "what went wrong", right=("run",), whole=("command", began))
    for run in runs:
        error = run.error or (None if run.finished_at else msg("outcome.killed"))
        rows.add_row(str(run.id), run.command, moment_for(run.started_at, "en"), sentence(error, 500))
    return [Text("Runs that failed", style="bold"), rows]


def _record(entry: AuditLine) -> str:
    number, code = isolated(entry.customer_number), isolated(_code(entry.finance_code))
    name = entry.entity if entry.entity == "customer" or not number else f"{entry.entity} of"
    name = f"{name} {number}".rstrip()
    return f"{name}\ncode {code}" if code and code != number else name


def _happened(entry: AuditLine) -> Text:
    operation, outcome = entry.operation, entry.outcome
    did = outcome if outcome in (operation, AuditOutcome.SKIPPED) else f"{operation} {outcome}"
    why = linked_by(entry.reason) if entry.reason and operation == Operation.LINK else entry.reason
    first = isolated(f"{did} ({why})" if why else did)
    return Prose.assemble((first, _STYLES.get(outcome, "")), *(f"\n{line}" for line in _details(entry)))


def _details(entry: AuditLine) -> list[str]:
    text = render(entry.message) if entry.message else ""
    lines = [isolated(line) for line in text.splitlines() if line.strip()]
    if entry.operation in ("resolve", "order"):
        lines.append(f"by {isolated(entry.actor)}")
    changes = [change(field_label(key), old, new) for key, (old, new) in entry.changes.items()]
    # The values of a new record replace nothing: they follow each other on one line, where changes stand one below the other.
    is_new = all(old is None for old, _ in entry.changes.values())
    return [*lines, *(["; ".join(changes)] if is_new and changes else changes)]


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
