"""The shapes of the CRM's JSON (contract payamgostar sections 2, 3 and 4), all names in lower case."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, create_model

from siaghsync.connectors.schema import RawText, Shape, Text, Token, to_list, usable_key, wrong
from siaghsync.domain.fields import IN_ADDRESS, IN_RECORD
from siaghsync.messages.calendar import TEHRAN

_NO_YEAR = 1
"""The year of the date that .NET writes where there is none."""
_LARGEST = Decimal(10) ** 21
_MOST_DECIMALS = 40


# --- envelopes ---------------------------------------------------------------------------------------------


class Login(Shape):
    """The answer to a login (section 2)."""

    accesstoken: Token = Field(repr=False)
    expiresat: Text = ""


class FindPage(Shape):
    """One page of a find (section 3.2)."""

    data: list[dict[str, Any]]
    total: Annotated[int, Field(ge=0)] | None = None


class Found(Shape):
    """One row of the light list (section 3.1)."""

    identityid: Annotated[str, Field(min_length=1)]


class SearchPage(Shape):
    """One page of the light list (section 3.1), which is a bare array."""

    rows: list[Found]


class ObjectType(Shape):
    """A subtype that the site has set up, and which kind of record it is of (section 7)."""

    code: Text = ""
    name: Text = ""
    index: int | None = None


class TypePage(Shape):
    """One page of subtypes (section 7); `data` is the bare list that comes."""

    data: list[ObjectType]


class Category(Shape):
    """A category that the site has set up (section 7)."""

    key: Text = ""


class CategoryList(Shape):
    """All of them; `data` is the bare list that comes."""

    data: list[Category]


class Created(Shape):
    """The answer to a create (section 3.5): some versions say `id` for `crmId`."""

    crmid: RawText = ""
    id: RawText = ""

    @property
    def key(self) -> str:
        """The id of the new record; empty if there is none that can be one."""
        return usable_key(self.crmid) or usable_key(self.id)


# --- customers ---------------------------------------------------------------------------------------------


def _to_loose_text(value: object) -> str:
    """An extended property can hold anything; only texts and numbers are of use."""
    return str(value).strip() if isinstance(value, str | int | Decimal) and not isinstance(value, bool) else ""


def _to_objects(value: object) -> list[object]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


class Phone(Shape):
    """One entry of `phoneContacts`."""

    default: bool | None = None
    phonetype: RawText = ""
    phonenumber: RawText = ""


class Address(Shape):
    """One entry of `addressContacts`; its other properties are those that the field table names."""

    default: bool | None = None

    def fields(self) -> dict[str, str]:
        """Its values by the names of `domain.fields`; places by their names."""
        return {name: getattr(self, prop.lower()) for name, prop in IN_ADDRESS.items()}


_in_address: dict[str, Any] = {prop.lower(): (RawText, "") for prop in IN_ADDRESS.values()}
_FullAddress: Any = create_model("Address", __base__=Address, **_in_address)


class Extended(Shape):
    """One entry of `extendedProperties`."""

    userkey: Annotated[str, BeforeValidator(_to_loose_text)] = ""
    value: Annotated[str, BeforeValidator(_to_loose_text)] = ""


class _Composed(Shape):
    """What a customer's record holds besides the properties that the field table names."""

    crmid: Annotated[str, Field(min_length=1)]
    nickname: RawText = ""
    firstname: RawText = ""
    lastname: RawText = ""
    customernumber: RawText = ""
    modifydate: Text = ""
    phonecontacts: Annotated[list[Phone], BeforeValidator(to_list)] = Field(default_factory=list)
    addresscontacts: list[Address] = Field(default_factory=list)
    extendedproperties: Annotated[list[Extended], BeforeValidator(_to_objects)] = Field(default_factory=list)

    def plain(self) -> dict[str, str]:
        """The values that stand in one property each, by the names of `domain.fields`."""
        return {row.name: getattr(self, (row.crm_property or "").lower()) for row in IN_RECORD}

    def extended(self, key: str) -> str:
        """The value of the extended property with this user key; "" without one."""
        values = (each.value for each in self.extendedproperties if each.userkey == key and each.value)
        return next(values, "") if key else ""


_plain: dict[str, Any] = {(row.crm_property or "").lower(): (RawText, "") for row in IN_RECORD}
_plain["addresscontacts"] = (Annotated[list[_FullAddress], BeforeValidator(to_list)], [])
Identity = create_model("Identity", __base__=_Composed, **_plain)
"""A customer's record (section 3.4)."""


# --- documents ---------------------------------------------------------------------------------------------


def _to_amount(value: object) -> object:
    """A JSON number, exact: no binary float, no text, nothing beyond all money."""
    if value is None:
        return None
    if isinstance(value, int | Decimal) and not isinstance(value, bool) and _is_money(Decimal(value)):
        return value
    raise wrong("amount")


def _is_money(amount: Decimal) -> bool:
    return amount.is_finite() and amount.copy_abs() < _LARGEST and -int(amount.as_tuple().exponent) <= _MOST_DECIMALS


def _to_moment(value: object) -> dt.datetime | None:
    """A moment in Tehran: the CRM's dates are Tehran time without an offset; one that carries an offset is converted."""
    if value in (None, ""):
        return None
    try:
        moment = dt.datetime.fromisoformat(value.strip() if isinstance(value, str) else "")
    except ValueError:
        raise wrong("date") from None
    if moment.year == _NO_YEAR:
        return None
    if not 1000 <= moment.year <= 9000:
        raise wrong("date")
    return moment.astimezone(TEHRAN).replace(tzinfo=None) if moment.tzinfo else moment


def _to_key(value: object) -> object:
    """An id in lower case; null, nothing and zeros are none."""
    if not isinstance(value, str):
        return "" if value is None else value
    key = usable_key(value)
    if not key and value.strip(" 0{}-"):
        raise wrong("id")
    return key.lower()


def _to_state(value: object) -> object:
    """Only shown, never decided by: anything but a whole number becomes None."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


Amount = Annotated[Decimal, BeforeValidator(_to_amount)]
MaybeAmount = Annotated[Decimal | None, BeforeValidator(_to_amount)]
Moment = Annotated[dt.datetime | None, BeforeValidator(_to_moment)]
Key = Annotated[str, BeforeValidator(_to_key)]


class Detail(Shape):
    """One row of a quote or invoice (section 4)."""

    productcode: Text = ""
    productname: Text = ""
    productunittypename: Text = ""
    count: Amount
    returnedcount: MaybeAmount = None
    baseunitprice: Amount
    totaldiscount: MaybeAmount = None
    totalvat: MaybeAmount = None
    totaltoll: MaybeAmount = None
    totalunitprice: MaybeAmount = None
    detaildescription: Text = ""


class BillableRecord(Shape):
    """A quote or sales invoice (section 4)."""

    crmid: Annotated[str, Field(min_length=1)]
    crmobjecttypecode: Text = ""
    number: Text = ""
    subject: RawText = ""
    description: RawText = ""
    identityid: Key = ""
    relatedquoteid: Key = ""
    discount: MaybeAmount = None
    vat: MaybeAmount = None
    toll: MaybeAmount = None
    additionalcosts: MaybeAmount = None
    totalvalue: MaybeAmount = None
    finalvalue: MaybeAmount = None
    quotedate: Moment = None
    invoicedate: Moment = None
    creatdate: Moment = None
    modifydate: Text = ""
    billableobjectstateindex: Annotated[int | None, BeforeValidator(_to_state)] = None
    details: list[Detail] | None = None
