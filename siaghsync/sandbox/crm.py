"""The stand-in CRM's endpoints (contract payamgostar §2-§4, §7).

Where the contract is silent: `in` and `not in` take values separated by commas; `update` answers like `create`,
`delete` and the steps of a document with an empty object; `token/refresh` takes `{"refreshToken"}` and answers like
login.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from siaghsync.sandbox import catalogue, crm_strict, finding, rules
from siaghsync.sandbox.call import Call, Endpoint, Handler, Refusal, Reply, reply
from siaghsync.sandbox.crm_input import NOT_WRITABLE, BadInput, guid, page, properties, writable
from siaghsync.sandbox.numbering import STEPS, Step
from siaghsync.sandbox.shapes import CUSTOMER_KINDS, TEMPLATES, Kind
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.wire import Json, Record, encode

ROOT = "/api/v2"
NOTHING = "00000000-0000-0000-0000-000000000000"
"""The id that says that nothing was made (§3.5)."""
_PATHS: dict[Kind, str] = {
    "person": "person",
    "organization": "organization",
    "quote": "quote/sales",
    "invoice": "invoice/sales",
}


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
        handlers: dict[str, tuple[str, Handler]] = {
            "login": ("auth/login", self._read(self.login)),
            "token/refresh": ("auth/token/refresh", self._read(self.refresh)),
            "identity/search": ("crmobject/identity/search", self._guarded(self.search)),
            "crmobjecttype/search": ("crmobjecttype/search", self._guarded(self.types)),
            "category/search": ("category/search", self._guarded(self.categories)),
        }
        for kind, path in _PATHS.items():
            verbs = {"find": self.find, "get": self.get}
            if kind in CUSTOMER_KINDS:
                verbs |= {"create": self.create, "update": self.update, "delete": self.delete}
            else:
                verbs |= {f"make-{step}": partial(self.advance, step) for step in STEPS}
            for verb, handler in verbs.items():
                handlers[f"{path}/{verb}"] = (f"crmobject/{path}/{verb}", self._guarded(partial(handler, kind)))
        return {
            ("POST", f"{ROOT}/{path}"): Endpoint(name, self._there(name, handler))
            for name, (path, handler) in handlers.items()
        }

    def nowhere(self) -> Reply:
        """What an address that doesn't exist answers (§1)."""
        return Reply(b"") if self.world.unknown_address == "empty" else error(404, "no such address")

    def _there(self, name: str, handler: Handler) -> Handler:
        """The handler, unless this version of the CRM doesn't have it."""
        return lambda call: self.nowhere() if name in self.world.missing else handler(call)

    def _read(self, handler: Callable[[Call, Record], Reply]) -> Handler:
        """A handler that is given the body's properties; wrong shapes become 400."""

        def reading(call: Call) -> Reply:
            try:
                return handler(call, properties(call.body))
            except BadInput as bad:
                return error(400, str(bad), bad.field)

        return reading

    def _guarded(self, handler: Callable[[Call, Record], Reply]) -> Handler:
        """The same behind the bearer check."""
        reading = self._read(handler)

        def guarded(call: Call) -> Reply:
            scheme, _, token = call.authorization.partition(" ")
            if scheme != "Bearer" or not self.world.tokens.valid(token):
                return error(401, "not logged in")
            self.world.settle()
            return reading(call)

        return guarded

    def login(self, call: Call, body: Record) -> Reply:
        """§2: 200 with tokens, 400, 401, 402, 403."""
        if self.world.strict:
            crm_strict.exactly(call.body, crm_strict.LOGIN)
        named = [body.get(name) for name in ("username", "password", "deviceId")]
        if type(body.get("platformType")) is not int or not all(isinstance(each, str) and each for each in named):
            return error(400, "malformed login")
        status = self.world.account.attempt(body["username"], body["password"], self.world)
        messages = {401: "wrong user name or password", 402: "the licence lacks the MobileApp module",
                    403: "the account is locked; try again later"}  # fmt: skip
        return self._tokens() if status == 200 else error(status, messages[status])

    def refresh(self, _: Call, body: Record) -> Reply:
        """§2: a new pair of tokens for a good refresh token, else 401."""
        good = self.world.refresh_tokens.valid(str(body.get("refreshToken")))
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

    def search(self, call: Call, body: Record) -> Reply:
        """§3.1: the light list, pages from 0, in no particular order."""
        if self.world.strict:
            crm_strict.search(call.body)
        number, size = page(body, 0, self.world.page_cap)
        by_type = CUSTOMER_KINDS if self.world.identity_types.startswith("person") else CUSTOMER_KINDS[::-1]
        wanted = {1: by_type[:1], 2: by_type[1:]}.get(body.get("identityType") or 0, CUSTOMER_KINDS)
        with self.world.lock:
            found: list[Record] = []
            for kind in reversed(wanted):
                found += self.world.tables[kind].records.values()
        if term := str(body.get("searchTerm") or ""):
            found = [r for r in found if term in (r["nickName"] or "") or term in (r["customerNumber"] or "")]
        rows = found[number * size : (number + 1) * size]
        return reply(
            [{"identityId": r["crmId"], "nickName": r["nickName"], "customerNo": self._light(r)} for r in rows]
        )

    def _light(self, record: Record) -> str | None:
        numbers: dict[str, str | None] = {"shown": record["customerNumber"], "empty": "", "null": None}
        return numbers[self.world.search_number]

    def types(self, _: Call, body: Record) -> Reply:
        """§7: the item types."""
        return reply(catalogue.types(self.world, body))

    def categories(self, _: Call, body: Record) -> Reply:
        """§7: the categories."""
        return reply(catalogue.categories(self.world, body))

    def find(self, kind: Kind, call: Call, body: Record) -> Reply:
        """§3.2: full records, pages from 1."""
        if self.world.strict:
            crm_strict.find(kind, call.body)
        return finding.found(self.world, kind, body)

    def get(self, kind: Kind, call: Call, body: Record) -> Reply:
        """§3.3: one record, or whatever `unknown_id` says."""
        if self.world.strict:
            crm_strict.get(call.body)
        crm_id = guid(body, "id")
        with self.world.lock:
            table = self.world.tables[kind]
            if crm_id in table.records and crm_id not in self.world.unshown:
                return Reply(finding.text(self.world, kind, table, crm_id))
        return self._unknown()

    def _unknown(self) -> Reply:
        bodies = {"null": encode(None), "object": encode({}), "empty": b""}
        said = self.world.unknown_id
        return Reply(bodies[said]) if said in bodies else error(int(said), "no such record")

    def _known(self, kind: Kind, crm_id: str) -> str:
        if crm_id not in self.world.tables[kind].records:
            raise Refusal(self._unknown())
        return crm_id

    def create(self, kind: Kind, call: Call, body: Record) -> Reply:
        """§3.5: makes a record each time it is called."""
        if self.world.strict:
            crm_strict.create(kind, call.body)
        fields = {name: value for name, value in writable(kind, body, self.world).items() if value is not None}
        if broken := rules.broken(self.world, kind, fields):
            return error(400, broken[1], broken[0])
        if self.world.automatic_numbers and not fields.get("customerNumber"):
            fields["customerNumber"] = rules.next_number(self.world)
        if self.world.creates_nothing:
            return self._named(NOTHING)
        return self._named(call.commit(lambda: self.world.add(kind, fields)))

    def update(self, kind: Kind, call: Call, body: Record) -> Reply:
        """§3.5: changes the fields that are given; the others by `update_keeps`."""
        if self.world.strict:
            crm_strict.update(kind, call.body)
        crm_id = self._known(kind, guid(body, "crmId"))
        fields = writable(kind, body, self.world)
        if not self.world.update_keeps:
            blank: dict[str, Any] = {n: v for n, v in TEMPLATES[kind].items() if n not in NOT_WRITABLE}
            fields = {**blank, **fields}
        call.commit(lambda: self.world.edit(crm_id, **fields))
        return self._named(crm_id)

    def delete(self, kind: Kind, call: Call, body: Record) -> Reply:
        """§3.5: takes a record away."""
        if self.world.strict:
            crm_strict.delete(call.body)
        crm_id = self._known(kind, guid(body, "id"))
        if self.world.deletes == "refuse":
            raise BadInput("option", "is not supported")
        if self.world.deletes == "yes":
            call.commit(lambda: self.world.delete(crm_id))
        return reply({})

    def advance(self, step: Step, kind: Kind, call: Call, body: Record) -> Reply:
        """§4: approves or numbers a document, rejects it, or makes it pending again."""
        crm_id = self._known(kind, guid(body, "id"))
        call.commit(lambda: self.world.advance(crm_id, step))
        return reply({})

    def _named(self, crm_id: str) -> Reply:
        answer: Json = {self.world.answer_key: crm_id}
        return reply(answer)
