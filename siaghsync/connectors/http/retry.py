"""When and how often a request is tried again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_exponential, wait_random

from siaghsync.errors import CallError

T = TypeVar("T")

_LONGEST_PAUSE = 60.0
_growing = wait_exponential(multiplier=0.2, max=10) + wait_random(0, 0.2)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one try failed; `again` if another one makes sense, after `pause` seconds or more."""

    error: CallError
    again: bool = False
    pause: float = 0.0


def with_retries(try_once: Callable[[], T | Failure], *, attempts: int, sleep: Callable[[float], None]) -> T:
    """What `try_once` brings in at most `attempts` tries. Raises the error of the last one."""
    tries = Retrying(
        stop=stop_after_attempt(attempts),
        wait=_pause,
        retry=retry_if_result(lambda result: isinstance(result, Failure) and result.again),
        sleep=sleep,
        retry_error_callback=_result,
    )
    result: T | Failure = tries(try_once)
    if isinstance(result, Failure):
        raise result.error
    return result


def _result(state: RetryCallState) -> object:
    assert state.outcome is not None
    return state.outcome.result()


def _pause(state: RetryCallState) -> float:
    failure = _result(state)
    assert isinstance(failure, Failure)
    return min(_LONGEST_PAUSE, max(failure.pause, _growing(state)))
