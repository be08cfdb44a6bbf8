"""The shapes of Siagh's JSON (contract siagh sections 2 to 5), all names in lower case, and a contact made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError, create_model

from siaghsync.connectors.schema import RawText, Shape, Text, Token, lower_names, misfit, to_list, to_text
from siaghsync.domain.customer import Contact
from siaghsync.domain.fields import READ_BACK, FieldKind
from siaghsync.domain.normalize import ascii_digits, clean, split_marker
from siaghsync.errors import BadRecord

# --- login -------------------------------------------------------------------------------------------------


def _year(value: object) -> int | None:
    """A Jalali year, or None: that it can't be read must not keep the customers from being synced."""
    text = str(value).strip()
    return int(text) if text.isdecimal() and 1300 <= int(text[:9]) < 1600 else None


class Login(Shape):
    """The answer to a login (section 2)."""

    sessionid: Token = Field(repr=False)
    username: RawText = ""
    contactname: RawText = ""
    branchcode: RawText = ""
    branchname: RawText = ""
    fiscalyear: Annotated[int | None, BeforeValidator(_year)] = None
    systemdate: RawText = ""


# --- contacts ----------------------------------------------------------------------------------------------


def _to_flag(value: object) -> str:
    """Flags and small codes arrive as booleans, numbers or texts; the form takes 1, 0 or nothing."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return to_text(value)


Flag = Annotated[str, BeforeValidator(_to_flag)]


def _to_code(value: object) -> int | None:
    """A code as a number or text; nothing, zero, and what is no code are None."""
    text = to_text(value).strip()
    return int(text) if text.isascii() and text.isdecimal() and 0 < int(text[:19]) < 2**63 else None


def _to_record_id(value: object) -> str:
    """A GUID in lower case; "" for none, also for one of zeros alone."""
    text = value.strip().lower() if isinstance(value, str) else ""
    return text if text.strip("0-") else ""


class _Besides(Shape):
    """What a contact holds besides the properties that the field table names."""

    code: Annotated[int, Field(strict=False, ge=-(2**63), lt=2**63)]  # what the state file can hold
    recordid: Annotated[str, BeforeValidator(_to_record_id)] = ""
    isadminuser: bool | None = None
    nickname: Text = ""
    mobileno2: Text = ""
    telno2: Text = ""
    email2: Text = ""
    accountpartycode: Annotated[int | None, BeforeValidator(_to_code)] = None

    def fields(self) -> dict[str, str]:
        """The values of the field table that Siagh gives back, by the names of `domain.fields`."""
        return {row.name: getattr(self, row.finance_property) for row in READ_BACK if row.finance_property}


_fields: dict[str, Any] = {
    row.finance_property: (Flag if row.kind in (FieldKind.CHOICE, FieldKind.GENDER, FieldKind.PLACE) else Text, "")
    for row in READ_BACK
    if row.finance_property
}
WebUser = create_model("WebUser", __base__=_Besides, **_fields)
"""A contact of GetAll (section 3.1)."""


# --- the answer to a save ----------------------------------------------------------------------------------

_GAP = r"[\s:\u200b-\u200f\u202a-\u202e\u2066-\u2069]*"
_NUMBER = re.compile(rf"شماره{_GAP}(\d[\d,٬،]*)")
_NET = re.compile(rf"خالص{_GAP}سند{_GAP}(\d[\d,٬،.٫]*)")


def _found(pattern: re.Pattern[str], text: str) -> str:
    """The number that `pattern` finds: Persian, Arabic or ASCII digits with separators become ASCII ones without."""
    match = pattern.search(text)
    digits = re.sub("[,٬،]", "", match[1]) if match else ""
    return "".join(str(int(mark)) if mark.isdecimal() else mark for mark in digits)


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


class Entry(Shape):
    """One entry of `Errors`, which holds successes and warnings as well (sections 4 and 5)."""

    errortype: RawText = ""
    errorcode: RawText = ""
    description: RawText = ""
    messagetext: RawText = ""

    @property
    def is_error(self) -> bool:
        """Whether it says no: an entry without a type does so by its code."""
        kind = self.errortype.lower()
        return kind == "errerror" or (not kind and self.errorcode == "-1")


class SaveAnswer(Shape):
    """The answer to SaveFormData (sections 3.2, 4 and 5)."""

    errors: Annotated[list[Entry], BeforeValidator(to_list)] = Field(default_factory=list)
    finalmessages: Annotated[list[str], BeforeValidator(_texts)] = Field(default_factory=list)
    returnvalue: bool | None = None
    returncode: RawText = ""

    def texts(self, *kinds: str) -> list[str]:
        """What the entries of these types say, in lower case as in "errwarning"; of all entries without any."""
        chosen = (entry for entry in self.errors if not kinds or entry.errortype.lower() in kinds)
        return [text for entry in chosen if (text := entry.description or entry.messagetext)]

    def number(self) -> str | None:
        """The number of the new document that people see, from the words of the success, in ASCII digits."""
        return next(filter(None, (_found(_NUMBER, text) for text in self._successes())), None)

    def net(self) -> Decimal | None:
        """The net amount of the new document in rials, from the words of the success."""
        text = next(filter(None, (_found(_NET, text) for text in self._successes())), "")
        try:
            return Decimal(text.replace("٫", ".").rstrip("."))
        except InvalidOperation:
            return None

    def _successes(self) -> list[str]:
        return [*self.texts("errsuccs"), *self.finalmessages]


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
