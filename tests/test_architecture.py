"""The rules of the architecture (docs/architecture.md), each checked on the source itself, and each with a breach."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from siaghsync.domain.fields import TABLE
from siaghsync.messages import catalog

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "siaghsync"
PAGE = "docs/architecture.md"

LAYERS: dict[str, int] = {
    "messages": 0, "errors": 0, "clock": 0, "files": 0, "sandbox": 0,
    "domain": 1,
    "connectors": 2, "passwords": 2, "password_hash": 2, "dashboard_users": 2, "mapping_file": 2,
    "settings": 3,
    "planning": 4, "state": 4,
    "sync": 5,
    "report": 6,
    "features": 7,
    "web": 8, "demo": 8,
    "cli": 9,
    "__main__": 10,
}  # fmt: skip
"""Packages and the modules beside them. Imports go down only; modules of one layer may import each other without a circle."""
SAME_LAYER = {
    ("errors", "messages"),
    ("files", "errors"),
    ("files", "messages"),
    ("passwords", "password_hash"),
    ("dashboard_users", "password_hash"),
}
"""Imports between two names of one layer that are right: (who, what)."""

LAZY = {"cli.app"}
"""The one place that imports inside a function: each command is loaded when it is called."""
MOST_IMPORTS_INSIDE_FUNCTIONS = 19
MOST_FUNCTIONS_WITH_A_CONTEXT = 41

LIBRARIES: dict[str, set[str]] = {
    "requests": {"connectors.http"},
    "urllib3": {"connectors.http"},
    "certifi": {"connectors.http"},
    "tenacity": {"connectors.http"},
    "sqlite3": {"state"},
    "sqlite_utils": {"state"},
    "filelock": {"state"},
    "typer": {"cli", "__main__"},
    "click": {"cli", "__main__"},
    "rich": {"report", "cli", "features"},
    "pydantic": {"connectors", "settings", "mapping_file"},
    "prometheus_client": {"features.notifications"},
    "starlette": {"web", "sandbox"},
    "jinja2": {"web"},
    "uvicorn": {"web", "sandbox"},
    "xlsxwriter": {"features.invoice_report"},
}
WORLDLY = {
    "httpx", "http", "io", "os", "pathlib", "random", "requests", "secrets", "shutil", "socket", "sqlite3", "sqlite_utils",
    "subprocess", "tempfile", "threading", "time", "urllib3",
}  # fmt: skip
PURE = {"domain", "planning"}
CLOCK = re.compile(r"(datetime|dt)\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime|monotonic)")
SQL = re.compile(
    r"\s*(SELECT\s|INSERT\s+(OR\s+\w+\s+)?INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s|CREATE\s+\w+|PRAGMA\s)"
)
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_FUNCTION = 50


@dataclass(frozen=True)
class Module:
    """One source file; `name` is `clock`, or `sandbox.crm` for a part of a package."""

    name: str
    source: str

    @property
    def package(self) -> str:
        """The package that it stands in, or itself."""
        return self.name.partition(".")[0]

    def stands_in(self, places: set[str]) -> bool:
        """Whether it is, or stands in, one of these places."""
        return any(self.name == place or self.name.startswith(f"{place}.") for place in places)

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
    def packages(self) -> set[str]:
        """The packages and modules of ours that are imported."""
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

# --- the rules: each yields what breaks it in one module ---


def unknown_place(module: Module) -> Iterator[str]:
    if module.package not in LAYERS:
        yield "has no layer: put it into a package, or give it a layer here and in the page"


def upward_import(module: Module) -> Iterator[str]:
    own = LAYERS.get(module.package)
    if own is None:
        return  # `unknown_place` tells of it.
    for package in sorted((module.packages & LAYERS.keys()) - {module.package}):
        if LAYERS[package] >= own and (module.package, package) not in SAME_LAYER:
            yield f"(layer {own}) imports {package} (layer {LAYERS[package]})"


def sandbox_that_knows_us(module: Module) -> Iterator[str]:
    if module.package == "sandbox":
        yield from (f"imports {package}" for package in sorted(module.packages - {"sandbox"}))


def import_of_the_sandbox(module: Module) -> Iterator[str]:
    if "sandbox" in module.packages and not module.stands_in({"cli", "demo", "sandbox"}):
        yield "imports the sandbox"


def library_out_of_place(module: Module) -> Iterator[str]:
    for library, places in LIBRARIES.items():
        if library in module.libraries and not module.stands_in(places):
            yield f"imports {library}"


def printing(module: Module) -> Iterator[str]:
    if module.name != "report.streams":
        yield from (f"prints in line {call.lineno}" for call in _calls(module) if ast.unparse(call.func) == "print")


def clock(module: Module) -> Iterator[str]:
    # The transport measures how long a request lasts; the sandbox is another system with a clock of its own.
    if module.stands_in({"clock", "connectors.http", "sandbox"}):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and CLOCK.fullmatch(".".join(ast.unparse(node).split(".")[-2:])):
            yield f"reads the clock in line {node.lineno}"
    if module.imports & {"time.time", "time.time_ns", "time.monotonic"}:
        yield "imports the clock"


def world_in_a_pure_place(module: Module) -> Iterator[str]:
    if module.stands_in(PURE):
        yield from (f"imports {library}" for library in sorted(module.libraries & WORLDLY))
        if re.search(r"\b(uuid[14]|urandom|SystemRandom)\b|(?<![.\w])open\(", module.source):
            yield "uses chance or disk"


def sql_outside_state(module: Module) -> Iterator[str]:
    if module.package == "state":
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            yield f"holds SQL in line {node.lineno}"


FORM_KEYS = {row.finance_key for row in TABLE if row.finance_key != row.name} - {"number"}


def form_key(module: Module) -> Iterator[str]:
    """Siagh's form keys stand in the field table and Siagh's connector; `state.version_1` reads what version 1 stored."""
    if module.stands_in({"domain.fields", "connectors.siagh", "sandbox", "state.version_1"}):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and node.value in FORM_KEYS:
            yield f"knows the form key {node.value!r} in line {node.lineno}"


@cache
def _sentences() -> str:
    """All English texts of the catalog in one."""
    entries = (entry for chapter in catalog.chapters() for entry in catalog.chapter(chapter).values())
    return "\n".join(text for entry in entries for text in (entry.text["en"], entry.title.get("en", "")))


def decision_by_a_sentence(module: Module) -> Iterator[str]:
    """Nobody looks for a piece of our own sentences in a text."""
    for node in ast.walk(module.tree):
        for needle in _needles(node):
            if " " in needle.strip() and needle.strip("^$") in _sentences():
                yield f"looks for the words {needle!r} in line {getattr(node, 'lineno', 0)}"


LOOKING = {"startswith", "endswith", "find", "index", "compile", "search", "match", "fullmatch"}


def _needles(node: ast.AST) -> Iterator[str]:
    """The texts that a comparison or call looks for in another text."""
    found: list[ast.expr] = []
    if isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
        found = [node.left]
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOOKING:
        found = node.args
    yield from (part.value for part in found if isinstance(part, ast.Constant) and isinstance(part.value, str))


def dry_run_below_the_appliers(module: Module) -> Iterator[str]:
    """Whether a run is dry is decided once, where the applier is chosen."""
    below = {"state", "planning", "connectors", "domain"}
    sync_parts = {
        f"sync.{name}" for name in ("executor", "outcomes", "document_outcomes", "recovery", "matching", "plan")
    }
    if module.stands_in(sync_parts | below - {"state"}) and "dry_run" in module.source:
        yield "knows whether a run is dry"


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
        yield f"has {lines} lines, more than {MOST_LINES_OF_A_MODULE}"


def long_function(module: Module) -> Iterator[str]:
    for function in _functions(module):
        lines = (function.end_lineno or function.lineno) - function.lineno + 1
        if lines > MOST_LINES_OF_A_FUNCTION:
            yield f"{function.name} has {lines} lines, more than {MOST_LINES_OF_A_FUNCTION}"


def vague_name(module: Module) -> Iterator[str]:
    if set(module.name.split(".")) & {"utils", "helpers", "common"}:
        yield "has a name that tells nothing"


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def _functions(module: Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _does_nothing(step: ast.stmt) -> bool:
    return isinstance(step, ast.Pass) or (isinstance(step, ast.Expr) and isinstance(step.value, ast.Constant))


Rule = Callable[[Module], Iterator[str]]

BREACHES: list[tuple[Rule, str, str]] = [
    (unknown_place, "attic", ""),
    (upward_import, "domain.action", "from siaghsync.sync.sync import sync"),
    (upward_import, "planning.customers", "from siaghsync.state import database"),
    (upward_import, "connectors.siagh.client", "def f():\n    import siaghsync.planning.cases"),
    (sandbox_that_knows_us, "sandbox.crm", "from siaghsync.errors import UsageError"),
    (import_of_the_sandbox, "sync.sync", "from siaghsync.sandbox import server"),
    (library_out_of_place, "sync.executor", "import requests.adapters"),
    (library_out_of_place, "connectors.siagh.client", "from tenacity import retry"),
    (library_out_of_place, "sync.sync", "from urllib3.util import Retry"),
    (library_out_of_place, "sync.sync", "import sqlite3"),
    (library_out_of_place, "web.app", "import sqlite_utils"),
    (library_out_of_place, "sync.sync", "import typer"),
    (library_out_of_place, "sync.sync", "from rich.table import Table"),
    (library_out_of_place, "domain.customer", "from pydantic import BaseModel"),
    (printing, "report.run", "print(1)"),
    (clock, "sync.sync", "from datetime import datetime\ndatetime.now()"),
    (clock, "sync.sync", "import datetime\ndatetime.datetime.now(datetime.UTC)"),
    (clock, "sync.sync", "from datetime import date\nx = date.today"),
    (clock, "state.audit", "import time\ntime.time()"),
    (clock, "state.audit", "from time import time"),
    (clock, "cli.sync", "import time\ntime.monotonic()"),
    (world_in_a_pure_place, "planning.limits", "import random"),
    (world_in_a_pure_place, "planning.limits", "from uuid import uuid4"),
    (world_in_a_pure_place, "domain.document", "open('x')"),
    (sql_outside_state, "web.records", "state.rows('SELECT * FROM runs')"),
    (sql_outside_state, "sync.outcomes", "state.execute(f'UPDATE reviews SET x = {y}')"),
    (form_key, "planning.customers", "x = fields['fullname']"),
    (decision_by_a_sentence, "web.reviews", "if 'could not be reached' in text:\n    f()"),
    (decision_by_a_sentence, "web.reviews", "re.compile('^The run ended before')"),
    (dry_run_below_the_appliers, "sync.executor", "if options.dry_run:\n    f()"),
    (swallowed_error, "sync.sync", "try:\n    f()\nexcept OSError:\n    pass"),
    (swallowed_error, "sync.sync", "try:\n    f()\nexcept OSError:\n    ..."),
    (swallowed_error, "sync.sync", "with contextlib.suppress(Exception):\n    f()"),
    (long_module, "sync.sync", "\n" * (MOST_LINES_OF_A_MODULE + 1)),
    (long_function, "sync.sync", "def f():\n" + "    x = 1\n" * 50),
    (vague_name, "sandbox.utils", ""),
]
RULES = list(dict.fromkeys(rule for rule, _, _ in BREACHES))


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_is_kept(rule: Rule) -> None:
    broken = [f"{module.name} {breach}" for module in MODULES for breach in rule(module)]
    assert not broken, f"See {PAGE}:\n" + "\n".join(broken)


@pytest.mark.parametrize(("rule", "name", "source"), BREACHES)
def test_a_breach_is_noticed(rule: Rule, name: str, source: str) -> None:
    assert list(rule(Module(name, source)))


def test_few_imports_stand_inside_functions() -> None:
    found = [
        f"{module.name}.{function.name}"
        for module in MODULES
        if not module.stands_in(LAZY)
        for function in _functions(module)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert len(found) <= MOST_IMPORTS_INSIDE_FUNCTIONS, "\n".join(found)


def test_few_functions_are_given_the_whole_context() -> None:
    found = [
        f"{module.name}.{function.name}"
        for module in MODULES
        for function in _functions(module)
        if any("RunContext" in ast.unparse(a.annotation) for a in _arguments(function) if a.annotation)
    ]
    assert len(found) <= MOST_FUNCTIONS_WITH_A_CONTEXT, "\n".join(found)


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


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


def test_the_page_and_the_table_of_layers_agree() -> None:
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", (ROOT / PAGE).read_text("utf-8"), re.MULTILINE)
    told = {name: int(layer) for layer, names in rows for name in re.findall(r"`(\w+)`", names)}
    assert told == LAYERS
