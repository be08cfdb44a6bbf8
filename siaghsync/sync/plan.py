"""The plan of one run about customers: everything is staged before the first write, whatever its size."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from siaghsync.domain.action import Action
from siaghsync.domain.customer import CustomerMapping
from siaghsync.domain.reasons import LINK_IN_DOUBT, Operation
from siaghsync.messages.message import Message
from siaghsync.state.staging import Staging
from siaghsync.sync.context import PlanMode

_IN_STEP, _FAILED = "plan of in_step", "plan of failed"


@dataclass(frozen=True, slots=True)
class PlannedUpdate:
    """A write to a contact (an update, or a link that brings one along) and when the contact was read (monotonic s)."""

    action: Action
    read_at: float


@dataclass(slots=True)
class CustomerPlan:
    """What a run is going to do about customers. The steps lie in staging, so that memory stays flat.

    `left_out` counts actions that the mode did not allow, `linked_to_be` are the CRM ids of planned links and creates, `in_doubt`
    those of customers whose link is put before a person.
    """

    staging: Staging
    mode: PlanMode
    left_out: int = 0
    counts: dict[Operation, int] = field(default_factory=lambda: dict.fromkeys(Operation, 0))
    linked_to_be: set[str] = field(default_factory=set)
    in_doubt: set[str] = field(default_factory=set)
    links_with_update: int = 0

    def add(self, action: Action, read_at: float = 0.0) -> bool:
        """Plans an action if the mode allows it, and says whether it did. `read_at` is when its contact was read."""
        if not self.mode.allows(action):
            self.left_out += 1
            return False
        self.counts[action.operation] += 1
        if action.operation in (Operation.CREATE, Operation.LINK):
            self.linked_to_be.add(action.record)
        if action.operation is Operation.REVIEW and action.reason in LINK_IN_DOUBT:
            self.in_doubt.add(action.record)
        self.links_with_update += action.operation is Operation.LINK and bool(action.payload)
        self.staging.put(_sheet(action.operation), [read_at, action.as_json()])
        return True

    def add_in_step(self, pair: CustomerMapping) -> None:
        """Plans to record that a linked pair was compared and nothing differs."""
        self.staging.put(_IN_STEP, asdict(pair))

    def add_failure(self, action: Action, reason: str, message: Message) -> None:
        """Plans to record that a record can't be dealt with now, and is tried again."""
        self.staging.put(_FAILED, [action.as_json(), str(reason), message.as_json()])

    def update_count(self) -> int:
        """How many existing contacts would be written to."""
        return self.counts[Operation.UPDATE] + self.links_with_update

    def actions(self, operation: Operation) -> Iterator[Action]:
        """The planned actions of one operation, in order."""
        return (Action.from_json(data) for _, data in self.staging.sheet(_sheet(operation)))

    def updates(self, operation: Operation) -> Iterator[PlannedUpdate]:
        """The planned actions of one operation that write to an existing contact, in order."""
        for read_at, data in self.staging.sheet(_sheet(operation)):
            if data["payload"]:
                yield PlannedUpdate(Action.from_json(data), read_at)

    def in_step(self) -> Iterator[CustomerMapping]:
        """The pairs that were compared and do not differ."""
        return (CustomerMapping(**data) for data in self.staging.sheet(_IN_STEP))

    def in_step_count(self) -> int:
        """How many pairs were compared and do not differ."""
        return self.staging.sheet_count(_IN_STEP)

    def failures(self) -> Iterator[tuple[Action, str, Message]]:
        """(action, reason, message) of what can't be dealt with now."""
        for data, reason, message in self.staging.sheet(_FAILED):
            yield Action.from_json(data), reason, Message.from_json(message)


def _sheet(operation: Operation) -> str:
    return f"plan of {operation}"
