"""The command `lint`. Declared here, put into the command line by `cli`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from siaghsync.cli.base import Call, engine_for, now, stop_on_signal, write_csv
from siaghsync.errors import LoginLocked
from siaghsync.report.terminal import progress_bar, say, show, write_json

if TYPE_CHECKING:
    from siaghsync.settings import Settings

_COLUMNS = ("system", "record", "customer_number", "check", "value", "message")


def lint_command(
    context: typer.Context,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Also write every finding into this file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of tables.")] = False,
) -> None:
    """Look over both systems' customers before the first write: codes, phones, letters, doubles. Writes nothing."""
    lint(context.obj, csv=csv, as_json=as_json)


def lint(call: Call, *, csv: Path | None, as_json: bool) -> None:
    """`lint`. It needs no state file, and takes no lock."""
    from siaghsync.features.lint.collect import survey
    from siaghsync.features.lint.render import lint_report
    from siaghsync.state.state_file import memory_state
    from siaghsync.sync.runner import log_in

    settings = call.settings()
    with closing(memory_state()) as state:
        with (
            stop_on_signal() as stop,
            progress_bar(wanted=not as_json) as progress,
            engine_for(settings, state, "lint", stop.event, progress, dry_run=True) as engine,
        ):
            with _cool_down(settings):
                log_in(engine)
            found = survey(engine)
        if csv:
            write_csv(csv, _COLUMNS, (finding.as_json().values() for finding in found.findings()))
        if as_json:
            write_json({"counts": found.counts()}, findings=(finding.as_json() for finding in found.findings()))
        else:
            show(*lint_report(found.counts(), found.first))
        if csv:
            say(f"All findings were written to {csv}.")


@contextmanager
def _cool_down(settings: Settings) -> Iterator[None]:
    """Keeps to the cool-down of a locked account that an earlier run remembered, and remembers a new one."""
    from siaghsync.state.state_file import open_state
    from siaghsync.sync.runner import check_cool_down, remember_lock

    path = settings.siaghsync_state
    if not path.exists() or not path.stat().st_size:
        yield
        return
    with closing(open_state(path)) as state:
        check_cool_down(state, now())
        try:
            yield
        except LoginLocked as error:
            remember_lock(state, error, now())
            raise
