"""What the stand-in Siagh refuses when it is strict: every form that isn't exactly as documented (siagh §3.2, §4).

No live server was seen to be so. A client that is developed against a strict Siagh learns of each misspelt key.
"""

from __future__ import annotations

import re
from typing import Any

from siaghsync.sandbox.forms import CELLS, CONTACT_KEYS, CONTACT_PREFIX, PREINVOICE_PREFIX, FormError, grids, pairs
from siaghsync.sandbox.wire import Json

PREINVOICE_KEYS = (
    "hssanadstate", "codenoeesanad", "codesalemodel", "salmali", "codenoeepardakht", "codemarkazforush",
    "codecontact", "codemoshtari", "codenoeeforush", "codevaseteh", "tozihat", "namenoesanad",
)  # fmt: skip
NICKNAME = "dbgrid1.#nickname#"
_ENVELOPE = {"formId", "ctrlValues", "parameters", "dataRows", "attachments", "postCode", "flowId"}
_FIXED = {"attachments": "[]", "postCode": "1110", "flowId": ""}
_ALLOWED = {"isactive": {"0", "1"}, "gender": {"", "0", "1"}, "taraftype": {"0", "1"}}
_SUID = re.compile(r"_In_EditKeys=\|_In_Suid=([0-9A-F]{32}|[0-9A-F]{8}(?:-[0-9A-F]{4}){3}-[0-9A-F]{12})\|nocheck=\Z")
_HEAD = {"hssanadstate": {"8"}, "codenoeesanad": {"2"}, "codenoeepardakht": {"1", "2"}}
_CELL = {"oldValue", "newValue"}


def envelope(body: Json) -> None:
    """Checks the request itself. Raises FormError."""
    if not isinstance(body, dict) or body.keys() != _ENVELOPE:
        raise FormError(f"the request has exactly {', '.join(sorted(_ENVELOPE))}")
    for name, value in body.items():
        if not isinstance(value, str) or value != _FIXED.get(name, value):
            raise FormError(f"{name} is not as documented", name)


def _values(text: str, expected: list[str]) -> dict[str, str]:
    found = pairs(text)
    for key, _ in found:
        if key not in expected:
            raise FormError(f"unknown key '{key}'", key)
    rest = iter(key for key, _ in found)
    for key in expected:
        if key not in rest:
            raise FormError(f"key '{key}' is missing or out of order", key)
    return dict(found)


def contact(form: dict[str, str]) -> None:
    """Checks a contact form. Raises FormError."""
    if form["dataRows"] != "[]":
        raise FormError("dataRows must be '[]'", "dataRows")
    if not re.fullmatch(r"CodeMain=\d{0,9}", form["parameters"], re.ASCII):
        raise FormError("parameters must be 'CodeMain=' and a code or nothing", "parameters")
    first = ["Param1"] if form["ctrlValues"].startswith("Param1=") else []
    keys = [f"{CONTACT_PREFIX}{key}" for key in CONTACT_KEYS]
    values = _values(form["ctrlValues"], [*first, "NickName", *keys])
    if values["NickName"] != NICKNAME:
        raise FormError(f"NickName must be '{NICKNAME}'", "NickName")
    for key, allowed in _ALLOWED.items():
        if values[f"{CONTACT_PREFIX}{key}"] not in allowed:
            raise FormError(f"{key} must be one of {sorted(allowed)}", key)


def preinvoice(form: dict[str, str]) -> None:
    """Checks a pre-invoice form. Raises FormError."""
    if not _SUID.match(form["parameters"]):
        raise FormError(
            "parameters must be '_In_EditKeys=|_In_Suid=<32 hex digits, upper case>|nocheck='", "parameters"
        )
    values = _values(form["ctrlValues"], [f"{PREINVOICE_PREFIX}{key}" for key in PREINVOICE_KEYS])
    for key, allowed in _HEAD.items():
        if values[f"{PREINVOICE_PREFIX}{key}"] not in allowed:
            raise FormError(f"{key} must be one of {sorted(allowed)}", key)
    if not values[f"{PREINVOICE_PREFIX}namenoesanad"].startswith("پیش فاکتور فروش"):
        raise FormError("نام نوع سند درست وارد نشده است", "namenoesanad")
    _grid(form["dataRows"])


def _grid(data_rows: str) -> None:
    found = grids(data_rows)
    if len(found) != 1 or not isinstance(found[0], dict):
        raise FormError("dataRows must hold a list of one grid", "dataRows")
    head = {name: value for name, value in found[0].items() if name != "data"}
    if head != {"name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz"}:
        raise FormError("the grid must be dbgrid1 of sl_rizsanad, keyField coderiz", "dataRows")
    for number, row in enumerate(found[0].get("data") or [], start=1):
        _row(row, number)


def _row(row: Any, number: int) -> None:
    if not isinstance(row, dict) or row.keys() != set(CELLS):
        raise FormError(f"row {number} has exactly {', '.join(sorted(CELLS))}", "dataRows")
    for name, cell in row.items():
        if not isinstance(cell, dict) or cell.keys() != _CELL:
            raise FormError(f"cell {name} of row {number} has exactly oldValue, newValue", name)
        if cell["oldValue"] != (cell["newValue"] if name in ("__uid", "_status") else None):
            raise FormError(f"oldValue of {name} in row {number} is wrong", name)
    values = {name: cell["newValue"] for name, cell in row.items()}
    fixed = {"_status": "inserted", "vazn": "0", "hajm": "0", "radif": str(number), "takhfif": None,
             "sumamelinc": None, "sumameldec": None}  # fmt: skip
    for name, value in fixed.items():
        if values[name] != value:
            raise FormError(f"{name} of row {number} must be {value!r}", name)
    if not values["__uid"] or values["finalqty"] != values["qty"] or not values["nameunit"]:
        raise FormError(f"__uid, finalqty or nameunit of row {number} is wrong", "dataRows")
