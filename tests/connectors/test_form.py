"""The form encoding of Siagh: nothing that a value holds can begin another field."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from siaghsync.connectors.siagh.form import PREINVOICE_KEYS, ROW_KEYS, encode_contact, encode_preinvoice, encode_rows
from siaghsync.domain.fields import FIELDS
from siaghsync.domain.normalize import clean

TEXT = st.text(
    st.one_of(
        st.sampled_from("|=\r\n\t\0\x0b\x0c\x1c\x85\u2028\u2029\u200c\u200f \u00a0#.ی١\ud800\udfff"), st.characters()
    )
)


def parsed(encoded: str) -> dict[str, str]:
    """What a server makes of it: lines and bars both begin a new field."""
    pairs = [part.partition("=") for line in encoded.splitlines() for part in line.split("|")]
    assert all(sign == "=" for _, sign, _ in pairs)
    assert len({key for key, _, _ in pairs}) == len(pairs), "a field that is given twice"
    return {key: value for key, _, value in pairs}


def fields_of(keys: Iterable[str]) -> st.SearchStrategy[dict[str, str]]:
    return st.fixed_dictionaries(dict.fromkeys(keys, TEXT))


@pytest.mark.parametrize(
    ("given_", "sent"),
    [
        ("", ""),
        ("  Ali  ", "Ali"),
        ("a  b", "a  b"),
        ("a|b", "a/b"),
        ("a\r\nb", "a b"),
        ("a \t\n b  c", "a b  c"),
        ("a\0b\x85c\u2028d\u2029e\x7ff\x9fg", "a b c d e f g"),
        ("\n|gn_web_users.isactive=0\n", "/gn_web_users.isactive=0"),
        ("نیم\u200cفاصله", "نیم\u200cفاصله"),
        ("\u200fراست\u200e", "\u200fراست\u200e"),
        ("\ud800x\udc00", "\ufffdx\ufffd"),
        ("a=b=c", "a=b=c"),
    ],
)
def test_what_a_value_can_carry(given_: str, sent: str) -> None:
    assert clean(given_) == sent


@given(TEXT)
@example(" \n ")
@example("\x1f\u00a0\n\u00a0")
def test_cleaning_is_complete_and_idempotent(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert "|" not in once
    assert len(once.splitlines()) <= 1
    assert not any(unicodedata.category(mark) in ("Cc", "Cs", "Zl", "Zp") for mark in once)
    assert once == once.strip()
    once.encode()


@given(TEXT.filter(lambda text: not set(text) & set("|") and text.isprintable()))
def test_what_needs_no_cleaning_stays(text: str) -> None:
    assert clean(text) == text.strip()


@given(fields_of(FIELDS), st.none() | st.integers(1, 10**9))
def test_a_contact_carries_exactly_its_fields(fields: dict[str, str], code: int | None) -> None:
    found = parsed(encode_contact(fields, code))
    if code is not None:
        assert found.pop("Param1") == str(code)
    assert found.pop("NickName") == "dbgrid1.#nickname#"
    assert found == {f"gn_web_users.{FIELDS[name].finance_key}": clean(value) for name, value in fields.items()}


@given(fields_of(PREINVOICE_KEYS))
def test_a_preinvoice_carries_exactly_its_fields(header: dict[str, str]) -> None:
    assert parsed(encode_preinvoice(header)) == {f"sl_sanad.{key}": clean(value) for key, value in header.items()}


def test_a_contact_as_documented() -> None:
    fields = dict.fromkeys(FIELDS, "") | {"active": "1", "name": "علی", "kind": "0"}
    start = "NickName=dbgrid1.#nickname#|gn_web_users.isactive=1|gn_web_users.gender=|gn_web_users.websiteaddress=|"
    assert encode_contact(fields, None).startswith(start)
    assert encode_contact(fields, 8407).startswith("Param1=8407|" + start)
    assert encode_contact(fields, None).endswith("|gn_web_users.tmpid=|gn_web_users.tozihat=|gn_web_users.taraftype=0")


def test_a_preinvoice_as_documented() -> None:
    values = ["8", "2", "5", "1404", "2", "5", "", "8388", "1", "31", "...", "پیش فاکتور فروش PI_5"]
    assert encode_preinvoice(dict(zip(PREINVOICE_KEYS, values, strict=True))) == (
        "sl_sanad.hssanadstate=8|sl_sanad.codenoeesanad=2|sl_sanad.codesalemodel=5|sl_sanad.salmali=1404"
        "|sl_sanad.codenoeepardakht=2|sl_sanad.codemarkazforush=5|sl_sanad.codecontact=|sl_sanad.codemoshtari=8388"
        "|sl_sanad.codenoeeforush=1|sl_sanad.codevaseteh=31|sl_sanad.tozihat=..."
        "|sl_sanad.namenoesanad=پیش فاکتور فروش PI_5"
    )


def test_rows_as_documented() -> None:
    row: dict[str, Any] = dict.fromkeys(ROW_KEYS)
    row |= {"__uid": "u1", "_status": "inserted", "codekala": 'a|b"\n', "radif": "1", "nameunit": "عدد"}
    (grid,) = json.loads(encode_rows([row, {**row, "__uid": "u2", "radif": "2"}]))
    assert {key: grid[key] for key in ("name", "entity", "keyField")} == {
        "name": "dbgrid1",
        "entity": "sl_rizsanad",
        "keyField": "coderiz",
    }
    first, second = grid["data"]
    assert first["__uid"] == {"oldValue": "u1", "newValue": "u1"}
    assert first["_status"] == {"oldValue": "inserted", "newValue": "inserted"}
    assert first["codekala"] == {"oldValue": None, "newValue": 'a|b"\n'}, "a product code is never altered"
    assert first["takhfif"] == {"oldValue": None, "newValue": None}
    assert (second["__uid"]["newValue"], second["radif"]["newValue"]) == ("u2", "2")


@pytest.mark.parametrize("change", [lambda fields: fields.pop("number"), lambda fields: fields.update(extra="1")])
def test_a_missing_or_unknown_field_is_our_own_mistake(change: Any) -> None:
    fields = dict.fromkeys(FIELDS, "")
    change(fields)
    with pytest.raises(ValueError, match=r"fields missing or unknown: (number|extra)"):
        encode_contact(fields, None)
    with pytest.raises(ValueError, match="fields missing or unknown"):
        encode_preinvoice({})
    with pytest.raises(ValueError, match="fields missing or unknown"):
        encode_rows([{"codekala": "1"}])


@pytest.mark.parametrize(
    ("amount", "sent"),
    [
        ("1.5", "1.5"),
        ("2860000", "2860000"),
        ("0", "0"),
        ("-0.00", "0"),
        ("0.10", "0.1"),
        ("1E+3", "1000"),
        ("0.1234567890123456789012345", "0.1234567890123456789012345"),
        ("123456789012345678901.25", "123456789012345678901.25"),
    ],
)
def test_amounts_are_json_numbers_with_exactly_their_digits(amount: str, sent: str) -> None:
    row: dict[str, Any] = dict.fromkeys(ROW_KEYS) | {"qty": Decimal(amount)}
    assert f'"qty":{{"oldValue":null,"newValue":{sent}}}' in encode_rows([row])


def test_an_amount_that_is_no_number_is_never_sent() -> None:
    with pytest.raises(ValueError, match="NaN"):
        encode_rows([dict.fromkeys(ROW_KEYS) | {"price": Decimal("NaN")}])
