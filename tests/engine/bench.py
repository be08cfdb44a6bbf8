"""A sandbox, a state file and real runs of the program in processes of their own, which can be killed anywhere.

A run is a fork (see `fork_server`) that enters `siaghsync.__main__.run`, which saves the start-up of the interpreter; SIGKILL
on it is as real as on any other process. `spawn` starts the command itself, for a sample. Only a fork's clock can be
moved, at the one place where the clock enters the program.
"""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from siaghsync.sandbox import Fault, Sandbox
from tests.engine.fork_server import ForkServer, Order
from tests.engine.moments import FOR_THEIR_CUSTOMER, Ended, Event, Trap, World
from tests.environment import in_fiscal_year, machine

logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # a sandbox that is closed while a fault holds an answer back

Tracer = Callable[[int], "subprocess.Popen[bytes]"]
"""Given a process that waits to begin: attaches to it, and returns the process that does so."""
SETTLED_AFTER = 12
"""So many runs have to be enough to come to rest after whatever happened."""


@dataclass
class Bench:
    """Both systems, a state file in `folder`, and a clock that can be moved ahead. A context manager."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    clock: float = 0.0
    skew: float = 0.0
    """By how many seconds the program's clock is ahead of what both clocks ought to show."""
    sabotage: str = ""
    """Name of a function in `careless` that makes the runs less careful."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state.db"
        self.sandbox = in_fiscal_year(Sandbox())
        self._fork_server = ForkServer(_ROOT)
        self.traps: list[Trap] = []
        self._events: list[Event] = []
        self._strike: Callable[[], None] | None = None
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()
        self.sandbox.on_event(self._on_event)

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        self.sandbox.close()
        self._fork_server.close()

    # --- the world ---

    def keep(self) -> World:
        """What is now, to be given to `restore` of any bench as often as wanted."""
        kept = None
        if self.state.exists():
            kept = self.folder / "kept.db"
            kept.unlink(missing_ok=True)
            with sqlite3.connect(self.state) as db:
                db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            shutil.copy(self.state, kept)
        crm = [(self.sandbox.crm.kind(i), record) for i, record in self.sandbox.crm.records.items()]
        return World(crm, self.sandbox.finance.snapshot(), kept, self.clock)

    def restore(self, world: World) -> None:
        """Makes a kept world the present one, in a sandbox of its own, so that nothing of the past can reach into it."""
        self.sandbox.close()
        self.sandbox, self.traps, self.clock = in_fiscal_year(Sandbox()), [], world.clock
        self.sandbox.on_event(self._on_event)
        for kind, record in world.crm:
            self.sandbox.crm.add(kind, dict(record))
        for record in world.contacts:
            self.sandbox.finance.add_contact(**record)
        self.lose_state()
        Path(f"{self.state}.lock").unlink(missing_ok=True)  # which knows of a later state file
        if world.state:
            shutil.copy(world.state, self.state)
        self.sandbox.crm.clock_offset = self.sandbox.finance.clock_offset = self.clock

    def lose_state(self) -> None:
        """Takes the state file away."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.state}{ending}").unlink(missing_ok=True)

    def advance(self, seconds: float) -> None:
        """Moves all clocks ahead, the program's and those of both systems."""
        self.clock += seconds
        self.sandbox.crm.clock_offset = self.sandbox.finance.clock_offset = self.clock

    # --- runs ---

    def environ(self) -> dict[str, str]:
        """The environment that a run sees."""
        wanted = {"SIAGHSYNC_STATE": str(self.state), "HTTP_TIMEOUT_SECONDS": "60", "PREINVOICE_CUSTOMER": "contact"}
        wanted |= self.settings
        return {**machine(), **self.sandbox.settings(), **wanted}

    def run(self, *arguments: str, traps: Iterable[Trap] = (), tracer: Tracer | None = None) -> Ended:
        """Runs a command with --json, with these traps or under this tracer, and waits for its end."""
        self._arm(traps)
        pid = self._fork_server.ask(
            Order(
                arguments=list(arguments),
                environ=self.environ(),
                folder=str(self.folder),
                ahead=self.clock + self.skew,
                sabotage=self.sabotage,
            )
        )
        tracing = tracer(pid) if tracer else None
        self._strike = lambda: os.kill(pid, signal.SIGKILL)
        self._fork_server.ask("go")
        self._disarm()
        code = self._fork_server.ask("bury")
        if tracing:
            tracing.wait()
        out, err = (self.folder / name for name in ("out", "err"))
        return self._ended(code, out.read_text("utf-8"), err.read_text("utf-8"))

    def spawn(self, *arguments: str, traps: Iterable[Trap] = ()) -> Ended:
        """Runs the command itself, as cron does, and waits for its end."""
        self._arm(traps)
        with start(self, *arguments) as process:
            self._strike = process.kill
            out, err = process.communicate()
            self._disarm()
        return self._ended(process.returncode, out, err)

    def _arm(self, traps: Iterable[Trap]) -> None:
        self.traps, self._events = list(traps), []

    def _ended(self, code: int, out: str, err: str) -> Ended:
        # One trip through the server's loop: what the client left in the air is worked on by then.
        with urllib.request.urlopen(f"{self.sandbox.crm_url}/_sandbox/counts") as answer:
            answer.read()
        return Ended(code, out, err, self._events)

    def _on_event(self, system: str, endpoint: str, stage: str) -> None:
        self._events.append(Event(system, endpoint, stage))
        for trap in self.traps:
            if trap.at != len(self._events):
                continue
            if trap.lost and stage == "received":
                self.sandbox.faults.arm(Fault("close_before", f"{system}:{endpoint}"))
            if trap.delay:
                self._timer = threading.Timer(trap.delay, self.kill)
                self._timer.start()
            else:
                self.kill()

    def kill(self) -> None:
        """SIGKILL to the run that is going on, if there is one."""
        with self._lock:
            if self._strike:
                self._strike()

    def _disarm(self) -> None:
        if self._timer:
            self._timer.cancel()
        self.traps = []  # what the bench asks itself from here on is nobody's run
        with self._lock:
            self._strike = None

    # --- what the state file says ---

    def rows(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query on the state file; none if there is no file, or a run was killed before it had tables."""
        if not self.state.exists():
            return []
        db = sqlite3.connect(self.state)
        db.row_factory = sqlite3.Row
        try:
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'intents'").fetchone():
                return []
            return [dict(row) for row in db.execute(sql)]
        finally:
            db.close()

    def unsettled(self) -> list[str]:
        """What the state file still has in doubt or waiting."""
        intents = self.rows(
            "SELECT operation, target, record, state FROM intents i WHERE state IN ('open', 'unknown') AND NOT "
            "(operation = 'update' AND EXISTS (SELECT 1 FROM reviews r WHERE r.resolution IS NULL AND r.record = i.record "
            "AND r.reason IN ('contact_replaced', 'missing_in_finance')))"  # there is nothing to compare it with
        )
        waiting = self.rows("SELECT entity, target, record, reason, message_code FROM retries")
        held_up = [row for row in waiting if row["entity"] == "invoice" and row["reason"] in FOR_THEIR_CUSTOMER]
        return [str(row) for row in (*intents, *waiting) if row not in held_up]

    def rest(self, *command: str, pause: float) -> tuple[Ended, int]:
        """Runs a command every `pause` seconds until it has nothing left to do. Returns the last run and how many it took.

        Gives up after SETTLED_AFTER runs; the last run then is not a quiet one.
        """
        count = 0
        while True:
            count += 1
            self.advance(pause)
            ended = self.run(*command)
            if (ended.is_quiet and not self.unsettled()) or count == SETTLED_AFTER:
                return ended, count


def start(bench: Bench, *arguments: str) -> subprocess.Popen[str]:
    """The command itself, just started."""
    return subprocess.Popen(
        [sys.executable, "-m", "siaghsync", *arguments, "--json"],
        cwd=bench.folder,
        env={**bench.environ(), "PYTHONPATH": _ROOT},
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


_ROOT = str(Path(__file__).parents[2])
