"""The command line itself: which commands there are, in which module each is found, and what `--help` says of them.

A command's module is loaded when that command, or its help, is asked for. Each has an `app`, a typer application made by
`options.new_app`. What a command does is said here and nowhere else, so that the list of commands needs no module.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from siaghsync import __version__
from siaghsync.cli.options import GlobalOptions, help_without_command, new_app
from siaghsync.report.streams import write_line

PANELS = ("Set up", "Every day", "Look", "Decide", "Try out")


@dataclass(frozen=True, slots=True)
class Listed:
    """A command as `--help` lists it. `module` is its module in `siaghsync.cli`."""

    name: str
    panel: str
    help: str

    @property
    def module(self) -> str:
        """The module that holds its `app`."""
        return f"siaghsync.cli.{self.name.replace('-', '_')}"


COMMANDS = {
    each.name: each
    for each in (
        Listed(
            "check-apis",
            "Set up",
            "Log in to both systems, read a little, and say what is wrong and how to correct it. Writes nothing.",
        ),
        Listed(
            "hash-password",
            "Set up",
            "Print the upper-case MD5 of a password, which is what Siagh wants to be sent, or the dashboard's password hash.",
        ),
        Listed(
            "lint",
            "Set up",
            "Look over both systems' customers before the first write: codes, phones, letters, doubles. Writes nothing.",
        ),
        Listed(
            "initial-import",
            "Set up",
            "Bring the customers of Siagh into the CRM, once. Safe to run again: it links the customers that exist already.",
        ),
        Listed(
            "rehearse",
            "Set up",
            "Write clearly marked test records, step by step, to learn how both systems behave; clean up what can be deleted.",
        ),
        Listed(
            "notify-test",
            "Set up",
            "Send a trial message to HEALTHCHECK_URL, ALERT_URL and NOTIFY_URLS. Exit 1 if one did not go out, or none is set.",
        ),
        Listed("sync", "Every day", "Bring what changed in the CRM into Siagh. The job for cron."),
        Listed(
            "serve",
            "Every day",
            "Receive the CRM's webhooks, and show the dashboard where people decide about records in review.",
        ),
        Listed("backup", "Every day", "Copy the state file consistently, even during a run."),
        Listed(
            "status",
            "Look",
            "Show whether the systems are in step, what waits and why, and the last runs (Tehran time). "
            "Exit 1 if a person is needed.",
        ),
        Listed(
            "waiting",
            "Look",
            "List the records that wait for another try, or with --skipped those passed over: who, why, and when next.",
        ),
        Listed(
            "log", "Look", "Show the audit trail: what was changed, when (Tehran time), from what to what, and why."
        ),
        Listed(
            "explain",
            "Look",
            "Tell the life of one customer or document in plain sentences: its state, what happened, who must act.",
        ),
        Listed(
            "verify",
            "Look",
            "Compare every linked customer in both systems, field by field. Writes nothing; exit 1 if not in step.",
        ),
        Listed(
            "support-bundle",
            "Look",
            "Save how things stand for whoever helps, as one zip without names, numbers, addresses or amounts.",
        ),
        Listed("report", "Look", "Reports for people who check documents one by one. They write nothing."),
        Listed(
            "dashboard-user",
            "Set up",
            "Say who may use the dashboard, and what each may do: look, decide, or administer.",
        ),
        Listed("review", "Decide", "List the records that wait for a person, each with its reason and the ways out."),
        Listed(
            "links",
            "Decide",
            "List the linked customers, write them to a file, take links over from one, or end a link.",
        ),
        Listed(
            "undo",
            "Decide",
            "Take back what one run did, as far as nobody has touched it since, and list what is left for a person.",
        ),
        Listed(
            "demo", "Try out", "Show the whole program in a temporary folder, against the sandbox. Needs no settings."
        ),
        Listed(
            "sandbox",
            "Try out",
            "Start a stand-in of both systems on 127.0.0.1, and print the settings to use it.",
        ),
    )
}
"""Every command, in the order of `--help`."""


class LazyGroup(TyperGroup):
    """A group that loads the module of a command when that command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command with its options, from its module; None if there is none of this name."""
        listed = COMMANDS.get(cmd_name)
        return loaded(listed) if listed else None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """The commands by panel, each with its whole description."""
        width = max(map(len, COMMANDS))
        for panel in PANELS:
            with formatter.section(panel):
                rows = [(each.name.ljust(width), each.help) for each in COMMANDS.values() if each.panel == panel]
                formatter.write_dl(rows)


def loaded(listed: Listed) -> Any:
    """A command as typer and click run it, its help text included."""
    command = get_command(import_module(listed.module).app)
    command.name, command.help = listed.name, listed.help
    return command


app = new_app(
    name="siaghsync",
    help="Keeps Siagh (finance) in step with Payamgostar (CRM): no duplicate, no lost change, no guess.",
    cls=LazyGroup,
    invoke_without_command=True,
    add_completion=True,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        write_line(f"siaghsync {__version__}")
        raise typer.Exit


@app.callback()
def common(
    context: typer.Context,
    env_file: Annotated[
        Path | None, typer.Option("--env-file", metavar="PATH", help="The file with the settings. [default: .env]")
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", metavar="PATH", help="The state file, instead of SIAGHSYNC_STATE.")
    ] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Say more on stderr; show a traceback for bugs.")] = False,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Options for all commands; they stand before the command."""
    context.obj = GlobalOptions(env_file, state, verbose)
    help_without_command(context)
