"""The commands around the work: `hash-password` and `sandbox`."""

from __future__ import annotations

import sys
from pathlib import Path

from siaghsync.cli.base import Call, stop_on_signal
from siaghsync.errors import UsageError
from siaghsync.report.terminal import say, write_line


def hash_password(call: Call, password: str | None, *, stdin: bool, save: bool, dashboard: bool) -> int:
    """`hash-password`: returns the exit code."""
    from siaghsync.password_hash import hashed
    from siaghsync.passwords import finance_hash, save_hash

    if stdin and password is not None:
        raise UsageError("The password was given twice, as an argument and by --stdin.", "Give it one way.")
    if stdin:
        password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    elif password is None:
        password = _ask("Dashboard" if dashboard else "Siagh")
    if not password:
        raise UsageError("The password is empty.", "Give the password of the Siagh user, or one for the dashboard.")
    digest = hashed(password) if dashboard else finance_hash(password)
    if save:
        path, name = call.env_file or Path(".env"), "DASHBOARD_PASSWORD_HASH" if dashboard else "FINANCE_PASSWORD"
        save_hash(path, digest, name)
        say(f"Written into {path} as {name}.")
    else:
        write_line(digest)
    return 0


def _ask(whose: str) -> str:
    import getpass

    if not sys.stdin.isatty():
        raise UsageError("There is no terminal to ask on.", "Give the password by --stdin.")
    return getpass.getpass(f"{whose} password (not shown): ")


def sandbox(_call: Call, *, crm_port: int, finance_port: int, customers: int) -> int:
    """`sandbox`: serves until Ctrl-C or SIGTERM. Returns the exit code."""
    from siaghsync.sandbox import Sandbox

    with (
        stop_on_signal() as stop,
        Sandbox(customers=customers, crm_port=crm_port, finance_port=finance_port) as systems,
    ):
        for name, value in systems.settings().items():
            write_line(f"{name}={value}")
        say("Both systems are up. Stop them with Ctrl-C.")
        stop.event.wait()
    return 0
