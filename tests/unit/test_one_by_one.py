"""Looks at many records at once, in order, until the time is over."""

from __future__ import annotations

from itertools import count, repeat

from siaghsync.sync.one_by_one import looks


def test_the_answers_come_in_order_and_none_is_lost() -> None:
    found = list(looks(range(20), lambda number: number * number, 3, lambda: False))
    assert found == [(number, number * number) for number in range(20)]
    assert list(looks([7], str, 3, lambda: True)) == [(7, "7")]


def test_when_the_time_is_over_what_is_under_way_is_still_answered_and_nothing_else_is_asked() -> None:
    over = repeat(True)
    assert [number for number, _ in looks(count(), str, 3, lambda: next(over))] == list(range(6))
    later = iter([False, False, True])
    assert [number for number, _ in looks(count(), str, 3, lambda: next(later))] == list(range(8))
