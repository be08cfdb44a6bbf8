"""How much time has passed between two readings of all clocks, and whether a server's clock was set in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from siaghsync.clock import Reading, elapsed, server_clock_moved

THEN = Reading(datetime(2026, 1, 5, tzinfo=UTC), 1000.0, "boot", datetime(2026, 1, 5, 1, tzinfo=UTC))
PASSED = st.floats(0, 10**6)
JUMP = st.floats(61, 10**7).flatmap(lambda seconds: st.sampled_from([seconds, -seconds]))


def after(seconds: float, *, wall: float = 0, ticks: float = 0, server: float = 0, boot: str = "boot") -> Reading:
    """A reading so much later; each clock may have gone on by more or less than that."""
    assert THEN.server
    return Reading(
        THEN.local + timedelta(seconds=seconds + wall),
        THEN.ticks + seconds + ticks,
        boot,
        THEN.server + timedelta(seconds=seconds + server),
    )


@given(PASSED, JUMP, st.booleans())
def test_no_jump_of_our_clock_counts_while_the_server_or_the_boot_tells_the_time(
    seconds: float, jump: float, has_date: bool
) -> None:
    later = after(seconds, wall=jump)
    later = later if has_date else replace(later, server=None)
    assert abs(elapsed(THEN, later) - seconds) < 0.01
    assert not server_clock_moved(THEN, later)


@given(PASSED, JUMP)
def test_a_server_whose_clock_was_set_is_noticed_and_a_machine_that_slept_is_not_taken_for_it(
    seconds: float, jump: float
) -> None:
    assert server_clock_moved(THEN, after(seconds, server=jump))
    assert not server_clock_moved(THEN, after(seconds, ticks=-seconds))


@given(PASSED)
def test_after_a_restart_the_wall_clock_is_all_there_is(seconds: float) -> None:
    assert abs(elapsed(THEN, replace(after(seconds, ticks=-900, boot="other"), server=None)) - seconds) < 0.01


@given(PASSED, JUMP)
def test_a_reading_survives_being_stored(seconds: float, jump: float) -> None:
    later = after(seconds, wall=jump)
    assert Reading.from_text(later.as_text()) == later
