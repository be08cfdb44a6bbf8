"""The read-only probes: what the answers of both systems show about the open questions (contract payamgostar §7, siagh §6)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siaghsync.connectors.payamgostar.client import Page, Payamgostar, Source
from siaghsync.connectors.payamgostar.customers import crm_id_of, modified_of
from siaghsync.connectors.payamgostar.dates import crm_date
from siaghsync.connectors.payamgostar.documents import document_from_crm, rows_are_missing
from siaghsync.domain.customer import Contact, Customer, Kind
from siaghsync.domain.document import DocumentSource
from siaghsync.domain.evidence import agree
from siaghsync.domain.normalize import national_key
from siaghsync.errors import BadRecord, InDoubt, Refused
from siaghsync.features.check_apis.amounts import header_discount, rounding
from siaghsync.messages.calendar import TEHRAN
from siaghsync.messages.message import Message, msg
from siaghsync.sync.finding import EVER, any_page, first_taken, is_hidden, ways

_FEW = 5
_SAMPLE, _LARGEST, _ENOUGH, _MOST_FETCHED = 200, 500, 3, 200
_KINDS: tuple[Kind, ...] = ("person", "organization")

Answer = tuple[str, Any, Message]
"""(question, answer or None if the systems hold too little to tell, evidence)"""


@dataclass(frozen=True, slots=True)
class CrmProbes:
    """Asks the CRM. `now` is our clock (aware UTC) at the login, `documents` are those that are synced. `unread` are the sources
    whose list was refused, with why if the CRM has no such address. A refusal of a single probe is an answer or leaves it open;
    every other CallError is raised."""

    crm: Payamgostar
    now: datetime
    documents: Sequence[DocumentSource]
    unread: Mapping[Source, Message | None]

    def all(self, *, deep: bool) -> Iterator[Answer]:
        """The answers; `deep` reads whole lists too."""
        yield from self._clocks()
        sources = [source for kind in _KINDS for source in self.crm.sources(kind)]
        yield from self._are_there("find_customers", sources)
        present = [source for source in sources if source not in self.unread]
        probes: list[Iterator[Answer]] = [self._subtypes(), self._details()]
        if present:
            source = max(present, key=self._size)
            usual = (self._dates, self._order, self._pages, self._no_query, self._no_type)
            probes += [probe(source) for probe in (*usual, *([self._page_cap] if deep else []))]
        for probe in (*probes, *([self._whole_documents()] if deep else [])):
            with suppress(Refused):  # the question stays open; that something can't be read at all is told elsewhere
                yield from probe
        yield from self._are_there("find_documents", self.documents)

    def _are_there(self, question: str, sources: Sequence[Source]) -> Iterator[Answer]:
        if why := next(filter(None, map(self.unread.get, sources)), None):
            yield question, False, msg("facts.no_answer", why=why)
        elif sources and not self.unread.keys() & sources:
            yield question, True, _records(sum(map(self._size, sources)))

    def _size(self, source: Source) -> int:
        try:
            return self._find(source, size=1).total or 0
        except Refused:
            return 0

    def _find(self, source: Source, **options: Any) -> Page:
        return any_page(self.crm, source, **{"size": _SAMPLE, **options})

    def _find_since(self, source: Source, since: str | None) -> Page:
        return first_taken(self.crm, source, ways({"since": since}), size=_SAMPLE)[0]

    def _clocks(self) -> Iterator[Answer]:
        offset = 0
        if self.crm.server_time:
            offset = self._seconds_ahead(self.crm.server_time)
            yield "crm_clock_offset_s", offset, msg("facts.clock")
        try:
            ends = datetime.fromisoformat(self.crm.expires_at).astimezone(TEHRAN).replace(tzinfo=None)
        except ValueError:
            return
        yield "crm_token_life_s", self._seconds_ahead(ends) - offset, msg("facts.expires", text=self.crm.expires_at)

    def _seconds_ahead(self, moment: datetime) -> int:
        """How far a moment of the CRM's clock (Tehran time without an offset) is ahead of ours."""
        return round((moment - self.now.astimezone(TEHRAN).replace(tzinfo=None)).total_seconds())

    def _dates(self, source: Source) -> Iterator[Answer]:
        first = self._find(source, descending=True)
        dates = sorted(set(_dates_of(first)))
        if (
            dates
            and self.crm.server_time is None
            and (ahead := self._seconds_ahead(datetime.fromisoformat(dates[-1]))) > 0
        ):
            yield "crm_clock_offset_s", ahead, msg("facts.newest", date=dates[-1])
        if len(dates) > 1:
            middle = dates[len(dates) // 2]
            try:
                page = self._find_since(source, middle)
            except Refused as error:
                yield "find_filters_by_date", "refused", msg("facts.no_answer", why=error.message)
                return
            found, totals = _dates_of(page), (page.total, first.total)
            if self._hides(source, first, middle, page):
                yield "find_filters_by_date", "hides", _records(len(first.records))
                return
            is_fewer = None in totals or totals[0] != totals[1]
            yield "find_filters_by_date", bool(found) and min(found) >= middle and is_fewer, _records(len(found))

    def _hides(self, source: Source, first: Page, since: str, page: Page) -> bool:
        """Whether the condition by date hides records that it should show; `first` was asked for without it."""
        wanted = {crm_id_of(record) or "" for record in first.records if (crm_date(modified_of(record)) or "") >= since}
        hidden = wanted - {crm_id_of(record) for record in page.records}
        if page.total is not None and page.total > len(page.records):
            return page.total < len(wanted)
        return any(is_hidden(self.crm, source, crm_id, since) for crm_id in sorted(hidden)[:_FEW])

    def _order(self, source: Source) -> Iterator[Answer]:
        self._find(source, size=1)  # raises what has nothing to do with the order
        ordered = [way for way in ways({"since": EVER}, {"since": None}) if way["ordered"]]
        try:
            pages = [first_taken(self.crm, source, ordered, size=_SAMPLE, descending=way)[0] for way in (False, True)]
        except Refused as error:
            yield "find_orders", "refused", msg("facts.no_answer", why=error.message)
            return
        up, down = map(_dates_of, pages)
        if len({*up, *down}) > 1:
            is_ordered = up == sorted(up) and down == sorted(down, reverse=True) and up[0] < down[0]
            yield "find_orders", is_ordered, _records(len(up) + len(down))

    def _pages(self, source: Source) -> Iterator[Answer]:
        first, second = (self._find(source, page=page, size=1) for page in (1, 2))
        if first.total and first.total > 1:
            ids = [[crm_id_of(record) for record in page.records] for page in (first, second)]
            yield "find_pages", bool(ids[1]) and ids[0] != ids[1], _records(2)

    def _no_query(self, source: Source) -> Iterator[Answer]:
        some = len(self._find(source).records)
        if not some:
            return
        try:
            found = len(self._find_since(source, None).records)
        except Refused as error:
            yield "find_empty_queries", "refused", msg("facts.no_answer", why=error.message)
            return
        yield "find_empty_queries", "all" if found >= some else "none", _records(found)

    def _no_type(self, source: Source) -> Iterator[Answer]:
        some = self._find(source)
        try:
            records = self._of_every_type()
        except Refused as error:
            yield "find_without_type", False, msg("facts.no_answer", why=error.message)
            return
        if some.records:
            yield "find_without_type", bool(records), _records(len(records))
            types = {str(_get(record, "crmObjectTypeCode") or "").lower() for record in some.records} - {""}
            wanted = self.crm.type_of_source(source) or ""
            yield "find_filters_by_type", types <= {wanted.lower()}, _records(len(some.records))

    def _of_every_type(self) -> list[dict[str, Any]]:
        kinds = [kind for kind in _KINDS if not self.unread.keys() & self.crm.sources(kind)]
        return [record for kind in kinds for record in self._find(kind, every_type=True).records]

    def _subtypes(self) -> Iterator[Answer]:
        types: set[str] = set()
        with suppress(Refused, InDoubt):  # not every version has that list
            types = {*self.crm.types()}
        if types := types or {str(_get(record, "crmObjectTypeCode") or "") for record in self._of_every_type()} - {""}:
            yield "subtypes", sorted(types), _records(len(types))

    def _details(self) -> Iterator[Answer]:
        for kind in self._present():
            page = self._find(kind, size=1)
            whole = self.crm.get(kind, crm_id_of(page.records[0]) or "") if page.records else None
            if whole and (rows := _get(whole, "details")):
                there = _get(page.records[0], "details") or []
                yield "find_has_details", len(there) >= len(rows), _records(1)
                return

    def _present(self) -> list[DocumentSource]:
        return [source for source in self.documents if source not in self.unread]

    def _page_cap(self, source: Source) -> Iterator[Answer]:
        page = self._find(source, size=_LARGEST)
        if page.total and page.total > len(page.records) > 0:
            yield "page_cap", len(page.records), _records(len(page.records))

    def _whole_documents(self) -> Iterator[Answer]:
        """What all documents together say: each state code with what was seen of it, `numbered`, `unnumbered` or `both`, and by
        type how amounts are reckoned (`amounts`)."""
        states, discounts, roundings = (defaultdict[str, set[str]](set) for _ in range(3))
        count = 0
        for kind, record in self._every_document():
            count += 1
            number, state = _get(record, "number"), _get(record, "billableObjectStateIndex")
            states[str(state)].add("numbered" if number else "unnumbered")
            with suppress(BadRecord):
                document = document_from_crm(record, kind)
                discounts[document.type_code] |= {header_discount(document) or ""} - {""}
                roundings[document.type_code] |= rounding(document)
        tallies = {"state_codes": states, "header_discount": discounts, "rounding": roundings}
        for question, seen in tallies.items():
            if tally := {code: "both" if len(each) > 1 else min(each) for code, each in sorted(seen.items()) if each}:
                yield question, tally, _records(count)

    def _every_document(self) -> Iterator[tuple[DocumentSource, dict[str, Any]]]:
        """All documents; rows that the list does not have are fetched for the first of them."""
        fetched = 0
        for source in self._present():
            number, first = 1, None
            while records := self._find(source, page=number).records:
                if crm_id_of(records[0]) == first:
                    break  # the same page again: this server does not page
                number, first = number + 1, crm_id_of(records[0])
                for record in records:
                    if rows_are_missing(record) and fetched < _MOST_FETCHED:
                        fetched += 1
                        yield source, self.crm.get(source, crm_id_of(record) or "") or record
                    else:
                        yield source, record


class NumberPairs:
    """Customers and contacts with the same national code: how the number of the one follows from the code of the other."""

    def __init__(self) -> None:
        self._customers: defaultdict[str, list[Customer]] = defaultdict(list)
        self._pairs: list[tuple[str, int]] = []
        self.scheme: dict[str, Any] | None = None
        """The answer, once it was given; None while it is open."""

    def add(self, customer: Customer) -> None:
        """Takes in a customer that has a number."""
        if key := national_key(customer.national_code):
            self._customers[key].append(customer)

    def compare(self, contact: Contact) -> None:
        """Takes in a contact, once all customers are there."""
        for customer in self._customers.get(national_key(contact.national_code), ()):
            if agree(customer, contact):
                self._pairs.append((customer.number, contact.code))

    def answers(self) -> Iterator[Answer]:
        """What most of them have in common, if there are enough of them: `prefix`, `offset`, `width` as CUSTOMER_NUMBER_*."""
        seen: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for number, code in self._pairs:
            if shape := re.fullmatch(r"(.*?)([0-9]{1,18})", number):
                seen[shape[1], int(shape[2]) - code].append(shape[2])
        (prefix, offset), digits = max(seen.items(), key=lambda item: len(item[1]), default=(("", 0), []))
        if len(digits) >= _ENOUGH and len(digits) * 2 > len(self._pairs):
            width = max((len(each) for each in digits if each.startswith("0")), default=0)
            evidence = msg("facts.numbers", fit=len(digits), count=len(self._pairs))
            self.scheme = {"prefix": prefix, "offset": offset, "width": width}
            yield "number_scheme", self.scheme, evidence


def _records(count: int) -> Message:
    return msg("facts.records", count=count)


def _dates_of(page: Page) -> Sequence[str]:
    found = (modified_of(record) for record in page.records)
    return [datetime.fromisoformat(date).isoformat(timespec="milliseconds") for date in found if date]


def _get(record: dict[str, Any], name: str) -> Any:
    return next((value for key, value in record.items() if key.lower() == name.lower()), None)
