"""The command `hash-password`."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Annotated

import typer

from siaghsync.cli.options import GlobalOptions, new_app
from siaghsync.errors import UsageError
from siaghsync.messages.catalog import render
from siaghsync.messages.message import msg
from siaghsync.password_hash import hashed
from siaghsync.passwords import finance_hash, save_hash
from siaghsync.report.streams import say_message, write_line

app = new_app()


@app.command()
def hash_password(
    context: typer.Context,
    password: Annotated[
        str | None, typer.Argument(help="The Siagh password; asked for without echo if left out.")
    ] = None,
    dashboard: Annotated[bool, typer.Option("--dashboard", help="The dashboard's password, by scrypt.")] = False,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from one line of standard input.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Write it into the env file.")] = False,
) -> None:
    """`hash-password`."""
    options: GlobalOptions = context.obj
    text = password_from(password, stdin=stdin, dashboard=dashboard)
    digest = hashed(text) if dashboard else finance_hash(text)
    if not save:
        write_line(digest)
        return
    path, name = options.env_file or Path(".env"), "DASHBOARD_PASSWORD_HASH" if dashboard else "FINANCE_PASSWORD"
    save_hash(path, digest, name)
    say_message(msg("cli.hash_saved", file=str(path), name=name))


def password_from(given: str | None = None, *, stdin: bool, dashboard: bool = True) -> str:
    """The password that was given, or read from standard input, or asked for without echo. Raises UsageError."""
    if stdin and given is not None:
        raise UsageError("usage.password_twice")
    if stdin:
        given = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    elif given is None:
        given = _ask("cli.dashboard_password" if dashboard else "cli.siagh_password")
    if not given:
        raise UsageError("usage.password_empty")
    return given


def _ask(prompt: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("usage.no_terminal_for_password")
    return getpass.getpass(render(msg(prompt)))
