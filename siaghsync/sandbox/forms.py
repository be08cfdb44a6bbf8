"""Siagh's form language, read as generously as the live server did (contract siagh §3.2, §4).

`ctrlValues` is split at `|` and at line breaks, each piece at its first `=`; empty pieces are passed over. There is no
escape: whatever a value smuggles in as a known key is taken for that field, and the last one counts. Keys may stand
in any order, be missing, or be unknown. What a strict Siagh refuses besides stands in `forms_strict`.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from siaghsync.sandbox.wire import Json, Record, camel, parse

CONTACT_FORM, PREINVOICE_FORM = "2BFDA", "43D81"
CONTACT_KEYS = {
    "isactive": "IsActive", "gender": "Gender", "websiteaddress": "WebSiteAddress", "pocode": "PostalCode",
    "codeostan": "GeographicCode", "address": "Address", "codeshahr": "CityCode", "countrycode": "CountryCode",
    "email": "Email", "fullname": "Name", "mobileno": "MobileNo", "telno": "TelNo", "passno": "NationalCode",
    "tmpid": "tmpid", "tozihat": "Description", "taraftype": "TowardType",
}  # fmt: skip
"""Keys of the contact form, in their documented order, and the property that each one sets."""
FURTHER_KEYS = {"nickname": "NickName", "password": "Password"}
"""Keys that live creates had besides."""
CELLS = (
    "__uid", "_status", "codekala", "nameunit", "qty", "mabtakhfif", "vazn", "hajm", "price", "radif", "finalqty",
    "takhfif", "sumamelinc", "sumameldec",
)  # fmt: skip
CONTACT_PREFIX, PREINVOICE_PREFIX = "gn_web_users.", "sl_sanad."
_CODES = {"codeostan", "codeshahr", "countrycode", "gender"}
_YES = {"1", "true"}
_CODE_MAIN = re.compile(r"CodeMain=(\d{0,9})(?!\d)", re.ASCII)
_SUID = re.compile(r"_In_Suid=([0-9A-Fa-f-]+)")


class FormError(Exception):
    """The form is refused; `column` is where, the message why."""

    def __init__(self, message: str, column: str = "") -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True)
class ContactForm:
    """A contact form: `code` is the contact that it is about, None if none is named twice."""

    code: int | None
    values: dict[str, str]
    """Values by key, as the keys were spelled (`gn_web_users.fullname`, `tmpid`)."""


@dataclass(frozen=True)
class PreInvoiceForm:
    """A pre-invoice form: its values by key without the prefix, its Suid, its rows (newValue by cell)."""

    values: dict[str, str]
    suid: str
    rows: list[Record]


def envelope(body: Json) -> dict[str, str]:
    """The request itself, its properties in camelCase. Raises FormError if it is no form."""
    if not isinstance(body, dict):
        raise FormError("the request is no form")
    form = {camel(name): value for name, value in body.items()}
    for name in ("formId", "ctrlValues"):
        if not isinstance(form.get(name), str):
            raise FormError(f"{name} must be a string", name)
    return {**form, "parameters": str(form.get("parameters") or ""), "dataRows": form.get("dataRows") or "[]"}


def pairs(ctrl_values: str) -> list[tuple[str, str]]:
    """Keys and values in the order in which they stand."""
    pieces = [piece for line in ctrl_values.splitlines() for piece in line.split("|")]
    split = [piece.partition("=") for piece in pieces if piece]
    return [(key, value) for key, _, value in split]


def code_main(parameters: object) -> str:
    """The code in `parameters` of a contact form, or ""."""
    found = _CODE_MAIN.search(parameters) if isinstance(parameters, str) else None
    return found[1] if found else ""


def contact(form: dict[str, str]) -> ContactForm:
    """Reads a contact form."""
    values = dict(pairs(form["ctrlValues"]))
    code = code_main(form["parameters"])
    return ContactForm(int(code) if code and values.pop("Param1", None) == code else None, values)


def properties(values: dict[str, str], empty_too: bool, ignored: set[str]) -> Record:
    """What the values set in a contact, by GetAll's properties; empty ones only if `empty_too`."""
    found: Record = {}
    for spelled, value in values.items():
        key = spelled.lower().removeprefix(CONTACT_PREFIX)
        prefixed = key != spelled.lower() or key == "tmpid"
        name = {**CONTACT_KEYS, **FURTHER_KEYS}.get(key)
        if prefixed and name and spelled not in ignored and (value or empty_too):
            found[name] = _stored(key, value)
    return found


def _stored(key: str, value: str) -> object:
    if key in ("isactive", "taraftype"):
        return value.strip().lower() in _YES
    if key == "password":
        return hashlib.md5(value.encode()).hexdigest().upper() if value else None
    if key in _CODES:
        number = integer(value)
        return number if str(number) == value else value or None
    return value


def preinvoice(form: dict[str, str]) -> PreInvoiceForm:
    """Reads a pre-invoice form. Raises FormError."""
    suid = _SUID.search(form["parameters"])
    values = {key.removeprefix(PREINVOICE_PREFIX): value for key, value in pairs(form["ctrlValues"])}
    return PreInvoiceForm(values, suid[1] if suid else "", _rows(form["dataRows"]))


def grids(data_rows: object) -> list[Any]:
    """The grids in `dataRows`. Raises FormError."""
    try:
        found = parse(data_rows) if isinstance(data_rows, str) else data_rows
    except ValueError as error:
        raise FormError("dataRows must be a string that holds JSON", "dataRows") from error
    if not isinstance(found, list):
        raise FormError("dataRows must hold a list", "dataRows")
    return found


def _rows(data_rows: object) -> list[Record]:
    rows = [row for grid in grids(data_rows) if isinstance(grid, dict) for row in grid.get("data") or ()]
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise FormError("ردیفی وارد نشده است", "dataRows")
    return [{**dict.fromkeys(CELLS), **{name: _new(cell) for name, cell in row.items()}} for row in rows]


def _new(cell: Any) -> Any:
    return cell.get("newValue") if isinstance(cell, dict) else cell


def integer(text: str) -> int | None:
    """A whole number of at most nine ASCII digits; None for any other text."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def amount(value: object, text_too: bool = True) -> Decimal | None:
    """A number, or (`text_too`) a string that holds one; None for anything else."""
    if (
        isinstance(value, bool)
        or not isinstance(value, int | Decimal | str)
        or (isinstance(value, str) and not text_too)
    ):
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
