"""The commands that write: `initial-import` and `sync`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from siaghsync.cli_base import Call, Stop, engine_for, stop_on_signal
from siaghsync.errors import BrakeError, UsageError
from siaghsync.terminal import error_document, progress_bar, say, show, tell_error, write_json

if TYPE_CHECKING:
    from siaghsync.documents import DocumentSource
    from siaghsync.engine import Engine
    from siaghsync.importer import ImportPlan
    from siaghsync.reconcile_document import DocumentRules
    from siaghsync.runs import Result
    from siaghsync.settings import Settings
    from siaghsync.siagh import Session
    from siaghsync.state import State


def run_sync(
    call: Call, *, dry_run: bool, full: bool, only: str | None, force: bool, quiet: bool, as_json: bool
) -> int:
    """`sync`: returns the exit code."""
    from siaghsync.runs import carry_through, require_import
    from siaghsync.sync import sync
    from siaghsync.sync_reading import SyncOptions

    settings = call.settings()
    options = SyncOptions(
        full=full, force=force, dry_run=dry_run, customers=only != "invoices", sources=_sources(settings, only)
    )

    def work(engine: Engine) -> Result:
        def steps(session: Session) -> None:
            sync(engine, options, _document_rules(settings, engine), session.fiscal_year)

        return carry_through(engine, steps)

    with stop_on_signal() as stop, progress_bar(wanted=not (quiet or as_json)) as progress:
        with _writing(settings.siaghsync_state, create=False) as state:
            require_import(state)
            with engine_for(settings, state, "sync", stop.event, progress, dry_run=dry_run) as engine:
                return _tell(work(engine), stop, as_json=as_json, quiet=quiet, verbose=call.verbose)


def _sources(settings: Settings, only: str | None) -> tuple[DocumentSource, ...]:
    if only == "customers":
        return ()
    quotes: tuple[DocumentSource, ...] = ("quote",) if settings.sync_quotes else ()
    return (*quotes, "invoice") if settings.sync_invoices else quotes


def _document_rules(settings: Settings, engine: Engine) -> DocumentRules:
    from siaghsync.importer import started_at
    from siaghsync.reconcile_document import DocumentRules

    given = settings.invoices_since
    return DocumentRules(
        sale_model=settings.preinvoice_sale_model,
        sales_centre=settings.preinvoice_sales_centre,
        payment_type=settings.preinvoice_payment_type,
        sale_kind=settings.preinvoice_sale_kind,
        intermediary=settings.preinvoice_intermediary,
        states=settings.invoice_states,
        since=datetime.combine(given, time.min) if given else started_at(engine.run.state),
    )


def run_import(call: Call, *, yes: bool, dry_run: bool, limit: int | None, force: bool, as_json: bool) -> int:
    """`initial-import`: returns the exit code."""
    from siaghsync.importer import ImportOptions, initial_import
    from siaghsync.runs import carry_through

    settings = call.settings()
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError(
            "initial-import writes to the CRM and there is no terminal to ask on.",
            "Look at the plan with `siaghsync initial-import --dry-run`, then run it with --yes.",
        )
    options = ImportOptions(limit=limit, force=force, dry_run=dry_run)
    confirm = _ask if not (yes or dry_run) else _yes
    declined = False

    with stop_on_signal() as stop, progress_bar(wanted=not as_json) as progress:
        with _writing(settings.siaghsync_state, create=True, in_memory=dry_run) as state:
            with engine_for(settings, state, "initial-import", stop.event, progress, dry_run=dry_run) as engine:

                def steps(_session: Session) -> None:
                    nonlocal declined
                    declined = not initial_import(engine, options, confirm)

                result = carry_through(engine, steps)
                if declined:
                    say("Nothing was written.")
                return _tell(result, stop, as_json=as_json, quiet=False, verbose=call.verbose)


@contextmanager
def _writing(path: Any, *, create: bool, in_memory: bool = False) -> Iterator[State]:
    """The state file under its lock; a dry run of an import without a state file works in memory and leaves none."""
    from siaghsync.state import memory_state, open_state, run_lock

    blank = not path.exists() or path.stat().st_size == 0
    if blank and not create:
        open_state(path)  # says what is wrong
    ephemeral = in_memory and blank
    with nullcontext() if ephemeral else run_lock(path):
        state = memory_state() if ephemeral else open_state(path, create=create)
        try:
            yield state
        finally:
            state.close()


def _yes(_plan: ImportPlan) -> bool:
    return True


def _ask(plan: ImportPlan) -> bool:
    import typer

    numbers = plan.planned
    say(
        f"To be created in the CRM: {numbers['create']}. To be linked: {numbers['link']}. Linked already: "
        f"{plan.linked_already}. Skipped: {numbers['skip']}. For review: {numbers['review']}."
    )
    return typer.confirm("Go on?", default=False, err=True)


def _tell(result: Result, stop: Stop, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Shows a run that is over and returns its exit code."""
    from siaghsync.report import run_report

    code = stop.exit_code if stop.exit_code else result.exit_code
    engine = result.engine
    head = {"run": result.run, **result.summary}
    if verbose:
        for notice in engine.notices:
            say(notice)
    if as_json:
        if isinstance(result.error, BrakeError):
            head |= error_document(result.error.kind, result.error.message, result.error.hint)
        write_json(head, changes=engine.scratch.changes(), failures=engine.failures)
    elif not (quiet and code == 0):
        show(*run_report(head, engine.scratch.changes(), engine.failures))
    if result.error and not as_json:
        tell_error(result.error, as_json=False)
    return code
