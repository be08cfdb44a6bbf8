"""What one run has read, plans and has to tell, on disk instead of in memory: SQLite's own temporary tables.

They are gone with the connection, so nothing is lost in them that the state file should hold. They stand beside the mappings, so
"unlinked contacts with this national code" is one indexed query at any size. Plain SQL: every record of both systems passes here.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from siaghsync.domain.customer import (
    Contact,
    Customer,
    contact_from_json,
    customer_as_json,
    customer_from_json,
    identity_key,
)
from siaghsync.domain.evidence import pair_keys
from siaghsync.domain.normalize import fold
from siaghsync.errors import Interrupted, System
from siaghsync.state.columns import encode
from siaghsync.state.database import Row, State
from siaghsync.state.undo import at_rest

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


BATCH = 500
"""How many rows are taken in, or read back, at once."""

_TABLES = """
CREATE TEMP TABLE contacts (
    code INTEGER PRIMARY KEY, identity TEXT, name TEXT, marker TEXT, admin INTEGER, active INTEGER, data TEXT);
CREATE INDEX temp.contacts_identity ON contacts (identity);
CREATE INDEX temp.contacts_marker ON contacts (marker) WHERE marker <> '';
CREATE TEMP TABLE customers (
    crm_id TEXT PRIMARY KEY, position INTEGER, number TEXT, identity TEXT, linked INTEGER, data TEXT);
CREATE INDEX temp.customers_identity ON customers (identity);
CREATE INDEX temp.customers_number ON customers (number);
CREATE INDEX temp.customers_position ON customers (linked, position);
-- What a record of one side shares with one of the other if they have two of name, national code and phone in common.
CREATE TEMP TABLE pair_keys (side TEXT, key TEXT, record TEXT, PRIMARY KEY (side, key, record)) WITHOUT ROWID;
CREATE TEMP TABLE readings (
    source TEXT, crm_id TEXT, modified TEXT, checksum TEXT, PRIMARY KEY (source, crm_id)) WITHOUT ROWID;
CREATE TEMP TABLE unchanged (crm_id TEXT PRIMARY KEY) WITHOUT ROWID;
-- JSON texts, many in a row, one on a line each.
CREATE TEMP TABLE sheets (position INTEGER PRIMARY KEY, sheet TEXT NOT NULL, lines TEXT NOT NULL);
"""


class Staging:
    """The temporary tables of one run: the customers of both systems, what was read, and sheets of plain data in order."""

    def __init__(self, state: State, cancel: threading.Event | None = None) -> None:
        self._state = state
        self._cancel = cancel or threading.Event()
        """Set when a signal asks for the end."""
        self._keyed: set[System] = set()
        """The sides whose `pair_keys` are there; most runs never ask."""
        self._longest: dict[str, int] = {}
        """What `longest` has found in the contacts at hand."""
        self._any_undone: bool | None = None
        self._position = 0
        """The place of the customer that was taken in last."""
        self._read: Counter[str] = Counter()
        self._unwritten: dict[str, list[str]] = {}
        self._written: Counter[str] = Counter()
        with state.atomic():
            state.db.executescript(_TABLES)

    # --- finance contacts ---

    def add_contacts(self, contacts: Iterable[Contact]) -> int:
        """Takes in contacts, as they stream by. Returns how many."""
        count, source = 0, iter(contacts)
        self._longest.clear()
        while batch := list(islice(source, BATCH)):
            rows = [
                (c.code, identity_key(c), fold(c.name), c.marker, int(c.admin), int(c.active), _dump(c)) for c in batch
            ]
            with self._state.atomic():
                self._state.execute_many("INSERT OR REPLACE INTO temp.contacts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                self._add_pair_keys("finance", ((str(c.code), pair_keys(c)) for c in batch if not c.admin))
            count += len(batch)
        return count

    def clear_contacts(self) -> None:
        """Forgets the contacts, before a newer list is taken in."""
        with self._state.atomic():
            self._state.execute("DELETE FROM temp.contacts")
            self._state.execute("DELETE FROM temp.pair_keys WHERE side = 'finance'")
            self._keyed.discard("finance")
        self._longest.clear()

    def count_contacts(self) -> int:
        """How many contacts there are, admin users left out."""
        return int(self._state.value("SELECT count(*) FROM temp.contacts WHERE admin = 0"))

    def count_linked_contacts(self) -> int:
        """How many contacts have a mapping."""
        sql = "SELECT count(*) FROM temp.contacts WHERE code IN (SELECT finance_code FROM customer_mappings)"
        return int(self._state.value(sql))

    def contact(self, code: int) -> Contact | None:
        """The contact with this code, or None."""
        return next(iter(self._contacts("code = ?", code)), None)

    def longest(self, field: str) -> int:
        """How many letters the longest value of a field has among the contacts; 0 without contacts."""
        if field not in self._longest:
            sql = "SELECT max(length(json_extract(data, '$.fields.' || ?))) FROM temp.contacts"
            self._longest[field] = int(self._state.value(sql, (field,)) or 0)
        return self._longest[field]

    def any_marker(self) -> bool:
        """Whether any contact carries a mark, as only a sync puts it there."""
        return self._state.row("SELECT 1 FROM temp.contacts WHERE marker <> '' LIMIT 1") is not None

    def has_contacts(self) -> bool:
        """Whether the finance list was read."""
        return self._state.row("SELECT 1 FROM temp.contacts LIMIT 1") is not None

    def contacts_with_marker(self, number: str, crm_id: str) -> list[Contact]:
        """Contacts whose notes carry the mark of this number or of this CRM id."""
        sql = "SELECT data FROM temp.contacts WHERE marker <> '' AND marker IN (?, ?) ORDER BY code"
        return list(map(_contact, self._state.rows(sql, (number, crm_id))))

    def contacts_with_identity(self, identity: str | None) -> list[Contact]:
        """Contacts, admin users left out, with this national code and name (`identity_key`)."""
        return self._contacts("identity = ? AND admin = 0", identity)

    def contacts_with_name(self, name: str) -> list[Contact]:
        """Contacts, admin users left out, whose name is the same when folded."""
        with self._state.atomic():  # most runs never ask
            self._state.execute("CREATE INDEX IF NOT EXISTS temp.contacts_name ON contacts (name)")
        return self._contacts("name = ? AND admin = 0", fold(name))

    def all_contacts(self) -> Iterator[Contact]:
        """Every contact by code, admin users included."""
        last = -1
        while rows := self._state.rows(
            "SELECT code, data FROM temp.contacts WHERE code > ? ORDER BY code LIMIT ?", (last, BATCH)
        ):
            yield from map(_contact, rows)
            last = rows[-1]["code"]

    def unlinked_contacts(self) -> Iterator[Contact]:
        """Every contact without a mapping, by code."""
        last = -1
        sql = (
            "SELECT code, data FROM temp.contacts WHERE code > ? "
            "AND code NOT IN (SELECT finance_code FROM customer_mappings) ORDER BY code LIMIT ?"
        )
        while rows := self._state.rows(sql, (last, BATCH)):
            yield from map(_contact, rows)
            last = rows[-1]["code"]

    def unlinked_doubles(self) -> list[tuple[Contact, int]]:
        """Active unlinked contacts that look like a linked one, by mark or by national code and name, with its code."""
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

    def _contacts(self, where: str, value: object) -> list[Contact]:
        return [
            _contact(r)
            for r in self._state.rows(f"SELECT data FROM temp.contacts WHERE {where} ORDER BY code", (value,))
        ]

    # --- CRM customers ---

    def add_customers(self, customers: Iterable[tuple[Customer, bool]]) -> None:
        """Takes in customers, each with whether it is linked already; a newer copy replaces an older one."""
        customers = list(customers)
        rows = [(c.crm_id, self._next(), c.number, identity_key(c), int(linked), _dump(c)) for c, linked in customers]
        with self._state.atomic():
            self._state.execute_many("INSERT OR REPLACE INTO temp.customers VALUES (?, ?, ?, ?, ?, ?)", rows)
            self._state.execute_many("DELETE FROM temp.unchanged WHERE crm_id = ?", ((row[0],) for row in rows))
            self._add_pair_keys("crm", ((c.crm_id, pair_keys(c)) for c, _ in customers))

    def customers(self, *, linked: bool) -> Iterator[Customer]:
        """The customers taken in, linked or not, in the order in which they came."""
        last = -1
        sql = "SELECT position, data FROM temp.customers WHERE linked = ? AND position > ? ORDER BY position LIMIT ?"
        while rows := self._state.rows(sql, (int(linked), last, BATCH)):
            yield from map(_customer, rows)
            last = rows[-1]["position"]

    def undone(self, crm_id: str, checksum: str) -> set[str]:
        """The fields of a record whose values were undone and rest (`undo.at_rest`); most state files have none at all."""
        if self._any_undone is None:
            self._any_undone = self._state.row("SELECT 1 FROM undone LIMIT 1") is not None
        return at_rest(self._state, crm_id, checksum) if self._any_undone else set()

    def count_customers(self, *, linked: bool) -> int:
        """How many customers were taken in."""
        return int(self._state.value("SELECT count(*) FROM temp.customers WHERE linked = ?", (int(linked),)))

    def customer(self, crm_id: str) -> Customer | None:
        """The customer with this id, or None."""
        return next(iter(self._customers("crm_id = ?", crm_id)), None)

    def customers_with_number(self, number: str) -> list[Customer]:
        """Customers that carry this number, in the order in which they came."""
        return self._customers("number = ?", number)

    def customers_with_mark(self, mark: str) -> list[Customer]:
        """Customers that the mark in a contact's notes leads to: by their number, or by their CRM id."""
        return self._customers("number = ?1 OR crm_id = ?1", mark)

    def customers_with_identity(self, identity: str | None) -> list[Customer]:
        """Customers with this national code and name (`identity_key`), in the order in which they came."""
        return self._customers("identity = ?", identity)

    # --- pairs that agree in two of name, national code and phone ---

    def contacts_like(self, customer: Customer) -> list[Contact]:
        """Contacts, admin users left out, that share one of the `pair_keys` of a customer, by code."""
        codes = sorted(int(record) for record in self._sharing("finance", pair_keys(customer)))
        return [contact for code in codes if (contact := self.contact(code))]

    def customers_like(self, contact: Contact) -> list[Customer]:
        """Customers that share one of the `pair_keys` of a contact."""
        found = (self.customer(crm_id) for crm_id in sorted(self._sharing("crm", pair_keys(contact))))
        return [customer for customer in found if customer]

    def keys_in_crm(self, keys: Sequence[str]) -> set[str]:
        """Those of the `pair_keys` that a customer has too."""
        self._key("crm")
        marks = ", ".join("?" * len(keys))
        sql = f"SELECT DISTINCT key FROM temp.pair_keys WHERE side = 'crm' AND key IN ({marks})"
        return {row["key"] for row in self._state.rows(sql, list(keys))}

    def _sharing(self, side: System, keys: set[str]) -> set[str]:
        self._key(side)
        marks = ", ".join("?" * len(keys))
        sql = f"SELECT DISTINCT record FROM temp.pair_keys WHERE side = ? AND key IN ({marks})"
        return {row["record"] for row in self._state.rows(sql, (side, *keys))} if keys else set()

    def _key(self, side: System) -> None:
        """Makes the keys of what was taken in so far; later records add theirs as they come."""
        if side in self._keyed:
            return
        self._keyed.add(side)
        table = "temp.contacts WHERE admin = 0 AND" if side == "finance" else "temp.customers WHERE"
        sql, last = f"SELECT rowid AS place, data FROM {table} rowid > ? ORDER BY rowid LIMIT ?", -1
        while rows := self._state.rows(sql, (last, BATCH)):
            whole = [_contact(row) if side == "finance" else _customer(row) for row in rows]
            keys = ((str(each.code) if isinstance(each, Contact) else each.crm_id, pair_keys(each)) for each in whole)
            with self._state.atomic():
                self._add_pair_keys(side, keys)
            if self._cancel.is_set():
                raise Interrupted(130)
            last = rows[-1]["place"]

    def _add_pair_keys(self, side: System, records: Iterable[tuple[str, set[str]]]) -> None:
        if side not in self._keyed:
            return
        rows = ((side, key, record) for record, keys in records for key in keys)
        self._state.execute_many("INSERT OR IGNORE INTO temp.pair_keys VALUES (?, ?, ?)", rows)

    def _customers(self, where: str, value: object) -> list[Customer]:
        sql = f"SELECT data FROM temp.customers WHERE {where} ORDER BY position"
        return [_customer(row) for row in self._state.rows(sql, (value,))]

    def _next(self) -> int:
        self._position += 1
        return self._position

    # --- what was read ---

    def add_readings(self, source: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Notes (CRM id, date, checksum) of records read."""
        rows = list(rows)
        ids = {crm_id for crm_id, _, _ in rows}
        # Counted as they come: asked after every page, a count of the whole table would cost more than all else.
        self._read[source] += len(ids) - len(self.readings(source, list(ids)))
        with self._state.atomic():
            self._state.execute_many(
                "INSERT OR REPLACE INTO temp.readings VALUES (?, ?, ?, ?)", ((source, *row) for row in rows)
            )

    def reading_count(self, source: str) -> int:
        """How many different records of a source were read."""
        return self._read[source]

    def reading_total(self) -> int:
        """How many records of all sources were read."""
        return self._read.total()

    def readings_until(self, source: str, date: str) -> int:
        """How many records of a source were read last with this date, an earlier one, or none."""
        sql = "SELECT count(*) FROM temp.readings WHERE source = ? AND modified <= ?"
        return int(self._state.value(sql, (source, date)))

    def readings(self, source: str, crm_ids: Sequence[str]) -> dict[str, str]:
        """CRM id -> date, for those of `crm_ids` that were read in this run already."""
        marks = ", ".join("?" * len(crm_ids))
        sql = f"SELECT crm_id, modified FROM temp.readings WHERE source = ? AND crm_id IN ({marks})"
        return {row["crm_id"]: row["modified"] for row in self._state.rows(sql, (source, *crm_ids))}

    def highest_reading(self, source: str | None = None) -> str | None:
        """The highest date that was read in one source or in all, or None."""
        sql = "SELECT max(modified) FROM temp.readings WHERE source = coalesce(?, source)"
        found: str | None = self._state.value(sql, (source,))
        return found or None

    def add_unchanged(self, crm_ids: Iterable[str]) -> None:
        """Notes customers that are linked and as they were; `add_customers` takes them back."""
        with self._state.atomic():
            self._state.execute_many("INSERT OR IGNORE INTO temp.unchanged VALUES (?)", ((i,) for i in crm_ids))

    def count_unchanged(self) -> int:
        """How many customers were read and are as they were."""
        return int(self._state.value("SELECT count(*) FROM temp.unchanged"))

    # --- sheets ---

    def put(self, sheet: str, value: Any) -> None:
        """Adds plain data to the end of a sheet: the plan of a run, what it has to tell."""
        lines = self._unwritten.setdefault(sheet, [])
        lines.append(encode(value))
        if len(lines) >= BATCH:
            self._write_down(sheet)

    def sheet(self, name: str) -> Iterator[Any]:
        """What a sheet holds, in order."""
        self._write_down(name)
        last = -1
        sql = "SELECT position, lines FROM temp.sheets WHERE sheet = ? AND position > ? ORDER BY position LIMIT 1"
        while row := self._state.row(sql, (name, last)):
            yield from map(json.loads, row["lines"].split("\n"))
            last = row["position"]

    def sheet_count(self, name: str) -> int:
        """How many values a sheet holds."""
        return self._written[name] + len(self._unwritten.get(name, ()))

    def _write_down(self, sheet: str) -> None:
        # Gathered in memory and written hundreds at a time: a row for each would cost more than all that is done with it.
        if lines := self._unwritten.pop(sheet, None):
            self._written[sheet] += len(lines)
            with self._state.atomic():
                values = (sheet, "\n".join(lines))
                self._state.execute("INSERT INTO temp.sheets (sheet, lines) VALUES (?, ?)", values)


def _dump(who: Customer | Contact) -> str:
    return encode(customer_as_json(who))


def _contact(row: Row) -> Contact:
    return contact_from_json(json.loads(row["data"]))


def _customer(row: Row) -> Customer:
    return customer_from_json(json.loads(row["data"]))
