"""Customers by the number: contact N is always the same one, so no list of them has to be kept anywhere."""

from __future__ import annotations

import json
import uuid
from typing import Any

FIRST_CODE = 22
"""Finance's own users stand before it."""

USER, PASSWORD, MD5 = "webservice", "benchmark", "0123456789ABCDEF0123456789ABCDEF"

_NULLS = (
    "NickName", "MobileNo2", "TelNo2", "Email2", "BirthDate", "FatherName", "Description", "WebSiteAddress",
    "ExpireDate", "ParentCode", "AccountPartyCode", "FraternityCode", "JobTypeCode", "TrackingCode", "CodeRoshd",
    "Coin", "Confirm", "GiveCoinToParentCode", "HasDisCount", "img", "Picture", "PreName", "RepresentativeId",
    "OrgField", "Password", "tmpid",
)  # fmt: skip


def national_code(number: int) -> str:
    """A valid national code with nine digits of `number`."""
    digits = f"{100_000_000 + number:09d}"
    rest = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return f"{digits}{rest if rest < 2 else 11 - rest}"


def contact(number: int) -> dict[str, Any]:
    """Contact `number` (from 0) as Finance shows it, with all its properties (contract siagh §3.1)."""
    return {
        "RecordId": str(uuid.UUID(int=number + 1)),
        "Code": FIRST_CODE + number,
        "Name": f"مشتری نمونه‌ی شماره {number}",
        "NationalCode": national_code(number),
        "MobileNo": f"09{120_000_000 + number:09d}",
        "TelNo": f"021{20_000_000 + number:08d}",
        "Email": f"customer{number}@example.com",
        "Address": f"تهران، خیابان آزادی، کوچه‌ی {number % 97}، پلاک {number % 311}",
        "PostalCode": f"{1_100_000_000 + number:010d}",
        "CityCode": 4,
        "CountryCode": 1,
        "GeographicCode": 4,
        "Gender": 1 + number % 2,
        "IsActive": True,
        "IsAdminUser": False,
        "TowardType": False,
        "RegDate": "1404/09/03",
        **dict.fromkeys(_NULLS),
    }


def crm_body(number: int) -> dict[str, Any]:
    """What the import sends for contact `number`, field for field (contract payamgostar §3.5)."""
    known = contact(number)
    return {
        "nickName": known["Name"],
        "customerNumber": str(known["Code"]),
        "nationalCode": known["NationalCode"],
        "email": known["Email"],
        "alternativeEmail": "",
        "website": "",
        "description": "",
        "phoneContacts": [
            {"default": True, "phoneType": "Mobile", "phoneNumber": known["MobileNo"]},
            {"default": False, "phoneType": "Office", "phoneNumber": known["TelNo"]},
        ],
        "addressContacts": [{"default": True, "address": known["Address"], "zipCode": known["PostalCode"]}],
        "firstName": "",
        "lastName": known["Name"],
        "crmObjectTypeCode": "person",
    }


def as_bytes(value: Any) -> bytes:
    """JSON as a server sends it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
