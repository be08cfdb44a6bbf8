"""`explain` over the real command line: for whatever can become of a record, it says where it stands and who must act."""

from __future__ import annotations

from typing import Any

import pytest

from tests.environment import SINCE
from tests.indoors import Indoors, indoors
from tests.world import Maker

NAMELESS = {"firstName": "", "lastName": ""}
ROW = {"productCode": "Product-1", "count": 2, "baseUnitPrice": 100000}


@pytest.fixture
def world(make_world: Maker) -> Indoors:
    """One contact, 700, that stands in the CRM since the import."""
    found = indoors(make_world()).set(**SINCE)
    found.finance.add_contact(Code=700, Name="شرکت نمونه", TowardType=True, MobileNo="09001112233")
    found.imported()
    return found


def told(world: Indoors, number: str) -> str:
    """The story, on one line."""
    ended = world.run("explain", number)
    assert (ended.exit_code, ended.stderr) == (0, "")
    return " ".join(ended.stdout.split())


def test_a_linked_customer_by_each_of_its_numbers(world: Indoors) -> None:
    crm_id = world.crm_of(700)
    stories = [told(world, number) for number in ("700", "۷۰۰", crm_id, crm_id.upper(), " 700 ")]
    assert len(set(stories)) == 1
    story = stories[0]
    assert f"Record {crm_id} of the CRM and contact 700 of Siagh are the same customer" in story
    assert "شرکت نمونه" in story
    assert "was created in the CRM" in story
    assert "Nobody has to act" in story


def test_what_was_changed_is_told_from_to(world: Indoors) -> None:
    world.crm.edit(world.crm_of(700), email="new@example.com")
    world.json("sync")
    assert "e-mail: (empty) -> new@example.com" in told(world, "700")


def test_offset_numbers_find_the_code_and_the_number(make_world: Maker) -> None:
    world = indoors(make_world()).set(CUSTOMER_NUMBER_OFFSET="10")
    world.finance.add_contact(Code=700, Name="اولی", MobileNo="09001112233")
    world.finance.add_contact(Code=710, Name="دومی", MobileNo="09001112244")
    world.imported()
    story = told(world, "710")
    assert "contact 700 of Siagh" in story
    assert "contact 710 of Siagh" in story


def test_a_skipped_customer_and_the_document_that_waits_for_it(world: Indoors) -> None:
    crm_id = world.crm.add_person(nickName="بی شماره", customerNumber="", **NAMELESS)
    world.crm.add_invoice(crm_id, [ROW], number="100-1405/4")
    world.json("sync", exit_code=1)
    story = told(world, crm_id)
    assert "passed over on purpose" in story
    assert "no customer number" in story
    assert "That is no failure" in story
    assert "1 document(s) wait for this customer" in story
    story = told(world, "100-1405/4")
    assert story.startswith("Invoice 100-1405/4")
    assert "does not stand in Siagh" in story
    assert f"siaghsync explain {crm_id}" in story


def test_a_question_and_its_decision(world: Indoors) -> None:
    world.finance.add_contact(Code=800, Name="کسی دیگر")
    world.crm.add_person(nickName="غریبه", customerNumber="800", **NAMELESS)
    world.json("sync", exit_code=1)
    story = told(world, "800")
    assert "It is not linked" in story
    assert "A person has to act" in story
    assert "review resolve 1 --link | --retry | --discard" in story
    world.run("review", "resolve", "1", "--discard")
    story = told(world, "800")
    assert "decided on" in story
    assert "leave it as it is (review 1)" in story
    assert "Nobody has to act." in story


def test_a_refused_change_waits_for_another_try(world: Indoors) -> None:
    world.arm(
        "json",
        "finance:SaveFormData/update",
        body=b'{"Errors":[{"Description":"X9","ErrorCode":-1}],"ReturnValue":false}',
    )
    world.crm.edit(world.crm_of(700), email="new@example.com")
    world.json("sync", exit_code=1)
    story = told(world, "700")
    assert "changing it in Siagh failed" in story
    assert "X9" in story
    assert "tried 1 time(s)" in story
    assert "the first sync after" in story


def test_a_create_without_an_answer(world: Indoors) -> None:
    world.set(UNKNOWN_GRACE_SECONDS="600", **SINCE)
    world.arm("close_before", "finance:SaveFormData/create")
    world.crm.add_person(nickName="تازه", customerNumber="900", **NAMELESS)
    world.json("sync", exit_code=1)
    story = told(world, "900")
    assert "no clear answer is known" in story
    assert "the next sync looks it up" in story


@pytest.fixture
def documents(world: Indoors) -> dict[str, str]:
    """A posted quote, its invoice, a faulty invoice, an unnumbered quote and one in doubt, by name."""
    crm_id = world.crm_of(700)
    found: dict[str, Any] = {"quote": world.crm.add_quote(crm_id, [ROW], number="100-1405/1", crmObjectTypeCode="PI_5")}
    world.crm.add_invoice(crm_id, [ROW], number="100-1405/2", relatedQuoteId=found["quote"])
    world.crm.add_invoice(crm_id, [{**ROW, "productCode": ""}], number="100-1405/3")
    found["draft"] = world.crm.add_quote(crm_id, [ROW], number="")
    world.arm("close_after", "finance:SaveFormData/preinvoice", containing="100-1405/5")
    world.crm.add_invoice(crm_id, [ROW], number="100-1405/5")
    world.json("sync", exit_code=1)
    return found


def test_documents(world: Indoors, documents: dict[str, str]) -> None:
    posted = next(p.number for p in world.finance.preinvoices if "[CRM PI_5 100-1405/1]" in p.fields["tozihat"])
    story = told(world, "100-1405/1")
    assert f"stands in Siagh as pre-invoice {posted}: siaghsync posted it" in story
    assert "net amount of 200,000" in story
    assert documents["quote"] in story
    assert "counts as one with the quote" in told(world, "100-1405/2")
    both = told(world, str(posted))
    assert "Quote 100-1405/1" in both
    assert "Invoice 100-1405/2" in both
    story = told(world, "100-1405/3")
    assert "no product code" in story
    assert "A person has to act" in story
    story = told(world, documents["draft"])
    assert "It has no number yet" in story
    assert "Quote" in story
    story = told(world, "100-1405/5")
    assert "nobody knows whether it stands there" in story
    assert "--posted" in story
    assert "2 of its documents stand in Siagh" in told(world, "700")


def test_nothing_is_known(world: Indoors) -> None:
    for number in ("12345", "9" * 40, "100-1405/99", "%", "", "Quote", "' OR 1=1 --"):
        ended = world.run("explain", "--", number)
        assert (ended.exit_code, ended.stdout) == (1, "")
        assert "Nothing is known of" in ended.stderr
        assert "What to do" in ended.stderr


def test_without_a_state_file(make_world: Maker) -> None:
    world = indoors(make_world())
    assert world.run("explain", "700").exit_code == 2
    assert [path.name for path in world.folder.iterdir()] == [".env"]
