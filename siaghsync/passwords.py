"""The password as Siagh wants it, and writing password hashes into the env file."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import sys
import tempfile
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from siaghsync.errors import SettingsError, UsageError

_BOM = "\ufeff"

# One assignment as the env file's parser hands it over: blank lines before it and its line ending included.
_ASSIGNMENT = re.compile(
    r"""
    (?P<key>    \s* (?:export[^\S\r\n]+)? '?[A-Z_]+'? [^\S\r\n]*? )
    (?:
    (?P<equals> [^\S\r\n]* = (?:[^\S\r\n]++(?!\#))? )
                (?: '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*" | .*? )
    )?
    (?P<rest>   (?:[^\S\r\n]+\#[^\r\n]*)? [^\S\r\n]* (?:\r\n|\n|\r)? )
    """,
    re.VERBOSE | re.DOTALL,
)


def finance_hash(password: str) -> str:
    """The MD5 of the password's UTF-8 bytes as 32 upper-case hex digits (contract siagh §2).

    Raises UsageError for text that is not valid Unicode.
    """
    try:
        data = password.encode()
    except UnicodeEncodeError:
        # `from None`: the foreign error carries the password.
        raise UsageError("usage.password_not_text") from None
    return hashlib.md5(data, usedforsecurity=False).hexdigest().upper()


def save_hash(env_file: Path, digest: str, name: str = "FINANCE_PASSWORD") -> None:
    """Write `digest` as the setting `name` into the env file and leave everything else in it byte for byte.

    Every assignment of the key is set, since the file's readers disagree on which of several counts; if there is
    none, a line is added at the end. A new file gets mode 0600, an old one keeps its mode and owner. A symbolic
    link is followed. The file is replaced in one step. Raises SettingsError if it can't be read or written.
    """
    try:
        target = env_file.resolve()
        if target.exists() and not target.is_file():
            raise SettingsError("settings.not_a_file", file=str(env_file))
        old = target.read_bytes().decode() if target.exists() else ""
        _replace(target, _with_hash(old, digest, name).encode())
    except OSError as error:
        why = str(error.strerror).lower()
        raise SettingsError("settings.not_written", name=name, file=str(env_file), error=why) from error
    except UnicodeDecodeError:
        # `from None`: the foreign error carries the file's content.
        raise SettingsError("settings.not_utf8", file=str(env_file)) from None


def _with_hash(text: str, digest: str, name: str) -> str:
    bom = _BOM if text.startswith(_BOM) else ""
    parts, found = [bom], False
    for binding in parse_stream(StringIO(text.removeprefix(_BOM), newline="")):
        old = binding.original.string
        match = _ASSIGNMENT.fullmatch(old) if binding.key == name else None
        if match:
            found = True
            parts.append(f"{match['key']}{match['equals'] or '='}{digest}{match['rest']}")
        else:
            parts.append(old)
    new = "".join(parts)
    if found:
        return new
    newline = "\r\n" if "\r\n" in new else "\n"
    between = newline if new.removeprefix(_BOM) and not new.endswith(("\n", "\r")) else ""
    return f"{new}{between}{name}={digest}{newline}"


def _replace(target: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            old, new = target.stat(), temporary.stat()
            # Root must not take the file away from the user that cron runs as.
            if sys.platform != "win32" and (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
                os.chown(temporary, old.st_uid, old.st_gid)
            temporary.chmod(stat.S_IMODE(old.st_mode))
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
