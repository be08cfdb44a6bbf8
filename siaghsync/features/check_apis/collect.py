"""Asks both systems who they are and what they hold, without writing anything: the work behind `check-apis`."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlsplit

from siaghsync.connectors.payamgostar.client import Payamgostar, Source, kind_of
from siaghsync.connectors.payamgostar.customers import customer_from_crm
from siaghsync.connectors.siagh.client import Siagh
from siaghsync.connectors.siagh.schema import contact_from_finance
from siaghsync.domain.customer import AccountParties, Contact, Kind
from siaghsync.domain.document import DocumentSource
from siaghsync.domain.fields import PLACES
from siaghsync.domain.normalize import ascii_digits, legal_id_is_valid, national_code_is_valid
from siaghsync.domain.numbering import NumberScheme
from siaghsync.errors import BadRecord, CallError, InDoubt, LoginRefused, Refused, SiaghsyncError, System
from siaghsync.features.check_apis.diagnose import Setup, explain
from siaghsync.features.check_apis.probes import Answer, CrmProbes, NumberPairs
from siaghsync.features.check_apis.rules import Expected, Findings
from siaghsync.messages.calendar import TEHRAN, jalali
from siaghsync.messages.message import Message
from siaghsync.settings import Settings
from siaghsync.sync.finding import any_page, is_absent

T = TypeVar("T")

_KINDS: tuple[Kind, ...] = ("person", "organization")
_SAMPLE = 200
_LISTED = {"categories": ("categories", "key"), "extended_properties": ("extendedproperties", "userkey")}
"""Fact -> a list of the CRM's records, and what is taken of its entries."""
_HASHES_OF_NOTHING = frozenset(
    {
        "D41D8CD98F00B204E9800998ECF8427E",  # of nothing at all
        "68B329DA9893E34099C7D8AD5CB9C940",  # of a line feed
        "81051BCC2CF1BEDF378224B0A93E2877",  # of a carriage return and a line feed
    }
)


@dataclass(slots=True)
class ApiProbe:
    """One look at both systems.

    `now` is the clock (aware UTC), `monotonic` gives seconds for measuring. `refusal` stands for a CRM that must not be
    asked. No method raises a SiaghsyncError: what fails is among the findings.
    """

    settings: Settings
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    refusal: LoginRefused | None = None
    errors: list[SiaghsyncError] = field(default_factory=list)
    """All failures, as they were raised."""
    deep: bool = False
    """Whether the CRM's probes may read whole lists."""
    answers: list[Answer] = field(default_factory=list)
    """What the probes have found about the open questions."""
    session_life_s: float | None = None
    """As `Siagh.session_life_s`."""
    pairs: NumberPairs = field(default_factory=NumberPairs)
    parties: AccountParties = field(default_factory=AccountParties)
    document_types: Collection[str] | None = None
    """Type codes of the CRM's documents; None while they are not known, or nothing is to be compared with them."""
    unread: dict[Source, Message | None] = field(default_factory=dict)
    """As `CrmProbes.unread`."""
    place_codes: dict[str, set[str]] = field(default_factory=lambda: {place: set() for place in PLACES})
    """The codes of places that contacts have, by field."""

    def crm(self, crm: Payamgostar, sources: Sequence[DocumentSource]) -> Findings:
        """Login, a page of the newest customers of each kind, and one of each document that is synced."""
        found = Findings("crm")
        facts = found.facts
        with self._noting(found):
            if self.refusal:
                raise self.refusal
            _, facts["login_ms"] = self._timed(crm.login)
            if crm.server_time:
                here = self.now().astimezone(TEHRAN).replace(tzinfo=None)
                facts["server_time"] = crm.server_time.isoformat(timespec="seconds")
                facts["clock_seconds"] = round((crm.server_time - here).total_seconds())
            facts |= {"numbers": [], "categories": [], "extended_properties": []}
            for kind in _KINDS:
                for source in crm.sources(kind):
                    with self._noting_list(found, source):
                        self._customers(crm, kind, source, facts)
            for document in sources:
                with self._noting_list(found, document):
                    page, facts[f"{document}_ms"] = self._timed(partial(any_page, crm, document, size=1))
                    facts[f"{document}s"] = page.total
            if any(source not in sources for source, why in self.unread.items() if why):
                crm.search(0)  # the only way to read customers then
            self._set_up(crm, facts)
            for answer in CrmProbes(crm, self.now(), sources, self.unread).all(deep=self.deep):
                self.answers.append(answer)
        return found

    def _set_up(self, crm: Payamgostar, facts: dict[str, Any]) -> None:
        """What the CRM has set up of what the settings and the mapping file name. Not every version has these lists."""
        if self.settings.mapping.documents:
            with suppress(Refused, InDoubt):
                self.document_types = crm.types()  # of any kind: that documents have the index 8 or 5 is not sure
        if category := self.settings.crm_category:
            with suppress(Refused, InDoubt):
                facts["known_categories"] = sorted(crm.categories() | crm.categories(category))

    def _customers(self, crm: Payamgostar, kind: Kind, source: Source, facts: dict[str, Any]) -> None:
        newest = partial(any_page, crm, source, size=_SAMPLE, descending=True)
        try:
            page, facts[f"{kind}_ms"] = self._timed(newest)
        except Refused as error:
            if error.reason in ("status_400", "status_404"):
                self._other_types(crm, kind, facts)
            raise
        so_far = facts.get(f"{kind}s", 0)
        facts[f"{kind}s"] = None if None in (page.total, so_far) else page.total + so_far
        for raw in page.records:
            for fact, (name, key) in _LISTED.items():
                facts[fact] = sorted({*facts[fact], *_keys(raw, name, key)})
            with suppress(BadRecord):  # a record that can't be understood is told by the run that needs it
                customer = customer_from_crm(raw, kind, self.settings.mapping.site())
                if customer.number:
                    facts["numbers"].append(customer.number)
                    self.pairs.add(customer)
        if not page.records:
            self._other_types(crm, kind, facts)

    def _other_types(self, crm: Payamgostar, kind: Kind, facts: dict[str, Any]) -> None:
        """Whether there are customers of another subtype than the one in the settings; that this is refused says nothing."""
        try:
            page = any_page(crm, kind, size=_SAMPLE, descending=True, every_type=True)
        except Refused as error:
            self.errors.append(error)
            return
        own: Collection[str] = getattr(self.settings, f"crm_{kind}_type")
        others = [code for raw in page.records if (code := _type_of(raw)) not in own]
        if others:
            types = set(others) - {""}
            total = page.total or len(page.records)
            facts[f"{kind}s_of_other_types"] = {"total": total, "types": sorted(types)[:5]}

    def finance(self, siagh: Siagh) -> Findings:
        """Login, the whole list counted as it streams by, and one look-up by code."""
        found = Findings("finance")
        facts = found.facts
        with self._noting(found):
            session, facts["login_ms"] = self._timed(siagh.login)
            if siagh.server_time:
                facts["clock_seconds"] = round((siagh.server_time - self.now()).total_seconds())
            facts |= {
                "user": session.user_name,
                "branch": f"{session.branch_name} ({session.branch_code})",
                "fiscal_year": session.fiscal_year,
                "system_date": session.system_date,
            }
            (counts, code), facts["list_ms"] = self._timed(lambda: _count_contacts(siagh, self._note))
            facts |= counts
            self.parties.whole = True
            self.answers += self.pairs.answers()
            if code is not None:
                one, facts["contact_ms"] = self._timed(partial(siagh.contact, code))
                facts["finds_by_code"] = one is not None
        self.session_life_s = siagh.session_life_s
        return found

    def _note(self, contact: Contact) -> None:
        self.parties.note(contact)
        self.pairs.compare(contact)
        for place, codes in self.place_codes.items():
            codes.add(ascii_digits(contact.fields[place]).strip())

    def _timed(self, work: Callable[[], T]) -> tuple[T, float]:
        """The result of `work` and how many milliseconds it took."""
        start = self.monotonic()
        result = work()
        return result, (self.monotonic() - start) * 1000

    @contextmanager
    def _noting(self, found: Findings) -> Iterator[None]:
        """Puts a failure among the findings."""
        try:
            yield
        except SiaghsyncError as error:
            self._failed(found, error)

    @contextmanager
    def _noting_list(self, found: Findings, source: Source) -> Iterator[None]:
        """Puts the refusal of a list among the findings; if the CRM has no such address, that is none: it is read otherwise then.
        After anything else, asking the system more would only take time."""
        try:
            yield
        except CallError as error:
            absent = is_absent(error) and f"{kind_of(source)}s_of_other_types" not in found.facts
            self.unread[source] = error.message if absent else None
            if not absent and not isinstance(error, Refused):
                raise
            if not absent:
                self._failed(found, error)

    def _failed(self, found: Findings, error: SiaghsyncError) -> None:
        self.errors.append(error)
        found.failures.append(explain(error, _setup(self.settings, found.system)))


def expected(settings: Settings, now: datetime) -> Expected:
    """What the findings are measured by."""
    return Expected(
        NumberScheme(settings.customer_number_prefix, settings.customer_number_offset, settings.customer_number_width),
        {"person": settings.crm_person_type, "organization": settings.crm_organization_type},
        settings.crm_category,
        settings.mapping.customers.national_code_property,
        jalali(now.astimezone(TEHRAN).date()),
        settings.http_timeout_seconds,
    )


def _setup(settings: Settings, system: System) -> Setup:
    address = settings.crm_api_base_url if system == "crm" else settings.finance_api_base_url
    parts = urlsplit(address)
    return Setup(
        system,
        path=parts.path.rstrip("/"),
        is_https=parts.scheme == "https",
        user_has_arabic_letters=bool(re.search("[يك]", settings.finance_username)),
        is_hash_of_nothing=settings.finance_password.get_secret_value() in _HASHES_OF_NOTHING,
        types=(", ".join(settings.crm_person_type), ", ".join(settings.crm_organization_type)),
    )


def _lower_case(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in raw.items()}


def _type_of(raw: Mapping[str, Any]) -> str:
    return str(_lower_case(raw).get("crmobjecttypecode") or "")


def _keys(raw: Mapping[str, Any], name: str, key: str) -> Iterator[str]:
    """The texts under `key` in the entries of the list `name` of a record; both in lower case."""
    listed = _lower_case(raw).get(name)
    for entry in listed if isinstance(listed, list) else ():
        text = _lower_case(entry).get(key) if isinstance(entry, dict) else None
        if isinstance(text, str) and text:
            yield text


def _count_contacts(siagh: Siagh, note: Callable[[Contact], None]) -> tuple[dict[str, int], int | None]:
    """Counts of contacts, and the code of one of them; the two kinds side by side show whether TowardType means what it
    should."""
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
        note(contact)
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
