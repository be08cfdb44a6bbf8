"""Customers, contacts, texts and documents that the tests of domain and planning are made of. No vendor's names here."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from siaghsync.domain.customer import Contact, Customer, CustomerMapping, Kind, customer_kind, fields_for_finance
from siaghsync.domain.document import Document, DocumentRow
from siaghsync.domain.fields import READ_BACK
from siaghsync.domain.normalize import ascii_digits, clean, split_marker
from siaghsync.domain.numbering import NumberScheme
from siaghsync.planning.cases import PlanRules

SCHEME = NumberScheme("100-", 1000)
RULES = PlanRules(SCHEME)
LETTERS = "یيىکكهةۀەأإآاءئؤبچ پaBß"
INVISIBLE = "\u200c\u200f\u00a0\u064e\u0651\u0654\u0640 \t"
BREAKERS = "|\r\n\x00\x0b\x85\u2028[]"
TEXT = st.text(
    st.one_of(st.sampled_from(LETTERS + INVISIBLE + BREAKERS + "۰۱٢٣45-"), st.characters(exclude_categories=["Cs"]))
)
"""Anything that can come out of JSON, with many of the characters that are treated specially."""
NOTES = st.one_of(
    TEXT, st.lists(st.sampled_from(["[CRM ", "[CRM\n", "7", "۷", "]", "|", " ", "x", "\t"]), max_size=12).map("".join)
)
"""Texts, some of them full of what looks like a mark."""
PHONE = st.one_of(
    TEXT,
    st.sampled_from(["09123456789", "+98 912 345 6789", "۰۹۱۲۳۴۵۶۷۸۹", "021-88776655", "02141234", "0", "-", "11111"]),
)

_PERSON = {
    "name": "علی رضایی",
    "national_code": "0013542419",
    "email": "ali@example.com",
    "notes": "خوش‌حساب",
    "mobile": "09123456789",
    "phone": "02188776655",
    "address": "تهران",
    "postal_code": "1234567890",
}


def customer(kind: Kind = "person", crm_id: str = "p-1", number: str = "100-1234", **values: str) -> Customer:
    """The person as a CRM record; `values` are the CRM's own texts by the names of `domain.fields`."""
    texts = {**_PERSON, **values}
    fields, notes = fields_for_finance(kind, texts)
    return Customer(
        crm_id=crm_id,
        kind=kind,
        number=ascii_digits(clean(number)),
        names=(fields["name"],) if "name" in fields else (),
        national_code=fields.get("national_code", ""),
        phones=tuple(clean(texts[name]) for name in ("mobile", "phone") if clean(texts[name])),
        fields=fields,
        modified="2025-12-21T14:06:17.173",
        notes=notes,
    )


def contact(code: int = 234, *, admin: bool = False, extra: Mapping[str, str] | None = None, **values: str) -> Contact:
    """The same person as Siagh shows it; `values` by the names of `domain.fields`."""
    mine = {"active": "1", "gender": "1", "city": "21", "province": "8", "kind": "0"}
    fields = {**dict.fromkeys((row.name for row in READ_BACK), ""), **mine, **_PERSON, **values}
    name = clean(fields["name"])
    return Contact(
        code=code,
        kind="organization" if fields["kind"] == "1" else "person",
        names=(name,) if name else (),
        national_code=ascii_digits(fields["national_code"]),
        phones=tuple(fields[key] for key in ("mobile", "phone") if fields[key]),
        fields=fields,
        active=fields["active"] == "1",
        admin=admin,
        marker=split_marker(fields["notes"])[1],
        extra=extra or {},
    )


def stored(payload: Mapping[str, str], code: int) -> Contact:
    """The contact that Siagh shows after it took this payload."""
    values: dict[str, Any] = {row.name: payload[row.name] for row in READ_BACK}
    return contact(code, **values)


def somebody_else(code: int = 234) -> Contact:
    """A contact that has nothing in common with the person."""
    return contact(code, name="مریم کاظمی", national_code="", mobile="09351112233", phone="")


def somebody_elses_record(crm_id: str = "p-9", number: str = "100-1234") -> Customer:
    """A CRM record that has nothing in common with the person."""
    return customer(crm_id=crm_id, number=number, name="مریم کاظمی", national_code="", mobile="09351112233", phone="")


def mapping(**changes: Any) -> CustomerMapping:
    """The link of the person's two records, never compared so far."""
    return replace(CustomerMapping("p-1", 234, "person", "100-1234"), **changes)


@st.composite
def customers(draw: st.DrawFn) -> Customer:
    """Any CRM customer at all."""
    texts = {name: draw(TEXT) for name in ("name", "email", "website", "address", "postal_code")}
    phones = {name: draw(PHONE) for name in ("mobile", "phone")}
    return customer(
        customer_kind(draw(st.sampled_from(["person", "organization"]))),
        number=draw(st.one_of(TEXT, st.sampled_from(["100-1234", "100-۱۲۳۴", ""]))),
        national_code=draw(st.one_of(TEXT, st.just("۰۰۱۳۵۴۲۴۱۹"))),
        notes=draw(NOTES),
        **texts,
        **phones,
    )


def _as_read(text: str) -> str:
    """Without control characters (line breaks and tabs aside) and without blanks at the ends."""
    return re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", "", text).strip()


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    """Any finance contact at all, with texts as the connector reads them."""
    names = ("name", "national_code", "email", "website", "address", "postal_code")
    texts = {name: _as_read(draw(TEXT)) for name in names}
    phones = {name: _as_read(draw(PHONE)) for name in ("mobile", "phone", "mobile2", "phone2")}
    return contact(
        draw(st.integers(1, 10**9)),
        admin=draw(st.booleans()),
        extra={"mobile2": phones.pop("mobile2"), "phone2": phones.pop("phone2"), "email2": _as_read(draw(TEXT))},
        notes=_as_read(draw(NOTES)),
        active=draw(st.sampled_from(["1", "0"])),
        kind=draw(st.sampled_from(["1", "0"])),
        **texts,
        **phones,
    )


# --- documents ---------------------------------------------------------------------------------------------


def row(code: str = "P-1", quantity: Any = 2, price: Any = 50000, discount: Any = 0, **fields: Any) -> DocumentRow:
    """A row of two pieces at 50,000."""
    return DocumentRow(code, "", "قطعه", Decimal(quantity), Decimal(price), Decimal(discount), **fields)


def document(*rows: DocumentRow, **fields: Any) -> Document:
    """A quote of 100,000 rials."""
    base = Document(
        crm_id="q-1",
        source="quote",
        number="100-1404/15",
        customer_crm_id="c-1",
        subject="موضوع",
        description="",
        type_code="PI_5",
        sale_model=5,
        date=dt.date(2025, 12, 21),
        created=dt.datetime(2025, 12, 20, 9, 30),
        modified=None,
        related_quote_id=None,
        rows=rows or (row(),),
    )
    return replace(base, **fields)


def invoice(*rows: DocumentRow, **fields: Any) -> Document:
    """The invoice made from that quote."""
    own = {"crm_id": "i-1", "source": "invoice", "number": "100-1404/7", "type_code": "SI", "sale_model": None}
    return document(*rows, **{**own, "related_quote_id": "q-1", "date": dt.date(2026, 1, 5), **fields})
