"""When and how often a request is tried again. Loaded with the first one that has to be."""

from __future__ import annotations

from collections.abc import Callable

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from siaghsync.wire.exchange import Outcome

_LONGEST_PAUSE = 60.0
_growing = wait_exponential(multiplier=0.2, max=10) + wait_random(0, 0.2)


def repeated(first: Outcome, again: Callable[[], Outcome], *, attempts: int, rest: Callable[[float], None]) -> Outcome:
    """What comes of a request in `attempts` tries, the `first` of which is over. `rest` waits for so many seconds."""
    tries = Retrying(
        stop=stop_after_attempt(attempts),
        wait=_pause,
        retry=retry_if_result(lambda outcome: outcome.again),
        sleep=rest,
        retry_error_callback=_outcome,
    )
    known = [first]
    last: Outcome = tries(lambda: known.pop() if known else again())
    return last


def _outcome(state: RetryCallState) -> Outcome:
    assert state.outcome is not None
    outcome: Outcome = state.outcome.result()
    return outcome


def _pause(state: RetryCallState) -> float:
    return min(_LONGEST_PAUSE, max(_outcome(state).pause, _growing(state)))
