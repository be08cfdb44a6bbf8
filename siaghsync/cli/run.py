"""The commands that write: `initial-import` and `sync`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import cache
from typing import TYPE_CHECKING, Any

from siaghsync.cli.base import (
    Call,
    Stop,
    document_sources,
    engine_for,
    now,
    posting_start,
    stop_on_signal,
    switched_off,
)
from siaghsync.cli.plan import Hold, PlanOptions, hold
from siaghsync.errors import BrakeError, UsageError
from siaghsync.report.terminal import error_document, progress_bar, say, show, tell_error, write_json

if TYPE_CHECKING:
    from siaghsync.connectors.siagh.client import Session
    from siaghsync.planning.documents import DocumentRules
    from siaghsync.settings import Settings
    from siaghsync.state.database import State
    from siaghsync.sync.context import Engine
    from siaghsync.sync.importer import ImportPlan
    from siaghsync.sync.runner import Result

NO_PLAN = PlanOptions()


def run_sync(
    call: Call,
    *,
    dry_run: bool,
    full: bool,
    only: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
    plan: PlanOptions = NO_PLAN,
) -> int:
    """`sync`: returns the exit code."""
    from siaghsync.sync.customers import sync
    from siaghsync.sync.runner import carry_through
    from siaghsync.sync.sync_reading import SyncOptions

    plan.check(dry_run=dry_run, full=full, only=only)
    settings = call.settings()

    with (
        hold(plan, full=full, only=only) as plans,
        _at_work(call, settings, "sync", plans, dry_run=dry_run, quiet=quiet, as_json=as_json) as (engine, tell),
    ):
        chosen = plans.options.get("only")
        options = SyncOptions(
            full=bool(plans.options.get("full")),
            force=force,
            dry_run=dry_run,
            customers=chosen != "invoices",
            sources=document_sources(settings, chosen),
            switched_off=switched_off(settings),
        )

        def steps(session: Session) -> None:
            sync(engine, options, document_rules(settings, engine), session.fiscal_year)
            plans.conclude(engine)

        return tell(carry_through(engine, steps))


@contextmanager
def _at_work(
    call: Call, settings: Settings, command: str, plans: Hold, *, dry_run: bool, quiet: bool, as_json: bool
) -> Iterator[tuple[Engine, Callable[[Result], int]]]:
    """An engine for one run of `command`, which alone may make a state file if it is the import; and what shows the
    run's result and returns its exit code."""
    from siaghsync.features.notifications.notify import watched
    from siaghsync.sync.runner import require_import

    is_import = command == "initial-import"
    with (
        stop_on_signal() as stop,
        progress_bar(wanted=not (quiet or as_json)) as progress,
        watched(settings, command, now, say, dry_run=dry_run, quiet=quiet) as watch,
        _writing(settings.siaghsync_state, create=is_import, in_memory=is_import and dry_run) as state,
        watch.over(state),
    ):
        if not is_import:
            require_import(state)
        plans.read(state, command)
        with engine_for(settings, state, command, stop.event, progress, dry_run=dry_run) as engine:
            watch.engine = engine
            plans.take(engine)

            def tell(result: Result) -> int:
                code = _tell(result, stop, plans, as_json=as_json, quiet=quiet, verbose=call.verbose)
                return watch.ended(result, code)

            yield engine, tell


def document_rules(settings: Settings, engine: Engine) -> Callable[[], DocumentRules]:
    """The settings that decisions about documents depend on, gathered when they are first asked for."""

    @cache
    def rules() -> DocumentRules:
        from siaghsync.planning.documents import DocumentRules

        return DocumentRules(
            sale_model=settings.preinvoice_sale_model,
            sales_centre=settings.preinvoice_sales_centre,
            payment_type=settings.preinvoice_payment_type,
            sale_kind=settings.preinvoice_sale_kind,
            intermediary=settings.preinvoice_intermediary,
            states=settings.invoice_states,
            since=posting_start(settings, engine.run.state),
        )

    return rules


def run_import(
    call: Call,
    *,
    yes: bool,
    dry_run: bool,
    limit: int | None,
    force: bool,
    as_json: bool,
    plan: PlanOptions = NO_PLAN,
) -> int:
    """`initial-import`: returns the exit code."""
    from siaghsync.sync.importer import ImportOptions, initial_import
    from siaghsync.sync.runner import carry_through

    plan.check(dry_run=dry_run, limit=limit)
    settings = call.settings()
    if not (yes or dry_run or sys.stdin.isatty()):
        raise UsageError(
            "initial-import writes to the CRM and there is no terminal to ask on.",
            "Look at the plan with `siaghsync initial-import --dry-run`, then run it with --yes.",
        )
    options = ImportOptions(limit=limit, force=force, dry_run=dry_run)
    confirm = _ask if not (yes or dry_run) else _yes
    declined = False

    with (
        hold(plan, limit=limit) as plans,
        _at_work(call, settings, "initial-import", plans, dry_run=dry_run, quiet=False, as_json=as_json) as (
            engine,
            tell,
        ),
    ):

        def steps(_session: Session) -> None:
            nonlocal declined
            declined = not initial_import(engine, options, confirm)
            if not declined:
                plans.conclude(engine)

        result = carry_through(engine, steps)
        if declined:
            say("Nothing was written.")
        return tell(result)


@contextmanager
def _writing(path: Any, *, create: bool, in_memory: bool = False) -> Iterator[State]:
    """The state file under its lock; a dry run of an import without a state file works in memory and leaves none."""
    from siaghsync.state.meta import STATE_WAS_LOST
    from siaghsync.state.state_file import memory_state, open_state, run_lock

    blank = not path.exists() or path.stat().st_size == 0
    if blank and not create:
        open_state(path)  # says what is wrong
    ephemeral = in_memory and blank
    # The lock's file is never deleted, so one without its state file tells of an earlier installation. A kill can leave the
    # new file behind before that is noted; it has seen no run then.
    had_lock = path.with_name(f"{path.name}.lock").exists()
    with nullcontext() if ephemeral else run_lock(path):
        state = memory_state() if ephemeral else open_state(path, create=create)
        try:
            if create and had_lock and not state.value("SELECT count(*) FROM runs"):
                state.set_fact(STATE_WAS_LOST, "its lock file was there before it")
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
        f"{plan.linked_already}. Skipped: {numbers['skip']}. For review: {numbers['review']}. Left for a later import "
        f"by --limit: {plan.left_for_later}."
    )
    return typer.confirm("Go on?", default=False, err=True)


def _tell(result: Result, stop: Stop, plans: Hold, *, as_json: bool, quiet: bool, verbose: bool) -> int:
    """Shows a run that is over and returns its exit code."""
    code = stop.exit_code if stop.exit_code else result.exit_code
    engine = result.engine
    head = {"run": result.run, **result.summary, **plans.as_json()}
    if verbose:
        for notice in engine.notices:
            say(notice)
    if as_json:
        if isinstance(result.error, BrakeError):
            head |= error_document(result.error.kind, result.error.message, result.error.hint)
        write_json(head, changes=engine.scratch.changes(), failures=engine.failures)
    elif not (quiet and code == 0):
        from siaghsync.report.run import run_report

        show(*run_report(head, engine.scratch.changes(), engine.failures))
        plans.show()
    if result.error and not as_json:
        tell_error(result.error, as_json=False)
    return code
