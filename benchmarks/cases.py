"""What is measured. Each function sets its scene, runs real processes, and returns plain figures."""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from benchmarks.bench import ROOT, Cost, Installation, floor, run
from benchmarks.server import crm_id_of

PROGRAM = ["-m", "siaghsync"]
LINE = ["-c", "import typer, requests, sqlite_utils, rich, dotenv, tenacity, pydantic"]
SMALLEST = (
    "import typer\napp = typer.Typer()\n@app.command()\ndef main(name: str, often: int = 1) -> None:\n"
    "    '''Says hello.'''\n    print(name * often)\napp()\n"
)
_LATENCY = 200
_SAVE = "/BpmsApi/SaveFormData"
_TOLD = Callable[[str], None]


@dataclass(slots=True)
class Figure:
    """One line of the table: medians over `rounds`. `goals` are (what, figure, limit, met)."""

    name: str
    elapsed: float
    cpu: float
    memory: float
    rounds: int
    records: int = 0
    requests: int = 0
    goals: list[tuple[str, float, str, bool]] = field(default_factory=list)


def at_least(what: str, value: float, limit: float) -> tuple[str, float, str, bool]:
    """A goal."""
    return what, value, f">= {limit:g}", value >= limit


def at_most(what: str, value: float, limit: float) -> tuple[str, float, str, bool]:
    """A goal."""
    return what, value, f"<= {limit:g}", value <= limit


def _figure(name: str, costs: list[Cost], *, records: int = 0, requests: int = 0) -> Figure:
    def middle(value: Callable[[Cost], float]) -> float:
        return statistics.median(value(cost) for cost in costs)

    elapsed, cpu = middle(lambda cost: cost.elapsed), middle(lambda cost: cost.cpu)
    return Figure(name, elapsed, cpu, max(cost.memory for cost in costs), len(costs), records, requests)


# --- the import beside its floor ------------------------------------------------------------------------------


def imports(place: Installation, count: int, latency: int, rounds: int, tell: _TOLD) -> Iterator[Figure]:
    """An import of `count` contacts into an empty CRM, and the floor, in turns; in every other round the floor is second."""
    name = f"import {count:,} at {latency} ms"
    floors: list[Cost] = []
    costs: list[Cost] = []
    requests = 0
    for number in range(rounds):
        tell(f"{name}, round {number + 1} of {rounds}")
        for is_floor in (True, False) if number % 2 == 0 else (False, True):
            if is_floor:
                floors.append(_floor(place, count, latency))
            else:
                costs.append(_import(place, count, latency))
                requests = sum(place.systems.counts().values())
    yield _figure(f"floor {count:,} at {latency} ms", floors, records=count)
    figure = _figure(name, costs, records=count, requests=requests)
    pairs = list(zip(floors, costs, strict=True))
    throughput = statistics.median(base.elapsed / cost.elapsed for base, cost in pairs)
    figure.goals = [
        at_least("throughput / floor", throughput, 0.90 if latency else 0.75),
        at_most("CPU / floor", statistics.median(cost.cpu / base.cpu for base, cost in pairs), 1.4),
        at_most("memory", figure.memory, 120),
    ]
    yield figure


def _floor(place: Installation, count: int, latency: int) -> Cost:
    place.systems.reset(0, latency=latency)
    return floor(place.systems, place.folder, count)


def _import(place: Installation, count: int, latency: int) -> Cost:
    place.lose_state()
    place.systems.reset(count, latency=latency)
    return place.run("initial-import", "--yes")


def growth(small: Figure, middle: Figure, large: Figure) -> tuple[str, float, str, bool]:
    """What a record more costs from the middle to the large size, against from the small to the middle one."""

    def more(a: Figure, b: Figure) -> float:
        return (b.cpu - a.cpu) / (b.records - a.records)

    return at_most(
        f"CPU a record, {middle.records:,} to {large.records:,} / {small.records:,} to {middle.records:,}",
        more(middle, large) / more(small, middle),
        1.15,
    )


# --- daily work on many customers -----------------------------------------------------------------------------


def daily_work(place: Installation, count: int, tell: _TOLD) -> Iterator[Figure]:
    """The import that links `count` customers whom both systems have, then syncs and looks at them."""
    place.lose_state()
    place.systems.reset(count, crm=count)
    tell(f"import that links {count:,}")
    yield _counted(place, f"import that links {count:,}", ("initial-import", "--yes"), count)
    tell(f"first sync of {count:,}")
    place.run("sync", "--quiet")
    touched = 0
    for changed in (0, 50, min(5_000, count - 50)):
        name = f"sync, {changed:,} of {count:,} changed"
        tell(name)
        place.systems.touch(touched, changed)
        touched += changed
        figure = _counted(place, name, ("sync", "--quiet"), changed)
        requests = place.systems.counts()
        pages = sum(number for path, number in requests.items() if path.endswith("/find"))
        if requests.get(_SAVE, 0) != changed:
            raise RuntimeError(f"{requests.get(_SAVE, 0)} of {changed} changes arrived")
        figure.goals = [at_most("requests besides pages", figure.requests - pages, 2 + 2 * changed)]
        yield figure
    for arguments in (("sync", "--full", "--quiet"), ("verify",), ("status",)):
        name = f"{' '.join(arguments)}, {count:,} linked"
        tell(name)
        place.systems.touch(0, 0)
        figure = _counted(place, name, arguments, count)
        figure.goals = [at_most("memory", figure.memory, 120)]
        yield figure


def many_changes(place: Installation, count: int, changed: int, latency: int, tell: _TOLD) -> Iterator[Figure]:
    """A sync that carries `changed` of `count` linked customers, beside the floor of as many requests: two for each."""
    place.lose_state()
    place.systems.reset(count, crm=count)
    tell(f"import that links {count:,}")
    place.run("initial-import", "--yes")
    place.run("sync", "--quiet")
    place.systems.delay(latency)
    place.systems.touch(0, changed)
    name = f"sync, {changed:,} of {count:,} changed, at {latency} ms"
    tell(name)
    figure = _counted(place, name, ("sync", "--quiet"), changed)
    tell(f"floor of {2 * changed:,} requests at {latency} ms")
    base = _floor(place, 2 * changed, latency)
    yield _figure(f"floor {2 * changed:,} at {latency} ms", [base], records=2 * changed)
    figure.goals = [
        at_least("throughput / floor", base.elapsed / figure.elapsed, 0.85),
        at_most("memory", figure.memory, 120),
    ]
    yield figure


def _counted(place: Installation, name: str, arguments: tuple[str, ...], records: int) -> Figure:
    cost = place.run(*arguments)
    return _figure(name, [cost], records=records, requests=sum(place.systems.counts().values()))


def steady_state(place: Installation, tell: _TOLD) -> Iterator[Figure]:
    """From one change in the CRM to the end of the run that brought it to Finance, in round trips."""
    tell("one change at a distance")
    place.lose_state()
    place.systems.reset(20, crm=20)
    place.run("initial-import", "--yes")
    place.run("sync", "--quiet")
    near = []
    for number in range(3):
        place.systems.touch(number, 1)
        near.append(place.run("sync", "--quiet").elapsed)
    place.systems.delay(_LATENCY)
    place.systems.touch(3, 1)
    figure = _counted(place, f"sync, 1 change at {_LATENCY} ms", ("sync", "--quiet"), 1)
    trips = (figure.elapsed - statistics.median(near)) / (_LATENCY / 1000)
    figure.goals = [at_most("round trips", trips, 2 + 6)]
    yield figure


# --- start-up -------------------------------------------------------------------------------------------------


def start_up(place: Installation, rounds: int, tell: _TOLD) -> Iterator[Figure]:
    """Short commands beside what they could cost at the least, in turns."""
    _import(place, 50, 0)
    place.run("sync", "--quiet")
    smallest = place.folder / "smallest.py"
    smallest.write_text(SMALLEST, "utf-8")
    commands: dict[str, list[str]] = {
        "python -c pass": ["-c", "pass"],
        "the import line": LINE,
        "smallest typer program --help": [str(smallest), "--help"],
        "siaghsync --version": [*PROGRAM, "--version"],
        "siaghsync --help": [*PROGRAM, "--help"],
        "siaghsync status": [*PROGRAM, "status"],
        "siaghsync sync, nothing changed": [*PROGRAM, "sync", "--quiet"],
    }
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for number in range(rounds):
        tell(f"start-up, round {number + 1} of {rounds}")
        for name, command in commands.items():
            costs[name].append(run(command, place.folder, place.systems.settings()))
    figures = {name: _figure(name, each) for name, each in costs.items()}

    def ratio(name: str, base: str) -> float:
        return statistics.median(a.cpu / b.cpu for a, b in zip(costs[name], costs[base], strict=True))

    figures["siaghsync --help"].goals = [
        at_most("CPU / smallest", ratio("siaghsync --help", "smallest typer program --help"), 1.5)
    ]
    idle = "siaghsync sync, nothing changed"
    figures[idle].goals = [at_most("CPU / import line", ratio(idle, "the import line"), 1.3)]
    yield from figures.values()


# --- under load -----------------------------------------------------------------------------------------------

_CALLS, _CALL_LATENCY, _CROWD = 2_000, 50, 10_000
_MAKES_WAIT = (
    "INSERT INTO retries (entity, target, record, kind, customer_number, name, attempts, failed, next_try_at, reason, "
    "message_code, message_params, since, depends_on) VALUES ('invoice', 'finance', 'd' || ?1, 'invoice', ?1, '', 1, 0, "
    "'2026-01-01', 'customer_not_linked', 'text.verbatim', '{\"text\": \"\"}', '2026-01-01T00:00:00+00:00', 'c' || ?1)"
)
_ASKS = (
    "INSERT INTO reviews (entity, target, record, kind, reason, customer_number, name, message_code, message_params, details, "
    "checksum, since) VALUES ('customer', 'finance', 'r' || ?1, 'person', 'stranger', 'r' || ?1, '', 'text.verbatim', "
    "'{\"text\": \"\"}', '{}', '', '2026-01-01T00:00:00+00:00')"
)


def under_load(place: Installation, count: int, tell: _TOLD) -> Iterator[Figure]:
    """A backlog of webhooks beside a full sync; many records that wait; as many customers that are new as are linked."""
    _linked(place, _CALLS, tell)
    place.systems.delay(_CALL_LATENCY)
    full = _counted(place, f"sync --full, {_CALLS:,} at {_CALL_LATENCY} ms", ("sync", "--full", "--quiet"), _CALLS)
    yield full
    tell(f"{_CALLS:,} webhooks")
    figure = _figure(f"{_CALLS:,} webhooks at {_CALL_LATENCY} ms", [_serve_calls(place)], records=_CALLS)
    figure.goals = [at_most("elapsed / sync --full", figure.elapsed / full.elapsed, 1.5)]
    yield figure
    place.systems.delay(0)
    commands = (("sync", "--quiet"), ("status",))
    before = [place.run(*command) for command in commands]
    _write(place, _MAKES_WAIT, _CROWD)
    _write(place, _ASKS, _CROWD)
    for command, base in zip(commands, before, strict=True):
        cost = place.run(*command, code=1 if command == ("status",) else 0)
        figure = _figure(f"{command[0]}, {_CROWD:,} wait and {_CROWD:,} questions", [cost])
        figure.goals = [at_most("s more", cost.elapsed - base.elapsed, 2), at_most("memory", figure.memory, 120)]
        yield figure
    _linked(place, count, tell)
    place.systems.add(count)
    tell(f"{count:,} new customers")
    figure = _counted(place, f"sync --dry-run, {count:,} new", ("sync", "--dry-run", "--quiet"), count)
    figure.goals = [at_most("memory", figure.memory, 120)]
    yield figure


def _linked(place: Installation, count: int, tell: _TOLD) -> None:
    tell(f"import that links {count:,}")
    place.lose_state()
    place.systems.reset(count, crm=count)
    place.run("initial-import", "--yes")
    place.run("sync", "--quiet")


def _write(place: Installation, sql: str, count: int) -> None:
    with closing(sqlite3.connect(place.folder / "siaghsync.db")) as db, db:
        db.executemany(sql, ((number,) for number in range(count)))


def _serve_calls(place: Installation) -> Cost:
    """From the start of `serve` over stored calls until each record was looked at."""
    with closing(sqlite3.connect(place.folder / "siaghsync.db")) as db, db:
        calls = ((crm_id_of(number),) for number in range(_CALLS))
        db.executemany("INSERT INTO webhook_events VALUES ('customer', ?, 'person', 'update', 1, '')", calls)
    settings = {**place.systems.settings(), "ENABLE_WEBHOOKS": "true", "WEBHOOK_SECRET": "benchmark-of-webhooks"}
    command = [sys.executable, *PROGRAM, "serve", "--port", "0"]
    began = time.perf_counter()
    with subprocess.Popen(command, cwd=place.folder, env={**os.environ, **settings, "PYTHONPATH": str(ROOT)}) as serve:
        while _open_ends(place):
            time.sleep(0.05)
        took = time.perf_counter() - began
        serve.terminate()
    return Cost(took, 0, 0, "")


def _open_ends(place: Installation) -> int:
    rest = "SELECT 1 FROM webhook_events UNION ALL SELECT 1 FROM retries UNION ALL SELECT 1 FROM runs WHERE finished_at IS NULL"
    with closing(sqlite3.connect(place.folder / "siaghsync.db", timeout=30)) as db:
        return int(db.execute(f"SELECT count(*) FROM ({rest})").fetchone()[0])
