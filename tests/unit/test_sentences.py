"""Sentences about audit lines, customers and documents; and the metrics text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.features.explain.events import event
from siaghsync.features.explain.rules import Dossier, explain, title
from siaghsync.features.notifications.metrics import Figures, metrics_text
from siaghsync.messages.calendar import at

WHEN = "2026-01-05T10:20:30.456+00:00"


def line(**changes: Any) -> dict[str, Any]:
    """A line of the audit trail: an update of contact 234 in Finance."""
    return {
        "at": WHEN, "run_id": 7, "actor": "ali", "entity": "customer", "action": "update", "outcome": "done",
        "target": "finance", "crm_id": "p-1", "customer_number": "12345", "finance_code": 234, "fields": {}, "reason": None,
        "message": None, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "contact 234 was changed in Finance."),
        ({"fields": {"email": ("", "a@b.c")}}, "email: (empty) -> a@b.c."),
        ({"action": "create", "fields": {"email": (None, "a@b.c")}}, "contact 234 was made in Finance. email: a@b.c."),
        ({"action": "create", "target": "crm"}, "record p-1 was made in the CRM."),
        (
            {"action": "link", "reason": "marker"},
            "record p-1 of the CRM and contact 234 of Finance were linked (marker).",
        ),
        (
            {"outcome": "failed", "reason": "refused", "message": "No.\n Why?"},
            "changing it in Finance failed (refused). No. Why?",
        ),
        ({"action": "create", "outcome": "unknown"}, "making it in Finance got no clear answer."),
        ({"action": "create", "outcome": "lapsed"}, "turned out not to have arrived"),
        ({"outcome": "misdirected"}, "another effect"),
        ({"action": "review", "outcome": "review", "reason": "stranger"}, "a question for a person (stranger)."),
        ({"action": "skip", "outcome": "skipped", "reason": "no_number"}, "passed over on purpose (no_number)."),
        ({"action": "resolve", "outcome": "retry", "message": "Review 3"}, "ali decided it with --retry."),
        ({"entity": "invoice", "action": "create", "finance_code": 2488}, "posted to Finance as pre-invoice 2488."),
        ({"entity": "invoice", "action": "create", "finance_code": None}, "posted to Finance."),
        ({"entity": "invoice", "action": "link"}, "taken as posted already"),
        ({"entity": "invoice", "action": "review", "outcome": "unknown"}, "sent to Finance, without a clear answer"),
        (
            {"entity": "invoice", "action": "create", "outcome": "waits", "reason": "customer_waits"},
            "had to wait (customer_waits)",
        ),
        ({"action": "new", "outcome": "thing"}, "new: thing."),
    ],
)
def test_a_line_of_the_trail(changes: dict[str, Any], said: str) -> None:
    text = event(line(**changes))
    assert text.startswith("2026-01-05 13:50 (1404/10/15), run 7: ")
    assert said in text


def test_many_fields_are_folded_and_a_line_without_a_run_is_fine() -> None:
    text = event(line(run_id=None, fields={f"f{n}": ("a", "b") for n in range(9)}))
    assert text.startswith("2026-01-05 13:50 (1404/10/15): ")
    assert "f5: a -> b; and 3 more." in text


WORDS = st.text(max_size=20)


@given(
    st.builds(
        line,
        action=st.sampled_from(["create", "update", "link", "review", "skip", "resolve", "prune"]) | WORDS,
        outcome=st.sampled_from(["done", "failed", "unknown", "lapsed", "review", "skipped", "waits"]) | WORDS,
        entity=st.sampled_from(["customer", "invoice", "log"]),
        target=st.sampled_from(["crm", "finance", None]),
        reason=st.none() | WORDS,
        message=st.none() | WORDS,
        crm_id=st.none() | WORDS,
        finance_code=st.none() | st.integers(),
        fields=st.dictionaries(WORDS, st.tuples(st.none() | WORDS, st.none() | WORDS), max_size=8),
    )
)
def test_any_line_becomes_one_line(row: dict[str, Any]) -> None:
    assert len(event(row).splitlines()) == 1


# --- stories -----------------------------------------------------------------------------------------------

PAIR = {
    "crm_id": "p-1", "finance_code": 234, "customer_number": "12345", "kind": "person", "checksum": "c", "linked_by": "marker",
    "created_at": WHEN, "updated_at": WHEN,
}  # fmt: skip
POSTED = {
    "crm_id": "q-1", "source": "quote", "finance_number": "2488", "finance_key": "15459", "posted_by": "create",
    "posted_at": WHEN, "net": "5720000",
}  # fmt: skip
REVIEW = {
    "id": 3, "reason": "stranger", "message": "Who?", "since": WHEN, "resolution": None, "resolved_at": None, "resolved_by": None
}  # fmt: skip
WAITING = {"since": WHEN, "attempts": 2, "message": "It failed", "next_try_at": WHEN, "depends_on": None}
INTENT = {"action": "create", "opened_at": WHEN, "missed_at": None}
SKIP = {"reason": "no_number", "since": WHEN}
CUSTOMER = Dossier("customer", "p-1", 234, "12345", "customer", mapping=PAIR)
DOCUMENT = Dossier("invoice", "q-1", None, "100-1405/1", "quote")


def told(dossier: Dossier) -> str:
    return " ".join(sentence for section in explain(dossier) for sentence in section.sentences)


@pytest.mark.parametrize(
    ("dossier", "said"),
    [
        (CUSTOMER, "its next change in the CRM goes to Finance"),
        (replace(CUSTOMER, mapping={**PAIR, "checksum": None}), "compares both sides"),
        (
            replace(CUSTOMER, mapping=None),
            "It is not linked: siaghsync knows record p-1 of the CRM and contact 234 of Finance only.",
        ),
        (replace(CUSTOMER, mapping=None, crm_id=None), "knows contact 234 of Finance only"),
        (replace(CUSTOMER, skips=[SKIP]), "Nobody has to act. Give it a number in the CRM"),
        (replace(CUSTOMER, skips=[{**SKIP, "reason": "new_reason"}]), "new reason. That is no failure."),
        (
            replace(CUSTOMER, waiting=[WAITING]),
            "tried 2 time(s): It failed. Nobody has to act: the first sync after 2026-01-05 13:50 (1404/10/15)",
        ),
        (replace(CUSTOMER, intents=[INTENT]), "the next sync looks it up"),
        (
            replace(CUSTOMER, intents=[{**INTENT, "missed_at": WHEN}]),
            "A look-up on 2026-01-05 13:50 (1404/10/15) did not find it.",
        ),
        (replace(CUSTOMER, reviews=[REVIEW], ways_out=("link", "retry")), "review resolve 3 --link | --retry` decides"),
        (
            replace(CUSTOMER, reviews=[{**REVIEW, "resolution": "discard", "resolved_at": WHEN, "resolved_by": "ali"}]),
            "ali decided on 2026-01-05 13:50 (1404/10/15) to leave it as it is (review 3)",
        ),
        (replace(CUSTOMER, imported=False), "initial import has not completed"),
        (replace(CUSTOMER, documents_waiting=2), "2 document(s) wait for this customer"),
        (replace(CUSTOMER, history=[line()], older=4), "Before that there are 4 more entries"),
        (DOCUMENT, "It does not stand in Finance"),
        (replace(DOCUMENT, mapping=POSTED), "It stands in Finance as pre-invoice 2488: siaghsync posted it"),
        (replace(DOCUMENT, mapping=POSTED), "net amount of 5,720,000"),
        (replace(DOCUMENT, mapping={**POSTED, "finance_number": None}), "pre-invoice with key 15459"),
        (replace(DOCUMENT, intents=[INTENT]), "The next sync asks a person to look in Siagh"),
        (replace(DOCUMENT, waiting=[{**WAITING, "depends_on": "p-1"}]), "siaghsync explain p-1"),
        (replace(DOCUMENT, customer="12345"), "of customer 12345."),
    ],
)
def test_the_story(dossier: Dossier, said: str) -> None:
    assert said in told(dossier)


def test_who_must_act_is_said_exactly_once() -> None:
    for changes in ({}, {"skips": [SKIP]}, {"waiting": [WAITING]}, {"intents": [INTENT]}, {"mapping": None}):
        assert told(replace(CUSTOMER, **changes)).count("to act") == 1
    open_question = replace(CUSTOMER, reviews=[REVIEW], waiting=[WAITING], intents=[INTENT])
    assert "A person has to act" in told(open_question)
    assert "Nobody" not in told(open_question)


def test_the_title() -> None:
    assert title(CUSTOMER) == "Customer 12345"
    assert title(replace(CUSTOMER, name="علی")) == "Customer 12345 (علی)"
    assert title(replace(CUSTOMER, number="")) == "Customer p-1"
    assert title(replace(CUSTOMER, number="", crm_id=None)) == "Customer finance contact 234"
    assert at(WHEN) == "2026-01-05 13:50 (1404/10/15)"


# --- metrics -----------------------------------------------------------------------------------------------


@given(WORDS, st.none() | st.floats(0, 2e9), st.integers(0, 10**9))
def test_the_metrics_text_is_well_formed_whatever_stands_in_it(text: str, success: float | None, count: int) -> None:
    runs = {(f'a"\\\n{text}', "ok"): count}
    figures = Figures(runs, text, 1.5, {"customer": {"created": count}}, count, 0, success, {"crm": 1}, {"crm": 0})
    written = metrics_text(figures)
    value = r'"(?:[^"\\\n]|\\["\\n])*"'
    sample = re.compile(rf"siaghsync_\w+(\{{\w+={value}(,\w+={value})*\}})? [0-9.e+-]+")
    lines = written.removesuffix("\n").split("\n")
    assert all(one.startswith(("# HELP siaghsync_", "# TYPE siaghsync_")) or sample.fullmatch(one) for one in lines)
    assert ("\nsiaghsync_last_success_timestamp_seconds " in written) == (success is not None)
