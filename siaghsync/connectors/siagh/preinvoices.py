"""Finance's field names of pre-invoices: a document becomes exactly what is sent (contract siagh §4)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from siaghsync.connectors.siagh.form import PREINVOICE_KEYS, ROW_KEYS, clean
from siaghsync.domain.customer import marker
from siaghsync.domain.document import Document, DocumentRow, jalali_year, plain

_OURS = uuid.UUID("6f2c0b52-3d0e-5b0e-9d3b-0c9e2f6a7d41")
"""The namespace of the ids that are derived from documents. It must never change: repeats are recognised by them."""
_DEFAULT_UNIT = "عدد"
_KIND_OF_DOCUMENT = "پیش فاکتور فروش"


def suid_of(document: Document) -> str:
    """The `_In_Suid` of a document: always the same, and the same for a quote and the invoice made from it."""
    return _derived(document.related_quote_id or document.crm_id)


def preinvoice_payload(document: Document, header: Mapping[str, str]) -> dict[str, Any]:
    """What `Siagh.save_preinvoice` is given: `header`, `rows` and `suid` (contract siagh §4).

    `header` holds the codes that are not in the document: codesalemodel, codenoeepardakht, codemarkazforush,
    codemoshtari, codenoeeforush, codevaseteh.
    """
    suid = suid_of(document)
    text = clean(document.description) or document.subject
    values = {
        **header,
        "hssanadstate": "8",
        "codenoeesanad": "2",
        "salmali": str(jalali_year(document.date)),
        "codecontact": "",
        "tozihat": clean(f"{text} {marker(document.number or document.crm_id)}"),
        "namenoesanad": clean(f"{_KIND_OF_DOCUMENT} {document.type_code}"),
    }
    return {
        "header": {key: values[key] for key in PREINVOICE_KEYS},
        "rows": [_cells(row, place, suid) for place, row in enumerate(document.rows, start=1)],
        "suid": suid,
    }


def _cells(row: DocumentRow, place: int, suid: str) -> dict[str, str | None]:
    quantity = plain(row.quantity)
    cells = {
        "__uid": _derived(f"{suid}/{place}"),
        "_status": "inserted",
        "codekala": row.product_code,
        "nameunit": row.unit or _DEFAULT_UNIT,
        "qty": quantity,
        "mabtakhfif": plain(row.discount),
        "vazn": "0",
        "hajm": "0",
        "price": plain(row.unit_price),
        "radif": str(place),
        "finalqty": quantity,
    }
    return {key: cells.get(key) for key in ROW_KEYS}


def _derived(name: str) -> str:
    return str(uuid.uuid5(_OURS, name)).upper()
