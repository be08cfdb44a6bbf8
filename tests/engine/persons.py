"""Who is who in both systems: each name, code, phone, address and e-mail address belongs to one customer of the world.

Records are told by nothing but such values, so the program's own marks, numbers and links prove nothing here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from tests.engine.oracle import MARK, digits, folded, said

Value = tuple[str, str]
NOBODY = 0


class Persons:
    """Learns from what the world gives its records, and tells whose the records are that it is shown."""

    def __init__(self) -> None:
        self._owner: dict[Value, int] = {}
        self._count = NOBODY
        self.may_double: set[int] = set()
        """Those who can't be found again, because nothing but a name is left that speaks for them."""

    def meet(self, values: Iterable[Value]) -> int:
        """Somebody new, to whom these values belong."""
        self._count += 1
        self.give(self._count, values)
        return self._count

    def give(self, person: int, values: Iterable[Value]) -> None:
        """These values are this customer's from now on. What two customers have tells nobody."""
        for value in values:
            if self._owner.setdefault(value, person) != person:
                self._owner[value] = NOBODY

    def among(self, values: Iterable[Value]) -> set[int]:
        """Everybody to whom one of these values belongs."""
        return {self._owner.get(value, NOBODY) for value in values} - {NOBODY}

    def of(self, values: Iterable[Value]) -> int:
        """The only one to whom they belong, or NOBODY."""
        found = self.among(values)
        return found.pop() if len(found) == 1 else NOBODY

    # --- what holds at every moment ---

    def mixed(self, contacts: Mapping[int, Mapping[str, Any]], records: Mapping[str, Mapping[str, Any]]) -> list[str]:
        """Records with values of more than one customer."""
        both = [(f"contact {code}", of_contact(contact)) for code, contact in contacts.items()]
        both += [(f"CRM record {crm_id}", of_record(record)) for crm_id, record in records.items()]
        return [f"{who} has values of several: {values}" for who, values in both if len(self.among(values)) > 1]

    def twice(
        self, whose: Mapping[Any, Collection[Value]], not_ours: Collection[Any], told: Collection[Any]
    ) -> list[str]:
        """Customers who are there more than once (`whose`: values of each record), not only by the world's own doing."""
        found: defaultdict[int, list[Any]] = defaultdict(list)
        for key, values in whose.items():
            found[self.of(values)].append(key)
        return [
            f"{keys} are one customer"
            for person, keys in found.items()
            if person not in (NOBODY, *self.may_double)
            and len([key for key in keys if key not in told]) > 1
            and not set(keys) <= set(not_ours)
        ]


def of_contact(contact: Mapping[str, Any]) -> set[Value]:
    """What tells whose a contact is."""
    names = {"Name", "NationalCode", "MobileNo", "TelNo", "Email", "Address"}
    return _values({name: str(contact[name] or "") for name in names})


def of_record(record: Mapping[str, Any]) -> set[Value]:
    """What tells whose a CRM record is."""
    return _values(said(record))


def _values(shown: Mapping[str, str]) -> set[Value]:
    phones = {("phone", digits(shown[name])) for name in ("MobileNo", "TelNo")}
    texts = {(name, folded(shown[name])) for name in ("Name", "Email", "Address")}
    found = {*phones, *texts, ("NationalCode", digits(shown["NationalCode"]))}
    return {(name, value) for name, value in found if value}


def is_lost_sight_of(record: Mapping[str, Any], code: int, contact: Mapping[str, Any]) -> bool:
    """Whether no number leads from one half of an unlinked pair to the other, and less than two of name, national code and phone
    speak for them: nobody can find it again, or so much as ask."""
    both = of_record(record) & of_contact(contact)
    mark = MARK.search(contact["Description"] or "")
    is_led = record["customerNumber"] in (mark and mark[1], str(code))
    return not is_led and len({name for name, _ in both} & {"Name", "NationalCode", "phone"}) < 2
