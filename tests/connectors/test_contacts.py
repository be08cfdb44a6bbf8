"""Siagh's JSON of contacts becomes contacts."""

from __future__ import annotations

import pytest

from siaghsync.connectors.siagh.schema import contact_from_finance, finance_code_of
from siaghsync.domain.fields import READ_BACK
from siaghsync.errors import BadRecord
from siaghsync.messages import catalog
from tests.connectors.vendor_records import contact, finance_record


def test_a_contact_of_finance() -> None:
    read = contact_from_finance(finance_record(NickName="علی", MobileNo2="0935", Email2="b@c", Description="x [CRM 7]"))
    assert (read.code, read.kind, read.active, read.admin, read.marker) == (234, "person", True, False, "7")
    assert read.names == ("علی رضایی", "علی")
    assert read.phones == ("09123456789", "02188776655", "0935")
    assert read.extra == {"mobile2": "0935", "phone2": "", "email2": "b@c"}
    assert set(read.fields) == {row.name for row in READ_BACK}
    assert read.fields["gender"] == "1"
    assert (read.fields["city"], read.fields["province"], read.fields["country"]) == ("21", "8", "")
    assert read.fields["notes"] == "x [CRM 7]"


def test_finance_names_count_in_any_case_too() -> None:
    record = finance_record(TelNo2="1")
    expected = contact_from_finance(record)
    camel = {name[0].lower() + name[1:]: value for name, value in record.items()}
    assert contact_from_finance(camel) == expected
    assert contact_from_finance({name.upper(): value for name, value in record.items()}) == expected
    assert finance_code_of(camel) == finance_code_of(record) == "234"


def test_a_contact_of_nulls() -> None:
    read = contact_from_finance({**dict.fromkeys(finance_record()), "Code": "7", "Password": "hash", "tmpid": None})
    assert (read.code, read.kind, read.active, read.admin, read.names, read.phones) == (
        7,
        "person",
        True,
        False,
        (),
        (),
    )
    assert "hash" not in repr(read)


@pytest.mark.parametrize(
    ("active", "is_active"),
    [(True, True), (1, True), ("1", True), (None, True), (False, False), (0, False), ("0", False), ("False", False)],
)
def test_the_active_flag_in_all_its_spellings(active: object, is_active: bool) -> None:
    read = contact(IsActive=active)
    assert read.active is is_active
    assert read.fields["active"] == ("1" if is_active else "0")


@pytest.mark.parametrize(
    ("toward", "kind"),
    [(True, "organization"), (1, "organization"), ("1", "organization"), ("true", "organization"), (False, "person"),
     (0, "person"), ("0", "person"), (None, "person"), ("", "person")],
)  # fmt: skip
def test_person_or_organization(toward: object, kind: str) -> None:
    assert contact(TowardType=toward).kind == kind


@pytest.mark.parametrize("gender", [(True, "1"), (False, "0"), (1, "1"), (0, "0"), ("1", "1"), (None, ""), ("", "")])
def test_gender_goes_back_as_it_came(gender: tuple[object, str]) -> None:
    assert contact(Gender=gender[0]).fields["gender"] == gender[1]


@pytest.mark.parametrize(
    ("name", "value", "expected", "came"),
    [
        ("Name", ["علی"], "text", "list"),
        ("MobileNo", {"number": "0912"}, "text", "object"),
        ("Description", False, "text", "boolean"),
        ("IsAdminUser", "perhaps", "boolean", "text"),
        ("Code", None, "whole_number", "null"),
        ("Code", "abc", "whole_number", "text"),
        ("Code", 1.5, "whole_number", "number"),
        ("Code", 2**63, "whole_number", "number"),
        ("Code", [1], "whole_number", "list"),
    ],
)
def test_a_bad_contact_is_named_with_code_and_field(name: str, value: object, expected: str, came: str) -> None:
    record = finance_record(**{"Code": 4711, name: value})
    with pytest.raises(BadRecord) as caught:
        contact_from_finance(record)
    message = caught.value.message
    assert (message.params["place"], message.params["came"]) == (name.lower(), came)
    assert message.params["expected"] == expected
    assert message.code == ("bad_record.contact" if finance_code_of(record) else "bad_record.contact_without_code")
    assert message.params.get("record", "") == finance_code_of(record)
    assert name == "Code" or "4711" in catalog.render(message)


@pytest.mark.parametrize(
    ("given", "known"),
    [
        ({"RECORDID": " 5E311C4B-2EAB-409C-A7C3-CEAF5954D0A5 "}, "5e311c4b-2eab-409c-a7c3-ceaf5954d0a5"),
        ({"recordId": "00000000-0000-0000-0000-000000000000"}, ""),
        ({"RecordId": None}, ""),
        ({"RecordId": 17}, ""),
        ({}, ""),
    ],
)
def test_a_contact_is_told_from_others_by_its_record_id_if_it_has_one(given: dict[str, object], known: str) -> None:
    assert contact_from_finance({"Code": 7, **given}).record_id == known
