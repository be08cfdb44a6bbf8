"""Reads what has changed in the CRM into staging.

A source is read by "ModifyDate >= the last one seen" and never by page number alone, because records that change
while they are paged move to the end (contract payamgostar §3.2).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

from siaghsync.clock import Reading, server_clock_moved
from siaghsync.connectors.payamgostar.client import Page, Payamgostar, Source, kind_of
from siaghsync.connectors.payamgostar.customers import created_of, crm_id_of, modified_of
from siaghsync.connectors.payamgostar.dates import as_crm_date, crm_date
from siaghsync.domain.customer import Kind
from siaghsync.errors import CallError, InDoubt, Interrupted
from siaghsync.messages.calendar import TEHRAN
from siaghsync.messages.message import msg
from siaghsync.state import facts
from siaghsync.state.cursors import Cursors
from siaghsync.state.staging import Staging
from siaghsync.sync.context import Progress, RunContext
from siaghsync.sync.finding import Finder, is_hidden
from siaghsync.sync.records_by_id import light_ids, look

PAGE_SIZE = 200
OVERLAP = timedelta(minutes=10)
"""How far behind the cursor a run reads again: a record can become visible a little after its ModifyDate."""
_MOST_PASSES = 5
_FEW = 5
_CUSTOMERS: tuple[Kind, ...] = ("person", "organization")
_BY_DATES = ("find_filters_by_date", "find_orders", "find_pages")
"""The questions of which each must be answered with yes for a list to be read by its dates."""

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
    finder: Finder
    concurrency: int
    bounds: dict[Source, str] = field(default_factory=dict)
    """How far the cursor of a source may move at most, where only the dates of the CRM's own records tell its time."""
    ids: dict[str, bool] = field(default_factory=dict)
    """Where customers were read by the ids of the list of all of them: whether a record was shown."""

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
            Finder(context.crm, crm_date, {n: f.answer for n, f in facts.about_reading(context.state).items()}),
            context.limits.concurrency,
        )

    def read_customers(
        self, handlers: Mapping[Source, PageHandler], *, everything: bool = False
    ) -> dict[Source, bool | None]:
        """Reads the lists of all customers, each as `read` does. A list that shows no customer at all in a first or whole
        reading is asked for in another way too: nothing may be made twice because a question was not understood."""
        found = {source: self.read(source, handle, everything=everything) for source, handle in handlers.items()}
        empty = [source for source in handlers if not self.staging.reading_count(source)]
        if not empty or not (everything or not any(map(self.cursors.get, handlers))):
            return found
        if len(empty) < len(handlers):
            hidden = self.finder.hidden_without_condition(empty)
            return found | {source: self.read(source, handlers[source], everything=everything) for source in hidden}
        if not (hides := self.finder.hides(handlers)):
            return found
        if hides == "queries":
            return {source: self.read(source, handle, everything=everything) for source, handle in handlers.items()}
        shown = [self._read_one_by_one(source, handle) for source, handle in handlers.items()]
        if any(shown):
            self.finder.answers["find_customers"] = False
            return dict.fromkeys(handlers)
        return found

    def read(self, source: Source, handle: PageHandler, *, everything: bool = False) -> bool | None:
        """Reads what may have changed in a source since its cursor (or `everything`) and gives each page to `handle`.

        If the CRM's clock was set meanwhile, the source is read whole: nobody knows which of its dates were right.
        Where `find` does not do what is asked of it, the list is read by pages, then record by record.

        The same record can be given twice. Returns whether every record of the overlap window was read (else those that
        were not are surely as the last run saw them); None if the cursor must stay, since something may have been missed.
        Afterwards `cursor_after` tells where the cursor may move. Raises CallError if the source can't be read to its end.
        """
        try:
            found = self._read_by_find(source, handle, everything=everything)
        except CallError as error:
            if not self.finder.absent(source, error) or kind_of(source) not in ("person", "organization"):
                raise
            found = None
        if found is None and kind_of(source) in ("person", "organization"):
            self._read_one_by_one(source, handle)
        return found

    def _read_by_find(self, source: Source, handle: PageHandler, *, everything: bool) -> bool | None:
        window = None if everything or self.clock_moved(source) else self.cursors.window(source)
        start = window[0] if window else None
        found = self._read_by_dates(source, handle, window)
        if found is False or (found and not (start and self._hides(source, start))):
            return found
        went_by_date = not self._needs_pages()
        newest = self.staging.highest_reading(source) or ""
        older = self.staging.readings_until(source, newest)
        if not self._read_in_pages(source, start, handle):
            return None
        if start and self._hides(source, start) and not self._read_in_pages(source, start, handle):
            return None
        if went_by_date and older < self.staging.readings_until(source, newest):
            self.finder.answers["find_orders"] = False  # by its dates the list seemed to be shorter
        return True

    def _read_by_dates(self, source: Source, handle: PageHandler, window: tuple[str, str] | None) -> bool | None:
        """As `read`, by the dates of records alone; None where these are not to be relied on."""
        start = window[0] if window else None
        if self._needs_pages():  # as earlier runs saw; one page by date shows whether it still is so
            if self._read_first(source, start, handle):
                return True
        elif window and (proof := self._read_newest(source, window[0], handle)):
            if proof == "whole":
                return True
            if not self._may_hide_something(source, window[1]):
                return False
        for _ in range(_MOST_PASSES):
            if self._needs_pages():
                break
            before = self.staging.reading_count(source)
            if self._read_upwards(source, start, handle):
                return True
            if before == self.staging.reading_count(source):
                break
        return None

    def _read_in_pages(self, source: Source, start: str | None, handle: PageHandler) -> bool:
        return any(self._read_pages(source, start, handle) for _ in range(_MOST_PASSES))

    def _hides(self, source: Source, start: str) -> bool:
        """Whether a list from `start` on has left out what the last run saw in it, and what stands there still."""
        if self.finder.answers.get("find_filters_by_date") == "hides":
            return False  # it is not asked to any more
        if any(is_hidden(self.crm, source, crm_id, start) for crm_id in self.cursors.not_met(source, _FEW)):
            self.finder.answers["find_filters_by_date"] = "hides"
            return True
        return False

    def _needs_pages(self) -> bool:
        """Whether a list has to be read by the numbers of its pages, since its dates can't be relied on."""
        return any(map(self.finder.is_no, _BY_DATES))

    def _read_first(self, source: Source, start: str | None, handle: PageHandler) -> bool:
        """One page, oldest first; whether it is all there is from `start`."""
        page = self.finder.page(source, since=start, page=1, size=PAGE_SIZE)
        self._take_in(source, page.records, handle, start)
        return page.total is not None and len(page.records) >= page.total

    def _read_newest(self, source: Source, start: str, handle: PageHandler) -> Literal["whole", "accounted"] | None:
        """One page, newest first, and what it says about the rest: there is none, it looks as it did, or nothing.

        What it shows can account for the window's total: every record of the window then is either on this page or one
        that the last run saw and that has not moved. The page must reach below the cursor, for a record edited within
        the very tick of the last look keeps its date. A few records can be in order by chance, so the order must be known.
        """
        page = self.finder.page(source, since=start, page=1, size=PAGE_SIZE, descending=True)
        if self._needs_pages():
            return None
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
        if not self.finder.is_yes("find_orders"):
            return None
        return "accounted" if reaches_below and page.total == self.cursors.seen_count(source) + added else None

    def _may_hide_something(self, source: Source, whole_at: str) -> bool:
        """Whether the window has to be read whole although it looks as it did.

        A change that becomes visible late keeps the total if it hits a record of the window, or comes with a deletion.
        So the window stays until, OVERLAP after it was read whole, it is read whole once more: by then all of it shows.
        Nothing is left to wait for if its cursor had been that old at the last whole reading.
        """
        cursor, last, now = self.cursors.get(source), datetime.fromisoformat(whole_at), self.crm_now()
        assert cursor is not None
        # Without a `Date` all but the cursor is by our clock, which may be far from the CRM's, and may have been set.
        is_young = self.crm.server_time is None or datetime.fromisoformat(cursor) > last - OVERLAP
        return is_young and not last <= now < last + OVERLAP

    def _read_upwards(self, source: Source, start: str | None, handle: PageHandler) -> bool:
        """One pass from `start` to the end; whether nothing can have been missed in it."""
        low, number, size = start, 1, PAGE_SIZE
        promised = left = None
        begun, last_ids = self._shown_time(), set[str]()
        shifted = went_deep = False
        while True:
            page = self.finder.page(source, since=low, page=number, size=size)
            if self.cancel.is_set():
                raise Interrupted(130)
            self.finder.repeats(number, _ids(page), last_ids)
            if self._needs_pages():
                return False
            promised = page.total if promised is None else promised
            shifted |= number > 1 and page.total != left
            shifted |= self._any_moved(source, page.records) or self._any_made_since(source, begun, page.records)
            last_ids, left = _ids(page), page.total
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

    def _read_pages(self, source: Source, start: str | None, handle: PageHandler) -> bool:
        """One pass over the list by page numbers, in an order that edits don't change; whether all of it was met.

        What lies before `start` is passed over here if the server did not do it. A record that is edited meanwhile is
        newer than the cursor will be, which is never later than the run's first answer.
        """
        number, size, met, last = 1, PAGE_SIZE, set[str](), set[str]()
        totals: set[int | None] = set()
        begun, shifted = self._shown_time(), False
        while True:
            page = self.finder.page(source, since=start, page=number, size=size, steady=True)
            if self.cancel.is_set():
                raise Interrupted(130)
            ids = _ids(page)
            if self.finder.repeats(number, ids, last):
                return self._read_at_once(source, start, handle, page.total)
            shifted |= self._any_made_since(source, begun, page.records)
            self._take_in(source, page.records, handle, start)
            if number == 1:
                size = min(size, len(ids)) if ids else size  # as in _read_upwards
                self.bounds[source] = self._shown_time()
            met, last = met | ids, ids
            totals.add(page.total)
            self.progress(f"reading_{kind_of(source)}s", self.staging.reading_count(source), page.total)
            if not page.records or (page.total is not None and len(met) >= page.total):
                break
            number += 1
        whole = page.total is None or len(met) >= page.total
        return whole and len(totals) == 1 and not shifted

    def _read_at_once(self, source: Source, start: str | None, handle: PageHandler, total: int | None) -> bool:
        """The whole list as one page; whether the server gave all of it."""
        if total is None:
            return False
        page = self.finder.page(source, since=start, page=1, size=total + PAGE_SIZE, steady=True)
        self._take_in(source, page.records, handle, start)
        return page.total is not None and len(page.records) >= page.total

    def _read_one_by_one(self, source: Source, handle: PageHandler) -> bool:
        """All customers of a source by their ids (contract payamgostar §3.1, §3.3), the only way seen at a live site. Returns
        whether there are any: others that have ids may be of another subtype."""
        waiting, any_own = sorted(light_ids(self.crm)), False
        self.ids.update({crm_id: False for crm_id in waiting if crm_id not in self.ids})
        with ThreadPoolExecutor(self.concurrency) as pool:
            for first in range(0, len(waiting), PAGE_SIZE):
                if self.cancel.is_set():
                    raise Interrupted(130)
                found = pool.map(partial(look, self.crm, kind_of(source)), waiting[first : first + PAGE_SIZE])
                records = [record for record in found if record is not None]
                self.ids.update(dict.fromkeys(filter(None, map(crm_id_of, records)), True))
                any_own |= bool(self._take_in(source, records, handle))
                self.progress(f"reading_{kind_of(source)}s", self.staging.reading_count(source), None)
        return any_own

    def unshown(self) -> list[str]:
        """Ids that stand in the list of all customers, and under which the CRM shows no record of either kind."""
        sources = [source for kind in _CUSTOMERS for source in self.crm.sources(kind)]
        hidden = (crm_id for crm_id, is_shown in self.ids.items() if not is_shown)
        left = (crm_id for crm_id in hidden if not any(self.staging.readings(each, [crm_id]) for each in sources))
        unshown = [crm_id for crm_id in left if not any(look(self.crm, kind, crm_id) for kind in _CUSTOMERS)]
        return sorted(light_ids(self.crm).intersection(unshown)) if unshown else []  # the others were deleted meanwhile

    def _any_moved(self, source: Source, records: Records) -> bool:
        known = self.staging.readings(source, [crm_id for r in records if (crm_id := crm_id_of(r))])
        return any(known.get(crm_id_of(r) or "", _date(r)) != _date(r) for r in records)

    def _any_made_since(self, source: Source, moment: str, records: Records) -> bool:
        """Whether records show up that were made later: so many may have been deleted meanwhile, which the total hides."""
        known = self.staging.readings(source, [crm_id for r in records if (crm_id := crm_id_of(r))])
        return any((crm_date(created_of(r)) or "") > moment for r in records if crm_id_of(r) not in known)

    def _take_in(
        self, source: Source, records: Records, handle: PageHandler, start: str | None = None
    ) -> dict[str, str]:
        """Gives those records to `handle` that belong to the source and were not modified before `start`; notes all."""
        ids = [crm_id_of(record) for record in records]
        if None in ids:
            raise InDoubt("crm", f"list_{kind_of(source)}s", "unreadable", problem=msg("sync.record_without_id"))
        own = [r for r in records if self.finder.of_type(source, r) and not (start and "" < _date(r) < start)]
        checksums = dict(zip((i for r in own if (i := crm_id_of(r))), handle(own), strict=True))
        rows = ((i, _date(r), checksums.get(i, "")) for r in records if (i := crm_id_of(r)))
        self.staging.add_readings(source, rows)
        return checksums

    def clock_moved(self, source: Source) -> bool:
        """Whether the CRM's clock was set since the source was last read to its end."""
        then = self.cursors.clocks(source)
        return then is not None and server_clock_moved(then, self.clocks())

    def _shown_time(self) -> str:
        """The latest moment that the CRM has shown: the `Date` of its last answer, else the newest date of a record."""
        if server := self.clocks().server:
            return as_crm_date(_in_tehran(server))
        return max((*self.cursors.all().values(), self.staging.highest_reading() or ""), default="")

    def is_in_future(self, moment: datetime) -> bool:
        """Whether the CRM's last answer says that it is not that time yet."""
        return bool(self.clocks().server) and as_crm_date(moment - timedelta(seconds=1)) > self._shown_time()

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
        return min(highest, as_crm_date(self.crm_now()), self.bounds.get(source, highest)) or None if highest else None

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


def _ids(page: Page) -> set[str]:
    return {crm_id for record in page.records if (crm_id := crm_id_of(record))}


def _in_tehran(moment: datetime) -> datetime:
    return moment.astimezone(TEHRAN).replace(tzinfo=None)


def _date(record: Mapping[str, Any]) -> str:
    return crm_date(modified_of(record)) or ""
