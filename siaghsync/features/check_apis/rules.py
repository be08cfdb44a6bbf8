"""What looks wrong in two systems that can be reached: each warning with a stable reason, a message and a cure. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from siaghsync.domain.customer import Kind
from siaghsync.domain.normalize import ascii_digits
from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import System
from siaghsync.features.check_apis.diagnose import Failure
from siaghsync.mapping_file import DEFAULT, PLACE_TABLES, MappingFile
from siaghsync.messages import catalog
from siaghsync.messages.message import Message, Param, msg
from siaghsync.state.facts import Fact
from siaghsync.state.far_clocks import far_off


@dataclass(slots=True)
class Findings:
    """What was found out about one system: `facts` as in the JSON of `check-apis`, and what failed."""

    system: System
    facts: dict[str, Any] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.failures


@dataclass(frozen=True, slots=True)
class ApiReport:
    """All that one look at both systems brought."""

    crm: Findings
    finance: Findings
    warnings: Sequence[ConfigWarning]
    unchecked: Sequence[Message]
    facts: Sequence[Fact] = ()
    """One for each open question that anything is known about."""

    @property
    def ok(self) -> bool:
        """Whether both systems work."""
        return self.crm.ok and self.finance.ok


_FEW = 3
_SHARE_OF_TIMEOUT = 0.5

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the settings and our own clock say. `today` is Jalali, `1404/09/30`, in Tehran; `timeout` is in seconds."""

    scheme: NumberScheme
    types: Mapping[Kind, Sequence[str]]
    category: str
    national_code_property: str
    today: str
    timeout: float


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """One thing that looks wrong. `reason` is a stable word; `hint` says what to do where the message's own cure is too
    general."""

    system: System | Literal["state"]
    reason: str
    message: Message
    hint: Message | None = None

    def as_json(self) -> dict[str, Any]:
        """The warning as in the JSON of `check-apis`."""
        hint = catalog.render(self.hint) if self.hint else catalog.cure(self.message)
        return {"system": self.system, "reason": self.reason, "message": catalog.render(self.message), "hint": hint}


def config_warnings(crm: Facts, finance: Facts, expected: Expected) -> list[ConfigWarning]:
    """All warnings, always in the same order."""
    found = [*_clocks(crm, finance), *_types(crm, expected), *_nothing(crm, finance), *_numbers(crm, expected)]
    found += [*_category(crm, expected), *_property(crm, expected)]
    return [*found, *_kinds(finance), *_year(finance, expected), *_list(finance, expected)]


def scheme_warnings(shown: Mapping[str, Any] | None, scheme: NumberScheme) -> Iterator[ConfigWarning]:
    """CUSTOMER_NUMBER_* that are not what most customers of both systems show (the answer `number_scheme`; None: open)."""
    if shown and (shown["prefix"], shown["offset"]) != (scheme.prefix, scheme.offset):
        settings = ", ".join(f"CUSTOMER_NUMBER_{name.upper()}={value}" for name, value in shown.items())
        yield _warning("crm", "number_scheme", settings=settings)


def mapping_warnings(
    file: MappingFile, types: Collection[str] | None, codes: Mapping[str, Collection[str]] | None
) -> Iterator[ConfigWarning]:
    """What the mapping file names and a system does not have. `types` are those of documents, `codes` those of places by field;
    None if they are not known."""
    for code in file.documents:
        if types is not None and code not in (DEFAULT, *types):
            yield _warning("crm", "mapping_type", key=f"documents.{code}", types=", ".join(sorted(types)))
    for table, place in PLACE_TABLES.items():
        for name, code in getattr(file, table).items():
            if codes is not None and code not in codes[place]:
                yield _warning("finance", "mapping_place", key=f"{table}.{name}", code=code)


def reading_warnings(unread: Mapping[str, Message | None]) -> Iterator[ConfigWarning]:
    """What has to be read otherwise, since the CRM has no find for it (`CrmProbes.unread`)."""
    absent = [source for source, why in unread.items() if why]
    if any(source not in ("quote", "invoice") for source in absent):
        yield _warning("crm", "no_find_customers")
    if any(source in ("quote", "invoice") for source in absent):
        yield _warning("crm", "no_find_documents")


def unchecked(crm: Facts, expected: Expected) -> list[Message]:
    """What can't be found out without writing."""
    found = [msg("check.unchecked_rights")]
    if expected.category and expected.category not in crm.get("categories", ()) and "known_categories" not in crm:
        found.append(msg("check.unchecked_category", category=expected.category))
    if expected.national_code_property and not crm.get("extended_properties"):
        found.append(msg("check.unchecked_property", name=expected.national_code_property))
    return found


def _warning(system: System, reason: str, hint: Message | None = None, **params: Param) -> ConfigWarning:
    return ConfigWarning(system, reason, msg(f"warning.{reason}", system=system, **params), hint)


def _clocks(crm: Facts, finance: Facts) -> Iterator[ConfigWarning]:
    systems: tuple[tuple[System, Facts], ...] = (("crm", crm), ("finance", finance))
    for system, facts in systems:
        if told := far_off(system, facts.get("clock_seconds") or 0):
            yield ConfigWarning(system, "clock", told)


def _types(crm: Facts, expected: Expected) -> Iterator[ConfigWarning]:
    for kind, codes in expected.types.items():
        setting, code = f"CRM_{kind.upper()}_TYPE", ", ".join(codes)
        others = crm.get(f"{kind}s_of_other_types")
        if others:
            types = ", ".join(f"'{each}'" for each in others["types"])
            hint = msg("warning.set_type_to_one", setting=setting, types=types) if types else None
            yield _warning("crm", "unknown_type", hint, value=code, total=others["total"], setting=setting)


def _category(crm: Facts, expected: Expected) -> Iterator[ConfigWarning]:
    known, category = crm.get("known_categories"), expected.category
    if category and known is not None and category not in {*known, *crm.get("categories", ())}:
        yield _warning("crm", "unknown_category", category=category, known=", ".join(known) or "-")


def _property(crm: Facts, expected: Expected) -> Iterator[ConfigWarning]:
    """Properties are known only by the customers that have them, so without any it is not checked."""
    known, name = crm.get("extended_properties"), expected.national_code_property
    if name and known and name not in known:
        yield _warning("crm", "mapping_property", name=name, known=", ".join(known))


def _nothing(crm: Facts, finance: Facts) -> Iterator[ConfigWarning]:
    has_others = bool(crm.get("persons_of_other_types") or crm.get("organizations_of_other_types"))
    if crm.get("persons") == 0 and crm.get("organizations") == 0 and not has_others:
        yield _warning("crm", "nothing_to_read")
    if "contacts" in finance and finance["contacts"] <= finance["admins"]:
        yield _warning("finance", "nothing_to_read")


def _numbers(crm: Facts, expected: Expected) -> Iterator[ConfigWarning]:
    numbers: Sequence[str] = crm.get("numbers", ())
    odd = [number for number in numbers if expected.scheme.decode(number) is None]
    if odd:
        hint = _better_setting(odd, expected.scheme)
        counts = {"odd": len(odd), "total": len(numbers)}
        yield _warning("crm", "numbers_do_not_fit", hint, examples=", ".join(odd[:3]), **counts)


def _better_setting(odd: Sequence[str], scheme: NumberScheme) -> Message | None:
    """The setting that would make all of them fit, if it is plain to see."""
    shapes = [re.fullmatch(r"(.*?)([0-9]+)", number) for number in odd]
    if len(odd) < _FEW or not all(shapes):
        return None
    prefixes = {shape[1] for shape in shapes if shape}
    if len(prefixes) == 1 and (prefix := prefixes.pop()) != scheme.prefix:
        return msg("warning.set_prefix", prefix=prefix) if prefix else msg("warning.leave_prefix_empty")
    widths = {len(shape[2]) for shape in shapes if shape}
    if len(widths) == 1 and all(shape and shape[2].startswith("0") for shape in shapes):
        return msg("warning.set_width", width=widths.pop())
    return None


def _kinds(finance: Facts) -> Iterator[ConfigWarning]:
    """TowardType: contract siagh §3.1."""
    if "persons_with_11_digits" not in finance:
        return
    persons, organizations = finance["persons_with_11_digits"], finance["organizations_with_10_digits"]
    wrong = persons + organizations
    right = finance["persons_with_10_digits"] + finance["organizations_with_11_digits"]
    if wrong >= _FEW and wrong > right:
        yield _warning("finance", "kinds_swapped", persons=persons, organizations=organizations, right=right)


def _year(finance: Facts, expected: Expected) -> Iterator[ConfigWarning]:
    if "fiscal_year" not in finance:
        return
    year = finance["fiscal_year"]
    if year is None:
        yield ConfigWarning("finance", "fiscal_year", msg("warning.no_fiscal_year"))
    elif year != int(expected.today[:4]):
        yield _warning("finance", "fiscal_year", year=str(year), today=expected.today)
    date = ascii_digits(finance.get("system_date") or "")
    if re.fullmatch(r"\d{4}/\d{2}/\d{2}", date) and date != expected.today:
        yield _warning("finance", "date", date=date, today=expected.today)


def _list(finance: Facts, expected: Expected) -> Iterator[ConfigWarning]:
    if finance.get("finds_by_code") is False:
        yield _warning("finance", "no_look_up")
    taken = finance.get("list_ms")
    if taken is not None and taken / 1000 > expected.timeout * _SHARE_OF_TIMEOUT:
        yield _warning("finance", "slow_list", seconds=round(taken / 1000), limit=f"{expected.timeout:g}")
