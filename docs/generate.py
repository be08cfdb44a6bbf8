"""Writes the pages of docs/ that are made from the program: commands, settings, errors, fields. `--check` only compares.

.venv/bin/python docs/generate.py
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import EnumType
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from pydantic import SecretStr
from typer.models import ArgumentInfo, OptionInfo

from siaghsync import errors
from siaghsync.cli.app import COMMANDS, PANELS, common
from siaghsync.domain.fields import TABLE, FieldKind
from siaghsync.domain.reasons import Reason, Resolution
from siaghsync.messages.catalog import Entry, Language, chapter, find, render, title
from siaghsync.sandbox import control, switches
from siaghsync.settings import Settings, requirement
from siaghsync.state.reviews import ways_out
from siaghsync.web.reviews import way_text

ROOT = Path(__file__).parent.parent
TESTS = ROOT / "tests"
NOTE = "<!-- Made from the program by docs/generate.py. Change the program, then run that. -->"
_LTR = "\u200e"
_VALUES = {"link": " CODE", "posted": " NUMBER"}
Lines = Iterator[str]


def pages() -> dict[str, str]:
    """Path from the root of the repository -> text."""
    return {
        "docs/commands.md": _page(_commands()),
        ".env.example": _env_example(),
        "docs/settings.md": _page(_settings("en")),
        "docs/fa/settings.md": _rtl(_settings("fa")),
        "docs/fields.md": _page(_fields()),
        "docs/sandbox.md": _page(_sandbox()),
        "docs/errors.md": _page(_errors("en")),
        "docs/fa/errors.md": _rtl(_errors("fa")),
        "docs/fa/decisions.md": _decisions(),
    }


def _page(lines: Lines) -> str:
    first, *rest = lines
    return "\n".join([first, "", NOTE, *rest]) + "\n"


def _rtl(lines: Lines) -> str:
    """A Persian page. A mark keeps code that begins or ends with a sign from being shown the wrong way round."""
    return f'<div dir="rtl">\n\n{_in_order(_page(lines))}\n</div>\n'


def _in_order(text: str) -> str:
    def marked(span: re.Match[str]) -> str:
        code = span[0]
        return f"{_LTR if code[1] in '-./[' else ''}{code}{_LTR if code[-2] in ']>*/.' else ''}"

    return re.sub(r"`[^`\n]+`", marked, text.replace(f"{_LTR}`", "`"))


def _table(heads: Sequence[str], rows: Iterator[Sequence[str]]) -> Lines:
    yield from ("", f"| {' | '.join(heads)} |", f"| {' | '.join('---' for _ in heads)} |")
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


# --- commands ----------------------------------------------------------------------------------------------
# Read from our own declarations, and not from what typer makes of them: that changes with its version and the terminal.


def _commands() -> Lines:
    yield "# Commands"
    yield from ("", "`siaghsync [OPTIONS] COMMAND`. These options stand before the command:")
    yield from _options(common)
    yield ""
    yield "`--install-completion` adds the completion of commands and options to your shell, `--show-completion` prints it."
    for panel in PANELS:
        names = ", ".join(f"`{each.name}`" for each in COMMANDS.values() if each.panel == panel)
        yield from ("", f"{panel}: {names}.")
    for command in sorted(declared(), key=lambda each: each.path):
        found = list(parameters(command.callback))
        own = [_written(p) for p in found if not p.is_option]
        options = ["[OPTIONS]"] if any(p.is_option for p in found) else []
        usage = " ".join([command.path, *options, *own, *(["[COMMAND]"] if command.is_group else [])])
        yield from ("", f"## {command.path}", "", f"`{usage}`", "", command.help)
        yield from _options(command.callback)
    yield from ("", "## Exit codes")
    yield from _exit_codes("en", "exit code", "means")


def _exit_codes(language: Language, code: str, means: str) -> Lines:
    rows = ((key.replace("_", ", "), entry.text[language]) for key, entry in chapter("exit").items())
    yield from _table((code, means), rows)


@dataclass(frozen=True)
class Declared:
    """A command, or a group that does something by itself. `path` is how it is called."""

    path: str
    callback: Callable[..., Any]
    help: str
    is_group: bool


def declared() -> Iterator[Declared]:
    """Every command of the program."""
    for listed in COMMANDS.values():
        app, path = import_module(listed.module).app, f"siaghsync {listed.name}"
        group = app.registered_callback
        if group:
            yield Declared(path, group.callback, listed.help, True)
        for command in app.registered_commands:
            callback = command.callback
            text = " ".join((callback.__doc__ or "").split())
            name = command.name or callback.__name__
            yield (
                Declared(f"{path} {name}", callback, text, False)
                if group
                else Declared(path, callback, listed.help, False)
            )


@dataclass(frozen=True)
class Parameter:
    """One argument or option of a command; `words` is how it is written, `value` what stands behind it."""

    words: tuple[str, ...]
    is_option: bool
    value: str
    help: str
    default: Any


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


_ENV_EXAMPLE = """\
# Settings of siaghsync. Copy this file to `.env` and fill in the first six; all others have good defaults.
# A value with spaces, quotes or # goes between single quotes. Environment variables win over this file.
"""
_SETTINGS_WORDS: Mapping[Language, Sequence[str]] = {
    "en": (
        "# Settings",
        "They are in the file `.env` or in the environment, which wins. `.env.example` is the file to begin with.",
        "setting", "default", "what it is", "must be",
    ),
    "fa": (
        "# تنظیمات",
        "تنظیمات در فایل `.env` یا در متغیرهای محیط نوشته می‌شوند؛ متغیر محیط بر فایل مقدم است. برای آغاز، از فایل `.env.example` "
        "نسخه‌ای با نام `.env` بسازید.",
        "تنظیم", "پیش‌فرض", "شرح", "مقدار مجاز",
    ),
}  # fmt: skip


def _setting_sections() -> Iterator[tuple[Entry, list[tuple[str, Entry]]]]:
    """(heading, its settings with their explanations), in the order of the catalog."""
    found = chapter("env_file")
    starts = [*(place for place, key in enumerate(found) if key.startswith("head_")), len(found)]
    for start, end in pairwise(starts):
        (_, heading), *settings = list(found.items())[start:end]
        yield heading, settings


def _default(name: str) -> str:
    """The default of a setting as it is written in an env file."""
    field = Settings.model_fields[name]
    if field.is_required() or field.default is None or isinstance(field.default, SecretStr):
        return ""
    if isinstance(field.default, bool):
        return str(field.default).lower()
    return ",".join(field.default) if isinstance(field.default, tuple) else str(field.default)


def _env_example() -> str:
    lines = [_ENV_EXAMPLE]
    for heading, settings in _setting_sections():
        lines.append(f"# --- {heading.text['en'].lower()} ---\n")
        for name, entry in settings:
            lines += [f"# {line}" for line in wrap(entry.text["en"], 120)]
            mark = "" if Settings.model_fields[name].is_required() else "#"
            lines.append(f"{mark}{name.upper()}={_default(name)}")
        lines.append("")
    return "\n".join(lines)


def _settings(language: Language) -> Lines:
    title_line, intro, *heads = _SETTINGS_WORDS[language]
    yield from (title_line, "", intro)
    for heading, settings in _setting_sections():
        yield from ("", f"## {heading.text[language]}")
        rows = (
            (
                f"`{name.upper()}`", f"`{_default(name)}`" if _default(name) else "", entry.text[language],
                render(requirement(name), language),
            )
            for name, entry in settings
        )  # fmt: skip
        yield from _table(heads, rows)


# --- fields ------------------------------------------------------------------------------------------------

_KINDS: Mapping[FieldKind, str] = {
    FieldKind.TEXT: "a text",
    FieldKind.DIGITS: "a code, written with ASCII digits",
    FieldKind.NATIONAL_CODE: "a national code or legal id, compared without leading zeros",
    FieldKind.PHONE: "a phone number, compared without country code",
    FieldKind.CHOICE: "a flag of Siagh: `1` or `0`",
    FieldKind.GENDER: "`1` male, `0` female; words in the CRM",
    FieldKind.PLACE: "Siagh's code of a place; its name in the CRM (docs/mapping.md)",
    FieldKind.NOTES: "a text; its last part may be the mark `[CRM <number>]`",
}


def _fields() -> Lines:
    yield "# Fields"
    yield from (
        "",
        "The fields of a customer that both systems have, from the table in `siaghsync/domain/fields.py`. *In the form* is the",
    )
    yield "key of Siagh's form and of `fields` in JSON output, *in the list* the property of Siagh's list of contacts (in lower"
    yield "case), *in the CRM* the property of Payamgostar's record; `-` there means that the value is made of more than one"
    yield "property, or that the system does not have it."
    heads = ("field", "English", "Persian", "in the form", "in the list", "in the CRM", "kind")
    rows = (
        (
            f"`{row.name}`", title(f"field.{row.name}"), title(f"field.{row.name}", "fa"), f"`{row.finance_key}`",
            _property(row.finance_property), _property(row.crm_property), _KINDS[row.kind],
        )
        for row in TABLE
    )  # fmt: skip
    yield from _table(heads, rows)


def _property(name: str | None) -> str:
    return f"`{name}`" if name else "-"


# --- the sandbox -------------------------------------------------------------------------------------------


def _sandbox() -> Lines:
    yield "# The sandbox"
    yield ""
    yield "`siaghsync sandbox` serves a stand-in of Payamgostar and Siagh on 127.0.0.1, for trying things out and for the tests."
    yield "It answers as live servers were seen to answer and takes every request that they took. What nobody has seen for sure"
    yield "is a switch with each position. A test sets it in the process (`sandbox.crm.page_cap = 50`), a person through the"
    yield "control door, on either port:"
    yield from ("", "```", *_control_door(), "```")
    for table, heading in (
        (switches.CrmSwitches, "Payamgostar: `crm`"),
        (switches.FinanceSwitches, "Siagh: `finance`"),
    ):
        yield from ("", f"## {heading}", "", "Sections (§) are those of this system's wire contract.")
        rows = ((f"`{each.name}`", each.positions, each.usual, each.says) for each in _switches(table))
        yield from _table(("switch", "positions", "from the start", "what it says"), rows)
    yield from (
        "",
        "## Tests of both positions",
        "",
        f"`tests/{STORY}` runs the same story, an import, edits and documents, with",
    )
    yield "each switch as it is from the start and in the positions below. The other tests set the switch as well."
    yield "[unproven-facts.md](unproven-facts.md) goes by the facts: it names the tests of both possibilities of each."
    for table, system in ((switches.CrmSwitches, "crm"), (switches.FinanceSwitches, "finance")):
        tested = (
            (
                f"`{system}.{each.name}`",
                ", ".join(story_positions(system, each.name)),
                ", ".join(tests_of(system, each.name)),
            )
            for each in _switches(table)
        )
        yield from _table(("switch", "the story's positions", "other tests"), tested)


STORY = "engine/test_both_positions.py"
_ABOUT_SWITCHES = (
    "contract/test_crm_switches.py", "contract/test_finance_switches.py", "contract/test_sandbox.py", "cli/test_rehearse.py",
    "engine/test_altered_values.py", "engine/test_clocks.py", "engine/test_customer_code.py", "engine/test_documents.py",
    "engine/test_finding.py", "engine/test_taken_phones.py", "features/test_check_apis.py", "web/test_webhooks.py",
)  # fmt: skip


def story_positions(system: str, switch: str) -> Lines:
    """The positions of one switch in which the story is run besides the usual one."""
    for node in ast.parse((TESTS / STORY).read_text("utf-8")).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == system.upper() and node.value:
            positions = [value for name, value in ast.literal_eval(node.value) if name == switch]
            yield from (f"`{sorted(each) if isinstance(each, set) else each}`" for each in positions)


def tests_of(system: str, switch: str) -> Lines:
    """The test modules about one switch, without the story."""
    for name in _ABOUT_SWITCHES:
        if re.search(rf'\b{system}\.{switch}\b|"{switch}"', (TESTS / name).read_text("utf-8")):
            yield f"`{name}`"


def _control_door() -> Lines:
    text = inspect.cleandoc(control.__doc__ or "").split("\n\n")
    yield from inspect.cleandoc(text[1]).splitlines()


@dataclass(frozen=True)
class Switch:
    """One row of the table of switches."""

    name: str
    positions: str
    usual: str
    says: str


def _switches(table: type) -> Iterator[Switch]:
    tree = ast.parse(inspect.cleandoc(inspect.getsource(table))).body[0]
    assert isinstance(tree, ast.ClassDef)
    kinds, usual = get_type_hints(table), table()
    for field, text in pairwise(tree.body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            assert isinstance(text, ast.Expr), field.target.id
            assert isinstance(text.value, ast.Constant), field.target.id
            name = field.target.id
            yield Switch(name, _positions(kinds[name]), _shown(getattr(usual, name)), str(text.value.value))


def _positions(kind: Any) -> str:
    if values := [value for value in get_args(kind) if isinstance(value, str)]:
        return ", ".join(f"`{value}`" for value in values)
    optional = " or none" if type(None) in get_args(kind) else ""
    names = {bool: "true, false", int: "a number", float: "a number", str: "a text"}
    for part in (kind, *get_args(kind)):
        if part in names and get_origin(kind) not in (set, tuple, dict):
            return f"{names[part]}{optional}"
    return f"{'numbers by name' if get_origin(kind) is dict else 'a list of names'}{optional}"


def _shown(value: object) -> str:
    if isinstance(value, set | tuple):
        return ", ".join(f"`{each}`" for each in sorted(value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {number}" for name, number in value.items()) or "none"
    return "none" if value in ("", None) else str(value).lower() if isinstance(value, bool) else f"`{value}`"


# --- errors ------------------------------------------------------------------------------------------------

_WORDS: Mapping[str, Mapping[str, str]] = {
    "title": {"en": "Errors, questions and waits", "fa": "خطاها، پرسش‌ها و انتظارها"},
    "intro": {
        "en": "Whatever goes wrong, waits or is passed over on purpose has a stable word: in brackets on the terminal, in JSON, "
        "and on the page of each item in the dashboard. This page tells what each means, why it comes about, and what to do. "
        "What Siagh or the CRM itself said is shown beside it in their own words. Words in *italics* are filled in.",
        "fa": "هر چیزی که نادرست شود، منتظر بماند یا عمداً کنار گذاشته شود واژه‌ای ثابت دارد: در پرانتز روی ترمینال، در JSON، و "
        "در صفحهٔ هر مورد در داشبورد. این صفحه معنی، علت و چارهٔ هر یک را می‌گوید. پیام خود سیاق یا CRM در کنار آن به زبان خودش "
        "نشان داده می‌شود. عبارت‌های *مورب* هنگام اجرا با مقدار واقعی پر می‌شوند.",
    },
    "why": {"en": "Why", "fa": "علت"},
    "cure": {"en": "What to do", "fa": "چاره"},
    "ways": {"en": "Ways out", "fa": "راه‌ها"},
    "exit": {"en": "Exit code", "fa": "کد خروج"},
    "means": {"en": "means", "fa": "یعنی"},
    "exits": {"en": "Exit codes", "fa": "کدهای خروج"},
    "kinds": {"en": "A command that could not do its work (`error.kind`)", "fa": "دستوری که به آخر نرسید (`error.kind`)"},
    "customers": {"en": "Questions about a customer", "fa": "پرسش دربارهٔ مشتری"},
    "documents": {"en": "Questions about a quote or an invoice", "fa": "پرسش دربارهٔ پیش‌فاکتور یا فاکتور"},
    "skips": {"en": "Passed over on purpose; not a failure", "fa": "عمداً کنار گذاشته شده؛ خطا نیست"},
    "waits": {"en": "Waiting", "fa": "منتظر"},
    "calls": {"en": "A request that failed", "fa": "درخواستی که انجام نشد"},
    "diagnoses": {"en": "What `check-apis` finds out", "fa": "تشخیص‌های `check-apis`"},
    "warnings": {"en": "What `check-apis` warns of", "fa": "هشدارهای `check-apis`"},
}  # fmt: skip
_REASON_GROUPS = {
    "customers": Reason.STRANGER, "documents": Reason.MAY_BE_POSTED, "skips": Reason.NO_NUMBER, "waits": Reason.WEBHOOK,
}  # fmt: skip
"""The sections of the reasons, each with its first one; it ends before the first one of the next."""


_PLACE = re.compile(r"{(\w+)(?::(\w+))?}")
_PLAIN_FORMS = (None, "count", "amount", "time", "day", "lines")


def _italic(place: re.Match[str]) -> str:
    """What a place of a sentence is filled in with: `{system:address}` is an address, `{at:time}` an `at`."""
    return f"*{place[1] if place[2] in _PLAIN_FORMS else place[2]}*"


def _sections() -> Iterator[tuple[str, Mapping[str, Entry]]]:
    """(name, word -> entry). An entry without causes is a text only, and not explained."""
    yield "kinds", _explained_entries("error")
    reasons = list(Reason)
    ends = [*map(reasons.index, _REASON_GROUPS.values()), len(reasons)]
    for name, (start, end) in zip(_REASON_GROUPS, pairwise(ends), strict=True):
        yield name, {word: _reason(word) for word in reasons[start:end]}
    for name, its_chapter in (("calls", "call"), ("diagnoses", "check"), ("warnings", "warning")):
        yield name, _explained_entries(its_chapter)


def _explained_entries(name: str) -> Mapping[str, Entry]:
    return {word: entry for word, entry in chapter(name).items() if entry.causes}


def _reason(word: str) -> Entry:
    found = find(f"reason.{word}")
    assert found, f"the catalog has no entry reason.{word}"
    return found


def _errors(language: Language) -> Lines:
    def say(texts: Mapping[str, str]) -> str:
        return _PLACE.sub(_italic, texts[language]).strip()

    yield f"# {say(_WORDS['title'])}"
    yield from ("", say(_WORDS["intro"]), "", f"## {say(_WORDS['exits'])}")
    yield from _exit_codes(language, say(_WORDS["exit"]), say(_WORDS["means"]))
    for name, entries in _sections():
        yield from ("", f"## {say(_WORDS[name])}")
        for word, entry in entries.items():
            yield from ("", f"### `{word}`", "", f"**{_heading(say(entry.title or entry.text))}.**", "")
            yield from [f"- {say(_WORDS['why'])}: {say(cause)}" for cause in entry.causes]
            yield from [f"- {say(_WORDS['cure'])}: {say(entry.cure)}"] if entry.cure else []
            yield from [f"- {say(_WORDS['ways'])}: {ways}" for ways in _ways(name, word)]
            yield from [f"- {say(_WORDS['exit'])}: {code}" for code in _exit_code(name, word)]


def _heading(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(".")


_ENTITIES = {"customers": "customer", "documents": "invoice"}


def _ways_of(section: str, word: str) -> tuple[Resolution, ...]:
    return () if section not in _ENTITIES or word.startswith("same_as_") else ways_out(_ENTITIES[section], word)


def _ways(section: str, word: str) -> list[str]:
    ways = _ways_of(section, word)
    return ["، ".join(f"`--{way}{_VALUES.get(way, '')}`" for way in ways)] if ways else []


def _decisions() -> str:
    """The page about decisions, with its tables made anew; what stands around them is written by hand."""
    text = (ROOT / "docs/fa/decisions.md").read_text("utf-8")
    tables = {"ways": _ways_table(), "customers": _questions("customers"), "documents": _questions("documents")}

    def filled(place: re.Match[str]) -> str:
        return f"<!-- {place[1]}: docs/generate.py -->\n{_in_order(chr(10).join(tables[place[1]]))}\n\n<!-- end -->"

    return re.sub(r"<!-- (\w+): docs/generate.py -->.*?<!-- end -->", filled, text, flags=re.DOTALL)


def _ways_table() -> Lines:
    """Each button about a question, its option on the command line, and what it does."""
    rows = {}
    for section, reasons in _sections():
        for word in reasons if section in _ENTITIES else ():
            for way in _ways_of(section, word):
                text = way_text(word, way)
                hint = title(f"web.{text}_hint", "fa")
                rows[text] = (title(f"web.{text}", "fa"), f"`--{way}{_VALUES.get(way, '')}`", hint)
    yield from _table(("دکمه", "در خط فرمان", "کار"), iter(rows.values()))


def _questions(section: str) -> Lines:
    """Each question: what it means, why it comes about, what to look for and which button to take."""
    rows = []
    of_both = {Reason.UNKNOWN_OUTCOME: _reason(Reason.UNKNOWN_OUTCOME)}
    for word, entry in (of_both | dict(dict(_sections())[section])).items():
        buttons = "، ".join(f"«{title(f'web.{way_text(word, way)}', 'fa')}»" for way in _ways_of(section, word))
        if buttons:
            causes = "<br>".join(cause["fa"] for cause in entry.causes)
            rows.append((f"**{entry.title['fa']}**<br>`{word}`", causes, entry.cure["fa"], buttons))
    yield from _table(("پرسش", "علت احتمالی", "چه کنید", "دکمه‌ها"), iter(rows))


def _exit_code(section: str, word: str) -> list[str]:
    """A bug has no error class, an interruption's code depends on the signal, and the demo ends as its commands do."""
    codes = {
        **{kind: str(code) for kind, code in _kinds(errors.SiaghsyncError)},
        "bug": "70",
        "interrupted": "130, 143",
    }
    return [codes[word]] if section == "kinds" and word != "error" else []


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
