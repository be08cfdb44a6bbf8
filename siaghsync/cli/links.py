"""The command group `links`: the linked pairs, to and from files, and links taken out."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from siaghsync import clock
from siaghsync.cli.build import run_context
from siaghsync.cli.environment import agrees, current_user, settings_of, stop_on_signal
from siaghsync.cli.options import JsonOption, help_without_command, new_app
from siaghsync.errors import UsageError
from siaghsync.features.links.remove import remove_link, remove_posted
from siaghsync.features.links.render import link_as_json, links_table, taken_over
from siaghsync.features.links.table_file import read_rows, write_links
from siaghsync.features.links.take_over import take_over
from siaghsync.messages.message import Message, msg
from siaghsync.planning.documents import posted_as
from siaghsync.report.streams import say_message, write_json
from siaghsync.report.terminal import progress_bar, show
from siaghsync.state.access import locked_state
from siaghsync.state.audit import Run
from siaghsync.state.database import open_state
from siaghsync.state.mappings import Mappings, PostedDocuments
from siaghsync.sync.context import RunReport
from siaghsync.sync.runner import closed_whatever_happens, log_in

app = new_app(invoke_without_command=True)
FileArgument = Annotated[Path, typer.Argument(metavar="FILE")]


@app.callback()
def group(context: typer.Context) -> None:
    """`links` without a command: its help."""
    help_without_command(context)


@app.command("list")
def list_links(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the linked customers."""
    with closing(open_state(settings_of(context).siaghsync_state)) as state:
        links = Mappings(state).links()
    if as_json:
        write_json({"links": [link_as_json(link, name) for link, name in links]})
    else:
        show(*links_table(links))


@app.command("export")
def export_links(context: typer.Context, file: FileArgument) -> None:
    """Write the links into a CSV file, which `links import` reads."""
    with closing(open_state(settings_of(context, file).siaghsync_state)) as state:
        links = [link for link, _ in Mappings(state).links()]
    write_links(file, links)
    say_message(msg("links.exported", count=len(links), file=str(file)))


@app.command("import")
def import_links(context: typer.Context, file: FileArgument, as_json: JsonOption = False) -> None:
    """Take links over from a CSV file, ours or the earlier synchroniser's EntityMapping. Exit 1 if any is left out."""
    settings = settings_of(context)
    rows = read_rows(file)
    with (
        stop_on_signal() as stop,
        progress_bar(wanted=not as_json) as progress,
        locked_state(settings.siaghsync_state, create=True) as state,
        run_context(settings, state, "links import", stop.event, progress) as run,
    ):
        report = RunReport(run.staging)
        with closed_whatever_happens(run, report):
            log_in(run, report)
            found = take_over(run, report, rows)
            run.run.finish("partial" if found.left_out else "ok", {})
    if as_json:
        write_json(found.as_json())
    else:
        show(*taken_over(found))
    raise typer.Exit(1 if found.left_out else 0)


@app.command("remove")
def remove(
    context: typer.Context,
    crm_id: Annotated[str, typer.Argument(metavar="CRM_ID")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """End the link of a customer, or declare that the pre-invoice of a posted document is gone from Siagh."""
    crm_id = crm_id.strip().lower()
    with locked_state(settings_of(context).siaghsync_state) as state:
        mapping, posted = Mappings(state).of_crm(crm_id), PostedDocuments(state).of(crm_id)
        if posted and not yes:
            _ask(msg("links.sure", posted=posted_as(posted)))
        if mapping is None and posted is None:
            raise UsageError("usage.no_link", crm_id=crm_id)
        run = Run(state, "links remove", clock.now, current_user())
        if mapping:
            remove_link(run, mapping)
        if posted:
            remove_posted(run, posted)
        run.finish("ok", {})
    if as_json:
        write_json({"removed": crm_id})
    else:
        say_message(msg("links.gone" if posted else "links.ended", crm_id=crm_id))


def _ask(question: Message) -> None:
    """Raises UsageError if nobody is there to say yes, and ends the command if somebody says no."""
    if not sys.stdin.isatty():
        raise UsageError("usage.nobody_to_confirm_removal")
    say_message(question)
    if not agrees():
        say_message(msg("cli.nothing_written"))
        raise typer.Exit
