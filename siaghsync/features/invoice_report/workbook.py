"""Tables as an Excel workbook, written row by row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

_EXACT_DIGITS = 15
"""Excel keeps no more of a number; a longer one stays text, so that none is altered."""
_LONGEST_TEXT = 32_767
_NUMBER = "#,##0.##;[Red]-#,##0.##"
_A4 = 9


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet. A Decimal or int becomes a number, None an empty cell, all else text, never a formula. `widths` are in
    letters."""

    name: str
    heads: Sequence[str]
    widths: Sequence[int]
    rows: Iterable[Sequence[object]]


def workbook(sheets: Sequence[Sheet], *, right_to_left: bool, folder: Path) -> bytes:
    """The workbook as a file. `folder` is where the rows lie (mode 0600) until it is done."""
    target = BytesIO()
    with Workbook(target, {"constant_memory": True, "tmpdir": str(folder)}) as book:
        head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
        number = book.add_format({"num_format": _NUMBER})
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            if right_to_left:
                page.right_to_left()
            page.freeze_panes(1, 0)
            page.repeat_rows(0)
            page.set_landscape()
            page.set_paper(_A4)
            page.fit_to_pages(1, 0)
            page.ignore_errors(
                {"number_stored_as_text": "A1:XFD1048576"}
            )  # numbers of documents and customers are names
            for column, width in enumerate(sheet.widths):
                page.set_column(column, column, width)
            for column, text in enumerate(sheet.heads):
                page.write_string(0, column, text, head)
            for place, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    _write(page, place, column, value, number)
    return target.getvalue()


def _write(page: Worksheet, place: int, column: int, value: object, number: Format) -> None:
    if isinstance(value, (Decimal, int)):
        exact = Decimal(value)
        if len(exact.normalize().as_tuple().digits) <= _EXACT_DIGITS:
            page.write_number(place, column, exact, number)
        else:
            page.write_string(place, column, f"{exact:f}")
    elif value is not None:
        page.write_string(place, column, str(value)[:_LONGEST_TEXT])
