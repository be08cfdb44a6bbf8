"""Looks over all customers of both systems, and keeps what is odd about them in temporary tables. Writes to nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from siaghsync.connectors.payamgostar.customers import crm_id_of, customer_from_crm
from siaghsync.domain.customer import Contact, Customer, Kind, digest
from siaghsync.errors import BadRecord, Interrupted
from siaghsync.features.lint.rules import Finding, Key, contact_findings, customer_findings, double_findings, keys_of
from siaghsync.state.database import Row, State
from siaghsync.sync.contacts import read_contacts
from siaghsync.sync.context import Engine
from siaghsync.sync.reader import read_source
from siaghsync.sync.sync_reading import SOURCES

_TABLES = (
    """CREATE TEMP TABLE lint_findings (
        position INTEGER PRIMARY KEY, system TEXT, record TEXT, number TEXT, odd TEXT, value TEXT, message TEXT)""",
    "CREATE INDEX temp.lint_findings_odd ON lint_findings (odd)",
    """CREATE TEMP TABLE lint_keys (
        same TEXT, value TEXT, system TEXT, record TEXT, number TEXT, national TEXT, spelled TEXT,
        PRIMARY KEY (system, same, value, record)) WITHOUT ROWID""",
)
_FINDING = "SELECT position, system, record, number, odd, value, message FROM temp.lint_findings"
_BATCH = 500


class Survey:
    """The findings about both systems, on disk and not in memory."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.customers = {"crm": 0, "finance": 0}
        self.without_number = 0
        """Customers of the CRM that have no number, and are skipped on purpose."""
        with state.atomic():
            for statement in _TABLES:
                state.execute(statement)

    def keep(self, findings: Iterable[Finding]) -> None:
        """Adds findings. Belongs inside `State.atomic`."""
        rows = ((f.system, f.record, f.customer_number, f.check, f.value, f.message) for f in findings)
        sql = "INSERT INTO temp.lint_findings (system, record, number, odd, value, message) VALUES (?, ?, ?, ?, ?, ?)"
        self._state.execute_many(sql, rows)

    def keep_keys(self, keys: Iterable[Key]) -> None:
        """Adds what is to be compared. Belongs inside `State.atomic`."""
        rows = ((k.same, k.value, k.system, k.record, k.customer_number, k.national, k.spelled) for k in keys)
        self._state.execute_many("INSERT OR REPLACE INTO temp.lint_keys VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

    def shared(self) -> Iterator[list[Key]]:
        """The records of one system that share something, group by group."""
        last: tuple[str, ...] = ("", "", "")
        sql = (
            "SELECT system, same, value FROM temp.lint_keys WHERE (system, same, value) > (?, ?, ?) "
            "GROUP BY system, same, value HAVING count(*) > 1 ORDER BY system, same, value LIMIT ?"
        )
        of_group = (
            "SELECT * FROM temp.lint_keys WHERE system = ? AND same = ? AND value = ? ORDER BY length(record), record"
        )
        while groups := self._state.rows(sql, (*last, _BATCH)):
            for group in groups:
                last = tuple(group)
                yield [Key(*row) for row in self._state.rows(of_group, last)]

    def findings(self) -> Iterator[Finding]:
        """All findings, in the order in which they were made."""
        last = 0
        while rows := self._state.rows(f"{_FINDING} WHERE position > ? ORDER BY position LIMIT ?", (last, _BATCH)):
            yield from map(_finding, rows)
            last = rows[-1]["position"]

    def first(self, check: str, count: int) -> list[Finding]:
        """The first findings of one check."""
        return [
            _finding(row)
            for row in self._state.rows(f"{_FINDING} WHERE odd = ? ORDER BY position LIMIT ?", (check, count))
        ]

    def counts(self) -> dict[str, Any]:
        """How many customers were looked at, and how many findings there are by system and check."""
        found: dict[str, dict[str, int]] = {"crm": {}, "finance": {}}
        for row in self._state.rows("SELECT system, odd, count(*) AS n FROM temp.lint_findings GROUP BY system, odd"):
            found[row["system"]][row["odd"]] = row["n"]
        return {"customers": self.customers, "without_number": self.without_number, "findings": found}


def survey(engine: Engine) -> Survey:
    """Reads both systems whole and checks every customer that an import or a sync would look at.

    The engine works with a state in memory. Raises CallError if a system can't be read, Interrupted on a signal.
    """
    found = Survey(engine.run.state)
    _, bad = read_contacts(engine)
    sink = _Sink(engine)
    for kind in SOURCES:
        sink.kind = kind
        read_source(engine, kind, sink, everything=True)
    with engine.run.state.atomic():
        found.keep(Finding("finance", str(c.code), "", "not_understood", "", message) for c, message in bad)
        found.keep(Finding("crm", crm_id, "", "not_understood", "", message) for crm_id, message in sink.bad.items())
    unread = {contact.code for contact, _ in bad}
    _check(engine, found, chain(_contacts(engine, unread), engine.scratch.customers(linked=False)))
    groups = found.shared()
    while batch := list(islice(groups, _BATCH)):
        with engine.run.state.atomic():
            for group in batch:
                found.keep(double_findings(group))
        _stop_if_asked(engine)
    return found


@dataclass(slots=True)
class _Sink:
    """Takes CRM customers into the scratch tables."""

    engine: Engine
    kind: Kind = "person"
    bad: dict[str, str] = field(default_factory=dict)

    def __call__(self, records: Sequence[Mapping[str, Any]]) -> list[str]:
        """The checksums of the records, in order."""
        keep: list[tuple[Customer, bool]] = []
        checksums = []
        for raw in records:
            try:
                customer = customer_from_crm(raw, self.kind)
            except BadRecord as error:
                self.bad[crm_id_of(raw) or ""] = error.message
                checksums.append(digest(crm_id_of(raw)))
            else:
                keep.append((customer, False))
                checksums.append(customer.checksum)
        self.engine.scratch.keep_customers(keep)
        return checksums


def _contacts(engine: Engine, unread: set[int]) -> Iterator[Contact]:
    """The contacts that are customers by the settings; in a state without links, none is linked."""
    for contact in engine.scratch.unlinked_contacts():
        is_wanted = not contact.admin and (contact.active or engine.rules.import_inactive)
        if is_wanted and contact.code not in unread:
            yield contact


def _check(engine: Engine, found: Survey, everybody: Iterator[Customer | Contact]) -> None:
    scheme = engine.rules.scheme
    while batch := list(islice(everybody, _BATCH)):
        with engine.run.state.atomic():
            for who in batch:
                if isinstance(who, Customer):
                    found.customers["crm"] += 1
                    found.without_number += not who.number
                    found.keep(customer_findings(who, scheme))
                else:
                    found.customers["finance"] += 1
                    found.keep(contact_findings(who, scheme))
                found.keep_keys(keys_of(who, scheme))
        engine.progress("checking customers", sum(found.customers.values()), None)
        _stop_if_asked(engine)


def _stop_if_asked(engine: Engine) -> None:
    if engine.stop.is_set():
        raise Interrupted(130)


def _finding(row: Row) -> Finding:
    return Finding(row["system"], row["record"], row["number"], row["odd"], row["value"], row["message"])
