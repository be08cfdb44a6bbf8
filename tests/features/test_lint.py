"""What is odd about single customers, and what two of one system should not share."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.domain.customer import Contact, Customer
from siaghsync.domain.fields import READ_BACK
from siaghsync.domain.numbering import NumberScheme
from siaghsync.features.lint.rules import (
    Check,
    Finding,
    Key,
    contact_findings,
    customer_findings,
    double_findings,
    keys_of,
)
from siaghsync.messages import catalog

SCHEME = NumberScheme("100-", 1000)
GOOD_LEGAL_ID = "10380284790"
BLANK = {row.name: "" for row in READ_BACK}


def customer(**changes: Any) -> Customer:
    """A good customer of the CRM."""
    known: dict[str, Any] = {
        "crm_id": "p-1", "kind": "person", "number": "100-1234", "names": ("علی رضایی",), "national_code": "0013542419",
        "phones": ("09123456789", "02188776655"), "fields": {"name": "علی رضایی", "postal_code": "1234567890"},
    }  # fmt: skip
    return Customer(**{**known, **changes})


def contact(fields: dict[str, str] | None = None, **changes: Any) -> Contact:
    """A good contact of Finance; `fields` are those that are not empty."""
    known: dict[str, Any] = {
        "code": 234, "kind": "person", "names": ("علی رضایی",), "national_code": "0013542419", "phones": ("09123456789",),
        "fields": {**BLANK, **(fields or {})},
    }  # fmt: skip
    return Contact(**{**known, **changes})


def of_customer(**changes: Any) -> list[tuple[str, str]]:
    return [(found.check, found.value) for found in customer_findings(customer(**changes), SCHEME)]


def of_contact(**changes: Any) -> list[tuple[str, str]]:
    return [(found.check, found.value) for found in contact_findings(contact(**changes), SCHEME)]


def text(finding: Finding) -> str:
    return catalog.render(finding.message)


def test_nothing_is_odd_about_good_customers() -> None:
    assert of_customer() == []
    assert of_contact() == []
    assert of_contact(kind="organization", national_code=GOOD_LEGAL_ID) == []
    assert of_contact(national_code="", phones=()) == []


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"names": ()}, [("no_name", "")]),
        ({"national_code": "0013542418"}, [("national_code", "0013542418")]),
        ({"number": "200-1234"}, [("number_form", "200-1234")]),
        ({"number": ""}, []),
        ({"names": ("علي رضایی",)}, [("letter_forms", "علي رضایی")]),
        ({"phones": ("912",)}, [("phone", "912")]),
        ({"fields": {"postal_code": "12345"}}, [("postal_code", "12345")]),
        ({"fields": {"postal_code": "۱۲۳۴۵-۶۷۸۹۰"}}, []),
    ],
)
def test_a_customer_of_the_crm(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert of_customer(**changes) == found


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"names": ()}, [("no_name", "")]),
        ({"names": ("شركت", "شرکت")}, [("letter_forms", "شركت")]),
        ({"national_code": "1111111111"}, [("national_code", "1111111111")]),
        ({"kind": "organization"}, [("legal_id", "0013542419")]),
        ({"phones": ("0912", "0912")}, [("phone", "0912")]),
        ({"fields": {"postal_code": "123456789"}}, [("postal_code", "123456789")]),
        ({"fields": {"address": "الف|ب"}}, [("characters", "الف|ب")]),
    ],
)
def test_a_contact_of_finance(changes: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert of_contact(**changes) == found


@pytest.mark.parametrize(
    ("changes", "field", "label"),
    [({"description": "الف|ب"}, "tozihat", "notes"), ({"nickName": "علی\nرضایی"}, "fullname", "name")],
)
def test_characters_that_the_connector_replaced_in_a_crm_record(
    changes: dict[str, str], field: str, label: str
) -> None:
    record = {"crmId": "p-1", "nickName": "علی", "customerNumber": "100-1234", **changes}
    (found,) = customer_findings(customer_from_crm(record, "person"), SCHEME)
    assert (found.check, found.value) == ("characters", field)
    assert text(found) == f"{label}: a | becomes /, and a line break or control character a space, when it is sent."


def test_a_code_whose_number_could_not_be_read_back() -> None:
    scheme = NumberScheme(offset=-300)
    assert [found.check for found in contact_findings(contact(code=234), scheme)] == ["number_form"]
    assert list(contact_findings(contact(code=301), scheme)) == []


@pytest.mark.parametrize(
    ("check", "changes", "said"),
    [
        ("national_code", {"national_code": "13542419"}, "It may be 0013542419: a spreadsheet drops zeros in front."),
        ("national_code", {"national_code": "123"}, "A national code has 10 digits, not 3."),
        ("national_code", {"national_code": "0013542418"}, "Its check digit is wrong."),
        ("national_code", {"national_code": "0000000000"}, "It is a placeholder."),
        ("national_code", {"national_code": "ندارد"}, "A national code has digits only."),
        ("national_code", {"national_code": GOOD_LEGAL_ID}, "It is an organization's legal id, but the record is a person."),
        ("legal_id", {"kind": "organization"}, "It is a person's national code, but the record is an organization."),
        ("legal_id", {"kind": "organization", "national_code": "12"}, "A legal id has 11 digits, not 2."),
        ("legal_id", {"kind": "organization", "national_code": "-"}, "A legal id has digits only."),
        ("legal_id", {"kind": "organization", "national_code": "10380284791"}, "Its check digit is wrong."),
    ],
)  # fmt: skip
def test_the_message_says_what_is_wrong_with_a_code(check: str, changes: dict[str, Any], said: str) -> None:
    (found,) = contact_findings(contact(**changes), SCHEME)
    assert (found.check, text(found)) == (check, f"{said} It is passed on as it is.")


def keyed(*who: Customer | Contact) -> list[Key]:
    keys = [key for one in who for key in keys_of(one, SCHEME)]
    return sorted(keys, key=lambda key: (key.check, key.value, key.record))


def doubles(*who: Customer | Contact) -> set[tuple[str, str]]:
    """(check, record) of the findings about what these share."""
    groups: dict[tuple[str, str], list[Key]] = {}
    for key in keyed(*who):
        groups.setdefault((key.check, key.value), []).append(key)
    return {(found.check, found.record) for group in groups.values() for found in double_findings(group)}


def test_what_two_records_share_by_any_spelling() -> None:
    one = contact(code=1)
    two = contact(code=2, names=("علي‌رضایی",), national_code="13542419", phones=("+98 912 345 6789",))
    both = {(check, code) for check in ("same_name", "same_national_code", "same_phone") for code in ("1", "2")}
    assert doubles(one, two) == both
    assert doubles(one) == set()
    other = contact(code=3, names=("مریم",), national_code="", phones=("09351112233",))
    assert doubles(one, other) == set()


def test_namesakes_with_codes_of_their_own_are_two_people() -> None:
    one = contact(code=1, phones=())
    two = contact(code=2, national_code="0499370899", phones=())
    unknown = contact(code=3, national_code="", phones=())
    assert doubles(one, two) == set()
    assert doubles(one, two, unknown) == {("same_name", "1"), ("same_name", "2"), ("same_name", "3")}


def test_a_number_that_stands_twice_in_the_crm() -> None:
    one = customer(crm_id="a", names=("یک",), national_code="", phones=())
    two = customer(crm_id="b", names=("دو",), national_code="", phones=())
    assert doubles(one, two) == {("number_twice", "a"), ("number_twice", "b")}


def test_a_finding_names_the_others_and_folds_many() -> None:
    people = [contact(code=code, national_code="") for code in range(1, 10)]
    group = [key for key in keyed(*people) if key.check == "same_phone"]
    found = list(double_findings(group))
    assert len(found) == 9
    assert text(found[0]) == "Also: 2, 3, 4, 5, 6 and 3 more."
    assert text(found[8]) == "Also: 1, 2, 3, 4, 5 and 3 more."
    assert found[0].value == "09123456789"


def test_a_finding_as_json() -> None:
    (found,) = customer_findings(customer(number="200-1"), SCHEME)
    assert found.as_json() == {
        "system": "crm", "record": "p-1", "customer_number": "200-1", "check": "number_form", "value": "200-1",
        "message": "200-1 does not fit CUSTOMER_NUMBER_*: it would be skipped.",
    }  # fmt: skip


def test_every_check_has_a_title_in_both_languages() -> None:
    assert all(catalog.find(f"lint.{check}") for check in Check)


WORDS = st.text(st.one_of(st.sampled_from("یيىک ة\u200c\n|0۵٢"), st.characters()), max_size=12)
ANYBODY: dict[str, Any] = {
    "kind": st.sampled_from(["person", "organization"]),
    "names": st.lists(WORDS, max_size=2).map(tuple),
    "national_code": WORDS,
    "phones": st.lists(WORDS, max_size=2).map(tuple),
}


@given(
    st.builds(customer, number=WORDS, fields=st.fixed_dictionaries({}, optional={"postal_code": WORDS}), **ANYBODY),
    st.builds(contact, fields=st.dictionaries(st.sampled_from(list(BLANK)), WORDS), **ANYBODY),
)
def test_any_data_at_all_can_be_looked_at(one: Customer, other: Contact) -> None:
    found: list[Finding] = [*customer_findings(one, SCHEME), *contact_findings(other, SCHEME)]
    assert all(catalog.render(each.message, "fa") and text(each) and each.record for each in found)
    assert all(key.value for key in keyed(one, other))
