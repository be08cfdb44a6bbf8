"""Looks at records one by one, many at the same time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Record = TypeVar("Record")
Answer = TypeVar("Answer")


def looks(
    records: Iterable[Record], ask: Callable[[Record], Answer], threads: int, is_over: Callable[[], bool]
) -> Iterator[tuple[Record, Answer]]:
    """Each record with the answer of `ask`, in order, so many asked at once. Raises what `ask` raises.

    `is_over` is asked before another record joins those under way; once it is true, the rest stay away.
    """
    under_way: deque[tuple[Record, Future[Answer]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for record in records:
            if len(under_way) == 2 * threads:
                first, answer = under_way.popleft()
                yield first, answer.result()
                if is_over():
                    break
            under_way.append((record, pool.submit(ask, record)))
        for first, answer in under_way:
            yield first, answer.result()
