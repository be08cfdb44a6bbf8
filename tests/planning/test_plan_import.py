"""What becomes of a finance contact in the CRM, at the initial import."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from siaghsync.domain.customer import Contact, Customer
from siaghsync.domain.evidence import agree
from siaghsync.domain.normalize import clean, same_meaning, split_marker
from siaghsync.domain.numbering import NumberScheme
from siaghsync.domain.site import Site
from siaghsync.messages import catalog
from siaghsync.planning.cases import ContactCase, CustomerCandidate, PlanRules, view_of
from siaghsync.planning.import_ import expected_customer, plan_contact
from tests.sample_records import RULES, contact, contacts, customer, somebody_elses_record


def mine(who: Customer, by: int | None = None) -> CustomerCandidate:
    return CustomerCandidate(who, by)


OURS = customer()
OTHER = somebody_elses_record()
RENAMED = customer(crm_id="p-9", number="100-9", national_code="")
LIKE = customer(crm_id="p-6", number="100-7777", national_code="")
DOUBLE = customer(crm_id="p-5", number="100-9999")


@pytest.mark.parametrize(
    ("why", "theirs", "case", "action", "reason", "crm_id"),
    [
        ("is an admin", {"admin": True}, {"by_number": [mine(OURS)]}, "skip", "admin_user", None),
        ("is not active", {"active": "0"}, {"by_number": [mine(OURS)]}, "skip", "inactive", None),
        ("its mark leads to one record", {"notes": "[CRM 100-9]"}, {"by_marker": [mine(RENAMED)]},
         "link", "marker", "p-9"),
        ("its mark goes before its number", {}, {"by_marker": [mine(RENAMED)], "by_number": [mine(OURS)]},
         "link", "marker", "p-9"),
        ("its mark leads to somebody else", {"notes": "[CRM 100-9]"}, {"by_marker": [mine(OTHER)]},
         "review", "stranger", None),
        ("the same name and phone under another number", {}, {"by_likeness": [mine(LIKE)]},
         "review", "possible_duplicate", None),
        ("the same name and phone, linked elsewhere", {}, {"by_likeness": [mine(LIKE, 5)]},
         "review", "double_in_finance", None),
        ("the same name and phone, and a person wants a new one", {}, {"by_likeness": [mine(LIKE)], "is_new": True},
         "create", None, None),
        ("its mark stands on two", {}, {"by_marker": [mine(OTHER), mine(OURS)]}, "review", "number_twice", None),
        ("its mark's record is linked elsewhere", {}, {"by_marker": [mine(OTHER, 5)], "by_number": [mine(OURS)]},
         "review", "double_in_finance", None),
        ("its number agrees", {}, {"by_number": [mine(OURS)]}, "link", "number", "p-1"),
        ("a stranger has its number", {}, {"by_number": [mine(OTHER)], "by_identity": [mine(DOUBLE)]},
         "review", "stranger", None),
        ("its number stands on two", {}, {"by_number": [mine(OURS), mine(OTHER)]}, "review", "number_twice", None),
        ("its number is linked elsewhere", {}, {"by_number": [mine(OURS, 5)]}, "review", "number_taken", None),
        ("the same code and name", {}, {"by_identity": [mine(DOUBLE)]}, "link", "national_code", "p-5"),
        ("the same, linked elsewhere", {}, {"by_identity": [mine(DOUBLE, 5)]}, "review", "double_in_finance", None),
        ("the same, twice", {}, {"by_identity": [mine(DOUBLE), mine(OURS)]}, "review", "several_candidates", None),
        ("the same, and a double of it wants it too", {}, {"by_identity": [mine(DOUBLE)], "identity_twins": [5]},
         "review", "double_in_finance", None),
        ("a double of it came first", {}, {"identity_twins": [5], "first_twin": False},
         "review", "double_in_finance", None),
        ("it comes first of its doubles", {}, {"identity_twins": [500]}, "create", None, None),
        ("it is nowhere", {}, {}, "create", None, None),
        ("it is nowhere and has no name", {"name": " "}, {}, "review", "no_name", None),
        ("its code is none that a number can lead back to", {"code": -5}, {}, "review", "no_number", None),
    ],
)  # fmt: skip
def test_an_unlinked_contact(
    why: str, theirs: dict[str, Any], case: dict[str, Any], action: str, reason: str | None, crm_id: str | None
) -> None:
    there = contact(**theirs)
    done = plan_contact(ContactCase(there, **case), RULES)
    assert (done.operation, done.reason, done.crm_id) == (action, reason, crm_id), why
    assert (done.entity, done.target, done.record) == ("customer", "crm", str(there.code))
    assert done.finance_code == there.code
    assert bool(done.message) is (action in ("review", "skip"))
    if done.message:
        assert catalog.render(done.message)
        assert catalog.render(done.message, "fa")
    assert bool(done.payload) is (action == "create")


def test_inactive_contacts_are_imported_when_asked_for() -> None:
    there = ContactCase(contact(active="0"))
    assert plan_contact(there, replace(RULES, import_inactive=True)).operation == "create"


@pytest.mark.parametrize("scheme", [NumberScheme(offset=-1000), NumberScheme("100-", -235, 6)])
def test_no_number_is_given_that_sync_would_not_accept(scheme: NumberScheme) -> None:
    done = plan_contact(ContactCase(contact()), PlanRules(scheme))
    assert (done.operation, done.reason) == ("review", "no_number")


def test_a_create_in_the_crm_carries_all_that_is_sent() -> None:
    there = contact(
        national_code="0013542418",
        notes="خوش‌حساب [CRM 100-9]",
        postal_code="۱۲۳",
        website="example.com",
        extra={"mobile2": "۰۹۳۵۱۱۱۲۲۳۳", "phone2": "02144", "email2": "b@c"},
    )
    site = Site(codes={"city": {"تهران": "21"}}, names={"city": {"21": "تهران"}})
    done = plan_contact(ContactCase(there), replace(RULES, category="syaghcontact", site=site))
    assert done.payload == {
        "kind": "person",
        "name": "علی رضایی",
        "number": "100-1234",
        "national_code": "0013542418",
        "email": "ali@example.com",
        "email2": "b@c",
        "website": "example.com",
        "notes": "خوش‌حساب",
        "phones": [
            ["mobile", "09123456789"],
            ["office", "02188776655"],
            ["mobile", "09351112233"],
            ["office", "02144"],
        ],
        "address": "تهران",
        "postal_code": "123",
        "city": "تهران",
        "gender": "1",
        "category": "syaghcontact",
    }
    assert {name: new for name, (_, new) in done.changes.items()} == {
        "name": "علی رضایی", "number": "100-1234", "national_code": "0013542418", "email": "ali@example.com",
        "email2": "b@c", "website": "example.com", "notes": "خوش‌حساب", "mobile": "09123456789", "phone": "02188776655",
        "mobile2": "09351112233", "phone2": "02144", "address": "تهران", "city": "تهران", "gender": "1",
        "postal_code": "123", "category": "syaghcontact",
    }  # fmt: skip
    assert all(old is None for old, _ in done.changes.values())
    assert (done.customer_number, done.name) == ("100-1234", "علی رضایی")
    assert [note.params["value"] for note in done.notes if note.code == "value_note.national_code"] == ["0013542418"]
    expected = expected_customer(done.payload, site)
    assert (expected.fields["city"], expected.fields["gender"]) == ("21", "1")
    assert (done.checksum, done.sent_checksum) == (expected.checksum, expected.fields_checksum)


def test_a_second_phone_without_a_first_is_left_out() -> None:
    there = contact(mobile="", phone="", extra={"mobile2": "09351112233", "phone2": "02144"})
    assert plan_contact(ContactCase(there), RULES).payload["phones"] == []


@given(contacts())
@example(contact(notes="0[CRM \n]"))
def test_the_crm_will_show_what_finance_has_as_its_form_can_carry_it(there: Contact) -> None:
    active = replace(there, admin=False, active=True)
    done = plan_contact(ContactCase(active), RULES)
    if done.operation != "create":
        return
    shown = expected_customer(done.payload)
    assert shown.number == done.customer_number
    for name, value in shown.fields.items():
        assert same_meaning(name, value, clean(split_marker(clean(there.fields[name]))[0])), name


def test_an_import_review_shows_both_sides() -> None:
    case = ContactCase(contact(), by_number=[mine(OTHER), mine(OURS, 7)], identity_twins=[5])
    done = plan_contact(case, RULES)
    assert done.details["contact"] == view_of(contact())
    assert [(c["crm_id"], c["taken_by"]) for c in done.details["candidates"]] == [("p-9", None), ("p-1", 7)]
    assert done.details["other_finance_codes"] == [5]


RECORDS = st.builds(
    CustomerCandidate, st.sampled_from([OURS, OTHER, DOUBLE, customer("organization")]), st.sampled_from([None, 5])
)


@given(
    st.builds(
        ContactCase,
        st.one_of(st.just(contact()), contacts()),
        by_marker=st.lists(RECORDS, max_size=2),
        by_number=st.lists(RECORDS, max_size=2),
        by_identity=st.lists(RECORDS, max_size=2),
        identity_twins=st.sampled_from([[], [5]]),
        first_twin=st.booleans(),
    )
)
def test_no_contact_is_imported_twice_nor_onto_another(case: ContactCase) -> None:
    done = plan_contact(case, RULES)
    found = [*case.by_marker, *case.by_number, *case.by_identity]
    if done.operation == "create":
        assert not any(agree(c.customer, case.contact) for c in found)
        assert not case.by_marker
        assert not case.by_number
        assert not case.contact.admin
        assert RULES.scheme.decode(done.customer_number) == case.contact.code
    if done.operation == "link":
        chosen = [c for c in found if c.customer.crm_id == done.crm_id]
        assert any(c.taken_by is None for c in chosen)
        assert not case.contact.admin
