"""The single facts that the state file remembers about the initial import."""

from __future__ import annotations

from datetime import datetime

from siaghsync.store.state import State

COMPLETED = "initial_import_completed_at"
STARTED = "first_import_at"


STATE_WAS_LOST = "earlier_state_was_lost"
"""Set if an earlier state file served here: what was posted then is not known any more."""


def started_at(state: State) -> datetime | None:
    """When the first import began, by the CRM's own clock (Tehran time without an offset), or None.

    Documents from before it are not posted by themselves: whoever kept the books until then may have posted them.
    """
    moment = state.fact(STARTED)
    return datetime.fromisoformat(moment) if moment else None
