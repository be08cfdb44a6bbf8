"""Seven days of a bad week: a sync every five minutes, requests that fail, runs that are killed, people who go on working.

They change customers, write quotes and invoices, and twice a day somebody looks into Siagh for documents in doubt. Now and then
the clock of the program or of the CRM is wrong for a while, and somebody puts a copy of the state file back by `cp`.

    python -m tests.engine.soak                2,016 runs, 5 % of requests failing in all ways, 2 % of runs killed
    python -m tests.engine.soak --runs 100     fewer

In the end everything must be in step. The clock of the program and of the CRM moves on by five minutes from run to run,
so the grace time and the pauses between tries are those of real life. Prints figures; exit 1 on any fault.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from siaghsync.sandbox import Fault
from tests.engine.bench import Bench
from tests.engine.fake_customers import Folk
from tests.engine.fake_documents import CHANGED, Papers
from tests.engine.matrix import TIMEOUT, WAYS
from tests.engine.moments import Trap, World
from tests.engine.oracle import Ledger, Verdict, judge
from tests.engine.scenarios import FULL, IMPORT, SYNC, edit, newcomer
from tests.environment import SINCE

PERIOD = 300
_RUNS_BETWEEN_LOOKS = 144
_RUNS_BETWEEN_COPIES = 200


@dataclass
class Figures:
    """What happened."""

    runs: int = 0
    killed: int = 0
    requests: int = 0
    disturbed: Counter[str] = field(default_factory=Counter)
    exits: Counter[int] = field(default_factory=Counter)
    newcomers: int = 0
    edits: int = 0
    documents: int = 0
    jumps: int = 0
    """Runs with a wrong clock."""
    restored: int = 0
    """Copies of the state file that were put back."""
    asked: int = 0
    """Documents of which a person had to say whether they stand in Siagh."""
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)

    def __str__(self) -> str:
        v, ways = self.verdict, ", ".join(f"{way} {n}" for way, n in self.disturbed.most_common())
        return (
            f"runs {self.runs}, of these killed {self.killed}; exit codes {dict(sorted(self.exits.items()))}\n"
            f"requests {self.requests}, disturbed {self.disturbed.total()}: {ways}\n"
            f"newcomers {self.newcomers}, edits {self.edits}, documents {self.documents}, of these in doubt {self.asked}; "
            f"runs with a wrong clock {self.jumps}, state files put back {self.restored}; {self.seconds:.0f} s\n"
            f"duplicates {len(v.duplicates)}, lost {len(v.lost)}, stuck {len(v.stuck)}, in review {len(v.reviews)}"
        )


class Soak:
    """A week on one bench."""

    def __init__(self, bench: Bench, seed: int, failing: float, killed: float, jumping: float) -> None:
        self.bench, self.dice, self.folk = bench, Random(seed), Folk(seed)
        self.failing, self.killed, self.jumping = failing, killed, jumping
        self.figures = Figures()
        self.calm = True
        self.copy: dict[str, bytes] = {}

    def run(self, runs: int) -> Figures:
        """So many runs, the import before them and the rest after them."""
        started = time.monotonic()
        self._begin()
        for number in range(runs):
            self._people_work()
            self._copies(number)
            self._one_run()
            if number % _RUNS_BETWEEN_LOOKS == _RUNS_BETWEEN_LOOKS - 1:
                self._somebody_looks()
        self.figures.verdict = self._end()
        self.figures.seconds = time.monotonic() - started
        return self.figures

    def _begin(self) -> None:
        bench = self.bench
        bench.settings = {"HTTP_TIMEOUT_SECONDS": str(TIMEOUT), "CONCURRENCY": "4", **SINCE}
        self.papers = Papers(bench)
        bench.restore(World((), (), None, 0.0))
        bench.sandbox.crm.date_header = bench.sandbox.finance.date_header = True
        bench.sandbox.finance.add_contact(Name="مدیر", IsAdminUser=True)
        for _ in range(20):
            bench.sandbox.finance.add_contact(**self.folk.next().contact())
        self.ledger = Ledger.of(bench)
        bench.sandbox.on_event(self._on_event)
        self._disturb(True)
        while not bench.rows("SELECT 1 FROM meta WHERE name = 'initial_import_completed_at'"):
            self._one_run(IMPORT)

    def _copies(self, number: int) -> None:
        """A copy is made every sixteen hours, and put back three hours after that."""
        match number % _RUNS_BETWEEN_COPIES:
            case 0:
                found = {ending: Path(f"{self.bench.state}{ending}") for ending in ("", "-wal")}
                self.copy = {ending: path.read_bytes() for ending, path in found.items() if path.exists()}
            case 36:
                self.bench.lose_state()
                for ending, content in self.copy.items():
                    Path(f"{self.bench.state}{ending}").write_bytes(content)
                self.figures.restored += 1

    def _jump(self) -> None:
        """Sets one of the clocks wrong, or both right again."""
        self.bench.skew = 0.0
        if self.calm or self.dice.random() >= self.jumping:
            return
        self.figures.jumps += 1
        if self.dice.random() < 0.5:
            self.bench.skew = self.dice.choice((-30, -1, 1, 400)) * 86_400.0
        else:
            system = self.dice.choice((self.bench.sandbox.crm, self.bench.sandbox.finance))
            system.clock_offset += self.dice.choice((-7200, -1800, 1800, 7200))

    def _disturb(self, wanted: bool) -> None:
        self.calm = not wanted

    def _on_event(self, system: str, endpoint: str, stage: str) -> None:
        if stage != "received":
            return
        self.figures.requests += 1
        if not self.calm and self.dice.random() < self.failing:
            way = self.dice.choice(list(WAYS))
            self.figures.disturbed[way] += 1
            self.bench.sandbox.faults.arm(Fault(where=f"{system}:{endpoint}", **WAYS[way]))

    def _people_work(self) -> None:
        for _ in range(self.dice.choice((0, 0, 1, 1, 2))):
            records = sorted(self.bench.sandbox.crm.records)
            if self.dice.random() < 0.2 or not records:
                self.ledger.records.add(newcomer(self.bench, self.folk))
                self.figures.newcomers += 1
            else:
                edit(self.bench, self.folk, self.dice.choice(records), self.dice.randrange(5))
                self.figures.edits += 1
        if self.dice.random() < 0.2:
            self._office_works()

    def _office_works(self) -> None:
        records = sorted(self.bench.sandbox.crm.records)
        which, price = self.dice.randrange(1000), self.dice.randint(1, 999)
        match self.dice.randrange(6):
            case 0 | 1:
                self.papers.quote(self.dice.choice(records), price)
            case 2:
                self.papers.invoice(self.dice.choice(records), price)
            case 3:
                self.papers.invoice_of(which)
            case 4:
                self.papers.edit(which, price)
            case 5 if self.dice.random() < 0.3:
                self.papers.delete(which)
        self.figures.documents = len(self.papers.all)

    def _somebody_looks(self) -> int:
        calm, self.calm = self.calm, True
        decided = self.papers.decide(self.bench.run)
        self.figures.asked += decided
        self.calm = calm
        return decided

    def _one_run(self, command: tuple[str, ...] = SYNC) -> None:
        traps = [Trap(self.dice.randint(1, 8), lost=self.dice.random() < 0.5)]
        self.bench.advance(PERIOD)
        self._jump()
        ended = self.bench.run(*command, traps=traps if self.dice.random() < self.killed else ())
        self.figures.runs += 1
        self.figures.killed += ended.killed
        self.figures.exits[ended.code] += 1
        if ended.code in (70, 99):
            self.figures.verdict.stuck.append(str(ended))

    def _end(self) -> Verdict:
        self._disturb(False)
        self._jump()
        before = self.figures.verdict.stuck
        for command in (IMPORT, SYNC, FULL):  # also the import, since what it has left in doubt is its own to settle
            ended, _ = self.bench.rest(*command, pause=PERIOD)
            while self._somebody_looks():
                ended, _ = self.bench.rest(*SYNC, pause=PERIOD)
            if ended.code:
                before.append(str(ended))
        verdict = judge(self.bench, self.ledger, may_ask=CHANGED)
        verdict.stuck += before
        verdict.duplicates += self.papers.twice()
        verdict.lost += self.papers.wrong()
        ended = self.bench.run(*FULL)
        if ended.code or any(event.stage == "committed" for event in ended.events):
            verdict.stuck.append(f"not at rest: {ended}")
        return verdict


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7 * 24 * 3600 // PERIOD)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--failing", type=float, default=0.05, help="share of the requests that fail")
    parser.add_argument("--killed", type=float, default=0.02, help="share of the runs that are killed")
    parser.add_argument("--jumping", type=float, default=0.02, help="share of the runs with a wrong clock")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        figures = Soak(bench, options.seed, options.failing, options.killed, options.jumping).run(options.runs)
    print(figures)
    if not figures.verdict.good:
        print(figures.verdict)
    return 0 if figures.verdict.good else 1


if __name__ == "__main__":
    sys.exit(main())
