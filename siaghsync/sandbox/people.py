"""Invented Persian customers, as many as wanted, the same ones for the same seed.

Names are common ones, every phone begins with 0900 or 021-80, every address is `نمونه`. National codes and legal
ids have right check digits; codes and phones are unique. A few in a hundred carry the troubles of real lists:
Arabic letter forms, half-spaces, Persian digits, odd spellings of phones, gaps, a wrong code, a very long name.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.store import CrmWorld

_MEN = ("علی", "محمد", "حسین", "رضا", "مهدی", "امیر", "سعید", "حمید", "محمدرضا", "علی اکبر", "یاسر", "کاظم")
_WOMEN = ("زهرا", "فاطمه", "مریم", "سارا", "نرگس", "لیلا", "مینا", "پریسا", "شیرین", "سمیه", "راضیه", "کیانا")
_FAMILIES = (
    "محمدی", "حسینی", "احمدی", "کریمی", "موسوی", "جعفری", "صادقی", "رحیمی", "ابراهیمی", "قاسمی", "یوسفی",
    "اکبری", "کاظمی", "نوری", "میرزایی", "هاشمی نسب", "پورعلی", "شریفی", "باقری", "تقوی",
)  # fmt: skip
_FIRMS = ("شرکت", "فروشگاه", "موسسه", "کارخانه", "بازرگانی", "تعاونی")
_TRADES = ("پارس", "آریا", "البرز", "کویر", "سپهر", "یکتا", "نوین", "زرین", "کیمیا", "مهر")
_GOODS = ("تجارت", "صنعت", "پخش", "رایانه", "ساختمان", "غذا", "پوشاک", "ابزار", "چاپ", "حمل و نقل")
_CITIES = (("تهران", "تهران", 1), ("اصفهان", "اصفهان", 2), ("فارس", "شیراز", 3), ("خراسان رضوی", "مشهد", 4))
_STREETS = ("ولیعصر", "آزادی", "انقلاب", "شریعتی", "کاشانی", "امام خمینی", "سعدی", "حافظ")
_LEGAL_WEIGHTS = (29, 27, 23, 19, 17)
_TO_ARABIC = str.maketrans("یک", "يك")
_TO_PERSIAN = str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹")


@dataclass(frozen=True)
class Customer:
    """One invented customer; empty strings stand for what is missing."""

    organization: bool
    first: str
    last: str
    name: str
    national_id: str
    mobile: str
    phone: str
    email: str
    province: str
    city: str
    city_code: int
    address: str
    postal_code: str
    male: bool | None

    def contact(self) -> dict[str, Any]:
        """As fields of a finance contact."""
        texts = {
            "NationalCode": self.national_id, "MobileNo": self.mobile, "TelNo": self.phone, "Email": self.email,
            "Address": self.address, "PostalCode": self.postal_code,
        }  # fmt: skip
        return {
            "Name": self.name,
            "TowardType": self.organization,
            "Gender": None if self.male is None else int(self.male),
            "CityCode": self.city_code,
            "GeographicCode": self.city_code,
            "CountryCode": 1,
            **{name: value or None for name, value in texts.items()},
        }

    def crm(self, number: str) -> dict[str, Any]:
        """As fields of a CRM person or organization with this customer number."""
        phones = [("Mobile", self.mobile), ("Office", self.phone)]
        place = {"city": self.city, "state": self.province, "address": self.address, "zipCode": self.postal_code}
        fields = {
            "customerNumber": number,
            "nickName": self.name,
            "nationalCode": self.national_id,
            "email": self.email,
            "phoneContacts": [
                {"phoneType": kind, "phoneNumber": text, "default": kind == "Mobile"} for kind, text in phones if text
            ],
            "addressContacts": [{**place, "default": True}] if self.address else [],
        }
        return fields if self.organization else {**fields, "firstName": self.first, "lastName": self.last}


def national_code(number: int) -> str:
    """The valid national code of a person with these first nine digits."""
    digits = f"{number:09d}"
    rest = sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=True)) % 11
    return digits + str(rest if rest < 2 else 11 - rest)


def legal_id(number: int) -> str:
    """The valid national id of an organization with these first ten digits."""
    digits = f"{number:010d}"
    tens = int(digits[9]) + 2
    rest = sum((int(digit) + tens) * _LEGAL_WEIGHTS[i % 5] for i, digit in enumerate(digits)) % 11
    return digits + str(rest % 10)


def customers(count: int, seed: int = 1, trouble: float = 0.04) -> Iterator[Customer]:
    """So many customers, up to ten million; `trouble` is the share of difficult ones (0 to 1)."""
    dice = random.Random(seed)
    for index in range(count):
        customer = _organization(dice, index) if dice.random() < 0.25 else _person(dice, index)
        yield _troubled(dice, customer) if dice.random() < trouble else customer


def _person(dice: random.Random, index: int) -> Customer:
    male = dice.random() < 0.5
    first, last = dice.choice(_MEN if male else _WOMEN), dice.choice(_FAMILIES)
    code = national_code(10_000_001 + (index * 37) % 900_000_000)
    return _customer(dice, index, {"organization": False, "first": first, "last": last, "male": male,
                                   "name": f"{first} {last}", "national_id": code})  # fmt: skip


def _organization(dice: random.Random, index: int) -> Customer:
    name = f"{dice.choice(_FIRMS)} {dice.choice(_GOODS)} {dice.choice(_TRADES)} {index + 1}"
    return _customer(dice, index, {"organization": True, "first": "", "last": "", "male": None, "name": name,
                                   "national_id": legal_id(1_400_000_000 + index)})  # fmt: skip


def _customer(dice: random.Random, index: int, who: dict[str, Any]) -> Customer:
    province, city, code = dice.choice(_CITIES)
    # 7 and 10^7 share no divisor, so every index has a phone of its own.
    digits = (index * 7 + 1234567) % 10_000_000
    return Customer(
        **who,
        mobile=f"0900{digits:07d}",
        phone=f"0218{digits:07d}" if dice.random() < 0.6 else "",
        email=f"customer{index + 1}@example.com" if dice.random() < 0.5 else "",
        province=province,
        city=city,
        city_code=code,
        address=f"{city}، خیابان {dice.choice(_STREETS)} نمونه، پلاک {dice.randrange(1, 300)}",
        postal_code=f"1{dice.randrange(10**8, 10**9)}",
    )


def _troubled(dice: random.Random, customer: Customer) -> Customer:
    """The same customer as somebody in a hurry has typed it."""
    wrong_last = str((int(customer.national_id[-1]) + 1) % 10)
    return dice.choice(
        (
            replace(customer, name=customer.name.translate(_TO_ARABIC), last=customer.last.translate(_TO_ARABIC)),
            replace(customer, name=customer.name.replace(" ", "\u200c", 1)),
            replace(customer, mobile=customer.mobile.translate(_TO_PERSIAN)),
            replace(customer, mobile="+98" + customer.mobile[1:]),
            replace(customer, mobile=customer.mobile[1:]),
            replace(customer, mobile=f"{customer.mobile[:4]} {customer.mobile[4:7]}-{customer.mobile[7:]}"),
            replace(customer, mobile="", phone=""),
            replace(customer, national_id="", email=""),
            replace(customer, address="", postal_code=""),
            replace(customer, national_id=customer.national_id[:-1] + wrong_last),
            replace(customer, national_id=customer.national_id.translate(_TO_PERSIAN)),
            replace(customer, name=f"  {customer.name.replace(' ', '  ')} "),
            replace(customer, name=f"{customer.name} (شعبه مرکزی، واحد فروش و خدمات پس از فروش، طرف قرارداد قدیمی)"),
        )
    )


def fill(finance: FinanceWorld, crm: CrmWorld, count: int, seed: int = 1, also_in_crm: int = 0) -> None:
    """Two admin users, so many customers, and one inactive contact for each hundred (at least two), in finance.

    The first `also_in_crm` customers are in the CRM too, with their finance code as customer number.
    """
    for name in ("مدیر سیستم", "کاربر پشتیبان"):
        secret = hashlib.md5(f"{seed}{name}".encode()).hexdigest().upper()
        finance.add_contact(Name=name, IsAdminUser=True, Password=secret)
    inactive = max(2, count // 100)
    for index, customer in enumerate(customers(count + inactive, seed)):
        code = finance.add_contact(**customer.contact(), IsActive=index < count)
        if index < also_in_crm:
            add = crm.add_organization if customer.organization else crm.add_person
            add(**customer.crm(str(code)))
