"""Invents customers whose names and phones are nobody else's, in all the odd ways in which people type them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from siaghsync.sandbox.people import legal_id, national_code

_SHAPES = ("whole", "organization", "no_phone", "no_code", "name_only", "odd_letters", "pipe", "other_digits")
_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@dataclass(frozen=True)
class Person:
    """One invented customer, or firm."""

    organization: bool
    name: str
    code: str
    mobile: str
    phone: str
    email: str
    address: str

    def crm(self, number: str) -> dict[str, Any]:
        """As fields of a CRM record with this customer number."""
        phones = [("Mobile", self.mobile), ("Office", self.phone)]
        return {
            "nickName": self.name,
            "customerNumber": number,
            "nationalCode": self.code,
            "email": self.email,
            "phoneContacts": [
                {"phoneType": kind, "phoneNumber": text, "default": kind == "Mobile"} for kind, text in phones if text
            ],
            "addressContacts": [{"address": self.address, "zipCode": "1234567890", "default": True}]
            if self.address
            else [],
            **({} if self.organization else {"firstName": "", "lastName": self.name}),
        }

    def contact(self) -> dict[str, Any]:
        """As fields of a finance contact, with some that only Finance knows."""
        return {
            "Name": self.name.replace("|", "/").replace("\n", " "),
            "TowardType": self.organization,
            "NationalCode": self.code or None,
            "MobileNo": self.mobile or None,
            "TelNo": self.phone or None,
            "Email": self.email or None,
            "Address": self.address or None,
            "Description": "یادداشت" if self.email else None,
            "CityCode": 7,
            "CountryCode": 1,
            "GeographicCode": 3,
            "Gender": None if self.organization else 1,
            "FatherName": "پدر",
            "AccountPartyCode": 99,
        }


class Folk:
    """Ever new customers. The same seed gives the same ones."""

    def __init__(self, seed: int = 0) -> None:
        self.count = seed % 3  # so that another seed begins with another shape
        self._mobiles = 0

    def next(self, shape: str | None = None) -> Person:
        """The next one; its shape goes round unless it is given."""
        self.count += 1
        n = self.count
        shape = shape or _SHAPES[(n - 1) % len(_SHAPES)]
        organization = shape == "organization"
        bare = shape == "name_only"
        code = legal_id(1_400_000_000 + n) if organization else national_code(10_000_000 + n * 37)
        person = Person(
            organization=organization,
            name=f"{'شرکت' if organization else 'خانم'} نمونه‌ی شماره {n}",
            code="" if bare or shape == "no_code" else code,
            mobile="" if bare or shape == "no_phone" else self.mobile(),
            phone="" if bare or shape == "no_phone" or n % 2 else f"0218{n:07d}",
            email="" if bare or n % 3 == 0 else f"c{n}@example.com",
            address="" if bare or n % 4 == 0 else f"تهران، خیابان {n}",
        )
        return _troubled(person, shape)

    def name(self) -> str:
        """A new name for somebody who has one."""
        self.count += 1
        return f"نام تازه {self.count}"

    def mobile(self) -> str:
        """A number that nobody has."""
        self._mobiles += 1
        return f"0912{self._mobiles:07d}"


def _troubled(person: Person, shape: str) -> Person:
    match shape:
        case "odd_letters":
            changes = {"name": person.name.replace("ی", "ي").replace("ک", "ك").replace(" ", "  ", 1)}
        case "pipe":
            changes = {"name": f"{person.name} | gn_web_users.isactive=0\nفروش"}
        case "other_digits":
            changes = {"mobile": person.mobile.translate(_PERSIAN), "code": person.code.translate(_PERSIAN)}
        case _:
            return person
    return Person(**{**vars(person), **changes})
