"""What is known of one record, found by any of its numbers; links and posted documents as lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from siaghsync.domain.action import Action
from siaghsync.domain.document import Posted
from siaghsync.domain.reasons import AuditOutcome, Operation, Reason
from siaghsync.messages.message import verbatim
from siaghsync.planning.cases import CustomerCase
from siaghsync.planning.customers import plan_customer
from siaghsync.state import outbox, retries, reviews
from siaghsync.state.audit import Run
from siaghsync.state.database import State, memory_state
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.state.meta import COMPLETED
from siaghsync.state.record_history import RecordHistory, record_histories
from tests.sample_records import RULES, customer, mapping

NOW = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
CREATE = replace(plan_customer(CustomerCase(customer()), RULES))
DOCUMENT = Action(
    Operation.CREATE, "invoice", "finance", "i-1", "invoice", "100-1234", "i-1", name="100-1404/7", checksum="c"
)
POSTED = Posted("i-1", "invoice", "51", "9", "c", {"number": "100-1404/7", "customer": "p-1"}, Decimal(5))


@pytest.fixture
def state() -> Iterator[State]:
    opened = memory_state()
    yield opened
    opened.close()


@pytest.fixture
def run(state: State) -> Run:
    return Run(state, "sync", lambda: NOW, "ali")


def only(state: State, asked: str) -> RecordHistory:
    (found,) = record_histories(state, asked)
    return found


def link(run: Run) -> None:
    with run.state.atomic():
        Mappings(run.state).add(mapping(), "number", run.at())


def test_nothing_is_known_of_a_number_that_nobody_has(run: Run) -> None:
    link(run)
    assert record_histories(run.state, "999") == []


@pytest.mark.parametrize("asked", ["100-1234", " 100-۱۲۳۴ ", "234", "p-1", "P-1"])
def test_a_linked_customer_is_found_by_each_of_its_numbers(run: Run, asked: str) -> None:
    link(run)
    run.note(replace(CREATE, finance_code=234), AuditOutcome.DONE)
    with run.state.atomic():
        PostedDocuments(run.state).add(POSTED, "100-1234", None, "create", run.at())
        retries.schedule_retry(
            run, replace(DOCUMENT, record="i-2"), "customer_waits", verbatim("it waits"), depends_on="p-1"
        )
    found = next(history for history in record_histories(run.state, asked) if history.entity == "customer")
    assert (found.crm_id, found.finance_code, found.number, found.kind) == ("p-1", 234, "100-1234", "person")
    assert found.mapping == Mappings(run.state).link_of("p-1")
    assert (found.name, [line.outcome for line in found.events]) == ("علی رضایی", ["done"])
    assert [entry.posted for entry in found.documents] == [POSTED]
    assert (found.documents_waiting, found.imported) == (1, False)
    run.state.set_meta(COMPLETED, run.at())
    assert only(run.state, "p-1").imported


def test_what_is_open_about_a_customer(run: Run) -> None:
    with run.state.atomic():
        reviews.put(run, replace(CREATE, operation=Operation.REVIEW, reason=Reason.STRANGER, message=verbatim("Who?")))
        retries.schedule_retry(run, CREATE, "timeout", verbatim("no answer"))
        intent_id = outbox.open_intent(run, CREATE)
    found = only(run.state, "100-1234")
    assert found.question
    assert found.question.message == verbatim("Who?")
    assert [retry.reason for retry in found.waiting] == ["timeout"]
    assert [intent.id for intent in found.intents] == [intent_id]
    assert (found.mapping, found.crm_id, found.name) == (None, "p-1", "علی رضایی")


def test_both_sides_of_a_pair_that_was_linked_later_are_one(run: Run) -> None:
    run.note(
        replace(CREATE, target="crm", record="234", crm_id=None, finance_code=234, customer_number="7"),
        AuditOutcome.FAILED,
    )
    run.note(replace(CREATE, customer_number="7"), AuditOutcome.SKIPPED)
    assert len(record_histories(run.state, "7")) == 2
    link(run)
    assert len(only(run.state, "7").events) == 2


@pytest.mark.parametrize("asked", ["100-1404/7", "51", "i-1"])
def test_a_posted_document_is_found_by_each_of_its_numbers(run: Run, asked: str) -> None:
    with run.state.atomic():
        PostedDocuments(run.state).add(POSTED, "100-1234", "q-1", "create", run.at())
    for _ in range(14):
        run.note(DOCUMENT, AuditOutcome.FAILED)
    found = only(run.state, asked)
    assert (found.entity, found.crm_id, found.number, found.kind) == ("invoice", "i-1", "100-1404/7", "invoice")
    assert found.posted == PostedDocuments(run.state).entry("i-1")
    assert (found.customer, len(found.events), found.older) == ("100-1234", 12, 2)


@pytest.mark.parametrize("where", ["trail", "review", "retry", "skip", "intent"])
def test_a_document_that_is_not_posted_is_found_by_its_number_wherever_it_stands(run: Run, where: str) -> None:
    with run.state.atomic():
        if where == "trail":
            run.note(DOCUMENT, AuditOutcome.FAILED)
        elif where == "review":
            reviews.put(run, replace(DOCUMENT, operation=Operation.REVIEW, reason=Reason.NO_ROWS))
        elif where == "retry":
            retries.schedule_retry(run, DOCUMENT, "timeout", verbatim("no answer"))
        elif where == "skip":
            retries.note_skip(run, replace(DOCUMENT, reason=Reason.BEFORE_START))
        else:
            outbox.open_intent(run, DOCUMENT)
    found = only(run.state, "100-1404/7")
    assert (found.crm_id, found.kind, found.posted) == ("i-1", "invoice", None)
    assert found.number == "100-1404/7"


def test_a_document_without_a_number_is_called_by_nothing(run: Run) -> None:
    run.note(replace(DOCUMENT, name="i-1"), AuditOutcome.SKIPPED)
    assert only(run.state, "i-1").number == ""


def test_lists_come_page_by_page_and_can_be_searched(run: Run) -> None:
    links, documents = Mappings(run.state), PostedDocuments(run.state)
    with run.state.atomic():
        for n in range(5):
            links.add(mapping(crm_id=f"p-{n}", finance_code=100 + n, customer_number=f"n{n}"), "number", run.at())
            snapshot = {"number": f"d{n}", "customer": "p-1"}
            documents.add(
                replace(POSTED, crm_id=f"i-{n}", number=f"{n}", snapshot=snapshot), f"n{n}", None, "create", run.at()
            )
        run.note(
            replace(
                DOCUMENT,
                entity="customer",
                kind="person",
                record="p-3",
                crm_id="p-3",
                finance_code=103,
                name="علی رضایی",
            ),
            AuditOutcome.DONE,
        )
    assert [link.finance_code for link, _ in links.page(3)] == [100, 101, 102]
    assert [link.finance_code for link, _ in links.page(3, place=3)] == [103, 104]
    assert [name for _, name in links.page(9)] == ["", "", "", "علی رضایی", ""]
    searches = ("n3", "p-3", "103", "۱۰۳", "رضايي", "x", "%")
    assert [[link.crm_id for link, _ in links.page(9, search=q)] for q in searches] == [["p-3"]] * 5 + [[]] * 2
    assert [entry.crm_number for entry, _ in documents.page(2)] == ["d4", "d3"]
    assert [entry.crm_number for entry, _ in documents.page(9, place=2)] == ["d2", "d1", "d0"]
    found = [[entry.posted.crm_id for entry, _ in documents.page(9, search=q)] for q in ("n3", "d3", "3", "x")]
    assert found == [["i-3"]] * 3 + [[]]


def test_a_relinked_pair_is_compared_at_the_next_look(run: Run) -> None:
    mappings = Mappings(run.state)
    with run.state.atomic():
        mappings.add(mapping(checksum="c", sent_checksum="s"), "number", run.at())
        mappings.relink(mapping(finance_code=999), "person", run.at())
    assert mappings.of_code(234) is None
    assert mappings.of_crm("p-1") == mapping(finance_code=999)
    moved = mappings.link_of("p-1")
    assert moved
    assert moved.linked_by == "person"
