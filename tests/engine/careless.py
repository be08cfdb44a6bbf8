"""Ways to make a run less careful than it is, so that the tests can show that they notice."""

from __future__ import annotations

from siaghsync.clock import Reading
from siaghsync.state import outbox
from siaghsync.state.audit import Run
from siaghsync.state.outbox import Intent
from siaghsync.sync import recovery
from siaghsync.sync.recovery import Recovery


def forgets_intents() -> None:
    """What an earlier run left open counts as never sent."""

    def forget(run: Run) -> list[Intent]:
        run.state.execute("UPDATE intents SET state = 'not_sent' WHERE state = 'open' AND run_id <> ?", (run.id,))
        return []

    recovery.__dict__["adopt_orphans"] = forget


def looks_once() -> None:
    """A single look-up counts as proof, without any grace time."""
    patient = Recovery.look_up_customers

    def hasty(self: Recovery, intents: list[Intent]) -> None:
        patient(self, intents)
        patient(self, outbox.unknown_intents(self.context.state, "crm"))

    def eternity(_then: Reading, _later: Reading) -> float:
        return float("inf")

    Recovery.look_up_customers = hasty  # type: ignore[method-assign]
    recovery.__dict__["elapsed"] = eternity
