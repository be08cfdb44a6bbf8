"""What the import expects the CRM to show for a new record is what the connector reads from it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given

from siaghsync.connectors.payamgostar.customers import customer_from_crm, record_for_create
from siaghsync.domain.customer import Contact
from siaghsync.domain.site import Site
from siaghsync.planning.cases import ContactCase
from siaghsync.planning.import_ import expected_customer, plan_contact
from tests.sample_records import RULES, contact, contacts

SITE = Site(codes={"city": {"تهران": "21", "شهرری": "22"}}, names={"city": {"21": "تهران", "22": "شهر ری"}})
"""Codes 21 and 22 are known, and nothing of provinces and countries."""


@given(contacts())
@example(contact(city="22", gender="0", country="1"))
@example(contact())
@example(contact(mobile="\x01", extra={"mobile2": "09351112233"}))
@example(contact(phone="09123456789", mobile="02144556677"))
@example(contact(notes="[CRM x[CRM 1]2] [CRM\n7]"))
@example(contact(kind="1", name=" a|b\r\n", address="", postal_code="۱۲۳"))
def test_the_expected_checksums_are_those_of_the_new_record(there: Contact) -> None:
    done = plan_contact(
        ContactCase(replace(there, admin=False, active=True)), replace(RULES, category="imported", site=SITE)
    )
    if done.operation != "create":
        return
    shown = customer_from_crm({"crmId": "-", **record_for_create(done.payload)}, there.kind, SITE)
    assert shown == expected_customer(done.payload, SITE)
    assert (done.checksum, done.sent_checksum, done.notes) == (shown.checksum, shown.fields_checksum, shown.notes)
