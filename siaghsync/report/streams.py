"""The two output streams: stdout carries the result of a command, stderr progress, log and errors."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TextIO

from siaghsync.errors import SiaghsyncError
from siaghsync.messages.catalog import cure, render
from siaghsync.messages.message import Message, msg
from siaghsync.report.sanitize import harmless

before_output: list[Callable[[], None]] = []
"""Called before anything is written. A progress bar that is on the screen registers here and takes itself away."""


_kept: list[Message] = []
"""What is only worth saying if the command fails."""


class _Lasting(io.FileIO):
    """The file behind a standard stream. When it takes nothing more, what is still written goes nowhere and the work goes on."""

    is_cut = False

    def write(self, data: Any, /) -> int:
        """Writes what the file takes."""
        try:
            return super().write(data)
        except OSError:
            self.is_cut = True
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return memoryview(data).nbytes


def outlive_the_reader() -> Callable[[], bool]:
    """From now on no error of stdout or stderr reaches the program: closed, full, or a pipe whose reader has gone.

    Returns a function that says, at the end, whether something written to stdout did not arrive. A stream that was closed from
    the beginning is not missed.
    """
    while (spare := os.open(os.devnull, os.O_RDWR)) < 3:
        pass  # in the place of a closed stream, so that no file of ours gets its number
    os.close(spare)
    if sys.platform == "win32" and sys.stdout and sys.stdout.isatty():
        return lambda: False  # The console has files of its own.
    raw, sys.stdout = _outliving(sys.stdout, 1)
    _, sys.stderr = _outliving(sys.stderr, 2)

    def is_cut() -> bool:
        sys.stdout.flush()
        return raw.is_cut

    return is_cut


def _outliving(stream: TextIO | None, descriptor: int) -> tuple[_Lasting, TextIO]:
    raw = _Lasting(descriptor, "w", closefd=False)
    encoding, errors = (stream.encoding, stream.errors) if stream else ("utf-8", "replace")
    by_line = raw.isatty() or descriptor == 2
    return raw, io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors, line_buffering=by_line)


def keep_for_failure(message: Message) -> None:
    """Keeps a message for `say_kept`."""
    _kept.append(message)


def say_kept(*, failed: bool) -> None:
    """At the end of a command: says what was kept if it `failed`."""
    for message in _kept if failed else ():
        say_message(message)
    _kept.clear()


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
