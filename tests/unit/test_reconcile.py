"""What should happen to a record: every branch of the decision tables, and what holds for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from siaghsync.rules.cases import ContactCandidate, ContactCase, CustomerCandidate, CustomerCase, view_of
from siaghsync.rules.payloads import contact_form
from siaghsync.rules.plan import Action
from siaghsync.rules.recognise import recognise_contact, recognise_customer, sent_customer
from siaghsync.rules.reconcile import contact_is_missing, differences, link, reconcile_customer, reconcile_linked
from siaghsync.rules.reconcile_import import reconcile_contact
from siaghsync.rules.records import Contact, Customer, agree, digest, split_marker
from siaghsync.rules.scheme import NumberScheme, Rules
from siaghsync.rules.translate import customer_from_crm
from siaghsync.rules.translate_contact import contact_from_finance
from tests.unit.samples import (
    RULES,
    contact,
    contacts,
    customer,
    customers,
    finance_record,
    mapping,
    somebody_else,
    somebody_elses_record,
)

FORM_TO_PROPERTY = {
    "isactive": "IsActive", "gender": "Gender", "websiteaddress": "WebSiteAddress", "pocode": "PostalCode",
    "codeostan": "GeographicCode", "address": "Address", "codeshahr": "CityCode", "countrycode": "CountryCode",
    "email": "Email", "fullname": "Name", "mobileno": "MobileNo", "telno": "TelNo", "passno": "NationalCode",
    "tozihat": "Description", "taraftype": "TowardType",
}  # fmt: skip


def stored(form: dict[str, Any], code: int) -> Contact:
    """The contact that Siagh shows after it took this form."""
    return contact_from_finance({"Code": code, **{name: form[key] for key, name in FORM_TO_PROPERTY.items()}})


def free(there: Contact) -> ContactCandidate:
    return ContactCandidate(there)


def taken(there: Contact, by: str = "p-2") -> ContactCandidate:
    return ContactCandidate(there, by)


SAME = contact()
MARKED = contact(Code=77, Description="[CRM 100-1234]", Name="نامی دیگر", NationalCode=None, MobileNo=None, TelNo=None)
TWIN = contact(Code=500)
ADMIN = contact(IsAdminUser=True)
STRANGER = somebody_else()


def decided(ours: Customer | None = None, rules: Rules = RULES, **case: Any) -> Action:
    return reconcile_customer(CustomerCase(ours or customer(), **case), rules)


# --- a CRM customer that is not linked ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "ours", "case", "action", "reason", "code"),
    [
        ("has no number", {"customerNumber": ""}, {"by_marker": [free(MARKED)]}, "skip", "no_number", None),
        ("has another company's number", {"customerNumber": "200-1234"}, {}, "skip", "foreign_number", None),
        ("has a number that nobody would write so", {"customerNumber": "100-01234"}, {}, "skip", "foreign_number", None),
        ("shares its number", {}, {"number_twins": ["p-2"], "by_marker": [free(MARKED)]}, "review", "number_twice", None),
        ("its mark was found", {}, {"by_marker": [free(MARKED)]}, "link", "marker", 77),
        ("its mark, and a stranger has its code", {}, {"by_marker": [free(MARKED)], "by_code": free(STRANGER)},
         "link", "marker", 77),
        ("its mark, and another is the same person", {}, {"by_marker": [free(MARKED)], "by_identity": [taken(TWIN)]},
         "link", "marker", 77),
        ("its mark on two contacts", {}, {"by_marker": [free(MARKED), free(replace(MARKED, code=78))]},
         "review", "several_candidates", None),
        ("its mark on two, one of them taken", {}, {"by_marker": [taken(MARKED), free(replace(MARKED, code=78))]},
         "link", "marker", 78),
        ("its mark only on a contact that is taken", {}, {"by_marker": [taken(MARKED)]}, "create", None, None),
        ("its mark only on an admin", {}, {"by_marker": [free(replace(MARKED, admin=True))]}, "create", None, None),
        ("its mark is taken, its code is not", {}, {"by_marker": [taken(MARKED)], "by_code": free(SAME)},
         "link", "number", 234),
        ("its code agrees", {}, {"by_code": free(SAME)}, "link", "number", 234),
        ("its code agrees by a phone alone", {},
         {"by_code": free(contact(Name="دیگر", NationalCode=None))}, "link", "number", 234),
        ("a stranger has its code", {}, {"by_code": free(STRANGER)}, "review", "stranger", None),
        ("an admin has its code", {}, {"by_code": free(ADMIN)}, "review", "stranger", None),
        ("its code is linked elsewhere: somebody else", {}, {"by_code": taken(STRANGER)}, "create", None, None),
        ("its code is taken, itself is elsewhere", {}, {"by_code": taken(STRANGER), "by_identity": [free(TWIN)]},
         "link", "national_code", 500),
        ("the same code and name", {}, {"by_identity": [free(TWIN)]}, "link", "national_code", 500),
        ("the same code and name, linked elsewhere", {}, {"by_identity": [taken(TWIN)]},
         "review", "double_in_crm", None),
        ("the same twice, one linked elsewhere", {}, {"by_identity": [free(TWIN), taken(contact(Code=501))]},
         "review", "double_in_crm", None),
        ("the same code and name twice", {}, {"by_identity": [free(TWIN), free(contact(Code=501))]},
         "review", "several_candidates", None),
        ("the same, but an admin", {}, {"by_identity": [free(contact(Code=500, IsAdminUser=True))]}, "create", None, None),
        ("the same, and a double of ours wants it too", {},
         {"by_identity": [free(TWIN)], "identity_twins": ["p-2"]}, "review", "double_in_crm", None),
        ("a double of ours came first", {}, {"identity_twins": ["p-2"], "first_twin": False},
         "review", "double_in_crm", None),
        ("it comes first of its doubles", {}, {"identity_twins": ["p-2"]}, "create", None, None),
        ("it is nowhere", {}, {}, "create", None, None),
        ("it is nowhere and has no name", {"nickName": "", "firstName": "", "lastName": ""}, {},
         "review", "no_name", None),
    ],
)  # fmt: skip
def test_an_unlinked_customer(
    why: str, ours: dict[str, Any], case: dict[str, Any], action: str, reason: str | None, code: int | None
) -> None:
    done = decided(customer(**ours), **case)
    assert (done.action, done.reason, done.finance_code) == (action, reason, code), why
    assert (done.entity, done.target, done.record, done.crm_id) == ("customer", "finance", "p-1", "p-1")
    assert bool(done.message) is (action in ("review", "skip"))
    assert bool(done.payload) is (action == "create")


def test_a_create_says_all_that_is_sent() -> None:
    ours = customer(nationalCode="0013542418")
    done = decided(ours)
    assert done.payload == contact_form(ours, None, mark=True)
    assert done.fields == {key: (None, value) for key, value in ours.fields.items()}
    assert (done.checksum, done.sent_checksum) == (ours.checksum, digest(dict(ours.fields)))
    assert done.notes == ours.notes != ()
    assert split_marker(decided(ours, replace(RULES, mark=False)).payload["tozihat"])[1] == ""


def test_a_review_shows_both_sides() -> None:
    case: dict[str, Any] = {
        "by_marker": [taken(MARKED)],
        "by_code": free(STRANGER),
        "by_identity": [taken(TWIN), free(STRANGER)],
    }
    done = decided(number_twins=["p-2"], identity_twins=["p-3"], **case)
    assert done.details["customer"] == view_of(customer())
    assert [(c["finance_code"], c["taken_by"]) for c in done.details["candidates"]] == [
        (77, "p-2"), (234, None), (500, "p-2"),
    ]  # fmt: skip
    assert done.details["other_crm_ids"] == ["p-2", "p-3"]
    assert done.checksum == customer().checksum
    assert view_of(STRANGER)["names"] == ["مریم کاظمی"]
    assert "" not in view_of(STRANGER).values()


def test_a_link_in_step_is_settled_and_one_that_differs_is_compared_later() -> None:
    in_step = link(customer(nickName="علي رضایی"), SAME, "number")
    assert (in_step.checksum, in_step.sent_checksum) == (
        customer(nickName="علي رضایی").checksum, digest(dict(customer(nickName="علي رضایی").fields)),
    )  # fmt: skip
    differs = link(customer(nickName="علی رضایی فر"), SAME, "number")
    assert (differs.checksum, differs.sent_checksum) == (None, None)
    assert link(customer(), SAME, "marker", target="crm").record == "234"
    assert link(customer(), SAME, "marker").record == "p-1"


# --- a linked customer -------------------------------------------------------------------------------------

SENT = digest(dict(customer(nickName="علي رضایی").fields))


@pytest.mark.parametrize(
    ("why", "ours", "theirs", "sent", "changed"),
    [
        ("nothing differs", {}, {}, None, {}),
        ("a mark in the notes is no difference", {}, {"Description": "خوش‌حساب [CRM 5]"}, None, {}),
        ("Finance has what the CRM lacks", {"email": "", "description": None}, {}, None, {}),
        ("Finance's own fields count for nothing", {}, {"CityCode": 5, "Gender": None, "IsActive": False}, None, {}),
        ("the CRM changed", {"email": "b@c"}, {}, None, {"email": ("ali@example.com", "b@c")}),
        ("Finance was changed", {}, {"Address": "شیراز"}, None, {"address": ("شیراز", "تهران")}),
        ("Finance lost its phone", {}, {"TelNo": None}, None, {"telno": ("", "02188776655")}),
        ("a person became an organization", {"kind": "organization"}, {}, None, {"taraftype": ("0", "1")}),
        ("another spelling, not sent so far", {"nickName": "علي رضایی"}, {}, None,
         {"fullname": ("علی رضایی", "علي رضایی")}),
        ("another spelling, sent before: Finance keeps its own", {"nickName": "علي رضایی"}, {}, SENT, {}),
        ("another spelling, something else was sent before", {"nickName": "علي رضایی"}, {}, "other",
         {"fullname": ("علی رضایی", "علي رضایی")}),
        ("sent before, but changed in Finance since", {"nickName": "علي رضایی"}, {"Name": "علی رضا"}, SENT,
         {"fullname": ("علی رضا", "علي رضایی")}),
        ("a spelling and a change go together", {"nickName": "علي رضایی"}, {"Email": "x@y"}, SENT,
         {"fullname": ("علی رضایی", "علي رضایی"), "email": ("x@y", "ali@example.com")}),
    ],
)  # fmt: skip
def test_a_linked_customer(
    why: str, ours: dict[str, Any], theirs: dict[str, Any], sent: str | None, changed: dict[str, tuple[str, str]]
) -> None:
    us, there = customer(**ours), contact(**theirs)
    done = reconcile_linked(us, there, mapping(sent_checksum=sent), RULES)
    if not changed:
        assert done is None, why
        return
    assert done is not None, why
    assert done.fields == changed
    assert (done.action, done.target, done.record, done.finance_code) == ("update", "finance", "p-1", 234)
    assert done.payload == contact_form(us, there, mark=True)
    assert (done.checksum, done.sent_checksum) == (us.checksum, digest(dict(us.fields)))


def test_a_linked_customer_that_lost_its_number_is_still_known_by_it() -> None:
    done = reconcile_linked(customer(customerNumber="", email="b@c"), SAME, mapping(), RULES)
    assert done is not None
    assert done.customer_number == "100-1234"
    assert contact_is_missing(customer(customerNumber=""), mapping()).customer_number == "100-1234"


def test_a_new_number_alone_is_no_reason_to_write() -> None:
    there = contact(Description="خوش‌حساب [CRM 100-1234]")
    assert reconcile_linked(customer(customerNumber="100-9"), there, mapping(), RULES) is None


def test_a_contact_that_is_gone_is_a_question() -> None:
    done = contact_is_missing(customer(), mapping())
    assert (done.action, done.reason, done.finance_code, done.record) == ("review", "missing_in_finance", 234, "p-1")
    assert done.checksum == customer().checksum


@given(customers(), contacts())
def test_one_update_is_enough(ours: Customer, there: Contact) -> None:
    done = reconcile_linked(ours, there, mapping(finance_code=there.code), RULES)
    if done is None:
        assert differences(ours, there) == {}
        return
    after = stored(dict(done.payload), there.code)
    assert differences(ours, after) == {}
    settled = mapping(finance_code=there.code, checksum=done.checksum, sent_checksum=done.sent_checksum)
    for pair in (mapping(), settled):
        assert reconcile_linked(ours, after, pair, RULES) is None


@given(customers(), contacts())
def test_a_system_that_keeps_its_own_spelling_is_told_once(ours: Customer, there: Contact) -> None:
    done = reconcile_linked(ours, there, mapping(), RULES)
    if done is None:
        return
    form = dict(done.payload)
    own = {
        "fullname": form["fullname"].replace("ی", "ي"),
        "email": form["email"].replace("a", "A"),
        "address": form["address"].replace(" ", "  "),
    }
    after = stored(form | own, there.code)
    assert reconcile_linked(ours, after, mapping(sent_checksum=done.sent_checksum), RULES) is None


@given(customers(), st.booleans())
def test_a_world_that_was_just_made_is_in_step(ours: Customer, mark: bool) -> None:
    there = stored(contact_form(ours, None, mark=mark), 234)
    assert reconcile_linked(ours, there, mapping(), replace(RULES, mark=mark)) is None
    assert there.marker in ((ours.number, "") if mark else ("",))
    assert there.marker or not mark or RULES.scheme.decode(ours.number) is None


CANDIDATES = st.builds(
    ContactCandidate,
    st.sampled_from([SAME, MARKED, TWIN, ADMIN, STRANGER, replace(MARKED, code=78), replace(MARKED, admin=True)]),
    st.sampled_from([None, "p-2"]),
)


def customer_cases() -> st.SearchStrategy[CustomerCase]:
    return st.builds(
        CustomerCase,
        st.one_of(st.just(customer()), st.just(customer(customerNumber="9")), customers()),
        by_marker=st.lists(CANDIDATES, max_size=3),
        by_code=st.one_of(st.none(), CANDIDATES),
        by_identity=st.lists(CANDIDATES, max_size=3),
        number_twins=st.sampled_from([[], ["p-2"]]),
        identity_twins=st.sampled_from([[], ["p-3"]]),
        first_twin=st.booleans(),
    )


@given(customer_cases())
def test_no_customer_is_made_twice_nor_laid_over_another(case: CustomerCase) -> None:
    done = reconcile_customer(case, RULES)
    assert done == reconcile_customer(case, RULES), "the same input, the same answer"
    marked = [c for c in case.by_marker if c.taken_by is None and not c.contact.admin]
    all_found = [*case.by_marker, *case.by_identity, *([case.by_code] if case.by_code else [])]
    if marked or case.number_twins or RULES.scheme.decode(case.customer.number) is None:
        assert done.action != "create"
    if done.action == "link":
        chosen = [c for c in all_found if c.contact.code == done.finance_code]
        assert any(c.taken_by is None and not c.contact.admin for c in chosen)
        assert not case.number_twins
        if done.reason != "marker":
            assert any(agree(case.customer, c.contact) for c in chosen) or done.reason == "national_code"
    if done.action == "create":
        assert case.by_code is None or case.by_code.taken_by is not None
        assert not [c for c in case.by_identity if not c.contact.admin]


# --- a finance contact that is not linked ------------------------------------------------------------------


def mine(who: Customer, by: int | None = None) -> CustomerCandidate:
    return CustomerCandidate(who, by)


OURS = customer()
OTHER = somebody_elses_record()
DOUBLE = customer(crmId="p-5", customerNumber="100-9999")


@pytest.mark.parametrize(
    ("why", "theirs", "case", "action", "reason", "crm_id"),
    [
        ("is an admin", {"IsAdminUser": True}, {"by_number": [mine(OURS)]}, "skip", "admin_user", None),
        ("is not active", {"IsActive": False}, {"by_number": [mine(OURS)]}, "skip", "inactive", None),
        ("its mark leads to one record", {"Description": "[CRM 100-9]"}, {"by_marker": [mine(OTHER)]},
         "link", "marker", "p-9"),
        ("its mark goes before its number", {}, {"by_marker": [mine(OTHER)], "by_number": [mine(OURS)]},
         "link", "marker", "p-9"),
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
        ("it is nowhere and has no name", {"Name": " "}, {}, "review", "no_name", None),
        ("its code is none that a number can lead back to", {"Code": -5}, {}, "review", "no_number", None),
    ],
)  # fmt: skip
def test_an_unlinked_contact(
    why: str, theirs: dict[str, Any], case: dict[str, Any], action: str, reason: str | None, crm_id: str | None
) -> None:
    there = contact(**theirs)
    done = reconcile_contact(ContactCase(there, **case), RULES)
    assert (done.action, done.reason, done.crm_id) == (action, reason, crm_id), why
    assert (done.entity, done.target, done.record) == ("customer", "crm", str(there.code))
    assert done.finance_code == there.code
    assert bool(done.message) is (action in ("review", "skip"))
    assert bool(done.payload) is (action == "create")


def test_inactive_contacts_are_imported_when_asked_for() -> None:
    there = ContactCase(contact(IsActive=False))
    assert reconcile_contact(there, replace(RULES, import_inactive=True)).action == "create"


@pytest.mark.parametrize("scheme", [NumberScheme(offset=-1000), NumberScheme("100-", -235, 6)])
def test_no_number_is_given_that_sync_would_not_accept(scheme: NumberScheme) -> None:
    done = reconcile_contact(ContactCase(contact()), Rules(scheme))
    assert (done.action, done.reason) == ("review", "no_number")


def test_a_create_in_the_crm_says_all_that_is_sent() -> None:
    done = reconcile_contact(ContactCase(contact(NationalCode="0013542418")), replace(RULES, category="syaghcontact"))
    assert done.customer_number == done.payload["customerNumber"] == "100-1234"
    assert done.payload["categories"] == [{"key": "syaghcontact"}]
    assert done.fields["nickName"] == (None, "علی رضایی")
    assert done.fields["phoneContacts"] == (None, "Mobile 09123456789; Office 02188776655")
    assert set(done.fields) == {name for name, value in done.payload.items() if value}
    assert any("0013542418" in note for note in done.notes)
    shown = customer_from_crm({"crmId": "new", **done.payload}, "person")
    assert (done.checksum, done.sent_checksum) == (shown.checksum, digest(dict(shown.fields)))


def test_an_import_review_shows_both_sides() -> None:
    case = ContactCase(contact(), by_number=[mine(OTHER), mine(OURS, 7)], identity_twins=[5])
    done = reconcile_contact(case, RULES)
    assert done.details["contact"] == view_of(contact())
    assert [(c["crm_id"], c["taken_by"]) for c in done.details["candidates"]] == [("p-9", None), ("p-1", 7)]
    assert done.details["other_finance_codes"] == [5]


RECORDS = st.builds(
    CustomerCandidate, st.sampled_from([OURS, OTHER, DOUBLE, customer(kind="organization")]), st.sampled_from([None, 5])
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
    done = reconcile_contact(case, RULES)
    found = [*case.by_marker, *case.by_number, *case.by_identity]
    if done.action == "create":
        assert not found
        assert not case.contact.admin
        assert RULES.scheme.decode(done.customer_number) == case.contact.code
    if done.action == "link":
        chosen = [c for c in found if c.customer.crm_id == done.crm_id]
        assert any(c.taken_by is None for c in chosen)
        assert not case.contact.admin


# --- after a create without a clear answer -----------------------------------------------------------------

SENT_MARKED = decided()
SENT_PLAIN = decided(rules=replace(RULES, mark=False))
MADE_PLAIN = stored(dict(SENT_PLAIN.payload), 900)
MADE = stored(dict(SENT_MARKED.payload), 900)


@pytest.mark.parametrize(
    ("why", "sent", "case", "by_name", "action", "code"),
    [
        ("nothing is there", SENT_MARKED, {}, [], None, None),
        ("its mark", SENT_MARKED, {"by_marker": [free(MADE)]}, [], "link", 900),
        ("its mark, on a contact that is taken", SENT_MARKED, {"by_marker": [taken(MADE)]}, [], None, None),
        ("its mark, on an admin", SENT_MARKED, {"by_marker": [free(replace(MADE, admin=True))]}, [], None, None),
        ("its mark twice: it was made twice", SENT_MARKED, {"by_marker": [free(MADE), free(replace(MADE, code=901))]},
         [], "review", None),
        ("its mark goes before its code", SENT_MARKED, {"by_marker": [free(MADE)], "by_code": free(SAME)},
         [], "link", 900),
        ("its code, agreeing", SENT_MARKED, {"by_code": free(SAME)}, [], "link", 234),
        ("its code, a stranger", SENT_MARKED, {"by_code": free(STRANGER)}, [], None, None),
        ("its code, an admin", SENT_MARKED, {"by_code": free(ADMIN)}, [], None, None),
        ("its code, taken", SENT_MARKED, {"by_code": taken(SAME)}, [], None, None),
        ("the same national code and name", SENT_MARKED, {"by_identity": [free(TWIN)]}, [], "link", 500),
        ("the same, taken", SENT_MARKED, {"by_identity": [taken(TWIN)]}, [], None, None),
        ("the same, an admin", SENT_MARKED, {"by_identity": [free(contact(Code=500, IsAdminUser=True))]}, [], None, None),
        ("the same, twice", SENT_MARKED, {"by_identity": [free(TWIN), free(contact(Code=501))]}, [], "review", None),
        ("a name alone proves nothing when a mark was sent", SENT_MARKED, {}, [free(MADE_PLAIN)], None, None),
        ("the name and every value, when none was sent", SENT_PLAIN, {}, [free(MADE_PLAIN)], "link", 900),
        ("the name, but another address", SENT_PLAIN, {},
         [free(replace(MADE_PLAIN, fields={**MADE_PLAIN.fields, "address": "شیراز"}))], None, None),
        ("the name and every value, taken", SENT_PLAIN, {}, [taken(MADE_PLAIN)], None, None),
        ("the name and every value, twice", SENT_PLAIN, {}, [free(MADE_PLAIN), free(replace(MADE_PLAIN, code=901))],
         "review", None),
    ],
)  # fmt: skip
def test_what_a_look_up_in_finance_shows(
    why: str,
    sent: Action,
    case: dict[str, Any],
    by_name: Sequence[ContactCandidate],
    action: str | None,
    code: int | None,
) -> None:
    found = recognise_contact(sent, CustomerCase(sent_customer(sent), **case), by_name)
    assert (found and found.action, found and found.finance_code) == (action, code), why
    if found and action == "link":
        assert found.reason == "look_up"
        assert (found.checksum, found.sent_checksum, found.crm_id) == (sent.checksum, sent.sent_checksum, "p-1")


@given(customers(), st.booleans())
@example(customer(description="[CRM 100-1234]"), True)
def test_what_was_made_is_recognised(ours: Customer, mark: bool) -> None:
    sent = reconcile_customer(CustomerCase(replace(ours, number="100-1234")), replace(RULES, mark=mark))
    if sent.action != "create":
        return
    made = stored(dict(sent.payload), 900)
    assert made.marker == ("100-1234" if mark else "")
    case = CustomerCase(sent_customer(sent), by_marker=[free(made)] if mark else [])
    found = recognise_contact(sent, case, [] if mark else [free(made), free(STRANGER)])
    assert found is not None
    assert (found.action, found.finance_code) == ("link", 900)


def test_the_customer_that_was_sent_is_read_back_from_the_intent() -> None:
    again = sent_customer(Action.from_json(SENT_MARKED.as_json()))
    assert again.fields == customer().fields
    assert (again.crm_id, again.number, again.names) == ("p-1", "100-1234", ("علی رضایی",))
    assert again.phones == ("09123456789", "02188776655")
    assert again.checksum == customer().checksum


SENT_TO_CRM = reconcile_contact(ContactCase(contact()), RULES)
MADE_IN_CRM = customer_from_crm({"crmId": "new", **SENT_TO_CRM.payload}, "person")


@pytest.mark.parametrize(
    ("why", "found", "action", "reason", "crm_id"),
    [
        ("nothing is there", [], None, None, None),
        ("it is there", [mine(MADE_IN_CRM)], "link", "look_up", "new"),
        ("a stranger has the number", [mine(OTHER)], "review", "stranger", None),
        ("it is there, linked to another", [mine(MADE_IN_CRM, 5)], "review", "stranger", None),
        ("it is there twice", [mine(MADE_IN_CRM), mine(OURS)], "review", "number_twice", None),
    ],
)
def test_what_a_look_up_in_the_crm_shows(
    why: str, found: list[CustomerCandidate], action: str | None, reason: str | None, crm_id: str | None
) -> None:
    verdict = recognise_customer(SENT_TO_CRM, found, contact_from_finance(finance_record()))
    assert (verdict and verdict.action, verdict and verdict.reason, verdict and verdict.crm_id) == (
        action, reason, crm_id,
    ), why  # fmt: skip
    if verdict and action == "review":
        assert verdict.details["payload"] == SENT_TO_CRM.payload
        assert len(verdict.details["candidates"]) == len(found)
