"""What the stand-in CRM refuses when it is strict: every property that isn't documented, in any other form (§2-§3).

No live server was seen to be so. A client that is developed against a strict CRM learns of each misspelt property.
"""

from __future__ import annotations

import re
from typing import Any

from siaghsync.sandbox.crm_input import DATES, GUID, NOT_WRITABLE, BadInput
from siaghsync.sandbox.query import field_name
from siaghsync.sandbox.shapes import LISTS, TEMPLATES, Kind
from siaghsync.sandbox.wire import Json, Record

LOGIN = {"username", "password", "deviceId", "platformType", "os", "osVersion", "token"}
FLAGS = {
    "showPreviews", "showExtendedPreviews", "includeProcessLifePaths", "includeColor", "includeTags", "includeListFields"
}  # fmt: skip
_SEARCH = ({"pageNumber", "pageSize", "searchTerm"}, {"identityType"})
_FIND = ({"pageNumber", "pageSize"}, {"typeKey", "queries", "orders", "selectFields"})
_QUERY = ({"logicalOperator", "operator", "field", "value", "leafNegate"}, {"leafs", "leafLogicalOperator"})
_PASCAL = re.compile(r"[A-Z][A-Za-z]*\Z")
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?\Z")
_LONGEST = 4000


def exactly(body: Json, required: set[str], optional: set[str] | None = None) -> Record:
    """The body, if it is an object with these properties and no others. Raises BadInput."""
    if not isinstance(body, dict):
        raise BadInput("", "the body must be an object")
    for name in required - body.keys():
        raise BadInput(name, "is missing")
    for name in body.keys() - required - (optional or set()):
        raise BadInput(name, "unknown property")
    return body


def search(body: Json) -> None:
    """Checks a body of identity/search. Raises BadInput."""
    _page(exactly(body, *_SEARCH), first=0)
    _text("searchTerm", body["searchTerm"])


def find(kind: Kind, body: Json) -> None:
    """Checks a body of find. Raises BadInput."""
    _page(exactly(body, *_FIND), first=1)
    sample = {"crmId": "", "creatDate": "", "modifyDate": "", **TEMPLATES[kind]}
    for leaf in body.get("queries", []):
        exactly(leaf, *_QUERY)
        if not isinstance(leaf["value"], str) or not isinstance(leaf["leafNegate"], bool):
            raise BadInput("value", "value must be a string and leafNegate a boolean")
        if _field(leaf["field"], sample) in DATES and not _DATE.match(leaf["value"]):
            raise BadInput(leaf["field"], "is not a local date and time without offset")
    for order in body.get("orders", []):
        _field(exactly(order, {"field", "order"})["field"], sample)


def get(body: Json) -> None:
    """Checks a body of get. Raises BadInput."""
    _guid("id", exactly(body, {"id"}, FLAGS)["id"])


def create(kind: Kind, body: Json) -> None:
    """Checks a body of create. Raises BadInput."""
    _fields(kind, body)
    if not body.get("crmObjectTypeCode"):
        raise BadInput("crmObjectTypeCode", "is missing")
    names = ("nickName", "firstName", "lastName") if kind == "person" else ("nickName",)
    if not any((body.get(name) or "").strip() for name in names):
        raise BadInput("nickName", "a customer needs a name")


def update(kind: Kind, body: Json) -> None:
    """Checks a body of update. Raises BadInput."""
    if not isinstance(body, dict):
        raise BadInput("", "the body must be an object")
    _guid("crmId", body.get("crmId"))
    _fields(kind, {name: value for name, value in body.items() if name != "crmId"})


def delete(body: Json) -> None:
    """Checks a body of delete. Raises BadInput."""
    _guid("id", exactly(body, {"id", "option"})["id"])
    if body["option"] not in (1, 2, 3):
        raise BadInput("option", "must be 1, 2 or 3")


def _page(body: Record, first: int) -> None:
    for name, least in (("pageNumber", first), ("pageSize", 1)):
        if type(body[name]) is not int or body[name] < least:
            raise BadInput(name, f"must be an integer, {least} or more")


def _field(field: object, sample: Record) -> str:
    name = field_name(field, sample) if isinstance(field, str) and _PASCAL.match(field) else None
    if name is None:
        raise BadInput("field", f"{field!r} is not a field name in PascalCase")
    return name


def _guid(name: str, value: object) -> None:
    if not isinstance(value, str) or not GUID.match(value):
        raise BadInput(name, "is not a lower-case GUID")


def _fields(kind: Kind, body: Json) -> None:
    exactly(body, set(), TEMPLATES[kind].keys() - NOT_WRITABLE)
    for name, value in body.items():
        if name in LISTS:
            _entries(name, value)
        elif name == "tags":
            if value is not None and not (isinstance(value, list) and all(isinstance(t, str) for t in value)):
                raise BadInput(name, "must be a list of strings")
        elif isinstance(TEMPLATES[kind][name], str) or name in DATES:
            _text(name, value)
            if name in DATES and value and not _DATE.match(value):
                raise BadInput(name, "is not a local date and time without offset")


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
        for key, value in exactly(entry, set(), set(LISTS[name])).items():
            if key == "default":
                if not isinstance(value, bool):
                    raise BadInput(f"{name}.{key}", "must be a boolean")
            elif key not in ("longitude", "latitude", "preview"):
                _text(f"{name}.{key}", value)
