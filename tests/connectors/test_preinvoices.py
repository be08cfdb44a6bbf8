"""The payload of a document becomes the form of a pre-invoice (contract siagh section 4)."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.connectors.siagh.form import PREINVOICE_KEYS, ROW_KEYS, encode_preinvoice, encode_rows, preinvoice_form
from siaghsync.domain.document import plain
from siaghsync.sandbox import forms

SUID = "11132DE8-0DAE-572A-A389-735413FC2F7E"


def row(**changes: str) -> dict[str, str]:
    return {
        "product_code": "Product-1", "unit": "قطعه", "quantity": "1.5", "unit_price": "100000", "discount": "0", **changes,
    }  # fmt: skip


def payload(*rows: dict[str, str], **changes: Any) -> dict[str, Any]:
    return {
        "customer_code": 255, "sale_model": 5, "sales_centre": 6, "payment_type": 2, "sale_kind": 1, "intermediary": 31,
        "fiscal_year": 1404, "type_code": "PI_5", "notes": "موضوع [CRM 100-1404/15]", "suid": SUID,
        "rows": list(rows) or [row()], **changes,
    }  # fmt: skip


def test_the_header_as_documented() -> None:
    assert encode_preinvoice(preinvoice_form(payload()).header) == (
        "sl_sanad.hssanadstate=8|sl_sanad.codenoeesanad=2|sl_sanad.codesalemodel=5|sl_sanad.salmali=1404"
        "|sl_sanad.codenoeepardakht=2|sl_sanad.codemarkazforush=6|sl_sanad.codecontact=|sl_sanad.codemoshtari=255"
        "|sl_sanad.codenoeeforush=1|sl_sanad.codevaseteh=31|sl_sanad.tozihat=موضوع [CRM 100-1404/15]"
        "|sl_sanad.namenoesanad=پیش فاکتور فروش PI_5"
    )


def test_the_rows_as_documented() -> None:
    first, second = preinvoice_form(payload(row(), row(quantity="2", discount="500"))).rows
    assert list(first) == list(ROW_KEYS)
    assert (first["codekala"], first["nameunit"], first["radif"], first["_status"]) == (
        "Product-1",
        "قطعه",
        "1",
        "inserted",
    )
    amounts = [first[key] for key in ("qty", "finalqty", "price", "mabtakhfif")]
    assert amounts == [Decimal("1.5"), Decimal("1.5"), Decimal(100000), Decimal(0)]
    assert all(isinstance(amount, Decimal) for amount in amounts)
    assert (second["qty"], second["mabtakhfif"], second["radif"]) == (2, 500, "2")
    fixed = [second[key] for key in ("vazn", "hajm", "takhfif", "sumamelinc", "sumameldec")]
    assert fixed == ["0", "0", None, None, None]


@pytest.mark.parametrize("spelling", [SUID, SUID.lower(), SUID.replace("-", ""), f"{{{SUID}}}"])
def test_the_suid_has_32_upper_case_hex_digits_however_it_was_spelled(spelling: str) -> None:
    assert preinvoice_form(payload(suid=spelling)).suid == "11132DE80DAE572AA389735413FC2F7E"


@given(st.uuids(), st.integers(1, 300))
def test_row_ids_have_8_hex_digits_and_are_all_different(suid: uuid.UUID, count: int) -> None:
    once, again = (
        [cells["__uid"] for cells in preinvoice_form(payload(*[row()] * count, suid=str(suid))).rows] for _ in range(2)
    )
    assert once == again
    assert len(set(once)) == count
    assert all(re.fullmatch("[0-9A-F]{8}", str(uid)) for uid in once)


@pytest.mark.parametrize(
    "broken",
    [
        payload(suid="S"),
        payload(row(quantity="two")),
        payload(row(unit_price="")),
        {key: value for key, value in payload().items() if key != "rows"},
    ],
)
def test_a_payload_that_is_not_one_is_our_own_mistake(broken: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        preinvoice_form(broken)


@given(st.lists(st.decimals("0.0001", 10**18, places=4), min_size=1, max_size=5), st.text(min_size=1, max_size=20))
def test_the_sandbox_reads_every_amount_as_it_was(quantities: list[Decimal], unit: str) -> None:
    form = preinvoice_form(payload(*[row(quantity=plain(number), unit=unit) for number in quantities]))
    read = forms.preinvoice(
        {
            "ctrlValues": encode_preinvoice(form.header),
            "parameters": f"_In_EditKeys=|_In_Suid={form.suid}|nocheck=",
            "dataRows": encode_rows(form.rows),
        }
    )
    assert list(read.values) == list(PREINVOICE_KEYS)
    assert read.suid == form.suid
    assert [cells["qty"] for cells in read.rows] == quantities
    assert [cells["nameunit"] for cells in read.rows] == [unit] * len(read.rows)
