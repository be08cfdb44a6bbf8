"""The command group `dashboard-user`: who may use the dashboard."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from siaghsync.cli.hash_password import password_from
from siaghsync.cli.options import GlobalOptions, JsonOption, help_without_command, new_app
from siaghsync.dashboard_users import FILE_NAME, DashboardUser, Role, Users, read_users, write_users
from siaghsync.domain.normalize import clean, fold
from siaghsync.errors import UsageError
from siaghsync.messages.message import msg
from siaghsync.password_hash import hashed
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import show
from siaghsync.report.text import isolated, table

app = new_app(invoke_without_command=True)
_LONGEST_NAME = 40

NameArgument = Annotated[str, typer.Argument(metavar="NAME")]
StdinOption = Annotated[bool, typer.Option("--stdin", help="Read the password from one line of standard input.")]


class RoleWord(StrEnum):
    """What `--role` can be told."""

    LOOK = "look"
    DECIDE = "decide"
    ADMINISTER = "administer"


@app.callback()
def group(context: typer.Context) -> None:
    """`dashboard-user` without a command: its help."""
    help_without_command(context)


@app.command("add")
def add(
    context: typer.Context,
    name: NameArgument,
    role: Annotated[RoleWord, typer.Option("--role", help="What the user may do.")],
    stdin: StdinOption = False,
) -> None:
    """Add a user, or give a known one another role and password."""
    path = _path(context)
    users, known_as = read_users(path), _name(name)
    digest = hashed(password_from(stdin=stdin))
    write_users(path, {**users, fold(known_as): DashboardUser(known_as, Role[role.upper()], digest)})
    say_message(msg("cli.user_saved", name=known_as, role=role.value, file=str(path)))


@app.command("password")
def password(context: typer.Context, name: NameArgument, stdin: StdinOption = False) -> None:
    """Give a user another password; sessions that began with the old one end at once."""
    path = _path(context)
    users = read_users(path)
    user = _find(users, name)
    write_users(path, {**users, fold(user.name): replace(user, password=hashed(password_from(stdin=stdin)))})
    say_message(msg("cli.user_saved", name=user.name, role=user.role.word, file=str(path)))


@app.command("remove")
def remove(context: typer.Context, name: NameArgument) -> None:
    """Remove a user; sessions of that user end at once."""
    path = _path(context)
    users = read_users(path)
    user = _find(users, name)
    write_users(path, {key: each for key, each in users.items() if each is not user})
    say_message(msg("cli.user_removed", name=user.name))


@app.command("list")
def list_all(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the users and their roles."""
    users = read_users(_path(context)).values()
    if as_json:
        write_json({"users": [{"name": user.name, "role": user.role.word} for user in users]})
        return
    rows = table("name", "role", whole=("role",))
    for user in users:
        rows.add_row(isolated(user.name), user.role.word)
    show(rows)


def _path(context: typer.Context) -> Path:
    options: GlobalOptions = context.obj
    return (options.env_file or Path(".env")).with_name(FILE_NAME)


def _name(text: str) -> str:
    name = clean(text)
    if not name or len(name) > _LONGEST_NAME:
        raise UsageError("usage.not_a_user_name", longest=_LONGEST_NAME)
    return name


def _find(users: Users, name: str) -> DashboardUser:
    found = users.get(fold(name))
    if found is None:
        raise UsageError("usage.no_such_user", name=name)
    return found
