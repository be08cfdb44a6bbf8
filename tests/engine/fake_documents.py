"""Quotes and invoices of a world, what became of them in Siagh, and the person who looks there when nobody else can know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from siaghsync.sandbox.books import PreInvoice
from tests.engine.bench import Bench
from tests.engine.moments import FOR_THEIR_CUSTOMER

IN_DOUBT = {("invoice", "unknown_outcome"), ("invoice", "may_be_posted")}
"""What only a look into Siagh can settle."""
CHANGED = {
    "changed_after_posting", "withdrawn_after_posting", "deleted_after_posting", "quote_posted_already",
    "differs_from_posted_quote", "differs_from_posted_invoice",
}  # fmt: skip
"""What the edits made here may rightly bring before a person."""


@dataclass
class Paper:
    """A document: what is in the CRM under `number`, and which of them count as one with it."""

    crm_id: str
    number: str
    family: str
    customer: str
    is_quote: bool


class Papers:
    """All documents of one world. Their numbers are nobody else's, so a pre-invoice can be told by its note."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.all: list[Paper] = []
        self.left: set[str] = set()
        """What a person has decided to leave as it is."""

    def quote(self, customer: str, price: int) -> None:
        """A new quote."""
        crm_id = self.bench.sandbox.crm.add_quote(customer, rows(price), number=self._number())
        self.all.append(Paper(crm_id, self._number(), crm_id, customer, is_quote=True))

    def invoice(self, customer: str, price: int) -> None:
        """A new invoice that comes from no quote."""
        crm_id = self.bench.sandbox.crm.add_invoice(customer, rows(price), number=self._number())
        self.all.append(Paper(crm_id, self._number(), crm_id, customer, is_quote=False))

    def invoice_of(self, which: int) -> None:
        """An invoice made from one of the quotes, with its rows."""
        documents = self.bench.sandbox.crm.documents
        quotes = [paper for paper in self.all if paper.is_quote and paper.crm_id in documents]
        if not quotes:
            return
        quote = quotes[which % len(quotes)]
        crm_id = self.bench.sandbox.crm.add_invoice(
            quote.customer, documents[quote.crm_id]["details"], number=self._number(), relatedQuoteId=quote.crm_id
        )
        self.all.append(Paper(crm_id, self._number(), quote.family, quote.customer, is_quote=False))

    def _number(self) -> str:
        return f"100-1405/{len(self.all) + 1}"

    def edit(self, which: int, price: int) -> None:
        """Somebody corrects a price; with 0 the number is taken away, as when a document is sent back."""
        if paper := self._one(which):
            changes: dict[str, Any] = {"details": rows(price), "totalValue": None, "finalValue": None}
            self.bench.sandbox.crm.edit(paper.crm_id, **(changes if price else {"number": ""}))

    def delete(self, which: int) -> None:
        """A document is deleted in the CRM."""
        if paper := self._one(which):
            self.bench.sandbox.crm.delete(paper.crm_id)

    def _one(self, which: int) -> Paper | None:
        left = [paper for paper in self.all if paper.crm_id in self.bench.sandbox.crm.documents]
        return left[which % len(left)] if left else None

    # --- the person ---

    def decide(self, run: Callable[..., Any]) -> int:
        """Somebody looks into Siagh for each document in doubt, and says what is there. Returns how many there were."""
        if not self._is_asked(reason for _, reason in IN_DOUBT):
            return 0
        found = self.in_siagh()
        items = [item for item in run("review").report["items"] if (item["entity"], item["reason"]) in IN_DOUBT]
        for item in items:
            (family,) = (paper.family for paper in self.all if paper.crm_id == item["crm_id"])
            there = [n for paper in self.all if paper.family == family for n in found.get(paper.number, ())]
            way = ("--posted", str(there[0])) if there else ("--retry",)
            ended = run("review", "resolve", str(item["id"]), *way)
            assert ended.code == 0, ended
        return len(items)

    def declare_gone(self, run: Callable[..., Any]) -> None:
        """Somebody says which pre-invoices an earlier copy of Siagh has not."""
        there = {str(posted.number) for posted in self.bench.sandbox.finance.preinvoices}
        for paper in self.all:
            posted = self.bench.rows(f"SELECT finance_number FROM posted_documents WHERE crm_id = '{paper.crm_id}'")
            if posted and posted[0]["finance_number"] not in {*there, None}:
                ended = run("links", "remove", paper.crm_id, "--yes")
                assert ended.code == 0, ended

    def leave(self, run: Callable[..., Any]) -> None:
        """Somebody accepts all changes that came after posting."""
        if not self._is_asked(CHANGED):
            return
        for item in run("review").report["items"]:
            if item["reason"] in CHANGED:
                ended = run("review", "resolve", str(item["id"]), "--discard")
                assert ended.code == 0, ended
                self.left.add(item["crm_id"])

    def _is_asked(self, reasons: Iterable[str]) -> bool:
        """Whether it is worth a command to ask for the reviews."""
        asked = {row["reason"] for row in self.bench.rows("SELECT reason FROM reviews WHERE resolution IS NULL")}
        return not asked.isdisjoint(reasons)

    # --- the truth ---

    def in_siagh(self) -> dict[str, list[int]]:
        """CRM number -> the pre-invoices with it in their notes."""
        found = defaultdict(list)
        for posted in self.bench.sandbox.finance.preinvoices:
            found[number_of(posted)].append(posted.number)
        return found

    def twice(self) -> list[str]:
        """Families of which more than one pre-invoice stands in Siagh. Wrong at every moment."""
        found = self.in_siagh()
        families: defaultdict[str, list[str]] = defaultdict(list)
        for paper in self.all:
            families[paper.family] += [f"{number} for {paper.number}" for number in found.get(paper.number, ())]
        strangers = [f"pre-invoice {n} is nobody's" for n in found.keys() - {paper.number for paper in self.all}]
        return [f"posted twice: {', '.join(posted)}" for posted in families.values() if len(posted) > 1] + strangers

    def wrong(self) -> list[str]:
        """What is wrong once all has settled: not posted though nothing stands in the way, or to a wrong account."""
        documents, found = self.bench.sandbox.crm.documents, self.in_siagh()
        codes = {r["crm_id"]: r["finance_code"] for r in self.bench.rows("SELECT * FROM customer_mappings")}
        asked = {r["record"] for r in self.bench.rows("SELECT record FROM reviews WHERE resolution IS NULL")}
        told = asked | self.left
        settled = {r["crm_id"] for r in self.bench.rows("SELECT crm_id FROM posted_documents")}
        held_up = {
            r["record"]: r["depends_on"]
            for r in self.bench.rows("SELECT * FROM retries WHERE entity = 'invoice'")
            if r["reason"] in FOR_THEIR_CUSTOMER
        }
        done = {paper.family for paper in self.all if found.get(paper.number)}
        faults = []
        for paper in self.all:
            numbered = paper.crm_id in documents and documents[paper.crm_id]["number"]
            customer_asked = paper.customer in asked or paper.customer not in self.bench.sandbox.crm.records
            waits = held_up.get(paper.crm_id) == paper.customer and customer_asked
            if numbered and not (waits or paper.crm_id in told or (paper.crm_id in settled and paper.family in done)):
                faults.append(f"{paper.number} is not in Finance, and nobody was told")
            if waits and paper.customer in codes and paper.customer not in asked:
                faults.append(f"{paper.number} waits for a customer who is linked")
        return faults


def number_of(posted: PreInvoice) -> str:
    """The CRM number of the document that a pre-invoice was made from, by its note."""
    return posted.fields["tozihat"].rpartition(" ")[2].removesuffix("]")


def rows(price: int) -> list[dict[str, Any]]:
    """The rows of a document."""
    return [{"productCode": "Product-1", "count": Decimal(2), "baseUnitPrice": Decimal(price * 1000)}]
