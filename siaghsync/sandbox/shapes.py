"""The CRM's record shapes: what every record carries, and how little a caller has to say to get a whole one."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from decimal import Decimal
from typing import Literal, get_args

from siaghsync.sandbox.switches import CrmSwitches
from siaghsync.sandbox.wire import Record

Kind = Literal["person", "organization", "quote", "invoice"]
KINDS: tuple[Kind, ...] = get_args(Kind)
CUSTOMER_KINDS: tuple[Kind, ...] = ("person", "organization")
DOCUMENT_KINDS: tuple[Kind, ...] = ("quote", "invoice")

CENT = Decimal("0.01")
UNIT = Decimal("0.0001")
RIAL = Decimal(1)
ZERO = Decimal("0.00")
INDEXES: dict[Kind, int] = {"person": 2, "organization": 1, "quote": 8, "invoice": 5}
"""`crmObjectTypeIndex` by kind; those of documents are known, the others are ours."""
GENDERS = {1: "male", 0: "female"}

_CUSTOMER: Record = {
    "nickName": "", "customerNumber": "", "refId": "", "email": "", "alternativeEmail": "", "website": "",
    "description": "", "nationalCode": "", "phoneContacts": [], "addressContacts": [], "categories": [],
    "crmObjectTypeName": "", "tags": [], "extendedProperties": [], "balance": ZERO, "subject": "", "colorId": None,
    "assignedToUserName": None, "customerDate": None, "preferredContactType": None, "sourceTypeIndex": None,
    "identityTypeName": "",
}  # fmt: skip
_DOCUMENT: Record = {
    "crmObjectTypeCode": "", "crmObjectTypeIndex": 0, "number": "", "subject": "", "description": "", "refId": "",
    "identityId": None, "discount": ZERO, "vat": ZERO, "toll": ZERO, "additionalCosts": None, "totalValue": ZERO,
    "finalValue": ZERO, "vatPercent": 0, "tollPercent": 0, "discountPercent": ZERO,
    "totalDiscountPercent": Decimal("0.0"), "billableObjectState": None, "billableObjectStateIndex": 1,
    "details": [],
}  # fmt: skip
TEMPLATES: dict[Kind, Record] = {
    "person": {
        **_CUSTOMER, "crmObjectTypeCode": "person", "firstName": "", "lastName": "", "gender": None,
        "birthDate": None, "personPrefix": None, "degree": None,
    },
    "organization": {
        **_CUSTOMER, "crmObjectTypeCode": "organization", "economicCode": "", "registerNumber": "",
        "registerDate": None, "businessType": None, "managerId": None,
    },
    "quote": {**_DOCUMENT, "crmObjectTypeCode": "PI_5", "crmObjectTypeIndex": INDEXES["quote"], "quoteDate": None,
              "expireDate": None, "quoteType": "Quote"},
    "invoice": {**_DOCUMENT, "crmObjectTypeCode": "SI_5", "crmObjectTypeIndex": INDEXES["invoice"], "invoiceDate": None,
                "expireDate": None, "invoiceType": "Invoice", "relatedQuoteId": None},
}  # fmt: skip
PHONE: Record = {
    "id": None, "default": False, "phoneType": "Mobile", "phoneNumber": "", "continuedNumber": "",
    "extension": "",
}  # fmt: skip
ADDRESS: Record = {
    "id": None, "default": False, "country": None, "state": None, "city": None, "addressType": None,
    "areaCode": "", "address": "", "zipCode": "", "zipBox": "", "longitude": None, "latitude": None,
}  # fmt: skip
CATEGORY: Record = {"id": None, "name": "", "key": ""}
EXTRA: Record = {"value": "", "userKey": "", "preview": None}
ITEM: Record = {
    "productCode": "", "productId": None, "productName": "", "isService": False, "baseUnitPrice": ZERO,
    "finalUnitPrice": ZERO, "count": Decimal("1.0000"), "returnedCount": Decimal("0.0"), "totalUnitPrice": ZERO,
    "totalDiscount": ZERO, "totalVat": ZERO, "totalToll": ZERO, "discountPercent": Decimal("0.0"),
    "detailDescription": "", "productUnitTypeName": "عدد", "serial": None,
}  # fmt: skip
LISTS: dict[str, Record] = {
    "phoneContacts": PHONE,
    "addressContacts": ADDRESS,
    "categories": CATEGORY,
    "extendedProperties": EXTRA,
    "details": ITEM,
}
_MONEY = {"discount", "vat", "toll", "additionalCosts", "totalValue", "finalValue", "baseUnitPrice",
          "finalUnitPrice", "totalUnitPrice", "totalDiscount", "totalVat", "totalToll", "balance"}  # fmt: skip
_STAMPS = {"crmId", "creatDate", "modifyDate"}


def new_id() -> str:
    """A GUID as the CRM writes them: lower case."""
    return str(uuid.uuid4())


def _typed(name: str, value: object) -> object:
    if name in _MONEY and isinstance(value, (int, str, Decimal)):
        return Decimal(value).quantize(CENT)
    if name == "count" and isinstance(value, (int, str, Decimal)):
        return Decimal(value).quantize(UNIT)
    if name == "gender" and isinstance(value, int):
        return GENDERS.get(value)
    return value


def _entries(name: str, entries: Iterable[Record] | None) -> list[Record] | None:
    """The entries of one list field, each filled up; null stays null."""
    if entries is None:
        return None
    template, whole = LISTS[name], []
    for entry in entries:
        unknown = entry.keys() - template.keys()
        if unknown:
            raise TypeError(f"{name} has no {', '.join(sorted(unknown))}")
        row = {**template, **{key: _typed(key, value) for key, value in entry.items()}}
        if "id" in row and row["id"] is None:
            row["id"] = new_id()
        whole.append(_priced(row, entry) if template is ITEM else row)
    return whole


def _priced(row: Record, given: Record) -> Record:
    """A document row whose sums follow from count, price and tax, unless they were given."""
    if "totalUnitPrice" not in given:
        row["totalUnitPrice"] = (row["baseUnitPrice"] * row["count"]).quantize(CENT)
    if "finalUnitPrice" not in given and row["count"]:
        total = row["totalUnitPrice"] - row["totalDiscount"] + row["totalVat"] + row["totalToll"]
        row["finalUnitPrice"] = (total / row["count"]).quantize(CENT)
    return row


def checked(kind: Kind, fields: Record) -> Record:
    """The fields as they are stored: lists filled up, money with two decimals.

    Raises TypeError for a field that this kind of record doesn't have.
    """
    unknown = fields.keys() - TEMPLATES[kind].keys() - _STAMPS
    if unknown:
        raise TypeError(f"a {kind} has no {', '.join(sorted(unknown))}")
    return {name: _entries(name, value) if name in LISTS else _typed(name, value) for name, value in fields.items()}


def whole(kind: Kind, fields: Record, rules: CrmSwitches) -> Record:
    """A complete record of this kind; names and sums that follow from others are filled in unless given."""
    given = checked(kind, fields)
    record = {**TEMPLATES[kind], **given}
    if kind in CUSTOMER_KINDS:
        if not record["nickName"] and kind == "person":
            record["nickName"] = f"{record['firstName'] or ''} {record['lastName'] or ''}".strip()
        record["identityTypeName"] = record["identityTypeName"] or kind.capitalize()
        return record
    record["crmObjectTypeIndex"] = rules.document_indexes[kind]
    if record["number"] and "billableObjectStateIndex" not in given:
        record["billableObjectStateIndex"] = rules.state_codes["in force"]
    return _totalled(record, given, rules)


def _totalled(record: Record, given: Record, rules: CrmSwitches) -> Record:
    """A document with the sums of its rows in its header, by `header_discount` and `whole_rials`."""
    rows = record["details"] or []
    if rules.whole_rials and rows:
        rounded = ("totalUnitPrice", "totalDiscount", "totalVat", "totalToll")
        rows = [{**row, **{name: row[name].quantize(RIAL).quantize(CENT) for name in rounded}} for row in rows]
        record["details"] = rows
    of_rows = {
        "totalValue": sum((row["totalUnitPrice"] for row in rows), ZERO),
        "discount": sum((row["totalDiscount"] for row in rows), ZERO),
        "vat": sum((row["totalVat"] for row in rows), ZERO),
        "toll": sum((row["totalToll"] for row in rows), ZERO),
    }
    on_top = rules.header_discount == "on top"
    header = {**of_rows, "discount": ZERO} if on_top else of_rows
    record |= {name: value for name, value in header.items() if name not in given}
    if "finalValue" not in given:
        discount = record["discount"] + (of_rows["discount"] if on_top else ZERO)
        record["finalValue"] = record["totalValue"] - discount + record["vat"] + record["toll"]
    return record
