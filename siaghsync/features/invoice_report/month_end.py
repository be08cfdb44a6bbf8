"""A fiscal year's documents as the dashboard shows them: read once, then looked at month by month."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from siaghsync.features.invoice_report.collect import YearReport
from siaghsync.features.invoice_report.rules import Parts, part_of

_KEPT = (
    "month", "date", "source", "type", "number", "crm_id", "customer_number", "customer_name", "net", "posted_net", "state",
    "reason", "how", "finance_number", "finance_key", "in_crm", "changed", "counted",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class MonthEnd:
    """The documents of a Jalali fiscal year as they stood at `read_at` (a stored text). `not_understood` counts those whose year
    nobody knows; `lines` are the plain data of `Line`, as far as the pages need it, by date."""

    year: int
    read_at: str
    parts: Mapping[tuple[str, str, str], Parts]
    lines: Sequence[Mapping[str, Any]]
    not_understood: int

    @classmethod
    def of(cls, report: YearReport, read_at: str) -> MonthEnd:
        """What a report has read."""
        lines = [{name: line[name] for name in _KEPT} for line in report.lines()]
        return cls(report.year, read_at, report.sums.parts, lines, len(report.bad))

    def months(self) -> list[str]:
        """The months that have documents (`1404-09`)."""
        return sorted({line["month"] for line in self.lines})

    def sums_of(self, month: str) -> list[tuple[tuple[str, str, str], Parts]]:
        """The sums of a month ("": of the year) by month, source and type."""
        return [(key, parts) for key, parts in sorted(self.parts.items()) if month in ("", key[0])]

    def lines_of(self, month: str, part: str = "") -> list[Mapping[str, Any]]:
        """The lines of a month ("": of the year) that count in a part; with "" all."""
        return [line for line in self.lines if month in ("", line["month"]) and part in ("", part_of(line))]
