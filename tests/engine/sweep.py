"""Kills real runs at every event, disturbs them in every way, runs again to the end, and compares with the truth.

    python -m tests.engine.sweep           one seed of each scenario
    python -m tests.engine.sweep --full    more than 3,000 kill points, 500 of them double; exit 1 on any fault

What is killed: `scenarios`. Where: at each stage of each request (`received` with the request done all the same, or lost),
some milliseconds after an answer was sent, and, with strace, at the n-th system call. `matrix` is the other half: no kill,
but an answer that is lost, late, broken, or comes after the client has long given up.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.engine import matrix, syscalls
from tests.engine.bench import Bench
from tests.engine.moments import Ended, Event, Trap
from tests.engine.oracle import Verdict
from tests.engine.recovery import recover
from tests.engine.scenarios import ALL, GRACE, Eve, eve_of


@dataclass
class Tally:
    """Figures of one scenario."""

    points: int = 0
    double: int = 0
    duplicates: int = 0
    lost: int = 0
    stuck: int = 0
    review: int = 0
    runs: int = 0
    faults: list[str] = field(default_factory=list)

    def add(self, place: str, verdict: Verdict, runs: int, *, double: bool = False) -> None:
        """Counts a kill point and what came of it."""
        self.points += 1
        self.double += double
        self.duplicates += bool(verdict.duplicates)
        self.lost += bool(verdict.lost)
        self.stuck += bool(verdict.stuck)
        self.review += bool(verdict.reviews)
        self.runs += runs
        if not verdict.good:
            self.faults.append(f"{place}\n{verdict}")


def events_of(bench: Bench, eve: Eve) -> list[Event]:
    """The events of the scenario's run when nobody disturbs it."""
    bench.restore(eve.world)
    ended = bench.run(*eve.scenario.command)
    assert ended.code == 0, ended
    return ended.events


def traps_for(events: list[Event], dice: Random) -> Iterator[Trap]:
    """Every kill point of a run with these events."""
    for at, event in enumerate(events, 1):
        yield Trap(at)
        if event.writes and event.stage == "received":
            yield Trap(at, lost=True)
        if event.writes and event.stage in ("committed", "answered"):
            # The client takes some milliseconds to read the answer and to commit its outcome: somewhere in between.
            yield Trap(at, delay=dice.uniform(0.0002, 0.008))


def kill_once(bench: Bench, eve: Eve, trap: Trap) -> Ended:
    """The scenario's run, with a kill."""
    bench.restore(eve.world)
    return bench.run(*eve.scenario.command, traps=[trap])


def sweep_single(bench: Bench, eve: Eve, traps: list[Trap], events: list[Event]) -> Tally:
    """One kill each."""
    tally = Tally()
    for trap in traps:
        ended = kill_once(bench, eve, trap)
        if ended.killed or trap.delay:
            tally.add(f"{eve.scenario.name}: {trap} {events[trap.at - 1]}", *recover(bench, eve))
    return tally


def sweep_double(bench: Bench, eve: Eve, traps: list[Trap], dice: Random) -> Tally:
    """Two kills each: again somewhere in the run that picks up the pieces, before or after the grace time."""
    tally = Tally()
    for trap in traps:
        kill_once(bench, eve, trap)
        if dice.random() < 0.4:  # the first look-up has passed without a kill
            bench.advance(1)
            bench.run(*eve.scenario.command)
        bench.advance(GRACE + 1)
        again = Trap(dice.randint(1, 16), lost=dice.random() < 0.5)
        ended = bench.run(*eve.scenario.command, traps=[again])
        if ended.killed:
            tally.add(f"{eve.scenario.name}: {trap}, then {again}", *recover(bench, eve), double=True)
    return tally


@dataclass(frozen=True)
class Extent:
    """How much is tried."""

    seeds: int
    size: int
    double: int
    syscalls: int
    matrix_seeds: int


EXTENTS = {False: Extent(1, 3, 6, 0, 1), True: Extent(7, 5, 16, 40, 3)}


def sweep(extent: Extent, root: Path, only: str = "") -> dict[str, Tally]:
    """The whole of it, or what has `only` in its name. Tells and returns the figures, by scenario."""
    tallies: dict[str, Tally] = {}
    with Bench(root) as bench:
        for scenario in (s for s in ALL if only in s.name):
            tally = tallies[scenario.name] = Tally()
            for seed in range(extent.seeds):
                dice = Random(seed)
                eve = eve_of(scenario, bench, seed, extent.size + seed % 2)
                events = events_of(bench, eve)
                traps = list(traps_for(events, dice))
                merge(tally, sweep_single(bench, eve, traps, events))
                merge(tally, sweep_double(bench, eve, dice.sample(traps, min(extent.double, len(traps))), dice))
                if extent.syscalls and seed == 0 and syscalls.available():
                    for place, verdict, runs in syscalls.sweep(bench, eve, extent.syscalls, recover):
                        tally.add(place, verdict, runs)
            tell(scenario.name, tally)
        if only in "matrix":
            fields: dict[str, Tally] = {}
            for name, outcome in matrix.run(bench, extent.matrix_seeds):
                fields.setdefault(name, Tally()).add(name, *outcome)
            for name, tally in fields.items():
                tell(name, tally)
            tallies |= fields
    return tallies


def merge(into: Tally, other: Tally) -> None:
    """Adds figures to figures."""
    for name, value in vars(other).items():
        setattr(into, name, getattr(into, name) + value)


HEAD = f"{'':44}{'points':>8}{'double':>8}{'duplicates':>12}{'lost':>6}{'stuck':>7}{'review':>8}{'runs':>7}"


def tell(name: str, tally: Tally) -> None:
    """One line of the table."""
    print(
        f"{name:44}{tally.points:>8}{tally.double:>8}{tally.duplicates:>12}{tally.lost:>6}{tally.stuck:>7}"
        f"{tally.review:>8}{tally.runs:>7}",
        flush=True,
    )
    for fault in tally.faults[:5]:
        print(f"  FAULT {fault}", flush=True)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="everything; about half an hour")
    parser.add_argument("--seeds", type=int, help="so many seeds instead")
    parser.add_argument("--only", default="", metavar="TEXT", help="scenarios with this in their name, or `matrix`")
    options = parser.parse_args()
    extent = EXTENTS[options.full]
    if options.seeds:
        extent = Extent(**{**vars(extent), "seeds": options.seeds})
    print(HEAD)
    started, total = time.monotonic(), Tally()
    with tempfile.TemporaryDirectory() as folder:
        for tally in sweep(extent, Path(folder), options.only).values():
            merge(total, tally)
    tell("in all", total)
    print(f"{time.monotonic() - started:.0f} s")
    return 1 if total.faults else 0


if __name__ == "__main__":
    sys.exit(main())
