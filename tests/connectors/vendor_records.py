"""Records of both vendors as their systems show them, and texts that make trouble."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.connectors.siagh.schema import contact_from_finance
from siaghsync.domain.customer import Contact, Customer, Kind

LETTERS = "یيىکكهةۀەأإآاءئؤبچ پaBß"
MARKS = "\u200c\u200f\u00a0\u064e\u0651\u0654\u0640 \t"
BREAKERS = "|\r\n\x00\x0b\x85\u2028[]"
TEXT = st.text(
    st.one_of(st.sampled_from(LETTERS + MARKS + BREAKERS + "۰۱٢٣45-"), st.characters(exclude_categories=["Cs"]))
)
"""Anything that can come out of JSON, with what is treated specially coming often."""
NOTES = st.one_of(
    TEXT, st.lists(st.sampled_from(["[CRM ", "[CRM\n", "7", "۷", "]", "|", " ", "x", "\t"]), max_size=12).map("".join)
)
"""Texts, some of them full of what looks like a mark."""
PHONE = st.one_of(
    TEXT,
    st.sampled_from(["09123456789", "+98 912 345 6789", "۰۹۱۲۳۴۵۶۷۸۹", "021-88776655", "02141234", "0", "-", "11111"]),
)


def crm_record(**changes: Any) -> dict[str, Any]:
    """A person as the CRM shows it; `changes` by the CRM's own property names."""
    return {
        "crmId": "p-1",
        "nickName": "علی رضایی",
        "firstName": "علی",
        "lastName": "رضایی",
        "customerNumber": "100-1234",
        "nationalCode": "0013542419",
        "email": "ali@example.com",
        "website": "",
        "description": "خوش‌حساب",
        "phoneContacts": [
            {"default": False, "phoneType": "Office", "phoneNumber": "02188776655"},
            {"default": True, "phoneType": "Mobile", "phoneNumber": "09123456789"},
        ],
        "addressContacts": [{"default": True, "address": "تهران", "zipCode": "1234567890"}],
        "modifyDate": "2025-12-21T14:06:17.173",
        **changes,
    }


def finance_record(**changes: Any) -> dict[str, Any]:
    """The same person as Siagh shows it; `changes` by Siagh's own property names."""
    return {
        "Code": 234,
        "Name": "علی رضایی",
        "NickName": None,
        "NationalCode": "0013542419",
        "MobileNo": "09123456789",
        "TelNo": "02188776655",
        "Email": "ali@example.com",
        "WebSiteAddress": None,
        "Address": "تهران",
        "PostalCode": "1234567890",
        "Description": "خوش‌حساب",
        "CityCode": 21,
        "GeographicCode": "8",
        "CountryCode": None,
        "Gender": True,
        "IsActive": True,
        "IsAdminUser": False,
        "TowardType": False,
        **changes,
    }


def customer(**changes: Any) -> Customer:
    """The CRM's person as a customer; `changes` by the CRM's own property names, and `kind`."""
    kind: Kind = changes.pop("kind", "person")
    return customer_from_crm(crm_record(**changes), kind)


def contact(**changes: Any) -> Contact:
    """Siagh's person as a contact; `changes` by Siagh's own property names."""
    return contact_from_finance(finance_record(**changes))


@st.composite
def crm_records(draw: st.DrawFn) -> dict[str, Any]:
    """Any customer's record at all, as the CRM shows it."""
    phones = st.fixed_dictionaries(
        {
            "default": st.sampled_from([None, True, False]),
            "phoneType": st.sampled_from(["Mobile", "محل کار", "Fax", "شماره اصلی", None]),
            "phoneNumber": PHONE,
        }
    )
    return {
        "crmId": "p-1",
        "nickName": draw(TEXT),
        "firstName": draw(st.sampled_from(["", "علی"])),
        "lastName": draw(TEXT),
        "customerNumber": draw(st.one_of(TEXT, st.sampled_from(["100-1234", "100-۱۲۳۴", ""]))),
        "nationalCode": draw(st.one_of(TEXT, st.just("۰۰۱۳۵۴۲۴۱۹"))),
        "email": draw(TEXT),
        "website": draw(TEXT),
        "description": draw(NOTES),
        "phoneContacts": draw(st.one_of(st.none(), st.lists(phones, max_size=3))),
        "addressContacts": [{"default": None, "address": draw(TEXT), "zipCode": draw(TEXT)}],
    }
