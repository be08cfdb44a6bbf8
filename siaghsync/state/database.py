"""The state file: how it is opened and checked, its transactions, and the door to sqlite-utils.

One process at a time writes (`access.locked_state`), and in it one thread. WAL with synchronous=FULL: a commit that was
acknowledged survives a power loss.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlite_utils
from sqlite_utils.db import Table

from siaghsync.errors import LockHeld, StateError
from siaghsync.state import migrations
from siaghsync.state.lock import RunLock, kept_open

Row = sqlite3.Row
Values = Sequence[object] | Mapping[str, object]

_CHECKED_WHOLE = 16 * 2**20
"""Up to this size in bytes the whole state file is checked at every start."""
_DECIDING = ("meta", "customer_mappings", "posted_documents", "cursors", "seen", "retries", "skips", "reviews")
"""The tables that decide about the next write: in a larger file only these are checked."""
_GENERATION = "generation"
_GROWS_AND_SHRINKS = "PRAGMA auto_vacuum = INCREMENTAL"
_WORTH_REWRITING = 1_000
"""Free pages."""
_READING = ("SELECT", "PRAGMA", "WITH", "EXPLAIN")


class State:
    """An open state file. Not shared between threads."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self._connection = connection
        self.path = path
        self.lock: RunLock | None = None
        self._advanced_to: int | None = None
        self.db: sqlite_utils.Database = _Database(connection, path)
        """The same connection through sqlite-utils. It writes inside `atomic` only, too."""

    def rows(self, sql: str, values: Values = ()) -> list[Row]:
        """All rows of a query."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise _explained(error, self.path) from None

    def row(self, sql: str, values: Values = ()) -> Row | None:
        """The first row of a query, or None."""
        try:
            found: Row | None = self._connection.execute(sql, values).fetchone()
        except sqlite3.Error as error:
            raise _explained(error, self.path) from None
        return found

    def value(self, sql: str, values: Values = ()) -> Any:
        """The first column of the first row, or None."""
        found = self.row(sql, values)
        return found[0] if found else None

    def execute(self, sql: str, values: Values = ()) -> int:
        """Changes something; only inside `atomic`. Returns the id of the new row, if there is one, else 0."""
        self._must_be_writing()
        try:
            return self._connection.execute(sql, values).lastrowid or 0
        except sqlite3.Error as error:
            raise _explained(error, self.path) from None

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> int:
        """The same change for many rows; only inside `atomic`. Returns how many rows were changed."""
        self._must_be_writing()
        try:
            return self._connection.executemany(sql, rows).rowcount
        except sqlite3.Error as error:
            raise _explained(error, self.path) from None

    def _must_be_writing(self) -> None:
        if not self._connection.in_transaction:
            raise RuntimeError("a write outside a transaction")

    @contextmanager
    def atomic(self) -> Iterator[None]:
        """One transaction: all of the block is on disk when it ends, or nothing of it. Blocks may be nested.

        IMMEDIATE, since a transaction that reads first and writes later can fail at once, whatever the timeout.
        """
        if self._connection.in_transaction:
            yield
            return
        with explained_errors(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            with explained_errors(self.path):
                self._connection.execute("COMMIT")
            if self.lock and self._advanced_to:
                self.lock.keep(self._advanced_to)
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._advanced_to = None

    @property
    def generation(self) -> int:
        """How often `advance` was called for this file, or for the one that it is a copy of."""
        return int(self.meta(_GENERATION) or 0)

    def advance(self) -> None:
        """Counts on, in the transaction at hand: what comes now, no copy of the file from before knows of.

        Raises LockHeld, before anything is written, if the lock that this file was opened under is lost.
        """
        if self.lock is None or self._advanced_to:
            return
        if self.lock.is_lost():
            raise LockHeld("state.lock_lost", name=self.lock.path.name, lock=self.lock.file.name)
        self._advanced_to = max(self.generation, self.lock.generation()) + 1
        self.execute("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (_GENERATION, str(self._advanced_to)))

    def meta(self, name: str) -> str | None:
        """A single remembered value, or None."""
        found: str | None = self.value("SELECT value FROM meta WHERE name = ?", (name,))
        return found

    def set_meta(self, name: str, value: str | None) -> None:
        """Remembers a single value; None forgets it."""
        with self.atomic():
            if value is None:
                self.db.table("meta").delete_where("name = ?", [name])
            else:
                self.db.table("meta").insert({"name": name, "value": value}, replace=True)

    def copy_to(self, connection: sqlite3.Connection) -> None:
        """Copies the whole file into another database, consistent also while another process writes."""
        self._connection.backup(connection)

    def rewrite(self) -> None:
        """Writes the whole file anew, so that what was taken out stands nowhere in it or in its log."""
        with explained_errors(self.path):
            self._connection.execute(_GROWS_AND_SHRINKS)  # takes effect in a file that was made without it
            self._connection.execute("VACUUM")
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def give_back(self, most_pages: int) -> None:
        """Lets the file shrink by the pages that are free, up to so many at once.

        A file from before that was possible is written anew once a quarter of it is free; a kill leaves it as it was. What
        another process holds up is done another day.
        """
        free, pages = self.value("PRAGMA freelist_count"), self.value("PRAGMA page_count")
        with suppress(StateError), explained_errors(self.path):
            if self.value("PRAGMA auto_vacuum"):
                self._connection.executescript(
                    f"PRAGMA incremental_vacuum({most_pages})"
                )  # `execute` takes one step of it
            elif free > _WORTH_REWRITING and free > pages / 4:
                self.rewrite()

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()


class _Database(sqlite_utils.Database):
    """sqlite-utils on our connection: our errors, and no write outside a transaction of `State.atomic`."""

    def __init__(self, connection: sqlite3.Connection, path: Path | None) -> None:
        self.path = path
        super().__init__(connection, recursive_triggers=False, execute_plugins=False)

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> sqlite3.Cursor:
        self._refuse_lone_write(sql)
        with explained_errors(self.path):
            return super().execute(sql, parameters)

    def query(
        self, sql: str, params: Sequence[Any] | dict[str, Any] | None = None
    ) -> Generator[dict[str, Any], None, None]:
        self._refuse_lone_write(sql)
        return super().query(sql, params)

    def executescript(self, sql: str) -> sqlite3.Cursor:
        self._refuse_lone_write(sql)
        return super().executescript(sql)

    @contextmanager
    def atomic(self) -> Generator[sqlite_utils.Database, None, None]:  # around each write of sqlite-utils
        self._refuse_lone_write("")
        with super().atomic():
            yield self

    def _refuse_lone_write(self, sql: str) -> None:
        if not self.conn.in_transaction and not sql.lstrip()[:7].upper().startswith(_READING):
            raise RuntimeError("a write outside a transaction")

    def table(self, table_name: str, **options: Any) -> Table:
        return _Table(self, table_name, **options)


class _Table(Table):
    def rows_where(self, *where: Any, **options: Any) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        assert isinstance(self.db, _Database)
        with explained_errors(self.db.path):  # a damaged page can show while the rows are read
            yield from super().rows_where(*where, **options)


# --- opening -----------------------------------------------------------------------------------------------


def open_state(path: Path, *, create: bool = False) -> State:
    """Opens the state file at `path`; with `create` a missing or empty one is created, mode 0600.

    A symbolic link is followed first, for SQLite's companions and the lock lie beside the file itself. Raises StateError if it is
    missing, empty, damaged, foreign or newer than this program, or has a second name.
    """
    path = Path(os.path.realpath(path))
    size = _size(path)
    if not create and not size:
        raise StateError("state.missing" if size is None else "state.empty", path=str(path))
    if not size:
        try:
            make_private(path) if size is None else path.chmod(0o600)
        except OSError as error:
            raise StateError("state.not_created", path=str(path), detail=error.strerror or str(error)) from None
    elif path.stat().st_nlink > 1:
        raise StateError("state.second_name", path=str(path))
    _refuse_foreign_log(path)
    with explained_errors(path):
        connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    return _prepared(connection, path, create)


def memory_state() -> State:
    """A state that lives in memory only: what a dry run works with where there is no state file yet."""
    return _prepared(sqlite3.connect(":memory:", isolation_level=None), None, create=True)


def make_private(path: Path) -> None:
    """Creates an empty file with mode 0600. Raises OSError, also if the file exists.

    It comes before SQLite opens the file: the files -wal and -shm take over the mode of the main file.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _refuse_foreign_log(path: Path) -> None:
    """A backup that was put in place beside the log of the old file: SQLite would replay that log into it.

    A backup is written without write-ahead logging (bytes 18 and 19 of its header are 1); a file of ours in use is not.
    """
    log = path.with_name(path.name + "-wal")
    if not _size(log):
        return
    with kept_open(path) as descriptor:
        header = os.read(descriptor, 20)
    if header[18:20] == b"\x01\x01":
        raise StateError("state.foreign_log", path=str(path), name=path.name, log=log.name)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateError("state.not_reachable", path=str(path), detail=error.strerror or str(error)) from None


def _prepared(connection: sqlite3.Connection, path: Path | None, create: bool) -> State:
    connection.row_factory = sqlite3.Row
    state = State(connection, path)
    try:
        _check_mark(state, create)
        with explained_errors(path):
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA synchronous = FULL")
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if path is not None and mode != "wal":  # a failure shows in the answer only
            raise StateError("state.no_wal", path=str(path), mode=mode)
    except BaseException:
        connection.close()
        raise
    return state


def _check_mark(state: State, create: bool) -> None:
    mark, version = state.value("PRAGMA application_id"), state.value("PRAGMA user_version")
    is_blank = mark == 0 and state.value("SELECT count(*) FROM sqlite_master") == 0
    if mark != migrations.APPLICATION_ID and not (create and is_blank):
        raise StateError("state.foreign", path=str(state.path))
    if version > migrations.VERSION:
        raise StateError("state.newer", path=str(state.path), version=version, known=migrations.VERSION)
    if mark == migrations.APPLICATION_ID and not _is_sound(state):
        raise StateError("state.damaged", path=str(state.path))
    if is_blank:
        state.rows(_GROWS_AND_SHRINKS)
    if version < migrations.VERSION:
        # All steps commit together with their number: a kill in between leaves the file as it was. Of several processes
        # the first takes the steps, the others find them taken.
        with state.atomic(), explained_errors(state.path):
            migrations.apply(state.db)


def _is_sound(state: State) -> bool:
    """Whether SQLite finds no damage: in the whole file, or, in a large one, in what decides about the next write.

    A whole check costs seconds of a busy minute once there are a hundred thousand customers. What it would find in the
    other tables ends a run with the same message as soon as they are read.
    """
    pages, size = state.value("PRAGMA page_count"), state.value("PRAGMA page_size")
    if pages * size <= _CHECKED_WHOLE:
        return bool(state.value("PRAGMA quick_check(1)") == "ok")
    present = {row["name"] for row in state.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return all(state.value(f"PRAGMA quick_check({table})") == "ok" for table in _DECIDING if table in present)


# --- errors of SQLite --------------------------------------------------------------------------------------


@contextmanager
def explained_errors(path: Path | None) -> Iterator[None]:
    """Lets no error of SQLite out: each becomes a StateError that says what to do."""
    try:
        yield
    except sqlite3.Error as error:
        raise _explained(error, path) from None


def _explained(error: sqlite3.Error, path: Path | None) -> Exception:
    """The StateError that says what to do about `error`; itself, if a statement or a row of our own is wrong."""
    text = str(error)  # sqlite3 of Python 3.11 has no error code for each of these
    if isinstance(error, sqlite3.IntegrityError):
        return error
    if "not a database" in text:
        return StateError("state.foreign", path=str(path))
    if "malformed" in text or "corrupt" in text or "decode" in text:
        return StateError("state.damaged", path=str(path))
    if "full" in text:
        return StateError("state.disk_full", path=str(path))
    if "readonly" in text or "unable to open" in text:
        return StateError("state.not_writable", path=str(path))
    if isinstance(error, sqlite3.OperationalError) and ("locked" in text or "busy" in text or "i/o" in text.lower()):
        return StateError("state.not_usable", path=str(path), detail=text)
    return error
