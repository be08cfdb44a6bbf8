"""The invoices of a fiscal year and what became of them, as tables for whoever ticks them off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from siaghsync.domain.document import exact_sum, grouped
from siaghsync.features.invoice_report.rules import STATES
from siaghsync.messages.calendar import day_in_both
from siaghsync.report.reasons import in_words
from siaghsync.report.text import Prose, isolated, table

_MOST_ROWS = 12
_TITLES = {
    "missing": (
        "Missing: should be in Finance, but nothing is known. `siaghsync sync` posts what is new, `sync --full` all of it:",
        "bold red",
    ),
    "review": ("In review: a person has to decide. See `siaghsync review`:", "bold red"),
    "waiting": ("Waiting:", "bold yellow"),
    "skipped": ("Skipped on purpose:", "bold"),
    "posted": ("Posted:", "bold green"),
}
_HOW = {"posted": "", "with_quote": "with its quote", "with_invoice": "with its invoice", "by_person": "by a person"}


def invoice_tables(
    year: int,
    counts: Mapping[str, int],
    sums: Sequence[Mapping[str, Any]],
    lines: Iterable[Mapping[str, Any]],
    not_understood: Sequence[Mapping[str, str]],
) -> list[RenderableType]:
    """Counts and sums first, then the documents by state, what needs somebody first; long lists are folded."""
    states = ", ".join(f"{counts[state]} {state}" for state in STATES if counts[state])
    head = f"Fiscal year {year}: {counts['documents']} documents in the CRM{': ' if states else ''}{states}."
    parts: list[RenderableType] = [Text(head, style="bold")]
    if sums:
        parts += [
            _sums(sums),
            Text(
                "How many, and their net amounts before tax in rials. A quote and its invoice count once.", style="dim"
            ),
        ]
    shown: dict[str, list[Mapping[str, Any]]] = {state: [] for state in _TITLES}
    for line in lines:
        if len(shown[line["state"]]) < _MOST_ROWS:
            shown[line["state"]].append(line)
    for state, (title, style) in _TITLES.items():
        if shown[state]:
            parts += [Text(title, style=style), _documents(shown[state]), *_more(counts[state] - len(shown[state]))]
    if not_understood:
        parts.append(Text(f"Not understood, so of an unknown year: {len(not_understood)}", style="bold red"))
        parts += [Prose(f"  {isolated(each['message'], 1000)}") for each in not_understood[:_MOST_ROWS]]
        parts += _more(len(not_understood) - _MOST_ROWS)
    return parts


def _sums(sums: Sequence[Mapping[str, Any]]) -> Table:
    columns = ("all", "posted", "open", "skipped")
    rows = table("month", "sale model", *columns, right=("sale model", *columns), whole=("month",))
    for row in sums:
        rows.add_row(row["month"], str(row["sale_model"]), *_cells([row]))
    rows.add_section()
    rows.add_row("all", "", *_cells(sums), style="bold")
    return rows


def _cells(sums: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """How many documents, and below that their net amount."""
    for count, amount in (
        ("documents", "net"), ("posted", "net_posted"), ("open", "net_open"), ("skipped", "net_skipped"),
    ):  # fmt: skip
        total = grouped(exact_sum(Decimal(row[amount]) for row in sums))
        yield f"{sum(row[count] for row in sums):,}\n{total}"


def _documents(lines: Sequence[Mapping[str, Any]]) -> Table:
    rows = table(
        "date", "document", "customer", "net", "in Siagh", "what", right=("net", "in Siagh"), whole=("customer",)
    )
    for line in lines:
        rows.add_row(
            day_in_both(date.fromisoformat(line["date"])).replace(" ", "\n"),
            f"{line['source']}\n{isolated(line['number'] or line['crm_id'])}",
            isolated(line["customer_number"]),
            grouped(Decimal(line["net"])),
            isolated(line["finance_number"] or line["finance_key"]),
            "\n".join(_story(line)),
        )
    return rows


def _story(line: Mapping[str, Any]) -> Iterator[str]:
    if line["how"] and _HOW[line["how"]]:
        yield _HOW[line["how"]]
    if line["reason"]:
        yield f"{isolated(line['message'])} ({line['reason']})" if line["message"] else in_words(line["reason"])
    yield from map(isolated, line["notes"])


def _more(count: int) -> list[RenderableType]:
    return [Text(f"... and {count} more; --csv and --json have all.", style="dim")] if count > 0 else []
