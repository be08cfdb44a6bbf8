"""The lock of a state file: it belongs to the file, not to a name of it, and dies with its process, however that ends.

Two locks are held. That of the lock file beside the state file keeps a run out from the first moment, also while there is no
state file yet. That of the state file itself, which Windows neither has nor needs, outlives the loss of the lock file: as long as
a run may still wait for an answer, no other one can take over what it has open.

The lock file also says how far the state file has come (`State.advance`), which gives a copy away that was put in its place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor, unlock_descriptor

from siaghsync.errors import LockHeld, StateError

_OPEN_LOCK_FILE = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_OPEN_STATE = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_LINE = b"%020d\n"
_spare: dict[tuple[int, int], list[int]] = {}
"""Descriptors of state files that nobody uses just now, by device and inode."""


def lock_path(path: Path) -> Path:
    """The lock file of the state file at `path`, the same one under each of its names."""
    return Path(f"{os.path.realpath(path)}.lock")


@contextmanager
def run_lock(path: Path) -> Iterator[RunLock]:
    """Holds the lock of the state file at `path` for as long as the block runs.

    The lock file is never deleted: beside a missing state file it shows that there was one. Raises LockHeld if somebody else has
    it, StateError if the lock file can't be created or locked.
    """
    file = lock_path(path)
    try:
        lock = RunLock(Path(os.path.realpath(path)), file, os.open(file, _OPEN_LOCK_FILE, 0o600))
    except OSError as error:
        raise _unusable("state.lock_not_created", file, error) from None
    try:
        lock.take()
        yield lock
    finally:
        lock.release()


class RunLock:
    """The lock of one state file, held by this process. `path` is the state file, `file` the lock file."""

    def __init__(self, path: Path, file: Path, descriptor: int) -> None:
        self.path = path
        self.file = file
        self._beside = descriptor
        self._itself: int | None = None

    def take(self) -> None:
        """Takes it. Raises LockHeld and StateError as `run_lock` does."""
        try:
            is_free = lock_descriptor(self._beside, blocking=False)
        except OSError as error:
            raise _unusable("state.lock_refused", self.file, error) from None
        if not is_free or self.is_lost():  # deleted between the two steps
            raise LockHeld("state.locked", name=self.path.name)
        self.take_state_file()

    def take_state_file(self) -> None:
        """Locks the state file itself, once it is there. Raises LockHeld if a run holds it that has lost its lock file."""
        if sys.platform == "win32" or self._itself is not None:
            return
        try:
            self._itself = _borrowed(self.path)
            is_free = lock_descriptor(self._itself, blocking=False)
        except OSError:
            return  # What is wrong with it is told when it is opened.
        if not is_free:
            raise LockHeld("state.locked", name=self.path.name)

    def is_lost(self) -> bool:
        """Whether the lock file or the state file is not the one any more that was locked."""
        if sys.platform == "win32":
            return False  # an open file can be neither deleted nor replaced there
        held = ((self._beside, self.file), (self._itself, self.path))
        return not all(descriptor is None or _leads_to(path, descriptor) for descriptor, path in held)

    def generation(self) -> int:
        """What `keep` wrote last, in this run or an earlier one; 0 if the lock file does not say."""
        os.lseek(self._beside, 0, os.SEEK_SET)
        text = os.read(self._beside, len(_LINE % 0)).strip()
        return int(text) if text.isdigit() else 0

    def keep(self, generation: int) -> None:
        """Writes down how far the state file has come, after that is on disk in the state file itself.

        The order and the missing sync can only make the lock file lag behind, which looks like no copy. Raises StateError.
        """
        try:
            os.lseek(self._beside, 0, os.SEEK_SET)
            os.write(self._beside, _LINE % generation)
        except OSError as error:
            raise _unusable("state.lock_not_written", self.file, error) from None

    def release(self) -> None:
        """Lets it go."""
        if self._itself is not None:
            unlock_descriptor(self._itself)
            _give_back(self._itself)
        with suppress(OSError):  # Windows minds if it was not taken.
            unlock_descriptor(self._beside)
        os.close(self._beside)


@contextmanager
def kept_open(path: Path) -> Iterator[int]:
    """A descriptor for reading the state file at `path`, at its beginning. Raises OSError."""
    descriptor = _borrowed(path)
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        _give_back(descriptor)


def _borrowed(path: Path) -> int:
    found = path.stat()
    with suppress(KeyError, IndexError):
        return _spare[found.st_dev, found.st_ino].pop()
    return os.open(path, _OPEN_STATE)


def _give_back(descriptor: int) -> None:
    """Closing it would take away SQLite's own locks of this file from all threads of the process, as POSIX wants it."""
    found = os.fstat(descriptor)
    if sys.platform == "win32" or not found.st_nlink:
        os.close(descriptor)
    else:
        _spare.setdefault((found.st_dev, found.st_ino), []).append(descriptor)


def _leads_to(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except OSError:
        return False


def _unusable(code: str, file: Path, error: OSError) -> StateError:
    detail = error.strerror or str(error)
    return StateError(code, name=file.name, detail=detail, folder=str(file.parent))
