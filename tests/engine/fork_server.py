"""A process without threads whose forks become runs of the program: `python -m tests.engine.fork_server`, used by `bench`.

The bench itself can't fork: the sandbox is a thread of it, and a fork takes along whatever lock a thread happens to hold.

One line of JSON comes in for each run (see `Order`). Out go the run's process number; after a line "go" has come in,
"over" once it has ended; after a line "bury", its exit code. Until then the number belongs to the dead run, so that no
late kill can hit a stranger.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import subprocess
import sys
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypedDict

import siaghsync
from siaghsync.__main__ import run


class Order(TypedDict):
    """What a run is to be. `ahead`: seconds by which its clock is ahead of the machine's."""

    arguments: list[str]
    environ: dict[str, str]
    folder: str
    ahead: float
    sabotage: str
    """Name of a function in `careless` that is called first, or ""."""


def main() -> None:
    """Serves until standard input ends."""
    for module in pkgutil.walk_packages(siaghsync.__path__, "siaghsync."):
        importlib.import_module(module.name)  # once, and not in every fork
    for line in iter(sys.stdin.readline, ""):
        order: Order = json.loads(line)
        gate, door = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(door)
            if os.read(gate, 1):
                _become(order)
            os._exit(98)
        os.close(gate)
        _say(pid)
        if sys.stdin.readline():
            os.write(door, b".")
        os.close(door)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        _say("over")
        sys.stdin.readline()
        _say(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


def _say(value: object) -> None:
    print(value, flush=True)


def _become(order: Order) -> None:
    """In the fork: becomes the program. Does not return."""
    code = 99
    try:
        for descriptor, name in ((1, "out"), (2, "err")):
            path = Path(order["folder"]) / name
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.chdir(order["folder"])
        os.environ.clear()
        os.environ.update(order["environ"])
        ahead = timedelta(seconds=order["ahead"])
        sys.modules["siaghsync.clock"].__dict__["now"] = lambda: datetime.now(UTC) + ahead
        sys.modules["siaghsync.clock"].__dict__["monotonic"] = lambda: time.monotonic() + order["ahead"]
        if order["sabotage"]:
            getattr(importlib.import_module("tests.engine.careless"), order["sabotage"])()
        code = run([*order["arguments"], "--json"])
    except BaseException:  # noqa: BLE001 - a fork must never return into the caller's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


class ForkServer:
    """The other end: one such process. Whoever uses it closes it."""

    def __init__(self, root: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.fork_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )

    def ask(self, line: Any) -> Any:
        """Sends a line (as JSON unless it is text) and returns the answer's value; None for "over"."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{line if isinstance(line, str) else json.dumps(line)}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        assert answer, "the fork server has died"
        return None if answer == "over" else int(answer)

    def close(self) -> None:
        """Ends it."""
        self._process.communicate()


if __name__ == "__main__":
    main()
