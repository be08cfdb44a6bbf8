"""The stand-in finance system's endpoints (contract siagh), strict about every documented key.

Where the contract is silent: a form that isn't exactly as documented is refused with `ReturnValue` false; the
price of a row must be above zero, its quantity too; an unknown customer, a wrong year, a wrong product and a wrong
document type are refused with a Persian sentence; an unreadable request is answered with 400 and a `Message`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from siaghsync.sandbox import forms
from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.call import Call, Endpoint, Reply, reply
from siaghsync.sandbox.forms import FormError
from siaghsync.sandbox.wire import Json, Record

CONTACTS = "/api/Sgh/GEN/Gn_Web_Users/GetAll"
DOUBLE_PHONE = "شماره تلفن نمی تواند تکراری باشد."
SCRIPT_ERROR = (
    "پیامهای سرویس : RUNTIME ERROR\r\nField 'Code' not found when evaluating instruction "
    "Get Field Value\r\nScript: sl_sanad_beforepost"
)
POSTED = "پیش فاکتور فروش با موفقیت به شماره {number} ثبت گردید"
_FIXED = {"hssanadstate": "8", "codenoeesanad": "2", "codecontact": ""}
_PARTS = ("create", "update", "preinvoice")
_PIECE = 500


def error(status: int, message: str) -> Reply:
    """An error below the level of forms."""
    return reply({"Message": message}, status)


def refused(message: str, column: str = "") -> Reply:
    """A business refusal: HTTP 200, `ReturnValue` false, an entry without ErrorType (§5)."""
    entry = {"ColName": column, "Group": "", "Description": message, "ErrorCode": -1, "MessageText": "",
             "Solution": "", "HelpIndex": ""}  # fmt: skip
    return reply({"Errors": [entry], "ReturnValue": False})


def _part(body: Json) -> str:
    """Which use of SaveFormData a request is."""
    if not isinstance(body, dict):
        return ""
    if body.get("formId") == forms.CONTACT_FORM:
        return "create" if body.get("parameters") == "CodeMain=" else "update"
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
        world, body = self.world, call.body
        if not isinstance(body, dict) or body.keys() != {"UserName", "Password"}:
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
        if wanted.keys() - world.filters and world.unknown_filter == "refuse":
            return refused(f"unknown filter {', '.join(sorted(wanted.keys() - world.filters))}")
        filters = {name: value for name, value in wanted.items() if name in world.filters}
        if isinstance(code := filters.get("Code"), int):
            found = [world.contacts[code]] if code in world.contacts else []
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
            form = forms.envelope(call.body)
            if form["formId"] == forms.CONTACT_FORM:
                return self._save_contact(call, form)
            if form["formId"] == forms.PREINVOICE_FORM:
                return self._save_preinvoice(call, form)
        except FormError as problem:
            return refused(str(problem), problem.column)
        return refused(f"unknown form '{form['formId']}'", "formId")

    def _save_contact(self, call: Call, form: dict[str, str]) -> Reply:
        """Changes the contact whose code stands in both places; anything else makes a new one."""
        world = self.world
        named, values = forms.contact(form)
        known = named if named in world.contacts else None
        fields = forms.properties(values, empty_too=known is None or world.empty_key_empties)
        if world.phone_taken(fields, but=known):
            return refused(DOUBLE_PHONE)

        def change() -> int:
            if known is None:
                return world.add_contact(**fields)
            world.edit(known, **fields)
            return known

        code = str(call.commit(change))
        return reply({"Errors": [], "FinalMessages": [], "ReturnValue": True, "ReturnCode": code, "ReturnParams": code})

    def _save_preinvoice(self, call: Call, form: dict[str, str]) -> Reply:
        fields, suid, rows = forms.preinvoice(form)
        self._check_head(fields)
        net = sum((self._row_net(row, number) for number, row in enumerate(rows, start=1)), Decimal(0))
        posted, params = call.commit(lambda: self.world.post(fields, suid, rows, net))
        shown = net * (100 + self.world.tax_percent) / 100 if self.world.reports_tax_in_net else net
        message = POSTED.format(number=posted.number)
        entry = {"ColName": "", "Group": "", "ErrorType": "ErrSuccs",
                 "Description": f"{message} خالص سند: {_grouped(shown)}", "ErrorCode": 0, "MessageText": "",
                 "Solution": "", "HelpIndex": ""}  # fmt: skip
        return reply(
            {
                "Errors": [entry],
                "FinalMessages": [message],
                "ReturnValue": True,
                "ReturnCode": posted.code,
                "ReturnParams": params,
            }
        )

    def _check_head(self, fields: dict[str, str]) -> None:
        for name, value in _FIXED.items():
            if fields[name] != value:
                raise FormError("نوع سند درست وارد نشده است", name)
        if not fields["codemarkazforush"] or not fields["codevaseteh"]:
            raise FormError(SCRIPT_ERROR)
        for name in ("codesalemodel", "codemarkazforush", "codenoeeforush", "codevaseteh"):
            if forms.integer(fields[name]) is None:
                raise FormError("کد درست وارد نشده است", name)
        if fields["codenoeepardakht"] not in ("1", "2"):
            raise FormError("نوع پرداخت درست وارد نشده است", "codenoeepardakht")
        if not fields["namenoesanad"].startswith("پیش فاکتور فروش"):
            raise FormError("نام نوع سند درست وارد نشده است", "namenoesanad")
        if fields["salmali"] != str(self.world.year()):
            raise FormError("سال مالی درست وارد نشده است", "SalMali")
        customer = fields["codemoshtari"]
        if forms.integer(customer) not in self.world.contacts:
            raise FormError("مشتری درست وارد نشده است", "CodeMoshtari")

    def _row_net(self, row: Record, number: int) -> Decimal:
        code = row["codekala"]
        known = self.world.products is None or code in self.world.products
        if not isinstance(code, str) or not code or not known:
            raise FormError(f"کد کالای ردیف {number} درست وارد نشده است", "CodeKala")
        quantity, price, discount = (forms.amount(row[name]) for name in ("qty", "price", "mabtakhfif"))
        if price is None or price <= 0:
            raise FormError(f"قیمت ردیف {number} درست وارد نشده است", "Price")
        if quantity is None or quantity <= 0:
            raise FormError(f"تعداد ردیف {number} درست وارد نشده است", "Qty")
        if discount is None or discount < 0:
            raise FormError(f"تخفیف ردیف {number} درست وارد نشده است", "MabTakhfif")
        return quantity * price - discount


def _grouped(value: Decimal) -> str:
    """`5720000` -> `5,720,000`; decimals only where there are some."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
