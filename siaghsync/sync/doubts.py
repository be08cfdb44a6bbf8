"""What earlier runs left in doubt: taken over at the start of a run, and looked up once it is due (see `lookup`)."""

from __future__ import annotations

from datetime import datetime, timedelta

from siaghsync.state import retries as waiting
from siaghsync.state.outbox import Intent, adopt_orphans, unknown_intents
from siaghsync.sync.context import Engine


def adopt(engine: Engine) -> None:
    """Takes over what an earlier run left in the air: creates are to be looked up, updates to be compared again."""
    with engine.run.state.atomic():
        for intent in adopt_orphans(engine.run):
            if intent.action.entity == "invoice":
                from siaghsync.sync import settle_documents

                settle_documents.in_doubt(engine, intent.id, intent.action, "The run ended before an answer came.")
                continue
            engine.run.note(intent.action, "unknown", message="The run ended before an answer came.")
            if intent.action.action == "update":
                waiting.postpone(engine.run, intent.action, "unknown_outcome", "The run ended before an answer came.")


def due_creates(engine: Engine, target: str) -> list[Intent]:
    """The creates in doubt whose look-up is due: never looked for, or missed and past the grace time."""
    grace = timedelta(seconds=engine.limits.grace_seconds)
    return [
        intent
        for intent in unknown_intents(engine.run.state, "crm" if target == "crm" else "finance")
        if intent.action.action == "create"
        and (intent.missed_at is None or engine.run.now() >= datetime.fromisoformat(intent.missed_at) + grace)
    ]
