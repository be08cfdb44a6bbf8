"""Siagh's form language as the stand-in reads it (contract siagh §3.2, §4).

`ctrlValues` is split at `|` and at line breaks, each piece at its first `=`; empty pieces are passed over. There is no
escape: whatever a value smuggles in as a known key is taken for that field, and the last one counts. A form is
refused if one of its keys is missing or out of order, or if there is a key that the form doesn't have.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from siaghsync.sandbox.wire import Json, Record, parse

CONTACT_FORM, PREINVOICE_FORM = "2BFDA", "43D81"
CONTACT_KEYS = {
    "isactive": "IsActive", "gender": "Gender", "websiteaddress": "WebSiteAddress", "pocode": "PostalCode",
    "codeostan": "GeographicCode", "address": "Address", "codeshahr": "CityCode", "countrycode": "CountryCode",
    "email": "Email", "fullname": "Name", "mobileno": "MobileNo", "telno": "TelNo", "passno": "NationalCode",
    "tmpid": "tmpid", "tozihat": "Description", "taraftype": "TowardType",
}  # fmt: skip
"""Keys of the contact form, in their order, and the property that each one sets."""
PREINVOICE_KEYS = (
    "hssanadstate", "codenoeesanad", "codesalemodel", "salmali", "codenoeepardakht", "codemarkazforush",
    "codecontact", "codemoshtari", "codenoeeforush", "codevaseteh", "tozihat", "namenoesanad",
)  # fmt: skip
CELLS = {
    "__uid", "_status", "codekala", "nameunit", "qty", "mabtakhfif", "vazn", "hajm", "price", "radif", "finalqty",
    "takhfif", "sumamelinc", "sumameldec",
}  # fmt: skip
NICKNAME = "dbgrid1.#nickname#"
_ENVELOPE = {"formId", "ctrlValues", "parameters", "dataRows", "attachments", "postCode", "flowId"}
_ALLOWED = {"isactive": {"0", "1"}, "gender": {"", "0", "1"}, "taraftype": {"0", "1"}}
_CODES = {"codeostan", "codeshahr", "countrycode", "gender"}
_SUID = re.compile(r"_In_EditKeys=\|_In_Suid=([0-9A-F]{32}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\|nocheck=\Z")


class FormError(Exception):
    """The form is refused; `column` is where, the message why."""

    def __init__(self, message: str, column: str = "") -> None:
        super().__init__(message)
        self.column = column


def envelope(body: Json) -> dict[str, str]:
    """The request itself, every property a string. Raises FormError."""
    if not isinstance(body, dict) or body.keys() != _ENVELOPE:
        raise FormError(f"the request has exactly {', '.join(sorted(_ENVELOPE))}")
    for name, value in body.items():
        if not isinstance(value, str):
            raise FormError(f"{name} must be a string", name)
    expected = {"attachments": "[]", "postCode": "1110", "flowId": ""}
    for name, value in expected.items():
        if body[name] != value:
            raise FormError(f"{name} must be '{value}'", name)
    return body


def pairs(ctrl_values: str) -> list[tuple[str, str]]:
    """Keys and values in the order in which they stand."""
    pieces = [piece for line in ctrl_values.splitlines() for piece in line.split("|")]
    split = [piece.partition("=") for piece in pieces if piece]
    return [(key, value) for key, _, value in split]


def _values(found: list[tuple[str, str]], expected: list[str]) -> dict[str, str]:
    for key, _ in found:
        if key not in expected:
            raise FormError(f"unknown key '{key}'", key)
    rest = iter(key for key, _ in found)
    for key in expected:
        if key not in rest:
            raise FormError(f"key '{key}' is missing or out of order", key)
    return dict(found)


def contact(form: dict[str, str]) -> tuple[int | None, dict[str, str]]:
    """A contact form: the code that it is about (None: no contact that is named twice), and its values by key.

    Raises FormError.
    """
    if form["dataRows"] != "[]":
        raise FormError("dataRows must be '[]'", "dataRows")
    code = re.fullmatch(r"CodeMain=(\d{0,9})", form["parameters"], re.ASCII)
    if not code:
        raise FormError("parameters must be 'CodeMain=' and a code or nothing", "parameters")
    found = pairs(form["ctrlValues"])
    first = ["Param1"] if found and found[0][0] == "Param1" else []
    values = _values(found, [*first, "NickName", *(f"gn_web_users.{key}" for key in CONTACT_KEYS)])
    if values.pop("NickName") != NICKNAME:
        raise FormError(f"NickName must be '{NICKNAME}'", "NickName")
    same = values.pop("Param1", None) == code[1] != ""
    short = {key.removeprefix("gn_web_users."): value for key, value in values.items()}
    for key, allowed in _ALLOWED.items():
        if short[key] not in allowed:
            raise FormError(f"{key} must be one of {sorted(allowed)}", key)
    if not short["fullname"].strip():
        raise FormError("نام درست وارد نشده است", "fullname")
    return (int(code[1]) if same else None), short


def properties(values: dict[str, str], empty_too: bool) -> Record:
    """What the values set in a contact, by GetAll's properties; empty ones only if `empty_too`."""
    found: Record = {}
    for key, value in values.items():
        if value or empty_too:
            found[CONTACT_KEYS[key]] = _stored(key, value)
    return found


def _stored(key: str, value: str) -> object:
    if key in ("isactive", "taraftype"):
        return value == "1"
    if key in _CODES:
        number = integer(value)
        return number if str(number) == value else value or None
    return value


def preinvoice(form: dict[str, str]) -> tuple[dict[str, str], str, list[Record]]:
    """A pre-invoice form: its values by key, its Suid, its rows (newValue by cell). Raises FormError."""
    suid = _SUID.match(form["parameters"])
    if not suid:
        raise FormError(
            "parameters must be '_In_EditKeys=|_In_Suid=<32 hex digits, upper case>|nocheck='", "parameters"
        )
    values = _values(pairs(form["ctrlValues"]), [f"sl_sanad.{key}" for key in PREINVOICE_KEYS])
    return {key.removeprefix("sl_sanad."): value for key, value in values.items()}, suid[1], _rows(form["dataRows"])


def _rows(data_rows: str) -> list[Record]:
    try:
        grids = parse(data_rows)
    except ValueError as error:
        raise FormError("dataRows must be a string that holds JSON", "dataRows") from error
    if not isinstance(grids, list) or len(grids) != 1 or not isinstance(grids[0], dict):
        raise FormError("dataRows must hold a list of one grid", "dataRows")
    grid = grids[0]
    head = {name: value for name, value in grid.items() if name != "data"}
    if head != {"name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz"}:
        raise FormError("the grid must be dbgrid1 of sl_rizsanad, keyField coderiz", "dataRows")
    if not isinstance(grid.get("data"), list) or not grid["data"]:
        raise FormError("ردیفی وارد نشده است", "dataRows")
    return [_row(row, number) for number, row in enumerate(grid["data"], start=1)]


def _row(row: Any, number: int) -> Record:
    if not isinstance(row, dict) or row.keys() != CELLS:
        raise FormError(f"row {number} has exactly {', '.join(sorted(CELLS))}", "dataRows")
    for name, cell in row.items():
        if not isinstance(cell, dict) or cell.keys() != {"oldValue", "newValue"}:
            raise FormError(f"cell {name} of row {number} has exactly oldValue, newValue", name)
        if cell["oldValue"] != (cell["newValue"] if name in ("__uid", "_status") else None):
            raise FormError(f"oldValue of {name} in row {number} is wrong", name)
    values: Record = {name: cell["newValue"] for name, cell in row.items()}
    fixed = {"_status": "inserted", "vazn": "0", "hajm": "0", "radif": str(number), "takhfif": None,
             "sumamelinc": None, "sumameldec": None}  # fmt: skip
    for name, value in fixed.items():
        if values[name] != value:
            raise FormError(f"{name} of row {number} must be {value!r}", name)
    if not values["__uid"] or values["finalqty"] != values["qty"] or not values["nameunit"]:
        raise FormError(f"__uid, finalqty or nameunit of row {number} is wrong", "dataRows")
    return values


def integer(text: str) -> int | None:
    """A whole number of at most nine ASCII digits; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def amount(value: object) -> Decimal | None:
    """A number, or a string that holds one; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
