"""Every message that the connectors can raise or note has its sentence, and its cure, in both languages."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

import siaghsync
from siaghsync.domain.action import RecordKind
from siaghsync.messages import catalog

PACKAGE = Path(siaghsync.__file__).parent
CONNECTORS = PACKAGE / "connectors"
PATHS = [*CONNECTORS.rglob("*.py"), PACKAGE / "domain" / "customer.py", PACKAGE / "sync" / "outcomes.py"]
SOURCES = {path: path.read_text("utf-8") for path in PATHS}
OWN = {"bad_record", "login", "shape", "value_note"}
FIXED_REQUESTS = {
    "search_customers",
    "list_types", "list_categories",
    "log_in", "create_person", "create_organization", "list_contacts", "show_contact", "create_contact", "update_contact",
    "post_preinvoice", "delete_person", "delete_organization",
}  # fmt: skip


def codes_in_the_code() -> set[str]:
    found = {code for text in SOURCES.values() for code in re.findall(rf'"((?:{"|".join(OWN)})\.\w+)"', text)}
    return found | {f"login.crm_{status}" for status in (400, 401, 402, 403)}


def codes_in_the_catalog() -> set[str]:
    return {f"{chapter}.{name}" for chapter in OWN for name in catalog.chapter(chapter)}


def test_the_catalog_holds_exactly_what_the_code_uses() -> None:
    assert codes_in_the_code() == codes_in_the_catalog()


def test_every_request_has_a_name() -> None:
    by_source = {code for kind in get_args(RecordKind) for code in (f"list_{kind}s", f"show_{kind}")}
    assert set(catalog.chapter("request")) == by_source | FIXED_REQUESTS


@pytest.mark.parametrize("code", sorted(code for code in codes_in_the_catalog() if code.startswith(("bad_", "login."))))
def test_errors_say_what_to_do(code: str) -> None:
    entry = catalog.find(code)
    assert entry is not None
    assert set(entry.cure) == {"en", "fa"}


def test_every_kind_of_value_has_a_name() -> None:
    source = SOURCES[CONNECTORS / "schema.py"] + SOURCES[CONNECTORS / "payamgostar" / "schema.py"]
    used = set(re.findall(r'wrong\("(\w+)"\)', source)) | set(re.findall(r': "(\w+)",$', source, re.MULTILINE))
    used |= set(re.findall(r'return "(\w+)"', source)) | {
        "boolean",
        "text",
        "list",
        "object",
        "null",
        "number",
        "empty",
    }
    assert len(used) > 12
    assert used - {"value"} <= set(catalog.chapter("json_kind"))
