"""What records have in common, found by grouping: in a temporary table, so that a million records need no memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from siaghsync.state.database import State

_TABLE = """
    CREATE TEMP TABLE shared_keys (
        key TEXT, record TEXT, data TEXT, PRIMARY KEY (key, record)) WITHOUT ROWID"""
_GROUPS = "SELECT key FROM temp.shared_keys WHERE key > ? GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT ?"
_MEMBERS = "SELECT data FROM temp.shared_keys WHERE key = ? ORDER BY length(record), record"
_BATCH = 500


class SharedKeys:
    """Keys of records, each with plain data. Gone with the connection."""

    def __init__(self, state: State) -> None:
        self._state = state
        with state.atomic():
            state.execute(_TABLE)

    def add(self, keys: Iterable[tuple[str, str, Any]]) -> None:
        """Adds (key, record, plain data); the same key of the same record replaces the one before."""
        rows = ((key, record, json.dumps(data, ensure_ascii=False)) for key, record, data in keys)
        with self._state.atomic():
            self._state.execute_many("INSERT OR REPLACE INTO temp.shared_keys VALUES (?, ?, ?)", rows)

    def groups(self) -> Iterator[list[Any]]:
        """The data of all records that have a key in common, key by key; within one shorter records first."""
        last = ""
        while rows := self._state.rows(_GROUPS, (last, _BATCH)):
            for row in rows:
                yield [json.loads(member["data"]) for member in self._state.rows(_MEMBERS, (row["key"],))]
            last = rows[-1]["key"]
