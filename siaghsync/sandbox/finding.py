"""What `find` answers, by the many switches that say what nobody has seen it do (contract payamgostar §3.2)."""

from __future__ import annotations

from siaghsync.sandbox.call import Reply, reply
from siaghsync.sandbox.crm_input import BadInput, page
from siaghsync.sandbox.query import conditions, orders
from siaghsync.sandbox.selection import select
from siaghsync.sandbox.shapes import CUSTOMER_KINDS, DOCUMENT_KINDS, LISTS, TEMPLATES, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.table import Table
from siaghsync.sandbox.wire import Record, encode


def found(world: CrmWorld, kind: Kind, body: Record) -> Reply:
    """Full records, pages from 1. Raises BadInput."""
    number, size = page(body, 1, world.page_cap)
    number = number if world.find_pages else 1
    sample = {"crmId": "", "creatDate": "", "modifyDate": "", **TEMPLATES[kind]}
    queries, type_code = body.get("queries") or [], body.get("typeKey") or None
    leaves = conditions(queries, sample, world)
    by = orders(body.get("orders") or [], sample, world)
    if not isinstance(type_code, str | None):
        raise BadInput("typeKey", "must be a string")
    if not queries and world.find_empty_queries == "400":
        raise BadInput("queries", "is empty")
    none = not queries and world.find_empty_queries == "none"
    if none or (type_code is None and not world.empty_type_key_means_all):
        return reply({"data": [], "total": 0})
    if type_code is None and kind in DOCUMENT_KINDS and world.typeless_type:
        type_code = world.typeless_type
    if not world.find_filters_by_type:
        type_code = None
    with world.lock:
        table = world.tables[kind] if world.find_as_of is None else world.tables[kind].as_of(world.find_as_of)
        ids, total = select(table, type_code, leaves, by, ((number - 1) * size, number * size))
        data = b",".join([text(world, kind, table, crm_id, in_find=True) for crm_id in ids])
    return Reply(b'{"data":[%b],"total":%d}' % (data, total))


def text(world: CrmWorld, kind: Kind, table: Table, crm_id: str, in_find: bool = False) -> bytes:
    """A record's JSON as `get` or `find` gives it."""
    record = table.records[crm_id]
    if kind in CUSTOMER_KINDS and world.null_lists:
        return encode({name: None if name in {*LISTS, "tags"} and not v else v for name, v in record.items()})
    if kind not in CUSTOMER_KINDS and in_find and world.details_in_find != "full":
        return encode(_without_details(_as_named(world, record), shown=world.details_in_find == "null"))
    if kind == "invoice" and not world.names_quote:
        return encode(_as_named(world, record))
    return table.text(crm_id).encode("utf-8", "replace")


def _as_named(world: CrmWorld, record: Record) -> Record:
    return {name: v for name, v in record.items() if name != "relatedQuoteId" or world.names_quote}


def _without_details(record: Record, shown: bool) -> Record:
    return {name: None if name == "details" else v for name, v in record.items() if shown or name != "details"}
