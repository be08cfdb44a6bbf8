"""What a site's own servers have shown about an open question of the contracts, with evidence and date: learned facts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from siaghsync.domain.customer import AccountParties
from siaghsync.messages.message import Message
from siaghsync.state.database import State

PREINVOICE_CUSTOMER = "preinvoice_customer"
"""The question whom pre-invoices are booked on: `party`, `contact`, or None while it is open (contract siagh §4)."""


@dataclass(frozen=True, slots=True)
class Fact:
    """The answer to a question (None: still open), how it was found, what it rests on, and when (a stored UTC text)."""

    question: str
    answer: Any
    how: Literal["probe", "rehearsal", "setting"]
    evidence: Message
    at: str


def find(state: State, question: str) -> Fact | None:
    """What is known about a question, or None."""
    text = state.meta(_name(question))
    if text is None:
        return None
    data = json.loads(text)
    return Fact(question, data["answer"], data["how"], Message.from_json(data["evidence"]), data["at"])


def learn(state: State, fact: Fact) -> None:
    """Keeps a fact in place of an older one. What a probe shows does not replace what a rehearsal has found."""
    known = find(state, fact.question)
    if known and known.how == "rehearsal" and fact.how == "probe":
        return
    data = {"answer": fact.answer, "how": fact.how, "evidence": fact.evidence.as_json(), "at": fact.at}
    state.set_meta(_name(fact.question), json.dumps(data, ensure_ascii=False))


def of_parties(parties: AccountParties, at: str) -> Fact:
    """What the contacts say about PREINVOICE_CUSTOMER."""
    answer = "contact" if parties.verdict == "contact" else None
    return Fact(PREINVOICE_CUSTOMER, answer, "probe", parties.evidence(), at)


def _name(question: str) -> str:
    return f"fact: {question}"
