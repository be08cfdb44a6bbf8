"""One planned action as plain data. A plan of them is printed, counted, saved and carried out as it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from siaghsync.domain.fields import json_key
from siaghsync.domain.reasons import Operation
from siaghsync.errors import System
from siaghsync.messages.message import Message

Entity = Literal["customer", "invoice"]
RecordKind = Literal["person", "organization", "quote", "invoice"]
"""What the source record is: the kind of a customer, or which of the CRM's documents."""
Changes = Mapping[str, tuple[str | None, str | None]]
"""Field (by the names of `domain.fields`, or of a document) -> (value before, value after)."""


AGAIN = "again"
"""The detail of an update whose values Finance got before, and shows differently: what it makes of them is read back."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do for one record.

    `target` is the system that is (or would be) written to. `record` names the source record: a CRM id when the target
    is Finance, a finance code when it is the CRM. `name` is what people call it: the customer's name, or the document's
    number. `payload` holds all values that are sent, in the program's own names; the connector turns them into the
    vendor's form and adds nothing. `checksum` and `sent_checksum` are what the mapping holds once the action is done.
    `reason` is a stable word (`Reason`, or `Match` for a link of customers), `message` tells it to people. `notes` go to the
    audit trail; `details` show both sides to the person who decides a review.
    """

    operation: Operation
    entity: Entity
    target: System
    record: str
    kind: RecordKind
    customer_number: str
    crm_id: str | None = None
    finance_code: int | None = None
    name: str = ""
    changes: Changes = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)
    reason: str | None = None
    message: Message | None = None
    checksum: str | None = None
    sent_checksum: str | None = None
    notes: tuple[Message, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells the record of this action from all others: (entity, target, record)."""
        return self.entity, self.target, self.record

    def as_change(self, *, with_names: bool = False) -> dict[str, Any]:
        """The action as an entry of `changes` in the JSON of a run; `with_names` that of a link shows both sides' names."""
        return {
            "entity": self.entity,
            "action": str(self.operation),
            "crm_id": self.crm_id,
            "customer_number": self.customer_number or None,
            "finance_code": None if self.finance_code is None else str(self.finance_code),
            "fields": {json_key(self.entity, name): list(pair) for name, pair in self.changes.items()},
            "reason": self.reason,
            **({"names": self.details["names"]} if with_names and "names" in self.details else {}),
        }

    def as_json(self) -> dict[str, Any]:
        """The whole action as plain JSON data."""
        # Not `asdict`: payload and details are plain data already, and a deep copy costs more than sending them.
        data = {name: getattr(self, name) for name in _FIELDS}
        data["message"] = self.message.as_json() if self.message else None
        data["notes"] = [note.as_json() for note in self.notes]
        return data

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Action:
        """The action that `as_json` wrote. Raises KeyError, TypeError or ValueError for other data."""
        known = {name: data[name] for name in _FIELDS}
        known["operation"] = Operation(known["operation"])
        known["changes"] = {key: (old, new) for key, (old, new) in known["changes"].items()}
        known["message"] = Message.from_json(known["message"]) if known["message"] else None
        known["notes"] = tuple(map(Message.from_json, known["notes"]))
        return Action(**known)


_FIELDS = tuple(f.name for f in fields(Action))


@dataclass(slots=True)
class Counts:
    """How many records of one entity a run looked at, and what became of each. Each record is counted once."""

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

    def count(self, operation: Operation) -> None:
        """Counts one action as done (in a dry run: as what would be done)."""
        name = _COUNTED_AS[operation]
        setattr(self, name, getattr(self, name) + 1)


_COUNTED_AS = {
    Operation.CREATE: "created",
    Operation.UPDATE: "updated",
    Operation.LINK: "linked",
    Operation.SKIP: "skipped",
    Operation.REVIEW: "review",
    Operation.RESTORE: "updated",
    Operation.DELETE: "updated",
    Operation.UNLINK: "updated",
}
