"""What looks wrong in two systems that can be reached: each misgiving with a stable reason, a sentence and a cure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from siaghsync.domain.customer import ascii_digits
from siaghsync.domain.numbering import NumberScheme
from siaghsync.messages.warnings import WARNINGS

_CLOCK_SECONDS = 300
_FEW = 3
_SHARE_OF_TIMEOUT = 0.5

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the settings and our own clock say. `today` is Jalali, `1404/09/30`, in Tehran; `timeout` is in seconds."""

    scheme: NumberScheme
    person_type: str
    organization_type: str
    category: str
    today: str
    timeout: float


def misgivings(crm: Facts, finance: Facts, expected: Expected) -> list[dict[str, str]]:
    """All warnings, always in the same order: {"system", "reason", "message", "hint"}."""
    found = [*_clocks(crm, finance), *_types(crm, expected), *_nothing(crm, finance), *_numbers(crm, expected)]
    return [*found, *_kinds(finance), *_year(finance, expected), *_list(finance, expected)]


def unchecked(crm: Facts, expected: Expected) -> list[str]:
    """What can't be found out without writing."""
    found = ["whether the CRM's user may create persons and organizations, and Siagh's user may save contacts and "
             "pre-invoices"]  # fmt: skip
    if expected.category and expected.category not in crm.get("categories", ()):
        found.append(
            f"whether the CRM knows the category {expected.category!r} (CRM_CATEGORY): no customer that was looked at has it"
        )
    return found


def _warning(system: Literal["crm", "finance"], reason: str, message: str, hint: str = "") -> dict[str, str]:
    hint = hint or WARNINGS[reason].cure.en
    return {"system": system, "reason": reason, "message": message, "hint": hint}


def _clocks(crm: Facts, finance: Facts) -> Iterator[dict[str, str]]:
    systems: tuple[tuple[Literal["crm", "finance"], str, Facts], ...] = (
        ("crm", "The CRM's", crm),
        ("finance", "Siagh's", finance),
    )
    for system, whose, facts in systems:
        off = facts.get("clock_seconds")
        if off is not None and abs(off) > _CLOCK_SECONDS:
            way = "ahead of" if off > 0 else "behind"
            text = f"{whose} clock is {_span(abs(off))} {way} this computer's."
            yield _warning(system, "clock", text)


def _span(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{round(minutes / 60)} hours"


def _types(crm: Facts, expected: Expected) -> Iterator[dict[str, str]]:
    for kind, setting, code in (
        ("persons", "CRM_PERSON_TYPE", expected.person_type),
        ("organizations", "CRM_ORGANIZATION_TYPE", expected.organization_type),
    ):
        others = crm.get(f"{kind}_of_other_types")
        if others:
            text = f"The CRM shows no {kind} of subtype {code!r}, but {others['total']} of others"
            seen = ", ".join(map(repr, others["types"]))
            cure = WARNINGS["unknown_type"].cure.en.format(setting=setting)
            hint = f"{cure}{f', one of {seen} perhaps' if seen else ''}."
            yield _warning("crm", "unknown_type", f"{text}.", hint)


def _nothing(crm: Facts, finance: Facts) -> Iterator[dict[str, str]]:
    if crm.get("persons") == 0 and crm.get("organizations") == 0 and not _has_others(crm):
        yield _warning("crm", "nothing_to_read", "The CRM shows not a single customer.")
    if "contacts" in finance and finance["contacts"] <= finance["admins"]:
        yield _warning("finance", "nothing_to_read", "Siagh shows not a single customer.")


def _has_others(crm: Facts) -> bool:
    return bool(crm.get("persons_of_other_types") or crm.get("organizations_of_other_types"))


def _numbers(crm: Facts, expected: Expected) -> Iterator[dict[str, str]]:
    numbers: Sequence[str] = crm.get("numbers", ())
    odd = [number for number in numbers if expected.scheme.decode(number) is None]
    if not odd:
        return
    some = ", ".join(odd[:3])
    text = f"{len(odd)} of {len(numbers)} customer numbers that were looked at do not fit CUSTOMER_NUMBER_* ({some})"
    yield _warning("crm", "numbers_do_not_fit", f"{text}; a sync skips such customers.", _guess(odd, expected.scheme))


def _guess(odd: Sequence[str], scheme: NumberScheme) -> str:
    """Settings that would make all of them fit, if they are plain to see."""
    shapes = [re.fullmatch(r"(.*?)([0-9]+)", number) for number in odd]
    if len(odd) < _FEW or not all(shapes):
        return ""
    prefixes = {shape[1] for shape in shapes if shape}
    if len(prefixes) == 1 and (prefix := prefixes.pop()) != scheme.prefix:
        return f"All of these begin with {prefix!r}: set CUSTOMER_NUMBER_PREFIX to it." if prefix else (
            "None of these has a prefix: leave CUSTOMER_NUMBER_PREFIX empty."
        )  # fmt: skip
    widths = {len(shape[2]) for shape in shapes if shape}
    if len(widths) == 1 and all(shape and shape[2].startswith("0") for shape in shapes):
        return f"All of these are filled with zeros: set CUSTOMER_NUMBER_WIDTH to {widths.pop()}."
    return ""


def _kinds(finance: Facts) -> Iterator[dict[str, str]]:
    """TowardType: contract siagh §3.1."""
    if "persons_with_11_digits" not in finance:
        return
    wrong = finance["persons_with_11_digits"] + finance["organizations_with_10_digits"]
    right = finance["persons_with_10_digits"] + finance["organizations_with_11_digits"]
    if wrong >= _FEW and wrong > right:
        text = (
            f"Persons and organizations may be swapped in Siagh (TowardType): {finance['persons_with_11_digits']} persons have "
            f"a legal id of 11 digits, {finance['organizations_with_10_digits']} organizations a national code of 10; only "
            f"{right} contacts have the id of their kind."
        )
        yield _warning("finance", "kinds_swapped", text)


def _year(finance: Facts, expected: Expected) -> Iterator[dict[str, str]]:
    if "fiscal_year" not in finance:
        return
    year, this_year = finance["fiscal_year"], int(expected.today[:4])
    if year != this_year:
        said = f"posts in fiscal year {year}" if year else "does not say in which fiscal year it posts"
        yield _warning("finance", "fiscal_year", f"Siagh {said}, and today is {expected.today}.")
    date = ascii_digits(finance.get("system_date") or "")
    if re.fullmatch(r"\d{4}/\d{2}/\d{2}", date) and date != expected.today:
        yield _warning("finance", "date", f"Siagh's own date is {date}, and today is {expected.today} in Tehran.")


def _list(finance: Facts, expected: Expected) -> Iterator[dict[str, str]]:
    if finance.get("finds_by_code") is False:
        yield _warning("finance", "no_look_up", "Siagh lists a contact, but does not find it by its code.")
    taken = finance.get("list_ms")
    if taken is not None and taken / 1000 > expected.timeout * _SHARE_OF_TIMEOUT:
        yield _warning(
            "finance", "slow_list",
            f"Reading the list took {taken / 1000:.0f} s, and HTTP_TIMEOUT_SECONDS allows {expected.timeout:g} s.",
        )  # fmt: skip
