"""A world to try the real command in: the sandbox with both systems, a folder with an env file, and `siaghsync` itself."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from siaghsync.sandbox import Fault, Sandbox
from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.hooks import Journal, under
from siaghsync.sandbox.shapes import CUSTOMER_KINDS
from siaghsync.sandbox.store import CrmWorld
from tests.environment import in_fiscal_year, machine
from tests.patience import PATIENCE

QUICK = {"HTTP_TIMEOUT_SECONDS": "60", "UNKNOWN_GRACE_SECONDS": "0", "MAX_RETRY_ATTEMPTS": "2"}
"""Settings that keep tests quick; a test that is about one of them sets its own by `env`.

The time limit of a request is far beyond what a busy machine needs: where a test says nothing of it, it never runs out.
"""


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        """stdout, which must be exactly one JSON object."""
        document = json.loads(self.stdout)
        assert isinstance(document, dict)
        return document

    @property
    def text(self) -> str:
        """All that was printed."""
        return self.stdout + self.stderr


class World:
    """One sandbox and one installation of siaghsync that works with it.

    `env` of the methods below are settings for this one call, in front of the env file's.
    """

    def __init__(self, folder: Path, sandbox: Sandbox) -> None:
        self.folder = folder
        self.sandbox = in_fiscal_year(sandbox)
        self.env_file = folder / ".env"
        self.state_file = folder / "siaghsync.db"
        self.set()

    @property
    def crm(self) -> CrmWorld:
        """The CRM's inside."""
        return self.sandbox.crm

    @property
    def finance(self) -> FinanceWorld:
        """The finance system's inside."""
        return self.sandbox.finance

    @property
    def journal(self) -> Journal:
        """The requests since the last command was started (it is emptied then)."""
        return self.sandbox.journal

    def set(self, **settings: str) -> Self:
        """Writes the env file anew: the sandbox's settings, QUICK, and these. Returns this world."""
        lines = {**self.sandbox.settings(), **QUICK, **settings}
        self.env_file.touch()
        self.env_file.chmod(0o600)
        self.env_file.write_text("".join(f"{name}='{value}'\n" for name, value in lines.items()), "utf-8")
        return self

    def arm(self, kind: Any, where: str, **how: Any) -> Fault:
        """Switches a fault on (`sandbox.faults`)."""
        return self.sandbox.faults.arm(Fault(kind, where, **how))

    def start(self, *args: str, env: dict[str, str] | None = None, stdin: int = subprocess.DEVNULL) -> Process:
        """Starts `siaghsync ARGS` and returns its process; `finish` waits for its end."""
        self.journal.reset()
        command = [sys.executable, "-m", "siaghsync", "--env-file", str(self.env_file), *args]
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command, env={**machine(), **(env or {})}, cwd=self.folder, stdin=stdin, stdout=pipe, stderr=pipe, text=True
        )

    def run(self, *args: str, env: dict[str, str] | None = None, stdin: str | None = None) -> Ended:
        """Runs `siaghsync ARGS` to its end; standard input is empty or `stdin`, never a terminal."""
        return finish(self.start(*args, env=env, stdin=subprocess.PIPE), stdin)

    def json(self, *args: str, env: dict[str, str] | None = None, exit_code: int = 0) -> dict[str, Any]:
        """The JSON document of `siaghsync ARGS --json`, which must end with `exit_code`."""
        ended = self.run(*args, "--json", env=env)
        assert ended.exit_code == exit_code, f"exit code {ended.exit_code}\n{ended.text}"
        return ended.json

    def imported(self, **env: str) -> Self:
        """This world after an initial import that must end well."""
        self.json("initial-import", "--yes", env=env)
        return self

    def twin_of(self, other: World) -> Self:
        """This world with the customers of another one in both systems and its state file: cheaper than the same runs."""
        for kind in CUSTOMER_KINDS:
            for record in other.crm.tables[kind].records.values():
                self.crm.add(kind, record)
        for contact in other.finance.contacts.values():
            self.finance.add_contact(**contact)
        shutil.copy(other.state_file, self.state_file)
        return self

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds in the state file."""
        with closing(sqlite3.connect(f"file:{self.state_file}?mode=ro", uri=True)) as db:
            return db.execute(sql, values).fetchall()

    def crm_of(self, code: int) -> str:
        """The CRM id that a finance contact is linked to."""
        ((crm_id,),) = self.rows("SELECT crm_id FROM customer_mappings WHERE finance_code = ?", code)
        return str(crm_id)

    def code_of(self, crm_id: str) -> int:
        """The finance code that a CRM record is linked to."""
        ((code,),) = self.rows("SELECT finance_code FROM customer_mappings WHERE crm_id = ?", crm_id)
        return int(code)


Process = subprocess.Popen[str]
Maker = Callable[..., World]
"""What the fixture `make_world` is: `make_world(customers=5, also_in_crm=2)`."""


def finish(process: Process, stdin: str | None = None) -> Ended:
    """Waits for a command's end. One that takes longer than any machine needs is killed, and the test fails."""
    try:
        stdout, stderr = process.communicate(stdin, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Ended(process.returncode, stdout, stderr)


@contextmanager
def holding(world: World, endpoint: str) -> Iterator[None]:
    """Inside the block the server answers nobody from the first request to this endpoint on: a run stays at work."""
    release = threading.Event()

    def hold(_system: str, its_endpoint: str, stage: str) -> None:
        if stage == "received" and under(its_endpoint, endpoint):
            release.wait(PATIENCE)

    forget = world.sandbox.on_event(hold)
    try:
        yield
    finally:
        release.set()
        forget()
