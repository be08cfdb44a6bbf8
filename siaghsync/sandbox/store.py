"""The world inside the stand-in CRM: its records, its clock, its account. Used directly by tests and the demo."""

from __future__ import annotations

import secrets
import threading
import time
from collections import ChainMap, deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from siaghsync.sandbox.numbering import Numbering, Step
from siaghsync.sandbox.shapes import CUSTOMER_KINDS, DOCUMENT_KINDS, KINDS, TEMPLATES, Kind, checked, new_id, whole
from siaghsync.sandbox.switches import CrmSwitches
from siaghsync.sandbox.table import Table
from siaghsync.sandbox.tokens import Account, TokenBook
from siaghsync.sandbox.webhooks import Webhooks
from siaghsync.sandbox.wire import Record

TEHRAN = ZoneInfo("Asia/Tehran")


class CrmWorld(CrmSwitches):
    """Everything that the stand-in CRM knows. Every method may be called from any thread.

    Field names are those of the wire (contract payamgostar §3.4, §4); what is left out gets its usual value.
    """

    def __init__(self) -> None:
        super().__init__()
        self.account = Account("webservice", secrets.token_urlsafe(12))
        self.tokens = TokenBook()
        self.refresh_tokens = TokenBook()
        self.category_keys = {"syaghcontact"}
        """Keys of the categories that this CRM has set up; others are refused by create."""
        self.type_codes: dict[Kind, set[str]] = {kind: {TEMPLATES[kind]["crmObjectTypeCode"]} for kind in KINDS}
        """Subtype codes that exist; adding a record in-process with a new code adds the code."""
        self.webhooks = Webhooks(self)
        self.numbering = Numbering(self)
        self.tables: dict[Kind, Table] = {kind: Table() for kind in KINDS}
        self.lock = threading.RLock()
        self._kinds: dict[str, Kind] = {}
        self._late: deque[tuple[float, Callable[[], None]]] = deque()

    @property
    def records(self) -> Mapping[str, Record]:
        """All visible customers, by crmId. To be read only."""
        self.settle()
        return ChainMap(*(self.tables[kind].records for kind in CUSTOMER_KINDS))

    @property
    def documents(self) -> Mapping[str, Record]:
        """All visible quotes and invoices, by crmId. To be read only."""
        self.settle()
        return ChainMap(self.tables["quote"].records, self.tables["invoice"].records)

    def kind(self, crm_id: str) -> Kind:
        """What kind of record this is. Raises KeyError for an unknown id."""
        return self._kinds[crm_id]

    def add_person(self, **fields: Any) -> str:
        """Adds a person and returns its crmId. Raises TypeError for a field that persons don't have."""
        return self.add("person", fields)

    def add_organization(self, **fields: Any) -> str:
        """Adds an organization (its name is `nickName`) and returns its crmId."""
        return self.add("organization", fields)

    def add_quote(self, identityId: str, details: list[Record], **fields: Any) -> str:  # noqa: N803
        """Adds a quote of this customer and returns its crmId; sums follow from the rows unless given.

        A row needs `productCode`, `count`, `baseUnitPrice`; `totalDiscount`, `totalVat`, `totalToll` are 0.
        """
        return self.add("quote", {"identityId": identityId, "details": details, **fields})

    def add_invoice(self, identityId: str, details: list[Record], **fields: Any) -> str:  # noqa: N803
        """Adds a sales invoice; like `add_quote`, also with `relatedQuoteId`."""
        return self.add("invoice", {"identityId": identityId, "details": details, **fields})

    def add(self, kind: Kind, fields: Record) -> str:
        """Adds a record of any kind; `modifyDate`, `creatDate` and `crmId` may be given."""
        with self.lock:
            now = self.stamp()
            given = {**({f"{kind}Date": self.document_date} if kind in DOCUMENT_KINDS else {}), **fields}
            record = {"crmId": new_id(), "creatDate": now, "modifyDate": now, **whole(kind, given, self)}
            self._kinds[record["crmId"]] = kind
            self.type_codes[kind].add(record["crmObjectTypeCode"])
            self._when_visible(lambda: self.tables[kind].put(record))
            self.webhooks.tell("Insert", kind, record)
            return str(record["crmId"])

    def edit(self, crm_id: str, **fields: Any) -> None:
        """Changes fields of any record and sets modifyDate to now, or to the one that is given.

        Raises KeyError for an unknown id, TypeError for a field that the record doesn't have.
        """
        with self.lock:
            kind = self._kinds[crm_id]
            changes = {"modifyDate": self.stamp(), **checked(kind, fields)}
            table = self.tables[kind]

            def change() -> None:
                if crm_id in table.records:
                    table.put({**table.records[crm_id], **changes})

            self._when_visible(change)
            self.webhooks.tell("Update", kind, {"crmId": crm_id, **table.records.get(crm_id, {})})

    def advance(self, crm_id: str, step: Step) -> None:
        """Approves, numbers, rejects a document or makes it pending again. Raises KeyError for an unknown id."""
        with self.lock:
            record = self.tables[self._kinds[crm_id]].records[crm_id]
            self.edit(crm_id, **self.numbering.after(step, record))

    def delete(self, crm_id: str) -> None:
        """Takes any record away. Raises KeyError for an unknown id."""
        with self.lock:
            kind = self._kinds.pop(crm_id)
            table = self.tables[kind]
            self.webhooks.tell("Delete", kind, {"crmId": crm_id, **table.records.get(crm_id, {})})
            self._when_visible(lambda: table.drop(crm_id))

    def by_number(self, number: str) -> list[Record]:
        """All visible customers with exactly this customer number."""
        self.settle()
        with self.lock:
            tables = [self.tables[kind] for kind in CUSTOMER_KINDS]
            return [table.records[i] for table in tables for i in sorted(table.equal("customerNumber", number))]

    def now(self) -> datetime:
        """The server's clock: Tehran time plus `clock_offset`."""
        return datetime.now(TEHRAN) + timedelta(seconds=self.clock_offset)

    def stamp(self) -> str:
        """Now as the CRM writes dates: local, no offset, at most three digits, trailing zeros dropped (§1)."""
        now = self.now().replace(tzinfo=None)
        if self.date_precision == "seconds" or now.microsecond < 1000:
            return now.isoformat(timespec="seconds")
        return now.isoformat(timespec="milliseconds").rstrip("0")

    def expire_tokens(self) -> None:
        """Every access token ends now; the next call answers 401."""
        self.tokens.expire()

    def settle(self, everything: bool = False) -> None:
        """Makes changes visible whose `visible_delay` is over, or all of them."""
        if not self._late:
            return
        with self.lock:
            while self._late and (everything or self._late[0][0] <= time.monotonic()):
                self._late.popleft()[1]()

    def secrets(self) -> set[str]:
        """The password and every token that was ever issued."""
        return {self.account.password, *self.tokens.issued, *self.refresh_tokens.issued}

    def _when_visible(self, change: Callable[[], None]) -> None:
        self.settle()
        # Behind a change that still waits, every other one waits too: they apply in the order they were made.
        if self.visible_delay > 0 or self._late:
            self._late.append((time.monotonic() + self.visible_delay, change))
        else:
            change()
