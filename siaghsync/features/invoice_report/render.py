"""The invoices of a fiscal year and what became of them, as tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from siaghsync.domain.document import exact_sum, plain
from siaghsync.features.invoice_report.collect import YearReport
from siaghsync.features.invoice_report.rules import STATES, TOTALS
from siaghsync.messages.calendar import day_in_both
from siaghsync.messages.catalog import amount, render, title
from siaghsync.messages.message import msg
from siaghsync.report.text import Prose, isolated, not_shown, table

_MOST_ROWS = 12
_MOST_CELLS = 1000
_ELSEWHERE = "--csv or --json"
_STYLES = {
    "missing": "bold red", "review": "bold red", "waiting": "bold yellow", "skipped": "bold", "posted": "bold green",
}  # fmt: skip
"""The states in the order of the report: what needs somebody comes first."""


def invoice_tables(report: YearReport) -> list[RenderableType]:
    """Counts and sums first, then the documents by state; long lists are folded."""
    counts, rows = report.sums.counts(), list(report.sums.rows())
    states = ", ".join(f"{counts[state]} {title(f'invoices.{state}')}" for state in STATES if counts[state])
    head = render(msg("invoices.head", year=str(report.year), documents=counts["documents"]))
    parts: list[RenderableType] = [Text(f"{head}: {states}." if states else f"{head}.", style="bold")]
    if rows:
        parts += [_totals(report.sums.totals()), _sums(rows), Text(render(msg("invoices.about_sums")), style="dim")]
    shown: dict[str, list[Mapping[str, Any]]] = {state: [] for state in _STYLES}
    for line in report.lines():
        if len(shown[line["state"]]) < _MOST_ROWS:
            shown[line["state"]].append(line)
    for state, style in _STYLES.items():
        if shown[state]:
            heading = Text(render(msg(f"invoices.{state}")), style=style)
            parts += [heading, _documents(shown[state]), *not_shown(counts[state] - len(shown[state]), _ELSEWHERE)]
    bad = report.not_understood()
    if bad:
        parts.append(Text(render(msg("invoices.not_understood", count=len(bad))), style="bold red"))
        parts += [Prose(f"  {isolated(each['message'], _MOST_CELLS)}") for each in bad[:_MOST_ROWS]]
        parts += not_shown(len(bad) - _MOST_ROWS, _ELSEWHERE)
    return parts


def _totals(totals: Mapping[str, Mapping[str, Any]]) -> Table:
    rows = table(
        "", "documents", "net in the CRM", "since posted", right=("documents", "net in the CRM", "since posted")
    )
    for name in (*TOTALS[1:], TOTALS[0]):
        total = totals[name]
        by = amount(total["difference"], "en") if "difference" in total else ""
        cells = (title(f"invoices.total_{name}"), f"{total['documents']:,}", amount(total["net"], "en"), by)
        rows.add_row(*cells, style="bold" if name == "all" else None)
    return rows


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


def _documents(lines: Iterable[Mapping[str, Any]]) -> Table:
    rows = table(
        "date", "document", "customer", "net", "in Siagh", "what", right=("net", "in Siagh"), whole=("customer",)
    )
    for line in lines:
        rows.add_row(
            day_in_both(date.fromisoformat(line["date"])).replace(" ", "\n"),
            f"{title('kind.' + line['source'])}\n{isolated(line['number'] or line['crm_id'])}",
            f"{isolated(line['customer_number'])}\n{isolated(line['customer_name'])}",
            amount(line["net"], "en"),
            isolated(line["finance_number"] or line["finance_key"]),
            "\n".join(_story(line)),
        )
    return rows


def _story(line: Mapping[str, Any]) -> Iterator[str]:
    if line["how"] and line["how"] != "posted":
        yield title(f"invoices.{line['how']}")
    if line["reason"]:
        yield f"{isolated(line['message'], _MOST_CELLS)} ({line['reason']})"
    yield from (isolated(note, _MOST_CELLS) for note in line["notes"])
