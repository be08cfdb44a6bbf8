"""Writes the pages of docs/ that are made from the program: commands, settings, errors. `--check` only compares.

.venv/bin/python docs/generate.py
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import EnumType
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, OptionInfo

from siaghsync import errors
from siaghsync.cli.app import app
from siaghsync.messages.calls import CALLS
from siaghsync.messages.checkup import DIAGNOSES
from siaghsync.messages.customers import CUSTOMERS
from siaghsync.messages.documents import DOCUMENTS
from siaghsync.messages.entry import Chapter, Said
from siaghsync.messages.exits import EXITS
from siaghsync.messages.kinds import KINDS
from siaghsync.messages.passed_over import SKIPS, WAITS
from siaghsync.messages.warnings import WARNINGS
from siaghsync.settings import Settings
from siaghsync.state.reviews import ways_out

ROOT = Path(__file__).parent.parent
MADE = "<!-- Made from the program by docs/generate.py. Change the program, then run that. -->"
_VALUES = {"link": " CODE", "posted": " NUMBER"}
Lines = Iterator[str]


def pages() -> dict[str, str]:
    """Path from the root of the repository -> text."""
    return {
        "docs/commands.md": _page(_commands()),
        "docs/settings.md": _page(_settings()),
        "docs/errors.md": _page(_errors("en")),
        "docs/fa/errors.md": _page(_errors("fa")),
    }


def _page(lines: Lines) -> str:
    title, *rest = lines
    return "\n".join([title, "", MADE, *rest]) + "\n"


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> Lines:
    yield from ("", f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |")
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


# --- commands ----------------------------------------------------------------------------------------------
# Read from our own declarations, and not from what typer makes of them: that changes with its version and the terminal.


def _commands() -> Lines:
    yield "# Commands"
    yield from ("", "`siaghsync [OPTIONS] COMMAND`. These options stand before the command:")
    yield from _options(app.registered_callback.callback if app.registered_callback else None)
    yield ""
    yield "`--install-completion` adds the completion of commands and options to your shell, `--show-completion` prints it."
    for path, callback, is_group in sorted(declared(app, "siaghsync"), key=lambda each: each[0]):
        own = [_written(p) for p in parameters(callback) if not p.is_option]
        has_options = any(p.is_option for p in parameters(callback))
        usage = [path, *(["[OPTIONS]"] if has_options else []), *own, *(["[COMMAND]"] if is_group else [])]
        yield from ("", f"## {path}", "", f"`{' '.join(usage)}`", "", " ".join((callback.__doc__ or "").split()))
        yield from _options(callback)
    yield from ("", "## Exit codes")
    codes = ((", ".join(map(str, code)), said.en) for code, said in EXITS.items())
    yield from _table(("exit code", "means"), codes)


@dataclass(frozen=True)
class Parameter:
    """One argument or option of a command; `words` is how it is written, `value` what stands behind it."""

    words: tuple[str, ...]
    is_option: bool
    value: str
    help: str
    default: Any


def declared(group: Any, path: str) -> Iterator[tuple[str, Any, bool]]:
    """(path, function, whether it is a group) of each command, groups that do something by themselves included."""
    for command in group.registered_commands:
        yield f"{path} {command.name or command.callback.__name__.replace('_', '-')}", command.callback, False
    for below in group.registered_groups:
        inner, name = below.typer_instance, f"{path} {below.name}"
        if inner.registered_callback:
            yield name, inner.registered_callback.callback, True
        yield from declared(inner, name)


def parameters(callback: Any) -> Iterator[Parameter]:
    """The arguments and options of a command."""
    hints = get_type_hints(callback, include_extras=True)
    for name, parameter in inspect.signature(callback).parameters.items():
        kind, *more = get_args(hints[name]) if get_origin(hints[name]) is Annotated else (hints[name],)
        found = next((each for each in more if isinstance(each, OptionInfo | ArgumentInfo)), None)
        if found is None:
            continue
        is_option, default = isinstance(found, OptionInfo), parameter.default
        words = tuple(w for w in (found.default, *(found.param_decls or ())) if isinstance(w, str) and w[:1] == "-")
        kinds = [each for each in get_args(kind) if each is not type(None)] or [kind]
        choices = "|".join(kinds[0].__members__) if isinstance(kinds[0], EnumType) else "N"
        value = "" if kinds[0] is bool else found.metavar or (choices if is_option else name.upper())
        if not is_option and default is not inspect.Parameter.empty:
            value = f"[{value}]"
        yield Parameter(words, is_option, value, found.help or "", default)


def _written(parameter: Parameter) -> str:
    return " ".join(part for part in ("/".join(parameter.words), parameter.value) if part)


def _options(callback: Any) -> Lines:
    rows = [(f"`{_written(each)}`", _explained(each)) for each in parameters(callback) if each.help]
    if rows:
        yield from _table(("option", "does"), iter(rows))


def _explained(parameter: Parameter) -> str:
    default = parameter.default
    is_shown = default not in (None, "", False, inspect.Parameter.empty) and "default" not in parameter.help
    return f"{parameter.help} [default: {default}]" if is_shown else parameter.help


# --- settings ----------------------------------------------------------------------------------------------


def _settings() -> Lines:
    yield "# Settings"
    yield ""
    yield "They stand in the file `.env`, or in the environment, which wins. `.env.example` is the file to begin with."
    explained: list[str] = []
    rows: list[Sequence[str]] = []
    for line in [*(ROOT / ".env.example").read_text("utf-8").splitlines(), "# --- end ---"]:
        if heading := re.fullmatch(r"# --- (.+) ---", line):
            yield from _table(("setting", "default", "what it is", "must be"), iter(rows)) if rows else ()
            rows = []
            yield from ("", f"## {heading[1].capitalize()}") if heading[1] != "end" else ()
        elif found := re.fullmatch(r"#?([A-Z_]+)=(.*)", line):
            description = Settings.model_fields[found[1].lower()].description or ""
            rows.append((f"`{found[1]}`", f"`{found[2]}`" if found[2] else "", " ".join(explained), description))
            explained = []
        else:
            explained = [*explained, line.removeprefix("# ")] if line.startswith("# ") else []


# --- errors ------------------------------------------------------------------------------------------------

_WORDS: dict[str, Said] = {
    "title": Said("خطاها، پرسش‌ها و انتظارها", "Errors, questions and waits"),
    "intro": Said(
        "هر چیزی که نادرست شود، منتظر بماند یا عمداً کنار گذاشته شود واژه‌ای ثابت دارد: در پرانتز روی ترمینال، در JSON، و در "
        "صفحهٔ هر مورد در داشبورد. اینجا معنی، علت و چارهٔ هر یک آمده است. آنچه سیاق یا CRM خودش گفته، در کنار آن به زبان "
        "خودش نشان داده می‌شود. واژه‌های *کج* هنگام کار پر می‌شوند.",
        "Whatever goes wrong, waits or is passed over on purpose has a stable word: in brackets on the terminal, in JSON, and "
        "on the page of each item in the dashboard. Here is what each means, why it comes about, and what to do. What Siagh or "
        "the CRM itself said is shown beside it in their own words. Words in *italics* are filled in.",
    ),
    "why": Said("علت", "Why"),
    "cure": Said("چاره", "What to do"),
    "ways": Said("راه‌ها", "Ways out"),
    "exit": Said("کد خروج", "Exit code"),
    "means": Said("یعنی", "means"),
    "exits": Said("کدهای خروج", "Exit codes"),
    "kinds": Said("دستوری که به آخر نرسید (`error.kind`)", "A command that could not do its work (`error.kind`)"),
    "customers": Said("پرسش دربارهٔ مشتری", "Questions about a customer"),
    "documents": Said("پرسش دربارهٔ پیش‌فاکتور یا فاکتور", "Questions about a quote or an invoice"),
    "skips": Said("عمداً کنار گذاشته شده؛ خطا نیست", "Passed over on purpose; no failure"),
    "waits": Said("منتظر", "Waiting"),
    "calls": Said("درخواستی که به جایی نرسید", "A request that came to nothing"),
    "diagnoses": Said("تشخیص‌های `check-apis`", "What `check-apis` finds out"),
    "warnings": Said("هشدارهای `check-apis`", "What `check-apis` warns of"),
}
_CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("kinds", KINDS), ("customers", CUSTOMERS), ("documents", DOCUMENTS), ("skips", SKIPS), ("waits", WAITS),
    ("calls", CALLS), ("diagnoses", DIAGNOSES), ("warnings", WARNINGS),
)  # fmt: skip


def _errors(language: str) -> Lines:
    def say(said: Said) -> str:
        return re.sub(r"{(\w+)}", r"*\1*", getattr(said, language))

    yield from ('<div dir="rtl">', "") if language == "fa" else ()
    yield f"# {say(_WORDS['title'])}"
    yield from ("", say(_WORDS["intro"]), "", f"## {say(_WORDS['exits'])}")
    codes = ((", ".join(map(str, code)), say(said)) for code, said in EXITS.items())
    yield from _table((say(_WORDS["exit"]), say(_WORDS["means"])), codes)
    for name, chapter in _CHAPTERS:
        yield from ("", f"## {say(_WORDS[name])}")
        for word, entry in chapter.items():
            yield from ("", f"### `{word}`", "", f"**{say(entry.sentence)}.**", "")
            causes = [say(cause) for cause in entry.causes]
            yield from [f"- {say(_WORDS['why'])}: {cause}" for cause in causes]
            yield f"- {say(_WORDS['cure'])}: {say(entry.cure)}"
            yield from [f"- {say(_WORDS['ways'])}: {ways}" for ways in _ways(name, word)]
            yield from [f"- {say(_WORDS['exit'])}: {code}" for code in _exit_code(name, word)]
    yield from ("", "</div>") if language == "fa" else ()


def _ways(chapter: str, word: str) -> list[str]:
    entity = {"customers": "customer", "documents": "invoice"}.get(chapter)
    is_question = entity and not word.startswith("same_as_")
    return ["، ".join(f"`--{way}{_VALUES.get(way, '')}`" for way in ways_out(str(entity), word))] if is_question else []


def _exit_code(chapter: str, word: str) -> list[str]:
    """A bug is no error of ours, an interruption's code depends on the signal, and the demo ends as its commands do."""
    codes = {
        **{kind: str(code) for kind, code in _kinds(errors.SiaghsyncError)},
        "bug": "70",
        "interrupted": "130, 143",
    }
    return [codes[word]] if chapter == "kinds" and word != "error" else []


def _kinds(error: type[errors.SiaghsyncError]) -> Iterator[tuple[str, int]]:
    yield error.kind, error.exit_code
    for below in error.__subclasses__():
        yield from _kinds(below)


def main(arguments: list[str]) -> int:
    """Writes the pages, or with `--check` names those that are not what they would be."""
    stale = [
        path for path, text in pages().items() if not (ROOT / path).exists() or (ROOT / path).read_text("utf-8") != text
    ]
    for path in stale:
        if "--check" not in arguments:
            (ROOT / path).parent.mkdir(exist_ok=True)
            (ROOT / path).write_text(pages()[path], "utf-8")
        sys.stdout.write(f"{path}\n")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
