"""What is odd about single customers, and what two of one system should not share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from siaghsync.rules.lint import TITLES, Finding, Key, contact_findings, customer_findings, double_findings, keys_of
from siaghsync.rules.records import Contact, Customer
from siaghsync.rules.scheme import NumberScheme
from siaghsync.rules.translate import customer_from_crm
from tests.unit.samples import SCHEME, contact, contacts, crm_record, customer, customers

GOOD_LEGAL_ID = "10380284790"


def of_customer(**changes: Any) -> list[tuple[str, str]]:
    return [(found.check, found.value) for found in customer_findings(customer(**changes), SCHEME)]


def of_contact(**changes: Any) -> list[tuple[str, str]]:
    return [(found.check, found.value) for found in contact_findings(contact(**changes), SCHEME)]


def message(check: str, **changes: Any) -> str:
    (found,) = [found for found in contact_findings(contact(**changes), SCHEME) if found.check == check]
    return found.message


def test_nothing_is_odd_about_good_customers() -> None:
    assert of_customer() == []
    assert of_contact() == []
    company = {"TowardType": True, "NationalCode": GOOD_LEGAL_ID}
    assert of_contact(**company) == []
    assert of_contact(NationalCode=None, MobileNo=None, TelNo=None, PostalCode=None) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"nickName": "", "firstName": "", "lastName": ""}, [("no_name", "")]),
        ({"nationalCode": "0013542418"}, [("national_code", "0013542418")]),
        ({"customerNumber": "200-1234"}, [("number_form", "200-1234")]),
        ({"customerNumber": ""}, []),
        ({"description": "الف|ب"}, [("characters", "tozihat")]),
        ({"nickName": "علی\nرضایی"}, [("characters", "fullname")]),
        ({"nickName": "علي رضایی"}, [("letter_forms", "علي رضایی")]),
        ({"phoneContacts": [{"phoneType": "Mobile", "phoneNumber": "912"}]}, [("phone", "912")]),
        ({"addressContacts": [{"address": "تهران", "zipCode": "12345"}]}, [("postal_code", "12345")]),
        ({"addressContacts": [{"address": "تهران", "zipCode": "۱۲۳۴۵-۶۷۸۹۰"}]}, []),
    ],
)
def test_a_customer_of_the_crm(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert of_customer(**changes) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"Name": None}, [("no_name", "")]),
        ({"Name": "شركت", "NickName": "شرکت"}, [("letter_forms", "شركت")]),
        ({"NationalCode": "1111111111"}, [("national_code", "1111111111")]),
        ({"TowardType": True}, [("legal_id", "0013542419")]),
        ({"MobileNo": "0912", "TelNo": "0912"}, [("phone", "0912")]),
        ({"MobileNo2": "0912"}, [("phone", "0912")]),
        ({"PostalCode": "123456789"}, [("postal_code", "123456789")]),
        ({"Address": "الف|ب"}, [("characters", "الف|ب")]),
    ],
)
def test_a_contact_of_finance(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert of_contact(**changes) == found


def test_a_code_whose_number_could_not_be_read_back() -> None:
    scheme = NumberScheme(offset=-300)
    assert [found.check for found in contact_findings(contact(Code=234), scheme)] == ["number_form"]
    assert list(contact_findings(contact(Code=301), scheme)) == []


def test_the_message_says_what_may_be_meant() -> None:
    assert "0013542419" in message("national_code", NationalCode="13542419")
    assert "10 digits, not 3" in message("national_code", NationalCode="123")
    assert "check digit" in message("national_code", NationalCode="0013542418")
    assert "placeholder" in message("national_code", NationalCode="0000000000")
    assert "digits only" in message("national_code", NationalCode="ندارد")
    assert "legal id" in message("national_code", NationalCode=GOOD_LEGAL_ID)
    assert "national code" in message("legal_id", TowardType=True)


def keyed(*who: Customer | Contact) -> list[Key]:
    keys = [key for one in who for key in keys_of(one, SCHEME)]
    return sorted(keys, key=lambda key: (key.same, key.value, key.record))


def doubles(*who: Customer | Contact) -> set[tuple[str, str]]:
    """(check, record) of the findings about what these share."""
    groups: dict[tuple[str, str], list[Key]] = {}
    for key in keyed(*who):
        groups.setdefault((key.same, key.value), []).append(key)
    return {(found.check, found.record) for group in groups.values() for found in double_findings(group)}


def test_what_two_records_share_by_any_spelling() -> None:
    one = contact(Code=1, Name="علی رضایی", NationalCode="0013542419", MobileNo="09123456789", TelNo=None)
    two = contact(Code=2, Name="علي‌رضایی", NationalCode="13542419", MobileNo=None, TelNo="+98 912 345 6789")
    both = {(check, code) for check in ("same_name", "same_national_code", "same_phone") for code in ("1", "2")}
    assert doubles(one, two) == both
    assert doubles(one) == set()
    other = contact(Code=3, Name="مریم", NationalCode=None, MobileNo="09351112233", TelNo=None)
    assert doubles(one, other) == set()


def test_namesakes_with_codes_of_their_own_are_two_people() -> None:
    one = contact(Code=1, NationalCode="0013542419", MobileNo=None, TelNo=None)
    two = contact(Code=2, NationalCode="0499370899", MobileNo=None, TelNo=None)
    unknown = contact(Code=3, NationalCode=None, MobileNo=None, TelNo=None)
    assert doubles(one, two) == set()
    assert doubles(one, two, unknown) == {("same_name", "1"), ("same_name", "2"), ("same_name", "3")}


def test_a_number_that_stands_twice_in_the_crm() -> None:
    one = customer_from_crm(
        crm_record(crmId="a", nickName="یک", lastName="", nationalCode="", phoneContacts=[]), "person"
    )
    two = replace(one, crm_id="b", names=("دو",))
    assert doubles(one, two) == {("number_twice", "a"), ("number_twice", "b")}


def test_a_finding_names_the_others_and_folds_many() -> None:
    people = [contact(Code=code, NationalCode=None, MobileNo="09123456789", TelNo=None) for code in range(1, 10)]
    group = [key for key in keyed(*people) if key.same == "same_phone"]
    found = list(double_findings(group))
    assert len(found) == 9
    assert found[0].message == "Also: 2, 3, 4, 5, 6 and 3 more."
    assert found[8].message == "Also: 1, 2, 3, 4, 5 and 3 more."
    assert found[0].value == "09123456789"


@given(customers(), contacts())
def test_any_data_at_all_can_be_looked_at(one: Customer, other: Contact) -> None:
    found: list[Finding] = [*customer_findings(one, SCHEME), *contact_findings(other, SCHEME)]
    assert {finding.check for finding in found} <= TITLES.keys()
    assert all(finding.message and finding.record for finding in found)
    assert all(key.value for key in keyed(one, other))
