"""Finds in the source every stable word that is given as a reason, wherever it comes from.

A reason is what is passed to a parameter, or put into a field, that is called `reason`. Where it is no literal, it is
followed to where it is made: through constants, local names, tables, other functions' answers and fields. What can't be
followed is an error, so that no word escapes.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parent.parent.parent / "siaghsync"
_ELSEWHERE = {"book", "sandbox", "show", "web"}
"""Rooms that make no reason: they tell what reasons mean, or stand apart."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


class Source:
    """All modules of the program, read once."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.trees = {name: ast.parse(text) for name, text in texts.items()}
        self.places: dict[tuple[str, str], int | None] = {}
        """(module, function or class) -> at which position it takes a reason, if it does."""
        self.imports: dict[str, dict[str, str]] = {}
        """Module -> name that it imports -> `package.module.name`, without `siaghsync.`"""
        self.constants: dict[str, ast.expr] = {}
        self.answers: dict[str, list[ast.expr]] = defaultdict(list)
        self.fields: dict[str, list[tuple[ast.expr, list[ast.AST]]]] = defaultdict(list)
        for module, tree in self.trees.items():
            self._learn(module, tree)
        self._inherit()

    def _learn(self, module: str, tree: ast.Module) -> None:
        self.imports[module] = {
            alias.asname or alias.name: f"{node.module}.{alias.name}".removeprefix("siaghsync.")
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for node in ast.walk(tree):
            if isinstance(node, Function):
                self._learn_place(module, node.name, [a.arg for a in (*node.args.posonlyargs, *node.args.args)])
                self.answers[node.name] += _answers(node)
            elif isinstance(node, ast.ClassDef):
                fields = [
                    s.target.id for s in node.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
                ]
                inits = [s for s in node.body if isinstance(s, ast.FunctionDef) and s.name == "__init__"]
                self._learn_place(module, node.name, [a.arg for a in inits[0].args.args] if inits else fields)
        for step in tree.body:
            if not isinstance(step, ast.Assign | ast.AnnAssign) or step.value is None:
                continue
            for target in step.targets if isinstance(step, ast.Assign) else [step.target]:
                if isinstance(target, ast.Name):
                    self.constants[target.id] = step.value
        for path, call in _calls(tree):
            for keyword in call.keywords:
                if keyword.arg:
                    self.fields[keyword.arg].append((keyword.value, path))

    def _learn_place(self, module: str, name: str, parameters: list[str]) -> None:
        own = parameters[1:] if parameters[:1] in (["self"], ["cls"]) else parameters
        self.places[module, name] = own.index("reason") if "reason" in own else None

    def _inherit(self) -> None:
        """A class that says nothing of its own takes a reason where the class below it does; errors stand in that order."""
        for module, tree in self.trees.items():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef) and self.places[module, node.name] is None:
                    homes = [self._home(module, _name(base)) for base in node.bases]
                    self.places[module, node.name] = next(
                        (self.places[h] for h in homes if self.places.get(h) is not None), None
                    )

    def _home(self, module: str, name: str) -> tuple[str, str]:
        place, _, known = self.imports[module].get(name, f"{module}.{name}").rpartition(".")
        return place, known

    def _places(self, module: str, function: ast.expr) -> set[int]:
        """At which positions a function takes a reason, as far as it is known which one is called."""
        name, imported = _name(function), self.imports[module]
        if isinstance(function, ast.Name):
            place, name = self._home(module, name)
            modules = {place}
        else:
            base = getattr(getattr(function, "value", None), "id", "")
            place = imported.get(base, "")
            modules = {place} if place in self.trees else {module} if base == "self" else set(self.trees)
        found = {at for (place, known), at in self.places.items() if known == name and place in modules}
        return {at for at in found if at is not None}

    def given(self) -> Iterator[tuple[str, str]]:
        """(function or class that takes it, word); a word made of parts has `\\w+` for what is filled in."""
        for module, tree in self.trees.items():
            for path, call in _calls(tree):
                name = _name(call.func)
                values = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
                values += [call.args[at] for at in self._places(module, call.func) if at < len(call.args)]
                for value in values:
                    try:
                        yield from ((name, word) for word in self._words(value, path))
                    except LookupError as error:
                        raise LookupError(f"{module}, line {value.lineno}: {error}") from None

    def _words(self, value: ast.expr, path: list[ast.AST], part: tuple[int, ...] = ()) -> Iterator[str]:
        """The words that an expression, or one part of the tuple that it is, can be. Raises LookupError."""
        match value:
            case ast.Constant(value=str() as word) if not part:
                yield word
            case ast.Constant(value=None):
                return
            case ast.JoinedStr(values=parts):
                yield "".join(str(p.value) if isinstance(p, ast.Constant) else r"\w+" for p in parts)
            case ast.Tuple(elts=elements) if part:
                yield from self._words(elements[part[0]], path, part[1:])
            case ast.IfExp(body=first, orelse=second):
                yield from self._words(first, path, part)
                yield from self._words(second, path, part)
            case ast.BoolOp(values=values):
                for each in values:
                    yield from self._words(each, path, part)
            case ast.Attribute(attr="reason") | ast.Subscript(slice=ast.Constant(value="reason")):
                return  # it was given to something, or stored, elsewhere
            case ast.Call(func=ast.Attribute(attr="get", value=ast.Dict(values=values))):
                for each in values:
                    yield from self._words(each, path)
            case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value="reason"), other]):
                yield from self._words(other, path)
            case ast.Call(func=function) if _name(function) in self.answers:
                for each in self.answers[_name(function)]:
                    yield from self._words(each, path, part)
            case ast.Attribute(attr=name) if name in self.constants:
                yield from self._words(self.constants[name], path, part)
            case ast.Attribute(attr=name) if name in self.fields:
                for each, its_path in self.fields[name]:
                    yield from self._words(each, its_path, part)
            case ast.Name(id=name):
                yield from self._words_of_name(name, path, part)
            case _:
                raise LookupError(f"where does `{ast.unparse(value)}` come from?")

    def _words_of_name(self, name: str, path: list[ast.AST], part: tuple[int, ...]) -> Iterator[str]:
        functions = [node for node in path if isinstance(node, Function)]
        made = [found for function in functions for found in self._made(function, name)]
        for value, its_part in made:
            yield from self._words(value, path, (*its_part, *part))
        if made:
            return
        if name in self.constants:
            yield from self._words(self.constants[name], path, part)
        elif not any(argument.arg == name == "reason" for function in functions for argument in function.args.args):
            raise LookupError(f"where does `{name}` come from?")

    def _made(self, function: Function, name: str) -> Iterator[tuple[ast.expr, tuple[int, ...]]]:
        """Where a local name gets its value: (expression, which part of it)."""
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    yield from _unpacked(target, node.value, name)
            elif isinstance(node, ast.For) and isinstance(node.iter, ast.Name):
                table = self.constants.get(node.iter.id)
                rows = table.elts if isinstance(table, ast.Tuple | ast.List) else []
                for row in rows:
                    yield from _unpacked(node.target, row, name)


def _unpacked(target: ast.expr, value: ast.expr, name: str) -> Iterator[tuple[ast.expr, tuple[int, ...]]]:
    if isinstance(target, ast.Name) and target.id == name:
        yield value, ()
    if isinstance(target, ast.Tuple):
        for part, each in enumerate(target.elts):
            if isinstance(each, ast.Name) and each.id == name:
                yield value, (part,)


def _answers(function: Function) -> list[ast.expr]:
    """What a function returns, functions inside it left out."""
    found, steps = [], list(ast.iter_child_nodes(function))
    while steps:
        step = steps.pop()
        if isinstance(step, ast.Return) and step.value:
            found.append(step.value)
        if not isinstance(step, Function):
            steps += ast.iter_child_nodes(step)
    return found


def _name(function: ast.expr) -> str:
    return (
        function.id if isinstance(function, ast.Name) else function.attr if isinstance(function, ast.Attribute) else ""
    )


def _calls(tree: ast.AST, path: tuple[ast.AST, ...] = ()) -> Iterator[tuple[list[ast.AST], ast.Call]]:
    for child in ast.iter_child_nodes(tree):
        inner = (*path, child)
        if isinstance(child, ast.Call):
            yield list(inner), child
        yield from _calls(child, inner)


def source() -> Source:
    """The program as it stands."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if not _ELSEWHERE & set(path.relative_to(PACKAGE).parts)]
    return Source(
        {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path.read_text("utf-8") for path in paths}
    )


def literals() -> set[str]:
    """Every text that stands as a whole in the program outside the book; parts that are filled in become `\\w+`."""
    found = set()
    for tree in source().trees.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            elif isinstance(node, ast.JoinedStr):
                found.add(
                    "".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else r"\w+" for p in node.values)
                )
    return found
