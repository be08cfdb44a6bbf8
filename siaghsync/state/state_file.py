"""Opens the state file: its lock, its mode, its mark and its schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from siaghsync.errors import LockHeld, StateError
from siaghsync.state.database import State, damaged, make_private, translated
from siaghsync.state.migrations import APPLICATION_ID, MIGRATIONS

_CHECKED_WHOLE = 16 * 2**20
"""Up to this many bytes the state file is looked through at every start."""
_DECIDING = ("facts", "customer_mappings", "invoice_mappings", "cursors", "seen", "waiting", "skips", "reviews")


@contextmanager
def run_lock(path: Path) -> Iterator[None]:
    """Holds the lock of the state file at `path` for as long as the block runs.

    The lock dies with its process, however that ends, and its file is never deleted: beside a missing state file it tells of
    an earlier one. Raises LockHeld if another
    process has it, StateError if the lock file can't be made.
    """
    lock = FileLock(f"{path}.lock", mode=0o600, preserve_lock_file=True)
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
            make_private(path) if size is None else path.chmod(0o600)
        except OSError as error:
            raise StateError(
                f"The state file {path} can't be made: {error.strerror}.",
                "Let SIAGHSYNC_STATE name a file in a folder that the user who runs siaghsync may write to.",
            ) from None
    _refuse_foreign_log(path)
    with translated(path):
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


def _prepared(db: sqlite3.Connection, path: Path | None, create: bool) -> State:
    db.row_factory = sqlite3.Row
    state = State(db, path)
    try:
        _check_mark(state, path, create)
        with translated(path):
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
    if mark == APPLICATION_ID and not _is_sound(state):
        raise StateError(*damaged(path))
    for number in range(version, len(MIGRATIONS)):
        # Each step commits together with its number, so a kill between two steps loses nothing.
        with state.atomic():
            if state.value("PRAGMA user_version") > number:
                continue  # another process has taken the step meanwhile
            for statement in _statements(MIGRATIONS[number]):
                state.execute(statement)
            state.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            state.execute(f"PRAGMA user_version = {number + 1}")


def _is_sound(state: State) -> bool:
    """Whether SQLite finds no damage: in the whole file, or, in a large one, in what decides about the next write.

    A whole look costs seconds of a busy minute once there are a hundred thousand customers. What it would find in the
    other tables ends a run with the same message as soon as they are read.
    """
    pages, size = state.value("PRAGMA page_count"), state.value("PRAGMA page_size")
    if pages * size <= _CHECKED_WHOLE:
        return bool(state.value("PRAGMA quick_check(1)") == "ok")
    present = {row["name"] for row in state.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    return all(state.value(f"PRAGMA quick_check({table})") == "ok" for table in _DECIDING if table in present)


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: executescript would commit behind our back."""
    part = ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            yield part
            part = ""
