"""Asks both systems who they are and what they hold, without writing anything: the work behind `check-apis`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from persiantools.jdatetime import JalaliDate

from siaghsync.connectors.payamgostar.client import Page, Payamgostar
from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.connectors.siagh.contacts import contact_from_finance
from siaghsync.domain.customer import Contact, Kind, ascii_digits
from siaghsync.domain.document import DocumentSource
from siaghsync.domain.numbering import NumberScheme
from siaghsync.domain.validity import legal_id_is_valid, national_code_is_valid
from siaghsync.errors import BadRecord, LoginRefused, Refused, SiaghsyncError, System
from siaghsync.features.check_apis.diagnose import Setup, told
from siaghsync.features.check_apis.warnings import Expected
from siaghsync.settings import Settings
from siaghsync.sync.sync_reading import SOURCES

Timed = Callable[[Callable[[], Any]], tuple[Any, float]]
"""Calls a function and returns (its result, milliseconds)."""

_TEHRAN = ZoneInfo("Asia/Tehran")
_SAMPLE = 200
_HASHES_OF_NOTHING = frozenset(
    {
        "D41D8CD98F00B204E9800998ECF8427E",  # of nothing at all
        "68B329DA9893E34099C7D8AD5CB9C940",  # of a line feed
        "81051BCC2CF1BEDF378224B0A93E2877",  # of a carriage return and a line feed
    }
)


@dataclass(slots=True)
class Checkup:
    """One look at both systems. `now` is the clock (aware UTC); `refusal` stands for a CRM that must not be asked.

    Each check returns what it found: {"system", "ok", "failures", ...facts}. None of them raises.
    """

    settings: Settings
    timed: Timed
    now: Callable[[], datetime]
    refusal: LoginRefused | None = None
    errors: list[SiaghsyncError] = field(default_factory=list)
    """All failures, as they were raised."""

    def crm(self, crm: Payamgostar, sources: Sequence[DocumentSource]) -> dict[str, Any]:
        """Login, a page of the newest customers of each kind, and one of each document that is synced."""
        found = _blank("crm")
        setup = _setup(self.settings, "crm")
        with self._noting(found, setup):
            if self.refusal:
                raise self.refusal
            _, found["login_ms"] = self.timed(crm.login)
            if crm.server_time:
                here = self.now().astimezone(_TEHRAN).replace(tzinfo=None)
                found["server_time"] = crm.server_time.isoformat(timespec="seconds")
                found["clock_seconds"] = round((crm.server_time - here).total_seconds())
            found |= {"numbers": [], "categories": []}
            for kind in SOURCES:
                with self._noting(found, setup, go_on=True):
                    self._customers(crm, kind, found)
            for source in sources:
                with self._noting(found, setup, go_on=True):
                    page, found[f"{source}_ms"] = self.timed(partial(crm.find, source, page=1, size=1))
                    found[f"{source}s"] = page.total
        return _finished(found)

    def _customers(self, crm: Payamgostar, kind: Kind, found: dict[str, Any]) -> None:
        try:
            page, found[f"{kind}_ms"] = self.timed(partial(crm.find, kind, page=1, size=_SAMPLE, descending=True))
        except Refused as error:
            if error.reason in ("status_400", "status_404"):
                self._other_types(crm, kind, found)
            raise
        found[f"{kind}s"] = page.total
        for raw in page.records:
            found["categories"] = sorted({*found["categories"], *_categories(raw)})
            if number := _number(raw, kind):
                found["numbers"].append(number)
        if not page.records:
            self._other_types(crm, kind, found)

    def _other_types(self, crm: Payamgostar, kind: Kind, found: dict[str, Any]) -> None:
        """Whether there are customers of another subtype than the one in the settings."""
        with self._noting({"failures": []}, _setup(self.settings, "crm"), go_on=True):
            page: Page = crm.find(kind, page=1, size=_SAMPLE, descending=True, every_type=True)
            if page.records:
                types = {str(_named(raw).get("crmobjecttypecode") or "") for raw in page.records} - {""}
                total = page.total or len(page.records)
                found[f"{kind}s_of_other_types"] = {"total": total, "types": sorted(types)[:5]}

    def finance(self, siagh: Siagh) -> dict[str, Any]:
        """Login, the whole list counted as it streams by, and one look-up by code."""
        found = _blank("finance")
        with self._noting(found, _setup(self.settings, "finance")):
            session, found["login_ms"] = self.timed(siagh.login)
            if siagh.server_time:
                found["clock_seconds"] = round((siagh.server_time - self.now()).total_seconds())
            found |= {
                "user": session.user_name,
                "branch": f"{session.branch_name} ({session.branch_code})",
                "fiscal_year": session.fiscal_year,
                "system_date": session.system_date,
            }
            (tally, code), found["list_ms"] = self.timed(lambda: _tally(siagh))
            found |= tally
            if code is not None:
                one, found["contact_ms"] = self.timed(lambda: siagh.contact(code))
                found["finds_by_code"] = one is not None
        return _finished(found)

    @contextmanager
    def _noting(self, found: dict[str, Any], setup: Setup, *, go_on: bool = False) -> Iterator[None]:
        """Puts a failure among the findings. With `go_on` only a clear no stays here: after anything else, asking the
        system more would only take time."""
        try:
            yield
        except SiaghsyncError as error:
            if go_on and not isinstance(error, Refused):
                raise
            self.errors.append(error)
            found["failures"].append(told(error, setup))


def expected(settings: Settings, now: datetime) -> Expected:
    """What the findings are measured by."""
    return Expected(
        NumberScheme(settings.customer_number_prefix, settings.customer_number_offset, settings.customer_number_width),
        settings.crm_person_type,
        settings.crm_organization_type,
        settings.crm_category,
        JalaliDate(now.astimezone(_TEHRAN).date()).strftime("%Y/%m/%d"),  # type: ignore[no-untyped-call]
        settings.http_timeout_seconds,
    )


def _blank(system: System) -> dict[str, Any]:
    return {"system": system, "ok": False, "failures": []}


def _finished(found: dict[str, Any]) -> dict[str, Any]:
    found["ok"] = not found["failures"]
    if found["failures"]:
        first = found["failures"][0]
        found["error"] = {name: first[name] for name in ("kind", "message", "hint")}
    return found


def _setup(settings: Settings, system: System) -> Setup:
    address = settings.crm_api_base_url if system == "crm" else settings.finance_api_base_url
    parts = urlsplit(address)
    return Setup(
        system,
        path=parts.path.rstrip("/"),
        is_https=parts.scheme == "https",
        user_has_arabic_letters=bool(re.search("[يك]", settings.finance_username)),
        is_hash_of_nothing=settings.finance_password.get_secret_value() in _HASHES_OF_NOTHING,
        types=(settings.crm_person_type, settings.crm_organization_type),
    )


def _named(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in raw.items()}


def _categories(raw: Mapping[str, Any]) -> Iterator[str]:
    listed = _named(raw).get("categories")
    for category in listed if isinstance(listed, list) else ():
        key = _named(category).get("key") if isinstance(category, dict) else None
        if isinstance(key, str) and key:
            yield key


def _number(raw: Mapping[str, Any], kind: Kind) -> str:
    try:
        return customer_from_crm(raw, kind).number
    except BadRecord:
        return ""  # what can't be understood is told by the run that needs it


def _tally(siagh: Siagh) -> tuple[dict[str, int], int | None]:
    """How the contacts fall, and the code of one of them; the two kinds side by side show whether TowardType means
    what it should."""
    names = (
        "contacts", "admins", "inactive", "persons", "persons_with_national_code", "persons_with_10_digits",
        "persons_with_11_digits", "organizations", "organizations_with_legal_id", "organizations_with_10_digits",
        "organizations_with_11_digits", "not_understood",
    )  # fmt: skip
    count, code = dict.fromkeys(names, 0), None
    for raw in siagh.contacts():
        count["contacts"] += 1
        try:
            contact = contact_from_finance(raw)
        except BadRecord:
            count["not_understood"] += 1
            continue
        if contact.admin:
            count["admins"] += 1
            continue
        code = contact.code
        count["inactive"] += not contact.active
        _count_kind(contact, count)
    return count, code


def _count_kind(contact: Contact, count: dict[str, int]) -> None:
    is_person = contact.kind == "person"
    kind = "persons" if is_person else "organizations"
    count[kind] += 1
    if is_person:
        count["persons_with_national_code"] += national_code_is_valid(contact.national_code)
    else:
        count["organizations_with_legal_id"] += legal_id_is_valid(contact.national_code)
    digits = len(re.sub(r"\D", "", ascii_digits(contact.national_code)))
    if digits in (8, 9, 10, 11):  # spreadsheets lose the zeros in front of a national code
        count[f"{kind}_with_{11 if digits == 11 else 10}_digits"] += 1
