"""The single values that the state file remembers: about the initial import, and about state files before it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from siaghsync.messages.message import Message, msg
from siaghsync.state import runs
from siaghsync.state.database import State

_WHOLE_SECOND = timedelta(seconds=1)
"""The CRM's header `Date` has whole seconds: what was made in the second in which the import began may be older than it."""
COMPLETED = "initial_import_completed_at"
STARTED = "first_import_at"
IS_A_COPY = "is_a_copy"
"""What `backup` leaves in a copy: whoever takes it into use does not know what was done after it was made."""
SERVICE = "service_pid"
"""The process of the web service that ran last for webhooks: such runs make way for those of cron."""
DOUBLED_NUMBERS = "numbers_doubled"
"""Numbers that Siagh has given beside those of the documents that were posted last, as text."""
TAKEN_INTO_USE = "copy_taken_into_use_at"
STATE_WAS_LOST = "earlier_state_was_lost"
"""Set if an earlier state file served here: what was posted then is not known any more."""


def started_at(state: State) -> datetime | None:
    """When the first import began, by the CRM's own clock (Tehran time without an offset), or None.

    Documents from before it are not posted by themselves: whoever kept the accounts until then may have posted them.
    """
    moment = state.meta(STARTED)
    return datetime.fromisoformat(moment) if moment else None


def note_lost_state(state: State, had_lock: bool) -> None:
    """Remembers that an earlier state file was lost, if a file that has seen no run yet was created beside a lock file.

    The lock file is never deleted, so one without its state file belongs to an earlier installation. A kill can leave the new
    file behind before that is noted; it has seen no run then.
    """
    if had_lock and not runs.any_yet(state):
        state.set_meta(STATE_WAS_LOST, "its lock file was there before it")


def doubled_numbers(state: State) -> list[Message]:
    """The suspicion about them, if there is one."""
    numbers = state.meta(DOUBLED_NUMBERS)
    return [msg("document.numbers_doubled", numbers=numbers)] if numbers else []


def take_into_use(state: State, now: str) -> None:
    """A copy that was put back remembers that it begins to serve `now` (the CRM's clock). Belongs inside `State.atomic`."""
    if state.meta(IS_A_COPY) is not None:
        state.set_meta(TAKEN_INTO_USE, now)
        state.set_meta(IS_A_COPY, None)


def unsure_before(state: State, now: Callable[[], datetime]) -> datetime | None:
    """Documents from before this moment of the CRM's clock may stand in Finance though this state file does not know it.

    That is when a copy was taken into use (`now`, if it has not been yet), or the first import if an earlier file was lost.
    """
    if state.meta(IS_A_COPY) is not None:
        return now()
    if moment := state.meta(TAKEN_INTO_USE):
        return datetime.fromisoformat(moment)
    started = started_at(state) if state.meta(STATE_WAS_LOST) is not None else None
    return started + _WHOLE_SECOND if started and started.microsecond == 0 else started
