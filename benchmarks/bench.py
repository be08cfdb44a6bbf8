"""Processes and what they cost: the lean server, the command, the floor."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.fake_customers import MD5, PASSWORD, USER

ROOT = Path(__file__).parents[1]
CONCURRENCY = 8
_LAUNCHER = """
import os, sys, time
started = time.perf_counter()
pid = os.posix_spawn(sys.executable, [sys.executable, *sys.argv[2:]], os.environ)
_, status, usage = os.wait4(pid, 0)
elapsed = time.perf_counter() - started
with open(sys.argv[1], "w") as report:
    print(os.waitstatus_to_exitcode(status), elapsed, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, file=report)
"""
# A process's most resident memory counts that of the process that started it, so a small one has to.


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process took: wall clock and CPU in seconds, most resident memory in MB, and its output."""

    elapsed: float
    cpu: float
    memory: float
    output: str

    @property
    def json(self) -> dict[str, Any]:
        """The output, which must be one JSON document."""
        return dict(json.loads(self.output))


def run(arguments: Sequence[str], folder: Path, env: dict[str, str] | None = None, code: int = 0) -> Cost:
    """Runs `python ARGUMENTS` to its end, which must be `code`, and asks the system what that very process took."""
    environ = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    out, err, report = folder / "out", folder / "err", folder / "report"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        subprocess.run(
            [sys.executable, "-I", "-S", "-c", _LAUNCHER, str(report), *arguments], cwd=folder, check=True,
            env={**environ, "PYTHONPATH": str(ROOT), **(env or {})}, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr,
        )  # fmt: skip
    ended, elapsed, cpu, memory = report.read_text("utf-8").split()
    if int(ended) != code:
        raise RuntimeError(f"{' '.join(arguments)} ended with {ended}: {err.read_text('utf-8')[-2000:]}")
    return Cost(float(elapsed), float(cpu), int(memory) / 1024, out.read_text("utf-8"))


class Systems:
    """The lean server in its own process, as the benchmarks see it."""

    def __init__(self, urls: dict[str, str]) -> None:
        self.crm, self.finance = urls["crm"], urls["finance"]

    def _ask(self, name: str, **wanted: Any) -> dict[str, int]:
        body = json.dumps(wanted).encode() if wanted else None
        with urllib.request.urlopen(f"{self.crm}/_bench/{name}", body) as answer:
            return dict(json.loads(answer.read()))

    def reset(self, contacts: int, crm: int = 0, latency: float = 0) -> None:
        """So many contacts, the first `crm` of them in the CRM too; `latency` in milliseconds."""
        self._ask("reset", contacts=contacts, crm=crm, latency=latency)

    def delay(self, latency: float) -> None:
        """From now on each answer takes `latency` milliseconds."""
        self._ask("delay", latency=latency)

    def touch(self, first: int, count: int) -> None:
        """Changes `count` customers in the CRM."""
        self._ask("touch", first=first, count=count)

    def add(self, count: int) -> None:
        """Makes `count` new customers in the CRM."""
        self._ask("add", count=count)

    def counts(self) -> dict[str, int]:
        """Requests by path since the scene was last set or changed."""
        return self._ask("counts")

    def settings(self) -> dict[str, str]:
        """The settings of an installation that works with these systems."""
        return {
            "CRM_API_BASE_URL": self.crm,
            "CRM_USERNAME": USER,
            "CRM_PASSWORD": PASSWORD,
            "FINANCE_API_BASE_URL": self.finance,
            "FINANCE_USERNAME": USER,
            "FINANCE_PASSWORD": MD5,
            "CONCURRENCY": str(CONCURRENCY),
            "MAX_CREATES_PER_RUN": "1000000",
            "MAX_UPDATES_PER_RUN": "1000000",
        }


@contextmanager
def systems() -> Iterator[Systems]:
    """Starts the lean server, and ends it."""
    command = [sys.executable, "-m", "benchmarks.server"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield Systems(json.loads(process.stdout.readline()))
        finally:
            process.kill()


@dataclass(frozen=True)
class Installation:
    """A folder with a state file, and the command in it."""

    folder: Path
    systems: Systems

    def run(self, *arguments: str, code: int = 0) -> Cost:
        """`siaghsync ARGUMENTS`."""
        return run(["-m", "siaghsync", *arguments], self.folder, self.systems.settings(), code)

    def lose_state(self) -> None:
        """Takes the state file away, and its lock, so that the next import is a first one."""
        for path in self.folder.glob("siaghsync.db*"):
            path.unlink()


def floor(systems: Systems, folder: Path, count: int) -> Cost:
    """The floor: so many creates by plain requests and threads."""
    return run(["-m", "benchmarks.floor", systems.crm, str(count), str(CONCURRENCY)], folder)
