"""Measures everything and prints it as a table and, with --json, as JSON: `python -m benchmarks`. See README.md here."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.bench import Installation, systems
from benchmarks.cases import Figure, daily_work, growth, imports, many_changes, start_up, steady_state, under_load

_SIZES = (1_000, 10_000, 100_000)
_QUICK = (300, 1_000, 3_000)
_STARTS = 9
_PARTS = ("start-up", "steady", "import", "daily", "load")


def tell(text: str) -> None:
    """Progress, on stderr."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def measure(place: Installation, sizes: tuple[int, int, int], rounds: int, only: str) -> Iterator[Figure]:
    """All figures, or those of the parts that have `only` in their names: start-up, import, daily, steady, load."""
    small, middle, large = sizes
    if only in "start-up":
        yield from start_up(place, _STARTS, tell)
    if only in "steady":
        yield from steady_state(place, tell)
    at_once: list[Figure] = []
    if only in "import":
        for size, latency in ((small, 200), (small, 20), (middle, 20)):
            yield from imports(place, size, latency, rounds, tell)
        for size in (small, middle):
            at_once += imports(place, size, 0, rounds, tell)
    if only in "import" or only in "daily":
        at_once += imports(place, large, 0, rounds, tell)
    if len(at_once) == 6:
        at_once[-1].goals.append(growth(at_once[1], at_once[3], at_once[5]))
    yield from at_once
    if only in "daily":
        yield from daily_work(place, large, tell)
    if only in "load":
        yield from under_load(place, large, tell)
        yield from many_changes(place, large, min(5_000, large // 2), 20, tell)


def table(figures: list[Figure]) -> Table:
    """The figures for people."""
    shown = Table("what", "rounds", "elapsed s", "CPU s", "MB", "CPU ms/record", "requests", "goals")
    for figure in figures:
        each = f"{figure.cpu / figure.records * 1000:.2f}" if figure.records > 1 else ""
        goals = "\n".join(
            f"{what} {value:.2f} ({limit}) {'met' if met else 'MISSED'}" for what, value, limit, met in figure.goals
        )
        shown.add_row(
            figure.name, str(figure.rounds), f"{figure.elapsed:.2f}", f"{figure.cpu:.2f}", f"{figure.memory:.0f}",
            each, f"{figure.requests:,}" if figure.requests else "", goals,
        )  # fmt: skip
    return shown


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the customers, to see that it works")
    parser.add_argument("--only", default="", choices=_PARTS, help="measure this part alone")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds of each import and its floor")
    parser.add_argument("--large", type=int, help="so many customers instead of 100,000")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    small, middle, large = _QUICK if options.quick else _SIZES
    with tempfile.TemporaryDirectory() as folder, systems() as both:
        place = Installation(Path(folder), both)
        figures = list(measure(place, (small, middle, options.large or large), options.rounds, options.only))
    Console(width=150).print(table(figures))
    if options.json:
        machine = {"python": platform.python_version(), "system": platform.system(), "cores": os.cpu_count()}
        document = {"machine": machine, "figures": [asdict(figure) for figure in figures]}
        options.json.write_text(json.dumps(document, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
