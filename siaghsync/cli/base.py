"""What every command shares: settings, clock, user, signals, and an engine built from them."""

from __future__ import annotations

import getpass
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from siaghsync.errors import Interrupted, SiaghsyncError, UsageError, is_interruption

if TYPE_CHECKING:
    from siaghsync.domain.document import DocumentSource
    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.sync.context import Engine


@dataclass(frozen=True, slots=True)
class Call:
    """The options that stand before the command."""

    env_file: Path | None = None
    state: Path | None = None
    verbose: bool = False

    def settings(self) -> Settings:
        """The validated settings. Raises SettingsError."""
        from siaghsync.settings import load

        return load(self.env_file, os.environ, Path.cwd(), self.state)


def now() -> datetime:
    """The clock, aware UTC."""
    return datetime.now(UTC)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds_of(age: str | None) -> float | None:
    """An age like `15m` in seconds; a bare number is seconds. Raises UsageError."""
    if age is None:
        return None
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", age.strip())
    if not found:
        raise UsageError(f"{age} is no age.", "Write a number with s, m, h or d behind it, like 15m.")
    return float(found[1]) * _UNITS.get(found[2], 1)


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """The result of `work` and how many milliseconds it took."""
    start = time.perf_counter()
    result = work()
    return result, (time.perf_counter() - start) * 1000


def actor() -> str:
    """The user of the operating system, for the audit trail."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # Windows without a user name looks for a module that it does not have
        return "unknown"


@dataclass(slots=True)
class Stop:
    """Set by SIGINT or SIGTERM; `exit_code` is 130 or 143 then, else 0."""

    event: threading.Event
    exit_code: int = 0


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Lets the first SIGINT or SIGTERM ask for an orderly end; a second one ends the process at once.

    Raises Interrupted with the signal's exit code if the block, or a request in it, gives way to the first one. Ending at
    once is safe: whatever was in the air is an open intent, which the next run looks up.
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


def document_sources(settings: Settings, only: str | None = None) -> tuple[DocumentSource, ...]:
    """Which documents are read: by SYNC_QUOTES and SYNC_INVOICES, or none with `--only customers`."""
    if only == "customers":
        return ()
    quotes: tuple[DocumentSource, ...] = ("quote",) if settings.sync_quotes else ()
    return (*quotes, "invoice") if settings.sync_invoices else quotes


def switched_off(settings: Settings) -> tuple[DocumentSource, ...]:
    """Which documents are never read, by SYNC_QUOTES and SYNC_INVOICES."""
    wanted = document_sources(settings)
    both: tuple[DocumentSource, ...] = ("quote", "invoice")
    return tuple(source for source in both if source not in wanted)


def posting_start(settings: Settings, state: State) -> datetime | None:
    """From when on documents are posted, by the CRM's own clock: INVOICES_SINCE, else the first import."""
    from siaghsync.state.meta import started_at

    given = settings.invoices_since
    return datetime(given.year, given.month, given.day) if given else started_at(state)


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Writes a table for spreadsheets: UTF-8 with the mark by which they know it; a text that they would take for a
    formula is disarmed. Raises UsageError if `path` can't be written."""
    import csv

    from siaghsync.errors import UsageError

    try:
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows([_cell(value) for value in row] for row in rows)
    except OSError as error:
        hint = "Name a file in a folder that you may write to."
        raise UsageError(f"{path} can't be written: {error.strerror}.", hint) from None


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if re.match(r"[=@\t\r]|[+-](?![\d\s()-]+$)", text) else text


@contextmanager
def clients(settings: Settings, stop: threading.Event) -> Iterator[tuple[Any, Any, dict[Any, Any]]]:
    """The two clients and their transports, closed at the end."""
    from siaghsync.connectors.payamgostar.client import Payamgostar
    from siaghsync.connectors.siagh.client import Siagh
    from siaghsync.wire.transport import Transport

    def transport(system: Any, url: str) -> Transport:
        return Transport(
            system,
            url,
            timeout=settings.http_timeout_seconds,
            attempts=settings.max_retry_attempts,
            concurrency=settings.concurrency,
            stop=stop,
        )

    transports = {
        "crm": transport("crm", settings.crm_api_base_url),
        "finance": transport("finance", settings.finance_api_base_url),
    }
    crm = Payamgostar(
        transports["crm"],
        settings.crm_username,
        settings.crm_password.get_secret_value(),
        person_type=settings.crm_person_type,
        organization_type=settings.crm_organization_type,
    )
    siagh = Siagh(transports["finance"], settings.finance_username, settings.finance_password.get_secret_value())
    try:
        yield crm, siagh, transports
    finally:
        for each in transports.values():
            each.close()


@contextmanager
def engine_for(
    settings: Settings,
    state: State,
    command: str,
    stop: threading.Event,
    progress: Any = lambda *_: None,
    *,
    dry_run: bool,
    who: str | None = None,
) -> Iterator[Engine]:
    """An engine for one run of `command`, its clients closed at the end. `who` is at work, or else this process's user."""
    from siaghsync.domain.numbering import NumberScheme, Rules
    from siaghsync.state.audit import Run
    from siaghsync.state.staging import Scratch
    from siaghsync.sync.context import Engine, Limits

    scheme = NumberScheme(
        settings.customer_number_prefix, settings.customer_number_offset, settings.customer_number_width
    )
    limits = Limits(
        settings.concurrency, settings.max_retry_attempts, settings.unknown_grace_seconds, settings.max_creates_per_run
    )
    with clients(settings, stop) as (crm, siagh, transports):
        yield Engine(
            run=Run(state, command, now, who or actor(), dry_run=dry_run),
            crm=crm,
            siagh=siagh,
            transports=transports,
            rules=Rules(scheme, settings.finance_note_marker, settings.crm_category, settings.import_inactive),
            limits=limits,
            scratch=Scratch(state),
            stop=stop,
            progress=progress,
        )
