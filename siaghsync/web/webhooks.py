"""Receives the CRM's calls (contract payamgostar §5): checks, stores durably, and only then says 200.

A call carries no data and no signature. All that protects it is a secret in the address, compared in constant time and
never logged; all that it can cause is that one record is read again.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from siaghsync.domain.customer import Kind, fold
from siaghsync.errors import StateError
from siaghsync.state.webhook_queue import Call
from siaghsync.web.desk import Secret
from siaghsync.web.forms import read_form
from siaghsync.web.intake import Full, Intake

_ITEMS = ("identity", "quote", "invoice")
_EVENTS = {"insert": "insert", "update": "update", "delete": "delete", "2": "insert", "1": "update", "0": "delete"}
_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ORGANIZATION = fold("حقوقی")
_RETRY_AFTER = {"Retry-After": "60"}


class BadCall(Exception):
    """The call is not of the contract's shape; the text says why and repeats nothing of it."""


def call_of(item: str, values: Mapping[str, str]) -> Call:
    """What a call tells of. `item` is the address's own word. Raises BadCall."""
    event = _EVENTS.get(values.get("event", "").strip().lower())
    if event is None:
        raise BadCall("event must be Insert, Update or Delete, or 2, 1 or 0")
    if values.get("type", "").strip().lower() != item:
        raise BadCall(f"type must be {item.capitalize()} at this address")
    record = values.get("id", "").strip().strip("{}").lower()
    if not _GUID.fullmatch(record):
        raise BadCall("id must be a GUID")
    if item == "identity":
        return Call(_kind(values.get("subtype", "")), record, event)
    return Call("quote" if item == "quote" else "invoice", record, event)


def _kind(subtype: str) -> Kind:
    """The kind that a subtype's display name tells of; a name that tells of none is taken for a person's, and the run
    looks among the organizations as well before it takes the record for gone."""
    return "organization" if _ORGANIZATION in fold(subtype) else "person"


class Webhooks:
    """The endpoint of all three item types. With `secret` None there is none."""

    def __init__(self, secret: Secret | None, sources: tuple[str, ...], intake: Intake) -> None:
        self._secret = secret
        self._sources = sources
        self._intake = intake

    async def answer(self, request: Request) -> Response:
        """Answers one call: 200 stored, 4xx not a call of the CRM, 503 come again later."""
        item = request.path_params["item"]
        if self._secret is None or item not in _ITEMS:
            return _answer(404, "not found")
        given = request.path_params.get("secret") or request.query_params.get("token") or ""
        if not hmac.compare_digest(given.encode(), self._secret.reveal().encode()):
            return _answer(403, "the secret is missing or wrong")
        form = await read_form(request) if request.method == "POST" else {}
        try:
            call = call_of(item, {**form, **request.query_params})
        except BadCall as error:
            return _answer(400, str(error))
        if item != "identity" and item not in self._sources:
            return _answer(200, "ignored: this kind of document is not synced")
        try:
            await self._intake.keep(call)
        except Full:
            return _answer(503, "too much waits already", _RETRY_AFTER)
        except StateError:
            return _answer(503, "the state file can't take it, or no initial import has completed", _RETRY_AFTER)
        return _answer(200, "stored")


def _answer(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"message": message}, status, headers)
