"""The CRM's calls after each change, as they were captured: a bare GET, everything in the query (payamgostar §5)."""

from __future__ import annotations

import contextlib
import threading
from http.client import HTTPConnection, HTTPException
from queue import SimpleQueue
from typing import Literal
from urllib.parse import urlencode, urlsplit

from siaghsync.sandbox.shapes import Kind
from siaghsync.sandbox.switches import CrmSwitches
from siaghsync.sandbox.wire import Record

Event = Literal["Insert", "Update", "Delete"]
_NUMBERS: dict[Event, str] = {"Insert": "2", "Update": "1", "Delete": "0"}
TYPES: dict[Kind, str] = {"person": "Identity", "organization": "Identity", "quote": "Quote", "invoice": "Invoice"}
NAMES: dict[Kind, str] = {
    "person": "مخاطب حقیقی", "organization": "مخاطب حقوقی", "quote": "پیش فاکتور فروش", "invoice": "فاکتور فروش",
}  # fmt: skip
"""Display name of a kind whose records carry none of their own."""
_SECONDS = 10.0


class Webhooks:
    """Calls the addresses of `addresses`, one after the other, in a thread of its own; who doesn't answer is passed over."""

    def __init__(self, rules: CrmSwitches) -> None:
        self._rules = rules
        self.addresses: dict[str, str] = {}
        """Address by item type: Identity, Quote, Invoice. One without an address is not called."""
        self._calls: SimpleQueue[str | None] = SimpleQueue()
        self._held: str | None = None
        self._thread: threading.Thread | None = None

    def tell(self, event: Event, kind: Kind, record: Record) -> None:
        """Says that a record has changed; returns at once."""
        address = self.addresses.get(TYPES[kind])
        if not address or self._rules.webhook_calls == "lost":
            return
        said = event if self._rules.webhook_events == "names" else _NUMBERS[event]
        subtype = record["crmObjectTypeName"] if record.get("crmObjectTypeName") else NAMES[kind]
        query = urlencode({"event": said, "id": record["crmId"], "type": TYPES[kind], "subtype": subtype})
        self._queue(f"{address}{'&' if '?' in address else '?'}{query}")

    def _queue(self, address: str) -> None:
        if self._rules.webhook_calls == "swapped" and self._held is None:
            self._held = address
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
            self._thread.start()
        held, self._held = self._held, None
        for each in (address, address if self._rules.webhook_calls == "doubled" else held):
            if each:
                self._calls.put(each)

    def close(self) -> None:
        """No more calls."""
        self._calls.put(None)

    def _run(self) -> None:
        while address := self._calls.get():
            with contextlib.suppress(OSError, HTTPException):
                _call(address)


def _call(address: str) -> None:
    """One GET with the headers Host and Connection and no others."""
    where = urlsplit(address)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=_SECONDS)
    try:
        connection.putrequest("GET", f"{where.path or '/'}?{where.query}", skip_accept_encoding=True)
        connection.putheader("Connection", "Keep-Alive")
        connection.endheaders()
        connection.getresponse().read()
    finally:
        connection.close()
