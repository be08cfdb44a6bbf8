"""What follows after a kill or a fault: the runs that cron would start, until all is at rest, and the verdict."""

from __future__ import annotations

from collections.abc import Iterable

from tests.engine.bench import Bench
from tests.engine.oracle import Verdict, judge
from tests.engine.scenarios import FULL, GRACE, SYNC, Eve


def recover(bench: Bench, eve: Eve, may_ask: Iterable[str] = ()) -> tuple[Verdict, int]:
    """Runs on after whatever has happened, until all is at rest, and judges. A last full sync must find nothing to do.

    Returns the verdict and the number of runs until then. `may_ask`: as in `oracle.judge`.
    """
    ended, runs = bench.rest(*eve.scenario.command, pause=GRACE + 1)
    more = 0
    if eve.scenario.is_import and ended.code == 0:
        ended, more = bench.rest(*SYNC, pause=GRACE + 1)
    verdict = judge(bench, eve.ledger, may_ask=may_ask, imported=eve.scenario.is_import)
    last = bench.run(*FULL) if ended.code == 0 else ended
    if last.code:
        verdict.stuck.append(f"it never came to rest: {last}")
    if echoes := [event.endpoint for event in last.events if event.writes and event.stage == "committed"]:
        verdict.stuck.append(f"with nothing to do it wrote {echoes}")
    return verdict, runs + more
