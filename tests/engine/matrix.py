"""No kill, but no answer either: every way in which one can be lost, before and after the commit, at each kind of write.

And the server that is late: it commits what the client has long given up, within the grace time and beyond it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from siaghsync.sandbox import Fault
from siaghsync.sandbox.hooks import Entry
from tests.engine.bench import Bench
from tests.engine.late_commit import carry_out
from tests.engine.oracle import Verdict
from tests.engine.recovery import recover
from tests.engine.scenarios import BY_NAME, FULL, GRACE, SYNC, Eve, eve_of
from tests.patience import wait_for

TIMEOUT = 1.0
"""Seconds that a request may take where an answer is kept back. Any machine answers the others in less."""
_NEVER = 3600.0
WRITES: dict[str, tuple[str, str]] = {
    "customer to CRM": ("import", "crm"),
    "customer to Finance": ("sync of newcomers", "finance:SaveFormData/create"),
    "customer to Finance, no marks": ("sync of newcomers, no marks", "finance:SaveFormData/create"),
    "update": ("sync of edits", "finance:SaveFormData/update"),
}
"""Kind of write -> (scenario, where its requests go)."""
WAYS: dict[str, dict[str, Any]] = {
    "reset, before": {"kind": "reset_before"},
    "reset, after": {"kind": "reset_after"},
    "closed, before": {"kind": "close_before"},
    "closed, after": {"kind": "close_after"},
    "timeout, before": {"kind": "hang_before", "seconds": _NEVER, "then": "close"},
    "timeout, after": {"kind": "hang_after", "seconds": _NEVER, "then": "close"},
    "timeout, done late": {"kind": "hang_before", "seconds": TIMEOUT * 1.5},
    "cut, after": {"kind": "cut"},
    "cut at the first byte": {"kind": "cut", "size": 1},
    "5xx, before": {"kind": "refuse_before"},
    "5xx, after": {"kind": "status_after"},
    "502 of a proxy, after": {"kind": "status_after", "status": 502, "body": b"<html>Bad Gateway</html>"},
    "HTML, before": {"kind": "html"},
    "HTML, after": {"kind": "html", "commit": True},
    "no JSON, after": {"kind": "json", "body": b'{"crmId": ', "commit": True},
    "null, after": {"kind": "json", "body": b"null", "commit": True},
    "another shape, after": {"kind": "json", "body": b'{"ReturnValue": true}', "commit": True},
    "drip": {"kind": "drip", "seconds": 0.2},
    "redirect, before": {"kind": "redirect"},
    "429, before": {"kind": "refuse_before", "status": 429},
    "session ended": {"kind": "expire"},
}
"""How an answer is lost -> the fault."""


@dataclass(frozen=True)
class Cell:
    """One field of the matrix: which write, how its answer is lost, which and how many of them."""

    write: str
    way: str
    skip: int = 0
    times: int | None = 1

    def __str__(self) -> str:
        return f"{self.write}: {self.way}"

    @property
    def codes(self) -> set[int]:
        """How the run itself may end. A server that takes each login and then knows no session is none to go on with."""
        return {0, 1, 3} if self.way == "session ended" and self.times is None else {0, 1}


def cells(thorough: bool) -> Iterator[Cell]:
    """All fields; if `thorough` also for the third write and for all of them at once."""
    for write in WRITES:
        for way in WAYS:
            yield Cell(write, way)
            if thorough:
                yield Cell(write, way, skip=2)
                yield Cell(write, way, times=None)


def try_cell(bench: Bench, eve: Eve, cell: Cell) -> tuple[Verdict, int]:
    """One run with the fault, and the runs after it."""
    bench.restore(eve.world)
    where = WRITES[cell.write][1]
    for place in ("crm:person/create", "crm:organization/create") if where == "crm" else (where,):
        fault = Fault(where=place, skip=cell.skip, times=cell.times, **WAYS[cell.way])
        bench.sandbox.faults.arm(fault)
    at_work: Counter[str] = Counter()
    forget = bench.sandbox.on_event(lambda _, endpoint, stage: _count(at_work, endpoint, stage))
    ended = bench.run(*eve.scenario.command)
    bench.sandbox.faults.clear()
    if cell.way == "timeout, done late":
        wait_for(lambda: not any(at_work.values()))  # the clock that is moved on below is not the server's own
    forget()
    verdict, runs = recover(bench, eve)
    if ended.code not in cell.codes:
        verdict.stuck.append(f"the run itself ended early: {ended}")
    return verdict, runs


def _count(at_work: Counter[str], endpoint: str, stage: str) -> None:
    at_work[endpoint] += {"received": 1, "answered": -1}.get(stage, 0)


# --- the late server ---------------------------------------------------------------------------------------

LATE = ("before the first look", "after the first look", "after the grace time", "after it was sent again")


def try_late(bench: Bench, eve: Eve, when: str, *, kill: bool, skip: int = 0) -> tuple[Verdict, int]:
    """A create (`skip` come before it) is taken by the server, unanswered, and carried out only later."""
    bench.restore(eve.world)
    bench.sandbox.finance.unique_phones = ()  # else Siagh itself would refuse most of the doubles
    entry = _lose_a_create(bench, eve, kill, skip)
    if when != LATE[0]:
        bench.advance(1)
        bench.run(*eve.scenario.command)
    if when in LATE[2:]:
        bench.advance(GRACE + 1)
    if when == LATE[3]:
        bench.run(*eve.scenario.command)
    carry_out(bench.sandbox, entry)
    may_ask: tuple[str, ...] = ()
    if when == LATE[3]:
        for command in (eve.scenario.command, SYNC, FULL):
            bench.advance(GRACE + 1)
            bench.run(*command)
        may_ask = ("double_in_finance", "number_twice")
    verdict, runs = recover(bench, eve, may_ask)
    if when == LATE[3] and not verdict.excused:
        verdict.duplicates.append("it is there twice, and nobody was told")
    return verdict, runs


def _lose_a_create(bench: Bench, eve: Eve, kill: bool, skip: int) -> Entry:
    """Runs with one create lost: taken from the journal, so that it can be carried out later."""
    lost: list[Entry] = []

    def arrived(system: str, endpoint: str, stage: str) -> None:
        if stage != "received" or not endpoint.endswith("create"):
            return
        if sum(e.endpoint.endswith("create") for e in bench.sandbox.journal.entries) == skip + 1:
            lost.append(bench.sandbox.journal.entries[-1])
            bench.sandbox.faults.arm(Fault("close_before", f"{system}:{endpoint}"))
            if kill:
                bench.kill()

    forget = bench.sandbox.on_event(arrived)
    bench.run(*eve.scenario.command)
    forget()
    return lost[0]


def run(bench: Bench, seeds: int) -> Iterator[tuple[str, tuple[Verdict, int]]]:
    """The whole matrix, (name of the field, verdict and runs)."""
    for seed in range(seeds):
        for write, (scenario, _) in WRITES.items():
            eve = eve_of(BY_NAME[scenario], bench, seed, 4)
            bench.settings["HTTP_TIMEOUT_SECONDS"] = str(TIMEOUT)
            for cell in cells(thorough=seeds > 1):
                if cell.write == write:
                    yield str(cell), try_cell(bench, eve, cell)
            for when in LATE if write != "update" else ():
                for kill, skip in ((True, 0), (False, 0), (False, 2)):
                    yield f"{write}: late, {when}", try_late(bench, eve, when, kill=kill, skip=skip)
