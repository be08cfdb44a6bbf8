"""Who may use the dashboard: the users of `dashboard-users.toml` beside the env file, and the one shared password.

Both are read again whenever their file has changed, so that a changed or removed password counts at once.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, Generic, TypeVar

from siaghsync.domain.normalize import fold
from siaghsync.errors import SettingsError
from siaghsync.files import write_text_atomic
from siaghsync.messages.message import Message
from siaghsync.password_hash import fits, is_hash

T = TypeVar("T")
FILE_NAME = "dashboard-users.toml"


class Role(IntEnum):
    """What a user may do: look at everything, decide reviews too, administer too."""

    LOOK = 1
    DECIDE = 2
    ADMINISTER = 3

    @property
    def word(self) -> str:
        """The role as it stands in the file and on the command line."""
        return self.name.lower()


WORDS = tuple(role.word for role in Role)


@dataclass(frozen=True, slots=True)
class DashboardUser:
    """One user. `password` is the scrypt hash (`password_hash.hashed`)."""

    name: str
    role: Role
    password: str


Users = Mapping[str, DashboardUser]
"""The users by `fold` of their name: two names that look alike are one."""


def read_users(path: Path) -> Users:
    """The users in the file; none if it is not there. Raises SettingsError if it can't be read or understood."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        users = [_user(name, entry) for name, entry in data.get("users", {}).items()]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SettingsError("settings.unreadable", file=str(path), error=str(error.strerror).lower()) from None
    except (
        UnicodeDecodeError,
        tomllib.TOMLDecodeError,
        KeyError,
        TypeError,
        AttributeError,
        ValueError,
        RecursionError,
    ):
        raise SettingsError("settings.users_not_understood", file=str(path)) from None
    return {fold(user.name): user for user in users}


def _user(name: str, entry: Mapping[str, Any]) -> DashboardUser:
    if not is_hash(entry["password"]):
        raise ValueError("not a hash")
    return DashboardUser(name, Role[entry["role"].upper()], entry["password"])


def write_users(path: Path, users: Users) -> None:
    """Replaces the file (mode 0600). Raises UsageError if it can't be written."""
    lines = ["# Who may use the dashboard. `siaghsync dashboard-user` writes this file.\n"]
    for user in sorted(users.values(), key=lambda user: user.name):
        # A basic string of TOML has the escapes of JSON.
        lines += [
            f"\n[users.{json.dumps(user.name)}]\n",
            f'role = "{user.role.word}"\n',
            f'password = "{user.password}"\n',
        ]
    write_text_atomic(path, "".join(lines))


class Watched(Generic[T]):
    """What stands in a file, read again whenever the file has changed; None, and told once, while it can't be understood."""

    def __init__(self, path: Path, read: Callable[[Path], T], tell: Callable[[Message], None]) -> None:
        self._path = path
        self._tell = tell
        self._read = read
        self._known: tuple[object, T | None] | None = None

    def now(self) -> T | None:
        """The content at present."""
        mark = self._mark()
        if self._known is None or self._known[0] != mark:
            self._known = (mark, self._content())
        return self._known[1]

    def _content(self) -> T | None:
        try:
            return self._read(self._path)
        except SettingsError as error:
            self._tell(error.message)
            return None

    def _mark(self) -> object:
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


class Access:
    """Checks logins and sessions. `shared_hash` reads DASHBOARD_PASSWORD_HASH out of the env file, "" for none.

    Nobody comes in while the file of the users can't be understood: nobody knows who is listed there. `tell` is told of it.
    """

    def __init__(self, env_file: Path, shared_hash: Callable[[Path], str], tell: Callable[[Message], None]) -> None:
        self._users = Watched(env_file.with_name(FILE_NAME), read_users, tell)
        self._shared = Watched(env_file, shared_hash, tell)

    def is_open(self) -> bool:
        """Whether anybody can log in."""
        users = self._users.now()
        return users is not None and bool(users or self._shared.now())

    def hash_of(self, name: str) -> tuple[str, Role]:
        """The hash that `name` has to know the password of, and the role. A listed user needs his own; everybody else may use
        the shared one, which lets decide. The hash is "" if there is none."""
        users = self._users.now()
        if users is None:
            return "", Role.LOOK
        user = users.get(fold(name))
        return (user.password, user.role) if user else (self._shared.now() or "", Role.DECIDE)

    def check(self, name: str, password: str) -> tuple[str, Role] | None:
        """The hash and role with which a session begins; None if the password is not the right one."""
        kept, role = self.hash_of(name)
        return (kept, role) if fits(password, kept) else None
