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

FLOORS: dict[str, int] = {
    "errors": 0, "book": 0,
    "wire": 1, "sandbox": 1, "passwords": 1, "password_hash": 1,
    "rules": 2,
    "settings": 3,
    "store": 4,
    "work": 5,
    "show": 6,
    "web": 7, "demo": 7,
    "cli": 8,
    "__main__": 9,
}  # fmt: skip
"""Packages and the few files beside them. Imports go down only; within a package they make no circle."""

TERMINAL = "show.terminal"
ASKED_LATE = {
    "cli", "demo", "__main__", TERMINAL, "settings", "rules.documents", "rules.moments", "wire.transport",
    "work.apply", "work.doubts", "work.notify", "work.sync", "work.sync_documents", "work.sync_reading",
}  # fmt: skip
"""Where an import inside a function is right: `--help` and a quiet run stay light."""

LIBRARIES: dict[str, set[str]] = {
    "requests": set(),
    "certifi": {"wire.trust"},
    "tenacity": {"wire.repeats"},
    "urllib3": {"wire"},
    "sqlite3": {"store"},
    "filelock": {"store.state_file"},
    "typer": {"cli", "__main__"},
    "rich": {"show", "demo"},
    "pydantic": {"wire.answers", "settings", "rules.translate", "rules.translate_contact", "rules.translate_document"},
    "starlette": {"web", "sandbox"},
    "jinja2": {"web"},
    "uvicorn": {"cli.serve", "sandbox"},
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
    def floor(self) -> str:
        """The package that it stands in, or itself."""
        return self.name.partition(".")[0]

    def stands_in(self, places: set[str]) -> bool:
        """Whether it is, or stands in, one of these places."""
        return bool({self.name, self.floor} & places)

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
    def floors(self) -> set[str]:
        """The packages and files of ours that are imported; the project's own version is none."""
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


def unknown_place(module: Module) -> Iterator[str]:
    if module.floor not in FLOORS:
        yield "stands nowhere: put it into a package, or give it a floor here and a sentence there"


def upward_import(module: Module) -> Iterator[str]:
    own = FLOORS.get(module.floor)
    if own is None:
        return  # `unknown_place` tells of it.
    for floor in sorted((module.floors & FLOORS.keys()) - {module.floor}):
        if FLOORS[floor] >= own:
            yield f"(floor {own}) imports {floor} (floor {FLOORS[floor]})"


def sandbox_that_knows_us(module: Module) -> Iterator[str]:
    if module.floor == "sandbox":
        yield from (f"imports {floor}" for floor in sorted(module.floors - {"sandbox"}))


def visitor_of_the_sandbox(module: Module) -> Iterator[str]:
    if "sandbox" in module.floors and not module.stands_in({"cli", "demo", "sandbox"}):
        yield "imports the sandbox"


def library_out_of_place(module: Module) -> Iterator[str]:
    for library, places in LIBRARIES.items():
        if library in module.libraries and not module.stands_in(places):
            yield f"imports {library}"


def printing(module: Module) -> Iterator[str]:
    if module.name != TERMINAL:
        yield from (f"prints in line {call.lineno}" for call in _calls(module) if ast.unparse(call.func) == "print")


def clock(module: Module) -> Iterator[str]:
    if module.stands_in({"cli", "demo", "wire", "sandbox"}):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and CLOCK.fullmatch(".".join(ast.unparse(node).split(".")[-2:])):
            yield f"reads the clock in line {node.lineno}"
    if module.imports & {"time.time", "time.time_ns"}:
        yield "imports the clock"


def chance_or_world_in_a_pure_place(module: Module) -> Iterator[str]:
    if module.stands_in({"rules", "show", "wire.siagh_form"}) and module.name != TERMINAL:
        yield from (f"imports {library}" for library in sorted(module.libraries & WORLDLY))
        if re.search(r"\b(uuid[14]|urandom|SystemRandom)\b|(?<![.\w])open\(", module.source):
            yield "uses chance or disk"


def import_inside_a_function(module: Module) -> Iterator[str]:
    if module.stands_in(ASKED_LATE):
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
    (unknown_place, "attic", ""),
    (upward_import, "rules.plan", "from siaghsync.sync.customers import sync"),
    (upward_import, "rules.plan", "from siaghsync.store import state"),
    (upward_import, "wire.siagh", "def f():\n    import siaghsync.domain.action"),
    (sandbox_that_knows_us, "sandbox.crm", "from siaghsync.errors import UsageError"),
    (visitor_of_the_sandbox, "work.sync", "from siaghsync.sandbox import server"),
    (library_out_of_place, "work.apply", "import requests.adapters"),
    (library_out_of_place, "wire.siagh", "from tenacity import retry"),
    (library_out_of_place, "work.sync", "from urllib3.util import Retry"),
    (library_out_of_place, "work.sync", "import sqlite3"),
    (library_out_of_place, "work.sync", "import typer"),
    (library_out_of_place, "work.sync", "from rich.table import Table"),
    (library_out_of_place, "rules.records", "from pydantic import BaseModel"),
    (printing, "show.report", "print(1)"),
    (clock, "work.sync", "from datetime import datetime\ndatetime.now()"),
    (clock, "work.sync", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
    (clock, "work.sync", "from datetime import date\nx = date.today"),
    (clock, "store.audit", "import time\ntime.time()"),
    (clock, "store.audit", "from time import time"),
    (chance_or_world_in_a_pure_place, "rules.plan", "import random"),
    (chance_or_world_in_a_pure_place, "rules.plan", "from uuid import uuid4"),
    (chance_or_world_in_a_pure_place, "show.report", "open('x')"),
    (import_inside_a_function, "work.settle", "def f():\n    import json"),
    (swallowed_error, "work.sync", "try:\n    f()\nexcept OSError:\n    pass"),
    (swallowed_error, "work.sync", "try:\n    f()\nexcept OSError:\n    ..."),
    (swallowed_error, "work.sync", "with contextlib.suppress(Exception):\n    f()"),
    (long_module, "work.sync", "\n" * 251),
    (long_function, "work.sync", "def f():\n" + "    x = 1\n" * 50),
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
    """Each file of ours has its sentence; the sandbox and the dashboard have one as a whole."""
    page = (ROOT / PAGE).read_text("utf-8")
    whole = {"sandbox", "web"}
    rooms = {module.name for module in MODULES if module.floor not in whole and module.name not in FLOORS}
    rooms |= set(FLOORS) - {"__main__"}
    missing = sorted(name for name in rooms if f"`{name.rpartition('.')[2]}`" not in page)
    assert not missing, f"{PAGE} has no sentence about {', '.join(missing)}"


def test_the_page_and_the_table_agree() -> None:
    rows = re.findall(r"^\| (\d) \| (.+?) \|", (ROOT / PAGE).read_text("utf-8"), re.MULTILINE)
    told = {name: int(floor) for floor, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == FLOORS
