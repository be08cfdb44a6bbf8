"""Customers of both systems in one form.

A `Customer` is what the CRM says, a `Contact` what the finance system says. Both carry `fields`: text by the names of
`domain.fields`, as Siagh's form can carry them, with notes on what was odd about them. Nothing here knows JSON of a
vendor, HTTP or SQL.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from dataclasses import fields as dataclass_fields
from typing import Any, Literal

from siaghsync.domain.fields import FIELDS, TABLE, FieldKind, finance_key
from siaghsync.domain.normalize import (
    ascii_digits,
    clean,
    digest,
    fold,
    legal_id_is_valid,
    national_code_is_valid,
    national_key,
    phone_is_plausible,
    split_marker,
)
from siaghsync.messages.message import Message, msg

Kind = Literal["person", "organization"]
KIND_CODES: dict[Kind, str] = {"person": "0", "organization": "1"}
"""The value of the field `kind` (contract siagh §3.2)."""


def customer_kind(kind: str) -> Kind:
    """The kind of a customer, out of the wider set of record kinds."""
    return "organization" if kind == "organization" else "person"


@dataclass(frozen=True, slots=True)
class Customer:
    """A person or organization of the CRM.

    `names` are all its names, the one to be written first. `phones` are all its numbers. `fields` holds only what the
    CRM has a value for, already fit to be sent. `modified` is the CRM's own date. `notes` says what was odd about the
    data (cleaned characters, a wrong national code). `places_without_code` are names of places that
    don't travel, by their field.
    """

    crm_id: str
    kind: Kind
    number: str
    names: tuple[str, ...]
    national_code: str
    phones: tuple[str, ...]
    fields: Mapping[str, str]
    modified: str | None = None
    notes: tuple[Message, ...] = ()
    places_without_code: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that is written and shown, or ""."""
        return self.names[0] if self.names else ""

    @property
    def mark(self) -> str:
        """What the mark in its contact's notes names it by: its number, or its CRM id as long as it has none."""
        return self.number or self.crm_id

    @property
    def checksum(self) -> str:
        """Fingerprint of what matters to Finance: it changes exactly when something has to be compared again."""
        return digest([self.kind, self.number, _by_finance_key(self.fields)])

    @property
    def fields_checksum(self) -> str:
        """Fingerprint of the values alone, as they are sent."""
        return digest(_by_finance_key(self.fields))


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact of the finance system.

    `fields` holds every field of `domain.fields.READ_BACK` as it was read, the mark in `notes` included; `marker` is the
    number in the mark, or "". `record_id` ("" if unknown) tells it from another one that gets its code later. `account_party` is
    its code as an account party (contract siagh §4), None without one. Without `kind_known` the `kind` is a mere default.
    `extra` holds what only the import carries over: `mobile2`, `phone2`, `email2`.
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
    record_id: str = ""
    account_party: int | None = None
    kind_known: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that is shown, or ""."""
        return self.names[0] if self.names else ""

    @property
    def checksum(self) -> str:
        """Fingerprint of what Siagh shows of it."""
        return digest(_by_finance_key(self.fields))


@dataclass(slots=True)
class AccountParties:
    """How many contacts were looked at, have an account party, and have one that equals their code (contract siagh §4), or that
    an earlier one has too.

    `whole` says that these are all contacts of the system.
    """

    contacts: int = 0
    filled: int = 0
    equal: int = 0
    shared: int = 0
    admins: int = 0
    whole: bool = False
    _seen: set[int] = field(default_factory=set)

    def note(self, contact: Contact) -> None:
        """Counts a contact. Admin users count by themselves."""
        if contact.admin:
            self.admins += 1
        else:
            self.contacts += 1
            self.filled += contact.account_party is not None
            self.equal += contact.account_party == contact.code
            self.shared += contact.account_party in self._seen
            if contact.account_party is not None:
                self._seen.add(contact.account_party)

    @property
    def verdict(self) -> Literal["contact", "open"] | None:
        """`contact`: both codes are the same for all, so either will do; `open`: they differ; None: too little was seen."""
        if self.filled != self.equal:
            return "open"
        return "contact" if self.whole else None

    def evidence(self) -> Message:
        """The counts in words."""
        counts = msg("facts.account_parties", contacts=self.contacts, filled=self.filled, equal=self.equal)
        return msg("facts.account_parties_shared", parties=counts, shared=self.shared) if self.shared else counts


def shown_fields(contact: Contact) -> dict[str, str]:
    """The fields of a contact as they are compared: the notes without the mark."""
    return {**contact.fields, "notes": split_marker(contact.fields["notes"])[0]}


def kept_checksum(sent: str, shown: Mapping[str, tuple[str | None, str | None]]) -> str:
    """Fingerprint of values that were sent (their `fields_checksum`) and of what Finance shows instead, as changes."""
    return digest([sent, _by_finance_key({name: old or "" for name, (old, _) in shown.items()})])


def _by_finance_key(fields: Mapping[str, str]) -> dict[str, str]:
    # Stored checksums were always made over the keys of Siagh's form, so they stay valid whatever a field is called here.
    return {finance_key(name): value for name, value in fields.items()}


def customer_as_json(who: Customer | Contact) -> dict[str, Any]:
    """A customer or contact as plain JSON data."""
    data = {f.name: getattr(who, f.name) for f in dataclass_fields(who)}
    if isinstance(who, Customer):
        data["notes"] = [note.as_json() for note in who.notes]
    return data


def customer_from_json(data: Mapping[str, Any]) -> Customer:
    """The customer that `customer_as_json` wrote."""
    return Customer(**_tuples(data, "names", "phones") | {"notes": tuple(map(Message.from_json, data["notes"]))})


def contact_from_json(data: Mapping[str, Any]) -> Contact:
    """The contact that `customer_as_json` wrote."""
    return Contact(**_tuples(data, "names", "phones"))


def _tuples(data: Mapping[str, Any], *keys: str) -> dict[str, Any]:
    return {**data, **{key: tuple(data[key]) for key in keys}}


def identity_key(who: Customer | Contact) -> str | None:
    """National code and name in their compared forms as one text, or None if either is missing."""
    code, name = national_key(who.national_code), fold(who.name)
    return f"{code}|{name}" if code and name else None


@dataclass(frozen=True, slots=True)
class CustomerMapping:
    """A linked pair: the CRM record `crm_id` and the finance contact `finance_code` are the same customer.

    `checksum` is that of the CRM record when both were last known to be in step (None: compare at the next look),
    `sent_checksum` that of the values last sent to, or known to be in, Finance. `record_id` ("" while unknown) and
    `national_code` (None while unknown) are what is known of the contact itself: its code can come to belong to somebody else.
    """

    crm_id: str
    finance_code: int
    kind: Kind
    customer_number: str
    checksum: str | None = None
    sent_checksum: str | None = None
    record_id: str = ""
    national_code: str | None = None


_IN_ASCII_DIGITS = frozenset({FieldKind.DIGITS, FieldKind.NATIONAL_CODE, FieldKind.PHONE})


def fields_for_finance(kind: Kind, values: Mapping[str, str]) -> tuple[dict[str, str], tuple[Message, ...]]:
    """The `fields` and `notes` of a `Customer` from the CRM's own texts, by the names of `domain.fields`.

    Values are cleaned, codes and phones are written in ASCII digits, marks are taken out of the notes, empty values are
    left out, and `kind` is added. A wrong code or phone is noted and kept as it is.
    """
    fields: dict[str, str] = {}
    notes: list[Message] = []
    for row in TABLE:
        text = values.get(row.name, "").strip()
        written = ascii_digits(text) if row.kind in _IN_ASCII_DIGITS else text
        cleaned = clean(written)
        if cleaned != written:
            notes.append(msg("value_note.cleaned", field=row.name))
        if row.kind is FieldKind.NOTES:
            # After the cleaning, because a cleaned text can hold a mark that the raw text did not hold.
            body, foreign_mark = split_marker(cleaned)
            cleaned = clean(body)
            if foreign_mark:
                notes.append(msg("value_note.foreign_mark", field=row.name))
        if cleaned:
            fields[row.name] = cleaned
    return {**fields, "kind": KIND_CODES[kind]}, (*notes, *_odd_values(kind, fields))


def _odd_values(kind: Kind, fields: Mapping[str, str]) -> Iterator[Message]:
    is_valid = legal_id_is_valid if kind == "organization" else national_code_is_valid
    for name, value in fields.items():
        field_kind = FIELDS[name].kind
        if field_kind is FieldKind.NATIONAL_CODE and not is_valid(value):
            code = "value_note.legal_id" if kind == "organization" else "value_note.national_code"
            yield msg(code, field=name, value=value)
        elif field_kind is FieldKind.PHONE and not phone_is_plausible(value):
            yield msg("value_note.phone", field=name, value=value)
