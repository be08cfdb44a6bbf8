"""What is to be done about phone numbers that Siagh refuses because another contact has them (contract siagh §3.2). Pure.

Those that nobody has any more are sent again. Where customers have exchanged their numbers, one of them lets its own go first.
Everybody else keeps the number that Siagh has, and gets the rest of what changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from siaghsync.domain.action import Action
from siaghsync.domain.fields import TABLE, FieldKind
from siaghsync.domain.normalize import ascii_digits, phone_key
from siaghsync.domain.reasons import Operation

PHONES = tuple(row.name for row in TABLE if row.kind is FieldKind.PHONE)
PART, SET_FREE, WITHHELD = "part", "set_free", "withheld"
"""The detail of an action that carries only a part of a change, and what it can be: the old number is given up so that another
contact gets it, or the new one is left out."""
Place = tuple[str, str]
"""A phone field and the key of a number in it."""
Holders = Mapping[Place, set[int]]
"""Where a number stands -> the codes of the contacts that have it there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A write that was refused for the phone numbers in `fields`."""

    action: Action
    fields: tuple[str, ...]

    def wanted(self) -> set[Place]:
        """The numbers that were refused."""
        return {(name, key_of(self.action.payload[name])) for name in self.fields}

    def given_up(self) -> set[Place]:
        """The numbers that the contact has and would not have there any more."""
        return {(name, key_of(self.action.changes[name][0] or "")) for name in _changed_phones(self.action)}


def key_of(phone: str) -> str:
    """What two spellings of a number have in common, or "" for none."""
    return phone_key(phone) or ascii_digits(phone).strip()


def holders_of(refusal: Refusal, holders: Holders) -> dict[Place, set[int]]:
    """Where other contacts have the numbers that were refused, with their codes.

    Whether Siagh compares the two phone fields with each other is not known: the other field counts if nobody has it in the same.
    """
    found: dict[Place, set[int]] = {}
    for name, key in refusal.wanted():
        places = [(name, key), *((other, key) for other in PHONES if other != name)]
        others = ((place, holders.get(place, set()) - {refusal.action.finance_code}) for place in places)
        if first := next(((place, codes) for place, codes in others if codes), None):
            found[first[0]] = first[1]
    return found


def out_of_reach(refusal: Refusal, refusals: Mapping[int, Refusal], holders: Holders) -> set[str]:
    """The fields whose number somebody has who would not give it up, or nobody that the list shows."""
    return {name for name in refusal.fields if not _is_given_up(replace(refusal, fields=(name,)), refusals, holders)}


def _is_given_up(refusal: Refusal, refusals: Mapping[int, Refusal], holders: Holders) -> bool:
    needed = [(place, code) for place, codes in holders_of(refusal, holders).items() for code in codes]
    return bool(needed) and all(code in refusals and place in refusals[code].given_up() for place, code in needed)


def exchanging(refusals: Mapping[int, Refusal], holders: Holders) -> Refusal | None:
    """One of those who wait for each other in a ring, or None. `refusals` are updates by the codes of their contacts."""
    for start in refusals:
        path: list[int] = []
        code: int | None = start
        while code is not None and code not in path:
            path.append(code)
            code = _waits_for(refusals[code], refusals, holders)
        if code is not None:
            return refusals[code]
    return None


def _waits_for(refusal: Refusal, refusals: Mapping[int, Refusal], holders: Holders) -> int | None:
    """The one contact that this one waits for, and that would give its number up; None if that is not all it waits for."""
    needed = holders_of(refusal, holders)
    codes = set().union(*needed.values())
    if len(codes) != 1:
        return None
    (code,) = codes
    return code if code in refusals and needed.keys() <= refusals[code].given_up() else None


def set_free(refusal: Refusal) -> Action:
    """The update that sends everything but leaves the fields of the changed phone numbers empty for now."""
    return _part(refusal.action, dict.fromkeys(_changed_phones(refusal.action), ""), SET_FREE)


def set_at_last(action: Action) -> Action:
    """The update that follows `set_free`: the contact has everything but the phone numbers."""
    changes = {name: ("", action.changes[name][1]) for name in _changed_phones(action)}
    return replace(action, operation=Operation.UPDATE, changes=changes)


def withheld(refusal: Refusal, fields: set[str]) -> Action | None:
    """The update without the numbers in `fields`: the contact keeps those that it has. None if nothing would be left, or if
    Siagh refuses a number that the contact has already."""
    action = refusal.action
    if action.operation is Operation.CREATE or not fields <= set(action.changes):
        return None
    part = _part(action, {name: action.changes[name][0] or "" for name in fields}, WITHHELD)
    return part if part.changes else None


def _part(action: Action, phones: Mapping[str, str], kind: str) -> Action:
    changes = {name: (old, phones.get(name, new)) for name, (old, new) in action.changes.items()}
    return replace(
        action,
        operation=Operation.UPDATE,
        payload={**action.payload, **phones},
        changes={name: (old, new) for name, (old, new) in changes.items() if (old or "") != new},
        details={**action.details, PART: kind},
    )


def _changed_phones(action: Action) -> Iterator[str]:
    return (name for name in PHONES if name in action.changes)
