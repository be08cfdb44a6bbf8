"""Takes a link out: a customer is an unlinked one again, and a document whose pre-invoice is gone is posted anew."""

from __future__ import annotations

from siaghsync.domain.action import Action
from siaghsync.domain.customer import CustomerMapping
from siaghsync.domain.document import Posted
from siaghsync.domain.reasons import Operation, Reason, Resolution
from siaghsync.messages.message import msg
from siaghsync.planning.documents import posted_as
from siaghsync.state import retries, reviews
from siaghsync.state.audit import Run
from siaghsync.state.mappings import PostedDocuments
from siaghsync.sync.decisions import end_link
from siaghsync.sync.document_outcomes import as_code, subject_of


def remove_link(run: Run, mapping: CustomerMapping) -> None:
    """Ends the link of a customer; the next sync looks at it by the usual rules."""
    crm_id, code = mapping.crm_id, mapping.finance_code
    subject = Action(
        Operation.LINK, "customer", "finance", crm_id, mapping.kind, mapping.customer_number, crm_id, code,
        message=msg("links.removed", code=code),
    )  # fmt: skip
    with run.state.atomic():
        end_link(run, crm_id)
        _look_again(run, subject, Resolution.UNLINK)


def remove_posted(run: Run, posted: Posted) -> None:
    """The pre-invoice of a document is gone from Finance: the next sync posts it anew."""
    message = msg("links.declared_gone", posted=posted_as(posted))
    name = str(posted.snapshot.get("number") or "")
    subject = subject_of(posted.crm_id, posted.source, name, finance_code=as_code(posted.number), message=message)
    with run.state.atomic():
        PostedDocuments(run.state).remove(posted)
        _look_again(run, subject, Resolution.RECREATE)


def _look_again(run: Run, subject: Action, decided: Resolution) -> None:
    reviews.auto_resolve(run, subject)
    retries.schedule_retry(run, subject, Reason.RESOLVED, msg("reason.resolved"), failed=False)
    run.append(
        entity=subject.entity,
        operation="resolve",
        outcome=str(decided),
        target=subject.target,
        kind=subject.kind,
        name=subject.name,
        crm_id=subject.crm_id,
        customer_number=subject.customer_number,
        finance_code=subject.finance_code,
        message=subject.message,
    )
