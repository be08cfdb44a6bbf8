"""Which of the records that a run has read have to do with each other, asked of whole lists at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from siaghsync.errors import System
from siaghsync.state.database import State
from siaghsync.state.outbox import UNSETTLED

_ENTANGLED = f"""
    SELECT code FROM temp.contacts c WHERE code BETWEEN ? AND ? AND (marker <> ''
        OR EXISTS (SELECT 1 FROM temp.contacts o WHERE o.identity = c.identity AND o.code <> c.code AND o.admin = 0)
        OR EXISTS (SELECT 1 FROM temp.customers u WHERE u.identity = c.identity)
        OR EXISTS (SELECT 1 FROM reviews WHERE entity = 'customer' AND target = 'crm' AND record = CAST(c.code AS TEXT))
        OR EXISTS (SELECT 1 FROM intents WHERE entity = 'customer' AND target = 'crm' AND record = CAST(c.code AS TEXT)
            AND {UNSETTLED}))"""


def entangled(state: State, codes: Sequence[int], numbers: Sequence[str]) -> tuple[set[int], set[str]]:
    """What of these contacts and of their numbers in the CRM has to do with anything else.

    (codes of contacts with a mark, a twin in either list, a question about them or an unsettled write; numbers that
    CRM records carry). `codes` are in order and without gaps among the unlinked contacts.
    """
    found = {row["code"] for row in state.rows(_ENTANGLED, (codes[0], codes[-1]))}
    marks = ", ".join("?" * len(numbers))
    sql = f"SELECT number FROM temp.customers WHERE number IN ({marks})"
    return found, {row["number"] for row in state.rows(sql, numbers)}


@dataclass(frozen=True, slots=True)
class Duplicate:
    """More than one record of one system that share a number, or national code and name.

    `value` is the number or the national code, `records` are CRM ids or finance codes.
    """

    system: System
    same: Literal["number", "identity"]
    value: str
    records: tuple[str, ...]


_GROUPS: tuple[tuple[System, Literal["number", "identity"], str], ...] = (
    ("crm", "number", "SELECT number AS k, group_concat(crm_id) AS ids FROM temp.customers WHERE number <> ''"),
    ("crm", "identity", "SELECT identity AS k, group_concat(crm_id) AS ids FROM temp.customers WHERE identity <> ''"),
    (
        "finance",
        "identity",
        "SELECT identity AS k, group_concat(code) AS ids FROM temp.contacts WHERE identity <> '' AND admin = 0",
    ),
)


def duplicates(state: State) -> list[Duplicate]:
    """The duplicates among the records of both systems that were taken in."""
    return [
        Duplicate(system, same, row["k"].split("|")[0], tuple(row["ids"].split(",")))
        for system, same, sql in _GROUPS
        for row in state.rows(f"{sql} GROUP BY k HAVING count(*) > 1 ORDER BY k")
    ]
