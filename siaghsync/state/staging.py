"""What one run has read, on disk instead of in memory: SQLite's own temporary tables, gone with the connection.

They stand beside the mappings, so "unmapped contacts with this national code" is one indexed query at any size.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import fields
from typing import Any

from siaghsync.domain.customer import Contact, Customer, fold, identity_key
from siaghsync.state.database import Row, State
from siaghsync.state.notebook import BATCH, Notebook, to_json

_TABLES = (
    """CREATE TEMP TABLE contacts (
        code INTEGER PRIMARY KEY, identity TEXT, name TEXT, marker TEXT, admin INTEGER, active INTEGER, data TEXT)""",
    "CREATE INDEX temp.contacts_identity ON contacts (identity)",
    "CREATE INDEX temp.contacts_marker ON contacts (marker) WHERE marker <> ''",
    """CREATE TEMP TABLE customers (
        crm_id TEXT PRIMARY KEY, position INTEGER, number TEXT, identity TEXT, linked INTEGER, data TEXT)""",
    "CREATE INDEX temp.customers_identity ON customers (identity)",
    "CREATE INDEX temp.customers_number ON customers (number)",
    "CREATE INDEX temp.customers_position ON customers (linked, position)",
)


class Scratch(Notebook):
    """The temporary tables of one run: both systems' customers, and the notebook of its course."""

    def __init__(self, state: State) -> None:
        super().__init__(state)
        self._position = 0
        """The place of the customer that was taken in last."""
        with state.atomic():
            for statement in _TABLES:
                state.execute(statement)

    # --- finance contacts ---

    def keep_contacts(self, contacts: Iterable[Contact]) -> int:
        """Takes in contacts, as they stream by. Returns how many."""
        count = 0
        for batch in _batches(contacts):
            rows = [
                (
                    c.code,
                    _identity(c),
                    fold(c.names[0]) if c.names else "",
                    c.marker,
                    int(c.admin),
                    int(c.active),
                    _dump(c),
                )
                for c in batch
            ]
            with self._state.atomic():
                self._state.execute_many("INSERT OR REPLACE INTO temp.contacts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
            count += len(batch)
        return count

    def drop_contacts(self) -> None:
        """Forgets the contacts, before a newer list is taken in."""
        with self._state.atomic():
            self._state.execute("DELETE FROM temp.contacts")

    def count_contacts(self) -> int:
        """How many contacts there are, admin users left out."""
        return int(self._state.value("SELECT count(*) FROM temp.contacts WHERE admin = 0"))

    def count_linked_contacts(self) -> int:
        """How many contacts have a mapping."""
        sql = "SELECT count(*) FROM temp.contacts WHERE code IN (SELECT finance_code FROM customer_mappings)"
        return int(self._state.value(sql))

    def contact(self, code: int) -> Contact | None:
        """The contact with this code, or None."""
        rows = self._state.rows("SELECT data FROM temp.contacts WHERE code = ?", (code,))
        return _contact(rows[0]) if rows else None

    def any_marker(self) -> bool:
        """Whether any contact carries a marker, as only a sync puts it there."""
        return self._state.row("SELECT 1 FROM temp.contacts WHERE marker <> '' LIMIT 1") is not None

    def contacts_with_marker(self, number: str) -> list[Contact]:
        """Contacts whose notes carry the marker of this number."""
        return [
            _contact(r)
            for r in self._state.rows(
                "SELECT data FROM temp.contacts WHERE marker = ? AND marker <> '' ORDER BY code", (number,)
            )
        ]

    def contacts_with_identity(self, identity: str | None) -> list[Contact]:
        """Contacts, admin users left out, with this national code and name."""
        return [
            _contact(r)
            for r in self._state.rows(
                "SELECT data FROM temp.contacts WHERE identity = ? AND admin = 0 ORDER BY code", (identity,)
            )
        ]

    def contacts_with_name(self, name: str) -> list[Contact]:
        """Contacts, admin users left out, whose name is the same when folded."""
        sql = "SELECT data FROM temp.contacts WHERE name = ? AND admin = 0 ORDER BY code"
        return [_contact(r) for r in self._state.rows(sql, (fold(name),))]

    def unlinked_contacts(self) -> Iterator[Contact]:
        """Every contact without a mapping, by code."""
        last = -1
        sql = (
            "SELECT code, data FROM temp.contacts WHERE code > ? AND code NOT IN (SELECT finance_code FROM customer_mappings) "
            "ORDER BY code LIMIT ?"
        )
        while rows := self._state.rows(sql, (last, BATCH)):
            yield from map(_contact, rows)
            last = rows[-1]["code"]

    def unlinked_doubles(self) -> list[tuple[Contact, int]]:
        """Active unlinked contacts that look like a linked one, by marker or by national code and name, with its code."""
        pairs = " UNION ".join(
            f"SELECT c.code, m.finance_code AS twin FROM customer_mappings m JOIN temp.contacts t ON t.code = m.finance_code "
            f"JOIN temp.contacts c ON c.{key} = t.{key} AND c.{key} <> '' AND c.code <> t.code AND c.admin = 0 AND c.active = 1"
            for key in ("marker", "identity")
        )
        sql = (
            f"SELECT c.data, min(p.twin) AS twin FROM ({pairs}) p JOIN temp.contacts c ON c.code = p.code "
            "WHERE c.code NOT IN (SELECT finance_code FROM customer_mappings) GROUP BY c.code ORDER BY c.code"
        )
        return [(_contact(row), row["twin"]) for row in self._state.rows(sql)]

    # --- CRM customers ---

    def keep_customers(self, customers: Iterable[tuple[Customer, bool]]) -> None:
        """Takes in customers, each with whether it is linked already; a newer copy replaces an older one."""
        rows = [(c.crm_id, self._next(), c.number, _identity(c), int(linked), _dump(c)) for c, linked in customers]
        with self._state.atomic():
            self._state.execute_many("INSERT OR REPLACE INTO temp.customers VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._state.execute_many("DELETE FROM temp.calm WHERE crm_id = ?", ((row[0],) for row in rows))

    def customers(self, *, linked: bool) -> Iterator[Customer]:
        """The customers taken in, linked or not, in the order in which they came."""
        last = -1
        sql = "SELECT position, data FROM temp.customers WHERE linked = ? AND position > ? ORDER BY position LIMIT ?"
        while rows := self._state.rows(sql, (int(linked), last, BATCH)):
            yield from map(_customer, rows)
            last = rows[-1]["position"]

    def count_customers(self, *, linked: bool) -> int:
        """How many customers were taken in."""
        return int(self._state.value("SELECT count(*) FROM temp.customers WHERE linked = ?", (int(linked),)))

    def customer(self, crm_id: str) -> Customer | None:
        """The customer with this id, or None."""
        rows = self._state.rows("SELECT data FROM temp.customers WHERE crm_id = ?", (crm_id,))
        return _customer(rows[0]) if rows else None

    def customers_with_number(self, number: str) -> list[Customer]:
        """Customers that carry this number."""
        return [_customer(r) for r in self._state.rows("SELECT data FROM temp.customers WHERE number = ?", (number,))]

    def customers_with_identity(self, identity: str | None) -> list[Customer]:
        """Customers with this national code and name, in the order in which they came."""
        sql = "SELECT data FROM temp.customers WHERE identity = ? ORDER BY position"
        return [_customer(r) for r in self._state.rows(sql, (identity,))]

    def mark_linked(self, crm_id: str) -> None:
        """Moves a customer from the unlinked to the linked ones. Belongs inside `State.atomic`."""
        sql = "UPDATE temp.customers SET linked = 1, position = ? WHERE crm_id = ?"
        self._state.execute(sql, (self._next(), crm_id))

    def _next(self) -> int:
        self._position += 1
        return self._position


def identity_text(who: Customer | Contact) -> str | None:
    """National code and name as one text to look up, or None if either is missing."""
    return _identity(who)


def _identity(who: Customer | Contact) -> str | None:
    key = identity_key(who)
    return "|".join(key) if key else None


def _dump(who: Customer | Contact) -> str:
    return to_json({name: getattr(who, name) for name in _FIELDS[type(who)]})


_FIELDS = {kind: tuple(f.name for f in fields(kind)) for kind in (Customer, Contact)}


def _lists_to_tuples(data: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in data.items()}


def _contact(row: Row) -> Contact:
    return Contact(**_lists_to_tuples(json.loads(row["data"])))


def _customer(row: Row) -> Customer:
    return Customer(**_lists_to_tuples(json.loads(row["data"])))


def _batches(items: Iterable[Contact]) -> Iterator[list[Contact]]:
    batch: list[Contact] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
