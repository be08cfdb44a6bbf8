"""The control door: what a person at the other end of curl can do with a running sandbox, on either port.

    GET    /_sandbox/counts              records of both systems; requests so far and most at once
    GET    /_sandbox/journal             the requests so far;  DELETE: forget them
    GET    /_sandbox/faults              the faults that are armed;  DELETE: none
    POST   /_sandbox/faults              arm one: {"kind": "reset_after", "where": "crm:person/create", "times": 2}
    GET    /_sandbox/switches            all switches;  PATCH: {"crm": {"page_cap": 50}, "finance": {...}}
    POST   /_sandbox/expire              all tokens and sessions end
    GET    /_sandbox/preinvoices         what has been posted
    GET    /_sandbox/webhooks            whom the CRM calls;  PATCH: {"Identity": "http://...", "Quote": "...", "Invoice": ""}
    POST   /_sandbox/KIND/ID/STEP        a quote or invoice becomes approved, numbered, pending or rejected
    POST   /_sandbox/KIND                add a record; KIND is person, organization, quote, invoice or contact
    GET    /_sandbox/KIND/ID             one record;  PATCH: change fields;  DELETE: take it away

Bodies and answers are JSON with the field names of the wire; a wrong one is answered with 400 and {"error"}, an
unknown id with 404. For example:

    curl -X PATCH http://127.0.0.1:PORT/_sandbox/contact/22 -d '{"MobileNo": "09000000000"}'
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, fields
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router

from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.faults import Fault
from siaghsync.sandbox.gate import Hub
from siaghsync.sandbox.numbering import STEPS
from siaghsync.sandbox.shapes import KINDS
from siaghsync.sandbox.store import CrmWorld
from siaghsync.sandbox.switches import CrmSwitches, FinanceSwitches, parsed
from siaghsync.sandbox.webhooks import TYPES
from siaghsync.sandbox.wire import Json, Record, encode, parse

Handler = Callable[[Request], Awaitable[Json]]


def control(crm: CrmWorld, finance: FinanceWorld, hub: Hub) -> Router:
    """The application behind /_sandbox/, the same on both ports."""
    door = _Door(crm, finance, hub)
    paths: list[tuple[str, str, Handler]] = [
        ("GET", "counts", door.counts),
        ("GET", "journal", door.journal),
        ("DELETE", "journal", door.forget_journal),
        ("GET", "faults", door.faults),
        ("POST", "faults", door.arm),
        ("DELETE", "faults", door.disarm),
        ("GET", "switches", door.switches),
        ("PATCH", "switches", door.switch),
        ("POST", "expire", door.expire),
        ("GET", "preinvoices", door.preinvoices),
        ("GET", "webhooks", door.webhooks),
        ("PATCH", "webhooks", door.call_back),
        ("POST", "{kind}/{id}/{step}", door.advance),
        ("POST", "{kind}", door.add),
        ("GET", "{kind}/{id}", door.show),
        ("PATCH", "{kind}/{id}", door.edit),
        ("DELETE", "{kind}/{id}", door.delete),
    ]
    return Router([Route(f"/_sandbox/{path}", _answered(way), methods=[method]) for method, path, way in paths])


def _answered(handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        try:
            value, status = await handler(request), 200
        except KeyError as unknown:
            value, status = {"error": f"there is no {unknown}"}, 404
        except (TypeError, ValueError, ArithmeticError) as wrong:
            value, status = {"error": str(wrong)}, 400
        return Response(encode(value), status, media_type="application/json")

    return endpoint


async def _object(request: Request) -> Record:
    value = parse(await request.body())
    if not isinstance(value, dict):
        raise TypeError("the body must be a JSON object")
    return value


class _Door:
    def __init__(self, crm: CrmWorld, finance: FinanceWorld, hub: Hub) -> None:
        self.crm, self.finance, self.hub = crm, finance, hub

    async def counts(self, _: Request) -> Json:
        self.crm.settle()
        requests: Record = {"crm": {}, "finance": {}}
        for (system, endpoint), number in self.hub.journal.counts.items():
            requests[system][endpoint] = number
        return {
            "crm": {kind: len(table.records) for kind, table in self.crm.tables.items()},
            "finance": {"contact": len(self.finance.contacts), "preinvoice": len(self.finance.preinvoices)},
            "requests": requests,
            "peak": dict(self.hub.journal.peak),
        }

    async def journal(self, _: Request) -> Json:
        return [entry._asdict() for entry in self.hub.journal.entries]

    async def forget_journal(self, _: Request) -> Json:
        self.hub.journal.reset()
        return {}

    async def faults(self, _: Request) -> Json:
        return [
            {name: str(value) if isinstance(value, bytes) else value for name, value in vars(fault).items()}
            for fault in self.hub.faults.armed
            if fault.match is None
        ]

    async def arm(self, request: Request) -> Json:
        wanted = await _object(request)
        for name in {"match", "used"} & wanted.keys():
            raise TypeError(f"'{name}' can't be set from here")
        if "seconds" in wanted:
            wanted["seconds"] = float(wanted["seconds"])
        if "body" in wanted:
            wanted["body"] = str(wanted["body"]).encode()
        self.hub.faults.arm(Fault(**wanted))
        return {}

    async def disarm(self, _: Request) -> Json:
        self.hub.faults.clear()
        return {}

    async def switches(self, _: Request) -> Json:
        return {"crm": _switches(self.crm, CrmSwitches), "finance": _switches(self.finance, FinanceSwitches)}

    async def switch(self, request: Request) -> Json:
        worlds: dict[str, tuple[CrmSwitches | FinanceSwitches, type[Any]]] = {
            "crm": (self.crm, CrmSwitches),
            "finance": (self.finance, FinanceSwitches),
        }
        changes = await _object(request)
        wanted = [
            (worlds[system][0], name, parsed(worlds[system][1], name, value))
            for system, positions in changes.items()
            for name, value in positions.items()
        ]
        for world, name, position in wanted:
            setattr(world, name, position)
        return await self.switches(request)

    async def expire(self, _: Request) -> Json:
        self.crm.expire_tokens()
        self.finance.expire_sessions()
        return {}

    async def preinvoices(self, _: Request) -> Json:
        return [asdict(posted) for posted in self.finance.preinvoices]

    async def webhooks(self, _: Request) -> Json:
        return self.crm.webhooks.addresses

    async def call_back(self, request: Request) -> Json:
        wanted = await _object(request)
        for name, address in wanted.items():
            if name not in TYPES.values():
                raise KeyError(name)
            if not isinstance(address, str):
                raise TypeError("an address is a string")
        self.crm.webhooks.addresses.update(wanted)
        return {}

    async def advance(self, request: Request) -> Json:
        _, crm_id = self._named(request)
        step = {name: name for name in STEPS}[request.path_params["step"]]
        self.crm.advance(crm_id, step)
        return {}

    async def add(self, request: Request) -> Json:
        kind, wanted = request.path_params["kind"], await _object(request)
        if kind == "contact":
            return {"Code": self.finance.add_contact(**wanted)}
        known = {name: name for name in KINDS}
        return {"crmId": self.crm.add(known[kind], wanted)}

    async def show(self, request: Request) -> Json:
        code, crm_id = self._named(request)
        if code is not None:
            return self.finance.contacts[code]
        self.crm.settle()
        return self.crm.tables[self.crm.kind(crm_id)].records[crm_id]

    async def edit(self, request: Request) -> Json:
        code, crm_id = self._named(request)
        wanted = await _object(request)
        if code is not None:
            self.finance.edit(code, **wanted)
        else:
            self.crm.edit(crm_id, **wanted)
        return {}

    async def delete(self, request: Request) -> Json:
        code, crm_id = self._named(request)
        if code is not None:
            self.finance.delete(code)
        else:
            self.crm.delete(crm_id)
        return {}

    def _named(self, request: Request) -> tuple[int | None, str]:
        """The record that a path names: a contact's code, or a crmId whose kind must be the one in the path."""
        kind, its_id = request.path_params["kind"], str(request.path_params["id"])
        if kind == "contact":
            return int(its_id), ""
        if self.crm.kind(its_id) != kind:
            raise KeyError(its_id)
        return None, its_id


def _switches(world: CrmSwitches | FinanceSwitches, kind: type[Any]) -> Record:
    values = {each.name: getattr(world, each.name) for each in fields(kind)}
    return {name: sorted(v) if isinstance(v, set | tuple) else v for name, v in values.items()}
