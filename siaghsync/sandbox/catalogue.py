"""What this CRM has set up: item types and categories, as its two lists give them (contract payamgostar §7)."""

from __future__ import annotations

import uuid

from siaghsync.sandbox.crm_input import page
from siaghsync.sandbox.shapes import INDEXES, KINDS, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.webhooks import NAMES
from siaghsync.sandbox.wire import Record

_INDEX_NAMES = ("crmOjectTypeIndex", "crmObjectTypeIndex")
"""The vendor's spelling, and the right one."""


def types(world: CrmWorld, body: Record) -> list[Record]:
    """The subtypes of all kinds, or those with the index, code or name that is asked for; pages from 1."""
    index = next((body[name] for name in _INDEX_NAMES if body.get(name) is not None), None)
    rows = [
        {
            "id": _id(f"{kind}/{code}"),
            "name": NAMES[kind],
            "code": code,
            "index": _index(world, kind),
            "crmOjectTypeIndex": _index(world, kind),
            "enabled": True,
        }
        for kind in KINDS
        for code in sorted(world.type_codes[kind])
        if index in (None, _index(world, kind))
    ]
    return _page(world, body, [row for row in rows if _fits(row, body, ("code", "name"))], world.types_from)


def categories(world: CrmWorld, body: Record) -> list[Record]:
    """The categories, or those with the name or key that is asked for."""
    rows = [{"id": _id(f"category/{key}"), "name": key, "key": key} for key in sorted(world.category_keys)]
    return _page(world, body, [row for row in rows if _fits(row, body, ("name", "key"))])


def _index(world: CrmWorld, kind: Kind) -> int:
    return world.document_indexes.get(kind, INDEXES[kind])


def _fits(row: Record, body: Record, names: tuple[str, ...]) -> bool:
    return all(not body.get(name) or body[name] == row[name] for name in names)


def _page(world: CrmWorld, body: Record, rows: list[Record], first: int = 1) -> list[Record]:
    number, size = page(body, first, world.page_cap)
    return rows[(number - first) * size :][:size]


def _id(text: str) -> str:
    """A GUID that is the same each time."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, text))
