"""The sweep in small: a kill at some events of each scenario, some fields of the matrix. And the sweep itself can fail."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from random import Random

import pytest

from tests.engine import matrix, syscalls
from tests.engine.bench import Bench
from tests.engine.matrix import LATE, TIMEOUT, WAYS, WRITES, Cell, try_cell, try_late
from tests.engine.moments import Event, Trap
from tests.engine.recovery import recover
from tests.engine.scenarios import ALL, BY_NAME, IMPORT, SYNC, Eve, Scenario, eve_of
from tests.engine.sweep import events_of, sweep_double, sweep_single, traps_for

SIZE = 3


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with Bench(tmp_path_factory.mktemp("sweep")) as bench:
        yield bench


def of(scenarios: tuple[Scenario, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("scenario", scenarios, ids=[s.name for s in scenarios])


def around_writes(traps: list[Trap], events: list[Event], most: int) -> list[Trap]:
    """The kill points that matter most, spread evenly: those at writes, and a few of the others."""
    chosen = [trap for trap in traps if events[trap.at - 1].writes]
    chosen = chosen[:: max(1, len(chosen) // most)]
    others = [trap for trap in traps if not events[trap.at - 1].writes]
    return chosen + others[:: max(1, len(others) // 2)]


@of(ALL)
def test_a_kill_makes_no_duplicate_and_loses_nothing(bench: Bench, scenario: Scenario) -> None:
    eve = eve_of(scenario, bench, 1, SIZE)
    events = events_of(bench, eve)
    traps = around_writes(list(traps_for(events, Random(1))), events, 4)
    tally = sweep_single(bench, eve, traps, events)
    assert tally.points >= len(traps) // 2
    assert tally.faults == []


@of((BY_NAME["import"], BY_NAME["sync of everything"]))
def test_a_second_kill_during_the_recovery_changes_nothing_about_that(bench: Bench, scenario: Scenario) -> None:
    eve = eve_of(scenario, bench, 2, SIZE)
    events = events_of(bench, eve)
    traps = around_writes(list(traps_for(events, Random(2))), events, 4)
    tally = sweep_double(bench, eve, traps, Random(3))
    assert tally.points
    assert tally.faults == []


@pytest.mark.parametrize("write", list(WRITES))
def test_a_lost_answer_makes_no_duplicate_and_loses_nothing(bench: Bench, write: str) -> None:
    eve = eve_of(BY_NAME[WRITES[write][0]], bench, 1, SIZE)
    bench.settings["HTTP_TIMEOUT_SECONDS"] = str(TIMEOUT)
    for way in list(WAYS)[:: 2 if write == "customer to Finance" else 4]:
        verdict, _ = try_cell(bench, eve, Cell(write, way))
        assert verdict.good, f"{way}: {verdict}"
        assert not verdict.reviews, way


@pytest.mark.parametrize("when", LATE)
@pytest.mark.parametrize("write", ["customer to CRM", "customer to Finance"])
def test_a_server_that_commits_late_makes_no_silent_duplicate(bench: Bench, write: str, when: str) -> None:
    eve = eve_of(BY_NAME[WRITES[write][0]], bench, 1, SIZE)
    verdict, _ = try_late(bench, eve, when, kill=True)
    assert verdict.good, verdict
    assert bool(verdict.reviews) == (when == matrix.LATE[-1])


def test_a_kill_of_the_command_itself(bench: Bench) -> None:
    """As the others, but started the way cron starts it."""
    eve = eve_of(BY_NAME["sync of newcomers"], bench, 1, SIZE)
    events = events_of(bench, eve)
    first = next(at for at, event in enumerate(events, 1) if event.writes and event.stage == "committed")
    bench.restore(eve.world)
    assert bench.spawn(*SYNC, traps=[Trap(first)]).code == -signal.SIGKILL
    assert bench.unsettled()
    verdict, _ = recover(bench, eve)
    assert verdict.good, verdict


@pytest.mark.skipif(not syscalls.available(), reason="there is no strace that may trace")
@pytest.mark.parametrize(("call", "when"), [("fdatasync", 6), ("pwrite64", 30), ("sendto", 3), ("recvfrom", 4)])
def test_a_kill_at_a_system_call(bench: Bench, call: str, when: int) -> None:
    eve = eve_of(BY_NAME["import"], bench, 1, SIZE)
    bench.restore(eve.world)
    assert bench.run(*IMPORT, tracer=syscalls.attach(call, when)).killed
    verdict, _ = recover(bench, eve)
    assert verdict.good, verdict


# --- the sweep itself: a program that is less careful is found out ------------------------------------------


def eve_with(bench: Bench, name: str) -> tuple[Eve, list[Event]]:
    eve = eve_of(BY_NAME[name], bench, 1, SIZE)
    return eve, events_of(bench, eve)


def test_a_program_that_forgets_its_intents_is_found_out(bench: Bench) -> None:
    eve, events = eve_with(bench, "sync of newcomers, no marks")
    bench.sabotage = "forgets_intents"
    try:
        committed = [Trap(at) for at, e in enumerate(events, 1) if e.writes and e.stage == "committed"]
        tally = sweep_single(bench, eve, committed, events)
    finally:
        bench.sabotage = ""
    assert tally.faults


def test_a_program_that_takes_one_look_for_proof_is_found_out(bench: Bench) -> None:
    eve, _ = eve_with(bench, "import")
    bench.sabotage = "looks_once"
    try:
        verdict, _ = try_late(bench, eve, "after the first look", kill=True)
    finally:
        bench.sabotage = ""
    assert not verdict.good
