"""What became of each CRM document in Finance: one line per document, as plain data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Literal

from siaghsync.domain.document import Document, DocumentSource, Posted, grouped, net, net_with_tax, plain, same_amount
from siaghsync.messages.calendar import jalali

LineState = Literal["posted", "waiting", "review", "skipped", "missing"]
STATES: tuple[LineState, ...] = ("posted", "waiting", "review", "missing", "skipped")
How = Literal["posted", "with_quote", "with_invoice", "by_person"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A stable word and its sentence."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What the state file knows of one document.

    `posted_by` says how `posted` came about (create, link, person). `review` is an open question, `discarded` the reason
    of one that a person has put off for this very content. `twin` is the posted other half of a quote and its invoice.
    """

    customer_number: str = ""
    posted: Posted | None = None
    posted_by: str = ""
    review: Reason | None = None
    in_doubt: bool = False
    discarded: str | None = None
    waiting: Reason | None = None
    twin: Posted | None = None


@dataclass(frozen=True, slots=True)
class LineRules:
    """INVOICE_STATES, INVOICES_SINCE (by the CRM's own clock; None: no start) and PREINVOICE_SALE_MODEL."""

    states: Literal["numbered", "any"]
    since: dt.datetime | None
    sale_model: int


@dataclass(frozen=True, slots=True)
class Line:
    """One document and where it stands. `net` is before tax; `posted_net` is the net of what was posted, `reported_net`
    what Siagh said to it. `counted` is False for the other half of a quote and its invoice: both are one pre-invoice."""

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
    message: str | None = None
    how: How | None = None
    finance_number: str | None = None
    finance_key: str | None = None
    posted_net: Decimal | None = None
    reported_net: Decimal | None = None
    notes: tuple[str, ...] = ()
    in_crm: bool = True
    counted: bool = True

    @property
    def month(self) -> str:
        """Jalali year and month, `1404-09`."""
        return jalali(self.date, "-")[:7]

    def as_json(self) -> dict[str, Any]:
        """The line as plain data; amounts are text, so that nobody reads them as binary floats."""
        return {
            "crm_id": self.crm_id,
            "source": self.source,
            "number": self.number or None,
            "date": self.date.isoformat(),
            "jalali_date": jalali(self.date, "-"),
            "month": self.month,
            "customer_crm_id": self.customer_crm_id or None,
            "customer_number": self.customer_number or None,
            "subject": self.subject,
            "sale_model": self.sale_model,
            "net": plain(self.net),
            "net_with_tax": plain(self.net_with_tax),
            "state": self.state,
            "reason": self.reason,
            "message": self.message,
            "how": self.how,
            "finance_number": self.finance_number,
            "finance_key": self.finance_key,
            "posted_net": None if self.posted_net is None else plain(self.posted_net),
            "reported_net": None if self.reported_net is None else plain(self.reported_net),
            "notes": list(self.notes),
            "in_crm": self.in_crm,
            "counted": self.counted,
        }


CSV_COLUMNS = (
    "jalali_date", "date", "source", "number", "customer_number", "subject", "sale_model", "net", "net_with_tax", "state",
    "how", "finance_number", "finance_key", "posted_net", "reported_net", "reason", "message", "notes", "counted", "crm_id",
    "customer_crm_id",
)  # fmt: skip


def csv_cells(line: Mapping[str, Any]) -> list[str]:
    """A line's JSON as cells, in the order of CSV_COLUMNS. A text that a spreadsheet would run as a formula is disarmed."""
    return [_cell(line[name]) for name in CSV_COLUMNS]


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(value) if isinstance(value, list) else "" if value is None else str(value)
    is_formula = text.startswith(("=", "+", "-", "@", "\t", "\r")) and not text.removeprefix("-").isdecimal()
    return f"'{text}" if is_formula else text


# --- one document ------------------------------------------------------------------------------------------


def line_of(document: Document, known: Standing, rules: LineRules) -> Line:
    """Where a document stands: what was recorded goes first, then what the rules say, in the order that a sync has."""
    bare = Line(
        document.crm_id,
        document.source,
        document.number,
        document.date,
        document.customer_crm_id,
        known.customer_number,
        document.subject,
        rules.sale_model if document.sale_model is None else document.sale_model,
        net(document),
        net_with_tax(document),
        "missing",
    )
    if known.posted:
        changed = known.posted.checksum != document.checksum
        return _posted(bare, known, ["changed in the CRM since it was posted"] if changed else [])
    return _not_posted(bare, document, known, rules)


def line_of_deleted(known: Standing, rules: LineRules) -> Line:
    """The line of a posted document that is not in the CRM any more, as it stood when it was posted."""
    assert known.posted is not None
    said = known.posted.snapshot
    bare = Line(
        known.posted.crm_id,
        known.posted.source,
        said["number"],
        dt.date.fromisoformat(said["date"]),
        said["customer"],
        known.customer_number,
        said["subject"],
        rules.sale_model if said["sale_model"] is None else int(said["sale_model"]),
        Decimal(said["net"]),
        Decimal(said["net_with_tax"]),
        "posted",
        in_crm=False,
    )
    return _posted(bare, known, ["not in the CRM any more"])


def _posted(line: Line, known: Standing, notes: list[str]) -> Line:
    posted = known.posted
    assert posted is not None
    said, reported = posted.snapshot, posted.net
    expected = (Decimal(said["net"]), Decimal(said["net_with_tax"]))
    if reported is not None and not any(same_amount(reported, amount) for amount in expected):
        notes.append(f"Siagh reported a net of {grouped(reported)}, not {grouped(expected[0])}")
    if known.review:
        notes.append(f"in review: {known.review.reason}")
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


def _not_posted(line: Line, document: Document, known: Standing, rules: LineRules) -> Line:
    def stands(state: LineState, why: Reason, *, counted: bool = True) -> Line:
        return replace(line, state=state, reason=why.reason, message=why.message, counted=counted)

    created = document.created or dt.datetime.combine(document.date, dt.time.min)
    if known.review:
        return stands("review", known.review)
    if known.in_doubt:
        return stands("review", Reason("unknown_outcome", "It was sent, and no answer is on record yet."))
    if known.discarded:
        return stands("skipped", Reason("discarded", f"A person decided to leave it ({known.discarded})."))
    if rules.states == "numbered" and not document.number:
        return stands("skipped", Reason("not_numbered", "It has no number yet (INVOICE_STATES)."))
    if known.twin:
        text = f"The {known.twin.source} that belongs to it was posted as {known.twin.number or known.twin.key}."
        return stands("waiting", Reason("twin_posted", f"{text} The next sync decides about both."), counted=False)
    if rules.since and created < rules.since:
        text = f"It was created at {created}, before {rules.since} (INVOICES_SINCE)."
        return stands("skipped", Reason("before_start", text))
    if known.waiting:
        return stands("waiting", known.waiting)
    return stands("missing", Reason("not_seen", "Nothing is known of it. A sync has to read it first."))
