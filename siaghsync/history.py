"""Reads the audit trail back: for `log`, for the history of a record, and for whoever has to decide a review."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siaghsync.audit import stamp
from siaghsync.state import Row, State


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines of the trail are wanted. `customer` is a customer number, `since` aware UTC."""

    customer: str | None = None
    failed: bool = False
    since: datetime | None = None
    limit: int = 50


_TROUBLE = ("failed", "unknown", "review", "misdirected", "lapsed")


def entries(state: State, wanted: LogFilter) -> list[dict[str, Any]]:
    """Lines of the audit trail, the newest last."""
    conditions, values = ["1"], list[object]()
    if wanted.customer is not None:
        conditions.append(
            "(customer_number = ? OR crm_id IN (SELECT crm_id FROM customer_mappings WHERE customer_number = ?))"
        )
        values += [wanted.customer, wanted.customer]
    if wanted.failed:
        conditions.append(f"outcome IN ({', '.join('?' * len(_TROUBLE))})")
        values += _TROUBLE
    if wanted.since is not None:
        conditions.append("at >= ?")
        values.append(stamp(wanted.since))
    sql = f"SELECT * FROM audit WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
    return [_entry(row) for row in reversed(state.rows(sql, (*values, wanted.limit)))]


def of_record(state: State, crm_id: str | None, finance_code: int | None, limit: int = 20) -> list[dict[str, Any]]:
    """What happened to one record so far, by its id on either side, the newest last."""
    sql = "SELECT * FROM audit WHERE (crm_id = ? OR finance_code = ?) ORDER BY id DESC LIMIT ?"
    return [_entry(row) for row in reversed(state.rows(sql, (crm_id, finance_code, limit)))]


def _entry(row: Row) -> dict[str, Any]:
    entry = dict(row)
    entry["fields"] = json.loads(entry["fields"])
    entry["finance_code"] = None if entry["finance_code"] is None else str(entry["finance_code"])
    return entry
