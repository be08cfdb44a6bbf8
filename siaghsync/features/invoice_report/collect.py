"""Reads a fiscal year's documents from the CRM and joins each with what the state file knows of it. Writes to neither."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.connectors.payamgostar.documents import document_from_crm, rows_are_missing
from siaghsync.domain.document import Document, DocumentSource, Posted, family_of, jalali_year
from siaghsync.errors import BadRecord, InDoubt
from siaghsync.features.invoice_report.rules import Line, LineRules, Reason, Standing, line_of, line_of_deleted
from siaghsync.features.invoice_report.sums import Sums
from siaghsync.state import retries as waiting
from siaghsync.state import reviews
from siaghsync.state.database import State
from siaghsync.state.mappings import Mappings
from siaghsync.state.outbox import unsettled_of
from siaghsync.state.posted import PostedDocuments
from siaghsync.sync.context import Engine
from siaghsync.sync.reader import read_source
from siaghsync.sync.settle_documents import subject_of

_TABLE = """CREATE TEMP TABLE lines (
    crm_id TEXT PRIMARY KEY, day TEXT, source TEXT, number TEXT, family TEXT, counted INTEGER, line TEXT)"""
_FAMILY = "SELECT 1 FROM temp.lines WHERE family = ? AND crm_id <> ? AND counted"
_BATCH = 500


@dataclass(slots=True)
class Ledger:
    """The lines of a year, on disk instead of in memory, and their sums.

    `engine` works with a state of its own, which is thrown away; `state` is the state file, and only read. `bad` are
    documents that can't be understood, whose year therefore nobody knows: CRM id -> (source, why).
    """

    engine: Engine
    state: State
    rules: LineRules
    year: int
    bad: dict[str, tuple[DocumentSource, str]] = field(default_factory=dict)

    def read(self, sources: Sequence[DocumentSource]) -> Sums:
        """Reads the year's documents of these sources, quotes first. Raises CallError if one can't be read to its end."""
        with self.engine.run.state.atomic():
            self.engine.run.state.execute(_TABLE)
        for source in sorted(sources, reverse=True):
            read_source(self.engine, source, _Sink(self, source), everything=True)
        for source in sources:
            self._add_deleted(source)
        sums = Sums()
        for data in self.lines():
            sums.add(data)
        return sums

    def lines(self) -> Iterator[dict[str, Any]]:
        """Each line as plain data, by date, then by source and number."""
        last: tuple[str, ...] = ("", "", "", "")
        sql = (
            "SELECT day, source, number, crm_id, line FROM temp.lines WHERE (day, source, number, crm_id) > (?, ?, ?, ?) "
            "ORDER BY day, source, number, crm_id LIMIT ?"
        )
        while rows := self.engine.run.state.rows(sql, (*last, _BATCH)):
            yield from (json.loads(row["line"]) for row in rows)
            last = tuple(rows[-1])[:4]

    def not_understood(self) -> list[dict[str, str]]:
        """The documents whose year nobody knows."""
        return [{"crm_id": i, "source": source, "message": why} for i, (source, why) in self.bad.items()]

    def take_in(self, source: DocumentSource, crm_id: str, raw: Mapping[str, Any]) -> None:
        """Keeps the line of a document, if it is of the year; a newer copy replaces an older one."""
        self.bad.pop(crm_id, None)
        try:
            document = document_from_crm(raw, source)
            if jalali_year(document.date) == self.year and rows_are_missing(raw):
                full = self.engine.crm.get(source, crm_id)
                document = document_from_crm(full, source) if full is not None else document
        except (BadRecord, InDoubt) as error:
            self.bad[crm_id] = (source, error.message)
            return
        if jalali_year(document.date) == self.year:
            self._keep(line_of(document, self._standing(document), self.rules), family_of(document))

    def _keep(self, line: Line, family: str) -> None:
        own = self.engine.run.state
        with own.atomic():
            if line.state not in ("posted", "skipped") and own.value(_FAMILY, (family, line.crm_id)):
                line = replace(line, counted=False)  # one pre-invoice will stand for both
            data = line.as_json()
            own.execute(
                "INSERT OR REPLACE INTO temp.lines VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    line.crm_id, data["date"], line.source, line.number, family,
                    int(line.counted and line.state != "skipped"), json.dumps(data, ensure_ascii=False),
                ),
            )  # fmt: skip

    # --- what the state file knows ---

    def _standing(self, document: Document) -> Standing:
        posted = PostedDocuments(self.state)
        own = posted.of(document.crm_id)
        subject = subject_of(document.crm_id, document.source)
        last = reviews.last_of(self.state, subject)
        is_open = last is not None and last["resolution"] is None
        put_off = last is not None and last["resolution"] == "discard" and last["checksum"] == document.checksum
        waits = waiting.find(self.state, "invoice", "finance", document.crm_id)
        return Standing(
            self._customer_number(document, own),
            own,
            self._posted_by(document.crm_id) if own else "",
            Reason(last["reason"], last["message"]) if last is not None and is_open else None,
            bool(unsettled_of(self.state, subject)),
            last["reason"] if last is not None and put_off else None,
            Reason(waits.reason, waits.message) if waits else None,
            None if own else _twin(posted, document),
        )

    def _customer_number(self, document: Document, own: Posted | None) -> str:
        mapping = Mappings(self.state).of_crm(document.customer_crm_id)
        return mapping.customer_number if mapping else self._column("customer_number", document.crm_id) if own else ""

    def _posted_by(self, crm_id: str) -> str:
        return self._column("posted_by", crm_id)

    def _column(self, name: str, crm_id: str) -> str:
        return str(self.state.value(f"SELECT {name} FROM invoice_mappings WHERE crm_id = ?", (crm_id,)) or "")

    def _add_deleted(self, source: DocumentSource) -> None:
        """Posted documents of the year that the reading did not show. Each is asked for once more before it is told."""
        posted = PostedDocuments(self.state)
        for crm_id, its_source in posted.ids():
            if its_source != source or self.engine.scratch.readings(source, [crm_id]):
                continue
            own = posted.of(crm_id)
            if own is None or jalali_year(dt.date.fromisoformat(own.snapshot["date"])) != self.year:
                continue
            raw = self.engine.crm.get(source, crm_id)
            if raw is not None:
                self.take_in(source, crm_id, raw)
            else:
                known = Standing(self._column("customer_number", crm_id), own, self._posted_by(crm_id))
                self._keep(line_of_deleted(known, self.rules), crm_id)


def _twin(posted: PostedDocuments, document: Document) -> Posted | None:
    """Another of a quote and the invoices made from it that was posted."""
    family = family_of(document)
    quote = posted.of(family) if document.source == "invoice" else None
    return posted.made_from(family, other_than=document.crm_id) or quote


@dataclass(slots=True)
class _Sink:
    """Takes pages of raw documents in, as they are read."""

    ledger: Ledger
    source: DocumentSource

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """No checksums: nothing of this reading is remembered."""
        for raw in records:
            self.ledger.take_in(self.source, crm_id_of(raw) or "", raw)
        return [""] * len(records)
