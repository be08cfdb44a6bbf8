"""The brakes: what stops a run before it writes anything. `--force` goes past all of them."""

from __future__ import annotations

from siaghsync.errors import BrakeError, System


def check_list_size(system: System, found: int, known: int) -> None:
    """Raises BrakeError if a system shows no customer, or less than half as many as are linked (`known`)."""
    if found * 2 < known:
        raise BrakeError("brake.list_size", system=system, found=found, known=known)


def check_creates(creates: int, limit: int, *, so_far: bool = False) -> None:
    """Raises BrakeError if a sync would create more records than `limit` (MAX_CREATES_PER_RUN). `so_far` says that not
    everything is planned yet."""
    if creates > limit:
        raise BrakeError("brake.creates_so_far" if so_far else "brake.creates", creates=creates, limit=limit)


def check_updates(updates: int, limit: int, *, so_far: bool = False) -> None:
    """Raises BrakeError if a sync would change more records than `limit` (MAX_UPDATES_PER_RUN). `so_far` says that not
    everything is planned yet."""
    if updates > limit:
        raise BrakeError("brake.updates_so_far" if so_far else "brake.updates", updates=updates, limit=limit)
