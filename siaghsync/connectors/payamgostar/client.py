"""The CRM's addresses, login and pages: plain JSON in, ids and plain JSON out (contract payamgostar)."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from siaghsync.connectors.http.errors import is_page, unreadable, words_of
from siaghsync.connectors.http.login import SharedLogin
from siaghsync.connectors.http.session import Answer, HttpSession
from siaghsync.connectors.payamgostar.customers import crm_id_of, record_for_create
from siaghsync.connectors.payamgostar.schema import CategoryList, Created, FindPage, Login, SearchPage, TypePage
from siaghsync.connectors.schema import parse_json, read
from siaghsync.domain.action import RecordKind
from siaghsync.domain.customer import Kind
from siaghsync.domain.document import DocumentSource
from siaghsync.errors import CallError, InDoubt, LoginLocked, LoginRefused, Refused
from siaghsync.messages.calendar import TEHRAN
from siaghsync.messages.message import msg

Source = str
"""What is read as one list: `quote`, `invoice`, and each subtype of a kind of customer (`Payamgostar.sources`)."""

_ROOT = "/api/v2/crmobject"
_PATHS: dict[RecordKind, str] = {
    "person": f"{_ROOT}/person",
    "organization": f"{_ROOT}/organization",
    "quote": f"{_ROOT}/quote/sales",
    "invoice": f"{_ROOT}/invoice/sales",
}
_DOCUMENT_INDEXES: dict[DocumentSource, int] = {"quote": 8, "invoice": 5}
_LARGEST_PAGE = 500
_EQUALS, _AT_LEAST = 0, 2
_DELETE_ALONE = 3
_LOG_IN = "log_in"
_LOGIN_REFUSALS = (400, 401, 402, 403)
_LOCKED = 403


def kind_of(source: Source) -> RecordKind:
    """What a source holds: `person` for `person:lead`."""
    return cast(RecordKind, source.partition(":")[0])


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a find: the records as they came, and how many there are in all, if the server says so."""

    records: list[dict[str, Any]]
    total: int | None


class Payamgostar:
    """A client of the CRM, safe to use from many threads. Logs in by itself when it has to.

    Every method can raise CallError: LoginRefused, LoginLocked, NotSent, Refused, InDoubt.
    """

    def __init__(
        self,
        session: HttpSession,
        username: str,
        password: str,
        *,
        person_types: Sequence[str] = ("person",),
        organization_types: Sequence[str] = ("organization",),
    ) -> None:
        self._session = session
        self._username = username
        self._password = password
        self._types: dict[str, Sequence[str]] = {"person": person_types, "organization": organization_types}
        self._login = SharedLogin("crm", self._log_in)
        self._lock = threading.Lock()
        self.server_time: datetime | None = None
        """The server's clock at its first answer, in Tehran local time without offset, as its records' dates are."""
        self.expires_at = ""
        """When the last login ends, as the CRM wrote it: ISO 8601 with an offset, or "" (contract payamgostar §2)."""
        session.conceal(password)

    @property
    def sent(self) -> int:
        """HTTP requests that were tried so far, logins and repeats included."""
        return self._session.sent

    def login(self) -> None:
        """Logs in now (contract payamgostar §2). Raises LoginRefused or LoginLocked on a clear no, once for all."""
        self._login.renew()

    def sources(self, kind: RecordKind) -> tuple[Source, ...]:
        """The lists that hold the records of a kind: of customers one a subtype, called `person`, or `person:lead` if the
        subtype's code is another one than the kind. So a list keeps its name, and its cursor, whatever the settings name first.
        """
        return tuple(kind if code == kind else f"{kind}:{code}" for code in self._types.get(kind, (kind,)))

    def customer_types(self) -> frozenset[str]:
        """The codes of the subtypes that customers have, by the settings."""
        return frozenset(code for codes in self._types.values() for code in codes)

    def find(
        self,
        source: Source,
        *,
        since: str | None = None,
        number: str | None = None,
        page: int = 1,
        size: int = 200,
        descending: bool = False,
        every_type: bool = False,
        steady: bool = False,
        ordered: bool = True,
    ) -> Page:
        """One page of full records, by ModifyDate and then CrmId (contract payamgostar §3.2, §4).

        `since` keeps those with that ModifyDate (Tehran local time) or a later one, `number` those with exactly that
        CustomerNumber, of documents that Number; `page` counts from 1. `every_type` takes persons and organizations of
        any subtype. `steady` orders by CrmId alone, which no edit changes; without `ordered` no order is asked for.
        """
        kind, queries = kind_of(source), []
        if since is not None:
            queries.append(_query("ModifyDate", _AT_LEAST, since))
        if number is not None:
            field = "CustomerNumber" if kind in self._types else "Number"
            queries.append(_query(field, _EQUALS, number))
        order = () if not ordered else ("CrmId",) if steady else ("ModifyDate", "CrmId")
        payload: dict[str, Any] = {
            "queries": queries,
            "orders": [{"field": name, "order": int(descending)} for name in order],
            "pageNumber": page,
            "pageSize": size,
        }
        if not every_type and (type_code := self.type_of_source(source)):
            payload["typeKey"] = type_code
        what = f"list_{kind}s"
        answer = self._ask(f"{_PATHS[kind]}/find", payload, what=what, repeatable=True)
        found = read(FindPage, parse_json(answer.body, "crm", what), "crm", what)
        return Page(found.data, found.total)

    def type_of_source(self, source: Source) -> str | None:
        """The subtype whose records a source holds; None if it holds all, as `quote` does and `quote:PI_5` does not."""
        kind = kind_of(source)
        return source.partition(":")[2] or (kind if kind in self._types else None)

    def search(self, page: int) -> set[str]:
        """The ids of one page of all customers, of either kind (contract payamgostar §3.1); `page` counts from 0."""
        what = "search_customers"
        payload = {"pageNumber": page, "pageSize": _LARGEST_PAGE, "searchTerm": ""}
        answer = self._ask(f"{_ROOT}/identity/search", payload, what=what, repeatable=True)
        found = read(SearchPage, {"rows": parse_json(answer.body, "crm", what)}, "crm", what)
        return {row.identityid.lower() for row in found.rows}

    def get(self, kind: RecordKind, crm_id: str) -> dict[str, Any] | None:
        """One full record, or None if there is none with this id (contract payamgostar §3.3)."""
        what = f"show_{kind}"
        answer = self._ask(f"{_PATHS[kind]}/get", {"id": crm_id}, what=what, repeatable=True, accept=(404,))
        if answer.status == 404:
            if is_page(answer.body):
                raise Refused("crm", what, "status_404", detail=words_of(answer.body), status=404, is_page=True)
            return None
        record = None if answer.status == 204 else parse_json(answer.body, "crm", what)
        if record is not None and not isinstance(record, dict):
            raise unreadable("crm", what, msg("shape.no_record"))
        if record and (crm_id_of(record) or crm_id).lower() != crm_id.lower():
            raise unreadable("crm", what, msg("shape.other_record"))
        return record or None

    def document_types(self, kinds: Iterable[DocumentSource] = ("quote", "invoice")) -> dict[str, str]:
        """The subtypes of these documents that the site has set up: code -> name (contract payamgostar §7)."""
        return {code: name for kind in kinds for code, name in self.types(_DOCUMENT_INDEXES[kind]).items()}

    def types(self, index: int | None = None) -> dict[str, str]:
        """The subtypes that the site has set up: code -> name, of everything or of the kind with this crmObjectTypeIndex
        (contract payamgostar §7)."""
        found: dict[str, str] = {}
        number = 1
        while (page := self._types_on_page(index, number)).keys() - found.keys():
            found, number = {**page, **found}, number + 1
        with suppress(Refused, InDoubt):  # whether its pages count from nought is not known
            found |= self._types_on_page(index, 0)
        return found

    def _types_on_page(self, index: int | None, number: int) -> dict[str, str]:
        what = "list_types"
        payload = {
            "crmOjectTypeIndex": index,  # so spelled
            "code": "",
            "name": "",
            "pageNumber": number,
            "pageSize": _LARGEST_PAGE,
        }
        answer = self._ask(f"{_ROOT}type/search", payload, what=what, repeatable=True)
        page = read(TypePage, {"data": parse_json(answer.body, "crm", what)}, "crm", what)
        return {row.code: row.name for row in page.data if row.code and (index is None or row.index in (None, index))}

    def categories(self, key: str = "") -> set[str]:
        """The keys of the categories that the site has set up, or of those with this key (contract payamgostar §7)."""
        what = "list_categories"
        answer = self._ask("/api/v2/category/search", {"name": "", "key": key}, what=what, repeatable=True)
        page = read(CategoryList, {"data": parse_json(answer.body, "crm", what)}, "crm", what)
        return {row.key for row in page.data if row.key}

    def create(self, kind: Kind, payload: Mapping[str, Any]) -> str:
        """Creates one customer out of `payload` (see `customers.record_for_create`) and returns its crmId.

        Contract payamgostar §3.5. Never repeated after doubt.
        """
        what = f"create_{kind}"
        record = {**record_for_create(payload), "crmObjectTypeCode": self._types[kind][0]}
        answer = self._ask(f"{_PATHS[kind]}/create", record, what=what, repeatable=False)
        created = read(Created, parse_json(answer.body, "crm", what), "crm", what)
        if not created.key:
            words = self._session.redact(words_of(answer.body))
            raise unreadable("crm", what, msg("shape.no_new_id"), detail=words)
        return created.key

    def delete(self, kind: Kind, crm_id: str) -> None:
        """Deletes one customer and nothing that belongs to it (contract payamgostar §3.5); one that is gone already is fine.

        Never repeated after doubt. No server was seen to delete, and some answer an address that they don't have with status
        200, so each is looked up. Raises Refused if it is still there.
        """
        payload = {"id": crm_id, "option": _DELETE_ALONE}
        what = f"delete_{kind}"
        answer = self._ask(f"{_PATHS[kind]}/delete", payload, what=what, repeatable=False, accept=(404,))
        if answer.status == 404 and is_page(answer.body):
            raise Refused("crm", what, "status_404", detail=words_of(answer.body), status=404, is_page=True)
        try:
            left = self.get(kind, crm_id)
        except CallError as error:  # the delete was sent
            raise InDoubt("crm", what, "unseen") from error
        if left is not None:
            raise Refused("crm", what, "still_there")

    def _ask(
        self, path: str, payload: Mapping[str, Any], *, what: str, repeatable: bool, accept: Collection[int] = ()
    ) -> Answer:
        def ask(token: str) -> Answer:
            headers = {"Authorization": f"Bearer {token}"}
            return self._session.call(
                "POST", path, payload, what=what, repeatable=repeatable, headers=headers, accept=accept
            )

        return self._noted(self._login.use(ask))

    def _log_in(self) -> str:
        payload = {
            "username": self._username,
            "password": self._password,
            "deviceId": "SiaghSync-Server",
            "platformType": 1,
            "os": "Linux",
            "osVersion": "1.0",
            "token": "",
        }
        answer = self._noted(
            self._session.call(
                "POST", "/api/v2/auth/login", payload, what=_LOG_IN, repeatable=True, accept=_LOGIN_REFUSALS
            )
        )
        if answer.status in _LOGIN_REFUSALS:
            raise self._refusal(answer)
        login = read(Login, parse_json(answer.body, "crm", _LOG_IN), "crm", _LOG_IN)
        self.expires_at = login.expiresat
        self._session.conceal(login.accesstoken)
        return login.accesstoken

    def _refusal(self, answer: Answer) -> LoginRefused:
        kind = LoginLocked if answer.status == _LOCKED else LoginRefused
        words = self._session.redact(words_of(answer.body))
        reason, code = f"status_{answer.status}", f"login.crm_{answer.status}"
        return kind("crm", _LOG_IN, reason, code=code, detail=words, is_page=is_page(answer.body))

    def _noted(self, answer: Answer) -> Answer:
        with self._lock:
            if self.server_time is None and answer.server_time is not None:
                self.server_time = answer.server_time.astimezone(TEHRAN).replace(tzinfo=None)
        return answer


def _query(field: str, operator: int, value: str) -> dict[str, Any]:
    return {"logicalOperator": 0, "operator": operator, "field": field, "value": value, "leafNegate": False}
