"""What is odd about the settings without being wrong: one line each for whoever reads cron's mails."""

from __future__ import annotations

import difflib
import re
import stat
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from dotenv.parser import parse_stream

from siaghsync.messages.message import Message, Param, msg
from siaghsync.settings import Settings, line_of

_NAME = re.compile(r"[A-Z][A-Z0-9_]*")
"""What looks like the name of a setting. Anything else may be a piece of a secret, and is not shown."""


def doubts_of_env_file(path: Path) -> Iterator[Message]:
    """Whether others can read it, and which names in it are unknown or given twice. Of a file that can't be read nothing is
    said here."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return
    if sys.platform != "win32" and mode & stat.S_IROTH:
        yield msg("settings.others_can_read", file=str(path))
    seen: set[str] = set()
    for binding in parse_stream(StringIO(text)):
        if binding.key is None:
            continue
        place: dict[str, Param] = {"file": str(path), "line": line_of(binding), "name": binding.key}
        if binding.key.lower() not in Settings.model_fields or not binding.key.isupper():
            yield _unknown(place)
        elif binding.key in seen:
            yield msg("settings.given_twice", **place)
        seen.add(binding.key)


def _unknown(place: dict[str, Param]) -> Message:
    name = str(place["name"])
    names = [known.upper() for known in Settings.model_fields]
    if like := difflib.get_close_matches(name.upper(), names, 1):
        return msg("settings.unknown_name_like", **place, like=like[0])
    return msg("settings.unknown_name", **place) if _NAME.fullmatch(name) else msg("settings.unknown_line", **place)


def doubts_of_metrics_file(path: Path | None) -> Iterator[Message]:
    """Whether its folder is not there."""
    if path and not path.parent.is_dir():
        yield msg("settings.no_metrics_folder", folder=str(path.parent))
