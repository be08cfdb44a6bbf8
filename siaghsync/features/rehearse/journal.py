"""The test records that may be in the two systems, on disk before each request: what a killed rehearsal may have left behind.

They stand apart from the intents of `state.outbox`: no run looks them up, repeats them, or asks a person about them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from siaghsync.errors import System
from siaghsync.messages.message import Message, msg
from siaghsync.state.database import State

_META = "rehearsal"


@dataclass(slots=True)
class TestRecord:
    """One test record; without a `key` it is not known whether it was made. `run` is the id of its rehearsal."""

    system: System
    kind: Literal["person", "contact", "preinvoice"]
    name: str
    run: int
    key: str | None = None

    @property
    def message(self) -> Message:
        """What and where it is, and whether that is sure; the cure says how to remove it."""
        return msg(f"rehearse.left_{self.kind}{'' if self.key else '_perhaps'}", name=self.name, key=self.key)


class Journal:
    """The test records, and what only a person can answer: question -> what the answer is about."""

    def __init__(self, state: State) -> None:
        self._state = state
        kept = json.loads(state.meta(_META) or '{"records": [], "pending": {}}')
        self.records = [TestRecord(**record) for record in kept["records"]]
        self.pending: dict[str, dict[str, Any]] = kept["pending"]

    def intend(self, record: TestRecord) -> None:
        """A request about this record is about to leave. Raises LockHeld if the lock is lost."""
        with self._state.atomic():
            self._state.advance()
            self.records = [*(other for other in self.records if other is not record), record]
            self.save()

    def made(self, record: TestRecord, key: str) -> None:
        """It was made, and has this key."""
        record.key = key
        self.save()

    def drop(self, record: TestRecord) -> None:
        """It is surely not there."""
        self.records = [other for other in self.records if other is not record]
        self.save()

    def save(self) -> None:
        """Writes down what changed."""
        kept = {"records": [asdict(record) for record in self.records], "pending": self.pending}
        is_empty = not (self.records or self.pending)
        self._state.set_meta(_META, None if is_empty else json.dumps(kept, ensure_ascii=False))
