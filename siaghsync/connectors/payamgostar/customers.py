"""The CRM's field names: its JSON becomes a customer (contract payamgostar §3.4)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from siaghsync.connectors.siagh.form import clean
from siaghsync.domain.customer import Customer, Kind, ascii_digits, fold, phone_key, split_marker
from siaghsync.domain.validity import legal_id_is_valid, national_code_is_valid, phone_is_plausible
from siaghsync.errors import BadRecord
from siaghsync.wire.answers import Shape

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def _to_raw_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or (not isinstance(value, (int, float)) and not hasattr(value, "as_tuple")):
        raise ValueError(f"text was expected, not {type(value).__name__}")
    return str(value)


def to_text(value: object) -> str:
    """A scalar of a vendor's JSON as text without control characters. Raises ValueError for anything else."""
    text = _to_raw_text(value)
    return text if text.isprintable() else _UNPRINTABLE.sub("", text).strip()


RawText = Annotated[str, BeforeValidator(_to_raw_text)]
Text = Annotated[str, BeforeValidator(to_text)]


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
_label = lru_cache(maxsize=256)(fold)
"""A phone's label in the form in which labels are compared; a company uses few of them."""
_FAX_LABELS = frozenset(fold(label) for label in ("Fax", "فکس", "فاکس", "نمابر", "دورنگار"))
_LANDLINE_LABELS = frozenset(
    fold(label) for label in ("Office", "Home", "Work", "Phone", "محل کار", "منزل", "خانه", "دفتر", "تلفن", "تلفن ثابت", "ثابت")
)  # fmt: skip


def _is_mobile(phone: _Phone) -> bool:
    """By its label; a label that the customer invented says nothing, so the number itself decides then."""
    label = _label(phone.phonetype)
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
    phones = [p for p in record.phonecontacts if clean(p.phonenumber) and _label(p.phonetype) not in _FAX_LABELS]
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
    cleaned = {key: clean(value) for key, value in values.items()}
    notes = [
        f"{key}: characters that the finance form can't carry were replaced"
        for key, value in values.items()
        if cleaned[key] != value
    ]
    # After the cleaning, which can make a mark of what was none.
    description, foreign_marker = split_marker(cleaned["tozihat"])
    if foreign_marker:
        notes.append("tozihat: a [CRM ...] mark in the CRM's own notes was left out")
    cleaned["tozihat"] = clean(description)
    fields = {key: value for key, value in cleaned.items() if value}
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
