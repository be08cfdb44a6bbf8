"""Anything in any order: edits on both sides, faults, kills, late commits, imports and syncs, by a state machine.

HYPOTHESIS_PROFILE=full runs 2,000 examples (EXAMPLES=n: so many) of up to 50 steps; the default is a small sample.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from siaghsync.sandbox import Fault
from siaghsync.sandbox.hooks import Entry
from tests.engine.backups import CrmCopy, SiaghCopy
from tests.engine.bench import Bench
from tests.engine.fake_customers import Folk
from tests.engine.fake_documents import CHANGED, Papers, number_of
from tests.engine.late_commit import carry_out
from tests.engine.matrix import WAYS
from tests.engine.moments import Ended, Trap, World
from tests.engine.oracle import Ledger, judge
from tests.engine.persons import NOBODY, Persons, is_lost_sight_of, of_contact, of_record
from tests.engine.scenarios import CLEARS_EMAIL, FULL, GRACE, IMPORT, SYNC, edit, newcomer
from tests.environment import SINCE

_STAMPS = ("crmId", "creatDate", "modifyDate")
EMPTY = World((), (), None, 0.0)
PLACES = (
    "crm", "finance", "crm:person/create", "crm:person/find", "crm:quote/sales", "crm:invoice/sales",
    "finance:SaveFormData", "finance:SaveFormData/preinvoice", "finance:GetAll",
)  # fmt: skip
QUICK_WAYS = sorted(way for way in WAYS if "timeout" not in way and way != "drip")
COMMANDS = (IMPORT, SYNC, SYNC, FULL)
UNSURE = {
    "stranger", "several_candidates", "possible_duplicate", "number_twice", "number_taken", "double_in_crm",
    "double_in_finance",
}  # fmt: skip
"""What may rightly be asked once people have given numbers or codes to somebody else, or have entered a customer again."""
LOST = "reason IN ('missing_in_finance', 'contact_replaced')"
"""Questions about customers whose link is dead: it ends once somebody else gets the code."""
PAUSES = st.sampled_from((1, 30, GRACE + 1, 400))
FULL_PROFILE = os.environ.get("HYPOTHESIS_PROFILE") == "full"
EXAMPLES, STEPS = (int(os.environ.get("EXAMPLES", "2000")), 50) if FULL_PROFILE else (12, 20)


class Machine(RuleBasedStateMachine):
    """One world after the other on one bench.

    What a killed run has got done depends on the moment; so no rule has a precondition, or Hypothesis could not repeat what
    it did. A rule that makes no sense at present does nothing.
    """

    bench: ClassVar[Bench]

    def __init__(self) -> None:
        super().__init__()
        self.folk = Folk()
        self.ledger = Ledger()
        self.persons = Persons()
        self.who: dict[str, int] = {}
        """CRM id -> whose it is or was."""
        self.booked = 0
        self.linked: dict[str, int] = {}
        self.late: list[Entry] = []
        self.copy: dict[str, bytes] = {}
        self.siagh_copy: tuple[SiaghCopy, dict[int, dict[str, Any]], set[int]] | None = None
        self.crm_copy: CrmCopy | None = None
        self.restored: set[str] = set()
        """CRM ids of what a restore has taken back to an earlier state."""
        self.renumbered: set[int] = set()
        """Whose number people have changed."""
        self.bad_in_a_row = self.losses = self.numbers_given = 0
        self.imported = self.deleted = self.reused = self.gone = self.has_forgotten = False
        self.may_ask: set[str] = set(CHANGED)
        self.papers = Papers(self.bench)
        self.bench.settings = {"UNKNOWN_GRACE_SECONDS": str(GRACE), "CONCURRENCY": "3", **SINCE}
        self.bench.restore(EMPTY)
        # As real servers' do; without dates nobody can know of a clock that was set.
        self.bench.sandbox.crm.date_header = self.bench.sandbox.finance.date_header = True

    # --- what people do in Finance ---

    @initialize(size=st.integers(2, 5))
    def begin(self, size: int) -> None:
        self._note(self.bench.sandbox.finance.add_contact(Name="مدیر", IsAdminUser=True), due=False)
        for _ in range(size):
            self.contact_is_added()

    @rule()
    def contact_is_added(self) -> None:
        code = self.bench.sandbox.finance.add_contact(**self.folk.next().contact())
        self.persons.meet(of_contact(self.bench.sandbox.finance.contacts[code]))
        self._note(code, due=not self.imported)

    @rule(which=st.integers(0, 99), city=st.integers(1, 9), shared=st.booleans())
    def contact_is_edited(self, which: int, city: int, shared: bool) -> None:
        """What is `shared` lasts only where the CRM has no value of its own."""
        codes = sorted(self.ledger.contacts)[1:]
        code = codes[which % len(codes)]
        drift = {"Email": f"drift{city}@example.com", "Address": f"خیابان {city}"} if shared else {}
        self.persons.give(NOBODY, of_contact(defaultdict(str, drift)))
        self.bench.sandbox.finance.edit(code, CityCode=city, FatherName=f"پدر {city}", **drift)
        self._note(code, due=code in self.ledger.due)

    @rule(which=st.integers(0, 99))
    def contact_is_deleted(self, which: int) -> None:
        if self.deleted or len(self.linked) < 5:
            return
        codes = sorted(self.linked.values())
        self.bench.sandbox.finance.delete(codes[which % len(codes)])
        self.ledger.contacts.pop(codes[which % len(codes)], None)
        self.deleted = True
        self.may_ask |= {"missing_in_finance", "refused"}  # Siagh takes no document of a customer who is not there

    @rule(which=st.integers(0, 99))
    def code_is_given_to_somebody_else(self, which: int) -> None:
        if self.reused or len(self.linked) < 5:
            return
        codes = sorted(self.linked.values())
        code = codes[which % len(codes)]
        finance = self.bench.sandbox.finance
        if code not in finance.contacts:
            return
        finance.delete(code)
        finance.add_contact(Code=code, **self.folk.next().contact())
        self.persons.meet(of_contact(finance.contacts[code]))
        self._note(code, due=False)
        self.ledger.due.discard(code)  # an import that is done takes no newcomer to the CRM
        self.reused = True
        self.may_ask |= {"contact_replaced", "refused", *UNSURE}

    def _note(self, code: int, *, due: bool) -> None:
        self.ledger.contacts[code] = dict(self.bench.sandbox.finance.contacts[code])
        if due:
            self.ledger.due.add(code)

    # --- what people do in the CRM ---

    @rule(behind=st.sampled_from((0, 0, 300)))
    def customer_is_added(self, behind: int) -> None:
        """With `behind`, one that becomes visible so many seconds after its ModifyDate."""
        crm_id = self._enter(newcomer(self.bench, self.folk))
        if behind:
            crm = self.bench.sandbox.crm
            past = (crm.now() - timedelta(seconds=behind)).replace(tzinfo=None)
            crm.edit(crm_id, modifyDate=past.isoformat(timespec="milliseconds").rstrip("0").removesuffix("."))

    @rule(which=st.integers(0, 99))
    def number_is_given_twice(self, which: int) -> None:
        if not self.bench.sandbox.crm.records:
            return
        number = self._customer(which)[1]["customerNumber"]
        self._enter(newcomer(self.bench, self.folk, number=number))
        self.may_ask |= UNSURE

    def _enter(self, crm_id: str) -> str:
        self.ledger.records.add(crm_id)
        self.who[crm_id] = self.persons.meet(of_record(self.bench.sandbox.crm.records[crm_id]))
        return crm_id

    @rule(which=st.integers(0, 99), way=st.integers(0, 4))
    def customer_is_edited(self, which: int, way: int) -> None:
        if not self.imported or not self.bench.sandbox.crm.records:
            return
        self._meet_new_records()
        crm_id, record = self._customer(which)
        if way == CLEARS_EMAIL:
            self.ledger.cleared.add(crm_id)
        # Without a national code, a new number would cost the link if the state file were lost afterwards.
        edit(self.bench, self.folk, crm_id, way if record["nationalCode"] else way % 3)
        if self.bench.sandbox.crm.records[crm_id]["customerNumber"] != record["customerNumber"]:
            self.renumbered.add(self.who[crm_id])
        self.persons.give(self.who[crm_id], of_record(self.bench.sandbox.crm.records[crm_id]))

    @rule(which=st.integers(0, 99))
    def customer_is_renumbered(self, which: int) -> None:
        """And nothing else of it changes."""
        if self.bench.sandbox.crm.records:
            self._renumber(self._customer(which)[0], self._fresh_number())

    @rule(which=st.integers(0, 99), other=st.integers(0, 99))
    def numbers_are_exchanged(self, which: int, other: int) -> None:
        if not self.bench.sandbox.crm.records:
            return
        pair = self._customer(which), self._customer(other)
        for (crm_id, _), (_, record) in zip(pair, pair[::-1], strict=True):
            self._renumber(crm_id, record["customerNumber"])

    def _renumber(self, crm_id: str, number: str) -> None:
        self.bench.sandbox.crm.edit(crm_id, customerNumber=number)
        self.ledger.numbered.add(crm_id)
        self.renumbered.add(self.who.get(crm_id, NOBODY))
        self.may_ask |= UNSURE

    def _fresh_number(self) -> str:
        self.numbers_given += 1
        return str(90_000 + self.numbers_given)

    @rule(which=st.integers(0, 99))
    def customer_is_deleted(self, which: int) -> None:
        if self.gone or len(self.linked) < 5:
            return
        self.gone = True
        self.bench.sandbox.crm.delete(self._customer(which)[0])

    @rule(which=st.integers(0, 99))
    def customer_is_entered_again(self, which: int) -> None:
        """Deleted by mistake, and put back with all that it had, but under another id."""
        crm = self.bench.sandbox.crm
        if not crm.records:
            return
        old, record = self._customer(which)
        kind = crm.kind(old)
        crm.delete(old)
        new = crm.add(kind, {name: value for name, value in record.items() if name not in _STAMPS})
        self.who[new] = self.who.get(
            old, self.persons.of(of_record(record))
        )  # nobody has looked since the server made it
        self.ledger.records.add(new)
        for known in (self.ledger.cleared, self.ledger.restored):
            if old in known:
                known.add(new)
        self.may_ask |= UNSURE

    @rule(step=st.integers(1, 3))
    def many_are_edited_at_once(self, step: int) -> None:
        """So that they all carry the same ModifyDate."""
        if not self.imported or not self.bench.sandbox.crm.records:
            return
        crm = self.bench.sandbox.crm
        stamp = crm.stamp()
        name = self.folk.name()
        for which in range(0, len(crm.records), step):
            crm.edit(self._customer(which)[0], website=f"https://example.com/{name}", modifyDate=stamp)

    def _customer(self, which: int) -> tuple[str, dict[str, Any]]:
        records = sorted(self.bench.sandbox.crm.records.items(), key=lambda item: str(item[1]["nickName"]))
        return records[which % len(records)]

    # --- quotes and invoices ---

    @rule(which=st.integers(0, 99), price=st.integers(1, 999), from_quote=st.booleans())
    def document_is_added(self, which: int, price: int, from_quote: bool) -> None:
        if self.bench.sandbox.crm.records:
            add = self.papers.quote if from_quote else self.papers.invoice
            add(self._customer(which)[0], price)

    @rule(which=st.integers(0, 99))
    def quote_becomes_an_invoice(self, which: int) -> None:
        self.papers.invoice_of(which)

    @rule(which=st.integers(0, 99), price=st.sampled_from((0, 7, 8, 9)))
    def document_is_edited(self, which: int, price: int) -> None:
        self.papers.edit(which, price)

    @rule(which=st.integers(0, 99))
    def document_is_deleted(self, which: int) -> None:
        self.papers.delete(which)

    @rule()
    def person_looks_into_siagh(self) -> None:
        if self.imported:
            self.papers.decide(self.bench.run)

    @rule()
    def person_accepts_changes(self) -> None:
        if self.imported:
            self.papers.leave(self.bench.run)

    # --- what happens to the program ---

    @rule(command=st.sampled_from(COMMANDS), pause=PAUSES)
    def run(self, command: tuple[str, ...], pause: int) -> None:
        self._run(command, pause)
        self.bad_in_a_row = 0

    @rule(pause=PAUSES)
    def dry_run(self, pause: int) -> None:
        ended = self._run((*SYNC, "--dry-run"), pause)
        assert not [event for event in ended.events if event.stage == "committed"], ended

    @rule(command=st.sampled_from(COMMANDS), pause=PAUSES, at=st.integers(1, 50), lost=st.booleans())
    def run_is_killed(self, command: tuple[str, ...], pause: int, at: int, lost: bool) -> None:
        if self.bad_in_a_row >= 2:
            return
        self._run(command, pause, Trap(at, lost))
        self.bad_in_a_row += 1
        self.losses += lost

    @rule(
        command=st.sampled_from(COMMANDS), pause=PAUSES, way=st.sampled_from(QUICK_WAYS), place=st.sampled_from(PLACES),
        skip=st.integers(0, 4), times=st.integers(1, 2),
    )  # fmt: skip
    def run_is_disturbed(
        self, command: tuple[str, ...], pause: int, way: str, place: str, skip: int, times: int
    ) -> None:
        if self.bad_in_a_row >= 2:
            return
        self.bench.sandbox.faults.arm(Fault(where=place, skip=skip, times=times, **WAYS[way]))
        self._run(command, pause)
        self.bench.sandbox.faults.clear()
        self.bad_in_a_row += 1
        self.losses += 1

    @rule(command=st.sampled_from(COMMANDS[:2]), pause=PAUSES, kill=st.booleans())
    def server_takes_its_time(self, command: tuple[str, ...], pause: int, kill: bool) -> None:
        """The first create gets no answer, and is carried out only later: see below."""
        if self.bad_in_a_row >= 2 or self.late:
            return

        def arrived(system: str, endpoint: str, stage: str) -> None:
            if stage == "received" and endpoint.endswith("create") and not self.late:
                self.late.append(self.bench.sandbox.journal.entries[-1])
                self.bench.sandbox.faults.arm(Fault("close_before", f"{system}:{endpoint}"))
                if kill:
                    self.bench.kill()

        forget = self.bench.sandbox.on_event(arrived)
        self._run(command, pause)
        forget()
        self.bad_in_a_row += 1
        self.losses += 1

    @rule()
    def server_gets_round_to_it(self) -> None:
        """Within the grace time (what lies beyond it is the matter of `matrix.try_late`)."""
        if self.late and self.bench.rows("SELECT 1 FROM intents WHERE state IN ('open', 'unknown')"):
            carry_out(self.bench.sandbox, self.late.pop())

    @rule(command=st.sampled_from(COMMANDS), pause=PAUSES, days=st.sampled_from((-30, -1, 1, 400)))
    def own_clock_is_wrong(self, command: tuple[str, ...], pause: int, days: int) -> None:
        """For one run."""
        self.bench.skew = days * 86_400.0
        self._run(command, pause)
        self.bench.skew = 0.0

    @rule(command=st.sampled_from(COMMANDS[1:]), pause=PAUSES, hours=st.sampled_from((-2, 2)))
    def crm_clock_is_wrong(self, command: tuple[str, ...], pause: int, hours: int) -> None:
        """For one sync, and until the next run: so what people do in between bears a wrong date. An import needs no clock."""
        if not self.late:
            self._run(command, pause, crm_ahead=hours * 3600.0)
            self.copy = {}  # which does not know that the clock was set

    @rule(command=st.sampled_from(COMMANDS), pause=PAUSES)
    def state_file_is_reached_by_a_link(self, command: tuple[str, ...], pause: int) -> None:
        """Which leads to the same file. A second hard link would not, and is refused."""
        if not self.bench.state.exists():
            return
        other = self.bench.folder / "other.db"
        try:
            other.hardlink_to(self.bench.state)
            ended = self.bench.run(*command)
            # What had come in before goes on being answered: the last event of a late commit may lag behind its answer.
            began = [event for event in ended.events if event.stage == "received"]
            assert (ended.code, began) == (2, []), ended
            other.unlink()
            other.symlink_to(self.bench.state)
            self.bench.settings["SIAGHSYNC_STATE"] = str(other)
            self._run(command, pause)
        finally:
            self.bench.settings.pop("SIAGHSYNC_STATE", None)
            other.unlink(missing_ok=True)

    @rule()
    def state_file_is_lost(self) -> None:
        """A sync must not take that for a first run; a new import links everything again."""
        if not self.imported or self.late:
            return
        self._settle()
        self.bench.lose_state()
        self.copy = {}
        assert self.bench.run(*SYNC).code == 2
        self.linked = {}
        self.has_forgotten = True
        self.imported = False
        contacts = self.bench.sandbox.finance.contacts
        self.ledger.due = {code for code, contact in contacts.items() if not contact["IsAdminUser"]}

    @rule()
    def state_file_is_copied(self) -> None:
        """By `cp`, with the log that a killed run may have left."""
        self.copy = {}
        if self.imported:
            found = {ending: Path(f"{self.bench.state}{ending}") for ending in ("", "-wal")}
            self.copy = {ending: path.read_bytes() for ending, path in found.items() if path.exists()}

    @rule()
    def copy_is_put_back(self) -> None:
        """Only the lock file can tell. What was posted since is asked about, and customers are found again."""
        if not self.copy or self.late:
            return
        self.bench.lose_state()
        for ending, content in self.copy.items():
            Path(f"{self.bench.state}{ending}").write_bytes(content)
        self.linked = self._pairs()
        self.has_forgotten = True

    # --- what administrators do to the systems ---

    @rule()
    def siagh_is_copied(self) -> None:
        self.siagh_copy = SiaghCopy.of(self.bench.sandbox.finance), dict(self.ledger.contacts), set(self.ledger.due)

    @rule()
    def siagh_is_restored(self) -> None:
        """Codes and numbers are given again to others. Somebody tells which pre-invoices are gone."""
        if not self.siagh_copy or self.late or self._would_brake(len(self.siagh_copy[0].contacts)):
            return
        finance = self.bench.sandbox.finance
        copy, self.ledger.contacts, self.ledger.due = self.siagh_copy
        self.siagh_copy = None
        copy.put_back(finance)
        self.copy = {}  # which would know of pre-invoices that are gone, and nobody would look again
        self.papers.declare_gone(self.bench.run)
        self.booked = len(finance.preinvoices)
        self.has_forgotten = True
        self.may_ask |= {"missing_in_finance", "contact_replaced", "refused", *UNSURE}

    @rule()
    def crm_is_copied(self) -> None:
        self.crm_copy = CrmCopy.of(self.bench.sandbox.crm)

    @rule()
    def crm_is_restored(self) -> None:
        """What came back is older than what was seen, and so changes nothing until people touch it."""
        crm = self.bench.sandbox.crm
        if not self.crm_copy or self.late or self._would_brake(len(self.crm_copy.records.keys() & self.who.keys())):
            return
        restored = self.crm_copy.put_back(crm)
        self.restored |= restored
        self.ledger.cleared |= restored
        self.ledger.restored |= restored
        self.crm_copy = None
        self.may_ask |= UNSURE

    def _would_brake(self, left: int) -> bool:
        """Whether so few customers would be left that each run stops; what is in doubt may come to be linked first."""
        return left * 2 < len(self._pairs()) + 4

    @rule(command=st.sampled_from(COMMANDS[1:]), pause=PAUSES, age=st.sampled_from((1, 60, 600)))
    def page_is_stale(self, command: tuple[str, ...], pause: int, age: int) -> None:
        """For one run, `find` answers out of a cache, from so many seconds before the pause."""
        crm = self.bench.sandbox.crm
        moment = (crm.now() - timedelta(seconds=age)).replace(tzinfo=None)
        crm.find_as_of = moment.isoformat(timespec="milliseconds")
        self._run(command, pause)
        crm.find_as_of = None

    @rule(
        command=st.sampled_from(COMMANDS[1:]), pause=PAUSES, which=st.integers(0, 99),
        answer=st.sampled_from(("404", "null", "400", "empty")),
    )  # fmt: skip
    def record_is_not_shown(self, command: tuple[str, ...], pause: int, which: int, answer: Any) -> None:
        """For one run, `get` answers one record as it answers unknown ids, in one way or another."""
        crm = self.bench.sandbox.crm
        known = sorted([*crm.records, *crm.documents])
        crm.unshown, crm.unknown_id = {known[which % len(known)]} if known else set(), answer
        self._run(command, pause)
        crm.unshown, crm.unknown_id = set(), "404"

    def _pairs(self) -> dict[str, int]:
        found = self.bench.rows("SELECT crm_id, finance_code FROM customer_mappings")
        return {row["crm_id"]: row["finance_code"] for row in found}

    @rule(command=st.sampled_from(COMMANDS), pause=PAUSES, at=st.integers(1, 50))
    def lock_file_is_lost_during_a_run(self, command: tuple[str, ...], pause: int, at: int) -> None:
        """The run ends before it sends more; the next one goes on."""
        passed = itertools.count(1)

        def event(*_: str) -> None:
            if next(passed) == at:
                Path(f"{self.bench.state}.lock").unlink(missing_ok=True)
                self.copy = {}  # nobody could tell it from the state file any more

        forget = self.bench.sandbox.on_event(event)
        self._run(command, pause)
        forget()

    def _doubt(self) -> None:
        """Notes whom the next run may make a second time.

        Nobody else can be lost sight of than whose link went with a state file or whose mark with a restore, and whose number
        people have changed.
        """
        pairs = self._pairs()
        contacts, records = self.bench.sandbox.finance.contacts, self.bench.sandbox.crm.records
        codes = {self.persons.of(of_contact(contact)): code for code, contact in contacts.items()}
        for crm_id in records.keys() & self.who.keys():
            code = codes.get(self.who[crm_id])
            excused = self.has_forgotten or self.who[crm_id] in self.renumbered
            if not code or not excused or pairs.get(crm_id) == code:
                continue
            if is_lost_sight_of(records[crm_id], code, contacts[code]):
                self.persons.may_double.add(self.who[crm_id])

    def _settle(self) -> None:
        self._doubt()
        # Also the import, since what it has left in doubt is its own to settle.
        for command in (IMPORT, SYNC, FULL):
            ended, _ = self.bench.rest(*command, pause=GRACE + 1)
            assert ended.is_quiet, ended
            while self.papers.decide(self.bench.run):
                ended, _ = self.bench.rest(*SYNC, pause=GRACE + 1)
                assert ended.is_quiet, ended

    def _run(self, command: tuple[str, ...], pause: int, *traps: Trap, crm_ahead: float = 0.0) -> Ended:
        if self.late and pause > GRACE // 3:
            pause = 1
        self.bench.advance(pause)
        self.bench.sandbox.crm.clock_offset += crm_ahead
        self._doubt()
        ended = self.bench.run(*command, traps=traps)
        assert ended.code not in (70, 99), ended
        if not self.imported:
            self.imported = bool(self.bench.rows("SELECT 1 FROM meta WHERE name = 'initial_import_completed_at'"))
        self._check()
        return ended

    def _check(self) -> None:
        """What holds at every moment: nobody is there twice or has a stranger's values, and who is linked stays linked."""
        pairs = self._pairs()
        there = self.bench.sandbox.crm.records
        lost = {r["record"] for r in self.bench.rows(f"SELECT record FROM reviews WHERE resolution IS NULL AND {LOST}")}
        assert {pair for pair in self.linked.items() if pair[0] in there and pair[0] not in lost} <= pairs.items()
        assert len(set(pairs.values())) == len(pairs)
        self.linked = pairs
        contacts, records = self.bench.sandbox.finance.contacts, dict(self.bench.sandbox.crm.records)
        self._meet_new_records()
        asked = {r["record"] for r in self.bench.rows("SELECT record FROM reviews WHERE resolution IS NULL")}
        of_contacts = {code: of_contact(contact) for code, contact in contacts.items()}
        of_records = {crm_id: of_record(record) for crm_id, record in records.items()}
        wrong = [
            *self.persons.mixed(contacts, records),
            *self.persons.twice(of_contacts, self.ledger.contacts, {code for code in contacts if str(code) in asked}),
            *self.persons.twice(of_records, self.ledger.records, asked),
            *self.papers.twice(),
            *self._misbooked(),
        ]
        assert not wrong, wrong

    def _meet_new_records(self) -> None:
        records = self.bench.sandbox.crm.records.items()
        self.who |= {i: self.persons.of(of_record(record)) for i, record in records if i not in self.who}

    def _misbooked(self) -> list[str]:
        """The new pre-invoices that stand on somebody else's account."""
        finance = self.bench.sandbox.finance
        new, self.booked = finance.preinvoices[self.booked :], len(finance.preinvoices)
        owed_by = {paper.number: self.who[paper.customer] for paper in self.papers.all}
        return [
            f"{posted} is booked on a stranger"
            for posted in new
            if posted.customer is None
            or owed_by[number_of(posted)] not in self.persons.among(of_contact(finance.contacts[posted.customer]))
        ]

    def teardown(self) -> None:
        """In the end all is settled, and true."""
        if self.late:
            self.server_gets_round_to_it()
        if self.losses >= 3:
            self.may_ask.add("unknown_outcome")
        crm = self.bench.sandbox.crm
        for crm_id in sorted(self.restored & {*crm.records, *crm.documents}):
            crm.edit(crm_id)
        self._settle()
        verdict = judge(self.bench, self.ledger, may_ask=self.may_ask)
        assert verdict.good, str(verdict)
        assert not (wrong := self.papers.wrong()), wrong
        self._answer()
        verdict = judge(self.bench, self.ledger, may_ask=CHANGED)
        assert verdict.good, str(verdict)
        assert not (wrong := self.papers.wrong()), wrong
        ended = self.bench.run(*FULL)
        assert not [event for event in ended.events if event.stage == "committed"], ended

    # --- the person who answers what is asked ---

    def _answer(self) -> None:
        """Each question about a customer is answered by the truth, until there is none."""
        for _ in range(4):
            asked = self.bench.rows("SELECT * FROM reviews WHERE resolution IS NULL")
            open_now = [row for row in asked if row["reason"] not in CHANGED]
            if not open_now:
                return
            self._meet_new_records()
            for row in open_now:
                way = self._true_answer(row) if row["entity"] == "customer" else ("--retry",)
                ended = self.bench.run("review", "resolve", str(row["id"]), *way)
                assert ended.code == 0, (row, way, ended)
                self.linked.pop(row["record"], None)
            self._settle()
            self._check()

    def _true_answer(self, row: dict[str, Any]) -> tuple[str, ...]:
        finance, crm, pairs = self.bench.sandbox.finance, self.bench.sandbox.crm, self._pairs()
        of_codes = {code: self.persons.of(of_contact(contact)) for code, contact in finance.contacts.items()}
        living = {crm_id: code for crm_id, code in pairs.items() if crm_id in crm.records}
        if row["target"] == "finance" and row["record"] not in crm.records:
            return ("--retry",)
        if row["target"] == "finance":
            person = self.who[row["record"]]
            partners = [code for code, each in of_codes.items() if each == person]
            holders = {code: crm_id for crm_id, code in living.items()}
            free = [code for code in partners if holders.get(code, row["record"]) == row["record"]]
            if free:
                return "--link", str(free[0])
            if any(self.who[holders[code]] != person for code in partners):
                return ("--retry",)  # the holder has lost its own contact, and is asked about too
            if row["reason"] in ("missing_in_finance", "contact_replaced"):
                return ("--recreate",)
            if partners:
                crm.delete(row["record"])
            else:
                self._renumber(row["record"], self._fresh_number())
            return ("--retry",)
        code = int(row["record"])
        if code in living.values():
            return ("--retry",)  # answered from the other side
        partners_there = [crm_id for crm_id in crm.records if self.who.get(crm_id) == of_codes[code]]
        unlinked = [crm_id for crm_id in partners_there if crm_id not in living]
        if unlinked:
            return "--link", unlinked[0]
        if partners_there:
            finance.delete(code)
            self.ledger.contacts.pop(code, None)
        for crm_id, record in crm.records.items():
            if record["customerNumber"] == row["customer_number"]:
                self._renumber(crm_id, self._fresh_number())
        return ("--retry",)


def test_anything_in_any_order(tmp_path: Path) -> None:
    with Bench(tmp_path) as Machine.bench:
        run_state_machine_as_test(
            Machine,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                phases=(Phase.generate, Phase.shrink),
                print_blob=False,
            ),
        )


if FULL_PROFILE:
    pytestmark = pytest.mark.timeout(0)
