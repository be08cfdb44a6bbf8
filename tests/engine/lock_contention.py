"""Many `sync` commands started at the same moment: one works, all others leave with 75.

    python -m tests.engine.lock_contention                30 starters, 50 times
    python -m tests.engine.lock_contention --rounds 2     fewer

Every third winner is killed while it holds the lock, so that the next round starts from what a dead process left.
Prints figures; exit 1 if any round had another end.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from tests.engine.bench import Bench, start
from tests.engine.fake_customers import Folk
from tests.engine.scenarios import IMPORT
from tests.patience import PATIENCE


def one_round(bench: Bench, starters: int, *, kill: bool) -> Counter[int]:
    """The exit codes. The CRM keeps the winner waiting until all others have ended, so that none of them comes too late."""
    others_ended = threading.Event()
    forget = bench.sandbox.on_event(lambda system, _, stage: _hold(others_ended, system, stage))
    processes = [start(bench, "sync") for _ in range(starters)]
    codes: Counter[int] = Counter()
    while len(running := [process for process in processes if process.poll() is None]) > 1:
        time.sleep(0.05)
    if kill and running:
        running[0].kill()
    others_ended.set()
    for process in processes:
        process.communicate()
        codes[process.returncode] += 1
    forget()
    return codes


def _hold(others_ended: threading.Event, system: str, stage: str) -> None:
    if system == "crm" and stage == "received":
        others_ended.wait(PATIENCE)


def rush(bench: Bench, starters: int, rounds: int) -> list[str]:
    """So many rounds. Returns what was wrong, in sentences."""
    bench.sandbox.finance.add_contact(**Folk().next().contact())
    assert bench.run(*IMPORT).code == 0
    faults = []
    for number in range(rounds):
        kill = number % 3 == 2
        codes = one_round(bench, starters, kill=kill)
        if codes != {75: starters - 1, -9 if kill else 0: 1}:
            faults.append(f"round {number + 1}: exit codes {dict(codes)}")
    return faults


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--starters", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=50)
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Bench(Path(folder)) as bench:
        bench.settings = {"HTTP_TIMEOUT_SECONDS": "100"}
        faults = rush(bench, options.starters, options.rounds)
    print("\n".join(faults) or "one winner in each round")
    print(f"{options.rounds} rounds of {options.starters} starters, {time.monotonic() - began:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
