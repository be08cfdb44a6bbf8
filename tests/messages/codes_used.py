"""Finds in the source every message code that the program uses, and the parameters that are given with it.

A code is a text `CHAPTER.NAME` whose chapter is in the catalog. A code that is made of parts is a pattern: f"outcome.{word}" is
`outcome.*`. The parameters are known where a code is the first argument of a call that names them all.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "siaghsync"
_CODE = re.compile(r"([a-z_]+)\.([a-z0-9_*]+)")
_FILES = ("html",)
"""`login.html` is a template."""
_IMPLIED = {"CallError", "NotSent", "Refused", "InDoubt", "LoginRefused", "LoginLocked"}
"""Errors whose code is made of their reason; they add parameters of their own."""


@dataclass(frozen=True)
class Use:
    """One place where a code stands. `params` are the parameters given there, None if they can't be known."""

    where: str
    code: str
    params: frozenset[str] | None


def uses_in(where: str, source: str, chapters: set[str]) -> Iterator[Use]:
    """Every use of a code in one module. `chapters` are those of the catalog."""
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    told = {id(use.args[0]): use for use in ast.walk(tree) if isinstance(use, ast.Call) and use.args}
    for node in ast.walk(tree):
        code = None if id(node) in parts else _code_of(node)
        found = _CODE.fullmatch(code) if code else None
        if found and found[1] in chapters and found[2] not in _FILES:
            yield Use(f"{where}:{getattr(node, 'lineno', 0)}", found[0], _params(told.get(id(node))))


def _code_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return None


def _params(call: ast.Call | None) -> frozenset[str] | None:
    """The names that a call gives, if it gives them as keywords only and does not add others."""
    if call is None or len(call.args) != 1 or any(keyword.arg is None for keyword in call.keywords):
        return None
    name = ast.unparse(call.func).rpartition(".")[2]
    is_message = name in ("msg", "Message") or (name.endswith(("Error", "Held", "Record")) and name not in _IMPLIED)
    return frozenset(keyword.arg or "" for keyword in call.keywords) if is_message else None


def uses(chapters: set[str]) -> list[Use]:
    """Every use of a code in the program, the sandbox aside."""
    paths = (path for path in sorted(PACKAGE.rglob("*.py")) if "sandbox" not in path.parts)
    return [use for path in paths for use in uses_in(str(path.relative_to(PACKAGE)), path.read_text("utf-8"), chapters)]
