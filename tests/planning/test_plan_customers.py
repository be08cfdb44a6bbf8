"""What becomes of a CRM customer in Finance: every branch of the decision tables, and what holds for all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.customer import Contact, Customer
from siaghsync.domain.evidence import agree
from siaghsync.domain.fields import TABLE
from siaghsync.domain.normalize import split_marker
from siaghsync.domain.reasons import Match
from siaghsync.messages import catalog
from siaghsync.planning.cases import ContactCandidate, CustomerCase, PlanRules, view_of
from siaghsync.planning.customers import (
    contact_is_lost,
    contact_payload,
    differences,
    link,
    plan_customer,
    plan_linked,
)
from siaghsync.sandbox.people import national_code
from tests.sample_records import (
    RULES,
    contact,
    contacts,
    customer,
    customers,
    mapping,
    somebody_else,
    stored,
)


def free(there: Contact) -> ContactCandidate:
    return ContactCandidate(there)


def taken(there: Contact, by: str = "p-2") -> ContactCandidate:
    return ContactCandidate(there, by)


SAME = contact()
MARKED = contact(code=77, notes="[CRM 100-1234]", national_code="", mobile="", phone="")
MARKED_STRANGER = replace(MARKED, names=("نامی دیگر",))
LIKE = contact(code=600, national_code="")
TWIN = contact(code=500)
ADMIN = contact(admin=True)
STRANGER = somebody_else()
OTHER_CODE = national_code(987654321)


def decided(ours: Customer | None = None, rules: PlanRules = RULES, **case: Any) -> Action:
    return plan_customer(CustomerCase(ours or customer(), **case), rules)


# --- a CRM customer that is not linked ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("why", "ours", "case", "action", "reason", "code"),
    [
        ("has no number", {"number": ""}, {"by_marker": [free(MARKED)]}, "skip", "no_number", None),
        ("has another company's number", {"number": "200-1234"}, {}, "skip", "foreign_number", None),
        ("has a number that nobody would write so", {"number": "100-01234"}, {}, "skip", "foreign_number", None),
        ("shares its number", {}, {"number_twins": ["p-2"], "by_marker": [free(MARKED)]}, "review", "number_twice", None),
        ("its mark was found", {}, {"by_marker": [free(MARKED)]}, "link", "marker", 77),
        ("its mark, and a stranger has its code", {}, {"by_marker": [free(MARKED)], "by_code": free(STRANGER)},
         "link", "marker", 77),
        ("its mark, and another is the same person", {}, {"by_marker": [free(MARKED)], "by_identity": [taken(TWIN)]},
         "link", "marker", 77),
        ("its mark on somebody else", {}, {"by_marker": [free(MARKED_STRANGER)], "by_code": free(SAME)},
         "review", "stranger", None),
        ("its mark on two contacts", {}, {"by_marker": [free(MARKED), free(replace(MARKED, code=78))]},
         "review", "several_candidates", None),
        ("its mark on two, one of them taken", {}, {"by_marker": [taken(MARKED), free(replace(MARKED, code=78))]},
         "link", "marker", 78),
        ("its mark only on a contact that is taken", {}, {"by_marker": [taken(MARKED)]}, "review", "double_in_crm", None),
        ("its mark only on an admin", {}, {"by_marker": [free(replace(MARKED, admin=True))]}, "create", None, None),
        ("its mark is taken, its code is not", {}, {"by_marker": [taken(MARKED)], "by_code": free(SAME)},
         "link", "number", 234),
        ("its code agrees", {}, {"by_code": free(SAME)}, "link", "number", 234),
        ("its code agrees by a phone and a word of the name", {},
         {"by_code": free(contact(name="رضایی دیگر", national_code=""))}, "link", "number", 234),
        ("its code agrees by a phone alone", {},
         {"by_code": free(contact(name="دیگر", national_code=""))}, "review", "stranger", None),
        ("its code, name and phone, but another national code", {},
         {"by_code": free(contact(national_code=OTHER_CODE))}, "review", "stranger", None),
        ("its code and name, but an organization", {}, {"by_code": free(contact(kind="1"))}, "review", "stranger", None),
        ("the same code and name, but an organization", {}, {"by_identity": [free(contact(code=500, kind="1"))]},
         "create", None, None),
        ("the same name and phone under another number", {}, {"by_likeness": [free(LIKE)]},
         "review", "possible_duplicate", None),
        ("the same name and phone, linked elsewhere", {}, {"by_likeness": [taken(LIKE)]},
         "review", "double_in_crm", None),
        ("the same name and phone, and a person wants a new one", {}, {"by_likeness": [free(LIKE)], "is_new": True},
         "create", None, None),
        ("the same name and phone, but another national code", {},
         {"by_likeness": [free(contact(code=600, national_code=OTHER_CODE))]}, "create", None, None),
        ("the same name and phone, but an admin", {}, {"by_likeness": [free(replace(LIKE, admin=True))]},
         "create", None, None),
        ("the record that had its number is gone", {}, {"heir_of": SAME}, "link", "relinked", 234),
        ("the record that had its number is gone, and was another", {}, {"heir_of": STRANGER},
         "review", "stranger", None),
        ("a stranger has its code", {}, {"by_code": free(STRANGER)}, "review", "stranger", None),
        ("an admin has its code", {}, {"by_code": free(ADMIN)}, "review", "stranger", None),
        ("its code is linked elsewhere: somebody else", {}, {"by_code": taken(STRANGER)}, "create", None, None),
        ("its code is taken, itself is elsewhere", {}, {"by_code": taken(STRANGER), "by_identity": [free(TWIN)]},
         "link", "national_code", 500),
        ("the same code and name", {}, {"by_identity": [free(TWIN)]}, "link", "national_code", 500),
        ("the same code and name, linked elsewhere", {}, {"by_identity": [taken(TWIN)]},
         "review", "double_in_crm", None),
        ("the same twice, one linked elsewhere", {}, {"by_identity": [free(TWIN), taken(contact(code=501))]},
         "review", "double_in_crm", None),
        ("the same code and name twice", {}, {"by_identity": [free(TWIN), free(contact(code=501))]},
         "review", "several_candidates", None),
        ("the same, but an admin", {}, {"by_identity": [free(contact(code=500, admin=True))]}, "create", None, None),
        ("the same, and a double of ours wants it too", {},
         {"by_identity": [free(TWIN)], "identity_twins": ["p-2"]}, "review", "double_in_crm", None),
        ("a double of ours came first", {}, {"identity_twins": ["p-2"], "first_twin": False},
         "review", "double_in_crm", None),
        ("it comes first of its doubles", {}, {"identity_twins": ["p-2"]}, "create", None, None),
        ("it is nowhere", {}, {}, "create", None, None),
        ("it is nowhere and has no name", {"name": ""}, {},
         "review", "no_name", None),
    ],
)  # fmt: skip
def test_an_unlinked_customer(
    why: str, ours: dict[str, Any], case: dict[str, Any], action: str, reason: str | None, code: int | None
) -> None:
    done = decided(customer(**ours), **case)
    assert (done.operation, done.reason, done.finance_code) == (action, reason, code), why
    assert (done.entity, done.target, done.record, done.crm_id) == ("customer", "finance", "p-1", "p-1")
    assert bool(done.message) is (action in ("review", "skip"))
    if done.message:
        assert catalog.render(done.message)
        assert catalog.render(done.message, "fa")
    assert bool(done.payload) is (action == "create" or (action == "link" and done.changes != {}))


def test_a_create_says_all_that_is_sent() -> None:
    ours = customer(national_code="0013542418")
    done = decided(ours)
    assert done.payload == contact_payload(ours, None, mark=True)
    assert set(done.payload) == {row.name for row in TABLE}
    assert (done.payload["number"], done.payload["active"], done.payload["kind"]) == ("100-1234", "1", "0")
    assert done.payload["notes"] == "خوش‌حساب [CRM 100-1234]"
    assert done.changes == {name: (None, value) for name, value in ours.fields.items()}
    assert (done.checksum, done.sent_checksum, done.name) == (ours.checksum, ours.fields_checksum, "علی رضایی")
    assert done.notes == ours.notes != ()
    assert split_marker(decided(ours, replace(RULES, mark=False)).payload["notes"])[1] == ""


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
    assert view_of(STRANGER)["kind"] == "person"


def test_a_link_in_step_is_settled() -> None:
    spelled = customer(name="علي رضایی")
    for target in ("finance", "crm"):
        done = link(spelled, SAME, Match.NUMBER, RULES, target=target)
        assert (done.checksum, done.sent_checksum) == (spelled.checksum, spelled.fields_checksum)
        assert (done.changes, done.payload) == ({}, {})
    assert link(customer(), SAME, Match.MARKER, RULES, target="crm").record == "234"
    assert link(customer(), SAME, Match.MARKER, RULES).record == "p-1"


def test_a_link_of_two_that_differ_carries_the_update_that_follows_it() -> None:
    ours = customer(name="علی رضایی فر", national_code="0013542418")
    done = link(ours, SAME, Match.NUMBER, RULES)
    assert done.changes == {
        "name": ("علی رضایی", "علی رضایی فر"),
        "national_code": ("0013542419", "0013542418"),
    }
    assert done.payload == contact_payload(ours, SAME, mark=True)
    assert (done.checksum, done.sent_checksum, done.notes) == (ours.checksum, ours.fields_checksum, ours.notes)
    assert (done.operation, done.reason, done.finance_code) == ("link", "number", 234)


def test_a_link_of_an_import_never_writes_to_finance() -> None:
    done = link(customer(name="علی رضایی فر"), SAME, Match.NUMBER, RULES, target="crm")
    assert (done.checksum, done.sent_checksum, done.changes, done.payload) == (None, None, {}, {})


@given(customers(), contacts())
def test_a_link_and_its_update_bring_the_pair_in_step(ours: Customer, there: Contact) -> None:
    done = link(ours, there, Match.NATIONAL_CODE, RULES)
    settled = mapping(finance_code=there.code, checksum=done.checksum, sent_checksum=done.sent_checksum)
    after = stored(dict(done.payload), there.code) if done.payload else there
    assert bool(done.payload) is bool(done.changes)
    assert plan_linked(ours, after, settled, RULES) is None
    assert done.checksum == ours.checksum


# --- a linked customer -------------------------------------------------------------------------------------

SENT = customer(name="علي رضایی").fields_checksum


@pytest.mark.parametrize(
    ("why", "ours", "theirs", "sent", "changed"),
    [
        ("nothing differs", {}, {}, None, {}),
        ("a mark in the notes is no difference", {}, {"notes": "خوش‌حساب [CRM 5]"}, None, {}),
        ("Finance has what the CRM lacks", {"email": "", "notes": ""}, {}, None, {}),
        ("Finance's own fields count for nothing", {}, {"city": "5", "gender": "", "active": "0"}, None, {}),
        ("the CRM changed", {"email": "b@c"}, {}, None, {"email": ("ali@example.com", "b@c")}),
        ("Finance was changed", {}, {"address": "شیراز"}, None, {"address": ("شیراز", "تهران")}),
        ("Finance lost its phone", {}, {"phone": ""}, None, {"phone": ("", "02188776655")}),
        ("a person became an organization", {"kind": "organization"}, {}, None, {"kind": ("0", "1")}),
        ("another spelling, not sent so far", {"name": "علي رضایی"}, {}, None,
         {"name": ("علی رضایی", "علي رضایی")}),
        ("another spelling, sent before: Finance keeps its own", {"name": "علي رضایی"}, {}, SENT, {}),
        ("another spelling, something else was sent before", {"name": "علي رضایی"}, {}, "other",
         {"name": ("علی رضایی", "علي رضایی")}),
        ("sent before, but changed in Finance since", {"name": "علي رضایی"}, {"name": "علی رضا"}, SENT,
         {"name": ("علی رضا", "علي رضایی")}),
        ("a spelling and a change go together", {"name": "علي رضایی"}, {"email": "x@y"}, SENT,
         {"name": ("علی رضایی", "علي رضایی"), "email": ("x@y", "ali@example.com")}),
    ],
)  # fmt: skip
def test_a_linked_customer(
    why: str, ours: dict[str, Any], theirs: dict[str, Any], sent: str | None, changed: dict[str, tuple[str, str]]
) -> None:
    us, there = customer(**ours), contact(**theirs)
    done = plan_linked(us, there, mapping(sent_checksum=sent), RULES)
    if not changed:
        assert done is None, why
        return
    assert done is not None, why
    assert done.changes == changed
    assert (done.operation, done.target, done.record, done.finance_code) == ("update", "finance", "p-1", 234)
    assert done.payload == contact_payload(us, there, mark=True)
    assert (done.checksum, done.sent_checksum) == (us.checksum, us.fields_checksum)


def test_a_linked_customer_that_lost_its_number_is_still_known_by_it() -> None:
    done = plan_linked(customer(number="", email="b@c"), SAME, mapping(), RULES)
    assert done is not None
    assert done.customer_number == "100-1234"
    assert contact_is_lost(customer(number=""), mapping(), None).customer_number == "100-1234"


def test_the_mark_follows_the_number_and_is_otherwise_no_reason_to_write() -> None:
    there = contact(notes="خوش‌حساب [CRM 100-1234]")
    done = plan_linked(customer(number="100-9"), there, mapping(), RULES)
    assert done is not None
    assert done.changes == {"number": ("100-1234", "100-9")}
    assert done.payload["notes"] == "خوش‌حساب [CRM 100-9]"
    assert plan_linked(customer(number="100-9"), contact(), mapping(), RULES) is None
    by_hand = contact(notes="خوش‌حساب [CRM 100-77]")
    assert plan_linked(customer(), by_hand, mapping(), RULES) is None
    assert plan_linked(customer(number=""), there, mapping(), RULES) is None


def test_a_contact_that_is_gone_is_a_question() -> None:
    done = contact_is_lost(customer(), mapping(), None)
    assert (done.operation, done.reason, done.finance_code, done.record) == ("review", "missing_in_finance", 234, "p-1")
    assert done.checksum == customer().checksum


@given(customers(), contacts())
def test_one_update_is_enough(ours: Customer, there: Contact) -> None:
    done = plan_linked(ours, there, mapping(finance_code=there.code), RULES)
    if done is None:
        assert differences(ours, there) == {}
        return
    after = stored(dict(done.payload), there.code)
    assert differences(ours, after) == {}
    settled = mapping(finance_code=there.code, checksum=done.checksum, sent_checksum=done.sent_checksum)
    for pair in (mapping(), settled):
        assert plan_linked(ours, after, pair, RULES) is None


@given(customers(), contacts())
def test_a_system_that_keeps_its_own_spelling_is_told_once(ours: Customer, there: Contact) -> None:
    done = plan_linked(ours, there, mapping(), RULES)
    if done is None:
        return
    form = dict(done.payload)
    own = {
        "name": form["name"].replace("ی", "ي"),
        "email": form["email"].replace("a", "A"),
        "address": form["address"].replace(" ", "  "),
    }
    after = stored(form | own, there.code)
    assert plan_linked(ours, after, mapping(sent_checksum=done.sent_checksum), RULES) is None


@given(customers(), st.booleans())
def test_a_world_that_was_just_made_is_in_step(ours: Customer, mark: bool) -> None:
    there = stored(contact_payload(ours, None, mark=mark), 234)
    assert plan_linked(ours, there, mapping(), replace(RULES, mark=mark)) is None
    assert there.marker in ((ours.mark, "") if mark else ("",))
    assert there.marker or not mark or RULES.scheme.decode(ours.number) is None


CANDIDATES = st.builds(
    ContactCandidate,
    st.sampled_from([SAME, MARKED, TWIN, ADMIN, STRANGER, replace(MARKED, code=78), replace(MARKED, admin=True)]),
    st.sampled_from([None, "p-2"]),
)


def customer_cases() -> st.SearchStrategy[CustomerCase]:
    return st.builds(
        CustomerCase,
        st.one_of(st.just(customer()), st.just(customer(number="9")), customers()),
        by_marker=st.lists(CANDIDATES, max_size=3),
        by_code=st.one_of(st.none(), CANDIDATES),
        by_identity=st.lists(CANDIDATES, max_size=3),
        number_twins=st.sampled_from([[], ["p-2"]]),
        identity_twins=st.sampled_from([[], ["p-3"]]),
        first_twin=st.booleans(),
    )


@given(customer_cases())
def test_no_customer_is_made_twice_nor_laid_over_another(case: CustomerCase) -> None:
    done = plan_customer(case, RULES)
    assert done == plan_customer(case, RULES), "the same input, the same answer"
    marked = [c for c in case.by_marker if c.taken_by is None and not c.contact.admin]
    all_found = [*case.by_marker, *case.by_identity, *([case.by_code] if case.by_code else [])]
    if marked or case.number_twins or RULES.scheme.decode(case.customer.number) is None:
        assert done.operation != "create"
    if done.operation == "link":
        chosen = [c for c in all_found if c.contact.code == done.finance_code]
        assert any(c.taken_by is None and not c.contact.admin for c in chosen)
        assert not case.number_twins
        if done.reason != "marker":
            assert any(agree(case.customer, c.contact) for c in chosen) or done.reason == "national_code"
    if done.operation == "create":
        assert case.by_code is None or case.by_code.taken_by is not None
        assert not [c for c in case.by_identity if not c.contact.admin and agree(case.customer, c.contact)]
