"""The laws of the house (docs/architecture.md), each checked on the source itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "siaghsync"
PAGE = "docs/architecture.md"

# Rooms that don't exist yet are welcome here; a room that is not here is not welcome in the package.
LEVELS: dict[str, float] = {
    "errors": 0, "jsontext": 0,
    "outcomes": 0.5, "password_hash": 0.5,
    "records": 1, "settings": 1, "passwords": 1, "answers": 1, "siagh_form": 1, "deadline": 1, "schema": 1,
    "courier": 1, "events": 1, "metrics": 1, "diagnose": 1,
    "receiving": 1.5, "validity": 1.5, "misgivings": 1.5,
    "exchange": 1.8,
    "transport": 2, "state": 2, "translate": 2, "plan": 2, "cases": 2, "lint": 2, "invoice_report": 2,
    "login": 2.5, "reconcile": 2.5, "saved_plan": 2.5, "invoice_sums": 2.5,
    "reconcile_import": 2.7, "recognise": 2.7,
    "payamgostar": 3, "siagh": 3, "outbox": 3, "audit": 3, "scratch": 3, "mappings": 3,
    "engine": 3.5, "reviews": 3.5, "waiting": 3.5, "pruning": 3.5, "inbox": 3.5,
    "settle": 3.8, "candidates": 3.8, "alerts": 3.8,
    "pull": 4, "apply": 4, "lookup": 4, "plan_file": 4,
    "sync_reading": 4.5,
    "sync_linked": 4.7, "sync_unlinked": 4.7,
    "sync": 5, "importer": 5, "survey": 5, "explain": 5, "invoice_ledger": 5,
    "runs": 5.5, "overview": 5.5, "checkup": 5.5, "dossier": 5.5,
    "report": 6, "sandbox": 6, "notify": 6,
    "report_explain": 6.5, "report_lint": 6.5, "report_checkup": 6.5, "report_invoices": 6.5, "report_plan": 6.5,
    "web": 6.5,
    "terminal": 7,
    "cli_base": 7.5, "cli_plan": 7.5,
    "cli_look": 8, "cli_run": 8, "cli_tools": 8, "demo": 8,
    "cli_history": 8, "cli_lint": 8, "cli_report": 8,
    "cli_serve": 8.5,
    "cli": 9,
    "__main__": 10,
}  # fmt: skip

TRANSPORT = {"transport", "exchange", "receiving", "deadline"}
CLI = {"cli", "terminal", "__main__"} | {name for name in LEVELS if name.startswith("cli_")}
PURE = {
    "records", "validity", "translate", "plan", "cases", "reconcile", "reconcile_import", "recognise", "report",
    "siagh_form", "lint", "metrics", "events", "explain", "diagnose", "misgivings", "invoice_report", "invoice_sums",
    "saved_plan",
}  # fmt: skip

LIBRARIES = {
    **dict.fromkeys(("tenacity", "urllib3"), TRANSPORT),
    "requests": TRANSPORT | {"courier"},
    "sqlite3": {"state", "outbox", "audit", "mappings", "scratch"},
    "typer": CLI,
    "rich": CLI | {"report", "demo"} | {name for name in LEVELS if name.startswith("report_")},
    "pydantic": {"answers", "translate", "settings"},
    "starlette": {"web", "sandbox"},
    "jinja2": {"web"},
    "uvicorn": {"cli_serve", "sandbox"},
}
WORLDLY = {
    "httpx", "http", "io", "os", "pathlib", "random", "requests", "secrets", "shutil", "socket", "sqlite3", "subprocess",
    "tempfile", "threading", "time", "urllib3",
}  # fmt: skip
CLOCK = re.compile(r"(datetime|dt)\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime)")
MOST_LINES_OF_A_MODULE = 250
MOST_LINES_OF_A_FUNCTION = 50


@dataclass(frozen=True)
class Module:
    """One source file; `name` is `plan`, or `sandbox.crm` for a part of a package."""

    name: str
    source: str

    @property
    def room(self) -> str:
        return self.name.partition(".")[0]

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @cached_property
    def imports(self) -> frozenset[str]:
        """Full names of all that is imported, anywhere in the file, with the imported name at the end."""
        return frozenset(_imported(self.tree))

    @property
    def libraries(self) -> set[str]:
        return {name.partition(".")[0] for name in self.imports}

    @property
    def rooms(self) -> set[str]:
        """The rooms of ours that are imported; the package's own version is none."""
        ours = {name.split(".")[1] for name in self.imports if name.startswith("siaghsync.")}
        return ours - {"__version__"}


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written out in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules() -> list[Module]:
    paths = sorted(PACKAGE.rglob("*.py"))
    named = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path for path in paths}
    return [Module(name.removesuffix(".__init__"), path.read_text("utf-8")) for name, path in named.items()]


MODULES = [module for module in _modules() if module.name != "__init__"]

# --- the laws: each yields what breaks it in one module -----------------------------------------------------


def unknown_room(module: Module) -> Iterator[str]:
    if module.room not in LEVELS:
        yield "is not a room yet: give it a level here and a sentence there"


def upward_import(module: Module) -> Iterator[str]:
    own = LEVELS.get(module.room)
    if own is None:
        return  # `unknown_room` tells of it.
    for room in sorted((module.rooms & LEVELS.keys()) - {module.room}):
        if LEVELS[room] >= own:
            yield f"(level {own:g}) imports {room} (level {LEVELS[room]:g})"


def sandbox_that_knows_us(module: Module) -> Iterator[str]:
    if module.room == "sandbox":
        yield from (f"imports {room}" for room in sorted(module.rooms - {"sandbox"}))


def visitor_of_the_sandbox(module: Module) -> Iterator[str]:
    if "sandbox" in module.rooms and module.room not in CLI | {"demo", "sandbox"}:
        yield "imports the sandbox"


def library_out_of_place(module: Module) -> Iterator[str]:
    for library, rooms in LIBRARIES.items():
        if library in module.libraries and module.room not in rooms:
            yield f"imports {library}"


def printing(module: Module) -> Iterator[str]:
    if module.room not in CLI | {"demo"}:
        yield from (f"prints in line {call.lineno}" for call in _calls(module) if ast.unparse(call.func) == "print")


def clock(module: Module) -> Iterator[str]:
    if module.room in CLI | TRANSPORT | {"demo", "sandbox"}:
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and CLOCK.fullmatch(".".join(ast.unparse(node).split(".")[-2:])):
            yield f"reads the clock in line {node.lineno}"
    if module.imports & {"time.time", "time.time_ns"}:
        yield "imports the clock"


def chance_or_world_in_a_pure_room(module: Module) -> Iterator[str]:
    if module.room in PURE:
        yield from (f"imports {library}" for library in sorted(module.libraries & WORLDLY))
        if re.search(r"\b(uuid[14]|urandom|SystemRandom)\b|(?<![.\w])open\(", module.source):
            yield "uses chance or disk"


def import_inside_a_function(module: Module) -> Iterator[str]:
    if module.room in CLI | {"demo"}:
        return
    for function in _functions(module):
        if any(isinstance(node, ast.Import | ast.ImportFrom) for node in ast.walk(function)):
            yield f"imports inside {function.name}"


def swallowed_error(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler) and all(_does_nothing(step) for step in node.body):
            yield f"swallows an error in line {node.lineno}"
    for call in _calls(module):
        broad = any(ast.unparse(argument) in {"Exception", "BaseException"} for argument in call.args)
        if broad and ast.unparse(call.func).endswith("suppress"):
            yield f"suppresses every error in line {call.lineno}"


def long_module(module: Module) -> Iterator[str]:
    lines = len(module.source.splitlines())
    if lines > MOST_LINES_OF_A_MODULE:
        yield f"has {lines} lines, more than {MOST_LINES_OF_A_MODULE}: split it along a seam"


def long_function(module: Module) -> Iterator[str]:
    for function in _functions(module):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > MOST_LINES_OF_A_FUNCTION:
            yield f"{function.name} has {lines} lines, more than {MOST_LINES_OF_A_FUNCTION}"


def vague_name(module: Module) -> Iterator[str]:
    if set(module.name.split(".")) & {"utils", "helpers", "common"}:
        yield "says nothing by its name"


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _does_nothing(step: ast.stmt) -> bool:
    return isinstance(step, ast.Pass) or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))


Law = Callable[[Module], Iterator[str]]

BREACHES: list[tuple[Law, str, str]] = [
    (unknown_room, "attic", ""),
    (upward_import, "plan", "from siaghsync.sync import sync"),
    (upward_import, "plan", "from siaghsync import state"),
    (upward_import, "records", "def f():\n    import siaghsync.plan"),
    (sandbox_that_knows_us, "sandbox.crm", "from siaghsync.errors import UsageError"),
    (visitor_of_the_sandbox, "sync", "from siaghsync.sandbox import server"),
    (library_out_of_place, "siagh", "import requests.adapters"),
    (library_out_of_place, "sync", "from tenacity import retry"),
    (library_out_of_place, "sync", "from urllib3.util import Retry"),
    (library_out_of_place, "sync", "import sqlite3"),
    (library_out_of_place, "sync", "import typer"),
    (library_out_of_place, "sync", "from rich.table import Table"),
    (library_out_of_place, "records", "from pydantic import BaseModel"),
    (printing, "report", "print(1)"),
    (clock, "sync", "from datetime import datetime\ndatetime.now()"),
    (clock, "sync", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
    (clock, "sync", "from datetime import date\nx = date.today"),
    (clock, "sync", "import time\ntime.time()"),
    (clock, "sync", "from time import time"),
    (chance_or_world_in_a_pure_room, "plan", "import random"),
    (chance_or_world_in_a_pure_room, "plan", "from uuid import uuid4"),
    (chance_or_world_in_a_pure_room, "records", "open('x')"),
    (import_inside_a_function, "sync", "def f():\n    import json"),
    (swallowed_error, "sync", "try:\n    f()\nexcept OSError:\n    pass"),
    (swallowed_error, "sync", "try:\n    f()\nexcept OSError:\n    ..."),
    (swallowed_error, "sync", "with contextlib.suppress(Exception):\n    f()"),
    (long_module, "sync", "\n" * 251),
    (long_function, "sync", "def f():\n" + "    x = 1\n" * 50),
    (vague_name, "sandbox.utils", ""),
]
LAWS = list(dict.fromkeys(law for law, _, _ in BREACHES))


@pytest.mark.parametrize("law", LAWS)
def test_the_law_is_kept(law: Law) -> None:
    broken = [f"{module.name} {breach}" for module in MODULES for breach in law(module)]
    assert not broken, f"See {PAGE}:\n" + "\n".join(broken)


@pytest.mark.parametrize(("law", "name", "source"), BREACHES)
def test_a_breach_is_noticed(law: Law, name: str, source: str) -> None:
    assert list(law(Module(name, source)))


def _circle(modules: list[Module]) -> list[str]:
    """The modules of an import circle, parts of packages included, or nothing."""
    names = {module.name for module in modules}
    graph = {}
    for module in modules:
        ours = {name.removeprefix("siaghsync.") for name in module.imports if name.startswith("siaghsync.")}
        # `from siaghsync.a import b` names the module a.b, or b in a.
        found = {name if name in names else name.rpartition(".")[0] for name in ours}
        graph[module.name] = found & names
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_there_is_no_circle() -> None:
    circle = _circle(MODULES)
    assert not circle, f"See {PAGE}: " + " <- ".join(circle)


def test_a_circle_is_noticed() -> None:
    parts = [
        Module("sandbox.a", "from siaghsync.sandbox import b"),
        Module("sandbox.b", "from siaghsync.sandbox.c import f"),
        Module("sandbox.c", "import siaghsync.sandbox.a"),
    ]
    assert set(_circle(parts)) == {"sandbox.a", "sandbox.b", "sandbox.c"}


def test_the_page_names_every_room() -> None:
    page = (ROOT / PAGE).read_text("utf-8")
    rooms = {f"`{module.room}/`" if "." in module.name else f"`{module.room}.py`" for module in MODULES}
    missing = sorted(room for room in rooms - {"`sandbox.py`", "`web.py`"} if room not in page)
    assert not missing, f"{PAGE} has no sentence about {', '.join(missing)}"


def test_the_page_and_the_table_agree() -> None:
    rows = re.findall(r"^\| ([\d.]+) \| (.+?) \|", (ROOT / PAGE).read_text("utf-8"), re.MULTILINE)
    told = {name: float(level) for level, names in rows for name in re.findall(r"`(\w+)(?:\.py|/)`", names)}
    assert told == LEVELS
