"""Reads records by their ids, and says that one is gone only if two witnesses say so.

What an unknown id is answered with is not known for sure, nor whether a CRM has `get` for invoices (contract payamgostar §3.3,
§4); and an address that is away for a moment can look like a record that is gone. So a record that `get` does not show counts
as gone only if the CRM's lists don't show it either.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any

from siaghsync.connectors.http.errors import unreadable
from siaghsync.connectors.payamgostar.client import Page, Payamgostar, Source
from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.domain.action import RecordKind
from siaghsync.domain.document import DocumentSource
from siaghsync.errors import CallError, InDoubt, Refused
from siaghsync.messages.message import msg
from siaghsync.sync.finding import EVER, first_taken, is_absent, ways

_PAGE_SIZE = 200
_MOST_PASSES = 5


class RecordsById:
    """The records of one run by their ids, safe to use from many threads. The lists are read once, when they are needed."""

    def __init__(self, crm: Payamgostar) -> None:
        self._crm = crm
        self._customers: set[str] | None = None
        self._documents: dict[DocumentSource, dict[str, Mapping[str, Any]]] = {}
        self._lock = threading.Lock()

    def get(self, kind: RecordKind, crm_id: str) -> Mapping[str, Any] | None:
        """The record, or None if it is gone. Raises CallError: InDoubt or Refused where nobody can tell."""
        record, doubt = self._shown(kind, crm_id)
        if record is not None:
            return record
        with self._lock:
            if kind == "quote" or kind == "invoice":
                return self._document(kind, crm_id, doubt)
            self._look_for_customer(kind, crm_id, doubt)
        return None

    def told_of(self, kind: RecordKind, crm_id: str) -> Mapping[str, Any] | None:
        """A record of which nothing is known but its id. Nothing is lost with one that is not shown, so no list is read for it.
        Raises CallError."""
        record, doubt = self._shown(kind, crm_id)
        if isinstance(doubt, InDoubt):
            raise doubt
        return record

    def _shown(self, kind: RecordKind, crm_id: str) -> tuple[Mapping[str, Any] | None, CallError | None]:
        """What `get` shows, and the error that it may have meant by "there is none"."""
        try:
            return self._crm.get(kind, crm_id), None
        except Refused as error:
            return None, error
        except InDoubt as error:
            if not is_absent(error):
                raise
            return None, error

    # --- the second witness ---

    def _look_for_customer(self, kind: RecordKind, crm_id: str, doubt: CallError | None) -> None:
        """Raises CallError if the list of all customers shows the id (contract payamgostar §3.1)."""
        try:
            if self._customers is None or crm_id.lower() in self._customers:
                self._customers = light_ids(self._crm)  # it may have been deleted since the list was read
        except (InDoubt, Refused):
            if doubt:
                raise doubt from None
            return  # `get` of customers was seen at live servers, and it has said so
        if crm_id.lower() in self._customers:
            raise doubt or listed_only(kind)

    def _document(self, source: DocumentSource, crm_id: str, doubt: CallError | None) -> Mapping[str, Any] | None:
        if source not in self._documents:
            try:
                self._documents[source] = self._whole(source)
            except (InDoubt, Refused) as error:
                raise doubt or error from None
        if doubt and not self._documents[source]:
            raise doubt
        return self._documents[source].get(crm_id.lower())

    def _whole(self, source: DocumentSource) -> dict[str, Mapping[str, Any]]:
        """All documents of a kind. Raises InDoubt where the lists may hold more than they show."""
        found = self._list(source)
        try:  # a list without a type may leave some types out
            codes = self._crm.types().keys() - self._crm.customer_types()
        except (InDoubt, Refused):
            if not found:
                raise
            return found
        for code in sorted(codes):
            found |= self._list(f"{source}:{code}")
        return found

    def _list(self, source: Source) -> dict[str, Mapping[str, Any]]:
        found: dict[str, Mapping[str, Any]] = {}
        for _ in range(_MOST_PASSES):
            before = len(found)
            total = self._pass(source, found)
            if len(found) == before and (total is None or len(found) >= total):
                return found
        raise unreadable("crm", f"list_{source.partition(':')[0]}s", msg("finding.fewer_records"))

    def _pass(self, source: Source, found: dict[str, Mapping[str, Any]]) -> int | None:
        """Adds what the pages show, and returns how many there should be."""
        page, way, _ = self._first_page(source, {"since": None}, {"since": EVER})
        if not page.records:  # what a condition, or none, means is not known for sure
            page, way, _ = self._first_page(source, {"since": EVER}, {"since": None})
        total, met, number = page.total, set[str](), 1
        while new := dict(_new(page.records, met)):
            found |= new
            met |= new.keys()
            number += 1
            page = self._crm.find(source, page=number, size=_PAGE_SIZE, steady=True, **way)
        return total

    def _first_page(
        self, source: Source, *conditions: Mapping[str, Any]
    ) -> tuple[Page, Mapping[str, Any], Refused | None]:
        return first_taken(self._crm, source, ways(*conditions), page=1, size=_PAGE_SIZE, steady=True)


def _new(records: list[dict[str, Any]], met: set[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for record in records:
        if (crm_id := crm_id_of(record)) and crm_id not in met:
            yield crm_id, record


def listed_only(kind: RecordKind) -> InDoubt:
    """The error for a record that a list shows, and `get` does not."""
    return unreadable("crm", f"show_{kind}", msg("finding.listed_only"))


def look(crm: Payamgostar, kind: RecordKind, crm_id: str) -> Mapping[str, Any] | None:
    """The record, or None if it is not shown, for whatever reason. Raises CallError without an answer."""
    try:
        return crm.get(kind, crm_id)
    except Refused:
        return None


def light_ids(crm: Payamgostar) -> set[str]:
    """The ids of all customers of either kind (contract payamgostar §3.1). Raises CallError."""
    ids: set[str] = set()
    for _ in range(_MOST_PASSES):
        before, number = len(ids), 0
        while (found := crm.search(number)) - ids:
            ids |= found
            number += 1
        if len(ids) == before:
            break
    return ids
