"""Files that other programs read: each is replaced whole or not at all, and tables are safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePath, PureWindowsPath
from typing import TextIO

from siaghsync.errors import UsageError

_UNSEEN = r"[\s\"\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*"
_SIGN = r"(?:[=@＝＠]|[+＋－-](?![\d\s().,/-]+(?:$|;)))"
_FORMULA = re.compile(rf"^(?=[\t\r\n]|{_UNSEEN}{_SIGN})|(?<=;)(?={_UNSEEN}{_SIGN})")
"""Before what a spreadsheet would run, also where it takes a semicolon for the end of a cell. A phone number, an amount or a date
after a sign is none."""


def check_output(path: Path, own: Iterable[Path]) -> None:
    """Raises UsageError if writing to `path` would replace one of these files, or what is no regular file.

    A file is the same one under any name: through links of both kinds, and before it is there. Belongs before anything else
    that a command does. `Settings.own_files` are the files that no output may replace.
    """
    try:
        if path.exists() and not path.is_file():
            raise UsageError("file.not_regular", path=str(path))
        if any(_same(path, each) for each in own):
            raise UsageError("file.is_own", path=str(path))
    except OSError as error:
        raise not_writable(path, error) from None


def _same(one: Path, other: Path) -> bool:
    if one.exists() and other.exists():
        return one.samefile(other)
    return spelled(Path(os.path.realpath(one))) == spelled(Path(os.path.realpath(other)))


def spelled(path: PurePath) -> PurePath:
    """A path in the one spelling of all that name the same file, whether it is there or not.

    Windows takes no notice of the case of letters, nor of dots and blanks at the end of a name.
    """
    if not isinstance(path, PureWindowsPath):
        return path
    parts = path.relative_to(path.anchor).parts
    return PureWindowsPath(path.anchor.lower(), *((part.rstrip(". ") or part).lower() for part in parts))


@contextmanager
def atomic_path(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """An empty file (mode 0600) to fill, which takes the place of `path` when the block ends; `path` is untouched if it fails.

    Whoever reads `path` finds the old content or the new one, whole. A symbolic link stays and what it leads to is replaced.
    Raises UsageError if `path` can't be written or is no regular file; an OSError of the block itself counts as that.
    """
    check_output(path, ())
    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise not_writable(path, error) from None
    os.close(handle)
    part = Path(name)
    try:
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.chmod(mode)
        part.replace(target)
    except OSError as error:
        raise not_writable(path, error) from None
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def atomic_file(path: Path, mode: int = 0o600, encoding: str = "utf-8") -> Iterator[TextIO]:
    """A text file to write, which takes the place of `path` as that of `atomic_path` does, and raises as it does.

    Line ends are written as they are given.
    """
    with atomic_path(path, mode) as part, part.open("w", encoding=encoding, newline="") as file:
        yield file


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
        write_rows(file, header, rows)


def write_rows(file: TextIO, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Writes the table of `write_csv` into an open file."""
    writer = csv.writer(file)
    writer.writerow(header)
    writer.writerows([csv_cell(value) for value in row] for row in rows)


def csv_cell(value: object) -> str:
    """A value as the text of a cell that no spreadsheet runs as a formula."""
    text = "" if value is None else str(value)
    return _FORMULA.sub("'", text)


def not_writable(path: Path, error: OSError) -> UsageError:
    """The error for a file that can't be written."""
    return UsageError("file.not_writable", path=str(path), problem=error.strerror or type(error).__name__)


def not_readable(path: Path, error: OSError) -> UsageError:
    """The error that says why a file that a person named can't be read."""
    return UsageError("file.not_readable", path=str(path), problem=error.strerror or type(error).__name__)
