"""Reads a fiscal year's documents from the CRM and joins each with what the state file knows of it. Writes to neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.connectors.payamgostar.documents import document_from_crm, rows_are_missing
from siaghsync.domain.action import Action
from siaghsync.domain.document import Document, DocumentSource, Posted, family_of, jalali_year
from siaghsync.domain.reasons import Operation, Reason, Resolution
from siaghsync.errors import BadRecord, InDoubt, Refused
from siaghsync.features.invoice_report.rules import Line, Standing, Sums, Why, line_of, line_of_deleted
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_checks import is_same
from siaghsync.planning.documents import DocumentRules
from siaghsync.state import retries, reviews
from siaghsync.state.audit import last_name
from siaghsync.state.database import State
from siaghsync.state.invoice_lines import InvoiceLines
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.outbox import unsettled_of
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.records_by_id import RecordsById


@dataclass(slots=True)
class YearReport:
    """The documents of one Jalali fiscal year.

    `reader` and `kept` work with a state in memory, which is thrown away; `state` is the state file, and only read. `bad` are
    documents that can't be understood, whose year therefore nobody knows: CRM id -> (source, why).
    """

    reader: CrmReader
    kept: InvoiceLines
    state: State
    rules: DocumentRules
    year: int
    sums: Sums = field(default_factory=Sums)
    """Counts and sums of all lines, once they were read."""
    bad: dict[str, tuple[DocumentSource, Message]] = field(default_factory=dict)

    def read(self, sources: Sequence[DocumentSource]) -> None:
        """Reads the year's documents of these sources, quotes first. Raises CallError if one can't be read to its end."""
        for source in sorted(sources, reverse=True):
            self.reader.read(source, partial(self._take_page, source), everything=True)
        by_id = RecordsById(self.reader.crm)
        for source in sources:
            self._add_deleted(source, by_id)
        for line in self.lines():
            self.sums.add(line)

    def lines(self) -> Iterator[dict[str, Any]]:
        """The lines as plain data (`Line.as_json`), by date, then by source and number."""
        return self.kept.all()

    def head(self) -> dict[str, Any]:
        """The year and the counts, as in the JSON of the report."""
        return {"year": self.year, "counts": {**self.sums.counts(), "not_understood": len(self.bad)}}

    def not_understood(self) -> list[dict[str, str]]:
        """The documents whose year nobody knows, as in the JSON of the report."""
        return [{"crm_id": i, "source": source, "message": render(why)} for i, (source, why) in self.bad.items()]

    def _take_page(self, source: DocumentSource, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """No checksums: nothing of this reading is remembered."""
        for raw in records:
            self._take(source, crm_id_of(raw) or "", raw)
        return [""] * len(records)

    def _take(self, source: DocumentSource, crm_id: str, raw: Mapping[str, Any]) -> None:
        """Keeps the line of a document, if it is of the year; a newer copy replaces an older one."""
        self.bad.pop(crm_id, None)
        try:
            document = document_from_crm(raw, source)
            if jalali_year(document.date) == self.year and rows_are_missing(raw):
                full = self.reader.crm.get(source, crm_id)
                document = document_from_crm(full, source) if full is not None else document
        except (BadRecord, InDoubt, Refused) as error:
            self.bad[crm_id] = (source, error.message)
            return
        if jalali_year(document.date) == self.year:
            self._keep(line_of(document, self._standing(document), self.rules), family_of(document))

    def _keep(self, line: Line, family: str) -> None:
        if line.state not in ("posted", "skipped") and self.kept.another_counts(family, line.crm_id):
            line = replace(line, counted=False)  # one pre-invoice will stand for both
        counts = line.counted and line.state != "skipped"
        self.kept.put(line.crm_id, line.order, family, counted=counts, line=line.as_json())

    def _add_deleted(self, source: DocumentSource, by_id: RecordsById) -> None:
        """Posted documents of the year that the reading did not show. Each is asked for once more before it is told."""
        posted = PostedDocuments(self.state)
        for crm_id, its_source in posted.ids():
            if its_source != source or self.reader.staging.readings(source, [crm_id]):
                continue
            own = posted.entry(crm_id)
            if own is None or jalali_year(dt.date.fromisoformat(own.posted.snapshot["date"])) != self.year:
                continue
            raw = by_id.get(source, crm_id)
            if raw is not None:
                self._take(source, crm_id, raw)
            else:
                name = last_name(self.state, own.customer_crm_id)
                known = Standing(own.customer_number, own.posted_by, customer_name=name)
                self._keep(line_of_deleted(own.posted, known, self.rules), crm_id)

    # --- what the state file knows ---

    def _standing(self, document: Document) -> Standing:
        posted = PostedDocuments(self.state)
        own = posted.entry(document.crm_id)
        subject = _subject(document)
        last = reviews.last_of(self.state, subject)
        is_open = last is not None and last.resolution is None
        put_off = (
            last is not None
            and last.resolution == Resolution.DISCARD
            and is_same(last.checksum, last.details.get("snapshot"), document)
        )
        waits = retries.find(self.state, "invoice", "finance", document.crm_id)
        mapping = Mappings(self.state).of_crm(document.customer_crm_id)
        return Standing(
            mapping.customer_number if mapping else own.customer_number if own else "",
            own.posted_by if own else "",
            own.posted if own else None,
            Why(last.reason, last.message) if last is not None and is_open else None,
            bool(unsettled_of(self.state, subject)),
            last.reason if last is not None and put_off else None,
            Why(waits.reason, waits.message) if waits else None,
            None if own else _twin(posted, document),
            self._passed_over(document),
            last_name(self.state, document.customer_crm_id),
        )

    def _passed_over(self, document: Document) -> Why | None:
        skip = retries.find_skip(self.state, "invoice", "finance", document.crm_id)
        if skip is None or skip.reason != Reason.FOREIGN_NUMBER:
            return None  # all else that is passed over follows from the document and the settings
        return Why(skip.reason, msg("reason.foreign_number", number=skip.customer_number))


def _subject(document: Document) -> Action:
    """The action by which the state file names a document."""
    return Action(Operation.CREATE, "invoice", "finance", document.crm_id, document.source, "", document.crm_id)


def _twin(posted: PostedDocuments, document: Document) -> Posted | None:
    """Another of a quote and the invoices made from it that was posted."""
    family = family_of(document)
    quote = posted.of(family) if document.source == "invoice" else None
    return posted.made_from(family, other_than=document.crm_id) or quote
