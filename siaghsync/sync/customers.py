"""The order of a sync: settle what is in doubt, read, plan, brake, apply, move the cursors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from siaghsync.domain.action import Action, check_creates
from siaghsync.domain.customer import digest
from siaghsync.errors import Interrupted
from siaghsync.state import reviews
from siaghsync.state import webhook_queue as inbox
from siaghsync.state.meta import take_into_use
from siaghsync.sync import outcomes as settle
from siaghsync.sync.context import Engine
from siaghsync.sync.documents import count_creates, deal_with_documents, read_documents, read_their_customers
from siaghsync.sync.reader import as_crm_date, cursor_after, newest_moment, stretch_after
from siaghsync.sync.sync_reading import SyncOptions, Work, fail, needs_list, read_crm, read_list, settle_doubts

if TYPE_CHECKING:
    from siaghsync.planning.documents import DocumentRules


def sync(engine: Engine, options: SyncOptions, rules: Callable[[], DocumentRules], fiscal_year: int | None) -> None:
    """Brings Finance in step with what changed in the CRM since the last run: customers first, then their documents.

    `rules` is asked once there are documents; `fiscal_year` is the Jalali year that the Siagh session posts in. Raises
    CallError if a system can't be reached or read, BrakeError if something is out of proportion, Interrupted if a signal
    asked for the end. The cursors move only if all of it went through.
    """
    work = Work(options, rules, fiscal_year)
    if not options.dry_run:
        inbox.take_up(engine.run, options.switched_off)
        settle_doubts(engine, work)
    read_documents(engine, work)
    if options.customers:
        read_crm(engine, work)
    read_their_customers(engine, work)
    if not work.has_list and needs_list(engine, work):
        read_list(engine, work)
    if not options.dry_run:
        with engine.run.state.atomic():
            take_into_use(engine.run.state, as_crm_date(newest_moment(engine)))
    _deal_with_customers(engine, work)
    _give_up_on_bad(engine, work)
    engine.counts["customer"].unchanged += engine.scratch.count_calm()
    deal_with_documents(engine, work)
    if options.dry_run:
        return
    if engine.stop.is_set():
        raise Interrupted(130)
    if work.has_list:
        _report_doubles(engine)
    if not engine.keeps_to_plan:
        _move_cursors(engine, work)


def _deal_with_customers(engine: Engine, work: Work) -> None:
    """Plans the unlinked customers, checks the brake for all creates of the run, and brings the linked ones in step.

    What only they need is loaded once there are any, for most runs find none.
    """
    creates = 0
    if unlinked := engine.scratch.count_customers(linked=False):
        from siaghsync.sync.sync_unlinked import apply_unlinked, plan_unlinked, tell_unlinked

        creates = plan_unlinked(engine)
    if not work.options.force:
        check_creates(creates + count_creates(engine, work), engine.limits.max_creates)
    if unlinked and work.options.dry_run:
        tell_unlinked(engine)
    elif unlinked:
        apply_unlinked(engine, creates)
    if engine.scratch.count_customers(linked=True):
        from siaghsync.sync.sync_linked import compare_linked

        compare_linked(engine, work)


def _give_up_on_bad(engine: Engine, work: Work) -> None:
    """Records that could not be read or understood: kept as waiting, then for a person; the others went on."""
    for crm_id, (kind, message) in work.bad.items():
        mapping = engine.mappings.of_crm(crm_id)
        subject = Action(
            action="update" if mapping else "create",
            entity="customer",
            target="finance",
            record=crm_id,
            kind=kind,
            customer_number=mapping.customer_number if mapping else "",
            crm_id=crm_id,
            finance_code=mapping.finance_code if mapping else None,
        )
        fail(engine, work, subject, "bad_record", message)


def _report_doubles(engine: Engine) -> None:
    """Unlinked contacts that look like a linked one: perhaps a create that was carried out after all, much later."""
    from siaghsync.sync import recovery as lookup

    doubles = {contact.code: (contact, twin) for contact, twin in lookup.late_arrivals(engine)}
    doubles |= {contact.code: (contact, twin) for contact, twin in engine.scratch.unlinked_doubles()}
    for contact, twin in doubles.values():
        action = Action(
            action="review",
            entity="customer",
            target="crm",
            record=str(contact.code),
            kind=contact.kind,
            customer_number=contact.marker,
            finance_code=contact.code,
            reason="double_in_finance",
            message=f"Finance contact {contact.code} has the same mark, the same national code and name, or the same values as "
            f"contact {twin}, which is linked. One of the two is too many.",
            checksum=digest([contact.code, twin]),
        )
        last = reviews.last_of(engine.run.state, action)
        if last is None or last["resolution"] == "settled" or last["checksum"] != action.checksum:
            settle.reviewed(engine, action)


def _move_cursors(engine: Engine, work: Work) -> None:
    """Last of all: everything that was read is settled or stored as waiting, so nothing is stepped over."""
    with engine.run.state.atomic():
        for source, whole in work.whole.items():
            if cursor := cursor_after(engine, source):
                stretch = stretch_after(engine, source, cursor, whole=whole)
                engine.cursors.move(source, cursor, stretch, engine.run.at(), whole=whole)
