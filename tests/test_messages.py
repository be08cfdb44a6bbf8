"""Every message that the program can tell has its entry in the catalog, in both languages, with the same places."""

from __future__ import annotations

import ast
import string
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import siaghsync
from siaghsync.messages import catalog
from siaghsync.messages.catalog import Entry

PACKAGE = Path(siaghsync.__file__).parent
CODES = [f"{chapter}.{key}" for chapter in catalog.chapters() for key in catalog.chapter(chapter)]
TOLD_BY = {"msg", "UsageError", "SettingsError", "StateError", "BrakeError", "LockHeld", "BadRecord"}
"""What makes a message out of a code that is its first argument."""
CALL_ERRORS = {"NotSent", "Refused", "InDoubt", "LoginLocked"}


def _places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _texts(entry: Entry) -> Iterator[Mapping[str, str]]:
    yield from (text for text in (entry.text, entry.title, entry.cure, *entry.causes) if text)


def _calls() -> Iterator[tuple[str, str, set[str] | None]]:
    """(where, code, names of the parameters or None if they can't be read) of each message with a literal code."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(call, ast.Call):
                continue
            name = ast.unparse(call.func).rpartition(".")[2]
            if name not in TOLD_BY:
                continue
            if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str):
                given = {keyword.arg for keyword in call.keywords}
                where = f"{path.relative_to(PACKAGE)}:{call.lineno}"
                yield where, call.args[0].value, None if None in given else {arg for arg in given if arg}


@pytest.mark.parametrize("code", CODES)
def test_both_languages_have_the_same_places(code: str) -> None:
    entry = catalog.find(code)
    assert entry is not None
    for text in _texts(entry):
        assert text["en"].strip(), f"{code} has an empty English text"
        assert text["fa"].strip(), f"{code} has an empty Persian text"
        assert _places(text["en"]) == _places(text["fa"]), code


def test_every_message_has_its_entry_and_all_that_fills_it() -> None:
    wrong = []
    for where, code, given in _calls():
        entry = catalog.find(code) if "." in code else None
        if entry is None:
            wrong.append(f"{where}: {code} is not in the catalog")
        elif given is not None:
            needed = set().union(*(_places(text["en"]) for text in _texts(entry)))
            if missing := needed - given:
                wrong.append(f"{where}: {code} is not given {', '.join(sorted(missing))}")
    assert not wrong, "\n".join(wrong)


def _reasons_of_calls() -> Iterator[str]:
    """The reasons of errors about requests that are given as literals or constants."""
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            target.id: node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or ast.unparse(call.func) not in CALL_ERRORS:
                continue
            if len(call.args) > 2:
                reason = call.args[2]
                value = constants.get(reason.id) if isinstance(reason, ast.Name) else getattr(reason, "value", None)
                if isinstance(value, str):
                    yield value


def test_every_reason_of_a_request_has_its_entry() -> None:
    reasons = set(_reasons_of_calls())
    assert len(reasons) > 3
    assert [reason for reason in sorted(reasons) if catalog.find(f"call.{reason}") is None] == []


def test_every_chapter_is_used() -> None:
    readers = [*PACKAGE.rglob("*.py"), PACKAGE.parent / "docs" / "generate.py"]
    source = "".join(path.read_text("utf-8") for path in readers)
    texts = "".join(text["en"] for code in CODES if (entry := catalog.find(code)) for text in _texts(entry))
    unused = [
        c for c in catalog.chapters() if f'"{c}.' not in source and f":{c}}}" not in texts and f'"{c}"' not in source
    ]
    assert not unused
