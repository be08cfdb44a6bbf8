"""What a sync reads: the CRM's changes, what waits for another try, and the finance list if it is needed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from siaghsync.connectors.payamgostar.client import Source, kind_of
from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm, modified_of
from siaghsync.connectors.payamgostar.dates import crm_date
from siaghsync.connectors.payamgostar.documents import document_from_crm, rows_are_missing
from siaghsync.domain.action import Entity, RecordKind
from siaghsync.domain.customer import Contact, Customer, CustomerMapping, Kind, customer_kind
from siaghsync.domain.document import DocumentSource
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.errors import BadRecord, CallError, InDoubt, Refused
from siaghsync.messages.message import msg
from siaghsync.planning.customers import is_new_to, is_somebody_else
from siaghsync.planning.limits import check_list_size
from siaghsync.state import facts, retries, reviews, rolling_check
from siaghsync.state.retries import Retry
from siaghsync.sync.contacts import read_contact, read_contacts
from siaghsync.sync.context import RunContext, RunReport, SyncOptions
from siaghsync.sync.document_lists import read_documents
from siaghsync.sync.document_outcomes import source_of
from siaghsync.sync.lists import KINDS, customer_sources
from siaghsync.sync.one_by_one import looks
from siaghsync.sync.one_record import OneRecord, find_in_crm
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.records_by_id import listed_only
from siaghsync.sync.what_was_read import OlderRecord, Reading

_Record = TypeVar("_Record")
_Answer = TypeVar("_Answer")
_ONE_BY_ONE = "one by one"
"""Stands for a source among the readings."""
_NEVER_COMPARED_MANY = 50
"""From so many linked customers on that were never compared, one list is cheaper than a look at each."""


@dataclass(frozen=True, slots=True)
class ChangeReader:
    """Reads for one sync what may have changed, into staging and `reading`."""

    context: RunContext
    options: SyncOptions
    reading: Reading
    report: RunReport
    crm: CrmReader

    def read_wanted(self, wanted: OneRecord) -> None:
        """Reads just that record. Raises UsageError if the CRM does not have it."""
        documents = self.options.sources
        customers = tuple(source for source, _ in customer_sources(self.context.crm))
        sources = {"customer": customers, "document": documents, "id": (*KINDS, *documents)}[wanted.by]
        for source, raw in find_in_crm(self.context.crm, wanted, sources):
            kind = kind_of(source)
            if kind == "person" or kind == "organization":
                CustomerPages(self, kind)([raw])
            else:
                self.keep_document(kind, crm_id_of(raw) or "", raw)

    def is_older(self, entity: Entity, crm_id: str, raw: Mapping[str, Any], seen: str | None) -> bool:
        """Whether a list shows a record in a state from before the one `seen` last: out of a cache, or of a restored CRM.

        Such a state changes nothing. It is noted for the audit trail.
        """
        shown = crm_date(modified_of(raw)) or ""
        if not shown or seen is None or self.reading.clock_moved or shown >= seen:
            return False
        self.reading.older.append(OlderRecord(entity, crm_id, shown, seen))
        return True

    def note_dates(self, records: Sequence[Mapping[str, Any]]) -> None:
        """Notes the dates of records that were read one by one: a list out of a cache can be older than these."""
        dates = ((crm_id, crm_date(modified_of(raw)) or "", "") for raw in records if (crm_id := crm_id_of(raw)))
        self.context.staging.add_readings(_ONE_BY_ONE, dates)

    # --- customers ---

    def read_customers(self) -> None:
        """Reads the customers that changed, or all of them, and those that wait for another try."""
        if not self.options.only_waiting:
            self._read_lists()
        due = retries.due(self.context.state, "customer", "finance", self.context.run.now())
        unread = (e for e in due if not (self.context.staging.customer(e.record) or e.record in self.reading.bad))
        for entry, found in self._looks(unread, self._waiting_record):
            self._take_waiting(entry, *found)
        share = rolling_check.share(self.context.state, self.options.verify_parts)
        for pair, raw in self._looks(share, lambda pair: self._get(pair.kind, pair.crm_id)):
            self.reading.verified.append((pair, raw is not None))
            if isinstance(raw, Mapping) and self.context.staging.customer(pair.crm_id) is None:
                CustomerPages(self, pair.kind)([raw])

    def _looks(
        self, entries: Iterable[_Record], ask: Callable[[_Record], _Answer]
    ) -> Iterator[tuple[_Record, _Answer]]:
        return looks(entries, ask, self.context.limits.concurrency, self._time_is_up)

    def _time_is_up(self) -> bool:
        """Whether what is left over has to stay for the next run."""
        self.context.stop_if_cancelled()
        until = self.options.until
        is_up = until is not None and self.context.monotonic() > until
        self.report.left_over |= is_up
        return is_up

    def notice_clock(self) -> None:
        """Looks whether the CRM's clock was set since the last run, and says so."""
        sources = (*(source for source, _ in customer_sources(self.context.crm)), *self.options.sources)
        self.reading.clock_moved = any(map(self.crm.clock_moved, sources))
        if self.reading.clock_moved:
            self.report.warnings.append(msg("sync.crm_clock_moved"))

    def _read_lists(self) -> None:
        full = self.options.looks_at_all
        handlers = {source: CustomerPages(self, kind, source) for source, kind in customer_sources(self.context.crm)}
        self._note(self.crm.read_customers(handlers, everything=full))
        for crm_id in self.crm.unshown():
            mapping = self.context.mappings.of_crm(crm_id)
            error = listed_only(mapping.kind if mapping else "person")
            self.reading.bad[crm_id] = (mapping.kind if mapping else "person", error.message)
        # A first reading shows the whole CRM as well.
        is_whole = full or not any(map(self.context.cursors.get, handlers))
        if is_whole and not self.options.force:
            found = sum(map(self.context.staging.reading_count, handlers))
            check_list_size("crm", found, self.context.mappings.count())

    def _note(self, found: Mapping[Source, bool | None]) -> None:
        """A source of which something may have been missed keeps its cursor."""
        for source, whole in found.items():
            if whole is not None:
                self.reading.whole[source] = whole
            elif kind_of(source) in ("quote", "invoice"):
                self.report.warnings.append(msg("finding.incomplete", source=source))

    def _waiting_record(self, entry: Retry) -> tuple[Kind, Mapping[str, Any] | CallError | None]:
        """A waiting customer as the CRM shows it, and of which kind it is; many at the same time."""
        kind = customer_kind(entry.kind)
        only_told = _is_only_told(entry)
        raw = self._get(kind, entry.record, only_told=only_told)
        if raw is None and only_told:  # a webhook tells the kind by a name that people choose
            kind = "person" if kind == "organization" else "organization"
            raw = self._get(kind, entry.record, only_told=True)
        return kind, raw

    def _get(self, kind: RecordKind, crm_id: str, *, only_told: bool = False) -> Mapping[str, Any] | CallError | None:
        """The record, None if it is gone, or why nobody can tell: that keeps no other record from being read."""
        by_id = self.context.by_id
        try:
            return by_id.told_of(kind, crm_id) if only_told else by_id.get(kind, crm_id)
        except (InDoubt, Refused) as error:
            return error

    def _take_waiting(self, entry: Retry, kind: Kind, found: Mapping[str, Any] | CallError | None) -> None:
        if isinstance(found, CallError):
            self.reading.bad[entry.record] = (kind, found.message)
        elif found is not None:
            CustomerPages(self, kind)([found])
        else:
            self.reading.gone.append(entry)

    def read_customers_of_documents(self) -> None:
        """Reads each unlinked customer of a document that this run has not read yet, so that it is synced first."""
        wanted = dict.fromkeys(d.customer_crm_id for d in self.reading.documents.values() if d.customer_crm_id)
        for crm_id in wanted:
            if self.context.mappings.of_crm(crm_id) is None and self.context.staging.customer(crm_id) is None:
                self._read_customer(crm_id)

    def check_contacts_of_documents(self) -> None:
        """Looks at the contact of each linked customer of a document that is about to be posted: nothing may be booked on
        somebody else who has its code by now. A customer whose contact is lost is read, so that it is planned first."""
        context = self.context
        pairs = {
            document.customer_crm_id: mapping
            for document in self.reading.documents.values()
            if context.posted.of(document.crm_id) is None
            and context.staging.customer(document.customer_crm_id) is None
            and (mapping := context.mappings.of_crm(document.customer_crm_id))
        }
        listed = {code: context.staging.contact(code) for code in (m.finance_code for m in pairs.values())}
        missing = [code for code, contact in listed.items() if contact is None]
        with ThreadPoolExecutor(context.limits.concurrency) as pool:
            read = dict(zip(missing, pool.map(partial(read_contact, context.finance), missing), strict=True))
        for mapping in pairs.values():
            self._check_contact(mapping, listed[mapping.finance_code] or read[mapping.finance_code])

    def _check_contact(self, mapping: CustomerMapping, contact: Contact | CallError | None) -> None:
        crm_id = mapping.crm_id
        if isinstance(contact, CallError):
            for document in [d for d in self.reading.documents.values() if d.customer_crm_id == crm_id]:
                del self.reading.documents[document.crm_id]
                self.reading.bad_documents[document.crm_id] = document.source, contact.message
            return
        if contact is None or is_new_to(mapping, contact) or is_somebody_else(mapping, contact):
            self._read_customer(crm_id)
            if self.context.staging.customer(crm_id) is None:
                self.reading.lost.add(crm_id)
        elif (contact.record_id or mapping.record_id) != mapping.record_id:
            self.reading.recognised.append(replace(mapping, record_id=contact.record_id))

    def _read_customer(self, crm_id: str) -> None:
        for kind in KINDS:
            raw = self._get(kind, crm_id, only_told=True)
            if isinstance(raw, CallError):
                self.reading.bad[crm_id] = (kind, raw.message)
                return
            if raw is not None:
                CustomerPages(self, kind)([raw])
                return

    # --- the finance list ---

    def needs_list(self) -> bool:
        """Whether planning needs the whole finance list: for unlinked customers, or to compare many linked ones."""
        if self.options.looks_at_all or self.reading.never_compared > _NEVER_COMPARED_MANY:
            return True
        # Once for each state file, unless the import has seen the list: whom are documents booked on?
        if self.reading.documents and facts.find(self.context.state, facts.PREINVOICE_CUSTOMER) is None:
            return True
        # A contact is made anew only where none stands that is the customer's own.
        staging, anew = self.context.staging, reviews.decided(self.context.state, Resolution.RECREATE)
        return any(map(staging.customer, anew)) or any(map(self.context.rules.takes, staging.customers(linked=False)))

    def read_list(self) -> None:
        """Reads the finance list into staging. Raises BrakeError if it is much shorter than what is linked."""
        found = read_contacts(self.context.finance, self.context.staging, self.context.cancel, self.context.progress)
        for contact, message in found.bad:
            self.report.notices.append(msg("sync.contact_not_understood", code=contact.code, why=message))
        if not self.options.force:
            check_list_size("finance", found.count, self.context.mappings.count())
        self.reading.list_read_at = self.context.monotonic()
        self.reading.parties = found.parties

    # --- documents ---

    def read_documents(self) -> None:
        """Reads what changed in the document sources that are wanted."""
        if self.options.only_waiting:
            return
        customers = (
            [source for source, _ in customer_sources(self.context.crm)] if self.context.mappings.count() else []
        )
        pages, full = partial(DocumentPages, self), self.options.full
        for source in self.options.sources:
            try:
                self._note(read_documents(self.crm, source, pages, customers, everything=full))
            except CallError as error:
                if not self.crm.finder.absent(source, error):
                    raise
                self.report.warnings.append(msg("finding.absent", source=source))
        if self.options.full:
            self._look_for_deleted()

    def read_waiting_documents(self) -> None:
        """Reads the documents that wait and whose time has come, unless just one record is wanted."""
        if self.options.wanted:
            return
        due = retries.due(self.context.state, "invoice", "finance", self.context.run.now())
        gone = {entry.record for entry in self.reading.gone if entry.entity == "invoice"}
        known = (self.reading.documents, self.reading.bad_documents, gone)
        unread = (
            entry
            for entry in due
            if source_of(entry.kind) in self.options.sources and not any(entry.record in each for each in known)
        )
        for entry, raw in self._looks(unread, self._waiting_document):
            source = source_of(entry.kind)
            if isinstance(raw, CallError):
                self.reading.bad_documents[entry.record] = (source, raw.message)
            elif raw is None:
                self.reading.gone.append(entry)
            else:
                self.keep_document(source, entry.record, raw)

    def _waiting_document(self, entry: Retry) -> Mapping[str, Any] | CallError | None:
        return self._get(source_of(entry.kind), entry.record, only_told=_is_only_told(entry))

    def keep_document(self, source: DocumentSource, crm_id: str, raw: Mapping[str, Any]) -> None:
        """Keeps a document for planning; one that can't be read or understood is kept as bad."""
        self.note_dates([raw])
        try:
            full = self.context.crm.get(source, crm_id) if rows_are_missing(raw) else raw
            self.reading.documents[crm_id] = document_from_crm(full if full is not None else raw, source)
        except (BadRecord, InDoubt, Refused) as error:
            self.reading.bad_documents[crm_id] = (source, error.message)

    def _look_for_deleted(self) -> None:
        """A posted document that a whole reading did not show may have been deleted in the CRM."""
        for crm_id, kind in self.context.posted.ids():
            source = source_of(kind)
            lists = [each for each in self.reading.whole if kind_of(each) == source]
            if not lists or any(self.context.staging.readings(each, [crm_id]) for each in lists):
                continue
            if self._get(source, crm_id) is None:
                self.reading.missing_documents.append(crm_id)


@dataclass(frozen=True, slots=True)
class CustomerPages:
    """Takes pages of raw customers in: what is as it was counts as unchanged, the rest goes to staging.

    Without a `source` every record goes to staging.
    """

    reader: ChangeReader
    kind: Kind
    source: Source | None = None

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        context, reading = self.reader.context, self.reader.reading
        everything = self.source is None or self.reader.options.looks_at_all
        ids = [crm_id_of(record) or "" for record in records]
        seen = {} if everything or self.source is None else context.cursors.seen(self.source, ids)
        last = context.cursors.last_seen(ids) if self.source else {}
        keep: list[tuple[Customer, bool]] = []
        unchanged: list[str] = []
        checksums: list[str] = []
        if self.source is None:
            self.reader.note_dates(records)
        for crm_id, raw in zip(ids, records, strict=True):
            before = seen.get(crm_id)
            try:
                customer = customer_from_crm(raw, self.kind, context.rules.site)
            except BadRecord as error:
                checksums.append(digest(json.loads(json.dumps(raw, default=str))))
                if before is None or before.checksum != checksums[-1]:
                    reading.bad[crm_id] = (self.kind, error.message)
                continue
            checksums.append(customer.checksum)
            if before and before.checksum == customer.checksum:
                if before.modified != (crm_date(modified_of(raw)) or ""):
                    unchanged.append(crm_id)
                continue
            mapping = context.mappings.of_crm(crm_id)
            if self.reader.is_older("customer", crm_id, raw, last.get(crm_id)):
                unchanged.append(crm_id)
                continue
            if mapping and mapping.checksum == customer.checksum and not everything:
                unchanged.append(crm_id)
                continue
            keep.append((customer, mapping is not None))
            reading.never_compared += mapping is not None and mapping.checksum is None
        context.staging.add_customers(keep)
        context.staging.add_unchanged(unchanged)
        return checksums


@dataclass(frozen=True, slots=True)
class DocumentPages:
    """Takes pages of raw documents in: passes over what is as it was and keeps the rest."""

    reader: ChangeReader
    source: Source

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        ids = [crm_id_of(record) or "" for record in records]
        seen = {} if self.reader.options.full else self.reader.context.cursors.seen(self.source, ids)
        last = self.reader.context.cursors.last_seen(ids)
        checksums = [digest(json.loads(json.dumps(record, default=str))) for record in records]
        for crm_id, raw, checksum in zip(ids, records, checksums, strict=True):
            if self.reader.is_older("invoice", crm_id, raw, last.get(crm_id)):
                continue
            if crm_id not in seen or seen[crm_id].checksum != checksum:
                self.reader.keep_document(source_of(kind_of(self.source)), crm_id, raw)
        return checksums


def _is_only_told(entry: Retry) -> bool:
    return entry.reason == Reason.WEBHOOK
