"""The fields that both systems have: one row a field. Adding a plain field to the program is adding a row here.

A row says what the field is called in the program and in each system. Its labels in both languages are in the catalog, in the
chapter `field`. All that reads, writes, compares, shows or documents fields goes through this table.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class FieldKind(StrEnum):
    """How values are compared, cleaned and shown."""

    TEXT = "text"
    DIGITS = "digits"
    """Digits are written as ASCII digits: codes of places and persons."""
    NATIONAL_CODE = "national_code"
    PHONE = "phone"
    CHOICE = "choice"
    """A flag of the finance system: `1` or `0`."""
    GENDER = "gender"
    """`1` male, `0` female; the CRM has words for them. Only persons have one."""
    PLACE = "place"
    """Siagh's code of a place; the CRM has its name, and the mapping file (`domain.site`) translates."""
    NOTES = "notes"
    """The last part may be the mark `[CRM <number>]`."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    `name` is the program's own name. `finance_key` is the key in Siagh's form without its prefix (contract siagh §3.2); it
    is also the key in JSON output and in checksums. `finance_property` is the property of GetAll in lower case (§3.1), None
    for a key that Siagh does not give back. `crm_property` is the property of the CRM record as the CRM spells it (contract
    payamgostar §3.4), with `addressContacts.` in front for one of the customer's address, None where the value is worked out
    from more than one property (`connectors.payamgostar.customers`) or the CRM has none.
    """

    name: str
    finance_key: str
    finance_property: str | None
    crm_property: str | None
    kind: FieldKind

    @property
    def address_property(self) -> str | None:
        """The property of an address of the CRM record, if it stands there."""
        front, _, rest = (self.crm_property or "").partition(".")
        return rest if front == "addressContacts" else None


TABLE: tuple[Field, ...] = (
    Field("active", "isactive", "isactive", None, FieldKind.CHOICE),
    Field("gender", "gender", "gender", "gender", FieldKind.GENDER),
    Field("website", "websiteaddress", "websiteaddress", "website", FieldKind.TEXT),
    Field("postal_code", "pocode", "postalcode", "addressContacts.zipCode", FieldKind.DIGITS),
    Field("province", "codeostan", "geographiccode", "addressContacts.state", FieldKind.PLACE),
    Field("address", "address", "address", "addressContacts.address", FieldKind.TEXT),
    Field("city", "codeshahr", "citycode", "addressContacts.city", FieldKind.PLACE),
    Field("country", "countrycode", "countrycode", "addressContacts.country", FieldKind.PLACE),
    Field("email", "email", "email", "email", FieldKind.TEXT),
    Field("name", "fullname", "name", None, FieldKind.TEXT),
    Field("mobile", "mobileno", "mobileno", None, FieldKind.PHONE),
    Field("phone", "telno", "telno", None, FieldKind.PHONE),
    Field("national_code", "passno", "nationalcode", "nationalCode", FieldKind.NATIONAL_CODE),
    Field("number", "tmpid", None, None, FieldKind.TEXT),
    Field("notes", "tozihat", "description", "description", FieldKind.NOTES),
    Field("kind", "taraftype", "towardtype", None, FieldKind.CHOICE),
)
"""Every field, in the order of Siagh's form."""

FIELDS: dict[str, Field] = {row.name: row for row in TABLE}
"""The same by the program's own name."""
IN_RECORD: tuple[Field, ...] = tuple(row for row in TABLE if row.crm_property and not row.address_property)
"""The fields that stand in one property of the CRM record itself."""
IN_ADDRESS: dict[str, str] = {row.name: row.address_property for row in TABLE if row.address_property}
"""The fields that stand in the CRM record's address: the program's own name -> property."""
PLACES: tuple[str, ...] = tuple(row.name for row in TABLE if row.kind is FieldKind.PLACE)
"""The fields that hold the code of a place."""
READ_BACK: tuple[Field, ...] = tuple(row for row in TABLE if row.finance_property)
"""The fields that Siagh gives back, so that they can be compared."""
BY_FINANCE_KEY: dict[str, str] = {row.finance_key: row.name for row in TABLE}
"""Siagh's form key -> the program's own name."""


def finance_key(name: str) -> str:
    """The key of a customer's field in Siagh's form; a name that is not in the table stays as it is."""
    row = FIELDS.get(name)
    return row.finance_key if row else name


def json_key(entity: str, name: str) -> str:
    """The key of a field in JSON output: that of Siagh's form for customers, the program's own name for documents."""
    return finance_key(name) if entity == "customer" else name
