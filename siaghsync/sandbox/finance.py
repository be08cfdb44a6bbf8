"""The stand-in finance system's endpoints (contract siagh).

Where the contract is silent: an unreadable request is answered with 400 and a `Message`, an unknown form is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from siaghsync.sandbox import forms, forms_strict
from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.call import Call, Endpoint, Reply, reply
from siaghsync.sandbox.contact_desk import save_contact
from siaghsync.sandbox.forms import FormError
from siaghsync.sandbox.preinvoice_desk import save_preinvoice
from siaghsync.sandbox.verdicts import refused
from siaghsync.sandbox.wire import Json, Record, pascal, renamed

CONTACTS = "/api/Sgh/GEN/Gn_Web_Users/GetAll"
_PARTS = ("create", "update", "preinvoice")
_PIECE = 500


def error(status: int, message: str) -> Reply:
    """An error below the level of forms."""
    return reply({"Message": message}, status)


def _part(body: Json) -> str:
    """Which use of SaveFormData a request is."""
    if not isinstance(body, dict):
        return ""
    if body.get("formId") == forms.CONTACT_FORM:
        return "update" if forms.code_main(body.get("parameters")) else "create"
    return "preinvoice" if body.get("formId") == forms.PREINVOICE_FORM else ""


class FinanceApp:
    """Handlers of all endpoints over one world."""

    def __init__(self, world: FinanceWorld) -> None:
        self.world = world

    def routes(self) -> dict[tuple[str, str], Endpoint]:
        """Endpoints by (method, path)."""
        contacts = Endpoint("GetAll", self.get_all, lambda body: "filter" if body else "", ("filter",))
        return {
            ("POST", "/GeneralApi/LoginUser"): Endpoint("LoginUser", self.login),
            ("GET", CONTACTS): contacts,
            ("POST", CONTACTS): contacts,
            ("POST", "/BpmsApi/SaveFormData"): Endpoint("SaveFormData", self.save, _part, _PARTS),
        }

    def login(self, call: Call) -> Reply:
        """§2: a session, or 401."""
        world = self.world
        body = renamed(call.body, pascal) if isinstance(call.body, dict) else {}
        if not {"UserName", "Password"} <= body.keys() or (world.strict and len(call.body) != 2):
            return error(400, "The request is invalid.")
        if (body["UserName"], body["Password"]) != (world.user.name, world.user.hash):
            return error(401, "Invalid username or password")
        session = world.sessions.issue(world.session_seconds)
        return reply(
            {
                "ContactCode": 2,
                "ContactName": "مدیر سیستم",
                "UserCode": 1,
                "UserName": world.user.name,
                "SessionId": session,
                "Token": f"{session}:0",
                "BranchCode": 1,
                "BranchName": "دفتر مرکزی",
                "IsAdminUser": True,
                "FiscalYear": world.year(),
                "MobileNo": "9000000002",
                "SystemDate": world.today().strftime("%Y/%m/%d"),
                "SystemTime": world.now().strftime("%H:%M"),
            }
        )

    def _closed(self, call: Call) -> Reply | None:
        if self.world.sessions.valid(call.authorization):
            return None
        return error(401, "Authorization has been denied for this request.")

    def get_all(self, call: Call) -> Reply:
        """§3.1: all contacts as one array, sent in pieces; a POST filters by equality."""
        if closed := self._closed(call):
            return closed
        wanted: Json = call.body if call.method == "POST" else {}
        if not isinstance(wanted, dict):
            return error(400, "The request is invalid.")
        world = self.world
        wanted = {pascal(name) if name != "tmpid" else name: value for name, value in wanted.items()}
        if wanted.keys() - world.filters and world.unknown_filter == "refuse":
            return refused(world, (f"unknown filter {', '.join(sorted(wanted.keys() - world.filters))}", ""))
        filters = {name: value for name, value in wanted.items() if name in world.filters}
        if (code := forms.integer(str(filters.get("Code", "")))) is not None:
            found = [world.contacts[code]] if code in world.contacts else []
            filters["Code"] = code
        else:
            found = world.snapshot()
        if filters:
            found = [c for c in found if all(c[name] == value for name, value in filters.items())]
        return Reply(self._array(found))

    def _array(self, contacts: list[Record]) -> Iterator[bytes]:
        rest, lead = iter(contacts), b"["
        while piece := list(islice(rest, _PIECE)):
            yield lead + b",".join([self.world.shown(contact) for contact in piece])
            lead = b","
        yield b"[]" if lead == b"[" else b"]"

    def save(self, call: Call) -> Reply:
        """§3.2 and §4: a contact or a pre-invoice, or a refusal inside a 200."""
        if closed := self._closed(call):
            return closed
        try:
            if self.world.strict:
                forms_strict.envelope(call.body)
            form = forms.envelope(call.body)
            if form["formId"] == forms.CONTACT_FORM:
                return save_contact(self.world, call, form)
            if form["formId"] == forms.PREINVOICE_FORM:
                return save_preinvoice(self.world, call, form)
        except FormError as problem:
            return refused(self.world, (str(problem), problem.column))
        return refused(self.world, (f"unknown form '{form['formId']}'", "formId"))
