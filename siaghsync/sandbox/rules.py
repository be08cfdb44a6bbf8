"""What an administrator can forbid in the stand-in CRM: customers that are there already, wrong national codes (§3.5)."""

from __future__ import annotations

from siaghsync.sandbox.shapes import CUSTOMER_KINDS, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.wire import Record

FIELDS = {"email": "email", "name": "nickName", "nationalCode": "nationalCode", "economicCode": "economicCode"}
"""Property by the name that the switch `refuse_doubles` has for it; `phone` stands for all phones."""
_WEIGHTS = range(10, 1, -1)


def broken(world: CrmWorld, kind: Kind, fields: Record) -> tuple[str, str] | None:
    """The field that keeps a customer from being made, and why; None if nothing does."""
    number = fields.get("customerNumber")
    if number and world.refuse_double_number and world.by_number(number):
        return "customerNumber", "this customer number is taken"
    code = fields.get("nationalCode")
    if kind == "person" and code and world.checks_national_codes and not is_national_code(code):
        return "nationalCode", "this national code is wrong"
    for rule in sorted(world.refuse_doubles):
        if _taken(world, rule, fields):
            return FIELDS.get(rule, "phoneContacts"), f"there is a customer with this {rule}"
    return None


def next_number(world: CrmWorld) -> str:
    """The largest customer number given so far, plus one, with its prefix; "1" if there is none."""
    with world.lock:
        given = [
            _split(r["customerNumber"] or "") for kind in CUSTOMER_KINDS for r in world.tables[kind].records.values()
        ]
    number, prefix = max(((int(digits), prefix) for prefix, digits in given if digits), default=(0, ""))
    return f"{prefix}{number + 1}"


def _split(number: str) -> tuple[str, str]:
    """What stands before the digits at a number's end, and these digits."""
    prefix = number.rstrip("0123456789")
    return prefix, number[len(prefix) :]


def is_national_code(code: str) -> bool:
    """Whether ten digits have the right check digit."""
    if len(code) != 10 or not code.isascii() or not code.isdecimal():
        return False
    rest = sum(int(digit) * weight for digit, weight in zip(code, _WEIGHTS, strict=False)) % 11
    return int(code[9]) == (rest if rest < 2 else 11 - rest)


def _taken(world: CrmWorld, rule: str, fields: Record) -> bool:
    wanted = _values(rule, fields)
    with world.lock:
        return any(
            wanted & _values(rule, record) for kind in CUSTOMER_KINDS for record in world.tables[kind].records.values()
        )


def _values(rule: str, fields: Record) -> set[str]:
    if rule == "phone":
        return {phone["phoneNumber"] for phone in fields.get("phoneContacts") or () if phone.get("phoneNumber")}
    value = fields.get(FIELDS[rule])
    return {value} if value else set()
