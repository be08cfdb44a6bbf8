"""The payload of a document becomes what Siagh takes for a pre-invoice (contract siagh §4)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from siaghsync.connectors.siagh.form import ROW_KEYS

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
