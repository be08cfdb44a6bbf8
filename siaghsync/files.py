"""Files that other programs read: each is replaced whole or not at all, and tables are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from siaghsync.errors import UsageError

_FORMULA = re.compile(r"[=@\t\r\n]|[+-](?![\d\s().,/-]+$)")
"""What a spreadsheet would run. A phone number, an amount or a date after a sign is none."""


@contextmanager
def atomic_file(path: Path, mode: int = 0o600, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A file to write, which takes the place of `path` when the block ends, and leaves it untouched if the block fails.

    Whoever reads `path` finds the old content or the new one, whole. A symbolic link stays and what it leads to is replaced.
    Line ends are written as they are given. Raises UsageError if `path` can't be written or is no regular file; an OSError
    of the block itself counts as that.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise UsageError("file.not_regular", path=str(path))
    try:
        handle, part = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise not_writable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding=encoding, newline="") as file:
            yield file
            file.flush()
            os.fsync(handle)
        Path(part).chmod(mode)
        Path(part).replace(target)
    except OSError as error:
        raise not_writable(path, error) from None
    finally:
        Path(part).unlink(missing_ok=True)


def write_text_atomic(path: Path, text: str, mode: int = 0o600) -> None:
    """Replaces a file by this text (UTF-8). Raises UsageError as `atomic_file` does."""
    with atomic_file(path, mode) as file:
        file.write(text)


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Writes a table for spreadsheets, one row at a time: UTF-8 with the mark by which they know it, mode 0600.

    None is an empty cell. A text that a spreadsheet would take for a formula gets an apostrophe in front. Raises UsageError
    as `atomic_file` does.
    """
    with atomic_file(path, encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([csv_cell(value) for value in row] for row in rows)


def csv_cell(value: object) -> str:
    """A value as the text of a cell that no spreadsheet runs as a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if _FORMULA.match(text) else text


def not_writable(path: Path, error: OSError) -> UsageError:
    """The error for a file that can't be written or read."""
    return UsageError("file.not_writable", path=str(path), problem=error.strerror or type(error).__name__)
