"""What speaks for and against a CRM record and a finance contact being the same customer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from siaghsync.domain.customer import Contact, Customer
from siaghsync.domain.evidence import agree, contradict, evidence, pair_keys
from siaghsync.sandbox.people import national_code
from tests.sample_records import contact, contacts, customer, customers, somebody_else

STRANGER: dict[str, Any] = {"name": "مریم کاظمی", "national_code": "", "mobile": "09351112233", "phone": ""}
NAMESAKE: dict[str, Any] = {**STRANGER, "name": "رضایی بزرگ"}
OTHER_CODE = national_code(987654321)


@pytest.mark.parametrize(
    ("why", "theirs", "same"),
    [
        ("nothing in common", STRANGER, False),
        ("the same name in other letters", {**STRANGER, "name": "علي رضایي"}, True),
        ("the same national code", {**STRANGER, "national_code": "۰۰۱۳۵۴۲۴۱۹"}, True),
        ("the same national code, its zeros lost", {**STRANGER, "national_code": "13542419"}, True),
        ("a phone alone, and no word of the names", {**STRANGER, "phone": "+98 912 345 6789"}, False),
        ("our mobile is their landline, and a word of the names", {**NAMESAKE, "phone": "+98 912 345 6789"}, True),
        ("our landline, and a word of the names", {**NAMESAKE, "phone": "021-88776655"}, True),
        ("a word of the names alone", NAMESAKE, False),
        ("the same e-mail and address only", {**STRANGER, "email": "ali@example.com", "address": "تهران"}, False),
        ("the same name and phone, another national code", {"national_code": OTHER_CODE}, False),
        ("the same name and phone, a code that is none", {"national_code": "123"}, True),
    ],
)
def test_name_code_or_phone_agree(why: str, theirs: dict[str, Any], same: bool) -> None:
    assert agree(customer(), contact(**theirs)) is same, why


def test_two_firms_on_one_switchboard_are_not_one() -> None:
    ours = replace(customer(name="شرکت بازرگانی آلفا"), names=("شرکت بازرگانی آلفا",), national_code="")
    theirs = replace(contact(name="شرکت بازرگانی بتا"), national_code="")
    assert evidence(ours, theirs).phone
    assert not agree(ours, theirs)
    assert agree(ours, replace(theirs, names=("گروه آلفا گستر",)))


def test_a_person_is_no_organization() -> None:
    found = evidence(replace(customer(), kind="organization"), contact())
    assert found.contradicts
    assert not found.agrees
    assert not found.agrees_in_two


def test_a_contact_of_unknown_kind_contradicts_no_kind() -> None:
    ours = replace(customer(), kind="organization")
    assert agree(ours, replace(contact(), kind_known=False))
    assert contradict("organization", "", contact())
    assert not contradict("organization", "", replace(contact(), kind_known=False))


@pytest.mark.parametrize(
    ("why", "ours", "theirs"),
    [
        ("both without a name", {"name": ""}, {"name": ""}),
        ("names of invisible characters only", {"name": "\u200c"}, {"name": "\u200f"}),
        ("the same placeholder for a code", {"national_code": "1111111111"}, {"national_code": "1111111111"}),
        ("the same placeholder for a phone", {"mobile": "0000000000"}, {"mobile": "0000000000"}),
    ],
)
def test_empty_values_agree_with_nothing(why: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert not agree(customer(**ours), contact(**{**STRANGER, **theirs})), why


def test_every_name_and_every_phone_counts() -> None:
    assert agree(replace(customer(name="رضایی بزرگ"), names=("رضایی بزرگ", "علی رضایی")), contact(name="علی رضایی"))
    assert agree(customer(), replace(somebody_else(), names=("مریم کاظمی", "علی‌رضایی"), national_code=""))
    phones = ("1", "2", "+98 912 345 6789")
    assert agree(customer(), replace(somebody_else(), names=("رضایی",), phones=phones, national_code=""))


@given(customers(), contacts())
def test_what_contradicts_never_agrees_and_pair_keys_tell_pairs_that_agree_in_two(
    ours: Customer, theirs: Contact
) -> None:
    found = evidence(ours, theirs)
    assert not (found.contradicts and (found.agrees or found.agrees_in_two))
    assert bool(pair_keys(ours) & pair_keys(theirs)) == (found.name + found.code + found.phone >= 2)
