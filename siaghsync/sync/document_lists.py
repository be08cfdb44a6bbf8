"""Reads the lists of quotes and of invoices: one list each, or one for each type of document."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from siaghsync.connectors.payamgostar.client import Source
from siaghsync.connectors.payamgostar.customers import crm_id_of
from siaghsync.domain.document import DocumentSource
from siaghsync.errors import InDoubt, Refused
from siaghsync.sync.reader import CrmReader, PageHandler

_QUESTION = "find_without_type"


def read_documents(
    reader: CrmReader,
    source: DocumentSource,
    handle: Callable[[Source], PageHandler],
    customers: Sequence[Source],
    *,
    everything: bool,
) -> dict[Source, bool | None]:
    """Reads a list of documents as `CrmReader.read` does; by their types where find leaves any out without a type.

    `customers` are lists of which one at least holds records; none if no customer is known. `handle` makes the handler
    of a list.
    """
    finder, staging = reader.finder, reader.staging
    is_whole = everything or reader.cursors.get(source) is None
    found: dict[Source, bool | None] = {source: reader.read(source, handle(source), everything=everything)}
    shows_any = bool(staging.reading_count(source))
    # A list that shows nothing never gets a cursor: only a run that reads everything looks whether it leaves types out.
    if is_whole and found[source] and (shows_any or everything):
        missing = _of_types_left_out(reader, source)
        if missing:  # they may have been made since
            found[source] = reader.read(source, handle(source), everything=True)
        if found[source] and (missing or shows_any):
            finder.answers[_QUESTION] = not missing & (_of_types_left_out(reader, source) if missing else set())
    is_open = _QUESTION not in finder.answers and (everything or _QUESTION not in finder.known)
    if not shows_any and is_open and customers:
        finder.learn_without_type(customers)
    # Without a list of customers nothing else can tell.
    if finder.is_no(_QUESTION) or (not shows_any and finder.is_no("find_customers")):
        for part in _parts(reader, source, found):
            found[part] = reader.read(part, handle(part), everything=everything)
        if not shows_any and any(map(staging.reading_count, found)):
            finder.answers[_QUESTION] = not finder.is_no(_QUESTION) and finder.shows_any(source)
    return found


def _of_types_left_out(reader: CrmReader, source: DocumentSource) -> set[str]:
    """CRM ids of the newest documents of those types that a whole list without a type has not shown."""
    return {
        crm_id
        for part in _parts(reader, source, {})
        for record in reader.finder.newest_of(part)
        if (crm_id := crm_id_of(record)) and not reader.staging.readings(source, [crm_id])
    }


def _parts(reader: CrmReader, source: DocumentSource, found: dict[Source, bool | None]) -> list[Source]:
    """The lists of a kind of document by each type of the site: which of these are documents nobody knows for sure. Where the
    types can't be listed, something of the source may be missed."""
    customers = reader.crm.customer_types()
    try:
        return [f"{source}:{code}" for code in reader.crm.types() if code not in customers]
    except (InDoubt, Refused):
        found[source] = None
        return []
