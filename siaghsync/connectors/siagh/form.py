"""What Siagh takes: the form encoding of contacts, `key=value` pairs joined by `|` without any escape (contract siagh §3.2),
and the body of a pre-invoice (§4).

Nothing that a value holds may begin another field, or a customer's name could set any field of a record. So every value
is cleaned on its way in.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from siaghsync.domain.document import plain
from siaghsync.domain.fields import TABLE
from siaghsync.domain.normalize import clean

PREINVOICE_KEYS = (
    "hssanadstate", "codenoeesanad", "codesalemodel", "salmali", "codenoeepardakht", "codemarkazforush",
    "codecontact", "codemoshtari", "codenoeeforush", "codevaseteh", "tozihat", "namenoesanad",
)  # fmt: skip
"""The fields of a pre-invoice's header in the documented order, each with the prefix `sl_sanad.` on the wire."""

ROW_KEYS = (
    "__uid", "_status", "codekala", "nameunit", "qty", "mabtakhfif", "vazn", "hajm", "price", "radif",
    "finalqty", "takhfif", "sumamelinc", "sumameldec",
)  # fmt: skip
"""The cells of a pre-invoice's row."""

_UNCHANGING = ("__uid", "_status")


def encode_contact(payload: Mapping[str, str], code: int | None) -> str:
    """The `ctrlValues` of a contact: a new one without `code`, else an update (contract siagh §3.2).

    `payload` holds exactly the fields of `domain.fields.TABLE`; anything else is a mistake of ours and raises ValueError.
    """
    first = [] if code is None else [f"Param1={code}"]
    _check([row.name for row in TABLE], payload)
    pairs = [f"gn_web_users.{row.finance_key}={clean(payload[row.name])}" for row in TABLE]
    return "|".join([*first, "NickName=dbgrid1.#nickname#", *pairs])


def encode_part(payload: Mapping[str, str], code: int, *, bare_number: bool) -> str:
    """The `ctrlValues` of an update with only these fields of `domain.fields.TABLE` (contract siagh §3.2)."""
    rows = [row for row in TABLE if row.name in payload]
    bare = {"number"} if bare_number else set()
    pairs = [f"{'' if r.name in bare else 'gn_web_users.'}{r.finance_key}={clean(payload[r.name])}" for r in rows]
    return "|".join([f"Param1={code}", *pairs])


def encode_preinvoice(header: Mapping[str, str]) -> str:
    """The `ctrlValues` of a pre-invoice; `header` holds exactly PREINVOICE_KEYS (contract siagh §4)."""
    _check(PREINVOICE_KEYS, header)
    return "|".join(f"sl_sanad.{key}={clean(header[key])}" for key in PREINVOICE_KEYS)


def encode_rows(rows: Sequence[Mapping[str, str | Decimal | None]]) -> str:
    """The `dataRows` of a pre-invoice; each row holds exactly ROW_KEYS (contract siagh §4).

    A Decimal becomes a JSON number with exactly its digits.
    """
    for row in rows:
        _check(ROW_KEYS, row)
    data = [
        {key: {"oldValue": row[key] if key in _UNCHANGING else None, "newValue": row[key]} for key in ROW_KEYS}
        for row in rows
    ]
    return _json([{"name": "dbgrid1", "entity": "sl_rizsanad", "keyField": "coderiz", "data": data}])


def _json(value: Any) -> str:
    """JSON text. The standard encoder can't write a Decimal as a number, and a float would change it."""
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, list):
        return f"[{','.join(map(_json, value))}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{_json(key)}:{_json(item)}' for key, item in value.items())}}}"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _check(keys: Sequence[str], given: Mapping[str, Any]) -> None:
    wrong = sorted(set(keys) ^ set(given))
    if wrong:
        raise ValueError(f"fields missing or unknown: {', '.join(wrong)}")


_KIND_OF_DOCUMENT = "پیش فاکتور فروش"


@dataclass(frozen=True, slots=True)
class PreinvoiceForm:
    """What `form` encodes: `header` by `form.PREINVOICE_KEYS`, rows by `form.ROW_KEYS`, and the `_In_Suid`."""

    header: Mapping[str, str]
    rows: tuple[Mapping[str, str | Decimal | None], ...]
    suid: str


def preinvoice_form(payload: Mapping[str, Any]) -> PreinvoiceForm:
    """The form of a document.

    `payload` holds contact_code (only if it is booked on an account party: shape A of the contract), customer_code,
    sale_model, sales_centre, payment_type, sale_kind, intermediary, fiscal_year, type_code, notes, suid (any spelling of a
    UUID) and rows with product_code, unit, quantity, unit_price and discount, these three as plain text amounts. Raises
    KeyError for a missing entry, ValueError for a suid or amount that is none.
    """
    suid = uuid.UUID(payload["suid"]).hex.upper()
    header = {
        "hssanadstate": "8",
        "codenoeesanad": "2",
        "codesalemodel": str(payload["sale_model"]),
        "salmali": str(payload["fiscal_year"]),
        "codenoeepardakht": str(payload["payment_type"]),
        "codemarkazforush": str(payload["sales_centre"]),
        "codecontact": str(payload.get("contact_code", "")),
        "codemoshtari": str(payload["customer_code"]),
        "codenoeeforush": str(payload["sale_kind"]),
        "codevaseteh": str(payload["intermediary"]),
        "tozihat": payload["notes"],
        "namenoesanad": f"{_KIND_OF_DOCUMENT} {payload['type_code']}",
    }
    rows = tuple(_cells(row, place, suid) for place, row in enumerate(payload["rows"], start=1))
    return PreinvoiceForm(header, rows, suid)


def _cells(row: Mapping[str, str], place: int, suid: str) -> dict[str, str | Decimal | None]:
    quantity = _amount(row["quantity"])
    cells: dict[str, str | Decimal] = {
        "__uid": _row_uid(suid, place),
        "_status": "inserted",
        "codekala": row["product_code"],
        "nameunit": row["unit"],
        "qty": quantity,
        "mabtakhfif": _amount(row["discount"]),
        "vazn": "0",
        "hajm": "0",
        "price": _amount(row["unit_price"]),
        "radif": str(place),
        "finalqty": quantity,
    }
    return {key: cells.get(key) for key in ROW_KEYS}


def _amount(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(f"{text} is not an amount") from None


def _row_uid(suid: str, place: int) -> str:
    """Eight hex digits, never the same for two rows of one document and always the same for the same row."""
    return f"{(int(suid[:8], 16) + place) % 2**32:08X}"
