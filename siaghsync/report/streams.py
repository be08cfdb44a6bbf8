"""The two output streams: stdout carries the result of a command, stderr progress, log and errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from siaghsync.errors import SiaghsyncError
from siaghsync.messages.catalog import cure, render
from siaghsync.messages.message import Message, msg
from siaghsync.report.sanitize import harmless

before_output: list[Callable[[], None]] = []
"""Called before anything is written. A progress bar that is on the screen registers here and takes itself away."""


def clear_screen() -> None:
    """Lets whatever is on the screen for now make room."""
    for prepare in before_output:
        prepare()


def can_carry(letters: str) -> bool:
    """Whether stdout's encoding has all of these letters."""
    try:
        letters.encode(_encoding(sys.stdout))
    except UnicodeEncodeError:
        return False
    return True


def say(text: str) -> None:
    """Writes a line of progress or log to stderr."""
    clear_screen()
    print(harmless(text, _encoding(sys.stderr)), file=sys.stderr, flush=True)


def say_message(message: Message) -> None:
    """Writes a message to stderr."""
    say(render(message))


def write_line(text: str) -> None:
    """Writes one plain line to stdout, as it is."""
    print(text, flush=True)


def write_json(document: Mapping[str, Any], **streams: Iterable[Any]) -> None:
    """Writes one JSON document to stdout. Each of `streams` becomes a list in it, written item by item."""
    clear_screen()
    out, separator = sys.stdout, ""
    out.write("{")
    for key, value in document.items():
        out.write(f"{separator}{json.dumps(key)}: {_json(value)}")
        separator = ", "
    for name, items in streams.items():
        out.write(f"{separator}{json.dumps(name)}: [")
        separator = ", "
        for position, item in enumerate(items):
            out.write((", " if position else "") + _json(item))
        out.write("]")
    out.write("}\n")
    out.flush()


def error_document(error: SiaghsyncError) -> dict[str, Any]:
    """The JSON document of a command that could not be carried out."""
    return _error_document(error.kind, error.message)


def tell_error(error: SiaghsyncError, *, as_json: bool) -> None:
    """Says on stderr what went wrong and what to do, and with `as_json` on stdout too."""
    _tell(error.kind, error.message, as_json=as_json)


def tell_bug(error: Exception, *, as_json: bool) -> None:
    """The same for an exception that nobody expected; its text stays unsaid, since it may hold anything."""
    _tell("bug", msg("error.bug", type=type(error).__name__), as_json=as_json)


def _tell(kind: str, message: Message, *, as_json: bool) -> None:
    if as_json:
        write_json(_error_document(kind, message))
    say_message(msg("cli.error", message=message))
    if hint := cure(message):
        say_message(msg("cli.what_to_do", hint=hint))


def _error_document(kind: str, message: Message) -> dict[str, Any]:
    return {"error": {"kind": kind, "message": render(message), "hint": cure(message)}}


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if can_carry(text) else json.dumps(value)


def _encoding(stream: Any) -> str:
    return getattr(stream, "encoding", None) or "utf-8"
