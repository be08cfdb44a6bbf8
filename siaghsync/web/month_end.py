"""The month's end report: the documents of a year are read from the CRM once, then shown, saved and printed month by month."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import partial
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from siaghsync import clock
from siaghsync.domain.document import plain
from siaghsync.errors import SiaghsyncError
from siaghsync.features.invoice_report.month_end import MonthEnd
from siaghsync.features.invoice_report.rules import PARTS, Parts, difference_of, joined, present_net
from siaghsync.features.invoice_report.workbook import Sheet, workbook
from siaghsync.files import write_rows
from siaghsync.messages.calendar import TEHRAN, jalali
from siaghsync.messages.message import Message, msg
from siaghsync.web.dependencies import RunControl, bug
from siaghsync.web.language import PageLanguage
from siaghsync.web.page import PageContext

_PAGE = 100
_YEARS = 6
"""So many years, this one first, can be read."""
_COLUMNS = {
    "date": 13, "document": 18, "number": 18, "customer_number": 14, "customer": 30, "net": 20, "difference": 18, "state": 26,
    "finance_number": 16, "reason": 40,
}  # fmt: skip
"""The columns of the list, and how many letters wide they are in a workbook."""
_EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class MonthEndPages:
    """The page and its files. What was read last is kept until the service ends, so that all of them tell the same."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reading: int | None = None
        """The year that is being read."""
        self._kept: MonthEnd | None = None
        self._error: Message | None = None

    def show(self, page: PageContext) -> Response:
        """The sums and documents of a month, by default the last one with documents, or how to have them read."""
        kept, this_year = self._kept, int(jalali(clock.now().astimezone(TEHRAN).date())[:4])
        shown: dict[str, Any] = {
            "kept": kept,
            "reading": self._reading,
            "error": self._error,
            "years": range(this_year, this_year - _YEARS, -1),
            "year": kept.year if kept else this_year,
        }
        return page.show("report.html", **shown, **(_content(page, kept) if kept else {}))

    def read(self, page: PageContext) -> Response:
        """Begins to read a year, unless one is being read."""
        year = page.form.get("year", "")
        with self._lock:
            if self._reading is None and year.isdecimal() and 1300 <= int(year) < 1600:
                self._reading, self._error = int(year), None
                page.dependencies.errands.start(partial(self._read, page.dependencies.control, int(year)))
        return page.go("/report")

    def _read(self, control: RunControl, year: int, began: Callable[[], object]) -> None:
        began()
        try:
            self._kept = control.read_year(year)
        except Exception as error:
            self._error = error.message if isinstance(error, SiaghsyncError) else bug(error)
            raise
        finally:
            self._reading = None

    def csv_file(self, page: PageContext) -> Response:
        """The documents of the month as CSV."""

        def made(kept: MonthEnd, month: str) -> bytes:
            file = io.StringIO()
            write_rows(file, _heads(page.language), _cells(kept, month, page.language))
            return file.getvalue().encode("utf-8-sig")

        return self._file(page, made, "csv", "text/csv; charset=utf-8")

    def excel_file(self, page: PageContext) -> Response:
        """The sums and the documents of the month as an Excel workbook."""
        language = page.language

        def made(kept: MonthEnd, month: str) -> bytes:
            sums = Sheet(language.text("sums"), *_sum_table(kept, month, language))
            heads, widths = _heads(language), list(_COLUMNS.values())
            documents = Sheet(language.text("report_documents"), heads, widths, _cells(kept, month, language))
            folder = page.dependencies.settings.siaghsync_state.parent
            return workbook([sums, documents], right_to_left=language.direction == "rtl", folder=folder)

        return self._file(page, made, "xlsx", _EXCEL)

    def _file(self, page: PageContext, made: Callable[[MonthEnd, str], bytes], ending: str, kind: str) -> Response:
        if self._kept is None:
            return page.go("/report")
        month = _month(page, self._kept)
        name = f"siaghsync-{month or self._kept.year}.{ending}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(made(self._kept, month), media_type=kind, headers=headers)


def _month(page: PageContext, kept: MonthEnd) -> str:
    """The month that is asked for, else the last one with documents; "" for the whole year."""
    asked, months = page.asked("month"), kept.months()
    return asked if asked in months else "" if asked == "all" or not months else months[-1]


def _content(page: PageContext, kept: MonthEnd) -> dict[str, Any]:
    month, language = _month(page, kept), page.language
    part = page.asked("of") if page.asked("of") in PARTS else ""
    lines, sums = kept.lines_of(month, part), kept.sums_of(month)
    place, rows = page.number("place") or 0, _PAGE if page.asked("rows") != "all" else len(lines)

    def query(**more: object) -> str:
        told = {"month": month or "all", "of": part, **more}
        return urlencode({name: value for name, value in told.items() if value})

    return {
        "months": [(each, language.month(each)) for each in kept.months()],
        "month": month,
        "title": language.month(month) if month else language.digits(kept.year),
        "parts": PARTS,
        "rials": lambda amount: language.amount(plain(amount)),
        "not_understood": msg("invoices.not_understood", count=kept.not_understood),
        "part": part,
        "sums": [(language.month(key[0]), _document(key[1], key[2], language), parts) for key, parts in sums],
        "whole": joined(parts for _, parts in sums),
        "lines": [(line, _row(line, language)) for line in lines[place : place + rows]],
        "count": len(lines),
        "query": query,
        "earlier": max(place - rows, 0) if place else None,
        "later": place + rows if place + rows < len(lines) else None,
    }


def _document(source: str, type_code: str, language: PageLanguage) -> str:
    return (
        f"{language.kind('invoice', source)} \u2068{type_code}\u2069" if type_code else language.kind("invoice", source)
    )


def _row(line: Mapping[str, Any], language: PageLanguage) -> dict[str, Any]:
    """A line by _COLUMNS. Its net is empty where another document counts for it, so that the column adds up to the sums."""
    return {
        "date": language.value("date", line["date"]),
        "document": _document(line["source"], line["type"], language),
        "number": line["number"],
        "customer_number": line["customer_number"],
        "customer": line["customer_name"],
        "net": present_net(line) if line["counted"] else None,
        "difference": difference_of(line) if line["counted"] and line["changed"] else None,
        "state": _state(line, language),
        "finance_number": line["finance_number"] or line["finance_key"],
        "reason": language.reason(line["reason"]) if line["reason"] else None,
    }


def _state(line: Mapping[str, Any], language: PageLanguage) -> str:
    said = [line["state"]]
    if line["changed"]:
        said = ["total_changed" if line["in_crm"] else "deleted"]
    if line["how"] not in (None, "posted"):
        said.append(line["how"])
    words = [language.title(f"invoices.{each}") for each in said]
    if not line["counted"] and line["how"] is None:
        words.append(language.text("counted_elsewhere"))
    return ("، " if language.code == "fa" else ", ").join(words)


def _heads(language: PageLanguage) -> list[str]:
    return [language.text(f"report_{name}") for name in _COLUMNS]


def _cells(kept: MonthEnd, month: str, language: PageLanguage) -> Iterator[list[object]]:
    for line in kept.lines_of(month):
        row = _row(line, language)
        yield [row[name] for name in _COLUMNS]


def _sum_table(kept: MonthEnd, month: str, language: PageLanguage) -> tuple[list[str], list[int], list[list[object]]]:
    """Heads, widths and rows of the sums, as on the page; the last row is the whole."""
    heads = [language.text("month"), language.text("report_document")]
    for name in ("all", *PARTS):
        title = language.text(f"part_{name}")
        heads += [f"{title}: {language.text('records')}", f"{title}: {language.text('report_net')}"]
    heads.append(language.text("report_difference"))
    sums = kept.sums_of(month)
    rows: list[list[object]] = [
        [language.month(key[0]), _document(key[1], key[2], language), *_figures(parts)] for key, parts in sums
    ]
    rows.append([language.text("total"), None, *_figures(joined(parts for _, parts in sums))])
    return heads, [16, 20, *(10, 20) * 6, 18], rows


def _figures(parts: Parts) -> list[int | Decimal]:
    cells = [parts.cells[name] for name in ("all", *PARTS)]
    return [*(figure for cell in cells for figure in (cell.documents, cell.net)), parts.difference]
