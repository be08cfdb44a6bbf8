"""What an alert and a failed ping say, made from plain values."""

from __future__ import annotations

import json
from typing import Any

from siaghsync.domain.action import Counts
from siaghsync.errors import BrakeError, NotSent
from siaghsync.features.notifications.render import alert_document, ping_text
from siaghsync.messages.message import msg, verbatim
from siaghsync.state.alerts import News
from siaghsync.state.database import memory_state
from siaghsync.state.staging import Staging
from siaghsync.sync.context import RunReport

DOWN = NotSent("finance", "log_in", "refused_connection", note="")
BRAKE = BrakeError("brake.creates", planned=7, limit=5)


def review(number: int) -> dict[str, Any]:
    return {
        "kind": "review", "id": number, "entity": "customer", "reason": "number_twice", "crm_id": "c-1",
        "customer_number": str(number), "finance_code": None, "message": msg("alert.head", command="x", count=1),
        "since": "2026-01-05T10:00:00+00:00", "ways_out": ["retry"],
    }  # fmt: skip


def news(*items: dict[str, Any]) -> News:
    return News(list(items), {"reviews": {}}, {"reviews": {"1": "number_twice"}})


def test_an_alert_holds_each_matter_as_text_with_its_code() -> None:
    system = {"kind": "system", "system": "finance", "reason": DOWN.reason, "message": DOWN.message}
    document = json.loads(json.dumps(alert_document(news(system, review(900)), "sync", {"id": 7})))
    assert (document["source"], document["run"], document["open_reviews"], document["more"]) == (
        "siaghsync", {"id": 7}, 1, 0,
    )  # fmt: skip
    down, question = document["items"]
    assert (down["kind"], down["system"], down["code"]) == ("system", "finance", "call.refused_connection")
    assert "FINANCE_API_BASE_URL" in down["hint"]
    assert question["code"] == "alert.head"
    assert question["message"] == "siaghsync x: 1 new matter(s) for a person."
    assert "hint" not in question
    first, second, third = document["text"].splitlines()
    assert first == "siaghsync sync: 2 new matter(s) for a person."
    assert second == down["message"]
    assert third == f"Review 900 (customer 900, number_twice): {question['message']}"


def test_long_alerts_are_cut_and_say_so() -> None:
    document = alert_document(news(*map(review, range(120))), "sync", None)
    assert (len(document["items"]), document["more"]) == (100, 20)
    assert len(document["text"].splitlines()) == 12
    assert document["text"].endswith("and 110 more")


def report() -> RunReport:
    found = RunReport(Staging(memory_state()))
    found.counts["customer"] = Counts(created=2, review=1)
    found.new_reviews = 1
    failure = {"customer_number": None, "finance_code": "234", "crm_id": None, "name": "علی", "reason": "timeout"}
    found.failures = [{**failure, "message": verbatim("too slow")} for _ in range(25)]
    return found


def test_a_failed_ping_says_what_happened_without_names() -> None:
    lines = ping_text("sync", 1, None, report()).splitlines()
    assert lines[:4] == [
        "siaghsync sync ended with exit code 1.",
        "customers: 2 created, 1 review",
        "invoices: none looked at",
        "newly waiting for a person: 1",
    ]
    assert lines[4:] == ["failed: 234 timeout: too slow"] * 20


def test_a_failed_ping_says_what_to_do_about_an_error() -> None:
    lines = ping_text("sync", 3, DOWN, None).splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("What to do: ")
    assert "FINANCE_API_BASE_URL" in lines[2]
    assert "bug in siaghsync: KeyError" in ping_text("sync", 70, KeyError("secret"), None)
    assert "secret" not in ping_text("sync", 70, KeyError("secret"), None)
