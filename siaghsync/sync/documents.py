"""Quotes and invoices in a run: read with their customers, and handed on to `post_documents` if there are any to deal with.

Most runs meet none, so what only they need is loaded here, with the first of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.domain.customer import digest
from siaghsync.errors import InDoubt
from siaghsync.state import retries as waiting
from siaghsync.sync.context import Engine
from siaghsync.sync.reader import read_source
from siaghsync.sync.sync_reading import SOURCES, Intake, Work

if TYPE_CHECKING:
    from siaghsync.domain.document import DocumentSource


def read_documents(engine: Engine, work: Work) -> None:
    """Reads what changed in the document sources that are wanted, and what waits for another try."""
    for source in () if work.options.only_waiting else work.options.sources:
        work.whole[source] = read_source(engine, source, _Intake(engine, work, source), everything=work.options.full)
    if work.options.full and not work.options.only_waiting:
        from siaghsync.sync.post_documents import look_for_deleted

        look_for_deleted(engine, work)
    take_up_waiting(engine, work)  # early, so that their customers come first in this very run


def take_up_waiting(engine: Engine, work: Work) -> None:
    """Reads the documents that wait and whose time has come; a dry run leaves them alone."""
    due = () if work.options.dry_run else waiting.due(engine.run.state, "invoice", "finance", engine.run.now())
    if due:
        from siaghsync.sync.post_documents import read_waiting

        read_waiting(engine, work, due)


def read_their_customers(engine: Engine, work: Work) -> None:
    """Reads each unlinked customer of a document that this run has not read yet, so that it is synced first."""
    wanted = dict.fromkeys(d.customer_crm_id for d in work.documents.values() if d.customer_crm_id)
    for crm_id in wanted:
        if engine.mappings.of_crm(crm_id) is None and engine.scratch.customer(crm_id) is None:
            _read_customer(engine, work, crm_id)


def _read_customer(engine: Engine, work: Work, crm_id: str) -> None:
    for kind in SOURCES:
        try:
            raw = engine.crm.get(kind, crm_id)
        except InDoubt as error:
            work.bad[crm_id] = (kind, error.message)
            return
        if raw is not None:
            Intake(engine, work, kind, forced=True)([raw])
            return


@dataclass(slots=True)
class _Intake:
    """Takes raw documents in: passes over what is as it was, puts aside what is skipped, keeps the rest."""

    engine: Engine
    work: Work
    source: DocumentSource

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        ids = [crm_id_of(record) or "" for record in records]
        seen = {} if self.work.options.full else self.engine.cursors.seen(self.source, ids)
        checksums = [digest(json.loads(json.dumps(record, default=str))) for record in records]
        for crm_id, raw, checksum in zip(ids, records, checksums, strict=True):
            if seen.get(crm_id) != checksum:
                from siaghsync.sync.post_documents import keep_document

                keep_document(self.engine, self.work, self.source, crm_id, raw)
        return checksums


def count_creates(engine: Engine, work: Work) -> int:
    """How many documents would be posted if every customer could be linked."""
    if not work.documents:
        return 0
    from siaghsync.sync.post_documents import would_create

    return sum(would_create(engine, work, document) for document in work.documents.values())


def deal_with_documents(engine: Engine, work: Work) -> None:
    """Plans and posts the documents; their customers have had their turn."""
    take_up_waiting(engine, work)
    if work.documents or work.bad_documents:
        from siaghsync.sync.post_documents import post_documents

        post_documents(engine, work)
