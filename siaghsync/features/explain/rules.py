"""The life of one customer or document in plain sentences. Pure: what the state file knows goes in, messages come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from siaghsync.domain.document import plain
from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.features.explain.events import event
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, msg
from siaghsync.state.record_history import RecordHistory

_NO_CURE = frozenset({Reason.ADMIN_USER, Reason.GONE})
"""Reasons of a skip about which nobody can or has to do anything."""


@dataclass(frozen=True, slots=True)
class Cure:
    """Stands for the sentence that the catalog has as the cure of a code. That code's places are not filled."""

    code: str


Sentence = Message | Cure


@dataclass(frozen=True, slots=True)
class Section:
    """Some sentences under a heading."""

    heading: Message
    sentences: tuple[Sentence, ...]


def sentence_text(sentence: Sentence, language: catalog.Language = "en", *, isolate: bool = False) -> str:
    """A sentence in one language, on one line; "" for the cure of a code that has none. `isolate` as in `catalog.render`."""
    if isinstance(sentence, Cure):
        entry = catalog.find(sentence.code)
        return entry.cure.get(language, "") if entry else ""
    return " ".join(catalog.render(sentence, language, isolate=isolate).split())


def explain(history: RecordHistory) -> list[Section]:
    """The whole story: where it stands, what happened, what is open, what happens next and who must act."""
    stands = _document_stands(history) if history.entity == "invoice" else _customer_stands(history)
    sections = [
        Section(msg("explain.where_it_stands"), tuple(stands)),
        Section(msg("explain.what_happened"), tuple(_happened(history))),
        Section(msg("explain.what_is_open"), tuple(_open(history))),
        Section(msg("explain.what_happens_next"), tuple(_next(history))),
    ]
    return [section for section in sections if section.sentences]


def title(history: RecordHistory) -> Message:
    """What the story is about."""
    number, name = history.number, history.name
    who: Message | str | None = number or name or history.crm_id
    if number and name and name != number:
        who = msg("explain.number_and_name", number=number, name=name)
    if who is None:
        return msg("explain.contact", code=history.finance_code)
    if history.entity == "customer":
        return msg("explain.customer", who=who)
    return msg(f"explain.{history.kind or 'document'}", who=who)


# --- where it stands ---------------------------------------------------------------------------------------


def _customer_stands(history: RecordHistory) -> Iterator[Message]:
    pair = history.mapping
    if pair is None:
        yield _not_linked(history.crm_id, history.finance_code)
    else:
        why = msg(f"match.{pair.linked_by}")
        yield msg("explain.linked", crm_id=pair.crm_id, code=pair.finance_code, why=why, at=pair.linked_at)
        if pair.checksum is None:
            yield msg("explain.not_compared")
        else:
            yield msg("explain.in_step", at=pair.updated_at)
    if history.documents:
        last = history.documents[-1]
        yield msg(
            "explain.documents_posted",
            count=len(history.documents),
            preinvoice=last.posted.number or last.posted.key,
            at=last.posted_at,
        )


def _not_linked(crm_id: str | None, code: int | None) -> Message:
    if crm_id and code is not None:
        return msg("explain.not_linked", crm_id=crm_id, code=code)
    if crm_id:
        return msg("explain.not_linked_record", crm_id=crm_id)
    if code is not None:
        return msg("explain.not_linked_contact", code=code)
    return msg("explain.not_linked_number")


def _document_stands(history: RecordHistory) -> Iterator[Message]:
    entry = history.posted
    if entry:
        posted, how, at = entry.posted, msg(f"explain.posted_by_{entry.posted_by}"), entry.posted_at
        if posted.number:
            yield msg("explain.posted", preinvoice=posted.number, how=how, at=at)
        else:
            yield msg("explain.posted_with_key", key=posted.key, how=how, at=at)
        if posted.net is not None:
            yield msg("explain.net", net=plain(posted.net))
    else:
        yield msg("explain.posting_in_doubt" if history.intents else "explain.not_posted")
    yield msg(f"explain.{history.kind or 'document'}_in_crm", crm_id=history.crm_id)
    if history.customer:
        yield msg("explain.of_customer", number=history.customer)


# --- what happened -----------------------------------------------------------------------------------------


def _happened(history: RecordHistory) -> Iterator[Message]:
    if history.older:
        yield msg("explain.older", count=history.older)
    yield from map(event, history.events)


# --- what is open, what happens next -----------------------------------------------------------------------


def _open(history: RecordHistory) -> Iterator[Message]:
    for skip in history.skips:
        yield msg("explain.skipped", since=skip.since, reason=skip.reason)
    for retry in history.waiting:
        if retry.attempts:
            yield msg("explain.waits_tried", since=retry.since, attempts=retry.attempts, why=retry.message)
        else:
            yield msg("explain.waits", since=retry.since, why=retry.message)
    for intent in history.intents:
        yield msg(f"explain.unsettled_{intent.action.operation}", at=intent.opened_at)
        if intent.missed_at:
            yield msg("explain.looked_up", at=intent.missed_at)
    if question := history.question:
        yield msg("explain.question", since=question.since, id=question.id, question=question.message)
    elif history.reviews and (last := history.reviews[-1]).resolution == Resolution.DISCARD:
        yield msg("explain.left_alone", by=last.resolved_by, at=last.resolved_at, id=last.id)


def _next(history: RecordHistory) -> Iterator[Sentence]:
    if not history.imported:
        yield msg("explain.import_first")
    if question := history.question:
        ways = " | ".join(f"--{way}" for way in question.ways_out)
        yield msg("explain.decide", id=question.id, ways=ways)
        return
    yield from _by_itself(history)
    if history.documents_waiting:
        yield msg("explain.documents_wait", count=history.documents_waiting)


def _by_itself(history: RecordHistory) -> Iterator[Sentence]:
    """What the next runs do without asking anybody."""
    if history.intents:
        yield msg("explain.looks_in_siagh" if history.entity == "invoice" else "explain.looks_it_up")
    elif history.waiting:
        retry = history.waiting[0]
        if retry.depends_on is None:
            yield msg("explain.tries_again", at=retry.next_try_at)
        elif retry.reason == Reason.QUOTE_IN_DOUBT:
            yield msg("explain.decided_with_quote", quote=retry.depends_on)
        else:
            yield msg("explain.posted_with_customer", customer=retry.depends_on)
    elif history.skips:
        yield from _passed_over(history.skips[0].reason)
    else:
        yield _at_rest(history)


def _passed_over(reason: str) -> Iterator[Sentence]:
    if reason == Reason.DISCARDED:
        yield msg("explain.only_a_change")
        return
    yield msg("explain.nothing_to_do")
    if reason not in _NO_CURE:
        yield Cure(f"reason.{reason}")


def _at_rest(history: RecordHistory) -> Message:
    """What happens next to a record about which nothing is open."""
    if history.posted:
        return msg("explain.edited_after_posting")
    if history.mapping is None:
        return msg("explain.nothing_to_do")
    return msg("explain.compared_next" if history.mapping.checksum is None else "explain.next_change")
