"""What a site's own servers have shown about an open question of the contracts, with evidence and date: learned facts."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from siaghsync.domain.customer import AccountParties
from siaghsync.domain.site import BY_NAME, QUESTIONS, Question
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.state.database import State

PREINVOICE_CUSTOMER = "preinvoice_customer"
"""The question whom pre-invoices are booked on: `party`, `contact`, or None while it is open (contract siagh §4)."""


_UNTOLD = "untold facts"
_IN_DOUBT = """
    SELECT name FROM meta WHERE name >= 'fact: ' AND name < 'fact:!' AND json_extract(value, '$.doubt') IS NOT NULL
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """The answer to a question (None: still open), how it was found, what it rests on, and when (a stored UTC text).

    `doubt` is another answer that a probe has found before or since, where the question bears on documents and no person has
    looked yet; None without one.
    """

    question: str
    answer: Any
    how: Literal["probe", "rehearsal", "setting"]
    evidence: Message
    at: str
    doubt: Any = None

    def as_json(self) -> dict[str, Any]:
        """The fact as in the JSON of `check-apis` and `rehearse`."""
        known = {"question": self.question, "answer": self.answer, "how": self.how}
        return {**known, "evidence": render(self.evidence), "at": self.at}


def find(state: State, question: str) -> Fact | None:
    """What is known about a question, or None."""
    text = state.meta(_name(question))
    if text is None:
        return None
    data = json.loads(text)
    evidence = Message.from_json(data["evidence"])
    return Fact(question, data["answer"], data["how"], evidence, data["at"], data.get("doubt"))


def about_reading(state: State) -> dict[str, Fact]:
    """What is known about the questions on which the way of reading the CRM depends, by question."""
    names = (question.name for question in QUESTIONS if question.falls_back)
    return {name: fact for name in names if (fact := find(state, name))}


def learn(state: State, fact: Fact) -> None:
    """Keeps a fact in place of an older one. That a probe contradicts that is among the `untold` until somebody was told.

    What a probe shows does not replace what a rehearsal has found. A contradiction by a probe stays in doubt where the question
    bears on documents, until a person answers it, or says whom pre-invoices are booked on, in a rehearsal.
    """
    known, question = find(state, fact.question), BY_NAME[fact.question]
    is_probe = fact.how == "probe"
    changed = known if known and not question.varies and _contradict(known.answer, fact.answer) else None
    with state.atomic():
        if known and known.how == "rehearsal" and is_probe:
            if changed and known.doubt != fact.answer:
                _keep(state, replace(known, doubt=fact.answer))
                _tell_later(state, question, changed.answer, fact.answer)
            return
        if is_probe and changed:
            _tell_later(state, question, changed.answer, fact.answer)
        if is_probe and question.holds_documents and known:
            fact = replace(fact, doubt=changed.answer if changed else known.doubt)
        if not is_probe and question.name == PREINVOICE_CUSTOMER:
            for each in filter(None, (find(state, name) for name in BY_NAME)):
                _keep(state, replace(each, doubt=None))
        _keep(state, fact)


def untold(state: State) -> list[Message]:
    """The answers that have changed and of which nobody was told yet, in words."""
    return [Message.from_json(data) for data in json.loads(state.meta(_UNTOLD) or "[]")]


def _tell_later(state: State, question: Question, before: Any, now: Any) -> None:
    change = _changed(question, before, now)
    if change not in untold(state):
        _keep_untold(state, [*untold(state), change])


def told(state: State, changes: Collection[Message]) -> None:
    """Somebody was told of these."""
    with state.atomic():
        _keep_untold(state, [change for change in untold(state) if change not in changes])


def _keep_untold(state: State, changes: Sequence[Message]) -> None:
    data = [change.as_json() for change in changes]
    state.set_meta(_UNTOLD, json.dumps(data, ensure_ascii=False) if data else None)


def doubts(state: State) -> list[Message]:
    """The contradictions for which documents wait, in words."""
    names = [row["name"] for row in state.rows(_IN_DOUBT)]
    found = (fact for question in BY_NAME if _name(question) in names and (fact := find(state, question)))
    return [_changed(BY_NAME[fact.question], *_in_order(fact)) for fact in found]


def _in_order(fact: Fact) -> tuple[Any, Any]:
    """(what was answered first, what was answered later)"""
    return (fact.answer, fact.doubt) if fact.how == "rehearsal" else (fact.doubt, fact.answer)


def _keep(state: State, fact: Fact) -> None:
    data = {
        "answer": fact.answer,
        "how": fact.how,
        "evidence": fact.evidence.as_json(),
        "at": fact.at,
        "doubt": fact.doubt,
    }
    state.set_meta(_name(fact.question), json.dumps(data, ensure_ascii=False))


def _contradict(before: Any, now: Any) -> bool:
    if isinstance(before, dict) and isinstance(now, dict):
        # A tally grows, and what has no number yet may get one.
        return any(now.get(key, value) != value for key, value in before.items() if value != "unnumbered")
    return before is not None and now is not None and before != now


def _changed(question: Question, before: Any, now: Any) -> Message:
    texts = {name: json.dumps(answer, ensure_ascii=False) for name, answer in (("before", before), ("now", now))}
    return msg("warning.fact_changed", question=question.message, **texts)


def of_parties(parties: AccountParties, at: str) -> Fact:
    """What the contacts say about PREINVOICE_CUSTOMER."""
    answer = "contact" if parties.verdict == "contact" else None
    return Fact(PREINVOICE_CUSTOMER, answer, "probe", parties.evidence(), at)


def of_session(life_s: float | None, at: str) -> Fact | None:
    """What the age of a session of Siagh says that ended while the program worked; None if none has."""
    return (
        None if life_s is None else Fact("siagh_session_life_s", round(life_s), "probe", msg("facts.session_ended"), at)
    )


def _name(question: str) -> str:
    return f"fact: {question}"
