"""Which linked pairs are in step, and what is told about those that are not."""

from __future__ import annotations

from typing import Any

from siaghsync.domain.customer import Contact, Customer, CustomerMapping
from siaghsync.domain.fields import READ_BACK
from siaghsync.domain.numbering import NumberScheme
from siaghsync.features.verify.rules import Comparison
from siaghsync.planning.cases import PlanRules
from siaghsync.state.duplicates import Duplicate

RULES = PlanRules(NumberScheme("100-", 1000))
MAPPING = CustomerMapping("p-1", 234, "person", "100-1234", checksum="c", sent_checksum="s")
WHO = {"crm_id": "p-1", "customer_number": "100-1234", "finance_code": "234", "name": "علی رضایی"}


def customer(**fields: str) -> Customer:
    """The CRM's side of the pair: a name, and what `fields` says."""
    known = {"name": "علی رضایی", **fields}
    return Customer("p-1", "person", "100-1234", (known["name"],), "", (), known)


def contact(**fields: str) -> Contact:
    """Finance's side of the pair: a name, and what `fields` says."""
    known = {**{row.name: "" for row in READ_BACK}, "name": "علی رضایی", **fields}
    return Contact(234, "person", (known["name"],), "", (), known)


def compared(one: Customer | None, other: Contact | None) -> dict[str, Any]:
    found = Comparison(unlinked={"crm": 0, "finance": 0})
    found.add(MAPPING, one, other, RULES)
    document = found.as_json()
    assert document["checked"] == 1
    assert found.all_in_step == (document["in_step"] == 1)
    return document


def test_a_pair_in_step() -> None:
    assert compared(customer(mobile="09123456789"), contact(mobile="09123456789", address="تهران"))["in_step"] == 1


def test_another_value_is_drift_by_the_key_of_siaghs_form() -> None:
    found = compared(customer(mobile="09123456789"), contact(mobile="0935"))
    assert found["drift"] == [{**WHO, "fields": {"mobileno": ["0935", "09123456789"]}}]


def test_another_spelling_is_no_drift() -> None:
    assert compared(customer(mobile="09123456789"), contact(mobile="+98 912 345 6789"))["in_step"] == 1


def test_what_one_system_does_not_show_any_more() -> None:
    found = compared(customer(), None)
    assert (found["missing_in_finance"], found["missing_in_crm"], found["drift"]) == ([WHO], [], [])
    found = compared(None, contact())
    assert (found["missing_in_finance"], found["missing_in_crm"], found["drift"]) == ([], [WHO], [])
    found = compared(None, None)
    assert found["missing_in_finance"] == found["missing_in_crm"] == [{**WHO, "name": None}]


def test_duplicates_are_named_in_words() -> None:
    found = Comparison(duplicates=[Duplicate("crm", "number", "100-1", ("a", "b"))])
    assert not found.all_in_step
    assert found.as_json()["duplicates"] == [
        {"system": "crm", "same": "customer number", "value": "100-1", "records": ["a", "b"]}
    ]
