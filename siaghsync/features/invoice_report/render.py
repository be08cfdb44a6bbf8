"""The invoices of a fiscal year and what became of them, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from siaghsync.domain.document import exact_sum, plain
from siaghsync.features.invoice_report.collect import YearReport
from siaghsync.features.invoice_report.rules import STATES, Line
from siaghsync.messages.calendar import day_in_both
from siaghsync.messages.catalog import amount, render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import Prose, isolated, table

_MOST_ROWS = 12
_STYLES = {
    "missing": "bold red", "review": "bold red", "waiting": "bold yellow", "skipped": "bold", "posted": "bold green",
}  # fmt: skip
"""The states in the order of the report: what needs somebody comes first."""


def invoice_tables(report: YearReport) -> list[RenderableType]:
    """Counts and sums first, then the documents by state; long lists are folded."""
    sums = report.sums()
    counts, rows, lines = sums.counts(), list(sums.rows()), report.lines()
    states = ", ".join(f"{counts[state]} {title(f'invoices.{state}')}" for state in STATES if counts[state])
    head = render(msg("invoices.head", year=str(report.year), documents=counts["documents"]))
    parts: list[RenderableType] = [Text(f"{head}: {states}." if states else f"{head}.", style="bold")]
    if rows:
        parts += [_sums(rows), Text(render(msg("invoices.about_sums")), style="dim")]
    for state, style in _STYLES.items():
        parts += _documents_in(state, style, [line for line in lines if line.state == state])
    bad = report.not_understood()
    if bad:
        parts.append(Text(render(msg("invoices.not_understood", count=len(bad))), style="bold red"))
        parts += [Prose(f"  {isolated(each['message'], 1000)}") for each in bad[:_MOST_ROWS]]
        parts += _more(len(bad) - _MOST_ROWS)
    return parts


def _documents_in(state: str, style: str, lines: Sequence[Line]) -> list[RenderableType]:
    if not lines:
        return []
    shown = lines[:_MOST_ROWS]
    heading = Text(render(msg(f"invoices.{state}")), style=style)
    return [heading, _documents(shown), *_more(len(lines) - len(shown))]


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
    for count, name in (
        ("documents", "net"), ("posted", "net_posted"), ("open", "net_open"), ("skipped", "net_skipped"),
    ):  # fmt: skip
        total = amount(plain(exact_sum(Decimal(row[name]) for row in sums)), "en")
        yield f"{sum(row[count] for row in sums):,}\n{total}"


def _documents(lines: Iterable[Line]) -> Table:
    rows = table(
        "date", "document", "customer", "net", "in Siagh", "what", right=("net", "in Siagh"), whole=("customer",)
    )
    for line in lines:
        rows.add_row(
            day_in_both(line.date).replace(" ", "\n"),
            f"{title(f'kind.{line.source}')}\n{isolated(line.number or line.crm_id)}",
            isolated(line.customer_number),
            amount(plain(line.net), "en"),
            isolated(line.finance_number or line.finance_key),
            "\n".join(_story(line)),
        )
    return rows


def _story(line: Line) -> Iterator[str]:
    if line.how and line.how != "posted":
        yield title(f"invoices.{line.how}")
    if line.reason:
        text = isolated(render(line.message)) if line.message else title(f"reason.{line.reason}")
        yield f"{text} ({line.reason})"
    yield from (isolated(render(note)) for note in line.notes)


def _more(count: int) -> list[RenderableType]:
    return [Text(render(msg("invoices.more", more=count)), style="dim")] if count > 0 else []
