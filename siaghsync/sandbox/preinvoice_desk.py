"""What becomes of a pre-invoice form: it is posted, refused, or the server's own script fails (contract siagh §4, §5).

Where the contract is silent: price and quantity of a row must be above zero; an unknown customer, a wrong year and a
wrong product are refused with a Persian sentence.
"""

from __future__ import annotations

from decimal import Decimal

from siaghsync.sandbox import forms, forms_strict
from siaghsync.sandbox.books import FinanceWorld
from siaghsync.sandbox.call import Call, Reply
from siaghsync.sandbox.forms import FormError
from siaghsync.sandbox.verdicts import saved
from siaghsync.sandbox.wire import Record

SCRIPT_ERROR = (
    "پیامهای سرویس : RUNTIME ERROR\r\nField 'Code' not found when evaluating instruction "
    "Get Field Value\r\nScript: sl_sanad_beforepost"
)
_DIGITS = ("vazn", "hajm", "radif")
"""Cells that hold digits and are sent as strings."""
POSTED = "پیش فاکتور فروش با موفقیت به شماره {number} ثبت گردید"


def save_preinvoice(world: FinanceWorld, call: Call, form: dict[str, str]) -> Reply:
    """Posts a pre-invoice. Raises FormError."""
    if world.strict:
        forms_strict.preinvoice(form)
    read = forms.preinvoice(form)
    if world.dashed_suid == ("refuse" if "-" in read.suid else "demand"):
        raise FormError("شناسه سند درست وارد نشده است", "_In_Suid")
    customer = world.customer(read.values.get("codemoshtari", ""), read.values.get("codecontact", ""))
    failed = _script_fails(world, read.values, customer)
    if failed and not world.script_error_saves:
        raise FormError(SCRIPT_ERROR)
    if not failed:
        _check(world, read.values, customer)
    net = sum((_row_net(world, row, number) for number, row in enumerate(read.rows, start=1)), Decimal(0))
    posted, params = call.commit(lambda: world.post(read, customer, net))
    if failed:
        raise FormError(SCRIPT_ERROR)
    said = POSTED.format(number=posted.number)
    return saved(world, posted.code, params, said, f"خالص سند: {_grouped(_reported(world, read.values, net))}")


def _script_fails(world: FinanceWorld, values: dict[str, str], customer: int | None) -> bool:
    no_centre = not values.get("codemarkazforush") or not values.get("codevaseteh")
    fails = {"centre": no_centre, "customer": customer is None, "always": True}
    return any(fails[why] for why in world.script_errors)


def _check(world: FinanceWorld, values: dict[str, str], customer: int | None) -> None:
    for name in ("codesalemodel", "codemarkazforush", "codenoeeforush", "codevaseteh"):
        if forms.integer(values.get(name) or "0") is None:
            raise FormError("کد درست وارد نشده است", name)
    if world.refuses_other_year and values.get("salmali") != str(world.year()):
        raise FormError("سال مالی درست وارد نشده است", "SalMali")
    if customer is None:
        raise FormError("مشتری درست وارد نشده است", "CodeMoshtari")


def _row_net(world: FinanceWorld, row: Record, number: int) -> Decimal:
    code = row["codekala"]
    if not isinstance(code, str) or not code or (world.products is not None and code not in world.products):
        raise FormError(f"کد کالای ردیف {number} درست وارد نشده است", "CodeKala")
    if world.text_cells == "refuse" and any(isinstance(row.get(cell), str) for cell in _DIGITS):
        raise FormError(f"ردیف {number} درست وارد نشده است", "Radif")
    text_too = world.text_amounts == "read"
    quantity, price = forms.amount(row["qty"], text_too), forms.amount(row["price"], text_too)
    discount = forms.amount(0 if row["mabtakhfif"] is None else row["mabtakhfif"], text_too)
    if price is None or price <= 0:
        raise FormError(f"قیمت ردیف {number} درست وارد نشده است", "Price")
    if quantity is None or quantity <= 0:
        raise FormError(f"تعداد ردیف {number} درست وارد نشده است", "Qty")
    if discount is None or discount < 0:
        raise FormError(f"تخفیف ردیف {number} درست وارد نشده است", "MabTakhfif")
    return (Decimal(int(quantity)) if world.whole_quantities else quantity) * price - discount


def _reported(world: FinanceWorld, values: dict[str, str], net: Decimal) -> Decimal:
    taxed = world.reports_tax_in_net and values.get("codenoeeforush") not in world.untaxed_sale_kinds
    return net * (100 + world.tax_percent) / 100 if taxed else net


def _grouped(value: Decimal) -> str:
    """`5720000` -> `5,720,000`; decimals only where there are some."""
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
