"""Simulated runs of `sync` while people edit, add, renumber and delete records between the pages of its lists.

    python -m tests.engine.paging                                100 runs in each combination; exit 1 on any fault
    python -m tests.engine.paging --runs 10 --combination date+order --seed 3
    python -m tests.engine.paging --part 1/2                     every second combination, for two processes at once

A combination says what the CRM's find does not do (contract payamgostar §3.2). Each run begins with edits over hours and a
sync that is disturbed at its requests; syncs that nobody disturbs follow until nothing is left to do. Then Finance must have
each customer's last value and each document once, and the program must have noticed what find does not do.

The sites differ by their seed: length of a page, whether answers bear a date, how far the CRM's clock is from ours, whether its
dates have whole seconds, the order that it answers in by itself. Documents that no list can show are told of by webhooks.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, combinations
from pathlib import Path
from random import Random
from unittest.mock import patch

from siaghsync import clock
from siaghsync.sandbox import Sandbox
from siaghsync.sandbox.people import legal_id, national_code
from siaghsync.sandbox.shapes import Kind
from siaghsync.state import webhook_queue
from siaghsync.state.audit import stamp
from siaghsync.state.database import open_state
from siaghsync.state.webhook_queue import Call
from tests.engine.fake_documents import number_of, rows
from tests.indoors import Indoors

DOCUMENTS = {"quote/sales/find", "invoice/sales/find"}
CUSTOMERS = {"person/find", "organization/find"}
LACKS = ("date", "order", "page", "type", "documents", "customers")
"""What find may not do: filter by date, order, give another page than the first, do without a type, be there at all."""
Combination = tuple[str, ...]
ALL: list[Combination] = [
    some
    for some in chain.from_iterable(combinations(LACKS, count) for count in range(len(LACKS) + 1))
    if not {"documents", "customers"} < set(some)  # where find is nowhere, nothing of it can be seen
]
TYPES = ("PI_5", "PI_6")
NAMED = "نفر"
LONGEST = 500
"""A page that holds every list."""
MOST_SYNCS = 12
PAUSE = 700.0
"""Seconds between two syncs that nobody disturbs: longer than the stretch that each one reads again."""


class Clocks:
    """The program's clock and those of both systems, which all go on at the same pace."""

    def __init__(self, sandbox: Sandbox, skew: float) -> None:
        self.sandbox, self.skew, self.ahead = sandbox, skew, 0.0
        self.advance(0)

    def advance(self, seconds: float) -> None:
        """Lets time pass."""
        self.ahead += seconds
        self.sandbox.crm.clock_offset = self.ahead + self.skew
        self.sandbox.finance.clock_offset = self.ahead

    @contextmanager
    def set(self) -> Iterator[None]:
        """Inside the block the program sees the moved clock."""
        with (
            patch.object(clock, "now", lambda: datetime.now(UTC) + timedelta(seconds=self.ahead)),
            patch.object(clock, "monotonic", lambda: time.monotonic() + self.ahead),
        ):
            yield


class People:
    """Those who work in the CRM. Names, addresses and numbers are never used twice, so that each value can be told."""

    def __init__(self, world: Indoors, dice: Random) -> None:
        self.world, self.crm, self.dice, self.count = world, world.crm, dice, 0
        self.numbers: dict[str, str] = {}
        """CRM id -> number of each document that has one."""
        self.drafts: list[str] = []
        self.touched: list[str] = []
        """Documents that were added or edited and that no webhook has told of yet."""
        self._keepers = set(self.customers)

    @property
    def customers(self) -> list[str]:
        """The CRM's customers of the subtypes that are synced, in the order of their ids."""
        return sorted(i for i, r in self.crm.records.items() if r["crmObjectTypeCode"] != "lead")

    def act(self) -> None:
        """Somebody does something."""
        acts: list[tuple[Callable[[], object], int]] = [
            (self.edit, 8), (self.edit_many, 2), (self.renumber, 1), (self.add, 3), (self.remove, 3), (self.remake, 1),
            (self.add_document, 2), (self.add_draft, 2), (self.finish_draft, 3), (self.touch_document, 2), (self.remove_draft, 1),
        ]  # fmt: skip
        self.dice.choices([act for act, _ in acts], [weight for _, weight in acts])[0]()

    def _next(self) -> int:
        self.count += 1
        return self.count

    def edit(self) -> None:
        """A customer gets another e-mail address, web site or name."""
        number = self._next()
        name, value = self.dice.choice(
            [
                ("email", f"e{number}@example.com"),
                ("website", f"https://{number}.example.com"),
                ("nickName", f"نام {number}"),
            ]
        )
        self.crm.edit(self.dice.choice(self.customers), **{name: value})

    def edit_many(self) -> None:
        """Several customers get the very same date, as by a bulk edit; not all of them are really changed."""
        at = self.crm.stamp()
        for crm_id in self.dice.sample(self.customers, self.dice.randint(2, 12)):
            changed = self.dice.random() < 0.6
            self.crm.edit(crm_id, modifyDate=at, **({"email": f"e{self._next()}@example.com"} if changed else {}))

    def renumber(self) -> None:
        """A customer gets another number."""
        self.crm.edit(self.dice.choice(self.customers), customerNumber=str(50_000 + self._next()))

    def add(self) -> None:
        """A new customer."""
        if len(self.customers) < 40:
            number = self._next()
            known = {
                "nickName": f"{NAMED} {number}",
                "customerNumber": str(50_000 + number),
                "email": f"e{number}@example.com",
            }
            kinds: list[tuple[Kind, str]] = [
                ("person", national_code(10_000_000 + 37 * number)),
                ("organization", legal_id(1_400_000_000 + number)),
            ]
            kind, code = self.dice.choice(kinds)
            self.crm.add(kind, {**known, "nationalCode": code})

    def remove(self) -> None:
        """A customer without documents is deleted."""
        if others := sorted(set(self.customers) - self._keepers):
            self.crm.delete(self.dice.choice(others))

    def remake(self) -> None:
        """A linked customer is deleted and entered again under the same name and number."""
        linked = {crm_id for (crm_id,) in self.world.rows("SELECT crm_id FROM customer_mappings")}
        if others := sorted(linked.intersection(self.customers) - self._keepers):
            crm_id = self.dice.choice(others)
            record, kind = self.crm.records[crm_id], self.crm.kind(crm_id)
            kept = {name: record[name] for name in ("nickName", "customerNumber", "nationalCode", "email", "website")}
            self.crm.delete(crm_id)
            self.crm.add(kind, kept)

    def add_document(self) -> None:
        """A quote or invoice that has a number from the start."""
        crm_id, number = self.add_draft(), f"D-{self._next()}"
        self.crm.edit(crm_id, number=number)
        self.drafts.remove(crm_id)
        self.numbers[crm_id] = number

    def add_draft(self) -> str:
        """A quote or invoice without a number, so nothing that may be posted."""
        add = self.dice.choice((self.crm.add_quote, self.crm.add_invoice))
        customer = self.dice.choice(sorted(self._keepers))
        crm_id = add(customer, rows(self._next()), number="", crmObjectTypeCode=self.dice.choice(TYPES))
        self.drafts.append(crm_id)
        self.touched.append(crm_id)
        return crm_id

    def finish_draft(self) -> None:
        """A quote or invoice gets its number: from now on it may be posted."""
        if self.drafts:
            crm_id = self.drafts.pop(self.dice.randrange(len(self.drafts)))
            self.numbers[crm_id] = f"D-{self._next()}"
            self.crm.edit(crm_id, number=self.numbers[crm_id])
            self.touched.append(crm_id)

    def touch_document(self) -> None:
        """A remark in a document, which changes nothing in Finance."""
        if self.numbers:
            crm_id = self.dice.choice(sorted(self.numbers))
            self.crm.edit(crm_id, subject=f"{self._next()}")
            self.touched.append(crm_id)

    def remove_draft(self) -> None:
        """A quote or invoice without a number is deleted."""
        if self.drafts:
            self.crm.delete(self.drafts.pop(self.dice.randrange(len(self.drafts))))


class Site:
    """One installation, at a CRM whose find lacks something."""

    def __init__(self, folder: Path, lacks: Combination, seed: int, stack: ExitStack) -> None:
        self.lacks, self.dice = set(lacks), Random(f"{lacks} {seed}")
        folder.mkdir()
        sandbox = stack.enter_context(Sandbox(16, also_in_crm=16))
        self.world = Indoors(folder, sandbox)
        self.world.set(PREINVOICE_CUSTOMER="contact", INVOICES_SINCE="2020-01-01", HTTP_TIMEOUT_SECONDS="600")
        self.clocks = Clocks(sandbox, self.dice.choice((0, 0, -208, 7200, -7200)))
        self._switch()
        for crm_id in self.dice.sample(sorted(sandbox.crm.records), 16):
            self.clocks.advance(self.dice.choice((0, 1, 1000)))
            sandbox.crm.edit(crm_id, description="")
        sandbox.crm.add_person(lastName="بیگانه", crmObjectTypeCode="lead", customerNumber="987")
        self.people = People(self.world, self.dice)
        for _ in range(4):
            self.people.add_document()
            self.clocks.advance(
                9000
            )  # all of them within the stretch that is read again would show nothing of a filter
        sandbox.on_event(self._on_event)
        self._edits = 0
        self.faults: list[str] = []
        self.noticed: set[str] = set()
        with self.clocks.set():
            self.world.imported()
            self._settle()
            self._noes()

    def _switch(self) -> None:
        crm, dice = self.world.crm, self.dice
        crm.date_header = dice.random() < 0.5
        crm.date_precision = dice.choice(("ms", "seconds"))
        crm.page_cap = dice.choice((3, 5, 8, LONGEST))
        crm.own_order = dice.choice(("CrmId", "newest", "oldest"))
        crm.find_filters_by_date = "date" not in self.lacks
        crm.find_orders = "order" not in self.lacks
        crm.find_pages = "page" not in self.lacks
        crm.empty_type_key_means_all = "type" not in self.lacks
        crm.missing = (DOCUMENTS if "documents" in self.lacks else set()) | (
            CUSTOMERS if "customers" in self.lacks else set()
        )

    def __str__(self) -> str:
        crm = self.world.crm
        return (
            f"pages of {crm.page_cap}, dates in {crm.date_precision}, header {crm.date_header}, own order {crm.own_order}, "
            f"clock {self.clocks.skew:+.0f} s"
        )

    def _on_event(self, system: str, endpoint: str, stage: str) -> None:
        # When a request has come in, the pages before it were answered, and its own is not made yet.
        is_reading = system == "crm" and stage == "received" and endpoint.endswith(("find", "search", "get"))
        if is_reading and self._edits and self.dice.random() < 0.5:
            self._edits -= 1
            self.clocks.advance(self.dice.choice((0, 0, 0.01, 2, 400)))
            for _ in range(self.dice.randint(1, 4)):
                self.people.act()

    def run(self) -> list[str]:
        """One simulated run; returns what is wrong after it."""
        self.faults = []
        for _ in range(self.dice.randint(0, 6)):
            self.clocks.advance(self.dice.choice((0, 1, 60, 900)))
            self.people.act()
        with self.clocks.set():
            self._edits = self.dice.randint(1, 8)
            self._sync(*(["--full"] if self.dice.random() < 0.1 else []))
            self._edits = 0
            self._settle()
            self.judge()
        return self.faults

    def _sync(self, *options: str) -> bool:
        """Whether there was nothing to do."""
        self._tell()
        ended = self.world.run("--verbose", "sync", *options, "--json")
        if ended.exit_code:
            document = ended.json
            told = [c for c in document.get("changes", []) if c["action"] == "review"] + document.get("failures", [])
            trace = ended.stderr[-2000:] if ended.exit_code == 70 else ""
            self.faults.append(f"exit code {ended.exit_code}: {document.get('error') or told}{trace}")
            return True
        # What an unfinished list shows is passed over again each time.
        self.changes = [change for change in ended.json["changes"] if change["action"] != "skip"]
        return not self.changes

    def _settle(self) -> None:
        self.clocks.advance(5)
        self._sync()
        for _ in range(MOST_SYNCS):
            self.clocks.advance(PAUSE)
            if self._sync():
                return
        self.faults.append(f"there was something to do in each of {MOST_SYNCS} syncs, last {self.changes}")

    def _tell(self) -> None:
        """The CRM's webhooks, kept as `serve` keeps them."""
        told, self.people.touched = self.people.touched, []
        if told and ("documents" in self.lacks or ("page" in self.lacks and self.world.crm.page_cap < LONGEST)):
            there = [crm_id for crm_id in told if crm_id in self.world.crm.documents]
            calls = [Call(self.world.crm.kind(crm_id), crm_id, "update") for crm_id in there]
            with closing(open_state(self.world.state_file)) as state:
                assert webhook_queue.keep(state, calls, stamp(clock.now()), 1000)

    # --- the truth ---

    def judge(self) -> None:
        """Adds what is wrong now to `faults`."""
        status = self.world.run("status", "--json").json
        waiting = {name: status[name] for name in ("pending", "failed", "review") if status[name]}
        self.faults += [f"status: {waiting}"] if waiting else []
        self._judge_customers()
        self._judge_documents()
        self._judge_fallbacks(status["fallbacks"])

    def _judge_customers(self) -> None:
        codes = dict(self.world.rows("SELECT crm_id, finance_code FROM customer_mappings"))
        contacts, records = self.world.finance.contacts, self.world.crm.records
        for crm_id in self.people.customers:
            record = records[crm_id]
            contact = contacts.get(codes.get(crm_id, 0))
            if contact is None:
                self.faults.append(f"customer {record['customerNumber']} ({record['nickName']}) is not in Finance")
                continue
            for name, its in (("nickName", "Name"), ("email", "Email"), ("website", "WebSiteAddress")):
                if (record[name] or "") != (contact[its] or ""):
                    self.faults.append(
                        f"customer {record['customerNumber']}: {name} {record[name]} of {record['modifyDate']} is lost, "
                        f"Finance has {contact[its]}"
                    )
        names = Counter(contact["Name"] for contact in contacts.values())
        self.faults += [f"{count} contacts are called {name}" for name, count in names.items() if count > 1]

    def _judge_documents(self) -> None:
        posted = Counter(number_of(each) for each in self.world.finance.preinvoices)
        for crm_id, number in self.people.numbers.items():
            if posted[number] != 1:
                date = self.world.crm.documents[crm_id]["modifyDate"]
                self.faults.append(f"document {number} of {date} was posted {posted[number]} times")
        self.faults += [f"{n} should not be posted" for n in posted.keys() - set(self.people.numbers.values())]

    def _judge_fallbacks(self, told: list[str]) -> None:
        """What find does not do was noticed once what came back has shown it, and nothing else was."""
        noes = self._noes()
        lacking = {word for lack, word in WORDS.items() if lack in self.lacks}
        must = lacking - ({"without_type"} if "documents" in self.lacks else set())
        by_pages = "date" in self.lacks or ("order" in self.lacks and self.world.crm.own_order != "oldest")
        if not by_pages or self.world.crm.page_cap == LONGEST:
            must -= {"pages"}  # it shows only where one date fills a page
        if "page" in self.lacks and self.world.crm.page_cap < LONGEST:
            must -= {"filters_by_date"}  # a list that is longer than its one page is asked for whole each time
        if self.world.crm.own_order == "oldest":
            must -= {"orders"}  # reading upwards is as if it obeyed
        if "customers" in self.lacks:
            must -= {"filters_by_date", "orders", "pages"}  # the lists of documents may be too short to show it
        if (wrong := noes - lacking) or (missing := must - self.noticed):
            self.faults.append(f"said to be lacking: {sorted(wrong)}" if wrong else f"not noticed: {sorted(missing)}")
        if len(told) != len(noes):
            self.faults.append(f"status names only {told}, and known is {sorted(noes)}")

    def _noes(self) -> set[str]:
        found = self.world.rows("SELECT name, value FROM meta WHERE name LIKE 'fact: find_%'")
        noes = {name.removeprefix("fact: find_") for name, value in found if json.loads(value)["answer"] is False}
        self.noticed |= noes
        return noes


WORDS = {
    "date": "filters_by_date",
    "order": "orders",
    "page": "pages",
    "type": "without_type",
    "documents": "documents",
    "customers": "customers",
}


def simulate(folder: Path, lacks: Combination, seed: int, runs: int) -> Iterator[str]:
    """So many runs at one site. Gives what was wrong after each, ending with the first run that had faults."""
    with ExitStack() as stack:
        site = Site(folder / f"{'+'.join(lacks)}-{seed}", lacks, seed, stack)
        yield "\n".join([str(site), *site.faults]) if site.faults else ""
        for number in range(runs):
            faults = site.run()
            yield "\n    ".join([f"run {number} of seed {seed}, {site}", *faults]) if faults else ""
            if faults:
                return


RUNS_AT_A_SITE = 10


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="runs in each combination")
    parser.add_argument(
        "--combination", default="", help="only this one, as date+order; `none` where nothing is lacking"
    )
    parser.add_argument("--part", default="1/1", help="1/2 or 2/2: every second combination")
    parser.add_argument("--seed", type=int, default=0, help="the first site's seed")
    options = parser.parse_args()
    which, parts = map(int, options.part.split("/"))
    chosen = [some for some in ALL if options.combination in ("", "+".join(some) or "none")][which - 1 :: parts]
    begun, bad = time.monotonic(), 0
    for lacks in chosen:
        faults, started, sites = [], time.monotonic(), -(-options.runs // RUNS_AT_A_SITE)
        for site in range(sites):
            with tempfile.TemporaryDirectory() as folder:
                runs = min(RUNS_AT_A_SITE, options.runs)
                faults += [f for f in simulate(Path(folder), lacks, options.seed + site, runs) if f]
        bad += len(faults)
        seconds = time.monotonic() - started
        print(
            f"{'+'.join(lacks) or 'none':40} {options.runs:5} runs {len(faults):4} faults {seconds:6.0f} s", flush=True
        )
        for fault in faults[:5]:
            print(f"  FAULT {fault}", flush=True)
    print(f"{len(chosen)} combinations, {bad} faults, {time.monotonic() - begun:.0f} s")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
