"""The neutral nouns of both systems, and when two values mean the same.

A `Customer` is what the CRM says, a `Contact` what the finance system says. Both carry `fields`: text by the
short keys of the finance form (`fullname`, `mobileno`, ...), which is also how changes are shown to people.
Nothing here knows JSON, HTTP or SQL.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["person", "organization"]


def customer_kind(kind: str) -> Kind:
    """The kind of a customer, out of the wider set of record kinds."""
    return "organization" if kind == "organization" else "person"


# --- letters and digits ------------------------------------------------------------------------------------

_DIGITS = {ord(d): str(i) for zero in ("۰", "٠") for i, d in enumerate(chr(ord(zero) + n) for n in range(10))}
_LETTERS = {
    ord(a): b
    for a, b in (
        ("ي", "ی"), ("ى", "ی"), ("ك", "ک"), ("ة", "ه"), ("ۀ", "ه"), ("ە", "ه"),
        ("أ", "ا"), ("إ", "ا"), ("ٱ", "ا"),
    )
}  # fmt: skip
# Harakat, the small alef and the tatweel carry no identity; half-spaces, bidi marks and every kind of space are
# left out whole, because the same name is typed with a space, a half-space or nothing between its parts.
_SILENT = re.compile("[\u064b-\u065f\u0670\u0640\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\u061c\\s]+")


_NO_DIGITS = re.compile(r"\D+")


def ascii_digits(text: str) -> str:
    """The text with Persian and Arabic digits as ASCII ones; nothing else is touched."""
    return text if text.isascii() else text.translate(_DIGITS)


def fold(text: str) -> str:
    """The form in which names are compared: one letter form, one digit script, no spaces, no case."""
    composed = unicodedata.normalize("NFKC", text)
    bare = _SILENT.sub("", composed.translate(_LETTERS).translate(_DIGITS)).casefold()
    # Again, since what has moved together may compose.
    return unicodedata.normalize("NFKC", bare)


def phone_key(text: str) -> str:
    """A phone number reduced to its national digits, or "" if it can't identify anybody.

    `+98 912 345 6789`, `0098912...`, `0912...` and `912...` are the same. Fewer than five digits, or one digit
    repeated, is a placeholder and not a phone.
    """
    digits = _NO_DIGITS.sub("", ascii_digits(text))
    has_country = "+" in text or digits.startswith("00")
    digits = digits.removeprefix("00")
    if digits.startswith("98") and (has_country or len(digits) >= 12):
        digits = digits[2:]
    digits = digits.removeprefix("0")
    return digits if len(digits) >= 5 and len(set(digits)) > 1 else ""


def national_key(text: str) -> str:
    """A national code or legal id reduced to its digits, or "" if it can't identify anybody.

    Leading zeros don't count, since spreadsheets lose them; fewer than seven digits or one digit repeated is a
    placeholder.
    """
    digits = _NO_DIGITS.sub("", ascii_digits(text))
    if len(set(digits)) <= 1:
        return ""
    digits = digits.lstrip("0")
    return digits if len(digits) >= 7 else ""


_PHONES = frozenset({"mobileno", "telno"})


def same_spelling_aside(key: str, left: str, right: str) -> bool:
    """Whether two values of the form field `key` mean the same and differ at most in how they are written."""
    if key in _PHONES:
        return (phone_key(left) or fold(left)) == (phone_key(right) or fold(right))
    if key == "passno":
        return (national_key(left) or fold(left)) == (national_key(right) or fold(right))
    return fold(left) == fold(right)


# --- the marker in a contact's notes -----------------------------------------------------------------------

_MARKER = re.compile(r"(?<!\s)\s*\[CRM ([^\[\]|]{1,64})\]")


def marker(number: str) -> str:
    """What is put at the end of a contact's notes so that its link survives the loss of the state file."""
    return f"[CRM {number}]"


def split_marker(notes: str) -> tuple[str, str]:
    """Notes as (the text without markers, the number of the last marker or "")."""
    number = ""
    while found := _MARKER.findall(notes):  # taking one out of another leaves one behind
        number = number or ascii_digits(found[-1]).strip()
        notes = _MARKER.sub("", notes).strip()
    return notes, number


def with_marker(notes: str, number: str) -> str:
    """Notes with the marker of `number` at their end, and no other; without one if it could not be read back."""
    body, _ = split_marker(notes)
    fits = number and split_marker(marker(number)) == ("", number)
    return f"{body} {marker(number)}".lstrip() if fits else body


# --- customers and contacts --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or organization of the CRM.

    `names` are all the ways in which it is called, the one to be written first. `phones` are all its numbers.
    `fields` holds only what the CRM has a value for, already fit to be sent. `modified` is the CRM's own date.
    `notes` says what was odd about the data (cleaned characters, a wrong national code).
    """

    crm_id: str
    kind: Kind
    number: str
    names: tuple[str, ...]
    national_code: str
    phones: tuple[str, ...]
    fields: Mapping[str, str]
    modified: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def checksum(self) -> str:
        """Fingerprint of what matters to Finance: changes when, and only when, something has to be looked at."""
        return digest([self.kind, self.number, dict(self.fields)])

    @property
    def fields_checksum(self) -> str:
        """Fingerprint of the values alone, as they are sent."""
        return digest(dict(self.fields))


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the finance system.

    `fields` holds all form fields as they were read, the marker included in `tozihat`; `marker` is the number in
    it, or "". `extra` holds what only the import carries over (second phones, second e-mail).
    """

    code: int
    kind: Kind
    names: tuple[str, ...]
    national_code: str
    phones: tuple[str, ...]
    fields: Mapping[str, str]
    active: bool = True
    admin: bool = False
    marker: str = ""
    extra: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def digest(value: object) -> str:
    """SHA-256 (hex) of the canonical JSON of plain data."""
    return hashlib.sha256(_canonical(value).encode("utf-8", "surrogatepass")).hexdigest()


def identity_key(who: Customer | Contact) -> tuple[str, str] | None:
    """(national code, name) in their compared forms, or None if either is missing."""
    code, name = national_key(who.national_code), fold(who.names[0]) if who.names else ""
    return (code, name) if code and name else None


def agree(customer: Customer, contact: Contact) -> bool:
    """Whether name, national code or a phone says that these two are the same."""
    if {fold(n) for n in customer.names} & {fold(n) for n in contact.names} - {""}:
        return True
    code = national_key(customer.national_code)
    if code and code == national_key(contact.national_code):
        return True
    ours = {phone_key(p) for p in customer.phones} - {""}
    return bool(ours & {phone_key(p) for p in contact.phones})


@dataclass(frozen=True, slots=True)
class CustomerMapping:
    """A linked pair: the CRM record `crm_id` and the finance contact `finance_code` are the same customer.

    `checksum` is that of the CRM record when both were last known to be in step (None: compare at the next look),
    `sent_checksum` that of the values last sent to, or known to be in, Finance.
    """

    crm_id: str
    finance_code: int
    kind: Kind
    customer_number: str
    checksum: str | None = None
    sent_checksum: str | None = None
