"""The CRM's addresses, login and pages: plain JSON in, ids and plain JSON out (contract payamgostar)."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from siaghsync.errors import LoginLocked, LoginRefused
from siaghsync.wire.answers import Created, CrmLogin, FindPage, parse_json, read
from siaghsync.wire.login import SharedLogin
from siaghsync.wire.outcomes import in_doubt, is_html, refused, words_of
from siaghsync.wire.transport import Answer, Transport

Source = Literal["person", "organization", "quote", "invoice"]
IdentityKind = Literal["person", "organization"]

_ROOT = "/api/v2/crmobject"
_PATHS: dict[Source, str] = {
    "person": f"{_ROOT}/person",
    "organization": f"{_ROOT}/organization",
    "quote": f"{_ROOT}/quote/sales",
    "invoice": f"{_ROOT}/invoice/sales",
}
_NAMES: dict[Source, tuple[str, str]] = {
    "person": ("a person", "persons"),
    "organization": ("an organization", "organizations"),
    "quote": ("a quote", "quotes"),
    "invoice": ("an invoice", "invoices"),
}
_EQUALS, _AT_LEAST = 0, 2
_TEHRAN = ZoneInfo("Asia/Tehran")
_LOG_IN = "log in"

_REFUSALS = {
    400: (
        "the login was called malformed",
        "Check CRM_USERNAME and CRM_PASSWORD, and that CRM_API_BASE_URL is the CRM's root.",
    ),
    401: ("wrong user name or password", "Check CRM_USERNAME and CRM_PASSWORD."),
    402: (
        "the CRM's licence lacks the MobileApp module, which this interface needs",
        "Ask the vendor of the CRM to add the MobileApp module to the licence.",
    ),
    403: (
        "the account is locked for a while after too many attempts",
        "Wait 30 minutes without any further attempt, which would prolong the lock; then check CRM_PASSWORD.",
    ),
}


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
        transport: Transport,
        username: str,
        password: str,
        *,
        person_type: str = "person",
        organization_type: str = "organization",
    ) -> None:
        self._transport = transport
        self._username = username
        self._password = password
        self._types = {"person": person_type, "organization": organization_type}
        self._login = SharedLogin("crm", self._log_in)
        self._lock = threading.Lock()
        self.server_time: datetime | None = None
        """The server's clock at its first answer, in Tehran local time without offset, as its records' dates are."""
        transport.conceal(password)

    @property
    def sent(self) -> int:
        """HTTP requests that were tried so far, logins and repeats included."""
        return self._transport.sent

    def login(self) -> None:
        """Log in now (contract payamgostar §2). Raises LoginRefused or LoginLocked on a clear no, once for all."""
        self._login.renew()

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
    ) -> Page:
        """One page of full records, by ModifyDate and then CrmId (contract payamgostar §3.2, §4).

        `since` keeps those with that ModifyDate (Tehran local time) or a later one, `number` those with exactly
        that CustomerNumber; `page` counts from 1. `every_type` takes persons and organizations of any subtype.
        """
        queries = []
        if since is not None:
            queries.append(_query("ModifyDate", _AT_LEAST, since))
        if number is not None:
            queries.append(_query("CustomerNumber", _EQUALS, number))
        payload: dict[str, Any] = {
            "queries": queries,
            "orders": [{"field": name, "order": int(descending)} for name in ("ModifyDate", "CrmId")],
            "pageNumber": page,
            "pageSize": size,
        }
        if source in self._types and not every_type:
            payload["typeKey"] = self._types[source]
        what = f"list {_NAMES[source][1]}"
        answer = self._ask(f"{_PATHS[source]}/find", payload, what=what, repeatable=True)
        found = read(FindPage, parse_json(answer.body, "crm", what), "crm", what)
        return Page(found.data, found.total)

    def get(self, source: Source, crm_id: str) -> dict[str, Any] | None:
        """One full record, or None if there is none with this id (contract payamgostar §3.3)."""
        what = f"show {_NAMES[source][0]}"
        answer = self._ask(f"{_PATHS[source]}/get", {"id": crm_id}, what=what, repeatable=True, accept=(404,))
        if answer.status == 404:
            if is_html(answer.body.decode(errors="replace")):
                raise refused("crm", what, "status_404", words_of(answer.body))
            return None
        record = None if answer.status == 204 else parse_json(answer.body, "crm", what)
        if record is not None and not isinstance(record, dict):
            raise in_doubt("crm", what, "unreadable", "something else than an object came")
        return record

    def create(self, kind: IdentityKind, fields: Mapping[str, Any]) -> str:
        """Create one customer and return its crmId (contract payamgostar §3.5). Never repeated after doubt."""
        what = f"create {_NAMES[kind][0]}"
        payload = {**fields, "crmObjectTypeCode": self._types[kind]}
        answer = self._ask(f"{_PATHS[kind]}/create", payload, what=what, repeatable=False)
        created = read(Created, parse_json(answer.body, "crm", what), "crm", what)
        if not created.key:
            words = self._transport.redact(words_of(answer.body))
            raise in_doubt("crm", what, "unreadable", "an answer without the new record's id", detail=words)
        return created.key

    def _ask(
        self, path: str, payload: Mapping[str, Any], *, what: str, repeatable: bool, accept: Collection[int] = ()
    ) -> Answer:
        def ask(token: str) -> Answer:
            headers = {"Authorization": f"Bearer {token}"}
            return self._transport.call(
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
            self._transport.call(
                "POST", "/api/v2/auth/login", payload, what=_LOG_IN, repeatable=True, accept=tuple(_REFUSALS)
            )
        )
        if answer.status in _REFUSALS:
            raise self._refusal(answer)
        token = read(CrmLogin, parse_json(answer.body, "crm", _LOG_IN), "crm", _LOG_IN).accesstoken
        self._transport.conceal(token)
        return token

    def _refusal(self, answer: Answer) -> LoginRefused:
        because, cure = _REFUSALS[answer.status]
        kind = LoginLocked if answer.status == 403 else LoginRefused
        message = f"Payamgostar (CRM) refused the login: {because}."
        words = self._transport.redact(words_of(answer.body))
        return kind("crm", _LOG_IN, f"status_{answer.status}", message, cure, detail=words)

    def _noted(self, answer: Answer) -> Answer:
        with self._lock:
            if self.server_time is None and answer.server_time is not None:
                self.server_time = answer.server_time.astimezone(_TEHRAN).replace(tzinfo=None)
        return answer


def _query(field: str, operator: int, value: str) -> dict[str, Any]:
    return {"logicalOperator": 0, "operator": operator, "field": field, "value": value, "leafNegate": False}
