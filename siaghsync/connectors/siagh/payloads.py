"""Records become what is sent: the form of a contact (contract siagh §3.2), a CRM record (contract payamgostar §3.5)."""

from __future__ import annotations

from typing import Any

from siaghsync.connectors.siagh.contacts import FORM_PROPERTIES
from siaghsync.connectors.siagh.form import clean
from siaghsync.domain.customer import Contact, Customer, ascii_digits, split_marker, with_marker


def contact_form(customer: Customer, contact: Contact | None, *, mark: bool) -> dict[str, str]:
    """All sixteen form fields that make `contact` (or a new one, if None) say what the CRM says.

    What the CRM has no value for is sent back as it was read, since the form blanks what is left out. `mark` puts
    the marker of the customer's number at the end of a new contact's notes; an existing contact keeps having one,
    or none.
    """
    blank = dict.fromkeys(FORM_PROPERTIES, "") | {"isactive": "1"}
    form = {**(contact.fields if contact else blank), **customer.fields, "tmpid": customer.number}
    form = {key: clean(value) for key, value in form.items()}
    notes = customer.fields.get("tozihat", split_marker(form["tozihat"])[0])
    carries_mark = bool(contact.marker) if contact else mark
    # A pair keeps its link when its number is taken away in the CRM; then the old mark is still the better one.
    number = customer.number or (contact.marker if contact else "")
    form["tozihat"] = with_marker(notes, number) if carries_mark else notes
    return form


def crm_fields(contact: Contact, number: str, category: str) -> dict[str, Any]:
    """What makes a new CRM record out of a finance contact (contract payamgostar §3.5).

    The name goes whole into nickName (and a person's lastName): Siagh has one name field, and a name is never split.
    """
    value = contact.fields
    name = value["fullname"] or next(iter(contact.names), "")
    phones = [
        ("Mobile", value["mobileno"]),
        ("Office", value["telno"]),
        # A second number without a first would come back as the first one, and sync would then write it there.
        ("Mobile", contact.extra.get("mobileno2", "") if value["mobileno"] else ""),
        ("Office", contact.extra.get("telno2", "") if value["telno"] else ""),
    ]
    phone_contacts = [{"phoneType": label, "phoneNumber": ascii_digits(text)} for label, text in phones if text]
    record: dict[str, Any] = {
        "nickName": name,
        "customerNumber": number,
        "nationalCode": contact.national_code,
        "email": value["email"],
        "alternativeEmail": contact.extra.get("email2", ""),
        "website": value["websiteaddress"],
        "description": split_marker(value["tozihat"])[0],
        "phoneContacts": [{"default": i == 0, **phone} for i, phone in enumerate(phone_contacts)],
        "addressContacts": [],
    }
    if contact.kind == "person":
        record["firstName"], record["lastName"] = "", name
    if value["address"] or value["pocode"]:
        record["addressContacts"] = [
            {"default": True, "address": value["address"], "zipCode": ascii_digits(value["pocode"])}
        ]
    if category:
        record["categories"] = [{"key": category}]
    return record
