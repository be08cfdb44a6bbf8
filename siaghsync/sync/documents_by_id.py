"""Reads documents by their ids, also from a CRM that has no `get` for them (contract payamgostar §4)."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from siaghsync.connectors.http.errors import unreadable
from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.domain.document import DocumentSource
from siaghsync.errors import InDoubt, Refused
from siaghsync.messages.message import msg
from siaghsync.sync.finding import EVER, any_page, first_taken, is_absent, ways

_PAGE_SIZE = 200
_MOST_PASSES = 5


class DocumentsById:
    """The documents of one run by their ids, safe to use from many threads.

    Where `get` shows nothing under an id, the document is gone, or there is no `get`. One that the list shows tells which;
    without `get` the documents are those of the list, read once.
    """

    def __init__(self, crm: Payamgostar) -> None:
        self._crm = crm
        self._has_get: dict[DocumentSource, bool] = {}
        self._listed: dict[DocumentSource, dict[str, Mapping[str, Any]]] = {}
        self._lock = threading.Lock()

    def get(self, source: DocumentSource, crm_id: str) -> Mapping[str, Any] | None:
        """The document, or None if the CRM has none with this id. Raises CallError."""
        if self._has_get.get(source) is not False:
            if (record := self._shown(source, crm_id)) is not None:
                self._has_get[source] = True
                return record
            with self._lock:
                if self._learn(source):
                    return None
        with self._lock:
            if source not in self._listed:
                self._listed[source] = self._whole_list(source)
        return self._listed[source].get(crm_id)

    def _shown(self, source: DocumentSource, crm_id: str) -> Mapping[str, Any] | None:
        try:
            return self._crm.get(source, crm_id)
        except (InDoubt, Refused) as error:
            if not is_absent(error):
                raise
            return None

    def _learn(self, source: DocumentSource) -> bool:
        """Whether there is a `get`. Without any document in the list there is nothing to be lost."""
        if source not in self._has_get:
            try:
                records = any_page(self._crm, source, size=1).records
            except (InDoubt, Refused) as error:
                if not is_absent(error):
                    raise
                return True  # without a list nobody can tell
            self._has_get[source] = not records or self._shown(source, crm_id_of(records[0]) or "") is not None
        return self._has_get[source]

    def _whole_list(self, source: DocumentSource) -> dict[str, Mapping[str, Any]]:
        """Raises InDoubt where the list may hold more than it shows."""
        found: dict[str, Mapping[str, Any]] = {}
        for _ in range(_MOST_PASSES):
            before = len(found)
            total = self._pass(source, found)
            if len(found) == before and (total is None or len(found) >= total):
                return found
        raise unreadable("crm", f"list_{source}s", msg("shape.incomplete"))

    def _pass(self, source: DocumentSource, found: dict[str, Mapping[str, Any]]) -> int | None:
        """Adds what the pages show, and returns how many there should be."""
        conditions = ways({"since": EVER}, {"since": None})
        page, way, _ = first_taken(self._crm, source, conditions, page=1, size=_PAGE_SIZE, steady=True)
        total, met, number = page.total, set[str](), 1
        while new := {crm_id: each for each in page.records if (crm_id := crm_id_of(each)) and crm_id not in met}:
            found |= new
            met |= new.keys()
            number += 1
            page = self._crm.find(source, page=number, size=_PAGE_SIZE, steady=True, **way)
        return total
