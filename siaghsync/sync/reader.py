"""Reads what has changed in the CRM into staging.

A source is read by "ModifyDate >= the last one seen" and never by page number alone, because records that change
while they are paged move to the end (contract payamgostar §3.2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from siaghsync.clock import Reading, server_clock_moved
from siaghsync.connectors.payamgostar.client import Page, Payamgostar, Source, kind_of
from siaghsync.connectors.payamgostar.customers import crm_id_of, modified_of
from siaghsync.errors import InDoubt, Interrupted
from siaghsync.messages.calendar import TEHRAN
from siaghsync.messages.message import msg
from siaghsync.state.cursors import Cursors
from siaghsync.state.staging import Staging
from siaghsync.sync.context import Progress, RunContext

PAGE_SIZE = 200
OVERLAP = timedelta(minutes=10)
"""How far behind the cursor a run reads again: a record can become visible a little after its ModifyDate."""
_MOST_PASSES = 5

Records = Sequence[Mapping[str, Any]]
PageHandler = Callable[[Records], Sequence[str]]
"""Takes a page of raw records in and returns the checksum of each."""


@dataclass(frozen=True, slots=True)
class CrmReader:
    """Reads lists of the CRM. `now` is the wall clock (aware UTC), asked only where the CRM's answers have no date."""

    crm: Payamgostar
    staging: Staging
    cursors: Cursors
    now: Callable[[], datetime]
    cancel: threading.Event
    progress: Progress
    clocks: Callable[[], Reading]

    @staticmethod
    def of(context: RunContext) -> CrmReader:
        """The reader of a run."""
        return CrmReader(
            context.crm,
            context.staging,
            context.cursors,
            context.run.now,
            context.cancel,
            context.progress,
            partial(context.clocks, "crm"),
        )

    def read(self, source: Source, handle: PageHandler, *, everything: bool = False) -> bool:
        """Reads what may have changed in a source since its cursor (or `everything`) and gives each page to `handle`.

        If the CRM's clock was set meanwhile, the source is read whole: nobody knows which of its dates were right.

        The same record can be given twice. Returns whether every record of the overlap window was read (else those that
        were not are surely as the last run saw them). Afterwards `cursor_after` tells where the cursor may move. Raises
        CallError if the source can't be read to its end.
        """
        window = None if everything or self.clock_moved(source) else self.cursors.window(source)
        start = window[0] if window else None
        if window and (proof := self._read_newest(source, window[0], handle)):
            if proof == "whole":
                return True
            if not self._may_hide_something(source, window[1]):
                return False
        for _ in range(_MOST_PASSES):
            before = self.staging.reading_count(source)
            if self._read_upwards(source, start, handle) or before == self.staging.reading_count(source) > 0:
                break
        return True

    def _read_newest(self, source: Source, start: str, handle: PageHandler) -> Literal["whole", "accounted"] | None:
        """One page, newest first, and what it says about the rest: there is none, it looks as it did, or nothing.

        What it shows can account for the window's total: every record of the window then is either on this page or one
        that the last run saw and that has not moved. The page must reach below the cursor, for a record edited within
        the very tick of the last look keeps its date.
        """
        page = self.crm.find(source, since=start, page=1, size=PAGE_SIZE, descending=True)
        if page.total is None:
            return None
        known = self.cursors.seen(source, [crm_id for r in page.records if (crm_id := crm_id_of(r))])
        checksums = self._take_in(source, page.records, handle)
        if len(page.records) >= page.total:
            return "whole"
        last = crm_date(modified_of(page.records[-1])) if page.records else None
        cursor = self.cursors.get(source)
        reaches_below = last is not None and cursor is not None and last < cursor
        added = sum(1 for crm_id in checksums if crm_id not in known)
        return "accounted" if reaches_below and page.total == self.cursors.seen_count(source) + added else None

    def _may_hide_something(self, source: Source, whole_at: str) -> bool:
        """Whether the window has to be read whole although it looks as it did.

        A change that becomes visible late keeps the total if it hits a record of the window, or comes with a deletion.
        So the window stays until, OVERLAP after it was read whole, it is read whole once more: by then all of it shows.
        Nothing is left to wait for if its cursor had been that old at the last whole reading.
        """
        cursor, last = self.cursors.get(source), datetime.fromisoformat(whole_at)
        assert cursor is not None
        return datetime.fromisoformat(cursor) > last - OVERLAP and self.crm_now() >= last + OVERLAP

    def _read_upwards(self, source: Source, start: str | None, handle: PageHandler) -> bool:
        """One pass from `start` to the end; whether nothing can have been missed in it."""
        low, number, size = start, 1, PAGE_SIZE
        promised: int | None = None
        shifted = went_deep = False
        while True:
            page = self.crm.find(source, since=low, page=number, size=size)
            if self.cancel.is_set():
                raise Interrupted(130)
            promised = page.total if promised is None else promised
            shifted |= self._any_moved(source, page.records)
            self._take_in(source, page.records, handle)
            self.progress(f"reading_{kind_of(source)}s", self.staging.reading_count(source), promised)
            if _is_last(page, number, size):
                break
            if number == 1:
                size = min(size, len(page.records))  # the server caps its pages; number them by its measure
            last = crm_date(modified_of(page.records[-1]))
            if last is not None and (low is None or last > low):
                low, number = last, 1
            else:
                number, went_deep = number + 1, True  # one date fills a whole page
        complete = promised is None or self.staging.reading_count(source) >= promised
        return complete and not (shifted and went_deep)

    def _any_moved(self, source: Source, records: Records) -> bool:
        known = self.staging.readings(source, [crm_id for r in records if (crm_id := crm_id_of(r))])
        return any(known.get(crm_id_of(r) or "", _date(r)) != _date(r) for r in records)

    def _take_in(self, source: Source, records: Records, handle: PageHandler) -> dict[str, str]:
        ids = [crm_id_of(record) for record in records]
        if None in ids:
            raise InDoubt("crm", f"list_{kind_of(source)}s", "unreadable", problem=msg("sync.record_without_id"))
        checksums = dict(zip((i for i in ids if i), handle(records), strict=True))
        self.staging.add_readings(
            source, ((crm_id, _date(r), checksums[crm_id]) for r in records if (crm_id := crm_id_of(r)))
        )
        return checksums

    def clock_moved(self, source: Source) -> bool:
        """Whether the CRM's clock was set since the source was last read to its end."""
        then = self.cursors.clocks(source)
        return then is not None and server_clock_moved(then, self.clocks())

    def crm_now(self) -> datetime:
        """The time by the CRM's own clock, or, if its answers have no date, by ours: Tehran time without an offset.

        That of the first answer, or of the last one if the clock was put back since then.
        """
        first, last = self.crm.server_time, self.clocks()
        if first is None:
            return _in_tehran(self.now())
        return min(first, _in_tehran(last.server)) if last.server else first

    def newest_moment(self) -> datetime:
        """The latest moment at which anything that this run has read can have been made, by the CRM's own clock.

        Its answers may have no date, and our clock may be behind; a bogus date in the future counts for a day at most.
        """
        now = self.crm_now()
        highest = self.staging.highest_reading()
        return min(max(now, datetime.fromisoformat(highest)), now + timedelta(days=1)) if highest else now

    def cursor_after(self, source: Source) -> str | None:
        """Where the cursor of a source may stand after this run, or None if the source has shown no date yet.

        The highest date seen, but never one that lies in the future of the CRM's own clock: a bogus date must not drag
        the cursor along.
        """
        highest = max(filter(None, (self.staging.highest_reading(source), self.cursors.get(source))), default=None)
        return min(highest, as_crm_date(self.crm_now())) if highest else None

    def window_after(self, source: Source, cursor: str, *, whole: bool) -> tuple[str, str]:
        """(from where the next run reads again, when that window was last read whole), after this run."""
        known = self.cursors.window(source)
        if known and not whole:
            return known
        return as_crm_date(datetime.fromisoformat(cursor) - OVERLAP), as_crm_date(self.crm_now())


def _is_last(page: Page, number: int, size: int) -> bool:
    """A short page alone proves nothing, since a server may cap its pages; the total does."""
    if not page.records:
        return True
    return page.total is not None and (number - 1) * size + len(page.records) >= page.total


def _in_tehran(moment: datetime) -> datetime:
    return moment.astimezone(TEHRAN).replace(tzinfo=None)


def _date(record: Mapping[str, Any]) -> str:
    return crm_date(modified_of(record)) or ""


def crm_date(text: str | None) -> str | None:
    """A date of the CRM in the one form in which dates are compared (naive, milliseconds); None for anything else."""
    try:
        return as_crm_date(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None


def as_crm_date(moment: datetime) -> str:
    """A moment as the CRM writes it: local time without an offset, milliseconds."""
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")
