"""Kills at every n-th system call that writes, syncs, sends or receives, with strace where the machine has it."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.engine.bench import Bench
from tests.engine.oracle import Verdict
from tests.engine.scenarios import Eve
from tests.patience import wait_for

CALLS = ("pwrite64", "fdatasync", "fsync", "sendto", "recvfrom", "write", "connect", "unlink", "ftruncate")
Recover = Callable[[Bench, Eve], tuple[Verdict, int]]


@functools.cache
def available() -> bool:
    """Whether strace is here and may do what it has to."""
    if not shutil.which("strace"):
        return False
    command = ["strace", "-f", "-o", "/dev/null", "-e", "inject=write:signal=KILL:when=1", "sh", "-c", "echo x"]
    return subprocess.run(command, capture_output=True, check=False).returncode not in (0, 1)


def attach(call: str, when: int) -> Callable[[int], subprocess.Popen[bytes]]:
    """Given a process: attaches strace to it, to kill it at the `when`-th such call of one of its threads."""

    def attached(pid: int) -> subprocess.Popen[bytes]:
        kill = f"inject={call}:signal=KILL:when={when}"
        command = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e", kill, "-p", str(pid)]
        tracer = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        status = Path(f"/proc/{pid}/status")
        wait_for(lambda: "TracerPid:\t0" not in status.read_text() or tracer.poll() is not None)
        return tracer

    return attached


def sweep(bench: Bench, eve: Eve, most: int, recover: Recover) -> Iterator[tuple[str, Verdict, int]]:
    """At most `most` kills for each kind of call: (place, verdict, runs of the recovery)."""
    for call in CALLS:
        for when in range(1, most + 1):
            bench.restore(eve.world)
            ended = bench.run(*eve.scenario.command, tracer=attach(call, when))
            if not ended.killed:
                break  # the run has no more such calls
            yield f"{eve.scenario.name}: {call} no. {when}", *recover(bench, eve)
