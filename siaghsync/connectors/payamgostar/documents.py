"""The CRM's JSON of quotes and sales invoices becomes a `Document` (contract payamgostar §4)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from siaghsync.connectors.payamgostar.customers import read_record
from siaghsync.connectors.payamgostar.schema import BillableRecord, Detail
from siaghsync.connectors.schema import lower_names
from siaghsync.domain.document import Document, DocumentRow, DocumentSource
from siaghsync.domain.normalize import ascii_digits, clean
from siaghsync.errors import BadRecord
from siaghsync.messages.message import Message, msg

_ZERO = Decimal(0)


def rows_are_missing(raw: Mapping[str, Any]) -> bool:
    """Whether a document out of a list came without its rows, so that it has to be fetched with `get`.

    An empty list counts as missing too: a document without any row is rare, and a server that leaves rows out of its
    lists may well write them like that.
    """
    return lower_names(raw).get("details") in (None, [])


def document_from_crm(raw: Mapping[str, Any], source: DocumentSource) -> Document:
    """A CRM quote or sales invoice as a `Document` (contract payamgostar §4). Missing rows are an empty tuple.

    An amount of the header that is not given is None; in a row discount, tax, toll and returned count are zero then. A row's
    count and price must be there, and stay as they are. Raises BadRecord, naming id and field, when the record has another shape.
    """
    record = read_record(BillableRecord, raw, source)
    own_date = record.quotedate if source == "quote" else record.invoicedate
    moment = own_date or record.creatdate
    crm_id = record.crmid.lower()
    if moment is None:
        raise BadRecord("bad_record.no_date", record_kind=source, record=crm_id, place=f"{source}date")
    return Document(
        crm_id=crm_id,
        source=source,
        number=ascii_digits(record.number),
        customer_crm_id=record.identityid,
        subject=record.subject,
        description=record.description,
        type_code=record.crmobjecttypecode,
        sale_model=sale_model_of(record.crmobjecttypecode),
        date=moment.date(),
        created=record.creatdate,
        modified=record.modifydate or None,
        related_quote_id=(record.relatedquoteid or None) if source == "invoice" else None,
        rows=tuple(map(_row, record.details or ())),
        discount=record.discount,
        vat=record.vat,
        toll=record.toll,
        additional_costs=record.additionalcosts,
        total_value=record.totalvalue,
        final_value=record.finalvalue,
        state_index=record.billableobjectstateindex,
        notes=_cleanings(record),
        quote_is_unknown=source == "invoice" and "relatedquoteid" not in record.model_fields_set,
    )


def _row(detail: Detail) -> DocumentRow:
    return DocumentRow(
        product_code=ascii_digits(detail.productcode),
        product_name=detail.productname,
        unit=detail.productunittypename,
        quantity=detail.count,
        unit_price=detail.baseunitprice,
        discount=detail.totaldiscount or _ZERO,
        vat=detail.totalvat or _ZERO,
        toll=detail.totaltoll or _ZERO,
        description=detail.detaildescription,
        total=detail.totalunitprice,
        returned=detail.returnedcount or _ZERO,
    )


def sale_model_of(type_code: str) -> int | None:
    """The number in a type code: `PI_5` and `PI_5_x` are 5, `Productinvoice` has none (contract siagh §4)."""
    digits = re.search(r"(?:(?<![A-Za-z0-9])PI_([0-9]{1,9})(?![0-9])|(?<!\d)([0-9]{1,9})\Z)", ascii_digits(type_code))
    return int(digits[1] or digits[2]) if digits else None


def _cleanings(record: BillableRecord) -> tuple[Message, ...]:
    """What the form can't carry as it is, for the audit trail."""
    text = record.description if clean(record.description) else record.subject
    values = {"notes": text, "type_code": record.crmobjecttypecode}
    return tuple(msg("value_note.cleaned", field=name) for name, value in values.items() if clean(value) != value)
