"""What clients send to the stand-in CRM, read as generously as live servers did (contract payamgostar §1, §3).

Property names come in camelCase or PascalCase. A property that nobody knows is passed over, one that is left out or
null has its usual value. Refused is only what no server could make sense of: a list where a number must be, an id
that is no GUID. What a strict CRM refuses besides stands in `crm_strict`.
"""

from __future__ import annotations

import re
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from siaghsync.sandbox.shapes import LISTS, TEMPLATES, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.wire import Json, Record, camel, renamed

DATES = {
    "modifyDate",
    "creatDate",
    "quoteDate",
    "invoiceDate",
    "expireDate",
    "birthDate",
    "registerDate",
    "customerDate",
}
NOT_WRITABLE = {"balance", "crmObjectTypeName", "identityTypeName"}
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


class BadInput(ValueError):
    """The request has a wrong shape; `field` names the place."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def properties(body: Json) -> Record:
    """The body as an object whose names are all in camelCase. Raises BadInput."""
    if not isinstance(body, dict):
        raise BadInput("", "the body must be an object")
    found: Record = renamed(body, camel)
    return found


def page(body: Record, first: int, cap: int) -> tuple[int, int]:
    """Page number and size of a list request; a page before the first is the first. Raises BadInput."""
    number, size = _whole(body, "pageNumber", first), _whole(body, "pageSize", cap)
    return max(number, first), min(size, cap) if size > 0 else cap


def _whole(body: Record, name: str, usual: int) -> int:
    value = body.get(name)
    if value is None:
        return usual
    if type(value) is not int:
        raise BadInput(name, "must be an integer")
    return value


def guid(body: Record, name: str) -> str:
    """An id of a request, in lower case. Raises BadInput."""
    value = body.get(name)
    if not isinstance(value, str) or not GUID.match(value.lower()):
        raise BadInput(name, "is not a GUID")
    return value.lower()


def local(name: str, text: str) -> str:
    """A date as the CRM keeps it: Tehran time without offset, trailing zeros dropped (§1). Raises BadInput."""
    try:
        moment = datetime.fromisoformat(text.replace("/", "-"))
    except ValueError as error:
        raise BadInput(name, f"'{text}' is not a date and time") from error
    if moment.tzinfo:
        moment = moment.astimezone(ZoneInfo("Asia/Tehran")).replace(tzinfo=None)
    whole = moment.microsecond < 1000
    return moment.isoformat(timespec="seconds") if whole else moment.isoformat(timespec="milliseconds").rstrip("0")


def writable(kind: Kind, body: Record, world: CrmWorld) -> Record:
    """The fields of a create or update request that this kind of record has. Raises BadInput."""
    known = TEMPLATES[kind].keys() - NOT_WRITABLE
    fields = {name: _value(name, value, TEMPLATES[kind][name]) for name, value in body.items() if name in known}
    if world.unknown_codes == "refuse":
        _known(kind, fields, world)
    return fields


def _value(name: str, value: Any, usual: Any) -> Any:
    if value is None:
        return None
    if name in LISTS:
        return _entries(name, value)
    if name == "tags":
        return [str(tag) for tag in value] if isinstance(value, list) else None
    if isinstance(value, list | dict):
        raise BadInput(name, "must be a single value")
    if name in DATES:
        return local(name, str(value)) if value else None
    return value if name == "gender" or not isinstance(usual, str) else _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _entries(name: str, entries: Json) -> list[Record]:
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput(name, "must be a list of objects")
    template = LISTS[name]
    return [
        {
            key: _text(value) if isinstance(template[key], str) and value is not None else value
            for key, value in entry.items()
            if key in template
        }
        for entry in entries
    ]


def _known(kind: Kind, fields: Record, world: CrmWorld) -> None:
    code = fields.get("crmObjectTypeCode")
    if code and code not in world.type_codes[kind]:
        raise BadInput("crmObjectTypeCode", f"unknown subtype {code!r}")
    for category in fields.get("categories") or ():
        if category.get("key") and category["key"] not in world.category_keys:
            raise BadInput("categories", f"unknown category {category['key']!r}")
