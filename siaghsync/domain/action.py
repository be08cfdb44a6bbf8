"""The plan: what a run is going to do, as plain data that is printed, counted, saved and carried out as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from siaghsync.errors import BrakeError, System

Entity = Literal["customer", "invoice"]
RecordKind = Literal["person", "organization", "quote", "invoice"]
"""What the source record is: a customer's kind, or which of the CRM's documents."""
ActionName = Literal["create", "update", "link", "skip", "review"]
Changes = Mapping[str, tuple[str | None, str | None]]
"""Field -> (value before, value after), by the target's own field names."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do for one record.

    `target` is the system that is (or would be) written to; `record` names the source record: a CRM id when the target
    is Finance, a finance code when it is the CRM. `payload` is exactly what is sent. `checksum` and `sent_checksum`
    are what the mapping holds once the action is settled. `reason` is a stable word, `message` its sentence; `notes`
    go to the audit trail; `details` show both sides to the person who decides a review.
    """

    action: ActionName
    entity: Entity
    target: System
    record: str
    kind: RecordKind
    customer_number: str
    crm_id: str | None = None
    finance_code: int | None = None
    fields: Changes = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    message: str | None = None
    checksum: str | None = None
    sent_checksum: str | None = None
    notes: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    def as_change(self) -> dict[str, Any]:
        """The action as an entry of `changes` in the JSON of a run."""
        return {
            "entity": self.entity,
            "action": self.action,
            "crm_id": self.crm_id,
            "customer_number": self.customer_number or None,
            "finance_code": None if self.finance_code is None else str(self.finance_code),
            "fields": {key: list(pair) for key, pair in self.fields.items()},
            "reason": self.reason,
        }

    def as_json(self) -> dict[str, Any]:
        """The whole action as plain JSON data."""
        # Not `asdict`: all that an action holds is plain data already, and copying it deeply costs more than sending it.
        return {name: getattr(self, name) for name in _FIELDS}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Action:
        """The action that `as_json` wrote down. Raises KeyError or TypeError if it is none."""
        known = {name: data[name] for name in _FIELDS}
        known["fields"] = {key: (old, new) for key, (old, new) in known["fields"].items()}
        known["notes"] = tuple(known["notes"])
        return Action(**known)


_FIELDS = tuple(f.name for f in fields(Action))


@dataclass(slots=True)
class Counts:
    """How many records of one entity a run looked at, and what became of each. Each is counted once."""

    created: int = 0
    updated: int = 0
    linked: int = 0
    unchanged: int = 0
    skipped: int = 0
    failed: int = 0
    review: int = 0

    @property
    def seen(self) -> int:
        """The sum of the others."""
        return sum(getattr(self, f.name) for f in fields(self))

    def as_json(self) -> dict[str, int]:
        """The counts as in the JSON of a run."""
        return {"seen": self.seen, **asdict(self)}

    def count(self, action: Action) -> None:
        """Counts an action as done (in a dry run: as what would be done)."""
        name = {
            "create": "created",
            "update": "updated",
            "link": "linked",
            "skip": "skipped",
            "review": "review",
        }[action.action]
        setattr(self, name, getattr(self, name) + 1)


def check_list_size(system: str, found: int, known: int) -> None:
    """The brake for lists: raises BrakeError if a system shows nothing, or less than half, of what is mapped."""
    if known and found * 2 < known:
        raise BrakeError(
            f"{system} shows {found} customers, but {known} are linked. Nothing was written.",
            "Check that it is the right server, company and fiscal year and that the user may read all customers. If the "
            "list is right as it is, run the command again with --force.",
        )


def check_creates(creates: int, limit: int) -> None:
    """The brake for creates: raises BrakeError if a sync would make more new records than `limit`."""
    if creates > limit:
        raise BrakeError(
            f"This run would create {creates} new records in Finance, more than MAX_CREATES_PER_RUN ({limit}). "
            "Nothing was written.",
            "Look at them with `siaghsync sync --dry-run`. If they are right, run `siaghsync sync --force` once.",
        )
