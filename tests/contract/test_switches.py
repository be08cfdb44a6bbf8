"""The table of switches as a whole: each is tried, each can be set through the control door, and only to what it has."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import requests

from siaghsync.sandbox import Sandbox
from siaghsync.sandbox.switches import CrmSwitches, FinanceSwitches, parsed
from tests.patience import PATIENCE

HERE = Path(__file__).parent
TRIED = "\n".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
SWITCHES = [("crm", each.name) for each in fields(CrmSwitches)] + [
    ("finance", each.name) for each in fields(FinanceSwitches)
]
CLOCKS = {"clock_offset", "date_header"}
"""Those that both worlds have; they are tried together, on `world`."""


@pytest.mark.parametrize(("system", "name"), SWITCHES)
def test_every_switch_is_tried_by_a_test(system: str, name: str) -> None:
    owner = "world" if name in CLOCKS else f"sandbox.{system}"
    assert re.search(rf"\b{re.escape(owner)}\.{name}\b", TRIED)


def door(sandbox: Sandbox, method: str, body: Any = None) -> requests.Response:
    return requests.request(method, f"{sandbox.crm_url}/_sandbox/switches", json=body, timeout=PATIENCE)


def test_every_switch_can_be_set_to_what_the_door_says_of_it(sandbox: Sandbox) -> None:
    shown = door(sandbox, "GET").json()
    assert door(sandbox, "PATCH", shown).status_code == 200
    assert door(sandbox, "GET").json() == shown


@pytest.mark.parametrize(
    ("table", "name", "value", "position"),
    [(CrmSwitches, "page_cap", 7, 7), (CrmSwitches, "latency", 1, 1.0), (CrmSwitches, "missing", ["a"], {"a"}),
     (CrmSwitches, "unknown_id", "null", "null"), (CrmSwitches, "document_date", None, None),
     (CrmSwitches, "document_date", "2026-01-01T00:00:00", "2026-01-01T00:00:00"), (CrmSwitches, "strict", True, True),
     (CrmSwitches, "state_codes", {"pending": 3}, {"pending": 3}), (FinanceSwitches, "products", None, None),
     (FinanceSwitches, "products", ["P"], {"P"}), (FinanceSwitches, "unique_phones", ["TelNo"], ("TelNo",)),
     (FinanceSwitches, "shortens", {"Address": 3}, {"Address": 3})],
)  # fmt: skip
def test_a_value_becomes_a_position(table: Any, name: str, value: Any, position: Any) -> None:
    assert parsed(table, name, value) == position
    assert type(parsed(table, name, value)) is type(position)


@pytest.mark.parametrize(
    ("table", "name", "value"),
    [(CrmSwitches, "page_cap", "7"), (CrmSwitches, "page_cap", True), (CrmSwitches, "latency", "1"),
     (CrmSwitches, "latency", True), (CrmSwitches, "missing", "a"), (CrmSwitches, "unknown_id", "500"),
     (CrmSwitches, "strict", 1), (CrmSwitches, "state_codes", {"pending": "3"}), (FinanceSwitches, "products", [1]),
     (FinanceSwitches, "unique_phones", None), (FinanceSwitches, "account_party", None)],
)  # fmt: skip
def test_another_value_is_none(table: Any, name: str, value: Any) -> None:
    with pytest.raises(TypeError):
        parsed(table, name, value)


def test_a_wrong_position_changes_nothing_at_all(sandbox: Sandbox) -> None:
    wrong = {"crm": {"page_cap": 3, "unknown_id": "500"}}
    assert door(sandbox, "PATCH", wrong).status_code == 400
    assert door(sandbox, "PATCH", {"crm": {"nonsense": 1}}).status_code == 404
    assert sandbox.crm.page_cap == 500
