"""Siagh's JSON of contacts becomes a `Contact` (contract siagh §3.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from siaghsync.connectors.schema import lower_names, misfit
from siaghsync.connectors.siagh.schema import WebUser
from siaghsync.domain.customer import Contact
from siaghsync.domain.normalize import ascii_digits, clean, split_marker
from siaghsync.errors import BadRecord


def contact_from_finance(raw: Mapping[str, Any]) -> Contact:
    """A contact of GetAll as a `Contact`.

    Raises BadRecord, naming code and field, when it has another shape than contract siagh §3.1.
    """
    try:
        record = WebUser.model_validate(raw)
    except ValidationError as error:
        raise _bad(raw, misfit(error)) from None
    fields = record.fields()
    kind_known = bool(fields["kind"])
    fields["active"] = "0" if _is_no(fields["active"]) else "1"
    fields["kind"] = "0" if _is_no(fields["kind"]) or not fields["kind"] else "1"
    phones = (fields["mobile"], fields["phone"], record.mobileno2, record.telno2)
    return Contact(
        code=record.code,
        kind="organization" if fields["kind"] == "1" else "person",
        names=tuple(dict.fromkeys(name for each in (fields["name"], record.nickname) if (name := clean(each)))),
        national_code=ascii_digits(fields["national_code"]),
        phones=tuple(phone for phone in phones if phone),
        fields=fields,
        active=fields["active"] == "1",
        admin=bool(record.isadminuser),
        marker=split_marker(fields["notes"])[1],
        record_id=record.recordid,
        account_party=record.accountpartycode,
        kind_known=kind_known,
        extra={"mobile2": record.mobileno2, "phone2": record.telno2, "email2": record.email2},
    )


def finance_code_of(raw: Mapping[str, Any]) -> str:
    """The code of a raw finance contact as text, for messages; "" if it has none."""
    value = lower_names(raw).get("code")
    return str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""


def _is_no(flag: str) -> bool:
    return flag.casefold() in {"0", "false"}


def _bad(raw: Mapping[str, Any], found: Mapping[str, str]) -> BadRecord:
    code = finance_code_of(raw)
    if code:
        return BadRecord("bad_record.contact", record=code, **found)
    return BadRecord("bad_record.contact_without_code", **found)
