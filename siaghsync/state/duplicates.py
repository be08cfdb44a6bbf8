"""Which of the records that a run has read have to do with each other, asked of whole lists at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from siaghsync.state.database import State

_ENTANGLED = """
    SELECT code FROM temp.contacts c WHERE code BETWEEN ? AND ? AND (marker <> ''
        OR EXISTS (SELECT 1 FROM temp.contacts o WHERE o.identity = c.identity AND o.code <> c.code AND o.admin = 0)
        OR EXISTS (SELECT 1 FROM temp.customers u WHERE u.identity = c.identity)
        OR EXISTS (SELECT 1 FROM reviews WHERE entity = 'customer' AND target = 'crm' AND record = CAST(c.code AS TEXT))
        OR EXISTS (SELECT 1 FROM intents WHERE entity = 'customer' AND target = 'crm' AND record = CAST(c.code AS TEXT)
            AND state IN ('open', 'unknown')))"""


def entangled(state: State, codes: Sequence[int], numbers: Sequence[str]) -> tuple[set[int], set[str]]:
    """What of these contacts and of their numbers in the CRM has to do with anything else.

    (codes of contacts with a mark, a twin in either list, a question about them or a write in the air; numbers that
    CRM records carry). `codes` are in order and without gaps among the unlinked contacts.
    """
    found = {row["code"] for row in state.rows(_ENTANGLED, (codes[0], codes[-1]))}
    marks = ", ".join("?" * len(numbers))
    sql = f"SELECT number FROM temp.customers WHERE number IN ({marks})"
    return found, {row["number"] for row in state.rows(sql, numbers)}


def duplicates(state: State) -> list[dict[str, Any]]:
    """Groups of more than one record that share a number (CRM) or national code and name (either side)."""
    groups = (
        ("crm", "number", "SELECT number AS k, group_concat(crm_id) AS ids FROM temp.customers WHERE number <> ''"),
        (
            "crm",
            "identity",
            "SELECT identity AS k, group_concat(crm_id) AS ids FROM temp.customers WHERE identity <> ''",
        ),
        (
            "finance",
            "identity",
            "SELECT identity AS k, group_concat(code) AS ids FROM temp.contacts WHERE identity <> '' AND admin = 0",
        ),
    )
    return [
        {
            "system": system,
            "same": "customer number" if key == "number" else "national code and name",
            "value": row["k"].split("|")[0],
            "records": row["ids"].split(","),
        }
        for system, key, sql in groups
        for row in state.rows(f"{sql} GROUP BY k HAVING count(*) > 1 ORDER BY k")
    ]
