"""Finds in the source every message code that the program uses.

A code is a text `CHAPTER.NAME` whose chapter is in the catalog. A code that is made of parts is a pattern: f"outcome.{word}", and
a text that ends with `_` or `.`, stand for every code that fits.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "siaghsync"
_CODE = re.compile(r"([a-z_]+)\.([a-z0-9_*]*)")


def codes_in(source: str, chapters: set[str]) -> Iterator[str]:
    """Every code of one module, `*` for each part that is filled in. `chapters` are those of the catalog."""
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        code = None if id(node) in parts else _text(node)
        found = _CODE.fullmatch(code) if code else None
        if found and found[1] in chapters:
            yield f"{found[0]}*" if found[0].endswith(("_", ".")) else found[0]


def _text(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
    return None


def codes_used(chapters: set[str]) -> set[str]:
    """Every code of the program."""
    return {code for path in PACKAGE.rglob("*.py") for code in codes_in(path.read_text("utf-8"), chapters)}
