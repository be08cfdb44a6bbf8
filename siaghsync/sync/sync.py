"""The order of a sync: read, plan all customers, check the limits, apply; then the documents, then the cursors."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from siaghsync.domain.action import Action
from siaghsync.domain.document import Document
from siaghsync.domain.reasons import Operation, Reason
from siaghsync.errors import InDoubt, Refused
from siaghsync.planning.documents import DocumentRules
from siaghsync.planning.limits import check_creates, check_updates
from siaghsync.state import reviews
from siaghsync.state.outbox import unsettled_of
from siaghsync.state.retries import Retry
from siaghsync.sync.appliers import Applier, Decision
from siaghsync.sync.context import PlanMode, RunContext, RunReport, SyncOptions
from siaghsync.sync.customers import plan_customers
from siaghsync.sync.document_outcomes import deleted, source_of, subject_of
from siaghsync.sync.documents import DocumentPlanner, rounds
from siaghsync.sync.plan import CustomerPlan
from siaghsync.sync.reader import CrmReader
from siaghsync.sync.reading import ChangeReader
from siaghsync.sync.what_was_read import Reading


def sync(
    context: RunContext,
    report: RunReport,
    options: SyncOptions,
    rules: Callable[[], DocumentRules],
    fiscal_year: int | None,
    applier: Applier,
    mode: PlanMode,
) -> None:
    """Brings Finance in step with what changed in the CRM since the last run: customers first, then their documents.

    `rules` is asked once there are documents; `fiscal_year` is the Jalali year that the Siagh session posts in. Raises
    CallError if a system can't be reached or read, BrakeError if something is out of proportion, Interrupted if a signal
    asked for the end. The cursors move only if everything went through.
    """
    reader = ChangeReader(context, options, Reading(), report, CrmReader.of(context))
    planner = DocumentPlanner(context, reader.reading, reader.crm, rules, fiscal_year, applier.assumptions)
    applier.begin(reader, planner)
    _read(reader, applier)

    def brake_early(plan: CustomerPlan) -> None:
        if not options.force:
            check_creates(plan.counts[Operation.CREATE], context.limits.max_creates, so_far=True)
            check_updates(plan.update_count(), context.limits.max_updates, so_far=True)

    plan = plan_customers(context, reader.reading, mode, brake_early)
    applier.assumptions.in_doubt.update(plan.in_doubt | reader.reading.lost)
    applier.was_read(reader, planner)
    if not options.force:
        check_creates(plan.counts[Operation.CREATE] + planner.would_create(), context.limits.max_creates)
        check_updates(plan.update_count(), context.limits.max_updates)
    applier.customers(plan)
    report.tell_unchanged("customer", context.staging.count_unchanged())
    applier.read_waiting_documents(reader)  # those that waited for a customer that is linked by now
    _put_aside(context, reader.reading, applier, mode)
    for documents in rounds(reader.reading.documents.values()):
        applier.documents([decided for decided in _decide(planner, documents) if _allowed(decided, mode)])
    for crm_id, (source, message) in reader.reading.bad_documents.items():
        applier.failed(subject_of(crm_id, source), Reason.BAD_RECORD, message)
    applier.end(reader, keep_cursors=mode.follows_plan)


def _read(reader: ChangeReader, applier: Applier) -> None:
    if wanted := reader.options.wanted:
        reader.read_wanted(wanted)
    else:
        reader.notice_clock()
        reader.read_documents()
        applier.read_waiting_documents(reader)  # early, so that their customers come first in this very run
        if reader.options.customers:
            reader.read_customers()
    reader.read_customers_of_documents()
    if reader.reading.list_read_at is None and reader.needs_list():
        reader.read_list()
    reader.check_contacts_of_documents()


def _decide(planner: DocumentPlanner, documents: list[Document]) -> Iterator[Decision]:
    """The documents of a round with what becomes of each; one that can't be decided for now counts as bad."""
    for document in documents:
        try:
            decision = planner.plan(document)
        except (InDoubt, Refused) as error:
            planner.reading.bad_documents[document.crm_id] = (document.source, error.message)
        else:
            yield document, decision


def _allowed(decision: Decision, mode: PlanMode) -> bool:
    _, action = decision
    return not isinstance(action, Action) or mode.allows(action)


def _put_aside(context: RunContext, reading: Reading, applier: Applier, mode: PlanMode) -> None:
    """Posted documents and waiting records that the CRM does not have any more."""
    for crm_id in reading.missing_documents:
        known = context.posted.of(crm_id)
        assert known is not None
        if mode.allows(review := deleted(known)):
            applier.aside(review)
    for entry in reading.gone:
        review_or_none = _review_of_gone(context, entry)
        if review_or_none is None:
            applier.gone(entry)
        elif mode.allows(review_or_none):
            applier.aside(review_or_none)


def _review_of_gone(context: RunContext, entry: Retry) -> Action | None:
    """The review about a record that is gone from the CRM, if it stands, or may stand, in Siagh as a document."""
    if entry.entity != "invoice":
        return None
    subject = subject_of(entry.record, source_of(entry.kind), entry.name)
    if known := context.posted.of(entry.record):
        return deleted(known)
    return reviews.as_it_stands(context.state, subject) if unsettled_of(context.state, subject) else None
