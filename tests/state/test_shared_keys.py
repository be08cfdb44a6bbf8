"""Grouping of records by what they have in common."""

from __future__ import annotations

from contextlib import closing

from siaghsync.state.database import memory_state
from siaghsync.state.staging import SharedKeys


def test_only_keys_of_more_than_one_record_make_a_group_and_shorter_records_come_first() -> None:
    with closing(memory_state()) as state:
        keys = SharedKeys(state)
        keys.add([("phone 1", "10", {"n": 10}), ("phone 1", "9", {"n": 9}), ("phone 2", "9", {"n": 9})])
        keys.add([("name x", "9", {"n": 9}), ("name x", "10", {"n": 10}), ("phone 2", "9", {"n": "again"})])
        assert list(keys.groups()) == [[{"n": 9}, {"n": 10}], [{"n": 9}, {"n": 10}]]


def test_more_groups_than_are_read_at_once() -> None:
    with closing(memory_state()) as state:
        keys = SharedKeys(state)
        keys.add((f"key {n:04}", record, [n, record]) for n in range(1201) for record in ("a", "b"))
        assert list(keys.groups()) == [[[n, "a"], [n, "b"]] for n in range(1201)]
