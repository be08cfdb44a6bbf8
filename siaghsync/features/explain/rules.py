"""The life of one customer or document in plain sentences. Pure: what the state file knows goes in, text comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from siaghsync.domain.document import grouped
from siaghsync.features.explain.events import event
from siaghsync.messages.calendar import at
from siaghsync.messages.entry import NOTHING_TO_DO
from siaghsync.messages.index import reason

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the state file knows of one record; rows as they stand in its tables.

    `mapping` is the linked pair, or the document that was posted. `reviews` and `history` have the newest last, `intents`
    are those that are not settled, `documents` of a customer are those that were posted.
    """

    entity: Literal["customer", "invoice"]
    crm_id: str | None
    finance_code: int | None
    number: str
    kind: str
    name: str = ""
    mapping: Row | None = None
    reviews: Sequence[Row] = ()
    waiting: Sequence[Row] = ()
    skips: Sequence[Row] = ()
    intents: Sequence[Row] = ()
    history: Sequence[Row] = ()
    older: int = 0
    documents: Sequence[Row] = ()
    documents_waiting: int = 0
    customer: str = ""
    imported: bool = True
    ways_out: Sequence[str] = ()

    @property
    def question(self) -> Row | None:
        """The review that is open, or None."""
        return next((review for review in self.reviews if review["resolution"] is None), None)


@dataclass(frozen=True, slots=True)
class Section:
    """Some sentences under a heading."""

    heading: str
    sentences: tuple[str, ...]


def explain(dossier: Dossier) -> list[Section]:
    """The whole story: where it stands, what happened, what is open, what happens next and who must act."""
    stands = _document_stands(dossier) if dossier.entity == "invoice" else _customer_stands(dossier)
    sections = [
        Section("Where it stands", tuple(stands)),
        Section("What happened", tuple(_happened(dossier))),
        Section("What is open", tuple(_open(dossier))),
        Section("What happens next", tuple(_next(dossier))),
    ]
    return [section for section in sections if section.sentences]


def title(dossier: Dossier) -> str:
    """What the story is about."""
    known = [dossier.number, f"({dossier.name})" if dossier.name else ""]
    who = " ".join(part for part in known if part) or dossier.crm_id or f"finance contact {dossier.finance_code}"
    return f"{dossier.kind.capitalize()} {who}"


# --- where it stands ---------------------------------------------------------------------------------------

_LINKED_BY = {
    "marker": "the mark in the contact's notes said so",
    "number": "number and name, national code or phone agreed",
    "national_code": "national code and name agreed",
    "create": "one was made from the other",
    "person": "a person said so",
}
_POSTED_BY = {
    "create": "siaghsync posted it",
    "link": "it counts as one with the quote or invoice that was posted",
    "person": "a person said that it is there",
}


def _customer_stands(dossier: Dossier) -> Iterator[str]:
    pair = dossier.mapping
    if pair is None:
        known = [f"record {dossier.crm_id} of the CRM"] if dossier.crm_id else []
        known += [] if dossier.finance_code is None else [f"contact {dossier.finance_code} of Finance"]
        yield f"It is not linked: siaghsync knows {' and '.join(known) or 'its number'} only."
    else:
        why = _LINKED_BY.get(pair["linked_by"], pair["linked_by"])
        yield (
            f"Record {pair['crm_id']} of the CRM and contact {pair['finance_code']} of Finance are the same customer: {why}, "
            f"on {at(pair['created_at'])}."
        )
        if pair["checksum"] is None:
            yield "The two have not been compared since."
        else:
            yield f"When they were last compared or written, on {at(pair['updated_at'])}, they were in step."
    if dossier.documents:
        last = dossier.documents[-1]
        yield (
            f"{len(dossier.documents)} of its documents stand in Finance, the last one as pre-invoice "
            f"{last['finance_number'] or last['finance_key']}, since {at(last['posted_at'])}."
        )


def _document_stands(dossier: Dossier) -> Iterator[str]:
    posted = dossier.mapping
    if posted:
        name = posted["finance_number"] or f"with key {posted['finance_key']}"
        how = _POSTED_BY.get(posted["posted_by"], posted["posted_by"])
        yield f"It stands in Finance as pre-invoice {name}: {how}, on {at(posted['posted_at'])}."
        if posted["net"] is not None:
            yield f"Siagh reported a net amount of {_amount(posted['net'])}."
    elif dossier.intents:
        yield "It was sent to Finance, but nobody knows whether it stands there."
    else:
        yield "It does not stand in Finance, as far as siaghsync knows."
    yield f"In the CRM it is {dossier.kind} {dossier.crm_id}" + (
        f", of customer {dossier.customer}." if dossier.customer else "."
    )


def _amount(text: str) -> str:
    return grouped(Decimal(text))


# --- what happened -----------------------------------------------------------------------------------------


def _happened(dossier: Dossier) -> Iterator[str]:
    if dossier.older:
        yield f"Before that there are {dossier.older} more entries; `siaghsync log` has them."
    for row in dossier.history:
        yield event(row)


# --- what is open, what happens next -----------------------------------------------------------------------


def _open(dossier: Dossier) -> Iterator[str]:
    for skip in dossier.skips:
        known = reason(skip["reason"])
        why = known.sentence.en if known else skip["reason"].replace("_", " ")
        yield f"It is passed over on purpose since {at(skip['since'])}. {why}. That is no failure."
    for entry in dossier.waiting:
        tried = f", tried {entry['attempts']} time(s)" if entry["attempts"] else ""
        yield f"It waits since {at(entry['since'])}{tried}: {_ended(entry['message'])}"
    for intent in dossier.intents:
        looked = f" A look-up on {at(intent['missed_at'])} did not find it." if intent["missed_at"] else ""
        yield f"Of the {intent['action']} that left on {at(intent['opened_at'])} no clear answer is known.{looked}"
    if question := dossier.question:
        yield f"Since {at(question['since'])} it is a question for a person (review {question['id']}): {question['message']}"
    elif dossier.reviews and (last := dossier.reviews[-1])["resolution"] == "discard":
        when = f"on {at(last['resolved_at'])}" if last["resolved_at"] else "once"
        yield f"{last['resolved_by']} decided {when} to leave it as it is (review {last['id']}); only a change reopens that."


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _next(dossier: Dossier) -> Iterator[str]:
    if not dossier.imported:
        yield "You have to act: the initial import has not completed, and no sync runs before. Run `siaghsync initial-import`."
    if question := dossier.question:
        yield (
            f"A person has to act: `siaghsync review show {question['id']}` shows both sides, "
            f"`siaghsync review resolve {question['id']} {' | '.join(f'--{way}' for way in dossier.ways_out)}` decides. "
            "Until then siaghsync leaves it as it is."
        )
        return
    yield from _by_itself(dossier) or [NOTHING_TO_DO.en]
    if dossier.documents_waiting:
        yield f"{dossier.documents_waiting} document(s) wait for this customer, and are posted as soon as it is linked."


def _by_itself(dossier: Dossier) -> list[str]:
    """What the next runs do without a question to anybody."""
    if dossier.intents and dossier.entity == "invoice":
        return ["The next sync asks a person to look in Siagh: what may stand there is never posted again by itself."]
    if dossier.intents:
        return ["Nobody has to act: the next sync looks it up, and sends it again only if it surely is not there."]
    if dossier.waiting:
        entry = dossier.waiting[0]
        if entry["depends_on"]:
            return [
                f"It is posted in the run that links its customer; `siaghsync explain {entry['depends_on']}` tells more."
            ]
        return [f"Nobody has to act: the first sync after {at(entry['next_try_at'])} tries again."]
    if dossier.skips:
        known = reason(dossier.skips[0]["reason"])
        cure = known.cure.en if known else ""
        return [cure if cure.startswith("Nobody has to act") else f"Nobody has to act. {cure}".rstrip()]
    if dossier.mapping is None:
        return []
    if dossier.entity == "invoice":
        return [
            "Nobody has to act. If it is changed in the CRM now, a person is asked, since Siagh can't be changed from here."
        ]
    if dossier.mapping["checksum"] is None:
        return ["Nobody has to act: the next sync that reads it compares both sides, `siaghsync sync --full` at once."]
    return ["Nobody has to act: its next change in the CRM goes to Finance with the next sync."]
