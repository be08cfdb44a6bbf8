"""What a sync reads: doubts of earlier runs, the CRM's changes, what waits for another try, the finance list if need be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from siaghsync.connectors.payamgostar.client import Source
from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm
from siaghsync.domain.action import Action, check_list_size
from siaghsync.domain.customer import Customer, Kind, customer_kind, digest
from siaghsync.errors import BadRecord, InDoubt
from siaghsync.state import retries as waiting
from siaghsync.state import webhook_queue as inbox
from siaghsync.sync import doubts
from siaghsync.sync import outcomes as settle
from siaghsync.sync.context import Engine
from siaghsync.sync.reader import read_source

if TYPE_CHECKING:
    from siaghsync.domain.document import Document, DocumentSource
    from siaghsync.planning.documents import DocumentRules

SOURCES: tuple[Kind, ...] = ("person", "organization")
_NEVER_COMPARED_MANY = 50
"""So many linked customers that were never compared, and one list is cheaper than a look at each."""


@dataclass(frozen=True, slots=True)
class SyncOptions:
    """What a sync was asked for. `customers` says whether changed customers are read, `sources` which documents are.

    `switched_off` are those that the settings leave out, whatever a run is asked for. `only_waiting` leaves the CRM's lists
    alone: what waits for a try is all that is looked at.
    """

    full: bool = False
    force: bool = False
    dry_run: bool = False
    customers: bool = True
    sources: tuple[DocumentSource, ...] = ("quote", "invoice")
    switched_off: tuple[DocumentSource, ...] = ()
    only_waiting: bool = False


@dataclass(slots=True)
class Work:
    """What a sync finds out on its way. `bad` and `bad_documents` are records that can't be read or understood."""

    options: SyncOptions
    document_rules: Callable[[], DocumentRules] | None = None
    fiscal_year: int | None = None
    has_list: bool = False
    whole: dict[Source, bool] = field(default_factory=dict)
    never_compared: int = 0
    bad: dict[str, tuple[Kind, str]] = field(default_factory=dict)
    documents: dict[str, Document] = field(default_factory=dict)
    bad_documents: dict[str, tuple[DocumentSource, str]] = field(default_factory=dict)
    quotes: dict[str, Document | None] = field(default_factory=dict)
    """Quotes read for their age alone, because an invoice was made from them; None: it can't be had."""
    would_post: set[str] = field(default_factory=set)
    """The documents that a dry run would have posted so far."""


def settle_doubts(engine: Engine, work: Work) -> None:
    doubts.adopt(engine)
    if due := doubts.due_creates(engine, "finance"):
        from siaghsync.sync import recovery as lookup

        read_list(engine, work)
        lookup.look_up_contacts(engine, due)


def read_crm(engine: Engine, work: Work) -> None:
    if not work.options.only_waiting:
        _read_lists(engine, work)
    for entry in waiting.due(engine.run.state, "customer", "finance", engine.run.now()):
        _read_waiting(engine, work, entry)


def _read_lists(engine: Engine, work: Work) -> None:
    for kind in SOURCES:
        work.whole[kind] = read_source(engine, kind, Intake(engine, work, kind), everything=work.options.full)
    # A first reading shows the whole CRM as well.
    is_whole = work.options.full or not any(engine.cursors.get(kind) for kind in SOURCES)
    if is_whole and not work.options.force:
        known = engine.mappings.count()
        check_list_size("The CRM", sum(engine.scratch.reading_count(kind) for kind in SOURCES), known)


def _read_waiting(engine: Engine, work: Work, entry: waiting.Waiting) -> None:
    if engine.scratch.customer(entry.record) or entry.record in work.bad:
        return
    kind = customer_kind(entry.kind)
    try:
        raw = engine.crm.get(kind, entry.record)
        if raw is None and entry.reason == inbox.REASON:  # a webhook tells the kind by a name that people choose
            kind = "person" if kind == "organization" else "organization"
            raw = engine.crm.get(kind, entry.record)
    except InDoubt as error:
        work.bad[entry.record] = (kind, error.message)
        return
    if raw is not None:
        Intake(engine, work, kind, forced=True)([raw])
    elif not work.options.dry_run:
        settle.gone(engine, entry)


@dataclass(slots=True)
class Intake:
    """Takes raw customers in: passes over what is as it was, keeps the rest. `forced` keeps every one."""

    engine: Engine
    work: Work
    kind: Kind
    forced: bool = False

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        ids = [crm_id_of(record) or "" for record in records]
        seen = {} if self.forced or self.work.options.full else self.engine.cursors.seen(self.kind, ids)
        keep: list[tuple[Customer, bool]] = []
        calm: list[str] = []
        checksums = []
        for crm_id, raw in zip(ids, records, strict=True):
            try:
                customer = customer_from_crm(raw, self.kind)
            except BadRecord as error:
                checksums.append(digest(json.loads(json.dumps(raw, default=str))))
                if seen.get(crm_id) != checksums[-1]:
                    self._note_bad(crm_id, error.message)
                continue
            checksums.append(customer.checksum)
            if seen.get(crm_id) == customer.checksum:
                continue
            mapping = self.engine.mappings.of_crm(crm_id)
            if mapping and mapping.checksum == customer.checksum and not (self.forced or self.work.options.full):
                calm.append(crm_id)
                continue
            keep.append((customer, mapping is not None))
            self.work.never_compared += mapping is not None and mapping.checksum is None
        self.engine.scratch.keep_customers(keep)
        self.engine.scratch.keep_calm(calm)
        return checksums

    def _note_bad(self, crm_id: str, message: str) -> None:
        self.work.bad[crm_id] = (self.kind, message)


def needs_list(engine: Engine, work: Work) -> bool:
    if work.options.full or work.never_compared > _NEVER_COMPARED_MANY:
        return True
    decode = engine.rules.scheme.decode
    return any(decode(customer.number) is not None for customer in engine.scratch.customers(linked=False))


def read_list(engine: Engine, work: Work) -> None:
    from siaghsync.sync.contacts import read_contacts

    found, bad = read_contacts(engine)
    for contact, message in bad:
        engine.notices.append(f"Finance contact {contact.code} can't be understood and is nobody's match: {message}")
    if not work.options.force:
        check_list_size("Finance", found, engine.mappings.count())
    work.has_list = True


def fail(engine: Engine, work: Work, subject: Action, reason: str, message: str) -> None:
    if work.options.dry_run:
        engine.tell_failure(subject, reason, message)
    else:
        settle.failed(engine, subject, reason, message)
