"""One line of the audit trail as a message. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from siaghsync.domain.action import Changes
from siaghsync.domain.document import FIGURES
from siaghsync.domain.reasons import AuditOutcome, Operation
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, msg
from siaghsync.planning.document_checks import label_of
from siaghsync.state.audit import AuditLine

_MOST_FIELDS = 6
_RESOLVE = "resolve"
"""The operation of a line about a person's decision; its outcome is the way out that was chosen."""
_WRITES = (Operation.CREATE, Operation.UPDATE)
_UNDOES = {
    Operation.RESTORE: "audit.contact_restored",
    Operation.DELETE: "audit.record_deleted",
    Operation.UNLINK: "audit.unlinked",
}
_UNDO_TROUBLE = {AuditOutcome.FAILED: "audit.undo_failed", AuditOutcome.UNKNOWN: "audit.undo_unknown"}
_TROUBLE = (
    AuditOutcome.FAILED,
    AuditOutcome.UNKNOWN,
    AuditOutcome.EXPIRED,
    AuditOutcome.MISDIRECTED,
    AuditOutcome.REFUSED,
)
_PASSED = {
    AuditOutcome.REVIEW: "audit.became_review",
    AuditOutcome.SKIPPED: "audit.skipped",
    AuditOutcome.WAITS: "audit.waited",
}


def event(line: AuditLine) -> Message:
    """What one line of the audit trail says."""
    said = () if line.message is None or line.operation == _RESOLVE else (line.message,)
    changes = () if line.operation == Operation.DELETE else _changes(line.changes)
    parts = (_did(line), *changes, *said)
    if line.run_id is None:
        return msg("audit.line", at=line.at, parts=parts)
    return msg("audit.line_of_run", at=line.at, run=line.run_id, parts=parts)


def _did(line: AuditLine) -> Message:
    if line.operation == _RESOLVE:
        return msg("audit.decided", actor=line.actor, way=line.outcome)
    if line.outcome in _PASSED:
        return msg(_PASSED[AuditOutcome(line.outcome)], reason=_reason(line.reason))
    if line.operation == Operation.REVIEW:
        return msg("audit.document_in_doubt")
    if line.outcome == AuditOutcome.DONE:
        return _done(line)
    if line.operation in _WRITES and line.outcome in _TROUBLE:
        where = msg("audit.crm" if line.target == "crm" else "audit.finance")
        return msg(f"audit.{line.operation}_{line.outcome}", where=where, reason=_reason(line.reason))
    if line.operation in _UNDOES and line.outcome in _UNDO_TROUBLE:
        return msg(_UNDO_TROUBLE[AuditOutcome(line.outcome)], reason=_reason(line.reason))
    return _other(line)


def _done(line: AuditLine) -> Message:
    if line.operation == Operation.LINK:
        if line.entity == "invoice":
            return msg("audit.document_linked")
        return msg("audit.linked", crm_id=line.crm_id, code=line.finance_code, match=line.reason)
    if line.entity == "invoice" and line.finance_code is None:
        return msg("audit.document_posted")
    if line.entity == "invoice":
        return msg("audit.document_posted_as", code=line.finance_code)
    if line.operation in _UNDOES:
        return msg(_UNDOES[Operation(line.operation)], crm_id=line.crm_id, code=line.finance_code)
    if line.operation not in _WRITES:
        return _other(line)
    verb = "created" if line.operation == Operation.CREATE else "updated"
    if line.target == "finance":
        return msg(f"audit.contact_{verb}", code=line.finance_code)
    return msg(f"audit.record_{verb}", crm_id=line.crm_id)


def _other(line: AuditLine) -> Message:
    """What an older or newer version wrote, by its own words."""
    return msg("audit.other", operation=line.operation, outcome=line.outcome)


def _reason(word: str | None) -> Message:
    """A reason by its title: of the rules, or of a request that failed."""
    call = catalog.find(f"call.{word}")
    is_of_call = catalog.find(f"reason.{word}") is None and call is not None and call.title
    return msg("audit.reason_of_call" if is_of_call else "audit.reason", reason=word)


def _changes(changes: Changes) -> Iterator[Message]:
    for name, (old, new) in list(changes.items())[:_MOST_FIELDS]:
        code, before = ("audit.set", {}) if old is None else ("audit.changed", {"old": _value(old)})
        if name.rpartition(".")[2] in FIGURES:
            code += "_figure"
        yield msg(code, label=label_of(name), new=_value(new), **before)
    if (more := len(changes) - _MOST_FIELDS) > 0:
        yield msg("audit.more_fields", count=more)


def _value(text: str | None) -> str | Message:
    return text or msg("audit.empty")
