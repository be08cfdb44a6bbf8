"""Takes links over from a file: each pair is looked for in both systems first, and what contradicts is left out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from siaghsync.connectors.payamgostar.documents import document_from_crm
from siaghsync.domain.action import Action
from siaghsync.domain.evidence import contradict
from siaghsync.domain.reasons import AuditOutcome, Match, Operation
from siaghsync.errors import BadRecord, CallError, InDoubt, Refused
from siaghsync.features.links.table_file import Row
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.planning.customers import link
from siaghsync.planning.documents import DocumentCase, action_about
from siaghsync.sync.context import RunContext, RunReport
from siaghsync.sync.document_outcomes import remember
from siaghsync.sync.lists import read_both
from siaghsync.sync.outcomes import OutcomeRecorder


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A line that was not taken over, and why."""

    row: Row
    why: Message

    def as_json(self) -> dict[str, Any]:
        """The line as in the JSON of `links import`."""
        row = self.row
        told = {"line": row.line, "crm_id": row.crm_id or None, "finance_code": row.finance_id or None}
        return {**told, "reason": self.why.code.removeprefix("links."), "message": render(self.why)}


@dataclass(slots=True)
class TakenOver:
    """How many customers were linked, documents counted as posted, and pairs known before; and what was left out."""

    links: int = 0
    documents: int = 0
    known: int = 0
    left_out: list[LeftOut] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The document of `links import --json`."""
        left_out = [each.as_json() for each in self.left_out]
        return {"links": self.links, "documents": self.documents, "known": self.known, "left_out": left_out}


def take_over(context: RunContext, report: RunReport, rows: list[Row]) -> TakenOver:
    """Takes the rows over, one transaction each. Raises CallError if a system can't be read; what was taken over stays."""
    found, outcomes = TakenOver(), OutcomeRecorder.of(context, report)
    if any(row.entity == "customer" for row in rows):
        read_both(context)
    doubled = _doubled(rows)
    for row in rows:
        planned = _problem_of(row, doubled) or (
            _document(context, row) if row.entity == "invoice" else _customer(context, row)
        )
        if isinstance(planned, Message):
            found.left_out.append(LeftOut(row, planned))
        elif planned is None:
            found.known += 1
        elif row.entity == "invoice":
            _count_as_posted(context, planned, row.finance_id)
            found.documents += 1
        else:
            outcomes.linked(planned, tell=False)
            found.links += 1
    return found


def _doubled(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """The ids of either side that stand in more than one pair; a document has one pre-invoice, which can stand for two."""
    partners: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row.crm_id and row.finance_id:
            partners.setdefault(("crm", row.crm_id), set()).add(row.finance_id)
            if row.entity == "customer":
                partners.setdefault(("customer", row.finance_id), set()).add(row.crm_id)
    return {key for key, others in partners.items() if len(others) > 1}


def _problem_of(row: Row, doubled: set[tuple[str, str]]) -> Message | None:
    """What is wrong with a line in itself."""
    if row.entity is None:
        return msg("links.other_kind")
    if not (row.crm_id and row.finance_id):
        return msg("links.one_side_empty")
    if not (row.finance_id.isdecimal() and len(row.finance_id) < 19):
        return msg("links.not_a_code", code=row.finance_id)
    is_doubled = {("crm", row.crm_id), (row.entity, row.finance_id)} & doubled
    return msg("links.more_than_one") if is_doubled else None


def _customer(context: RunContext, row: Row) -> Action | Message | None:
    """The link of a pair, why it can't be linked, or None if it is linked already."""
    code = int(row.finance_id)
    mine, its = context.mappings.of_crm(row.crm_id), context.mappings.of_code(code)
    if mine or its:
        return None if mine == its else msg("links.linked_otherwise")
    customer, contact = context.staging.customer(row.crm_id), context.staging.contact(code)
    if customer is None:
        return msg("links.not_in_crm")
    if contact is None or contact.admin:
        return msg("links.not_in_finance", code=code)
    if contradict(customer.kind, customer.national_code, contact):
        return msg("links.contradicts", customer=customer.name, contact=contact.name)
    return link(customer, contact, Match.IMPORTED, context.rules, target="crm")


def _document(context: RunContext, row: Row) -> Action | Message | None:
    """The posted document, why it can't count as one, or None if it does already."""
    if known := context.posted.of(row.crm_id):
        return None if row.finance_id in (known.number, known.key) else msg("links.linked_otherwise")
    doubt: CallError | None = None
    for source in ("quote", "invoice"):
        try:
            raw = context.by_id.get(source, row.crm_id)
            if raw is None:
                continue
            document = document_from_crm(raw, source)
        except BadRecord as error:
            return msg("links.unreadable", why=error.message)
        except (InDoubt, Refused) as error:  # it may be of the other kind
            doubt = error
            continue
        mapping = context.mappings.of_crm(document.customer_crm_id)
        case = DocumentCase(document, fiscal_year=None, customer_number=mapping.customer_number if mapping else "")
        return action_about(case, Operation.LINK, None, msg("links.posted_before", number=row.finance_id))
    if isinstance(doubt, Refused):  # the CRM refuses what is no id at all
        return msg("links.unreadable", why=doubt.message)
    if doubt:
        raise doubt
    return msg("links.not_in_crm")


def _count_as_posted(context: RunContext, document: Action, number: str) -> None:
    with context.state.atomic():
        remember(context.run, document, number, "", None, posted_by="person")
        context.run.note(document, AuditOutcome.DONE, finance_code=int(number))
