"""The world inside the stand-in finance system: contacts, pre-invoices, sessions."""

from __future__ import annotations

import hashlib
import secrets
import threading
import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate

from siaghsync.sandbox.forms import PreInvoiceForm, integer
from siaghsync.sandbox.switches import FinanceSwitches
from siaghsync.sandbox.tokens import TokenBook
from siaghsync.sandbox.wire import Record, encode

CONTACT: Record = {
    "RecordId": None, "tmpid": None, "Code": 0, "Name": "", "NickName": None, "NationalCode": None,
    "MobileNo": None, "MobileNo2": None, "TelNo": None, "TelNo2": None, "Email": None, "Email2": None,
    "Address": None, "PostalCode": None, "CityCode": None, "CountryCode": None, "GeographicCode": None,
    "Gender": None, "BirthDate": None, "FatherName": None, "Description": None, "WebSiteAddress": None,
    "IsActive": True, "IsAdminUser": False, "TowardType": False, "RegDate": None, "ExpireDate": None,
    "ParentCode": None, "AccountPartyCode": None, "FraternityCode": None, "JobTypeCode": None,
    "TrackingCode": None, "CodeRoshd": None, "Coin": None, "Confirm": None, "GiveCoinToParentCode": None,
    "HasDisCount": None, "img": None, "Picture": None, "PreName": None, "RepresentativeId": None,
    "OrgField": None, "Password": None,
}  # fmt: skip
"""Every property of a contact with its usual value (contract siagh §3.1)."""
PHONES = ("MobileNo", "MobileNo2", "TelNo", "TelNo2")
_CODES = ("Gender", "CityCode", "CountryCode", "GeographicCode")
_FIRST_PARTY = 5_500_000


@dataclass(frozen=True)
class PreInvoice:
    """A posted pre-invoice (contract siagh §4)."""

    number: int
    """What people see (`شماره 2488`)."""
    code: str
    """The document's key, given back as ReturnCode."""
    suid: str
    customer: int | None
    """The Code of the contact on whom it landed."""
    fields: dict[str, str]
    """The ctrlValues without their prefix `sl_sanad.`."""
    rows: list[Record]
    """Each row's cells, newValue by name."""
    net: Decimal
    """Sum of quantity x price - discount."""


@dataclass
class _Counters:
    contact: int = 21
    number: int = 2487
    document: int = 15458
    params: int = 458639


@dataclass(frozen=True)
class _User:
    name: str
    plain: str = field(repr=False)
    hash: str = field(repr=False)


def _bare(number: object) -> str:
    """A phone number without country code, leading zeros and script: what every spelling of it shares."""
    digits = "".join(str(int(sign)) for sign in str(number or "") if sign.isdecimal())
    return digits.lstrip("0").removeprefix("98")


class FinanceWorld(FinanceSwitches):
    """Everything that the stand-in finance system knows. Every method may be called from any thread."""

    def __init__(self) -> None:
        super().__init__()
        plain = secrets.token_urlsafe(12)
        self.user = _User("مدیر سیستم", plain, hashlib.md5(plain.encode()).hexdigest().upper())
        self.sessions = TokenBook()
        self.contacts: dict[int, Record] = {}
        """All contacts by Code. To be read only."""
        self.preinvoices: list[PreInvoice] = []
        self.lock = threading.RLock()
        self._last = _Counters()
        self._by_phone: defaultdict[str, set[int]] = defaultdict(set)
        self._texts: dict[int, tuple[Record, tuple[object, ...], bytes]] = {}
        self._hashes: set[str] = set()

    def add_contact(self, **fields: Any) -> int:
        """Adds a contact, without any check for double phones, and returns its Code (next one unless given).

        Fields are GetAll's properties. Raises TypeError for one that contacts don't have.
        """
        with self.lock:
            code = int(fields.get("Code") or self._last.contact + 1)
            self._last.contact = max(self._last.contact, code)
            today = self.today().strftime("%Y/%m/%d")
            self._put({**CONTACT, "RecordId": str(uuid.uuid4()), "RegDate": today, **fields, "Code": code})
            return code

    def edit(self, code: int, **fields: Any) -> None:
        """Changes a contact. Raises KeyError for an unknown code, TypeError for an unknown field."""
        with self.lock:
            self._put({**self.contacts[code], **fields, "Code": code})

    def delete(self, code: int) -> None:
        """Takes a contact away. Raises KeyError for an unknown code."""
        with self.lock:
            self._forget_phones(self.contacts.pop(code))
            self._texts.pop(code, None)

    def phones_taken(self, fields: Record, but: int | None = None) -> list[str]:
        """The unique phone fields whose number another contact than `but` has, by `phones_compared`."""
        with self.lock:
            return [name for name in self.unique_phones if fields.get(name) and self._taken(name, fields[name], but)]

    def _taken(self, name: str, number: str, but: int | None) -> bool:
        wanted = self.phone_key(number)
        compared = (name,) if self.phones_compared == "each" else self.unique_phones
        others = self._by_phone[_bare(number)] - {but}
        return wanted != "" and any(
            wanted == self.phone_key(self.contacts[code][each]) for code in others for each in compared
        )

    def phone_key(self, number: object) -> str:
        """What is compared of a phone number, by `phone_spelling`."""
        text = str(number or "")
        if self.phone_spelling == "exact":
            return text
        digits = "".join(filter(str.isdecimal, text))
        return digits if self.phone_spelling == "digits" else _bare(digits)

    def party(self, record: Record) -> int | None:
        """A contact's code as an account party, its own or by `account_party`."""
        if record["AccountPartyCode"] is not None:
            return int(record["AccountPartyCode"])
        code = int(record["Code"])
        return {"null": None, "code": code, "other": _FIRST_PARTY + code}[self.account_party]

    def customer(self, codemoshtari: str, codecontact: str) -> int | None:
        """The Code of the contact that a pre-invoice is booked on, by `customer_key`; None if there is none.

        Of several contacts with one account party the named one, else the first.
        """
        code, contact = integer(codemoshtari), integer(codecontact)
        if self.customer_key == "contact" or (self.customer_key == "either" and not codecontact):
            return code if code in self.contacts else None
        holders = [each["Code"] for each in self.snapshot() if code is not None and self.party(each) == code]
        return contact if contact in holders else next(iter(holders), None)

    def post(self, form: PreInvoiceForm, customer: int | None, net: Decimal) -> tuple[PreInvoice, str]:
        """Books a pre-invoice; the second value is the answer's ReturnParams."""
        with self.lock:
            last = self._last
            last.number, last.document, last.params = last.number + 1, last.document + 1, last.params + 1
            posted = PreInvoice(last.number, str(last.document), form.suid, customer, form.values, form.rows, net)
            self.preinvoices.append(posted)
            return posted, str(last.params)

    def shown(self, record: Record) -> bytes:
        """A contact's JSON as GetAll gives it, by the switches of §3.1."""
        how = self.shows_tmpid, self.codes_as, self.account_party, self.toward_type_reversed
        kept = self._texts.get(record["Code"])
        if kept is None or kept[0] is not record or kept[1] != how:
            given = {**record, "AccountPartyCode": self.party(record)}
            given |= {} if self.shows_tmpid else {"tmpid": None}
            given |= {"TowardType": not record["TowardType"]} if self.toward_type_reversed else {}
            given |= {name: self._as_code(record[name]) for name in _CODES}
            kept = self._texts[record["Code"]] = (record, how, encode(given))
        return kept[2]

    def _as_code(self, value: object) -> object:
        if value is None or value == "":
            return None
        text = str(value)
        return text if self.codes_as == "text" or not text.isdecimal() else int(text)

    def snapshot(self) -> list[Record]:
        """All contacts at this moment, in the order in which GetAll lists them."""
        with self.lock:
            return list(self.contacts.values())

    def now(self) -> datetime:
        """The server's clock."""
        return datetime.now(ZoneInfo("Asia/Tehran")) + timedelta(seconds=self.clock_offset)

    def today(self) -> JalaliDate:
        """The server's date."""
        return JalaliDate(self.now().date())  # type: ignore[no-untyped-call]

    def year(self) -> int:
        """The Jalali year in which sessions post."""
        return self.fiscal_year or int(self.today().year)

    def expire_sessions(self) -> None:
        """Every session ends now; the next call answers 401."""
        self.sessions.expire()

    def secrets(self) -> set[str]:
        """The password, its hash, the hashes in contacts and every session id that was ever issued."""
        return {self.user.plain, self.user.hash, *self._hashes, *self.sessions.issued}

    def _put(self, record: Record) -> None:
        unknown = record.keys() - CONTACT.keys()
        if unknown:
            raise TypeError(f"a contact has no {', '.join(sorted(unknown))}")
        if old := self.contacts.get(record["Code"]):
            self._forget_phones(old)
        self.contacts[record["Code"]] = record
        self._texts.pop(record["Code"], None)
        if record["Password"]:
            self._hashes.add(record["Password"])
        for name in PHONES:
            if key := _bare(record[name]):
                self._by_phone[key].add(record["Code"])

    def _forget_phones(self, record: Record) -> None:
        for name in PHONES:
            self._by_phone[_bare(record[name])].discard(record["Code"])
