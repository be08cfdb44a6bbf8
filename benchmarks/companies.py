"""Many companies on this machine, for real: `python -m benchmarks.companies`.

Each company has a folder with settings and a state file, and its `sync` is started every five minutes, at a moment of its own,
as systemd's timers do it. All of them work with one sandbox, where a customer is edited every few seconds: each company carries
the edit to Finance, or sees that another one has. A start is late if the run before it is not over. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.bench import ROOT

SPREAD = 0.8
"""The part of an interval within which the companies' moments lie."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run of a company took: seconds, and MB at most resident."""

    code: int
    elapsed: float
    cpu: float
    memory: float


@dataclass(slots=True)
class Measured:
    """What happened so far."""

    runs: list[Run] = field(default_factory=list)
    late: int = 0
    most_at_once: int = 0
    at_work: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> None:
        """A run begins."""
        with self.lock:
            self.at_work += 1
            self.most_at_once = max(self.most_at_once, self.at_work)

    def end(self, run: Run) -> None:
        """A run is over."""
        with self.lock:
            self.at_work -= 1
            self.runs.append(run)


def run(folder: Path, *arguments: str) -> Run:
    """`siaghsync ARGUMENTS` in a company's folder, and what that very process took."""
    started = time.monotonic()
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
        "PYTHONPATH": str(ROOT)
    }
    command = [sys.executable, "-m", "siaghsync", "--env-file", str(folder / ".env"), *arguments]
    nowhere = [(os.POSIX_SPAWN_OPEN, fd, os.devnull, os.O_RDWR, 0) for fd in (0, 1, 2)]
    pid = os.posix_spawn(sys.executable, command, env, file_actions=nowhere)
    _, status, usage = os.wait4(pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    return Run(os.waitstatus_to_exitcode(status), time.monotonic() - started, cpu, usage.ru_maxrss / 1024)


@contextmanager
def sandbox(customers: int) -> Iterator[tuple[int, dict[str, str]]]:
    """A sandbox in its own process: its process id, and the settings that lead to it."""
    command = [sys.executable, "-m", "siaghsync", "sandbox", "--customers", str(customers)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            settings: dict[str, str] = {}
            while "FINANCE_PASSWORD" not in settings:
                name, is_one, value = process.stdout.readline().strip().partition("=")
                settings |= {name: value} if is_one else {}
            threading.Thread(target=process.stdout.read, daemon=True).start()
            yield process.pid, settings
        finally:
            process.terminate()


def cpu_of(pid: int) -> float:
    """Seconds of CPU that a process has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def companies(folder: Path, settings: dict[str, str], count: int) -> list[Path]:
    """The folders of so many companies, each after its import: the first one's makes the customers, the others' link them."""
    folders = [folder / f"{number:04}" for number in range(count)]
    for each in folders:
        each.mkdir()
        (each / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()), "utf-8")
        (each / ".env").chmod(0o600)
    for each in folders:
        made = run(each, "initial-import", "--yes")
        if made.code:
            raise RuntimeError(f"the import of {each.name} ended with {made.code}")
        print(f"\r{each.name} of {count} imported ", end="", file=sys.stderr, flush=True)
    return folders


def customers_of(folder: Path) -> list[tuple[str, str]]:
    """Kind and CRM id of each linked customer of a company."""
    with closing(sqlite3.connect(folder / "siaghsync.db")) as state:
        return list(state.execute("SELECT kind, crm_id FROM customer_mappings ORDER BY crm_id"))


def edit(address: str, customers: list[tuple[str, str]], every: float, until: float) -> None:
    """Edits a customer every so many seconds, each one in its turn."""
    for number, (kind, crm_id) in enumerate(cycle(customers)):
        time.sleep(every)
        if time.monotonic() > until:
            return
        body = json.dumps({"email": f"edit{number}@example.com"}).encode()
        request = urllib.request.Request(f"{address}/_sandbox/{kind}/{crm_id}", body, method="PATCH")
        urllib.request.urlopen(request).close()


def work(folder: Path, first: float, interval: float, until: float, measured: Measured) -> None:
    """Runs one company's `sync` from `first` on (seconds of the monotonic clock), at each interval."""
    moment = first
    while moment < until:
        time.sleep(max(0.0, moment - time.monotonic()))
        measured.begin()
        measured.end(run(folder, "sync", "--quiet"))
        moment += interval
        if time.monotonic() > moment:
            measured.late += 1
            moment = time.monotonic()


def measure(count: int, minutes: float, interval: float, customers: int, every: float) -> dict[str, Any]:
    """The figures of so many companies over so many minutes."""
    with tempfile.TemporaryDirectory() as folder, sandbox(customers) as (pid, settings):
        folders = companies(Path(folder), settings, count)
        measured, dice, begun = Measured(), Random(1), time.monotonic()
        until, served = begun + 60 * minutes, cpu_of(pid)
        moments = [begun + dice.random() * SPREAD * interval for _ in folders]
        with ThreadPoolExecutor(count + 1) as pool:
            ways = [
                pool.submit(work, each, at, interval, until, measured)
                for each, at in zip(folders, moments, strict=True)
            ]
            ways.append(pool.submit(edit, settings["CRM_API_BASE_URL"], customers_of(folders[0]), every, until))
        for way in ways:
            way.result()
        seconds = time.monotonic() - begun
        return {
            "companies": count,
            "customers": customers,
            "seconds": round(seconds),
            "cores": os.cpu_count(),
            **figures(measured, seconds),
            "share_of_sandbox": round((cpu_of(pid) - served) / seconds / (os.cpu_count() or 1), 3),
        }


def figures(measured: Measured, seconds: float) -> dict[str, Any]:
    """What the runs took. Shares are of all cores; times in seconds, memory in MB."""
    took = sorted(each.elapsed for each in measured.runs)
    return {
        "runs": len(took),
        "failed": sum(each.code not in (0, 75) for each in measured.runs),
        "late": measured.late,
        "most_at_once": measured.most_at_once,
        "share": round(sum(each.cpu for each in measured.runs) / seconds / (os.cpu_count() or 1), 3),
        "cpu_of_a_run": round(statistics.mean(each.cpu for each in measured.runs), 3),
        "median_run": round(statistics.median(took), 2),
        "longest_run": round(took[-1], 2),
        "memory_of_a_run": round(max(each.memory for each in measured.runs)),
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--companies", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--interval", type=float, default=300, help="seconds between two runs of a company")
    parser.add_argument("--customers", type=int, default=200, help="customers of the sandbox")
    parser.add_argument("--edit-every", type=float, default=5, help="seconds between two edits in the CRM")
    options = parser.parse_args()
    found = measure(options.companies, options.minutes, options.interval, options.customers, options.edit_every)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
