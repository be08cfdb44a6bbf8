"""Builds what a run works with from the settings: clients of both systems, its context, the rules for documents."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from siaghsync import clock
from siaghsync.cli.environment import current_user
from siaghsync.connectors.http.session import HttpSession
from siaghsync.connectors.payamgostar.client import Payamgostar
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import System
from siaghsync.planning.cases import PlanRules
from siaghsync.planning.documents import DocumentRules
from siaghsync.settings import Settings
from siaghsync.state.audit import Run
from siaghsync.state.database import State
from siaghsync.state.meta import started_at
from siaghsync.state.staging import Staging
from siaghsync.sync.context import Limits, Progress, RunContext
from siaghsync.sync.records_by_id import RecordsById


@dataclass(frozen=True, slots=True)
class Clients:
    """The clients of both systems and the HTTP sessions below them."""

    crm: Payamgostar
    finance: Siagh
    sessions: Mapping[System, HttpSession]


@contextmanager
def clients(settings: Settings, stop: threading.Event) -> Iterator[Clients]:
    """The clients of both systems, closed at the end. Once `stop` is set, nothing new is sent."""
    with ExitStack() as open_sessions:

        def session(system: System, base_url: str) -> HttpSession:
            found = HttpSession(
                system,
                base_url,
                timeout=settings.http_timeout_seconds,
                attempts=settings.max_retry_attempts,
                concurrency=settings.concurrency,
                stop=stop,
                tls_ca_file=settings.tls_ca_file,
            )
            open_sessions.callback(found.close)
            return found

        to_crm = session("crm", settings.crm_api_base_url)
        to_finance = session("finance", settings.finance_api_base_url)
        crm = Payamgostar(
            to_crm,
            settings.crm_username,
            settings.crm_password.get_secret_value(),
            person_types=settings.crm_person_type,
            organization_types=settings.crm_organization_type,
        )
        finance = Siagh(to_finance, settings.finance_username, settings.finance_password.get_secret_value())
        yield Clients(crm, finance, {"crm": to_crm, "finance": to_finance})


def plan_rules(settings: Settings) -> PlanRules:
    """The settings that decisions about customers depend on."""
    scheme = NumberScheme(
        settings.customer_number_prefix, settings.customer_number_offset, settings.customer_number_width
    )
    return PlanRules(
        scheme,
        settings.finance_note_marker,
        settings.crm_category,
        settings.import_inactive,
        settings.mapping.site(),
        without_number=settings.customers_without_number == "create",
    )


def limits(settings: Settings) -> Limits:
    """The settings that bound a run."""
    return Limits(
        concurrency=settings.concurrency,
        max_attempts=settings.max_retry_attempts,
        grace_seconds=settings.unknown_grace_seconds,
        max_creates=settings.max_creates_per_run,
        max_updates=settings.max_updates_per_run,
        keep_days=settings.keep_days,
    )


def no_progress(_code: str, _done: int, _total: int | None) -> None:
    """For a run that nobody watches."""


@contextmanager
def run_context(
    settings: Settings,
    state: State,
    command: str,
    stop: threading.Event,
    progress: Progress = no_progress,
    *,
    dry_run: bool = False,
    who: str | None = None,
) -> Iterator[RunContext]:
    """What one run of `command` works with; its clients are closed at the end. `who` starts it, by default this process's
    user."""
    with clients(settings, stop) as systems:
        yield RunContext(
            run=Run(state, command, clock.now, who or current_user(), dry_run=dry_run),
            crm=systems.crm,
            by_id=RecordsById(systems.crm),
            finance=systems.finance,
            sessions=systems.sessions,
            rules=plan_rules(settings),
            limits=limits(settings),
            staging=Staging(state, stop),
            cancel=stop,
            progress=progress,
            monotonic=clock.monotonic,
            read_clocks=clock.reading,
        )


def posting_start(settings: Settings, state: State) -> datetime | None:
    """From when on documents are posted, by the CRM's own clock: INVOICES_SINCE, else the first import."""
    given = settings.invoices_since
    return datetime(given.year, given.month, given.day) if given else started_at(state)


def document_rules(settings: Settings, state: State) -> Callable[[], DocumentRules]:
    """The settings that decisions about documents depend on, read when they are first asked for: the run before that may
    only just have noted when the first import began."""

    @cache
    def rules() -> DocumentRules:
        return DocumentRules(
            sale_model=settings.preinvoice_sale_model,
            sales_centre=settings.preinvoice_sales_centre,
            payment_type=settings.preinvoice_payment_type,
            sale_kind=settings.preinvoice_sale_kind,
            intermediary=settings.preinvoice_intermediary,
            states=settings.invoice_states,
            since=posting_start(settings, state),
            customer=settings.preinvoice_customer,
            types={name: each.model_dump(exclude_none=True) for name, each in settings.mapping.documents.items()},
        )

    return rules
