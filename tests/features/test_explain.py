"""Sentences about lines of the audit trail, and the life of customers and documents."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.domain.action import Action
from siaghsync.domain.document import Posted
from siaghsync.domain.reasons import AuditOutcome, Match, Operation, Reason
from siaghsync.features.explain.events import event
from siaghsync.features.explain.rules import explain, sentence_text, title
from siaghsync.messages import catalog
from siaghsync.messages.message import verbatim
from siaghsync.state.audit import AuditLine
from siaghsync.state.mappings import Link, PostedEntry
from siaghsync.state.outbox import Intent
from siaghsync.state.record_history import RecordHistory
from siaghsync.state.retries import Retry, Skip
from siaghsync.state.reviews import Review

WHEN = "2026-01-05T10:20:30.456+00:00"
TOLD = "2026-01-05 13:50 (1404/10/15)"


def line(**changes: Any) -> AuditLine:
    """A line of the audit trail: an update of contact 234 in Finance."""
    known: dict[str, Any] = {
        "id": 1, "at": WHEN, "run_id": 7, "actor": "ali", "entity": "customer", "kind": "person", "name": "علی",
        "operation": "update", "outcome": "done", "target": "finance", "crm_id": "p-1", "customer_number": "12345",
        "finance_code": 234, "changes": {}, "reason": None, "message": None,
    }  # fmt: skip
    return AuditLine(**{**known, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "contact 234 was changed in Siagh."),
        ({"changes": {"mobile": ("", "0912")}}, "mobile: (empty) -> 0912."),
        ({"changes": {"rows.2.quantity": ("1", "2")}}, "row 2, quantity: 1 -> 2."),
        ({"operation": "create", "changes": {"mobile": (None, "0912")}}, "contact 234 was created in Siagh. mobile: 0912."),
        ({"operation": "create", "target": "crm"}, "record p-1 was created in the CRM."),
        ({"target": "crm"}, "record p-1 was changed in the CRM."),
        (
            {"operation": "link", "reason": "marker"},
            "record p-1 of the CRM and contact 234 of Siagh were linked (The mark in its notes).",
        ),
        (
            {"outcome": "failed", "reason": "no_such_reason", "message": verbatim("No.\n Why?")},
            "changing it in Siagh failed (no such reason). No. Why?",
        ),
        ({"operation": "create", "outcome": "unknown"}, "creating it in Siagh got no clear answer."),
        ({"operation": "create", "outcome": "expired"}, "turned out not to have arrived"),
        ({"outcome": "misdirected"}, "another effect"),
        ({"outcome": "refused", "reason": "no_such_reason"}, "Siagh refused to change it (no such reason)."),
        ({"operation": "review", "outcome": "review", "reason": "no_such_reason"}, "a question for a person (no such reason)."),
        ({"operation": "skip", "outcome": "skipped", "reason": "no_such_reason"}, "passed over on purpose (no such reason)."),
        ({"operation": "resolve", "outcome": "retry", "message": verbatim("Review 3")}, "ali decided it with --retry."),
        ({"entity": "invoice", "operation": "create", "finance_code": 2488}, "posted to Siagh as pre-invoice 2488."),
        ({"entity": "invoice", "operation": "create", "finance_code": None}, "posted to Siagh."),
        ({"entity": "invoice", "operation": "link"}, "taken as posted already"),
        ({"entity": "invoice", "operation": "review", "outcome": "unknown"}, "sent to Siagh, without a clear answer"),
        ({"operation": "create", "outcome": "waits", "reason": "no_such_reason"}, "had to wait (no such reason)"),
        ({"operation": "restore"}, "contact 234 of Siagh was set back to what it was before (undo)."),
        ({"operation": "delete", "target": "crm", "changes": {"mobile": ("0912", None)}}, "deleted from the CRM again (undo)."),
        ({"operation": "unlink"}, "the link of record p-1 with contact 234 was taken out."),
        ({"operation": "delete", "outcome": "failed", "reason": "no_such_reason"}, "could not be undone (no such reason)."),
        ({"operation": "restore", "outcome": "unknown", "reason": "no_such_reason"}, "was being undone, without a clear answer"),
        ({"operation": "new", "outcome": "thing"}, "new: thing."),
        ({"operation": "skip", "outcome": "done"}, "skip: done."),
    ],
)  # fmt: skip
def test_a_line_of_the_trail(changes: dict[str, Any], said: str) -> None:
    text = sentence_text(event(line(**changes)))
    assert text.startswith(f"{TOLD}, run 7: ")
    assert said in text


def test_many_fields_are_folded_and_a_line_without_a_run_is_fine() -> None:
    text = sentence_text(event(line(run_id=None, changes={f"f{n}": ("a", "b") for n in range(9)})))
    assert text.startswith(f"{TOLD}: ")
    assert text.endswith("f5: a -> b. And 3 more.")


def test_a_line_in_persian_has_no_english_words() -> None:
    text = sentence_text(event(line(changes={"email": ("", "۱")})), "fa")
    assert text == "۱۴۰۴/۱۰/۱۵ ۱۳:۵۰، اجرای ۷: طرف‌حساب 234 در سیاق ویرایش شد. ایمیل: از (خالی) به ۱."


WORDS = st.text(max_size=20)


@given(
    st.builds(
        line,
        operation=st.sampled_from([*Operation, "resolve", "prune"]) | WORDS,
        outcome=st.sampled_from(list(AuditOutcome)) | WORDS,
        entity=st.sampled_from(["customer", "invoice", "log"]),
        target=st.sampled_from(["crm", "finance", None]),
        reason=st.none() | WORDS,
        message=st.none() | st.builds(verbatim, WORDS),
        crm_id=st.none() | WORDS,
        finance_code=st.none() | st.integers(),
        changes=st.dictionaries(WORDS, st.tuples(st.none() | WORDS, st.none() | WORDS), max_size=8),
    ),
    st.sampled_from(["en", "fa"]),
)
def test_any_line_becomes_one_line(row: AuditLine, language: catalog.Language) -> None:
    assert len(sentence_text(event(row), language).splitlines()) == 1


# --- stories -----------------------------------------------------------------------------------------------

PAIR = Link("p-1", 234, "person", "12345", "c", Match.MARKER, WHEN, WHEN)
POSTED = PostedEntry(
    place=1, posted=Posted("q-1", "quote", "2488", "15459", "c", {}, Decimal(5720000)), crm_number="100-1405/1",
    related_quote_id=None, customer_crm_id="p-1", customer_number="12345", posted_by="create", posted_at=WHEN,
)  # fmt: skip
ACTION = Action(Operation.CREATE, "customer", "finance", "p-1", "person", "12345")
REVIEW = Review(
    id=3, entity="customer", target="finance", record="p-1", kind="person", reason=Reason.STRANGER, crm_id="p-1",
    customer_number="12345", finance_code=None, name="علی", message=verbatim("Who?"), details={}, checksum="", since=WHEN,
    resolution=None, resolved_at=None, resolved_by=None,
)  # fmt: skip
WAITING = Retry(
    entity="customer", target="finance", record="p-1", kind="person", customer_number="12345", name="علی", attempts=2,
    failed=True, next_try_at=WHEN, reason="timeout", message=verbatim("It failed."), since=WHEN, depends_on=None,
)  # fmt: skip
INTENT = Intent(1, ACTION, None, None, WHEN)
SKIP = Skip(
    entity="customer", target="finance", record="p-1", kind="person", customer_number="", name="علی",
    reason=Reason.NO_NUMBER, since=WHEN,
)  # fmt: skip
CUSTOMER = RecordHistory(entity="customer", crm_id="p-1", finance_code=234, number="12345", kind="person", mapping=PAIR)
DOCUMENT = RecordHistory(entity="invoice", crm_id="q-1", finance_code=None, number="100-1405/1", kind="quote")


def told(history: RecordHistory, language: catalog.Language = "en") -> str:
    sentences = [sentence for section in explain(history) for sentence in section.sentences]
    return " ".join(sentence_text(sentence, language) for sentence in sentences)


STORIES: list[tuple[RecordHistory, str]] = [
    (CUSTOMER, "its next change in the CRM goes to Siagh"),
    (CUSTOMER, "The mark in the contact's notes named this customer."),
    (replace(CUSTOMER, mapping=replace(PAIR, checksum=None)), "compares both sides"),
    (
        replace(CUSTOMER, mapping=None),
        "It is not linked. siaghsync knows record p-1 of the CRM and contact 234 of Siagh.",
    ),
    (replace(CUSTOMER, mapping=None, crm_id=None), "knows contact 234 of Siagh only"),
    (replace(CUSTOMER, mapping=None, finance_code=None), "knows record p-1 of the CRM only"),
    (replace(CUSTOMER, mapping=None, crm_id=None, finance_code=None), "knows its number only"),
    (replace(CUSTOMER, skips=(SKIP,)), "That is no failure."),
    (replace(CUSTOMER, skips=(replace(SKIP, reason=Reason.DISCARDED),)), "only a change of the record reopens it"),
    (
        replace(CUSTOMER, waiting=(WAITING,)),
        f"tried 2 time(s): It failed. Nobody has to act: the first sync after {TOLD} tries again.",
    ),
    (replace(CUSTOMER, waiting=(replace(WAITING, attempts=0),)), f"It waits since {TOLD}: It failed."),
    (replace(CUSTOMER, intents=(INTENT,)), "the next sync looks it up"),
    (replace(CUSTOMER, intents=(replace(INTENT, missed_at=WHEN),)), f"A look-up on {TOLD} did not find it."),
    (replace(CUSTOMER, reviews=(REVIEW,)), "review resolve 3 --link | --retry | --discard` decides"),
    (
        replace(CUSTOMER, reviews=(replace(REVIEW, resolution="discard", resolved_at=WHEN, resolved_by="ali"),)),
        f"ali decided on {TOLD} to leave it as it is (review 3)",
    ),
    (replace(CUSTOMER, imported=False), "initial import has not completed"),
    (replace(CUSTOMER, documents_waiting=2), "2 document(s) wait for this customer"),
    (replace(CUSTOMER, documents=(POSTED,)), "1 of its documents stand in Siagh, the last one as pre-invoice 2488"),
    (replace(CUSTOMER, events=(line(),), older=4), "Before that there are 4 more entries"),
    (DOCUMENT, "It does not stand in Siagh"),
    (replace(DOCUMENT, kind=""), "In the CRM it is document q-1."),
    (replace(DOCUMENT, posted=POSTED), "It stands in Siagh as pre-invoice 2488: siaghsync posted it"),
    (replace(DOCUMENT, posted=POSTED), "net amount of 5,720,000"),
    (replace(DOCUMENT, posted=POSTED), "If it is changed in the CRM now, a person is asked"),
    (
        replace(DOCUMENT, posted=replace(POSTED, posted=replace(POSTED.posted, number=None))),
        "pre-invoice with key 15459",
    ),
    (replace(DOCUMENT, intents=(INTENT,)), "The next sync asks a person to look in Siagh"),
    (replace(DOCUMENT, waiting=(replace(WAITING, depends_on="p-1"),)), "siaghsync explain p-1"),
    (
        replace(DOCUMENT, waiting=(replace(WAITING, reason=Reason.QUOTE_IN_DOUBT, depends_on="q-2"),)),
        "when the other document of its quote is decided; `siaghsync explain q-2`",
    ),
    (replace(DOCUMENT, customer="12345"), "Its customer has the number 12345."),
]


@pytest.mark.parametrize(("history", "said"), STORIES)
def test_the_story(history: RecordHistory, said: str) -> None:
    assert said in told(history)


@pytest.mark.parametrize("history", [history for history, _ in STORIES])
def test_the_story_in_persian_has_only_commands_and_names_in_latin_letters(history: RecordHistory) -> None:
    text = told(replace(history, waiting=(), reviews=()), "fa")
    assert not re.search(r"[A-Za-z]+", re.sub(r"`[^`]*`|CRM|CUSTOMER_NUMBER_|p-1|q-1", "", text))


def test_who_must_act_is_said_exactly_once() -> None:
    for changes in ({}, {"skips": (SKIP,)}, {"waiting": (WAITING,)}, {"intents": (INTENT,)}, {"mapping": None}):
        assert told(replace(CUSTOMER, **changes)).count("has to act") == 1
    open_question = replace(CUSTOMER, reviews=(REVIEW,), waiting=(WAITING,), intents=(INTENT,))
    assert "A person has to act" in told(open_question)
    assert "Nobody" not in told(open_question)


def test_a_skip_tells_the_cure_of_its_reason() -> None:
    entry = catalog.find("reason.no_number")
    assert entry is not None
    assert told(replace(CUSTOMER, skips=(SKIP,))).endswith(f"Nobody has to act. {entry.cure['en']}")
    assert told(replace(CUSTOMER, skips=(replace(SKIP, reason=Reason.GONE),))).endswith("Nobody has to act.")


def test_every_match_and_every_way_of_posting_has_its_words() -> None:
    for match in Match:
        told(replace(CUSTOMER, mapping=replace(PAIR, linked_by=match)))
    for posted_by in ("create", "link", "person"):
        told(replace(DOCUMENT, posted=replace(POSTED, posted_by=posted_by)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "Customer 12345"),
        ({"name": "علی"}, "Customer 12345 (علی)"),
        ({"number": ""}, "Customer p-1"),
        ({"number": "", "name": "علی"}, "Customer علی"),
        ({"number": "", "crm_id": None}, "Customer with finance code 234"),
    ],
)
def test_the_title(changes: dict[str, Any], said: str) -> None:
    assert sentence_text(title(replace(CUSTOMER, **changes))) == said


def test_the_title_of_a_document() -> None:
    assert sentence_text(title(DOCUMENT)) == "Quote 100-1405/1"
    assert sentence_text(title(replace(DOCUMENT, number="", kind=""))) == "Document q-1"
