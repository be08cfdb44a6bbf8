"""Ways to make a run less careful than it is, so that the tests can show that they notice."""

from __future__ import annotations

from siaghsync.state import outbox
from siaghsync.state.audit import Run
from siaghsync.state.outbox import Intent
from siaghsync.sync import doubts
from siaghsync.sync import recovery as lookup


def forgets_intents() -> None:
    """What an earlier run left in the air is taken for never sent."""

    def forget(run: Run) -> list[Intent]:
        run.state.execute("UPDATE intents SET state = 'not_sent' WHERE state = 'open' AND run_id <> ?", (run.id,))
        return []

    doubts.__dict__["adopt_orphans"] = forget


def looks_once() -> None:
    """A single look-up is taken for proof, without any grace time."""
    patient = lookup.look_up_customers

    def hasty(engine, intents) -> None:  # type: ignore[no-untyped-def]
        patient(engine, intents)
        patient(engine, outbox.unknown_intents(engine.run.state, "crm"))

    lookup.__dict__["look_up_customers"] = hasty
