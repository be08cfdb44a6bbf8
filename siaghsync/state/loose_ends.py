"""What the state file holds about either side of a pair: its mapping, and everything that is still open."""

from __future__ import annotations

from siaghsync.state.database import State
from siaghsync.state.outbox import UNSETTLED

_OPEN = (
    ("waiting", "retries", ""),
    ("skips", "skips", ""),
    ("reviews", "reviews", " AND resolution IS NULL"),
    ("intents", "intents", f" AND {UNSETTLED}"),
)
OF_PAIR = " UNION ALL ".join(
    [
        "SELECT 'mapping' FROM customer_mappings WHERE crm_id = :record1 OR finance_code = :record2",
        *(
            f"SELECT '{word}' FROM {table} WHERE entity = 'customer' AND target = :target{side} AND record = :record{side}{more}"
            for word, table, more in _OPEN
            for side in (1, 2)
        ),
        "SELECT 'undone' FROM undone WHERE crm_id = :record1",
    ]
)


def of_pair(state: State, crm_id: str, code: int) -> set[str]:
    """What there is about a CRM record or a finance contact: one query instead of a dozen.

    Any of `mapping` (either side is linked), `waiting` (for another try), `skips`, `reviews` (open ones), `intents`
    (unsettled ones), `undone` (values that were undone).
    """
    names = {"target1": "finance", "record1": crm_id, "target2": "crm", "record2": str(code)}
    return {row[0] for row in state.rows(OF_PAIR, names)}
