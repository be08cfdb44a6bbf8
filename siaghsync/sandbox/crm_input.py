"""Checks of what clients send to the stand-in CRM: every documented property in its documented type, no other."""

from __future__ import annotations

import re
from typing import Any

from siaghsync.sandbox.query import DATES, is_date
from siaghsync.sandbox.shapes import LISTS, TEMPLATES, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.wire import Json, Record

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_NOT_WRITABLE = {"balance", "crmObjectTypeName"}
_LONGEST = 4000


class BadInput(ValueError):
    """The request has a wrong shape; `field` names the place."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def is_object(body: Json, required: set[str]) -> bool:
    """Whether the body is an object with exactly these properties."""
    return isinstance(body, dict) and body.keys() == required


def page(body: Json, required: set[str], optional: set[str], first: int) -> tuple[int, int]:
    """Page number and size of a list request. Raises BadInput."""
    if not isinstance(body, dict):
        raise BadInput("", "the body must be an object")
    for name in required - body.keys():
        raise BadInput(name, "is missing")
    for name in body.keys() - required - optional:
        raise BadInput(name, "unknown property")
    number, size = body["pageNumber"], body["pageSize"]
    if type(number) is not int or number < first:
        raise BadInput("pageNumber", f"must be an integer, {first} or more")
    if type(size) is not int or size < 1:
        raise BadInput("pageSize", "must be an integer, 1 or more")
    return number, size


def get_id(body: Json, keys: set[str]) -> str:
    """The `id` of a request with exactly these properties. Raises BadInput."""
    if not is_object(body, keys):
        raise BadInput("id", f"the body has exactly {', '.join(sorted(keys))}")
    return _guid("id", body["id"])


def _guid(name: str, value: object) -> str:
    if not isinstance(value, str) or not _GUID.match(value):
        raise BadInput(name, "is not a lower-case GUID")
    return value


def create_fields(kind: Kind, body: Json, world: CrmWorld) -> Record:
    """The fields of a create request. Raises BadInput."""
    fields = _fields(kind, body, world)
    if "crmObjectTypeCode" not in fields:
        raise BadInput("crmObjectTypeCode", "is missing")
    names = ("nickName", "firstName", "lastName") if kind == "person" else ("nickName",)
    if not any((fields.get(name) or "").strip() for name in names):
        raise BadInput("nickName", "a customer needs a name")
    return fields


def update_fields(kind: Kind, body: Json, world: CrmWorld) -> tuple[str, Record]:
    """The id and the fields of an update request. Raises BadInput."""
    if not isinstance(body, dict):
        raise BadInput("", "the body must be an object")
    crm_id = _guid("crmId", body.get("crmId"))
    return crm_id, _fields(kind, {name: value for name, value in body.items() if name != "crmId"}, world)


def _fields(kind: Kind, body: Json, world: CrmWorld) -> Record:
    if not isinstance(body, dict):
        raise BadInput("", "the body must be an object")
    for name, value in body.items():
        if name not in TEMPLATES[kind] or name in _NOT_WRITABLE:
            raise BadInput(name, "unknown property")
        if name in LISTS:
            _entries(name, value)
        elif name == "tags":
            if value is not None and not (isinstance(value, list) and all(isinstance(t, str) for t in value)):
                raise BadInput(name, "must be a list of strings")
        elif name == "gender":
            if not isinstance(value, str | int | None):
                raise BadInput(name, "must be a string or a number")
        else:
            _text(name, value)
            if name in DATES and value and not is_date(value):
                raise BadInput(name, "is not a local date and time without offset")
    _known(kind, body, world)
    return body


def _known(kind: Kind, fields: Record, world: CrmWorld) -> None:
    code = fields.get("crmObjectTypeCode")
    if "crmObjectTypeCode" in fields and code not in world.type_codes[kind]:
        raise BadInput("crmObjectTypeCode", f"unknown subtype {code!r}")
    for category in fields.get("categories") or ():
        if category.get("key") not in world.category_keys:
            raise BadInput("categories", f"unknown category {category.get('key')!r}")


def _text(name: str, value: Any) -> None:
    if value is not None and not isinstance(value, str):
        raise BadInput(name, "must be a string")
    if value is not None and len(value) > _LONGEST:
        raise BadInput(name, f"is longer than {_LONGEST} characters")


def _entries(name: str, entries: Json) -> None:
    if entries is None:
        return
    if not isinstance(entries, list):
        raise BadInput(name, "must be a list")
    for entry in entries:
        if not isinstance(entry, dict):
            raise BadInput(name, "must be a list of objects")
        for key, value in entry.items():
            if key not in LISTS[name]:
                raise BadInput(f"{name}.{key}", "unknown property")
            if key == "default":
                if not isinstance(value, bool):
                    raise BadInput(f"{name}.{key}", "must be a boolean")
            elif key not in ("longitude", "latitude"):
                _text(f"{name}.{key}", value)
