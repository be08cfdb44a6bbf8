"""What a command takes from its surroundings: the settings, the user, and whether a run is at work. Loads no network."""

from __future__ import annotations

import getpass
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import typer

from siaghsync.cli.doubts import doubts_of_env_file, doubts_of_metrics_file
from siaghsync.cli.options import GlobalOptions
from siaghsync.errors import Interrupted, LockHeld, SiaghsyncError, is_interruption
from siaghsync.files import check_output
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.report.streams import keep_for_failure, say_message
from siaghsync.settings import Settings, load
from siaghsync.state.lock import run_lock


@dataclass(slots=True)
class Stop:
    """`event` is set by SIGINT or SIGTERM; `exit_code` is 130 or 143 then, else 0."""

    event: threading.Event
    exit_code: int = 0


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Lets the first SIGINT or SIGTERM ask for an orderly end; a second one ends the process at once.

    Raises Interrupted with the signal's exit code if the block, or a request in it, stops because of the first one. Ending
    at once is safe: a request in flight has left an open intent, which the next run looks up.
    """
    stop = Stop(threading.Event())

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.event.is_set():
            os._exit(128 + number)
        stop.exit_code = 128 + number
        stop.event.set()

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    except SiaghsyncError as error:
        if stop.exit_code and is_interruption(error):
            raise Interrupted(stop.exit_code) from None
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def agrees() -> bool:
    """Whether the person at the terminal wants to go on; Enter alone is a no. Raises Interrupted for a signal."""
    with _interruptible():
        return typer.confirm(render(msg("cli.go_on")), default=False, err=True)


def answer_to(question: Message) -> str:
    """What the person at the terminal types, asked in both languages; "" for Enter alone. Raises Interrupted for a signal."""
    with _interruptible():
        text = f"{render(question)} / {render(question, 'fa')}"
        return str(typer.prompt(text, default="", show_default=False, err=True)).strip()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Within it a signal ends the command at once: after one that only asks for the end the terminal would be read on."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise Interrupted(128 + number)

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def settings_of(context: typer.Context, *outputs: Path | None, quiet: bool = False) -> Settings:
    """The validated settings for this call, which is going to write these files; what is odd about them is said on stderr.

    With `quiet` that is only said if the command fails. Raises SettingsError, and UsageError if one of the files, or
    METRICS_FILE, would replace a file that must not be replaced.
    """
    options: GlobalOptions = context.obj
    tell = keep_for_failure if quiet else say_message
    for doubt in doubts_of_env_file(Path.cwd() / (options.env_file or ".env")):
        tell(msg("cli.warning", message=doubt))
    settings = load(options.env_file, os.environ, Path.cwd(), options.state)
    for doubt in doubts_of_metrics_file(settings.metrics_file):
        tell(msg("cli.warning", message=doubt))
    for output in filter(None, (*outputs, settings.metrics_file)):
        check_output(output, settings.own_files)
    return settings


def current_user() -> str:
    """The user of the operating system, for the audit trail."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # Windows without a user name looks for a module that it does not have
        return "unknown"


def is_running(path: Path) -> bool:
    """Whether a run holds the lock of the state file at `path`."""
    try:
        with run_lock(path):
            return False
    except LockHeld:
        return True
