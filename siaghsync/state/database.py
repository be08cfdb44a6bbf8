"""Opens the state file: its lock, its mode, its schema, its transactions. The door to SQLite for all rooms above.

One process at a time writes (see `run_lock`), and in it one thread. WAL with synchronous=FULL: a commit that was
acknowledged survives a power loss.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from siaghsync.errors import StateError, UsageError

Row = sqlite3.Row

IS_A_COPY = "is_a_copy"
"""The fact that `backup` leaves in a copy: whoever takes it into use does not know what was done after it was made."""


class State:
    """An open state file. Not shared between threads."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._db = connection
        self.path = path

    def rows(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> list[Row]:
        """All rows of a query."""
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _told(error, self.path) from None

    def row(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> Row | None:
        """The first row of a query, or None."""
        try:
            found: Row | None = self._db.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise _told(error, self.path) from None
        return found

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, values)
        return found[0] if found else None

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Changes something; only inside `atomic`. Returns the new row's id, if there is one, else 0."""
        if not self._db.in_transaction:
            raise RuntimeError("a write outside a transaction")
        try:
            return self._db.execute(sql, values).lastrowid or 0
        except sqlite3.Error as error:
            raise _told(error, self.path) from None

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """The same change for many rows; only inside `atomic`."""
        if not self._db.in_transaction:
            raise RuntimeError("a write outside a transaction")
        try:
            self._db.executemany(sql, rows)
        except sqlite3.Error as error:
            raise _told(error, self.path) from None

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction: all of the block is on disk when it ends, or nothing of it. Blocks may be nested.

        IMMEDIATE, since a transaction that reads first and writes later can fail at once, whatever the timeout.
        """
        if self._db.in_transaction:
            yield
            return
        with translated(self.path):
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with translated(self.path):
                self._db.execute("COMMIT")
        except BaseException:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise

    def fact(self, name: str) -> str | None:
        """A single remembered value, or None."""
        found: str | None = self.value("SELECT value FROM facts WHERE name = ?", (name,))
        return found

    def set_fact(self, name: str, value: str | None) -> None:
        """Remembers a single value; None forgets it."""
        with self.atomic():
            if value is None:
                self.execute("DELETE FROM facts WHERE name = ?", (name,))
            else:
                self.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))

    def backup(self, target: Path) -> None:
        """A consistent copy in `target` (mode 0600), also while another process writes. Replaces `target` at the end."""
        part = Path(f"{target}.part")
        try:
            if self.path and target.exists() and target.samefile(self.path):
                raise UsageError(f"{target} is the state file itself.", "Name another file.")
            part.unlink(missing_ok=True)  # of a backup that was killed
            make_private(part)
            try:
                self._copy_to(part)
                part.replace(target)
            finally:
                part.unlink(missing_ok=True)
        except OSError as error:
            raise StateError(
                f"{target} can't be written: {error.strerror}.",
                "Name a file in a folder that you may write to.",
            ) from None

    def _copy_to(self, part: Path) -> None:
        with translated(part), closing(sqlite3.connect(part)) as copy:
            self._db.backup(copy)
            with copy:
                copy.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, 'by backup')", (IS_A_COPY,))
            copy.execute("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


@contextmanager
def translated(path: Path | None) -> Iterator[None]:
    """Lets no error of SQLite out: each becomes a StateError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _told(error, path) from None


def _told(error: sqlite3.Error, path: Path | None) -> Exception:
    """The StateError that says what to do about `error`; itself, if a statement or a row of our own is wrong."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        return error
    if "not a database" in text:
        return StateError(
            f"{path} is not a state file of siaghsync.",
            "Check SIAGHSYNC_STATE; it must name a file of its own.",
        )
    if "malformed" in text or "corrupt" in text:
        return StateError(*damaged(path))
    if "full" in text:
        return StateError(
            f"The disk of the state file {path} is full.",
            "Make room on it; what was saved so far is safe.",
        )
    if "readonly" in text or "unable to open" in text:
        return StateError(
            f"The state file {path} can't be opened for writing.",
            "Give the user that runs siaghsync write access to the file and to its folder.",
        )
    if isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text or "i/o" in text.lower()):
        return StateError(
            f"The state file {path} can't be used: {text}.",
            "Look at the disk that it is on, and who else has it open.",
        )
    return error


def damaged(path: Path | None) -> tuple[str, str]:
    return (
        f"The state file {path} is damaged.",
        "Move it away, together with the files beside it that end in -wal and -shm. Then bring it back from a backup or, "
        "without one, run `siaghsync initial-import`: it links what both systems already have and makes nothing twice.",
    )


def make_private(path: Path) -> None:
    # The mode comes before SQLite opens the file: its -wal and -shm files take over the mode of the main file.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
