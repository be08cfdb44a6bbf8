"""The stand-in CRM's endpoints (contract payamgostar §2-§4), strict about every documented shape.

Where the contract is silent: an unknown property in a request is refused with 400, so that a misspelled one is
noticed; a customer needs a name (`nickName`, or a person's `firstName` or `lastName`); `in` and `not in` take
values separated by commas; `update` answers like `create`, `delete` with an empty object; `token/refresh` takes
`{"refreshToken"}` and answers like login.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from siaghsync.sandbox.call import Call, Endpoint, Refusal, Reply, reply
from siaghsync.sandbox.crm_input import BadInput, create_fields, get_id, is_object, page, update_fields
from siaghsync.sandbox.query import BadQuery, conditions, orders, select
from siaghsync.sandbox.shapes import CUSTOMER_KINDS, TEMPLATES, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.wire import Json, Record, encode

ROOT = "/api/v2"
_PATHS: dict[Kind, str] = {
    "person": "person",
    "organization": "organization",
    "quote": "quote/sales",
    "invoice": "invoice/sales",
}
_LOGIN_KEYS = {"username", "password", "deviceId", "platformType", "os", "osVersion", "token"}


def error(status: int, message: str, field: str = "") -> Reply:
    """The CRM's error body (§1)."""
    details = [{"statusCode": 0, "field": field, "message": message}] if field else []
    return reply({"code": 0, "message": message, "errorDetails": details}, status)


class CrmApp:
    """Handlers of all endpoints over one world."""

    def __init__(self, world: CrmWorld) -> None:
        self.world = world

    def routes(self) -> dict[tuple[str, str], Endpoint]:
        """Endpoints by (method, path)."""
        found = {
            "auth/login": Endpoint("login", self.login),
            "auth/token/refresh": Endpoint("token/refresh", self.refresh),
            "crmobject/identity/search": Endpoint("identity/search", self._guarded(self.search)),
        }
        for kind, path in _PATHS.items():
            verbs = {"find": self.find, "get": self.get}
            if kind in CUSTOMER_KINDS:
                verbs |= {"create": self.create, "update": self.update, "delete": self.delete}
            for verb, handler in verbs.items():
                name = f"{path}/{verb}"
                found[f"crmobject/{name}"] = Endpoint(name, self._guarded(partial(handler, kind)))
        return {("POST", f"{ROOT}/{path}"): endpoint for path, endpoint in found.items()}

    def login(self, call: Call) -> Reply:
        """§2: 200 with tokens, 400, 401, 402, 403."""
        body = call.body
        texts = _LOGIN_KEYS - {"platformType"}
        if not is_object(body, _LOGIN_KEYS) or type(body["platformType"]) is not int:
            return error(400, "malformed login")
        if not all(isinstance(body[name], str) for name in texts) or not body["deviceId"]:
            return error(400, "malformed login")
        status = self.world.account.attempt(body["username"], body["password"], self.world)
        messages = {401: "wrong user name or password", 402: "the licence lacks the MobileApp module",
                    403: "the account is locked; try again later"}  # fmt: skip
        return self._tokens() if status == 200 else error(status, messages[status])

    def refresh(self, call: Call) -> Reply:
        """§2: a new pair of tokens for a good refresh token, else 401."""
        if not is_object(call.body, {"refreshToken"}):
            return error(400, "malformed request")
        good = self.world.refresh_tokens.valid(str(call.body["refreshToken"]))
        return self._tokens() if good else error(401, "unknown refresh token")

    def _tokens(self) -> Reply:
        world = self.world
        until = world.now() + timedelta(seconds=world.token_seconds)
        return reply(
            {
                "accessToken": world.tokens.issue(world.token_seconds),
                "refreshToken": world.refresh_tokens.issue(world.token_seconds * 24),
                "expiresAt": f"{until:%Y-%m-%dT%H:%M:%S.%f}5+03:30",
            }
        )

    def _guarded(self, handler: Callable[[Call], Reply]) -> Callable[[Call], Reply]:
        """The handler behind the bearer check; wrong shapes become 400."""

        def guarded(call: Call) -> Reply:
            scheme, _, token = call.authorization.partition(" ")
            if scheme != "Bearer" or not self.world.tokens.valid(token):
                return error(401, "not logged in")
            self.world.settle()
            try:
                return handler(call)
            except (BadInput, BadQuery) as bad:
                return error(400, str(bad), bad.field)

        return guarded

    def search(self, call: Call) -> Reply:
        """§3.1: the light list, pages from 0, in no particular order."""
        number, size = page(call.body, {"pageNumber", "pageSize", "searchTerm"}, {"identityType"}, first=0)
        term, size = call.body["searchTerm"], min(size, self.world.page_cap)
        if not isinstance(term, str):
            raise BadInput("searchTerm", "must be a string")
        wanted = {1: CUSTOMER_KINDS[:1], 2: CUSTOMER_KINDS[1:]}.get(call.body.get("identityType"), CUSTOMER_KINDS)
        with self.world.lock:
            found: list[Record] = []
            for kind in reversed(wanted):
                found += self.world.tables[kind].records.values()
        if term:
            found = [r for r in found if term in (r["nickName"] or "") or term in (r["customerNumber"] or "")]
        rows = found[number * size : (number + 1) * size]
        return reply(
            [
                {"identityId": row["crmId"], "nickName": row["nickName"], "customerNo": row["customerNumber"]}
                for row in rows
            ]
        )

    def find(self, kind: Kind, call: Call) -> Reply:
        """§3.2: full records, pages from 1."""
        number, size = page(call.body, {"pageNumber", "pageSize"}, {"typeKey", "queries", "orders"}, first=1)
        size = min(size, self.world.page_cap)
        sample = {"crmId": "", "creatDate": "", "modifyDate": "", **TEMPLATES[kind]}
        leaves = conditions(call.body.get("queries", []), sample)
        by = orders(call.body.get("orders", []), sample)
        type_code = call.body.get("typeKey") or None
        if not isinstance(type_code, str | None):
            raise BadInput("typeKey", "must be a string")
        if type_code is None and not self.world.empty_type_key_means_all:
            return reply({"data": [], "total": 0})
        with self.world.lock:
            table = self.world.tables[kind]
            ids, total = select(table, type_code, leaves, by, ((number - 1) * size, number * size))
            if kind in CUSTOMER_KINDS or self.world.details_in_find == "full":
                data = ",".join([table.text(crm_id) for crm_id in ids])
                return Reply(f'{{"data":[{data}],"total":{total}}}'.encode("utf-8", "replace"))
            rows = [self._without_details(table.records[crm_id]) for crm_id in ids]
        return reply({"data": rows, "total": total})

    def _without_details(self, record: Record) -> Record:
        if self.world.details_in_find == "null":
            return {**record, "details": None}
        return {name: value for name, value in record.items() if name != "details"}

    def get(self, kind: Kind, call: Call) -> Reply:
        """§3.3: one record, or whatever `unknown_id` says."""
        crm_id = get_id(call.body, {"id"})
        with self.world.lock:
            if crm_id in self.world.tables[kind].records:
                return Reply(self.world.tables[kind].text(crm_id).encode("utf-8", "replace"))
        return self._unknown()

    def _unknown(self) -> Reply:
        return error(404, "no such record") if self.world.unknown_id == "404" else Reply(encode(None))

    def create(self, kind: Kind, call: Call) -> Reply:
        """§3.5: makes a record each time it is called."""
        fields = create_fields(kind, call.body, self.world)
        number = fields.get("customerNumber")
        if number and self.world.refuse_double_number and self.world.by_number(number):
            return error(400, "this customer number is taken", "customerNumber")
        return self._named(call.commit(lambda: self.world.add(kind, fields)))

    def update(self, kind: Kind, call: Call) -> Reply:
        """§3.5: changes the fields that are given; the others by `update_keeps`."""
        crm_id, fields = update_fields(kind, call.body, self.world)
        if crm_id not in self.world.tables[kind].records:
            raise Refusal(self._unknown())
        if not self.world.update_keeps:
            blank: dict[str, Any] = {
                name: value for name, value in TEMPLATES[kind].items() if name not in ("balance", "crmObjectTypeName")
            }
            fields = {**blank, **fields}
        call.commit(lambda: self.world.edit(crm_id, **fields))
        return self._named(crm_id)

    def delete(self, kind: Kind, call: Call) -> Reply:
        """§3.5: takes a record away."""
        crm_id = get_id(call.body, {"id", "option"})
        if crm_id not in self.world.tables[kind].records:
            raise Refusal(self._unknown())
        call.commit(lambda: self.world.delete(crm_id))
        return reply({})

    def _named(self, crm_id: str) -> Reply:
        answer: Json = {self.world.answer_key: crm_id}
        return reply(answer)
