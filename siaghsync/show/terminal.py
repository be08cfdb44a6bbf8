"""The one room that talks to the terminal: stdout carries results, stderr progress, log and errors."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from siaghsync.errors import SiaghsyncError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

_PLAIN_WIDTH = 120
"""Columns for tables that go to a file or a mail."""


def console(*, stderr: bool = False) -> Console:
    """A console; without colour and of fixed width when it is no terminal."""
    from rich.console import Console

    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if is_terminal else _PLAIN_WIDTH
    # Said outright, or a FORCE_COLOR in the environment would put colour codes into files and mails.
    return Console(stderr=stderr, force_terminal=is_terminal, width=width, highlight=False, emoji=False)


def show(*parts: RenderableType) -> None:
    """Puts a result on stdout."""
    out = console()
    for part in parts:
        out.print(part, markup=False)


def say(text: str) -> None:
    """Puts a line of progress or log on stderr."""
    print(text, file=sys.stderr, flush=True)


def write_line(text: str) -> None:
    """Puts one plain line on stdout, as it is."""
    print(text, flush=True)


def write_json(document: dict[str, Any], **streams: Iterable[Any]) -> None:
    """Puts one JSON document on stdout; each of `streams` becomes a list in it, written item by item."""
    out = sys.stdout
    out.write("{")
    out.write(
        ", ".join(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}" for key, value in document.items())
    )
    for name, items in streams.items():
        out.write(f"{', ' if document else ''}{json.dumps(name)}: [")
        for position, item in enumerate(items):
            out.write((", " if position else "") + json.dumps(item, ensure_ascii=False))
        out.write("]")
    out.write("}\n")
    out.flush()


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


@contextmanager
def progress_bar(*, wanted: bool) -> Iterator[Step]:
    """A progress bar with rate and remaining time on stderr, if that is a terminal and one is `wanted`."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _label, _done, _total: None
        return
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
    with Progress(*columns, console=console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def step(label: str, done: int, total: int | None) -> None:
            if label not in tasks:
                tasks[label] = bar.add_task(label, total=total)
            bar.update(tasks[label], completed=done, total=total)

        yield step
