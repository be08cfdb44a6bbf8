"""The only room that knows the vendors' field names: their JSON becomes records, records become payloads.

Contract payamgostar §3.4 and §3.5 for the CRM, contract siagh §3.1 and §3.2 for Finance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, ValidationError

from siaghsync.answers import Shape
from siaghsync.errors import BadRecord
from siaghsync.records import (
    Contact,
    Customer,
    Kind,
    ascii_digits,
    fold,
    phone_key,
    split_marker,
    with_marker,
)
from siaghsync.siagh_form import clean
from siaghsync.validity import legal_id_is_valid, national_code_is_valid, phone_is_plausible

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _to_raw_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "as_tuple")):
        raise ValueError(f"text was expected, not {type(value).__name__}")
    return str(value)


def _to_text(value: object) -> str:
    return _UNPRINTABLE.sub("", _to_raw_text(value)).strip()


RawText = Annotated[str, BeforeValidator(_to_raw_text)]
Text = Annotated[str, BeforeValidator(_to_text)]


def _to_list(value: object) -> object:
    return [] if value is None else value


# --- the CRM's record --------------------------------------------------------------------------------------


class _Phone(Shape):
    default: bool | None = None
    phonetype: RawText = ""
    phonenumber: RawText = ""


class _Address(Shape):
    default: bool | None = None
    address: RawText = ""
    zipcode: RawText = ""


class _Identity(Shape):
    crmid: Annotated[str, Field(min_length=1)]
    nickname: RawText = ""
    firstname: RawText = ""
    lastname: RawText = ""
    customernumber: RawText = ""
    nationalcode: RawText = ""
    email: RawText = ""
    website: RawText = ""
    description: RawText = ""
    modifydate: Text = ""
    phonecontacts: Annotated[list[_Phone], BeforeValidator(_to_list)] = Field(default_factory=list)
    addresscontacts: Annotated[list[_Address], BeforeValidator(_to_list)] = Field(default_factory=list)


_MOBILE_LABELS = frozenset(fold(label) for label in ("Mobile", "Cell", "موبایل", "تلفن همراه", "همراه"))
_FAX_LABELS = frozenset(fold(label) for label in ("Fax", "فکس", "فاکس", "نمابر", "دورنگار"))
_LANDLINE_LABELS = frozenset(
    fold(label) for label in ("Office", "Home", "Work", "Phone", "محل کار", "منزل", "خانه", "دفتر", "تلفن", "تلفن ثابت", "ثابت")
)  # fmt: skip


def _is_mobile(phone: _Phone) -> bool:
    """By its label; a label that the customer invented says nothing, so the number itself decides then."""
    label = fold(phone.phonetype)
    if label in _MOBILE_LABELS:
        return True
    return label not in _LANDLINE_LABELS and bool(re.fullmatch(r"9\d{9}", phone_key(phone.phonenumber)))


def _first(items: Iterable[_Phone]) -> str:
    """The number marked as default, else the first."""
    ordered = sorted(items, key=lambda phone: not phone.default)
    return ordered[0].phonenumber if ordered else ""


def why(error: ValidationError) -> str:
    """The first thing that does not fit a shape: its field and what was expected, never its value."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return f"field {'.'.join(str(part) for part in first['loc']) or '(record)'}: {first['msg']}"


def customer_from_crm(raw: Mapping[str, Any], kind: Kind) -> Customer:
    """A CRM record as a `Customer`.

    Raises BadRecord, naming id and field, when the record has another shape than contract payamgostar §3.4.
    """
    try:
        record = _Identity.model_validate(raw)
    except ValidationError as error:
        raise BadRecord(f"CRM {kind} {crm_id_of(raw) or '(without id)'} can't be understood: {why(error)}") from None
    phones = [p for p in record.phonecontacts if clean(p.phonenumber) and fold(p.phonetype) not in _FAX_LABELS]
    addresses = sorted(
        (a for a in record.addresscontacts if clean(a.address) or clean(a.zipcode)), key=lambda a: not a.default
    )
    names = [name for name in (record.nickname, f"{record.firstname} {record.lastname}") if clean(name)]
    national_code = ascii_digits(clean(record.nationalcode))
    values = {
        "fullname": names[0].strip() if names else "",
        "mobileno": ascii_digits(_first(p for p in phones if _is_mobile(p))),
        "telno": ascii_digits(_first(p for p in phones if not _is_mobile(p))),
        "passno": ascii_digits(record.nationalcode),
        "email": record.email,
        "websiteaddress": record.website,
        "address": addresses[0].address if addresses else "",
        "pocode": ascii_digits(addresses[0].zipcode) if addresses else "",
        "tozihat": record.description,
    }
    notes = [
        f"{key}: characters that the finance form can't carry were replaced"
        for key, v in values.items()
        if clean(v) != v
    ]
    # After the cleaning, which can make a mark of what was none.
    description, foreign_marker = split_marker(clean(record.description))
    if foreign_marker:
        notes.append("tozihat: a [CRM ...] mark in the CRM's own notes was left out")
    values["tozihat"] = description
    fields = {key: clean(value) for key, value in values.items() if clean(value)}
    fields["taraftype"] = "1" if kind == "organization" else "0"
    return Customer(
        crm_id=record.crmid.lower(),
        kind=kind,
        number=ascii_digits(clean(record.customernumber)),
        names=tuple(dict.fromkeys(clean(name) for name in names)),
        national_code=national_code,
        phones=tuple(clean(p.phonenumber) for p in phones),
        fields=fields,
        modified=record.modifydate or None,
        notes=(*notes, *_odd_values(kind, fields)),
    )


def _odd_values(kind: Kind, fields: Mapping[str, str]) -> list[str]:
    odd = []
    code = fields.get("passno", "")
    if code and not (legal_id_is_valid(code) if kind == "organization" else national_code_is_valid(code)):
        odd.append(
            f"passno: {code} is not a valid {'legal id' if kind == 'organization' else 'national code'}; passed on as it is"
        )
    odd += [
        f"{key}: {fields[key]} does not look like a phone number; passed on as it is"
        for key in ("mobileno", "telno")
        if key in fields and not phone_is_plausible(fields[key])
    ]
    return odd


def crm_id_of(raw: Mapping[str, Any]) -> str | None:
    """The id of a raw CRM record, also of one that can't be translated; None if it has none."""
    value = {key.lower(): v for key, v in raw.items()}.get("crmid")
    return value.lower() if isinstance(value, str) and value else None


def modified_of(raw: Mapping[str, Any]) -> str | None:
    """The ModifyDate of a raw CRM record as the CRM wrote it; None if it has none."""
    value = {key.lower(): v for key, v in raw.items()}.get("modifydate")
    return value if isinstance(value, str) and value else None


# --- the finance contact -----------------------------------------------------------------------------------


def _to_flag(value: object) -> str:
    """Flags and small codes arrive as booleans, numbers or text; the form wants 1, 0 or nothing."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return _to_text(value)


Flag = Annotated[str, BeforeValidator(_to_flag)]

_FORM_PROPERTIES: dict[str, str] = {
    "isactive": "isactive",
    "gender": "gender",
    "websiteaddress": "websiteaddress",
    "pocode": "postalcode",
    "codeostan": "geographiccode",
    "address": "address",
    "codeshahr": "citycode",
    "countrycode": "countrycode",
    "email": "email",
    "fullname": "name",
    "mobileno": "mobileno",
    "telno": "telno",
    "passno": "nationalcode",
    "tozihat": "description",
    "taraftype": "towardtype",
}
"""Form key -> property of GetAll in lower case. `tmpid` is missing: Siagh does not give it back."""


class _WebUser(Shape):
    code: Annotated[int, Field(strict=False, ge=-(2**63), lt=2**63)]  # what the state file can hold
    isadminuser: bool | None = None
    name: Text = ""
    nickname: Text = ""
    nationalcode: Text = ""
    mobileno: Text = ""
    mobileno2: Text = ""
    telno: Text = ""
    telno2: Text = ""
    email: Text = ""
    email2: Text = ""
    address: Text = ""
    postalcode: Text = ""
    citycode: Flag = ""
    countrycode: Flag = ""
    geographiccode: Flag = ""
    gender: Flag = ""
    description: Text = ""
    websiteaddress: Text = ""
    isactive: Flag = ""
    towardtype: Flag = ""


def contact_from_finance(raw: Mapping[str, Any]) -> Contact:
    """A contact of GetAll as a `Contact`.

    Raises BadRecord, naming code and field, when it has another shape than contract siagh §3.1.
    """
    try:
        record = _WebUser.model_validate(raw)
    except ValidationError as error:
        raise BadRecord(f"Finance contact {finance_code_of(raw)} can't be understood: {why(error)}") from None
    fields = {key: cast(str, getattr(record, name)) for key, name in _FORM_PROPERTIES.items()}
    fields["isactive"] = "0" if _is_no(fields["isactive"]) else "1"
    fields["taraftype"] = "0" if _is_no(fields["taraftype"]) or not fields["taraftype"] else "1"
    kind: Kind = "organization" if fields["taraftype"] == "1" else "person"
    return Contact(
        code=record.code,
        kind=kind,
        names=tuple(dict.fromkeys(clean(name) for name in (record.name, record.nickname) if clean(name))),
        national_code=ascii_digits(record.nationalcode),
        phones=tuple(p for p in (record.mobileno, record.telno, record.mobileno2, record.telno2) if p),
        fields=fields,
        active=fields["isactive"] == "1",
        admin=bool(record.isadminuser),
        marker=split_marker(record.description)[1],
        extra={"mobileno2": record.mobileno2, "telno2": record.telno2, "email2": record.email2},
    )


def _is_no(flag: str) -> bool:
    return flag.casefold() in {"0", "false"}


def finance_code_of(raw: Mapping[str, Any]) -> str:
    """The code of a raw finance contact as text, for messages; "(without code)" if it has none."""
    value = {key.lower(): v for key, v in raw.items()}.get("code")
    return str(value) if isinstance(value, (int, str)) and value != "" else "(without code)"


# --- payloads ----------------------------------------------------------------------------------------------


def contact_form(customer: Customer, contact: Contact | None, *, mark: bool) -> dict[str, str]:
    """All sixteen form fields that make `contact` (or a new one, if None) say what the CRM says.

    What the CRM has no value for is sent back as it was read, since the form blanks what is left out. `mark` puts
    the marker of the customer's number at the end of a new contact's notes; an existing contact keeps having one,
    or none.
    """
    blank = dict.fromkeys(_FORM_PROPERTIES, "") | {"isactive": "1"}
    form = {**(contact.fields if contact else blank), **customer.fields, "tmpid": customer.number}
    form = {key: clean(value) for key, value in form.items()}
    notes = customer.fields.get("tozihat", split_marker(form["tozihat"])[0])
    carries_mark = bool(contact.marker) if contact else mark
    # A pair keeps its link when its number is taken away in the CRM; then the old mark is still the better one.
    number = customer.number or (contact.marker if contact else "")
    form["tozihat"] = with_marker(notes, number) if carries_mark else notes
    return form


def crm_fields(contact: Contact, number: str, category: str) -> dict[str, Any]:
    """What makes a new CRM record out of a finance contact (contract payamgostar §3.5).

    The name goes whole into nickName (and a person's lastName): Siagh has one name field, and a name is never split.
    """
    value = contact.fields
    name = value["fullname"] or next(iter(contact.names), "")
    phones = [
        ("Mobile", value["mobileno"]),
        ("Office", value["telno"]),
        # A second number without a first would come back as the first one, and sync would then write it there.
        ("Mobile", contact.extra.get("mobileno2", "") if value["mobileno"] else ""),
        ("Office", contact.extra.get("telno2", "") if value["telno"] else ""),
    ]
    phone_contacts = [{"phoneType": label, "phoneNumber": ascii_digits(text)} for label, text in phones if text]
    record: dict[str, Any] = {
        "nickName": name,
        "customerNumber": number,
        "nationalCode": contact.national_code,
        "email": value["email"],
        "alternativeEmail": contact.extra.get("email2", ""),
        "website": value["websiteaddress"],
        "description": split_marker(value["tozihat"])[0],
        "phoneContacts": [{"default": i == 0, **phone} for i, phone in enumerate(phone_contacts)],
        "addressContacts": [],
    }
    if contact.kind == "person":
        record["firstName"], record["lastName"] = "", name
    if value["address"] or value["pocode"]:
        record["addressContacts"] = [
            {"default": True, "address": value["address"], "zipCode": ascii_digits(value["pocode"])}
        ]
    if category:
        record["categories"] = [{"key": category}]
    return record
