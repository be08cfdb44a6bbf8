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

from filelock import FileLock, Timeout

from siaghsync.errors import LockHeld, StateError, UsageError
from siaghsync.schema import APPLICATION_ID, MIGRATIONS

Row = sqlite3.Row


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Holds the lock of the state file at `path` for as long as the block runs.

    The lock dies with its process, however that ends, and its file is never deleted. Raises LockHeld if another
    process has it, StateError if the lock file can't be made.
    """
    lock = FileLock(f"{path}.lock", mode=0o600)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LockHeld(
            f"Another run is working with {path.name}.",
            "Nothing to do: it goes on. If no run should be going on, look for a siaghsync process that hangs.",
        ) from None
    except OSError as error:
        raise StateError(
            f"The lock file {path.name}.lock can't be made: {error.strerror}.",
            f"Let the user that runs siaghsync write in {path.parent}.",
        ) from None
    try:
        yield
    finally:
        lock.release()


class State:
    """An open state file. Not shared between threads."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._db = connection
        self.path = path

    def rows(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """All rows of a query."""
        with _translated(self.path):
            return self._db.execute(sql, values).fetchall()

    def row(self, sql: str, values: Sequence[object] | Mapping[str, object] = ()) -> Row | None:
        """The first row of a query, or None."""
        with _translated(self.path):
            found: Row | None = self._db.execute(sql, values).fetchone()
            return found

    def value(self, sql: str, values: Sequence[object] = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, values)
        return found[0] if found else None

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Changes something; only inside `atomic`. Returns the new row's id, if there is one, else 0."""
        with _translated(self.path):
            if not self._db.in_transaction:
                raise RuntimeError("a write outside a transaction")
            return self._db.execute(sql, values).lastrowid or 0

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """The same change for many rows; only inside `atomic`."""
        with _translated(self.path):
            if not self._db.in_transaction:
                raise RuntimeError("a write outside a transaction")
            self._db.executemany(sql, rows)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction: all of the block is on disk when it ends, or nothing of it. Blocks may be nested.

        IMMEDIATE, since a transaction that reads first and writes later can fail at once, whatever the timeout.
        """
        if self._db.in_transaction:
            yield
            return
        with _translated(self.path):
            self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            with _translated(self.path):
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
            _make_private(part)
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
        with _translated(part), closing(sqlite3.connect(part)) as copy:
            self._db.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")

    def close(self) -> None:
        """Closes the file."""
        self._db.close()


def open_state(path: Path, *, create: bool = False) -> State:
    """Opens the state file at `path`; with `create` a missing or empty one is made, mode 0600.

    Raises StateError if it is missing, empty, damaged, foreign or newer than this program.
    """
    size = _size(path)
    if not create and not size:
        raise StateError(
            f"The state file {path} {'does not exist' if size is None else 'is empty'}.",
            "If this is a new installation, run `siaghsync initial-import`. If not, bring the file back from a backup, or "
            "run `siaghsync initial-import`: it links what both systems already have and makes nothing twice.",
        )
    if not size:
        try:
            _make_private(path) if size is None else path.chmod(0o600)
        except OSError as error:
            raise StateError(
                f"The state file {path} can't be made: {error.strerror}.",
                "Let SIAGHSYNC_STATE name a file in a folder that the user who runs siaghsync may write to.",
            ) from None
    _refuse_foreign_log(path)
    with _translated(path):
        db = sqlite3.connect(path, isolation_level=None, timeout=10)
    return _prepared(db, path, create)


def _refuse_foreign_log(path: Path) -> None:
    """A backup that was put in place beside the old file's log: SQLite would replay that log into it.

    A backup is written without write-ahead logging (bytes 18 and 19 of its header are 1); a file of ours in use is not.
    """
    log = path.with_name(path.name + "-wal")
    if not _size(log):
        return
    with path.open("rb") as file:
        header = file.read(20)
    if header[18:20] == b"\x01\x01":
        raise StateError(
            f"Beside the state file {path} lies {log.name}, which belongs to another file.",
            f"If {path.name} was brought back from a backup, remove {log.name} and {path.name}-shm, then go on.",
        )


def memory_state() -> State:
    """A state that lives in memory only: what a dry run works with where there is no state file yet."""
    return _prepared(sqlite3.connect(":memory:", isolation_level=None), None, create=True)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError(
            f"The state file {path} can't be reached: {error.strerror}.",
            "Check SIAGHSYNC_STATE, and who may enter the folders above it.",
        ) from None


def _make_private(path: Path) -> None:
    # The mode comes before SQLite opens the file: its -wal and -shm files take over the mode of the main file.
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepared(db: sqlite3.Connection, path: Path | None, create: bool) -> State:
    db.row_factory = sqlite3.Row
    state = State(db, path)
    try:
        _check_mark(state, path, create)
        with _translated(path):
            db.execute("PRAGMA foreign_keys = ON")
            db.execute("PRAGMA synchronous = FULL")
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if path is not None and mode != "wal":
            raise StateError(
                f"The state file {path} can't use write-ahead logging (it answers {mode!r}).",
                "Put it on a local disk: network file systems can't keep it safe.",
            )
    except BaseException:
        db.close()
        raise
    return state


def _check_mark(state: State, path: Path | None, create: bool) -> None:
    mark, version = state.value("PRAGMA application_id"), state.value("PRAGMA user_version")
    is_blank = mark == 0 and state.value("SELECT count(*) FROM sqlite_master") == 0
    if mark != APPLICATION_ID and not (create and is_blank):
        raise StateError(
            f"{path} is not a state file of siaghsync.",
            "Check SIAGHSYNC_STATE; it must name a file of its own.",
        )
    if version > len(MIGRATIONS):
        raise StateError(
            f"The state file {path} was written by a newer siaghsync (version {version}, this one knows {len(MIGRATIONS)}).",
            "Install that version again; going back to an older one is not possible with this file.",
        )
    if mark == APPLICATION_ID and state.value("PRAGMA quick_check(1)") != "ok":
        raise StateError(*_damaged(path))
    for number in range(version, len(MIGRATIONS)):
        # Each step commits together with its number, so a kill between two steps loses nothing.
        with state.atomic():
            for statement in _statements(MIGRATIONS[number]):
                state.execute(statement)
            state.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            state.execute(f"PRAGMA user_version = {number + 1}")


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: executescript would commit behind our back."""
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""


def _damaged(path: Path | None) -> tuple[str, str]:
    return (
        f"The state file {path} is damaged.",
        "Move it away, together with the files beside it that end in -wal and -shm. Then bring it back from a backup or, "
        "without one, run `siaghsync initial-import`: it links what both systems already have and makes nothing twice.",
    )


@contextmanager
def _translated(path: Path | None) -> Iterator[None]:
    """Lets no error of SQLite out: each becomes a StateError that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        text = str(error)
        if "not a database" in text:
            raise StateError(
                f"{path} is not a state file of siaghsync.",
                "Check SIAGHSYNC_STATE; it must name a file of its own.",
            ) from None
        if "malformed" in text or "corrupt" in text:
            raise StateError(*_damaged(path)) from None
        if "full" in text:
            raise StateError(
                f"The disk of the state file {path} is full.",
                "Make room on it; what was saved so far is safe.",
            ) from None
        if "readonly" in text or "unable to open" in text:
            raise StateError(
                f"The state file {path} can't be opened for writing.",
                "Give the user that runs siaghsync write access to the file and to its folder.",
            ) from None
        if isinstance(error, sqlite3.OperationalError) and (
            "locked" in text or "busy" in text or "i/o" in text.lower()
        ):
            raise StateError(
                f"The state file {path} can't be used: {text}.",
                "Look at the disk that it is on, and who else has it open.",
            ) from None
        raise  # a statement of our own is wrong
