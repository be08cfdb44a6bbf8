"""Counts and sums of a year's documents, by state, Jalali month and sale model: exact, to the rial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from siaghsync.domain.document import exact_sum, plain
from siaghsync.features.invoice_report.rules import STATES, LineState

_ZERO = Decimal(0)


@dataclass(slots=True)
class _Sum:
    documents: int = 0
    net: Decimal = _ZERO

    def add(self, amount: Decimal) -> None:
        self.documents += 1
        self.net = exact_sum([self.net, amount])


_GROUPS: dict[LineState, str] = {
    "posted": "posted", "waiting": "open", "review": "open", "missing": "open", "skipped": "skipped",
}  # fmt: skip


@dataclass(slots=True)
class Sums:
    """Counts by state, and sums by Jalali month and sale model, of all lines that were added."""

    states: Counter[str] = field(default_factory=Counter)
    _sums: dict[tuple[str, int], dict[str, _Sum]] = field(default_factory=dict)

    def add(self, line: Mapping[str, Any]) -> None:
        """Counts a line, given as plain data. A document whose pre-invoice is counted already is not summed a second time."""
        self.states[line["state"]] += 1
        if line["counted"]:
            cells = self._sums.setdefault((line["month"], line["sale_model"]), {})
            cells.setdefault("all", _Sum()).add(Decimal(line["net"]))
            cells.setdefault(_GROUPS[line["state"]], _Sum()).add(Decimal(line["posted_net"] or line["net"]))

    def counts(self) -> dict[str, int]:
        """How many documents there are, in all and by state."""
        return {"documents": self.states.total(), **{state: self.states[state] for state in STATES}}

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per month and sale model: pre-invoices and net in all (by the CRM), posted (as posted), open, skipped."""
        for (month, sale_model), cells in sorted(self._sums.items()):
            row: dict[str, Any] = {"month": month, "sale_model": sale_model}
            for name in ("all", "posted", "open", "skipped"):
                cell = cells.get(name, _Sum())
                count, amount = ("documents", "net") if name == "all" else (name, f"net_{name}")
                row |= {count: cell.documents, amount: plain(cell.net)}
            yield row
