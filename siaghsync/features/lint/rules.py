"""What is odd about one customer of either system: checks that warn before the first write and never block. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from siaghsync.connectors.siagh.form import clean
from siaghsync.domain.customer import Contact, Customer, ascii_digits, fold, national_key, phone_key
from siaghsync.domain.numbering import NumberScheme
from siaghsync.domain.validity import legal_id_is_valid, national_code_is_valid, phone_is_plausible
from siaghsync.errors import System

TITLES = {
    "not_understood": "records that can't be read; they are passed over until that is mended",
    "no_name": "no name; Finance demands one",
    "number_form": "customer numbers that CUSTOMER_NUMBER_* does not fit",
    "number_twice": "customer numbers that more than one record carries",
    "national_code": "wrong national codes",
    "legal_id": "wrong legal ids",
    "phone": "phones that can't be right",
    "postal_code": "postal codes that don't have ten digits",
    "letter_forms": "Arabic letters in names",
    "characters": "characters that the finance form can't carry",
    "same_national_code": "the same national code or legal id",
    "same_phone": "the same phone",
    "same_name": "the same name, and no national code tells them apart",
}
"""Every check, by its stable word, in the order in which they are shown."""

_ARABIC_LETTERS = re.compile("[يىك]")
_MOST_OTHERS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is odd about one record. `record` is the CRM id or the finance code."""

    system: System
    record: str
    customer_number: str
    check: str
    value: str
    message: str

    def as_json(self) -> dict[str, Any]:
        """The finding as in the JSON of `lint`."""
        return {
            "system": self.system,
            "record": self.record,
            "customer_number": self.customer_number or None,
            "check": self.check,
            "value": self.value,
            "message": self.message,
        }


@dataclass(frozen=True, slots=True)
class Key:
    """What two records of one system should not share. `same` is the check, `value` what is compared, `spelled` how it
    stands there, `national` the record's national code."""

    same: str
    value: str
    system: System
    record: str
    customer_number: str
    national: str
    spelled: str


def customer_findings(customer: Customer, scheme: NumberScheme) -> Iterator[Finding]:
    """What is odd about a customer of the CRM by itself. One without a number is skipped on purpose, and no finding."""
    number = customer.number
    odd = [*_odd(customer)]
    if number and scheme.decode(number) is None:
        odd.append(("number_form", number, f"{number} does not fit CUSTOMER_NUMBER_*: it would be skipped."))
    odd += [("characters", *_replaced(note)) for note in customer.notes if "can't carry" in note]
    for check, value, message in odd:
        yield Finding("crm", customer.crm_id, number, check, value, message)


def contact_findings(contact: Contact, scheme: NumberScheme) -> Iterator[Finding]:
    """What is odd about a contact of Finance by itself."""
    number = scheme.encode(contact.code)
    odd = [*_odd(contact)]
    if scheme.decode(number) != contact.code:
        odd.append(("number_form", number, f"CUSTOMER_NUMBER_* makes {number} of it, which could not be read back."))
    for key, value in contact.fields.items():
        if clean(value) != value:
            odd.append(("characters", value, f"{key}: the next update would send it as {clean(value)!r}."))
    for check, value, message in odd:
        yield Finding("finance", str(contact.code), number, check, value, message)


def keys_of(who: Customer | Contact, scheme: NumberScheme) -> set[Key]:
    """What no other record of the same system should share with this one."""
    is_customer = isinstance(who, Customer)
    system: System = "crm" if is_customer else "finance"
    record, number = (who.crm_id, who.number) if isinstance(who, Customer) else (str(who.code), scheme.encode(who.code))
    national = national_key(who.national_code)
    shared = {("same_name", fold(name)): name for name in who.names}
    shared |= {("same_phone", phone_key(phone)): phone for phone in who.phones}
    shared |= {
        ("same_national_code", national): who.national_code,
        ("number_twice", number if is_customer else ""): number,
    }
    return {
        Key(same, value, system, record, number, national, spelled)
        for (same, value), spelled in shared.items()
        if value
    }


def double_findings(keys: Sequence[Key]) -> Iterator[Finding]:
    """One finding for each of the records that share something; `keys` are all that have the same `value`.

    Of records with the same name those are left out that a national code of their own tells apart from all others.
    """
    if keys and keys[0].same == "same_name":
        codes = [key.national for key in keys]
        keys = [key for key in keys if not key.national or "" in codes or codes.count(key.national) > 1]
    if len(keys) < 2:
        return
    shown = [key.record for key in keys[: _MOST_OTHERS + 1]]
    for key in keys:
        others = [record for record in shown if record != key.record][:_MOST_OTHERS]
        more = len(keys) - 1 - len(others)
        text = f"Also: {', '.join(others)}" + (f" and {more} more." if more else ".")
        yield Finding(key.system, key.record, key.customer_number, key.same, key.spelled, text)


Odd = tuple[str, str, str]
"""(check, value, message)"""


def _odd(who: Customer | Contact) -> Iterator[Odd]:
    """What is checked in both systems alike."""
    if not who.names:
        yield "no_name", "", "It has no name."
    yield from _odd_code(who)
    for phone in dict.fromkeys(who.phones):
        if not phone_is_plausible(phone):
            yield "phone", phone, "It does not look like a phone number; it is passed on as it is."
    postal = who.fields.get("pocode", "")
    if postal and not re.fullmatch(r"[0-9]{10}", re.sub(r"[\s\-]", "", ascii_digits(postal))):
        yield "postal_code", postal, "A postal code has ten digits."
    for name in who.names:
        if found := "".join(dict.fromkeys(_ARABIC_LETTERS.findall(name))):
            text = (
                f"It has {', '.join(found)} for Persian letters; it looks the same, but searching by hand can miss it."
            )
            yield "letter_forms", name, text


def _odd_code(who: Customer | Contact) -> Iterator[Odd]:
    code = who.national_code
    is_organization = who.kind == "organization"
    check, valid = ("legal_id", legal_id_is_valid) if is_organization else ("national_code", national_code_is_valid)
    if code and not valid(code):
        yield (
            check,
            code,
            f"{_why_wrong(ascii_digits(code).strip(), is_organization=is_organization)} It is passed on as it is.",
        )


def _why_wrong(digits: str, *, is_organization: bool) -> str:
    length, other = (11, 10) if is_organization else (10, 11)
    name = "legal id" if is_organization else "national code"
    padded = digits.zfill(length)
    if not re.fullmatch(r"[0-9]+", digits):
        return f"A {name} has digits only."
    if len(digits) == other and (national_code_is_valid(digits) or legal_id_is_valid(digits)):
        kind = "a person's national code, but the record is an organization" if is_organization else (
            "an organization's legal id, but the record is a person"
        )  # fmt: skip
        return f"It is {kind}."
    if len(digits) < length and (legal_id_is_valid(padded) if is_organization else national_code_is_valid(padded)):
        return f"It may be {padded}: a spreadsheet drops zeros in front."
    if len(digits) != length:
        return f"A {name} has {length} digits, not {len(digits)}."
    return "Its check digit is wrong." if len(set(digits)) > 1 else "It is a placeholder."


def _replaced(note: str) -> tuple[str, str]:
    key = note.partition(":")[0]
    return key, f"{key}: a | becomes /, and a line break or control character a space, when it is sent."
