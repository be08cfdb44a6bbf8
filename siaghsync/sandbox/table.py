"""One kind of CRM record with the indexes that keep find quick at a hundred thousand records."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import defaultdict

from siaghsync.sandbox.wire import Record, render

INDEXED = ("customerNumber", "nationalCode", "crmId", "refId", "number", "identityId")
Dated = tuple[str, str]
"""A record's place in the ModifyDate order: (modifyDate, crmId). Trimmed ISO dates sort as text."""


class Table:
    """Records by id; also by (modifyDate, id), as a whole and per subtype, and by the fields in INDEXED.

    Records are replaced, never changed in place, so a reader may keep one without a lock.
    """

    def __init__(self) -> None:
        self.records: dict[str, Record] = {}
        self._dated: defaultdict[str | None, list[Dated]] = defaultdict(list)
        self._equal: dict[str, defaultdict[str, set[str]]] = {name: defaultdict(set) for name in INDEXED}
        self._texts: dict[str, str] = {}
        self._versions: defaultdict[str, list[Record]] = defaultdict(list)

    def put(self, record: Record) -> None:
        """Stores a record, in place of the one with the same crmId if there is one."""
        self.drop(record["crmId"])
        self.records[record["crmId"]] = record
        self._versions[record["crmId"]].append(record)
        for places in self._lists(record):
            insort(places, self._place(record))
        for name, index in self._equal.items():
            index[record.get(name) or ""].add(record["crmId"])

    def drop(self, crm_id: str) -> None:
        """Takes a record out; an unknown id is no error."""
        record = self.records.pop(crm_id, None)
        if record is None:
            return
        self._texts.pop(crm_id, None)
        for places in self._lists(record):
            del places[bisect_left(places, self._place(record))]
        for name, index in self._equal.items():
            index[record.get(name) or ""].discard(crm_id)

    def text(self, crm_id: str) -> str:
        """The record's JSON, kept for the next time."""
        text = self._texts.get(crm_id)
        if text is None:
            text = self._texts[crm_id] = render(self.records[crm_id])
        return text

    def dated(self, type_code: str | None) -> list[Dated]:
        """All places in ascending ModifyDate order, of one subtype or (None) of all. Not to be changed."""
        return self._dated.get(type_code, [])

    def equal(self, name: str, value: str) -> set[str]:
        """Ids of the records whose indexed field has this value."""
        return self._equal[name].get(value, set())

    def as_of(self, moment: str) -> Table:
        """Another table that holds each record as it was at this date of the CRM."""
        then = Table()
        for versions in self._versions.values():
            past = [record for record in versions if (record["modifyDate"] or "") <= moment]
            if past:
                then.put(past[-1])
        return then

    @staticmethod
    def _place(record: Record) -> Dated:
        return record["modifyDate"] or "", record["crmId"]

    def _lists(self, record: Record) -> tuple[list[Dated], list[Dated]]:
        return self._dated[None], self._dated[record["crmObjectTypeCode"]]
