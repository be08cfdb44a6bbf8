"""The real command line without a process of its own: the same code from the first argument on, and much quicker."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from unittest.mock import patch

from siaghsync.__main__ import run
from tests.environment import machine
from tests.world import Ended, World


class Indoors(World):
    """A world whose `run` and `json` stay in this process; `start` still makes a process."""

    def run(self, *args: str, env: dict[str, str] | None = None, stdin: str | None = None) -> Ended:
        """Runs `siaghsync ARGS` to its end; standard input is never a terminal.

        Only Python's view of the environment changes. The one of the C library stays as it is: the sandbox's threads may be
        reading it (libfaketime does whenever a thread waits), and to change it at that moment crashes the process.
        """
        self.journal.reset()
        stdout, stderr = io.StringIO(), io.StringIO()
        with (
            patch("os.putenv"),
            patch("os.unsetenv"),
            patch.dict(os.environ, {**machine(), **(env or {})}, clear=True),
            patch("sys.stdin", io.StringIO(stdin or "")),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(stdout),
            contextlib.redirect_stderr(stderr),
        ):
            code = run(["--env-file", str(self.env_file), *args])
        return Ended(code, stdout.getvalue(), stderr.getvalue())


def indoors(world: World) -> Indoors:
    """The same world, its commands run in this process."""
    found = Indoors(Path(world.folder), world.sandbox)
    found.env_file.write_bytes(world.env_file.read_bytes())
    return found
