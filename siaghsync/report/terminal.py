"""The one room that talks to the terminal: stdout carries results, stderr progress, log and errors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from siaghsync.errors import SiaghsyncError
from siaghsync.report.sanitize import harmless

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress

_PLAIN_WIDTH = 120
"""Columns for tables that go to a file or a mail, unless COLUMNS says otherwise."""


def console(*, stderr: bool = False) -> Console:
    """A console; without colour and of fixed width when it is no terminal."""
    from rich.console import Console

    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if is_terminal or os.environ.get("COLUMNS", "").isdecimal() else _PLAIN_WIDTH
    # Said outright, or a FORCE_COLOR in the environment would put colour codes into files and mails.
    return Console(stderr=stderr, force_terminal=is_terminal, width=width, highlight=False, emoji=False, markup=False)


def show(*parts: RenderableType) -> None:
    """Puts a result on stdout; what steers a terminal does not get through, wherever it comes from."""
    from siaghsync.report.text import Guarded

    _make_way()
    out = console()
    for part in parts:
        out.print(Guarded(part))


def can_carry(letters: str) -> bool:
    """Whether stdout's encoding has all of these letters."""
    try:
        letters.encode(_encoding(sys.stdout))
    except UnicodeEncodeError:
        return False
    return True


def say(text: str) -> None:
    """Puts a line of progress or log on stderr."""
    _make_way()
    print(harmless(text, _encoding(sys.stderr)), file=sys.stderr, flush=True)


def _encoding(stream: Any) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def write_line(text: str) -> None:
    """Puts one plain line on stdout, as it is."""
    print(text, flush=True)


def write_json(document: dict[str, Any], **streams: Iterable[Any]) -> None:
    """Puts one JSON document on stdout; each of `streams` becomes a list in it, written item by item."""
    _make_way()
    out = sys.stdout
    out.write("{")
    out.write(", ".join(f"{json.dumps(key)}: {_json(value)}" for key, value in document.items()))
    for name, items in streams.items():
        out.write(f"{', ' if document else ''}{json.dumps(name)}: [")
        for position, item in enumerate(items):
            out.write((", " if position else "") + _json(item))
        out.write("]")
    out.write("}\n")
    out.flush()


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if can_carry(text) else json.dumps(value)


def error_document(kind: str, message: str, hint: str) -> dict[str, Any]:
    """The JSON document of a command that could not be carried out."""
    return {"error": {"kind": kind, "message": message, "hint": hint}}


def tell_error(error: SiaghsyncError, *, as_json: bool) -> None:
    """Says what went wrong and how to mend it, on stderr, and with `as_json` on stdout too."""
    if as_json:
        write_json(error_document(error.kind, error.message, error.hint))
    say(f"Error: {error.message}")
    if error.hint:
        say(f"  What to do: {error.hint}")


Step = Callable[[str, int, int | None], None]

_bars: list[_Bar] = []
"""The progress bar that is on the screen, if there is one."""


def _make_way() -> None:
    """Takes the progress bar from the screen, so that nothing is written into it; the next step brings it back."""
    for bar in _bars:
        bar.stop()


@contextmanager
def progress_bar(*, wanted: bool) -> Iterator[Step]:
    """A progress bar with rate and remaining time on stderr, if that is a terminal and one is `wanted`."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _label, _done, _total: None
        return
    bar = _Bar()
    _bars.append(bar)
    try:
        yield bar.step
    finally:
        bar.stop()
        _bars.remove(bar)


class _Bar:
    """The lines of a progress bar, made anew whenever something else was written meanwhile."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, Any] = {}

    def step(self, label: str, done: int, total: int | None) -> None:
        """Shows how far one thing is."""
        if self._progress is None:
            self._progress = _progress()
            self._progress.start()
        if label not in self._tasks:
            self._tasks[label] = self._progress.add_task(label, total=total)
        self._progress.update(self._tasks[label], completed=done, total=total)

    def stop(self) -> None:
        """Clears the lines."""
        if self._progress:
            self._progress.stop()
        self._progress, self._tasks = None, {}


def _progress() -> Progress:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )

    class Rate(ProgressColumn):
        def render(self, task: Task) -> str:
            return f"{task.speed:,.0f}/s" if task.speed else ""

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Rate(), TimeRemainingColumn())
    return Progress(*columns, console=console(stderr=True), transient=True)
