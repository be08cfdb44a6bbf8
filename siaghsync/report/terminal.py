"""Tables and the progress bar on the terminal. Without a terminal there is no colour, no bar, and a fixed width."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn

from siaghsync.messages.catalog import title
from siaghsync.report.streams import before_output, clear_screen
from siaghsync.report.text import Guarded

_PLAIN_WIDTH = 120
"""Columns for tables that go to a file or a mail, unless COLUMNS says otherwise."""

Step = Callable[[str, int, int | None], None]
"""Told (a code of the catalog's chapter `progress`, how many are done, of how many or None)."""


def console(*, stderr: bool = False) -> Console:
    """A console; without colour and of fixed width when it is not a terminal."""
    is_terminal = (sys.stderr if stderr else sys.stdout).isatty()
    width = None if is_terminal or os.environ.get("COLUMNS", "").isdecimal() else _PLAIN_WIDTH
    # Stated explicitly, or a FORCE_COLOR in the environment would put colour codes into files and mails.
    return Console(stderr=stderr, force_terminal=is_terminal, width=width, highlight=False, emoji=False, markup=False)


def show(*parts: RenderableType) -> None:
    """Writes a result to stdout. Nothing in it can steer the terminal, wherever it comes from."""
    clear_screen()
    out = console()
    for part in parts:
        out.print(Guarded(part))


@contextmanager
def progress_bar(*, wanted: bool) -> Iterator[Step]:
    """A progress bar with rate and remaining time on stderr, if that is a terminal and one is `wanted`."""
    if not wanted or not sys.stderr.isatty():
        yield lambda _code, _done, _total: None
        return
    bar = _Bar()
    before_output.append(bar.stop)
    try:
        yield bar.step
    finally:
        bar.stop()
        before_output.remove(bar.stop)


class _Bar:
    """The lines of a progress bar, drawn anew whenever something else was written meanwhile."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._tasks: dict[str, Any] = {}

    def step(self, code: str, done: int, total: int | None) -> None:
        """Shows how far one thing is."""
        if self._progress is None:
            self._progress = Progress(*_columns(), console=console(stderr=True), transient=True)
            self._progress.start()
        if code not in self._tasks:
            self._tasks[code] = self._progress.add_task(title(f"progress.{code}"), total=total)
        self._progress.update(self._tasks[code], completed=done, total=total)

    def stop(self) -> None:
        """Clears the lines."""
        if self._progress:
            self._progress.stop()
        self._progress, self._tasks = None, {}


class _Rate(ProgressColumn):
    """How many are done in a second."""

    def render(self, task: Task) -> str:
        """`1,200/s`, or nothing as long as it is not known."""
        return f"{task.speed:,.0f}/s" if task.speed else ""


def _columns() -> tuple[ProgressColumn, ...]:
    return TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn()
