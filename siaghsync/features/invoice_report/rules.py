"""What became of each CRM document in Finance: one line per document, as plain data."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from siaghsync.domain.document import Document, DocumentSource, Posted, exact_sum, follows, net, net_with_tax, plain
from siaghsync.domain.reasons import Reason
from siaghsync.messages.calendar import TEHRAN, jalali
from siaghsync.messages.catalog import render
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_checks import difference
from siaghsync.planning.documents import DocumentRules, left_out

LineState = Literal["posted", "waiting", "review", "skipped", "missing"]
_ZERO = Decimal(0)


@dataclass(slots=True)
class Amount:
    """How many documents, and what they come to."""

    documents: int = 0
    net: Decimal = _ZERO

    def add(self, amount: Decimal) -> None:
        """Takes in one document."""
        self.documents += 1
        self.net = exact_sum([self.net, amount])


TOTALS = ("all", "posted", "changed", "open", "passed_over")
PARTS = ("posted", "changed", "waiting", "review", "passed_over")
"""What all documents are the sum of; the third and fourth are open. What no run has seen yet waits for the next one."""
_PART_OF: dict[LineState, str] = {
    "posted": "posted", "waiting": "waiting", "review": "review", "missing": "waiting", "skipped": "passed_over",
}  # fmt: skip
_GROUPS: dict[LineState, str] = {
    "posted": "posted", "waiting": "open", "review": "open", "missing": "open", "skipped": "skipped",
}  # fmt: skip


def part_of(line: Mapping[str, Any]) -> str:
    """Which of PARTS a line counts in."""
    return "changed" if line["changed"] else _PART_OF[line["state"]]


def present_net(line: Mapping[str, Any]) -> Decimal:
    """What a document comes to in the CRM now: 0 once it was deleted there."""
    return Decimal(line["net"]) if line["in_crm"] else _ZERO


def difference_of(line: Mapping[str, Any]) -> Decimal:
    """What a document comes to in the CRM now, less what it came to when it was posted; 0 if it has not changed since."""
    return exact_sum([present_net(line), -Decimal(line["posted_net"])]) if line["changed"] else _ZERO


@dataclass(slots=True)
class Parts:
    """Documents and their present net in the CRM, in all and by PARTS. `difference` is that of the changed ones."""

    cells: dict[str, Amount] = field(default_factory=lambda: {name: Amount() for name in ("all", *PARTS)})
    difference: Decimal = _ZERO

    def add(self, line: Mapping[str, Any]) -> None:
        """Takes in a line that counts."""
        for name in ("all", part_of(line)):
            self.cells[name].add(present_net(line))
        self.difference = exact_sum([self.difference, difference_of(line)])

    def join(self, other: Parts) -> None:
        """Takes in all of another."""
        for name, cell in other.cells.items():
            self.cells[name].documents += cell.documents
            self.cells[name].net = exact_sum([self.cells[name].net, cell.net])
        self.difference = exact_sum([self.difference, other.difference])


@dataclass(slots=True)
class Sums:
    """Counts by state, and sums by Jalali month and sale model, of all lines that were added."""

    states: Counter[str] = field(default_factory=Counter)
    parts: dict[tuple[str, str, str], Parts] = field(default_factory=dict)
    """By Jalali month (`1404-09`), source and the CRM's type code."""
    _sums: dict[tuple[str, int], dict[str, Amount]] = field(default_factory=dict)

    def add(self, line: Mapping[str, Any]) -> None:
        """Counts a line, given as plain data. A document whose pre-invoice is counted already is not summed a second time."""
        self.states[line["state"]] += 1
        if line["counted"]:
            cells = self._sums.setdefault((line["month"], line["sale_model"]), {})
            cells.setdefault("all", Amount()).add(Decimal(line["net"]))
            cells.setdefault(_GROUPS[line["state"]], Amount()).add(Decimal(line["posted_net"] or line["net"]))
            self.parts.setdefault((line["month"], line["source"], line["type"]), Parts()).add(line)

    def whole(self) -> Parts:
        """The sum of all parts."""
        return joined(self.parts.values())

    def totals(self) -> dict[str, dict[str, Any]]:
        """Documents and their present net in the CRM: all of them, and the four parts that they are the sum of."""
        whole = self.whole()
        both = [whole.cells[name] for name in ("waiting", "review")]
        still_open = Amount(sum(each.documents for each in both), exact_sum(each.net for each in both))
        found: dict[str, dict[str, Any]] = {}
        for name in TOTALS:
            each = still_open if name == "open" else whole.cells[name]
            found[name] = {"documents": each.documents, "net": plain(each.net)}
        found["changed"]["difference"] = plain(whole.difference)
        return found

    def counts(self) -> dict[str, int]:
        """How many documents there are, in all and by state."""
        return {"documents": self.states.total(), **{state: self.states[state] for state in STATES}}

    def rows(self) -> Iterator[dict[str, Any]]:
        """One row per month and sale model: pre-invoices and net in all (by the CRM), posted (as posted), open, skipped."""
        for (month, sale_model), cells in sorted(self._sums.items()):
            row: dict[str, Any] = {"month": month, "sale_model": sale_model}
            for name in ("all", "posted", "open", "skipped"):
                cell = cells.get(name, Amount())
                count, amount = ("documents", "net") if name == "all" else (name, f"net_{name}")
                row |= {count: cell.documents, amount: plain(cell.net)}
            yield row


def joined(several: Iterable[Parts]) -> Parts:
    """The sum of several."""
    found = Parts()
    for each in several:
        found.join(each)
    return found


STATES: tuple[LineState, ...] = ("posted", "waiting", "review", "missing", "skipped")
How = Literal["posted", "with_quote", "with_invoice", "by_person"]


@dataclass(frozen=True, slots=True)
class Why:
    """A stable word and its message."""

    reason: str
    message: Message


@dataclass(frozen=True, slots=True)
class Standing:
    """What the state file knows of one document.

    `posted_by` says how `posted` came about (create, link, person; empty without `posted`). `review` is an open question,
    `discarded` the reason of one that a person has put off for this very content. `twin` is the posted other half of a
    quote and its invoice. `skipped` says why it was passed over for the sake of its customer.
    """

    customer_number: str = ""
    posted_by: str = ""
    posted: Posted | None = None
    review: Why | None = None
    in_doubt: bool = False
    discarded: str | None = None
    waiting: Why | None = None
    twin: Posted | None = None
    skipped: Why | None = None
    customer_name: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One document and where it stands. `net` is before tax; `posted_net` is the net of what was posted, `reported_net`
    what Siagh said to it. `changed` says that the CRM shows another content by now than what was posted, or nothing at all.
    `counted` is False for the other half of a quote and its invoice: both are one pre-invoice."""

    crm_id: str
    source: DocumentSource
    number: str
    date: dt.date
    customer_crm_id: str
    customer_number: str
    subject: str
    sale_model: int
    net: Decimal
    net_with_tax: Decimal
    state: LineState
    reason: str | None = None
    message: Message | None = None
    how: How | None = None
    finance_number: str | None = None
    finance_key: str | None = None
    posted_net: Decimal | None = None
    reported_net: Decimal | None = None
    notes: tuple[Message, ...] = ()
    in_crm: bool = True
    changed: bool = False
    counted: bool = True
    customer_name: str = ""
    type_code: str = ""

    @property
    def month(self) -> str:
        """Jalali year and month, `1404-09`."""
        return jalali(self.date, "-")[:7]

    @property
    def order(self) -> tuple[str, str, str]:
        """What lines are sorted by: day, source, number."""
        return self.date.isoformat(), self.source, self.number

    def as_json(self) -> dict[str, Any]:
        """The line as plain data; amounts are text, so that nobody reads them as binary floats."""
        return {
            "crm_id": self.crm_id,
            "source": self.source,
            "type": self.type_code,
            "number": self.number or None,
            "date": self.date.isoformat(),
            "jalali_date": jalali(self.date, "-"),
            "month": self.month,
            "customer_crm_id": self.customer_crm_id or None,
            "customer_number": self.customer_number or None,
            "customer_name": self.customer_name or None,
            "subject": self.subject,
            "sale_model": self.sale_model,
            "net": plain(self.net),
            "net_with_tax": plain(self.net_with_tax),
            "state": self.state,
            "reason": self.reason,
            "message": render(self.message) if self.message else None,
            "how": self.how,
            "finance_number": self.finance_number,
            "finance_key": self.finance_key,
            "posted_net": None if self.posted_net is None else plain(self.posted_net),
            "reported_net": None if self.reported_net is None else plain(self.reported_net),
            "notes": [render(note) for note in self.notes],
            "in_crm": self.in_crm,
            "changed": self.changed,
            "counted": self.counted,
        }


CSV_COLUMNS = (
    "jalali_date", "date", "source", "type", "number", "customer_number", "customer_name", "subject", "sale_model", "net",
    "net_with_tax", "state", "how", "finance_number", "finance_key", "posted_net", "reported_net", "reason",
    "message", "notes", "changed", "counted", "crm_id", "customer_crm_id",
)  # fmt: skip


def csv_row(line: Mapping[str, Any]) -> list[object]:
    """A line's plain data as the cells of a table, in the order of CSV_COLUMNS."""
    return [_cell(line[name]) for name in CSV_COLUMNS]


def _cell(value: Any) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "; ".join(value) if isinstance(value, list) else value


# --- one document ------------------------------------------------------------------------------------------


def line_of(document: Document, known: Standing, rules: DocumentRules) -> Line:
    """Where a document stands: what was recorded goes first, then what the rules say, in the order that a sync has."""
    bare = Line(
        document.crm_id,
        document.source,
        document.number,
        document.date,
        document.customer_crm_id,
        known.customer_number,
        document.subject,
        rules.of(document.type_code, document.sale_model).sale_model,
        net(document),
        net_with_tax(document),
        "missing",
        customer_name=known.customer_name,
        type_code=document.type_code,
    )
    if known.posted:
        changed = bool(difference(known.posted.snapshot, document))
        bare = replace(bare, changed=changed)
        return _posted(bare, known.posted, known, [msg("invoices.changed")] if changed else [])
    return _not_posted(bare, document, known, rules)


def line_of_deleted(posted: Posted, known: Standing, rules: DocumentRules) -> Line:
    """The line of a posted document that is not in the CRM any more, as it stood when it was posted."""
    said = posted.snapshot
    by_code = None if said["sale_model"] is None else int(said["sale_model"])
    bare = Line(
        posted.crm_id,
        posted.source,
        said["number"],
        dt.date.fromisoformat(said["date"]),
        said["customer"],
        known.customer_number,
        said["subject"],
        rules.of(said.get("type_code") or "", by_code).sale_model,
        Decimal(said["net"]),
        Decimal(said["net_with_tax"]),
        "posted",
        in_crm=False,
        changed=True,
        customer_name=known.customer_name,
        type_code=said.get("type_code") or "",
    )
    return _posted(bare, posted, known, [msg("invoices.deleted")])


def _posted(line: Line, posted: Posted, known: Standing, notes: list[Message]) -> Line:
    reported = posted.net
    expected = (Decimal(posted.snapshot["net"]), Decimal(posted.snapshot["net_with_tax"]))
    if reported is not None and not follows(reported, expected, len(posted.snapshot["rows"])):
        notes.append(msg("invoices.net_differs", reported=plain(reported), expected=plain(expected[0])))
    if known.review:
        notes.append(msg("invoices.in_review", reason=known.review.reason))
    how = _how(posted, known.posted_by)
    return replace(
        line,
        state="posted",
        how=how,
        finance_number=posted.number,
        finance_key=posted.key or None,
        posted_net=expected[0],
        reported_net=reported,
        notes=tuple(notes),
        counted=how in ("posted", "by_person"),
    )


def _how(posted: Posted, posted_by: str) -> How:
    if posted_by == "link":
        return "with_quote" if posted.source == "invoice" else "with_invoice"
    return "by_person" if posted_by == "person" else "posted"


def _not_posted(line: Line, document: Document, known: Standing, rules: DocumentRules) -> Line:
    def stands(state: LineState, reason: str, message: Message, *, counted: bool = True) -> Line:
        return replace(line, state=state, reason=str(reason), message=message, counted=counted)

    created = document.created or dt.datetime.combine(document.date, dt.time.min)
    if known.review:
        return stands("review", known.review.reason, known.review.message)
    if known.in_doubt:
        return stands("review", Reason.UNKNOWN_OUTCOME, msg("reason.unknown_outcome_open"))
    if known.discarded:
        return stands("skipped", Reason.DISCARDED, msg("reason.discarded_question", question=known.discarded))
    if out := left_out(document, rules):
        return stands("skipped", *out)
    if known.twin:
        twin = {"twin_kind": known.twin.source, "posted": known.twin.number or known.twin.key}
        return stands("waiting", Reason.TWIN_POSTED, msg("reason.twin_posted", **twin), counted=False)
    if rules.since and created < rules.since:
        moments = {"created": _stored(created), "since": _stored(rules.since)}
        return stands("skipped", Reason.BEFORE_START, msg("reason.before_start", **moments))
    if known.skipped:
        return stands("skipped", known.skipped.reason, known.skipped.message)
    if known.waiting:
        return stands("waiting", known.waiting.reason, known.waiting.message)
    return stands("missing", Reason.NOT_SEEN, msg("reason.not_seen"))


def _stored(moment: dt.datetime) -> str:
    """A moment of the CRM's own clock (Tehran, without an offset) as messages carry it."""
    return moment.replace(tzinfo=TEHRAN).isoformat()
