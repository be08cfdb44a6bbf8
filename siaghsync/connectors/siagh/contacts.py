"""Siagh's field names: its JSON becomes a contact (contract siagh §3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, cast

from pydantic import BeforeValidator, Field, ValidationError

from siaghsync.connectors.payamgostar.customers import Text, to_text, why
from siaghsync.connectors.siagh.form import clean
from siaghsync.domain.customer import Contact, Kind, ascii_digits, split_marker
from siaghsync.errors import BadRecord
from siaghsync.wire.answers import Shape


def _to_flag(value: object) -> str:
    """Flags and small codes arrive as booleans, numbers or text; the form wants 1, 0 or nothing."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return to_text(value)


Flag = Annotated[str, BeforeValidator(_to_flag)]

FORM_PROPERTIES: dict[str, str] = {
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
    fields = {key: cast(str, getattr(record, name)) for key, name in FORM_PROPERTIES.items()}
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
