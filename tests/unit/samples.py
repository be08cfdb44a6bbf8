"""People, contacts and texts that the tests of the pure rooms are made of."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.connectors.siagh.contacts import contact_from_finance
from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.domain.numbering import NumberScheme, Rules

SCHEME = NumberScheme("100-", 1000)
RULES = Rules(SCHEME)
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
"""Texts, some of them full of what looks like a marker."""
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
    """The CRM's person as a record; `changes` by the CRM's own property names, `kind` included."""
    return customer_from_crm(crm_record(**changes), changes.pop("kind", "person"))


def contact(**changes: Any) -> Contact:
    """Siagh's person as a record; `changes` by Siagh's own property names."""
    return contact_from_finance(finance_record(**changes))


def somebody_else(code: int = 234) -> Contact:
    """A contact that has nothing in common with the person."""
    return contact(Code=code, Name="مریم کاظمی", NationalCode=None, MobileNo="09351112233", TelNo=None)


def somebody_elses_record(crm_id: str = "p-9", number: str = "100-1234") -> Customer:
    """A CRM record that has nothing in common with the person."""
    phones = [{"phoneType": "Mobile", "phoneNumber": "09351112233"}]
    return customer(
        crmId=crm_id, customerNumber=number, nickName="مریم کاظمی", firstName="", lastName="", nationalCode="",
        phoneContacts=phones,
    )  # fmt: skip


def mapping(**changes: Any) -> CustomerMapping:
    """The link of the person's two records, never compared so far."""
    return replace(CustomerMapping("p-1", 234, "person", "100-1234"), **changes)


@st.composite
def customers(draw: st.DrawFn, kind: str | None = None) -> Customer:
    """Any CRM customer at all."""
    phones = st.fixed_dictionaries(
        {
            "default": st.sampled_from([None, True, False]),
            "phoneType": st.sampled_from(["Mobile", "محل کار", "Fax", "شماره اصلی", None]),
            "phoneNumber": PHONE,
        }
    )
    record = {
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
    chosen = kind or draw(st.sampled_from(["person", "organization"]))
    return customer_from_crm(record, "organization" if chosen == "organization" else "person")


@st.composite
def contacts(draw: st.DrawFn) -> Contact:
    """Any finance contact at all."""
    texts = ("NickName", "NationalCode", "Email", "WebSiteAddress", "Address", "PostalCode", "CityCode", "Email2")
    phones = ("MobileNo", "MobileNo2", "TelNo", "TelNo2")
    return contact_from_finance(
        {
            "Code": draw(st.integers(1, 10**9)),
            "Name": draw(TEXT),
            "Description": draw(NOTES),
            "IsActive": draw(st.sampled_from([True, False, None, 1, "0"])),
            "IsAdminUser": draw(st.booleans()),
            "TowardType": draw(st.sampled_from([True, False, None])),
            **{name: draw(st.one_of(st.none(), TEXT)) for name in texts},
            **{name: draw(st.one_of(st.none(), PHONE)) for name in phones},
        }
    )
