"""Unlinked contacts that look like a linked one: perhaps a create that was carried out after all, much later."""

from __future__ import annotations

from siaghsync.domain.action import Action
from siaghsync.domain.normalize import digest
from siaghsync.domain.reasons import Operation, Reason, Resolution
from siaghsync.messages.message import msg
from siaghsync.state import reviews
from siaghsync.sync.context import RunContext
from siaghsync.sync.outcomes import OutcomeRecorder
from siaghsync.sync.recovery import Recovery


def report_doubles(context: RunContext, recovery: Recovery, outcomes: OutcomeRecorder) -> None:
    """Puts each of them to review, once; the finance list has to be in staging."""
    found = {contact.code: (contact, twin) for contact, twin in recovery.late_commits()}
    found |= {contact.code: (contact, twin) for contact, twin in context.staging.unlinked_doubles()}
    for contact, twin in found.values():
        action = Action(
            Operation.REVIEW,
            "customer",
            "crm",
            str(contact.code),
            contact.kind,
            contact.marker,
            finance_code=contact.code,
            name=contact.name,
            reason=Reason.DOUBLE_IN_FINANCE,
            message=msg("reason.double_in_finance_linked", code=contact.code, twin=twin),
            checksum=digest([contact.code, twin]),
        )
        last = reviews.last_of(context.state, action)
        if last is None or last.resolution == Resolution.SETTLED or last.checksum != action.checksum:
            outcomes.reviewed(action)
