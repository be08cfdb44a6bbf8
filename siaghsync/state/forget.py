"""Takes the values of one customer out of everything that is settled. What happened, when and to which number stays."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from siaghsync.domain.normalize import ascii_digits
from siaghsync.errors import UsageError
from siaghsync.messages.message import Message, msg
from siaghsync.state.audit import stamp
from siaghsync.state.columns import encode, message_columns
from siaghsync.state.database import State
from siaghsync.state.outbox import UNSETTLED

FORGOTTEN = msg("state.forgotten_values")
"""The message of what was forgotten."""
_MINE = """(customer_number = :n
    OR {crm_id} IN (SELECT crm_id FROM customer_mappings WHERE customer_number = :n
                    UNION SELECT crm_id FROM audit WHERE entity = 'customer' AND customer_number = :n AND crm_id IS NOT NULL)
    OR (entity = 'customer' AND finance_code IN (SELECT finance_code FROM customer_mappings WHERE customer_number = :n)))"""
"""The condition for rows about the customer with the number `:n` and its documents, whatever its number was then."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """From how many rows the values were taken."""

    audit: int
    reviews: int
    intents: int

    def as_json(self) -> dict[str, int]:
        """The numbers by name."""
        return asdict(self)

    @property
    def message(self) -> Message:
        """The numbers in words."""
        return msg("state.forgotten", **asdict(self))


def forget(state: State, asked: str, now: datetime, actor: str) -> Forgotten:
    """Takes the customer's values out, leaves an audit line about it, and rewrites the file without them.

    Open questions, what waits, and links keep what they need. The run lock has to be held. Raises UsageError if nothing is
    known of the number.
    """
    number = ascii_digits(asked).strip()
    if not number:  # that many customers have in common
        raise UsageError("usage.nothing_to_forget", number=number)
    with state.atomic():
        forgotten = Forgotten(
            audit=_blank(state, "audit", "crm_id", {"changes": "{}"}, "entity <> 'log'", number),
            reviews=_blank(state, "reviews", "record", {"details": "{}"}, "resolution IS NOT NULL", number),
            intents=_blank_plans(state, number),
        )
        if not any(forgotten.as_json().values()):
            raise UsageError("usage.nothing_to_forget", number=number)
        line = {"at": stamp(now), "actor": actor, "entity": "log", "name": "", "operation": "forget", "outcome": "done"}
        message = msg("state.forgotten_of", number=number, forgotten=forgotten.message)
        state.db.table("audit").insert({**line, "changes": {}, **message_columns(message)})
    state.rewrite()
    return forgotten


def _blank(state: State, table: str, crm_id: str, values: dict[str, str], condition: str, number: str) -> int:
    """A document keeps its number as its name: it is by that number that people know it."""
    columns = {**values, **message_columns(FORGOTTEN)}
    assignments = ", ".join(f"{name} = :{name}" for name in columns)
    state.execute(
        f"UPDATE {table} SET {assignments}, name = CASE entity WHEN 'customer' THEN '' ELSE name END "
        f"WHERE {condition} AND {_MINE.format(crm_id=crm_id)}",
        {**columns, "n": number},
    )
    return int(state.value("SELECT changes()"))


def _blank_plans(state: State, number: str) -> int:
    condition = f"NOT {UNSETTLED} AND plan <> '{{}}' AND {_MINE.format(crm_id='record')}"
    rows = state.rows(f"SELECT id, plan FROM intents WHERE {condition}", {"n": number})
    for row in rows:
        columns = {"plan": encode(_without_values(json.loads(row["plan"]))), **message_columns(FORGOTTEN)}
        state.db.table("intents").update(row["id"], columns)
    return len(rows)


def _without_values(plan: dict[str, Any]) -> dict[str, Any]:
    """A plan of the same shape: a create that was given up is still looked for by the number in it."""
    payload = {name: "" if isinstance(value, str) else value for name, value in plan["payload"].items()}
    name = "" if plan["entity"] == "customer" else plan["name"]
    kept = {**plan, "name": name, "changes": {}, "details": {}, "notes": [], "message": None}
    return {**kept, "payload": payload if plan["entity"] == "customer" else {}}
