"""What is odd about one customer of either system: checks that warn before the first write and never block. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from siaghsync.domain.customer import Contact, Customer
from siaghsync.domain.evidence import evidence
from siaghsync.domain.fields import finance_key
from siaghsync.domain.normalize import (
    ascii_digits,
    clean,
    fold,
    legal_id_is_valid,
    national_code_is_valid,
    national_key,
    phone_is_plausible,
    phone_key,
)
from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import System
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, msg


class Check(StrEnum):
    """Every check by its stable word, in the order in which they are shown. The catalog has their titles (`lint.<word>`)."""

    NOT_UNDERSTOOD = "not_understood"
    NO_NAME = "no_name"
    NUMBER_FORM = "number_form"
    NUMBER_TWICE = "number_twice"
    NUMBER_INVISIBLE = "number_invisible"
    LIKE_PAIR = "like_pair"
    NATIONAL_CODE = "national_code"
    LEGAL_ID = "legal_id"
    PHONE = "phone"
    POSTAL_CODE = "postal_code"
    LETTER_FORMS = "letter_forms"
    CHARACTERS = "characters"
    PLACE_WITHOUT_CODE = "place_without_code"
    SAME_NATIONAL_CODE = "same_national_code"
    SAME_PHONE = "same_phone"
    SAME_NAME = "same_name"


CHARACTERS_REPLACED = "value_note.cleaned"
"""The note of a CRM customer about a field (parameter `field`) that the finance form can't carry as it is."""
_INVISIBLE = "value_note.invisible_in_number"
_ARABIC_LETTERS = re.compile("[يىك]")
_MOST_OTHERS = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is odd about one record. `record` is the CRM id or the finance code, `value` what is odd."""

    system: System
    record: str
    customer_number: str
    check: Check
    value: str
    message: Message

    def as_json(self) -> dict[str, Any]:
        """The finding as in the JSON of `lint`, the message in English."""
        return {
            "system": self.system,
            "record": self.record,
            "customer_number": self.customer_number or None,
            "check": str(self.check),
            "value": self.value,
            "message": catalog.render(self.message),
        }


@dataclass(frozen=True, slots=True)
class Key:
    """What two records of one system should not share.

    `check` is the check that finds it, `value` what is compared, `spelling` how it stands in the record, `national` the
    record's national code in its compared form.
    """

    check: Check
    value: str
    system: System
    record: str
    customer_number: str
    national: str
    spelling: str


def customer_findings(customer: Customer, scheme: NumberScheme) -> Iterator[Finding]:
    """What is odd about a customer of the CRM by itself. One without a number is skipped on purpose, and no finding."""
    number = customer.number
    odd = [*_odd(customer)]
    if number and scheme.decode(number) is None:
        odd.append((Check.NUMBER_FORM, number, msg("lint.number_does_not_fit", number=number)))
    if any(note.code == _INVISIBLE for note in customer.notes):
        odd.append((Check.NUMBER_INVISIBLE, number, msg("lint.invisible_left_out")))
    odd += _replaced_characters(customer)
    for check, value, message in odd:
        yield Finding("crm", customer.crm_id, number, check, value, message)


def contact_findings(contact: Contact, scheme: NumberScheme) -> Iterator[Finding]:
    """What is odd about a contact of Finance by itself."""
    number = scheme.encode(contact.code)
    odd = [*_odd(contact)]
    if scheme.decode(number) != contact.code:
        odd.append((Check.NUMBER_FORM, number, msg("lint.number_not_read_back", number=number)))
    for name, value in contact.fields.items():
        if (sent := clean(value)) != value:
            odd.append((Check.CHARACTERS, value, msg("lint.characters_sent_as", field=name, sent=sent)))
    for check, value, message in odd:
        yield Finding("finance", str(contact.code), number, check, value, message)


def pair_findings(customer: Customer, likely: Sequence[Contact], scheme: NumberScheme) -> Iterator[Finding]:
    """The contacts that agree with a customer in two of name, national code and phone, but not in the number.

    One whose mark names the customer's number or id was made by a sync for just this customer.
    """
    for contact in likely:
        is_its_own = customer.number == scheme.encode(contact.code) or contact.marker in {
            customer.number,
            customer.crm_id,
        } - {""}
        if evidence(customer, contact).agrees_in_two and not is_its_own:
            message = msg("lint.like_contact", code=contact.code, name=contact.name)
            yield Finding("crm", customer.crm_id, customer.number, Check.LIKE_PAIR, customer.name, message)


def place_finding(customer: Customer, field: str, name: str, count: int) -> Finding:
    """A name of a place for which Siagh's code is not known. `customer` is the first of `count` who have it."""
    message = msg("lint.place_stays", field=field, count=count)
    return Finding("crm", customer.crm_id, customer.number, Check.PLACE_WITHOUT_CODE, name, message)


def keys_of(who: Customer | Contact, scheme: NumberScheme) -> set[Key]:
    """What no other record of the same system should share with this one."""
    is_customer = isinstance(who, Customer)
    system: System = "crm" if is_customer else "finance"
    record, number = (who.crm_id, who.number) if isinstance(who, Customer) else (str(who.code), scheme.encode(who.code))
    national = national_key(who.national_code)
    shared = {(Check.SAME_NAME, fold(name)): name for name in who.names}
    shared |= {(Check.SAME_PHONE, phone_key(phone)): phone for phone in who.phones}
    shared |= {
        (Check.SAME_NATIONAL_CODE, national): who.national_code,
        (Check.NUMBER_TWICE, number if is_customer else ""): number,
    }
    return {
        Key(check, value, system, record, number, national, spelling)
        for (check, value), spelling in shared.items()
        if value
    }


def double_findings(keys: Sequence[Key]) -> Iterator[Finding]:
    """One finding for each of the records that share something; `keys` are all that have the same `value`.

    Of records with the same name those are left out that a national code of their own tells apart from all others.
    """
    if keys and keys[0].check == Check.SAME_NAME:
        codes = [key.national for key in keys]
        keys = [key for key in keys if not key.national or "" in codes or codes.count(key.national) > 1]
    if len(keys) < 2:
        return
    shown = [key.record for key in keys[: _MOST_OTHERS + 1]]
    for key in keys:
        others = [record for record in shown if record != key.record][:_MOST_OTHERS]
        yield Finding(
            key.system, key.record, key.customer_number, key.check, key.spelling, _also(others, len(keys) - 1)
        )


def _also(others: Sequence[str], count: int) -> Message:
    records, more = ", ".join(others), count - len(others)
    return msg("lint.also_more", records=records, more=more) if more else msg("lint.also", records=records)


Odd = tuple[Check, str, Message]
"""(check, value, message)"""


def _replaced_characters(customer: Customer) -> Iterator[Odd]:
    for note in customer.notes:
        if note.code == CHARACTERS_REPLACED:
            name = str(note.params["field"])
            yield Check.CHARACTERS, finance_key(name), msg("lint.characters_replaced", field=name)


def _odd(who: Customer | Contact) -> Iterator[Odd]:
    """What is checked in both systems alike."""
    if not who.names:
        yield Check.NO_NAME, "", msg("lint.has_no_name")
    yield from _odd_code(who)
    for phone in dict.fromkeys(who.phones):
        if not phone_is_plausible(phone):
            yield Check.PHONE, phone, msg("lint.phone_unlikely")
    postal = who.fields.get("postal_code", "")
    if postal and not re.fullmatch(r"[0-9]{10}", re.sub(r"[\s\-]", "", ascii_digits(postal))):
        yield Check.POSTAL_CODE, postal, msg("lint.postal_code_length")
    for name in who.names:
        if letters := ", ".join(dict.fromkeys(_ARABIC_LETTERS.findall(name))):
            yield Check.LETTER_FORMS, name, msg("lint.arabic_letters", letters=letters)


def _odd_code(who: Customer | Contact) -> Iterator[Odd]:
    code = who.national_code
    digits = ascii_digits(code).strip()
    if who.kind == "organization":
        check, valid, why = Check.LEGAL_ID, legal_id_is_valid, _why_no_legal_id
    else:
        check, valid, why = Check.NATIONAL_CODE, national_code_is_valid, _why_no_national_code
    if code and not valid(code):
        yield check, code, msg("lint.passed_on", why=why(digits))


def _why_no_national_code(digits: str) -> Message:
    if not re.fullmatch(r"[0-9]+", digits):
        return msg("lint.national_code_not_digits")
    if legal_id_is_valid(digits):
        return msg("lint.legal_id_of_person")
    if len(digits) < 10 and national_code_is_valid(digits.zfill(10)):
        return msg("lint.zeros_lost", code=digits.zfill(10))
    if len(digits) != 10:
        return msg("lint.national_code_length", digits=len(digits))
    return _wrong_digits(digits)


def _why_no_legal_id(digits: str) -> Message:
    if not re.fullmatch(r"[0-9]+", digits):
        return msg("lint.legal_id_not_digits")
    if national_code_is_valid(digits):
        return msg("lint.national_code_of_organization")
    if len(digits) < 11 and legal_id_is_valid(digits.zfill(11)):
        return msg("lint.zeros_lost", code=digits.zfill(11))
    if len(digits) != 11:
        return msg("lint.legal_id_length", digits=len(digits))
    return _wrong_digits(digits)


def _wrong_digits(digits: str) -> Message:
    return msg("lint.check_digit_wrong") if len(set(digits)) > 1 else msg("lint.placeholder")
