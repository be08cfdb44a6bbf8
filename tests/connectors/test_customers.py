"""The CRM's JSON of customers becomes customers, and payloads of the import become its JSON."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm, modified_of, record_for_create
from siaghsync.domain.fields import FIELDS
from siaghsync.domain.normalize import ascii_digits, clean, fold, split_marker
from siaghsync.domain.site import Site
from siaghsync.errors import BadRecord
from siaghsync.messages import catalog
from siaghsync.messages.message import msg
from tests.connectors.vendor_records import NOTES, PHONE, TEXT, crm_record, crm_records, customer


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
        "name": "علی رضایی",
        "mobile": "09123456789",
        "phone": "02188776655",
        "national_code": "0013542419",
        "email": "ali@example.com",
        "address": "تهران",
        "postal_code": "1234567890",
        "notes": "خوش‌حساب",
        "kind": "0",
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
    assert nothing.fields == {"kind": "1"}
    assert (nothing.names, nothing.phones, nothing.number, nothing.modified) == ((), (), "", None)


def test_an_organization_says_so() -> None:
    assert customer(kind="organization").fields["kind"] == "1"


@pytest.mark.parametrize(
    ("field", "value", "expected", "came"),
    [
        ("nickName", ["a"], "text", "list"),
        ("nickName", {"fa": "علی"}, "text", "object"),
        ("email", True, "text", "boolean"),
        ("phoneContacts", "09123456789", "list", "text"),
        ("phoneContacts", [None], "object", "null"),
        ("phoneContacts", ["09123456789"], "object", "text"),
        ("phoneContacts", {"0": {}}, "list", "object"),
        ("phoneContacts", [phone("Mobile", "0912"), {"phoneNumber": ["0912"]}], "text", "list"),
        ("phoneContacts", [{"phoneNumber": "0912", "default": "perhaps"}], "boolean", "text"),
        ("addressContacts", 5, "list", "number"),
        ("addressContacts", [{"address": {}}], "text", "object"),
        ("customerNumber", False, "text", "boolean"),
    ],
)
def test_a_wrong_shape_is_named_with_id_and_field(field: str, value: object, expected: str, came: str) -> None:
    with pytest.raises(BadRecord) as caught:
        customer_from_crm(crm_record(**{field: value, "crmId": "ABC-7"}), "person")
    assert caught.value.message.code == "bad_record.crm"
    params = caught.value.message.params
    assert (params["record_kind"], params["record"]) == ("person", "abc-7")
    assert str(params["place"]).startswith(field.lower())
    assert (params["expected"], params["came"]) == (expected, came)
    assert "abc-7" in catalog.render(caught.value.message)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("crm_id", [None, "", 7, ["p-1"]])
def test_a_record_without_an_id_is_no_record(crm_id: object) -> None:
    with pytest.raises(BadRecord) as caught:
        customer_from_crm(crm_record(crmId=crm_id), "person")
    assert caught.value.message.code == "bad_record.crm_without_id"
    assert caught.value.message.params["place"] == "crmid"
    assert crm_id_of(crm_record(crmId=crm_id)) is None


def test_a_bad_record_is_not_quoted() -> None:
    with pytest.raises(BadRecord) as caught:
        customer(nickName={"secret": "hunter2"})
    assert "hunter2" not in repr(caught.value.message) + str(caught.value)


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
    assert read.fields.get("name") == (names[0] if names else None)


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
    assert read.fields["name"] == "فروشگاه ۱۲"
    assert read.fields["notes"] == "پلاک ۷"
    assert read.fields["address"] == "خیابان ۵"
    assert [read.fields[key] for key in ("mobile", "phone", "national_code", "postal_code")] == [
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
    assert (fields.get("mobile", ""), fields.get("phone", "")) == (mobile, landline), why


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
    assert (fields.get("address", ""), fields.get("postal_code", "")) == (address, post_code)
    assert not {"codeshahr", "codeostan", "countrycode"} & set(fields), "names are no codes"


@pytest.mark.parametrize(
    ("field", "value", "key", "sent"),
    [
        ("nickName", "علی|gn_web_users.isactive=0", "name", "علی/gn_web_users.isactive=0"),
        ("description", "خط ۱\r\nخط ۲", "notes", "خط ۱ خط ۲"),
        ("description", "خط ۱\x0bخط ۲", "notes", "خط ۱ خط ۲"),
        ("email", "a\x00@b.com", "email", "a @b.com"),
        ("nationalCode", "0013542419\x7f", "national_code", "0013542419"),
        ("website", "a\u2028b", "website", "a b"),
    ],
)
def test_what_the_form_can_not_carry_is_cleaned_and_noted(field: str, value: str, key: str, sent: str) -> None:
    read = customer(**{field: value})
    assert read.fields[key] == sent
    assert msg("value_note.cleaned", field=key) in read.notes


@given(crm_records())
def test_every_value_can_be_sent_as_it_is(record: dict[str, Any]) -> None:
    person = customer_from_crm(record, "person")
    for name, value in person.fields.items():
        assert value == clean(value) != "", name
    assert set(person.fields) <= set(FIELDS)
    assert split_marker(person.fields.get("notes", ""))[1] == ""
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
def test_what_looks_like_a_mark_in_the_notes_is_left_out_and_noted(text: str, left: str) -> None:
    read = customer(description=text)
    assert read.fields.get("notes", "") == left
    assert msg("value_note.foreign_mark", field="notes") in read.notes


@pytest.mark.parametrize(
    ("changes", "code", "field", "value"),
    [
        ({"nationalCode": "0013542418"}, "national_code", "national_code", "0013542418"),
        ({"nationalCode": "10380284790"}, "national_code", "national_code", "10380284790"),
        ({"nationalCode": "0013542419", "kind": "organization"}, "legal_id", "national_code", "0013542419"),
        ({"nationalCode": "1111111111"}, "national_code", "national_code", "1111111111"),
        ({"phoneContacts": [phone("Mobile", "912")]}, "phone", "mobile", "912"),
        ({"phoneContacts": [phone("Office", "ندارد")]}, "phone", "phone", "ندارد"),
    ],
)
def test_odd_codes_and_phones_are_passed_on_and_noted(
    changes: dict[str, Any], code: str, field: str, value: str
) -> None:
    read = customer(**changes)
    assert read.notes == (msg(f"value_note.{code}", field=field, value=value),)
    assert read.fields[field] == value
    assert value in catalog.render(read.notes[0])


def test_good_codes_and_phones_are_no_news() -> None:
    assert customer().notes == ()
    assert customer(kind="organization", nationalCode="10380284790").notes == ()


def test_spelling_of_a_note_in_both_languages() -> None:
    note = msg("value_note.phone", field="mobile", value="912")
    assert catalog.render(note).endswith("912 does not look like a phone number. It is passed on as it is.")
    assert "912 به شمارهٔ تلفن شبیه نیست" in catalog.render(note, "fa")


# --- import into the CRM -----------------------------------------------------------------------------------

PAYLOAD: dict[str, Any] = {
    "kind": "person",
    "name": "علی رضایی",
    "number": "100-1234",
    "national_code": "0013542419",
    "email": "ali@example.com",
    "email2": "b@example.com",
    "website": "",
    "notes": "خوش‌حساب",
    "phones": [["mobile", "0912"], ["office", "02188776655"], ["mobile", "09351112233"]],
    "address": "تهران",
    "postal_code": "1234567890",
    "category": "syaghcontact",
}


def test_a_payload_becomes_a_crm_record() -> None:
    assert record_for_create(PAYLOAD) == {
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
    record = record_for_create({**PAYLOAD, "kind": "organization", "category": ""})
    assert not {"firstName", "lastName", "categories"} & set(record)


def test_a_payload_of_a_name_alone_is_enough() -> None:
    record = record_for_create({"kind": "organization", "name": "شرکت"})
    assert (record["nickName"], record["phoneContacts"], record["addressContacts"]) == ("شرکت", [], [])


@given(TEXT, NOTES, TEXT, PHONE, PHONE)
def test_what_is_created_reads_back_as_it_was_sent(name: str, notes: str, code: str, mobile: str, phone: str) -> None:
    sent = {
        "kind": "person", "name": name, "number": "7", "notes": notes, "national_code": code, "address": name,
        "postal_code": code, "phones": [["mobile", mobile], ["office", phone]],
    }  # fmt: skip
    read = customer_from_crm({"crmId": "p-1", **record_for_create(sent)}, "person")
    assert read.number == "7"
    for field, value in {"name": name, "address": name, "mobile": mobile, "phone": phone}.items():
        assert fold(read.fields.get(field, "")) == fold(clean(value)), field
    for field in ("national_code", "postal_code"):
        assert read.fields.get(field, "") == clean(ascii_digits(code)), field
    assert read.fields.get("notes", "") == clean(split_marker(clean(notes))[0])


# --- what is translated, and what stands elsewhere ---------------------------------------------------------


@pytest.mark.parametrize(
    ("word", "code"),
    [("male", "1"), ("Female", "0"), ("مرد", "1"), ("زن", "0"), ("آقا", "1"), ("خانم", "0"), ("", ""), (None, "")],
)
def test_words_for_the_gender_become_a_code_and_one_becomes_a_word_again(word: str | None, code: str) -> None:
    read = customer(gender=word)
    assert read.fields.get("gender", "") == code
    written = record_for_create({"kind": "person", "name": "x", "gender": code}).get("gender", "")
    assert written == {"1": "male", "0": "female", "": ""}[code]


def test_an_organization_has_no_gender() -> None:
    assert "gender" not in customer(kind="organization", gender="male").fields
    assert "gender" not in record_for_create({"kind": "organization", "name": "x", "gender": "1"})


@pytest.mark.parametrize(
    ("own", "entries", "found"),
    [
        ("", [{"userKey": "melli", "value": "0013542419"}], "0013542419"),
        ("0013542419", [{"userKey": "melli", "value": "1"}], "0013542419"),
        ("", [{"userKey": "other", "value": "7"}, {"userKey": "melli", "value": 13542419, "preview": "x"}], "13542419"),
        ("", [{"userKey": "melli", "value": None}, "odd", {"userKey": "melli", "value": {"id": 1}}], ""),
        ("", None, ""),
    ],
)
def test_a_national_code_may_stand_in_an_extended_property(own: str, entries: Any, found: str) -> None:
    record = crm_record(nationalCode=own, extendedProperties=entries)
    assert customer_from_crm(record, "person", Site("melli")).national_code == found
    assert customer_from_crm(record, "person").national_code == own


def test_a_place_without_a_code_does_not_travel_and_is_named() -> None:
    address = {"address": "خیابان یک", "city": "شهر رى", "state": "تهران", "country": None}
    site = Site(codes={"city": {"شهرری": "22"}})
    read = customer_from_crm(crm_record(addressContacts=[address]), "person", site)
    assert (read.fields["city"], "province" in read.fields) == ("22", False)
    assert read.places_without_code == {"province": "تهران"}


def test_an_address_that_has_only_a_place_counts_if_there_is_no_other() -> None:
    place, whole = {"default": True, "city": "تهران"}, {"address": "خیابان یک", "city": "قم"}
    assert customer(addressContacts=[place, whole]).places_without_code == {"city": "قم"}
    assert customer(addressContacts=[place]).places_without_code == {"city": "تهران"}
