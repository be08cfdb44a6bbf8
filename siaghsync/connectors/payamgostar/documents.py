"""The CRM's field names of quotes and sales invoices: its JSON becomes a document (contract payamgostar §4)."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationError

from siaghsync.connectors.payamgostar.customers import RawText, Text, crm_id_of, why
from siaghsync.connectors.siagh.form import clean
from siaghsync.domain.customer import ascii_digits
from siaghsync.domain.document import Document, DocumentRow, DocumentSource
from siaghsync.errors import BadRecord
from siaghsync.wire.answers import Shape, usable_key

_TEHRAN = ZoneInfo("Asia/Tehran")
_NO_YEAR = 1
"""The year of the date that .NET writes where there is none."""
_LARGEST = Decimal(10) ** 21
_MOST_DECIMALS = 40


def _to_amount(value: object) -> object:
    """A JSON number, exact: no binary float, no text, nothing beyond all money."""
    if value is None:
        return None
    if isinstance(value, int | Decimal) and _is_money(Decimal(value)):
        return value
    raise ValueError(f"an amount was expected, not {type(value).__name__} {str(value)[:40]}")


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and amount.copy_abs() < _LARGEST and _decimals(amount) <= _MOST_DECIMALS


def _decimals(amount: Decimal) -> int:
    return -int(amount.as_tuple().exponent)


def _to_moment(value: object) -> dt.datetime | None:
    """A moment in Tehran: the CRM's dates are Tehran time without an offset; one that carries an offset is converted."""
    if value in (None, ""):
        return None
    moment = dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    if moment.year == _NO_YEAR:
        return None
    if not 1000 <= moment.year <= 9000:
        raise ValueError(f"a date was expected, not {value}")
    return moment.astimezone(_TEHRAN).replace(tzinfo=None) if moment.tzinfo else moment


def _to_key(value: object) -> object:
    """An id in lower case; null, nothing and zeros are none."""
    if not isinstance(value, str):
        return "" if value is None else value
    key = usable_key(value)
    if not key and value.strip(" 0{}-"):
        raise ValueError("an id was expected")
    return key.lower()


def _to_state(value: object) -> object:
    """Only shown, never decided by: what is no whole number is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


Amount = Annotated[Decimal, BeforeValidator(_to_amount)]
MaybeAmount = Annotated[Decimal | None, BeforeValidator(_to_amount)]
Moment = Annotated[dt.datetime | None, BeforeValidator(_to_moment)]
Key = Annotated[str, BeforeValidator(_to_key)]


class _Detail(Shape):
    productcode: Text = ""
    productname: Text = ""
    productunittypename: Text = ""
    count: Amount
    baseunitprice: Amount
    totaldiscount: MaybeAmount = None
    totalvat: MaybeAmount = None
    totaltoll: MaybeAmount = None
    totalunitprice: MaybeAmount = None
    detaildescription: Text = ""


class _Document(Shape):
    crmid: Annotated[str, Field(min_length=1)]
    crmobjecttypecode: Text = ""
    number: Text = ""
    subject: RawText = ""
    description: RawText = ""
    identityid: Key = ""
    relatedquoteid: Key = ""
    discount: MaybeAmount = None
    vat: MaybeAmount = None
    toll: MaybeAmount = None
    additionalcosts: MaybeAmount = None
    totalvalue: MaybeAmount = None
    finalvalue: MaybeAmount = None
    quotedate: Moment = None
    invoicedate: Moment = None
    creatdate: Moment = None
    modifydate: Text = ""
    billableobjectstateindex: Annotated[int | None, BeforeValidator(_to_state)] = None
    details: list[_Detail] | None = None


def rows_are_missing(raw: Mapping[str, Any]) -> bool:
    """Whether a document out of a list came without its rows, so that it has to be fetched with `get`.

    An empty list counts as missing too: a document without any row is rare, and a server that leaves rows out of its
    lists may well write them like that.
    """
    return {str(name).lower(): value for name, value in raw.items()}.get("details") in (None, [])


def document_from_crm(raw: Mapping[str, Any], source: DocumentSource) -> Document:
    """A CRM quote or sales invoice as a `Document` (contract payamgostar §4). Missing rows are none.

    An amount that is not given is None, in a row zero (discount, tax, toll); a row's count and price must be there, and
    stay as they are. Raises BadRecord, naming id and field, when the record has another shape.
    """
    try:
        record = _Document.model_validate(raw)
    except ValidationError as error:
        raise _bad(raw, source, why(error)) from None
    own_date = record.quotedate if source == "quote" else record.invoicedate
    moment = own_date or record.creatdate
    if moment is None:
        raise _bad(raw, source, f"field {source}date: neither it nor creatdate holds a date")
    return Document(
        crm_id=record.crmid.lower(),
        source=source,
        number=ascii_digits(record.number),
        customer_crm_id=record.identityid,
        subject=record.subject,
        description=record.description,
        type_code=record.crmobjecttypecode,
        sale_model=_sale_model(record.crmobjecttypecode),
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
        notes=_cleanings(record.description if clean(record.description) else record.subject, record.crmobjecttypecode),
    )


def _bad(raw: Mapping[str, Any], source: DocumentSource, why: str) -> BadRecord:
    return BadRecord(f"CRM {source} {crm_id_of(raw) or '(without id)'} can't be understood: {why}")


def _row(detail: _Detail) -> DocumentRow:
    zero = Decimal(0)
    return DocumentRow(
        product_code=ascii_digits(detail.productcode),
        product_name=detail.productname,
        unit=detail.productunittypename,
        quantity=detail.count,
        unit_price=detail.baseunitprice,
        discount=detail.totaldiscount or zero,
        vat=detail.totalvat or zero,
        toll=detail.totaltoll or zero,
        description=detail.detaildescription,
        total=detail.totalunitprice,
    )


def _sale_model(type_code: str) -> int | None:
    """The number at the end of a type code: `PI_5` is 5, `Productinvoice` has none (contract siagh §4)."""
    digits = re.search(r"(?<!\d)[0-9]{1,9}\Z", ascii_digits(type_code))
    return int(digits[0]) if digits else None


def _cleanings(text: str, type_code: str) -> tuple[str, ...]:
    """What the form can't carry as it is, for the audit trail."""
    values = {"tozihat": text, "namenoesanad": type_code}
    return tuple(
        f"{key}: characters that the finance form can't carry were replaced"
        for key, value in values.items()
        if clean(value) != value
    )
