"""Reads the audit trail back: for `log`, for the history of a record, and for whoever has to decide a review."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from siaghsync.domain.customer import ascii_digits
from siaghsync.state.audit import stamp
from siaghsync.state.database import Row, State


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Which lines of the trail are wanted. `customer` is a customer number, `since` aware UTC.

    `search` is a number, a code, or part of what a record was ever called; `before` the id of a line, `run` of a run.
    """

    customer: str | None = None
    failed: bool = False
    since: datetime | None = None
    limit: int = 50
    search: str = ""
    before: int | None = None
    run: int | None = None


_TROUBLE = ("failed", "unknown", "review", "misdirected", "lapsed")


_HAS_NUMBER = """(customer_number = ? OR CAST(finance_code AS TEXT) = ? OR crm_id = ?
    OR crm_id IN (SELECT crm_id FROM customer_mappings WHERE customer_number = ?))"""
_WAS_CALLED = "crm_id IN (SELECT crm_id FROM audit WHERE fields LIKE ? ESCAPE '\\')"
_SHORTEST_PART = 5
"""A shorter number is a customer's and not part of a phone or national code."""
_OFTEN_OTHERWISE = frozenset("یيىئکكةهۀەأإٱآا")
"""Letters that the same name is written with in more than one way."""


def _loosely(text: str) -> str:
    """A LIKE pattern for JSON that holds this text, in whichever letter forms and with whichever spaces."""
    letters = []
    for letter in json.dumps(text.strip(), ensure_ascii=False)[1:-1]:
        if letter in _OFTEN_OTHERWISE:
            letters.append("_")
        elif letter.isspace() or letter == "\u200c":
            letters.append("%")
        else:
            letters.append(f"\\{letter}" if letter in "%_\\" else letter)
    return f"%{''.join(letters)}%"


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
    if wanted.search:
        number = ascii_digits(wanted.search).strip()
        is_short = number.isdecimal() and len(number) < _SHORTEST_PART
        conditions.append(_HAS_NUMBER if is_short else f"({_HAS_NUMBER} OR {_WAS_CALLED})")
        values += [number] * 4 if is_short else [*[number] * 4, _loosely(wanted.search)]
    for column, limit in (("id <", wanted.before), ("run_id =", wanted.run)):
        if limit is not None:
            conditions.append(f"{column} ?")
            values.append(limit)
    sql = f"SELECT * FROM audit WHERE {' AND '.join(conditions)} ORDER BY id DESC LIMIT ?"
    return [_entry(row) for row in reversed(state.rows(sql, (*values, wanted.limit)))]


def failed_runs(state: State, since: datetime | None, limit: int) -> list[dict[str, Any]]:
    """Runs that failed, or that ended without a word (killed, or a machine that went down), the newest last."""
    sql = (
        "SELECT id, command, started_at, finished_at, error FROM runs WHERE dry_run = 0 AND started_at >= ? "
        "AND (outcome = 'failed' OR (finished_at IS NULL AND id < (SELECT max(id) FROM runs))) ORDER BY id DESC LIMIT ?"
    )
    return [dict(row) for row in reversed(state.rows(sql, (stamp(since) if since else "", limit)))]


def of_record(
    state: State, entity: str, crm_id: str | None, finance_code: int | None, limit: int = 20
) -> list[dict[str, Any]]:
    """What happened to one record so far, by its id on either side, the newest last. `entity` keeps a contact and a
    pre-invoice with the same number apart."""
    sql = "SELECT * FROM audit WHERE entity = ? AND (crm_id = ? OR finance_code = ?) ORDER BY id DESC LIMIT ?"
    return [_entry(row) for row in reversed(state.rows(sql, (entity, crm_id, finance_code, limit)))]


def _entry(row: Row) -> dict[str, Any]:
    entry = dict(row)
    entry["fields"] = json.loads(entry["fields"])
    entry["finance_code"] = None if entry["finance_code"] is None else str(entry["finance_code"])
    return entry
