"""A sandbox, a state file and real runs of the program in processes of their own, which can be killed anywhere.

A run is a fork of this process that enters `siaghsync.__main__.run`, which saves the start-up of the interpreter; SIGKILL
on it is as real as on any other process. `spawn` starts the command itself, for a sample and for strace. Only a fork's
clock can be moved, at the one place where the clock enters the program.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import pkgutil
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import traceback
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import siaghsync
from siaghsync.__main__ import run
from siaghsync.sandbox import Fault, Sandbox
from siaghsync.sandbox.hooks import Entry
from siaghsync.sandbox.wire import encode

for _module in pkgutil.iter_modules(siaghsync.__path__, "siaghsync."):
    importlib.import_module(_module.name)  # once, and not in every fork
logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # a sandbox that is closed while a fault holds an answer back

WRITES = {"person/create", "organization/create", "SaveFormData/create", "SaveFormData/update"}
"""The endpoints that change something."""
Tracer = Callable[[int], "subprocess.Popen[bytes]"]
"""Given a process that waits to begin: attaches to it, and returns the process that does so."""
SETTLED_AFTER = 12
"""So many runs have to be enough to come to rest after whatever happened."""


class Event(NamedTuple):
    """A stage of a request, as the sandbox tells it."""

    system: str
    endpoint: str
    stage: str

    @property
    def writes(self) -> bool:
        return self.endpoint in WRITES


@dataclass
class Ended:
    """How a run ended. `code` is negative after a signal; `report` is its JSON, empty if it gave none."""

    code: int
    out: str
    err: str
    events: list[Event]

    @property
    def killed(self) -> bool:
        return self.code == -signal.SIGKILL

    @property
    def report(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self.out))
        except ValueError:
            return {}

    def __str__(self) -> str:
        return f"exit {self.code}\n{self.out[-1500:]}\n{self.err[-1500:]}"


@dataclass
class Trap:
    """Kills the run at event `at` (from 1), `delay` seconds later if given.

    `lost`: the request whose arrival the event is gets lost with the client, undone; else the server goes on.
    """

    at: int
    lost: bool = False
    delay: float = 0.0


@dataclass(frozen=True)
class World:
    """Both systems' whole content and the state file at one moment."""

    crm: Sequence[tuple[Any, dict[str, Any]]]
    contacts: Sequence[dict[str, Any]]
    state: Path | None
    clock: float


@dataclass
class Bench:
    """Both systems, a state file in `folder`, and a clock that can be moved ahead. A context manager."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    clock: float = 0.0
    sabotage: Callable[[], None] | None = None
    """Done in the fork before it runs: how the tests of the tests make a program that is not careful."""

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state.db"
        self.sandbox = Sandbox()
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
        self.sandbox, self.traps, self.clock = Sandbox(), [], world.clock
        self.sandbox.on_event(self._on_event)
        for kind, record in world.crm:
            self.sandbox.crm.add(kind, dict(record))
        for record in world.contacts:
            self.sandbox.finance.add_contact(**record)
        self.lose_state()
        if world.state:
            shutil.copy(world.state, self.state)
        self.sandbox.crm.clock_offset = self.clock

    def lose_state(self) -> None:
        """Takes the state file away."""
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.state}{ending}").unlink(missing_ok=True)

    def advance(self, seconds: float) -> None:
        """Moves both clocks ahead, the program's and the CRM's."""
        self.clock += seconds
        self.sandbox.crm.clock_offset = self.clock

    # --- runs ---

    def environ(self) -> dict[str, str]:
        """The environment that a run sees."""
        wanted = {"SIAGHSYNC_STATE": str(self.state), "HTTP_TIMEOUT_SECONDS": "5", **self.settings}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **self.sandbox.settings(), **wanted}

    def run(self, *arguments: str, traps: Iterable[Trap] = (), tracer: Tracer | None = None) -> Ended:
        """Runs a command with --json in a fork, with these traps or under this tracer, and waits for its end."""
        self._arm(traps)
        out, err = self.folder / "out", self.folder / "err"
        gate, door = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(door)
            os.read(gate, 1)  # until the parent knows whom a trap has to kill
            self._be(arguments, out, err)
        os.close(gate)
        tracing = tracer(pid) if tracer else None
        self._strike = lambda: os.kill(pid, signal.SIGKILL)
        os.close(door)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self._disarm()  # while the number still belongs to the dead run
        _, status = os.waitpid(pid, 0)
        if tracing:
            tracing.wait()
        return self._ended(os.waitstatus_to_exitcode(status), out.read_text("utf-8"), err.read_text("utf-8"))

    def spawn(self, *arguments: str, before: Sequence[str] = (), traps: Iterable[Trap] = ()) -> Ended:
        """Runs the command itself (`before` may hold strace and its options) and waits for its end."""
        self._arm(traps)
        command = [*before, sys.executable, "-m", "siaghsync", *arguments, "--json"]
        with subprocess.Popen(
            command, cwd=self.folder, env={**self.environ(), "PYTHONPATH": _ROOT}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        ) as process:  # fmt: skip
            self._strike = process.kill
            out, err = process.communicate()
            self._disarm()
        return self._ended(process.returncode, out, err)

    def _be(self, arguments: Sequence[str], out: Path, err: Path) -> None:
        """In the fork: becomes the program. Does not return."""
        code = 99
        try:
            for descriptor, path in ((1, out), (2, err)):
                os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
            sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115
            sys.stdout, sys.stderr = (os.fdopen(n, "w", encoding="utf-8") for n in (1, 2))
            os.chdir(self.folder)
            environ = self.environ()
            os.environ.clear()
            os.environ.update(environ)
            ahead = timedelta(seconds=self.clock)
            sys.modules["siaghsync.cli_base"].__dict__["now"] = lambda: datetime.now(UTC) + ahead
            if self.sabotage:
                self.sabotage()
            code = run([*arguments, "--json"])
        except BaseException:  # noqa: BLE001 - a fork must never return into the caller's code
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

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
        with self._lock:
            self._strike = None

    def carry_out(self, entry: Entry) -> None:
        """Does what a request in the journal asked for, now: a server that was slow, and has got round to it."""
        users = self.sandbox.settings()
        if entry.system == "crm":
            login = {"username": users["CRM_USERNAME"], "password": users["CRM_PASSWORD"], "deviceId": "late",
                     "platformType": 1, "os": "", "osVersion": "", "token": ""}  # fmt: skip
            token = f"Bearer {_post(self.sandbox.crm_url, '/api/v2/auth/login', login)['accessToken']}"
            _post(self.sandbox.crm_url, entry.path, entry.body, token)
        else:
            login = {"UserName": users["FINANCE_USERNAME"], "Password": users["FINANCE_PASSWORD"]}
            token = _post(self.sandbox.finance_url, "/GeneralApi/LoginUser", login)["SessionId"]
            _post(self.sandbox.finance_url, entry.path, entry.body, token)

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
        intents = self.rows("SELECT action, target, record, state FROM intents WHERE state IN ('open', 'unknown')")
        waiting = self.rows("SELECT target, record, reason, message FROM waiting")
        return [str(row) for row in (*intents, *waiting)]

    def rest(self, *command: str, pause: float) -> tuple[Ended, int]:
        """Runs a command every `pause` seconds until it has nothing left to do. Returns the last run and how many it took.

        Gives up after SETTLED_AFTER runs; the last run then is not a quiet one.
        """
        for count in range(1, SETTLED_AFTER + 1):
            self.advance(pause)
            ended = self.run(*command)
            if ended.code == 0 and not self.unsettled():
                break
        return ended, count


def _post(root: str, path: str, body: Any, token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "Authorization": token}
    request = urllib.request.Request(root + path, encode(body), headers)
    with urllib.request.urlopen(request) as answer:
        return dict(json.loads(answer.read()))


_ROOT = str(Path(__file__).parents[2])
