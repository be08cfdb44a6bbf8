"""The vendors' field names: their JSON becomes records, records become payloads."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from siaghsync.errors import BadRecord
from siaghsync.rules.payloads import contact_form, crm_fields
from siaghsync.rules.reconcile import differences
from siaghsync.rules.records import Contact, same_spelling_aside, split_marker
from siaghsync.rules.translate import crm_id_of, customer_from_crm, modified_of
from siaghsync.rules.translate_contact import contact_from_finance, finance_code_of
from siaghsync.wire.siagh_form import CONTACT_KEYS, clean
from tests.unit.samples import (
    NOTES,
    PHONE,
    RULES,
    TEXT,
    contact,
    contacts,
    crm_record,
    customer,
    customers,
    finance_record,
    somebody_else,
)


def pascal(value: Any) -> Any:
    """The same JSON as a deployment that answers in PascalCase writes it."""
    if isinstance(value, dict):
        return {name[0].upper() + name[1:]: pascal(item) for name, item in value.items()}
    return [pascal(item) for item in value] if isinstance(value, list) else value


def phone(label: str | None, number: str | None, default: bool | None = None) -> dict[str, Any]:
    return {"id": "x", "default": default, "phoneType": label, "phoneNumber": number, "extension": None}


# --- CRM records -------------------------------------------------------------------------------------------


def test_a_person_of_the_crm() -> None:
    person = customer_from_crm(crm_record(), "person")
    assert person.crm_id == "p-1"
    assert person.kind == "person"
    assert person.number == "100-1234"
    assert person.names == ("علی رضایی",)
    assert person.national_code == "0013542419"
    assert person.phones == ("02188776655", "09123456789")
    assert person.modified == "2025-12-21T14:06:17.173"
    assert person.notes == ()
    assert person.fields == {
        "fullname": "علی رضایی",
        "mobileno": "09123456789",
        "telno": "02188776655",
        "passno": "0013542419",
        "email": "ali@example.com",
        "address": "تهران",
        "pocode": "1234567890",
        "tozihat": "خوش‌حساب",
        "taraftype": "0",
    }


def test_property_names_count_in_any_case() -> None:
    record = crm_record()
    expected = customer_from_crm(record, "person")
    assert customer_from_crm(pascal(record), "person") == expected
    assert customer_from_crm({name.upper(): value for name, value in record.items()}, "person") == expected
    assert crm_id_of(pascal(record)) == crm_id_of(record) == "p-1"
    assert modified_of(pascal(record)) == modified_of(record) == "2025-12-21T14:06:17.173"


def test_unknown_properties_are_nothing_to_us() -> None:
    more = {"balance": Decimal("1.5"), "extendedProperties": [{"value": {}}], "newInVersion9": {"deep": [1]}}
    assert customer(**more) == customer()


def test_what_is_null_or_missing_is_empty() -> None:
    nothing = customer_from_crm({"crmId": "P-1"}, "organization")
    assert nothing == customer_from_crm({**dict.fromkeys(crm_record()), "crmId": "p-1"}, "organization")
    assert nothing.fields == {"taraftype": "1"}
    assert (nothing.names, nothing.phones, nothing.number, nothing.modified) == ((), (), "", None)


def test_an_organization_says_so() -> None:
    assert customer(kind="organization").fields["taraftype"] == "1"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("nickName", ["a"]),
        ("nickName", {"fa": "علی"}),
        ("email", True),
        ("phoneContacts", "09123456789"),
        ("phoneContacts", [None]),
        ("phoneContacts", ["09123456789"]),
        ("phoneContacts", {"0": {}}),
        ("phoneContacts", [phone("Mobile", "0912"), {"phoneNumber": ["0912"]}]),
        ("phoneContacts", [phone("Mobile", "0912", default="perhaps")]),  # type: ignore[arg-type]
        ("addressContacts", 5),
        ("addressContacts", [{"address": {}}]),
        ("customerNumber", False),
    ],
)
def test_a_wrong_shape_is_named_with_id_and_field(field: str, value: object) -> None:
    with pytest.raises(BadRecord) as caught:
        customer_from_crm(crm_record(**{field: value, "crmId": "ABC-7"}), "person")
    assert "CRM person abc-7" in caught.value.message
    assert field.lower() in caught.value.message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("crm_id", [None, "", 7, ["p-1"]])
def test_a_record_without_an_id_is_no_record(crm_id: object) -> None:
    with pytest.raises(BadRecord, match=r"\(without id\).*crmid"):
        customer_from_crm(crm_record(crmId=crm_id), "person")
    assert crm_id_of(crm_record(crmId=crm_id)) is None


def test_a_bad_record_is_not_quoted() -> None:
    with pytest.raises(BadRecord) as caught:
        customer(nickName={"secret": "hunter2"})
    assert "hunter2" not in caught.value.message + caught.value.hint


def test_numbers_where_texts_belong_are_read_as_they_were_written() -> None:
    read = customer(customerNumber=12345, nationalCode=Decimal("13542419"))
    assert (read.number, read.national_code) == ("12345", "13542419")


@pytest.mark.parametrize(
    ("nick", "first", "last", "names"),
    [
        ("فروشگاه رضا", "علی", "رضایی", ("فروشگاه رضا", "علی رضایی")),
        ("علی رضایی", "علی", "رضایی", ("علی رضایی",)),
        ("", "علی", "رضایی", ("علی رضایی",)),
        (None, None, "رضایی", ("رضایی",)),
        ("", "علی", "", ("علی",)),
        (" \u200a ", " ", "\x00", ()),
        ("\x00", "", "رضایی", ("رضایی",)),
        ("علی|رضا", "", "", ("علی/رضا",)),
    ],
)
def test_the_names_of_a_person(nick: str, first: str, last: str, names: tuple[str, ...]) -> None:
    read = customer(nickName=nick, firstName=first, lastName=last)
    assert read.names == names
    assert read.fields.get("fullname") == (names[0] if names else None)


def test_digits_are_written_as_ascii_and_words_as_they_were() -> None:
    read = customer(
        nickName="فروشگاه ۱۲",
        customerNumber="١٠٠-۱۲۳۴",
        nationalCode="۰۰۱۳۵۴۲۴۱۹",
        description="پلاک ۷",
        phoneContacts=[phone("Mobile", "۰۹۱۲۳۴۵۶۷۸۹"), phone("Office", "٠٢١٨٨٧٧٦٦٥٥")],
        addressContacts=[{"address": "خیابان ۵", "zipCode": "۱۲۳۴۵۶۷۸۹۰"}],
    )
    assert read.number == "100-1234"
    assert read.fields["fullname"] == "فروشگاه ۱۲"
    assert read.fields["tozihat"] == "پلاک ۷"
    assert read.fields["address"] == "خیابان ۵"
    assert [read.fields[key] for key in ("mobileno", "telno", "passno", "pocode")] == [
        "09123456789", "02188776655", "0013542419", "1234567890",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("why", "phones", "mobile", "landline"),
    [
        ("English labels", [phone("Office", "021"), phone("Mobile", "0912")], "0912", "021"),
        ("labels in any case", [phone("OFFICE", "021"), phone("mobile", "0912")], "0912", "021"),
        ("Persian labels", [phone("محل کار", "021"), phone("تلفن همراه", "0912")], "0912", "021"),
        ("with Arabic letters", [phone("موبايل", "0912"), phone("محل‌كار", "021")], "0912", "021"),
        ("home", [phone("Home", "026")], "", "026"),
        ("an invented label, a mobile number", [phone("شماره مدیر", "+98 912 345 6789")], "+98 912 345 6789", ""),
        ("an invented label, another number", [phone("شماره مدیر", "02188776655")], "", "02188776655"),
        ("no label", [phone(None, "09123456789"), phone("", "02188776655")], "09123456789", "02188776655"),
        ("a number as label", [phone(2, "09123456789")], "09123456789", ""),  # type: ignore[arg-type]
        ("a landline labelled mobile", [phone("Mobile", "02188776655")], "02188776655", ""),
        ("a mobile at the office", [phone("Office", "09123456789")], "", "09123456789"),
        ("two mobiles", [phone("Mobile", "1"), phone("Mobile", "2")], "1", ""),
        ("the default first", [phone("Mobile", "1"), phone("Mobile", "2", True)], "2", ""),
        ("two defaults", [phone("Mobile", "1"), phone("Mobile", "2", True), phone("همراه", "3", True)], "2", ""),
        ("the default of another kind", [phone("Office", "021", True), phone("Mobile", "1"), phone("Mobile", "2")],
         "1", "021"),
        ("fax is no phone", [phone("Fax", "021"), phone("دورنگار", "022", True), phone("فکس", "023")], "", ""),
        ("without a number", [phone("Mobile", None), phone("Mobile", " ", True), phone("Mobile", "2")], "2", ""),
        ("unprintable", [phone("Mobile", "\x00\u2028", True), phone("Mobile", "2")], "2", ""),
        ("none", [], "", ""),
    ],
)  # fmt: skip
def test_which_phone_goes_where(why: str, phones: list[dict[str, Any]], mobile: str, landline: str) -> None:
    fields = customer(phoneContacts=phones).fields
    assert (fields.get("mobileno", ""), fields.get("telno", "")) == (mobile, landline), why


def test_all_phones_but_faxes_can_be_recognised_by() -> None:
    phones = [phone("Mobile", "1"), phone("Mobile", "2"), phone("Fax", "3"), phone("Office", None), phone("مدیر", "4")]
    assert customer(phoneContacts=phones).phones == ("1", "2", "4")


@pytest.mark.parametrize(
    ("addresses", "address", "post_code"),
    [
        (None, "", ""),
        ([{"address": "الف", "zipCode": "1"}, {"address": "ب", "zipCode": "2", "default": True}], "ب", "2"),
        ([{"address": "", "zipCode": None, "default": True}, {"address": "ب"}], "ب", ""),
        ([{"address": None, "zipCode": "1"}], "", "1"),
        ([{"address": "الف", "city": "تهران", "state": "تهران", "country": "ایران"}], "الف", ""),
    ],
)
def test_which_address_is_taken(addresses: Any, address: str, post_code: str) -> None:
    fields = customer(addressContacts=addresses).fields
    assert (fields.get("address", ""), fields.get("pocode", "")) == (address, post_code)
    assert not {"codeshahr", "codeostan", "countrycode"} & set(fields), "names are no codes"


@pytest.mark.parametrize(
    ("field", "value", "key", "sent"),
    [
        ("nickName", "علی|gn_web_users.isactive=0", "fullname", "علی/gn_web_users.isactive=0"),
        ("description", "خط ۱\r\nخط ۲", "tozihat", "خط ۱ خط ۲"),
        ("description", "خط ۱\x0bخط ۲", "tozihat", "خط ۱ خط ۲"),
        ("email", "a\x00@b.com", "email", "a @b.com"),
        ("nationalCode", "0013542419\x7f", "passno", "0013542419"),
        ("website", "a\u2028b", "websiteaddress", "a b"),
    ],
)
def test_what_the_form_can_not_carry_is_cleaned_and_noted(field: str, value: str, key: str, sent: str) -> None:
    read = customer(**{field: value})
    assert read.fields[key] == sent
    assert [note for note in read.notes if note.startswith(f"{key}: characters")]


@given(customers())
def test_every_value_can_be_sent_as_it_is(person: Any) -> None:
    for key, value in person.fields.items():
        assert value == clean(value) != "", key
    assert set(person.fields) <= set(CONTACT_KEYS)
    assert split_marker(person.fields.get("tozihat", ""))[1] == ""
    assert all(clean(name) == name for name in (*person.names, *person.phones, person.number))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("[CRM 100-9]", ""),
        ("خوب [CRM 100-9]", "خوب"),
        ("خوب [CRM\n100-9] بد", "خوب بد"),
        ("[CRM\t100-9]", ""),
        ("[CRM 100|9]", ""),
        ("[CRM \u2028100-9]", ""),
        ("[CRM x[CRM 1]2]", ""),
    ],
)
def test_what_looks_like_a_marker_in_crm_notes_is_left_out_and_noted(text: str, left: str) -> None:
    read = customer(description=text)
    assert read.fields.get("tozihat", "") == left
    assert any("mark" in note for note in read.notes)
    for form in (contact_form(read, None, mark=False), contact_form(read, contact(), mark=True)):
        assert split_marker(form["tozihat"])[1] == ""
    assert split_marker(contact_form(read, None, mark=True)["tozihat"]) == (left, "100-1234")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"nationalCode": "0013542418"}, "passno: 0013542418 is not a valid national code"),
        ({"nationalCode": "10380284790"}, "is not a valid national code"),
        ({"nationalCode": "0013542419", "kind": "organization"}, "is not a valid legal id"),
        ({"nationalCode": "1111111111"}, "is not a valid national code"),
        ({"phoneContacts": [phone("Mobile", "912")]}, "mobileno: 912 does not look like a phone"),
        ({"phoneContacts": [phone("Office", "ندارد")]}, "telno: ندارد does not look like a phone"),
    ],
)
def test_odd_codes_and_phones_are_passed_on_and_noted(changes: dict[str, Any], note: str) -> None:
    read = customer(**changes)
    assert any(note in line for line in read.notes)
    assert len(read.notes) == 1


def test_good_codes_and_phones_are_no_news() -> None:
    assert customer().notes == ()
    assert customer(kind="organization", nationalCode="10380284790").notes == ()


# --- finance contacts --------------------------------------------------------------------------------------


def test_a_contact_of_finance() -> None:
    read = contact_from_finance(finance_record(NickName="علی", MobileNo2="0935", Email2="b@c", Description="x [CRM 7]"))
    assert (read.code, read.kind, read.active, read.admin, read.marker) == (234, "person", True, False, "7")
    assert read.names == ("علی رضایی", "علی")
    assert read.phones == ("09123456789", "02188776655", "0935")
    assert read.extra == {"mobileno2": "0935", "telno2": "", "email2": "b@c"}
    assert set(read.fields) == set(CONTACT_KEYS) - {"tmpid"}
    assert read.fields["gender"] == "1"
    assert (read.fields["codeshahr"], read.fields["codeostan"], read.fields["countrycode"]) == ("21", "8", "")
    assert read.fields["tozihat"] == "x [CRM 7]"


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
    assert read.fields["isactive"] == ("1" if is_active else "0")


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
    ("name", "value"),
    [
        ("Name", ["علی"]),
        ("MobileNo", {"number": "0912"}),
        ("Description", False),
        ("IsAdminUser", "perhaps"),
        ("Code", None),
        ("Code", "abc"),
        ("Code", 1.5),
        ("Code", 2**63),
        ("Code", [1]),
    ],
)
def test_a_bad_contact_is_named_with_code_and_field(name: str, value: object) -> None:
    record = finance_record(**{"Code": 4711, name: value})
    with pytest.raises(BadRecord) as caught:
        contact_from_finance(record)
    assert f"Finance contact {finance_code_of(record)} " in caught.value.message
    assert f"field {name.lower()}" in caught.value.message
    assert name == "Code" or "4711" in caught.value.message


# --- the form of a contact ---------------------------------------------------------------------------------


def test_a_new_contact_gets_all_fields_and_is_active() -> None:
    form = contact_form(customer(), None, mark=True)
    assert set(form) == set(CONTACT_KEYS)
    assert form["isactive"] == "1"
    assert form["tmpid"] == "100-1234"
    assert {key for key, value in form.items() if not value} == {
        "gender", "websiteaddress", "codeostan", "codeshahr", "countrycode",
    }  # fmt: skip
    assert form["tozihat"] == "خوش‌حساب [CRM 100-1234]"


def test_what_only_finance_knows_is_sent_back_as_it_was_read() -> None:
    there = contact(IsActive=False, WebSiteAddress="example.com", Gender=False, CountryCode=98, Address="قدیم")
    form = contact_form(customer(addressContacts=None, email=""), there, mark=True)
    kept = (
        "isactive",
        "gender",
        "websiteaddress",
        "codeostan",
        "codeshahr",
        "countrycode",
        "email",
        "address",
        "pocode",
    )
    assert {key: form[key] for key in kept} == {key: there.fields[key] for key in kept}
    assert form["isactive"] == "0"
    assert (form["gender"], form["address"], form["email"]) == ("0", "قدیم", "ali@example.com")


def test_the_crm_wins_where_it_has_a_value() -> None:
    ours = customer(nickName="نام تازه", kind="organization")
    form = contact_form(ours, contact(), mark=True)
    assert {key: form[key] for key in ours.fields} == ours.fields
    assert (form["fullname"], form["taraftype"]) == ("نام تازه", "1")


NOTED = {"Description": "یادداشت مالی [CRM 100-1234]"}


@pytest.mark.parametrize(
    ("why", "ours", "theirs", "mark", "notes"),
    [
        ("a new one is marked", {}, None, True, "خوش‌حساب [CRM 100-1234]"),
        ("unless the setting says no", {}, None, False, "خوش‌حساب"),
        ("a new one without notes", {"description": ""}, None, True, "[CRM 100-1234]"),
        ("an existing one has none and gets none", {}, {"Description": "قدیم"}, True, "خوش‌حساب"),
        ("one that has a mark keeps it", {}, NOTED, True, "خوش‌حساب [CRM 100-1234]"),
        ("also when the setting says no now", {}, NOTED, False, "خوش‌حساب [CRM 100-1234]"),
        ("a new number, a new mark", {"customerNumber": "100-9"}, NOTED, True, "خوش‌حساب [CRM 100-9]"),
        ("the number was taken away", {"customerNumber": ""}, NOTED, True, "خوش‌حساب [CRM 100-1234]"),
        ("empty CRM notes leave Finance's", {"description": ""}, NOTED, True, "یادداشت مالی [CRM 100-1234]"),
        ("without a mark too", {"description": None}, {"Description": "قدیم"}, True, "قدیم"),
        ("a mark in the middle goes to the end", {"description": ""}, {"Description": "a [CRM 100-1234] b"}, True,
         "a b [CRM 100-1234]"),
        ("line breaks go", {"description": ""}, {"Description": "a\nb|c"}, True, "a b/c"),
    ],
)  # fmt: skip
def test_marks_in_the_notes(why: str, ours: dict[str, Any], theirs: Any, mark: bool, notes: str) -> None:
    there = contact(**theirs) if theirs else None
    assert contact_form(customer(**ours), there, mark=mark)["tozihat"] == notes, why


@given(customers(), st.one_of(st.none(), contacts()), st.booleans())
def test_a_form_is_whole_clean_and_marked_by_the_rule(ours: Any, there: Contact | None, mark: bool) -> None:
    form = contact_form(ours, there, mark=mark)
    assert set(form) == set(CONTACT_KEYS)
    assert all(clean(value) == value for value in form.values())
    shown, number = split_marker(form["tozihat"])
    assert shown == ours.fields.get("tozihat", shown)
    if there is not None and not there.marker:
        assert number == ""
    elif ours.number == "100-1234":
        assert number == ("100-1234" if there or mark else "")


# --- import into the CRM -----------------------------------------------------------------------------------


def test_a_contact_becomes_a_crm_record() -> None:
    there = contact(Description="خوش‌حساب [CRM 5]", MobileNo2="09351112233", Email2="b@example.com", MobileNo="۰۹۱۲")
    record = crm_fields(there, "100-1234", "syaghcontact")
    assert record == {
        "nickName": "علی رضایی",
        "firstName": "",
        "lastName": "علی رضایی",
        "customerNumber": "100-1234",
        "nationalCode": "0013542419",
        "email": "ali@example.com",
        "alternativeEmail": "b@example.com",
        "website": "",
        "description": "خوش‌حساب",
        "phoneContacts": [
            {"default": True, "phoneType": "Mobile", "phoneNumber": "0912"},
            {"default": False, "phoneType": "Office", "phoneNumber": "02188776655"},
            {"default": False, "phoneType": "Mobile", "phoneNumber": "09351112233"},
        ],
        "addressContacts": [{"default": True, "address": "تهران", "zipCode": "1234567890"}],
        "categories": [{"key": "syaghcontact"}],
    }


def test_an_organization_has_no_first_and_last_name_and_no_category_unless_set() -> None:
    record = crm_fields(contact(TowardType=True), "1", "")
    assert not {"firstName", "lastName", "categories"} & set(record)


def test_a_nickname_serves_where_there_is_no_name() -> None:
    assert crm_fields(contact(Name=None, NickName="علی"), "1", "")["nickName"] == "علی"


@given(contacts())
def test_what_was_imported_is_no_news_to_the_next_sync(there: Contact) -> None:
    # A name that stands in NickName alone comes back as the name; a sync then writes it there, once.
    assume(there.fields["fullname"])
    record = crm_fields(there, RULES.scheme.encode(there.code), "")
    read = customer_from_crm({"crmId": "p-1", **record}, there.kind)
    for key, (shown, sent) in differences(read, there).items():
        assert shown is not None
        assert sent is not None
        # What the finance form could not carry anyway is the one thing that a sync would put right.
        assert same_spelling_aside(key, split_marker(clean(shown))[0], sent), f"{key}: {shown!r} -> {sent!r}"
    for key, shown in there.fields.items():
        if key in read.fields or key in {"isactive", "gender", "codeostan", "codeshahr", "countrycode"}:
            continue
        assert not clean(split_marker(clean(shown))[0]), f"{key} was lost on the way: {shown!r}"


@given(PHONE, PHONE, PHONE, PHONE)
@example("", "", "09123456789", "02188776655")
@example("", "09123456789", "09351112233", "")
def test_phones_come_back_to_the_fields_they_came_from(
    mobile: str, landline: str, mobile2: str, landline2: str
) -> None:
    there = contact(MobileNo=mobile, TelNo=landline, MobileNo2=mobile2, TelNo2=landline2)
    read = customer_from_crm({"crmId": "p-1", **crm_fields(there, "1", "")}, "person")
    for key in ("mobileno", "telno"):
        assert same_spelling_aside(key, clean(there.fields[key]), read.fields.get(key, "")), key


@given(TEXT, NOTES)
def test_an_import_carries_no_mark_into_the_crm(name: str, notes: str) -> None:
    record = crm_fields(contact(Name=name, Description=notes), "1", "")
    assert split_marker(record["description"])[1] == ""


def test_strangers_differ_in_every_field_they_have() -> None:
    assert set(differences(customer(), somebody_else())) == {"fullname", "mobileno", "telno", "passno"}
