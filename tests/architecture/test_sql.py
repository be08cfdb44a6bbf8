"""All SQL of the program stands in `siaghsync/state`: no other package has statements, opens a database or asks tables itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "siaghsync"
_STATEMENT = re.compile(
    r"\b(SELECT\s+\S|INSERT\s+(INTO|OR)\b|UPDATE\s+\S+\s+SET\b|DELETE\s+FROM\b|REPLACE\s+INTO\b|PRAGMA\s+\w"
    r"|(CREATE|DROP|ALTER)\s+(TEMP\s+|UNIQUE\s+)*(TABLE|INDEX|VIEW|TRIGGER)\b|ORDER\s+BY\b|GROUP\s+BY\b"
    r"|BEGIN\s+(IMMEDIATE|EXCLUSIVE)|VACUUM\b)"
)
_LIBRARIES = {"sqlite3", "sqlite_utils"}
_ASKING = {"execute_many", "rows_where", "count_where", "delete_where", "insert_all", "upsert_all"}


def sql_in(source: str) -> Iterator[tuple[int, str]]:
    """(line, what stands there) for each statement, library or method that belongs into the state package."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.expr) and (found := _STATEMENT.search(_text_of(node))):
            yield node.lineno, found[0]
        elif isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names if name.name.split(".")[0] in _LIBRARIES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in _LIBRARIES:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.Attribute) and node.attr in _ASKING:
            yield node.lineno, node.attr


def _text_of(node: ast.AST) -> str:
    """The text of a literal; a place in an f-string stands as `x`."""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) or "x" for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def test_only_the_state_package_has_sql() -> None:
    modules = [path for path in PACKAGE.rglob("*.py") if PACKAGE / "state" not in path.parents]
    assert len(modules) > 50
    offenders = [
        f"{path.relative_to(PACKAGE.parent)}:{line}: {what}"
        for path in sorted(modules)
        for line, what in sql_in(path.read_text("utf-8"))
    ]
    assert not offenders, "\n".join(offenders)


@pytest.mark.parametrize(
    "source",
    [
        "state.rows('SELECT * FROM runs')",
        "state.row(f'SELECT {name} FROM audit WHERE id = ?', (1,))",
        "x = '''\n    UPDATE reviews SET resolution = ?'''",
        "x = 'INSERT OR REPLACE INTO meta VALUES (1, 2)'",
        "x = 'DELETE FROM skips'",
        "x = 'CREATE TEMP TABLE lines (a)'",
        "x = 'CREATE UNIQUE INDEX i ON lines (a)'",
        "x = 'PRAGMA user_version'",
        "x = 'a = 1 ORDER BY id'",
        "import sqlite3",
        "import sqlite_utils.db",
        "from sqlite_utils import Database",
        "state.db['runs'].rows_where('id = 1')",
        "state.execute_many(sql, rows)",
    ],
)
def test_the_rule_finds_a_breach(source: str) -> None:
    assert list(sql_in(source))


@pytest.mark.parametrize(
    "source", ["x = 'Update the record, select a way out, or delete it.'", "UPDATE = 'update'", "x = 'ORDER'"]
)
def test_the_rule_lets_plain_text_pass(source: str) -> None:
    assert not list(sql_in(source))
