"""The CRM's JSON of customers becomes a `Customer`, and an import becomes JSON for a create (contract payamgostar §3.4, §3.5).

Properties that hold one field each come from `domain.fields.TABLE`. Only what is composed of several properties (names,
phones) or translated (gender, places) is spelled out here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from siaghsync.connectors.payamgostar.schema import Address, Identity, Phone
from siaghsync.connectors.schema import S, lower_names, misfit
from siaghsync.domain.action import RecordKind
from siaghsync.domain.customer import Customer, Kind, fields_for_finance
from siaghsync.domain.fields import IN_ADDRESS, IN_RECORD, PLACES, FieldKind
from siaghsync.domain.normalize import ascii_digits, clean, fold, phone_key, visible
from siaghsync.domain.site import NO_SITE, Site
from siaghsync.errors import BadRecord
from siaghsync.messages.message import msg

_MOBILE_LABELS = frozenset(fold(label) for label in ("Mobile", "Cell", "موبایل", "تلفن همراه", "همراه"))
_FAX_LABELS = frozenset(fold(label) for label in ("Fax", "فکس", "فاکس", "نمابر", "دورنگار"))
_LANDLINE_LABELS = frozenset(
    fold(label) for label in ("Office", "Home", "Work", "Phone", "محل کار", "منزل", "خانه", "دفتر", "تلفن", "تلفن ثابت", "ثابت")
)  # fmt: skip
_WRITTEN_LABELS = {"mobile": "Mobile", "office": "Office"}
"""Kind of a phone in an import's payload -> the label that the CRM gives it."""
_GENDERS = {
    fold(word): code
    for code, words in (("1", ("male", "مرد", "مذکر", "آقا")), ("0", ("female", "زن", "مؤنث", "مونث", "خانم")))
    for word in words
}
_WRITTEN_GENDERS = {"1": "male", "0": "female"}
_INVISIBLE = msg("value_note.invisible_in_number")
_label = lru_cache(maxsize=256)(fold)
"""A phone's label in the form in which labels are compared; a company uses few of them."""


def customer_from_crm(raw: Mapping[str, Any], kind: Kind, site: Site = NO_SITE) -> Customer:
    """A CRM record as a `Customer`. Of places only those count for which `site` has a code.

    Raises BadRecord, naming id and field, when the record has another shape than contract payamgostar §3.4.
    """
    record = read_record(Identity, raw, kind)
    phones = [p for p in record.phonecontacts if clean(p.phonenumber) and _label(p.phonetype) not in _FAX_LABELS]
    names = [name for name in (record.nickname, f"{record.firstname} {record.lastname}".strip()) if clean(name)]
    plain, address = record.plain(), _first_address(record.addresscontacts)
    places = {name: address[name] for name in PLACES if address[name]}
    codes = {name: site.code_of(name, text) for name, text in places.items()}
    values = {
        **plain,
        **address,
        **codes,
        "gender": _GENDERS.get(fold(plain["gender"]), "") if kind == "person" else "",
        "national_code": plain["national_code"] or record.extended(site.national_code_property),
        "name": names[0] if names else "",
        "mobile": _first_number(p for p in phones if _is_mobile(p)),
        "phone": _first_number(p for p in phones if not _is_mobile(p)),
    }
    fields, notes = fields_for_finance(kind, values)
    number = ascii_digits(clean(visible(record.customernumber)))
    return Customer(
        crm_id=record.crmid.lower(),
        kind=kind,
        number=number,
        names=tuple(dict.fromkeys(clean(name) for name in names)),
        national_code=fields.get("national_code", ""),
        phones=tuple(clean(p.phonenumber) for p in phones),
        fields=fields,
        modified=record.modifydate or None,
        notes=notes if number == ascii_digits(clean(record.customernumber)) else (*notes, _INVISIBLE),
        places_without_code={name: text for name, text in places.items() if not codes[name]},
    )


def _is_mobile(phone: Phone) -> bool:
    """By its label; a label that the site invented says nothing, so the number itself decides then."""
    label = _label(phone.phonetype)
    if label in _MOBILE_LABELS:
        return True
    return label not in _LANDLINE_LABELS and bool(re.fullmatch(r"9\d{9}", phone_key(phone.phonenumber)))


def _first_number(phones: Iterable[Phone]) -> str:
    """The number marked as default, else the first."""
    ordered = sorted(phones, key=lambda phone: not phone.default)
    return ordered[0].phonenumber if ordered else ""


def _first_address(addresses: Iterable[Address]) -> dict[str, str]:
    """The fields of the address marked as default, else of the first; one with a place alone counts if there is no other."""
    ordered = sorted(addresses, key=lambda address: not address.default)
    filled = [address.fields() for address in ordered]
    whole = [fields for fields in filled if clean(fields["address"]) or clean(fields["postal_code"])]
    return next((fields for fields in (*whole, *filled) if any(fields.values())), dict.fromkeys(IN_ADDRESS, ""))


def record_for_create(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The CRM's JSON for a new customer, without its subtype (contract payamgostar §3.5).

    `payload` holds `kind` and `name`, and what there is of `number`, `email2`, `category`, `phones` (pairs of "mobile" or
    "office" and a number, the default one first) and the fields of the table that have one property of the CRM, places by
    their names. The name goes whole into nickName (and a person's lastName), since a name is never split.
    """
    name = payload["name"]
    record: dict[str, Any] = {
        "nickName": name,
        "customerNumber": payload.get("number", ""),
        **{
            row.crm_property: payload.get(row.name, "")
            for row in IN_RECORD
            if row.crm_property and row.kind is not FieldKind.GENDER
        },
        "alternativeEmail": payload.get("email2", ""),
        "phoneContacts": [
            {"default": place == 0, "phoneType": _WRITTEN_LABELS[kind], "phoneNumber": number}
            for place, (kind, number) in enumerate(payload.get("phones", ()))
        ],
        "addressContacts": [],
    }
    if payload["kind"] == "person":
        record["firstName"], record["lastName"] = "", name
        if gender := _WRITTEN_GENDERS.get(payload.get("gender", "")):
            record["gender"] = gender
    address = {prop: payload.get(name, "") for name, prop in IN_ADDRESS.items()}
    if any(address.values()):
        record["addressContacts"] = [{"default": True, **{prop: text for prop, text in address.items() if text}}]
    if category := payload.get("category"):
        record["categories"] = [{"key": category}]
    return record


def crm_id_of(raw: Mapping[str, Any]) -> str | None:
    """The id of a raw CRM record, also of one that can't be translated; None if it has none."""
    value = lower_names(raw).get("crmid")
    return value.lower() if isinstance(value, str) and value else None


def number_of(raw: Mapping[str, Any]) -> str:
    """The number of a raw CRM record, of a customer or of a document, as the CRM wrote it; "" if it has none."""
    names = lower_names(raw)
    value = names.get("customernumber") or names.get("number")
    return value if isinstance(value, str) else ""


def modified_of(raw: Mapping[str, Any]) -> str | None:
    """The ModifyDate of a raw CRM record as the CRM wrote it; None if it has none."""
    value = lower_names(raw).get("modifydate")
    return value if isinstance(value, str) and value else None


def created_of(raw: Mapping[str, Any]) -> str | None:
    """The date on which a raw CRM record was made, as the CRM wrote it; None if it has none."""
    value = lower_names(raw).get("creatdate")
    return value if isinstance(value, str) and value else None


def type_of(raw: Mapping[str, Any]) -> str:
    """The subtype's code of a raw CRM record; "" if it has none."""
    value = lower_names(raw).get("crmobjecttypecode")
    return value if isinstance(value, str) else ""


def read_record(shape: type[S], raw: Mapping[str, Any], kind: RecordKind) -> S:
    """`raw` as a `shape`. Raises BadRecord, naming id and field, if it has another one."""
    try:
        return shape.model_validate(raw)
    except ValidationError as error:
        found = misfit(error)
    if crm_id := crm_id_of(raw):
        raise BadRecord("bad_record.crm", record_kind=kind, record=crm_id, **found)
    raise BadRecord("bad_record.crm_without_id", record_kind=kind, **found)
