"""Customers and contacts as plain data, and what their checksums depend on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from siaghsync.domain.customer import (
    Contact,
    Customer,
    contact_from_json,
    customer_as_json,
    customer_from_json,
    fields_for_finance,
    identity_key,
)
from siaghsync.domain.normalize import digest
from siaghsync.messages.message import msg
from tests.sample_records import contact, contacts, customer, customers, somebody_else, somebody_elses_record


def test_an_identity_is_code_and_first_name() -> None:
    assert identity_key(customer()) == identity_key(contact(name="علي  رضایی", national_code="13542419"))
    assert identity_key(customer()) != identity_key(contact(name="علی رضایی فر"))
    assert identity_key(customer(national_code="1111111111")) is None
    assert identity_key(somebody_else()) is None
    assert identity_key(contact(name="")) is None


def test_the_checksum_changes_with_what_finance_gets() -> None:
    base = customer()
    assert replace(base, modified="2026-01-01T00:00:00", crm_id="p-2").checksum == base.checksum
    changed = [customer(email="x@example.com"), customer(number="100-9"), customer("organization")]
    assert len({base.checksum, *(c.checksum for c in changed)}) == 4
    assert somebody_elses_record().checksum != base.checksum


def test_checksums_that_older_versions_stored_stay_valid() -> None:
    ours = customer(website="example.com")
    by_form_key = {
        "fullname": "علی رضایی", "passno": "0013542419", "email": "ali@example.com", "tozihat": "خوش‌حساب",
        "mobileno": "09123456789", "telno": "02188776655", "address": "تهران", "pocode": "1234567890",
        "websiteaddress": "example.com", "taraftype": "0",
    }  # fmt: skip
    assert ours.checksum == digest(["person", "100-1234", by_form_key])
    assert ours.fields_checksum == digest(by_form_key)
    theirs = by_form_key | {"isactive": "1", "gender": "1", "codeshahr": "21", "codeostan": "8", "countrycode": ""}
    assert contact(website="example.com").checksum == digest(theirs)


@given(customers(), contacts())
def test_both_survive_being_written_down(ours: Customer, theirs: Contact) -> None:
    def through_json(who: Customer | Contact) -> Any:
        return json.loads(json.dumps(customer_as_json(who), ensure_ascii=False))

    assert customer_from_json(through_json(ours)) == ours
    assert contact_from_json(through_json(theirs)) == theirs


# --- the fields --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "values", "fields", "notes"),
    [
        ("person", {}, {}, []),
        ("person", {"name": " علی ", "website": " "}, {"name": "علی"}, []),
        ("person", {"mobile": "۰۹۱۲۳۴۵۶۷۸۹"}, {"mobile": "09123456789"}, []),
        ("person", {"postal_code": "۱۲۳"}, {"postal_code": "123"}, []),
        ("person", {"address": "پلاک ۱۲"}, {"address": "پلاک ۱۲"}, []),
        ("person", {"name": "a|b"}, {"name": "a/b"}, [msg("value_note.cleaned", field="name")]),
        ("person", {"notes": "x [CRM 5]"}, {"notes": "x"}, [msg("value_note.foreign_mark", field="notes")]),
        ("person", {"notes": "x [CRM\n5]"}, {"notes": "x"},
         [msg("value_note.cleaned", field="notes"), msg("value_note.foreign_mark", field="notes")]),
        ("person", {"national_code": "0013542419"}, {"national_code": "0013542419"}, []),
        ("person", {"national_code": "0013542418"}, {"national_code": "0013542418"},
         [msg("value_note.national_code", field="national_code", value="0013542418")]),
        ("organization", {"national_code": "0013542419"}, {"national_code": "0013542419"},
         [msg("value_note.legal_id", field="national_code", value="0013542419")]),
        ("organization", {"national_code": "14007650912"}, {"national_code": "14007650912"}, []),
        ("person", {"phone": "12", "mobile": "09123456789"}, {"phone": "12", "mobile": "09123456789"},
         [msg("value_note.phone", field="phone", value="12")]),
    ],
)  # fmt: skip
def test_the_values_that_finance_gets(
    kind: Any, values: dict[str, str], fields: dict[str, str], notes: list[Any]
) -> None:
    found, noted = fields_for_finance(kind, values)
    assert found == {**fields, "kind": "1" if kind == "organization" else "0"}
    assert list(noted) == notes


@given(customers())
def test_values_that_were_made_fit_stay_as_they_are(ours: Customer) -> None:
    again, notes = fields_for_finance(ours.kind, ours.fields)
    assert again == ours.fields
    assert not [note for note in notes if note.code in ("value_note.cleaned", "value_note.foreign_mark")]
