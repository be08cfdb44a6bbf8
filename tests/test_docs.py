"""The pages of docs/ are what the program says, and every command line in them is one that it takes."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from siaghsync.cli.app import common
from siaghsync.domain.reasons import Reason
from siaghsync.features.notifications.metrics import Figures, metrics_text
from siaghsync.messages.catalog import chapter
from siaghsync.sandbox.switches import CrmSwitches, FinanceSwitches

ROOT = Path(__file__).parent.parent


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", ROOT / "docs" / "generate.py")
    assert spec
    assert spec.loader
    module = sys.modules["generate_docs"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATOR = _generator()
PAGES: dict[str, str] = GENERATOR.pages()
WRITTEN = [
    "README.md", "crontab.example", ".env.example",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*")) if path.is_file()),
]  # fmt: skip


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_what_the_program_says(page: str) -> None:
    assert (ROOT / page).exists(), "run `python docs/generate.py`"
    assert read(page) == PAGES[page], "run `python docs/generate.py`"


def test_a_page_that_lags_behind_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GENERATOR, "ROOT", tmp_path)
    (tmp_path / "docs" / "fa").mkdir(parents=True)
    (tmp_path / "docs/fa/decisions.md").write_text(read("docs/fa/decisions.md"), "utf-8")
    assert GENERATOR.main(["--check"]) == 1
    assert not (tmp_path / "docs" / "errors.md").exists()
    assert GENERATOR.main([]) == 0
    assert GENERATOR.main(["--check"]) == 0
    assert {path: (tmp_path / path).read_text("utf-8") for path in PAGES} == PAGES


@pytest.mark.parametrize("page", ["docs/errors.md", "docs/fa/errors.md"])
def test_every_reason_is_explained(page: str) -> None:
    assert not [reason for reason in Reason if f"\n### `{reason}`\n" not in PAGES[page]]


def test_the_readme_tells_the_same_exit_codes() -> None:
    table = [f"| {key.replace('_', ', ')} | {entry.text['en']} |" for key, entry in chapter("exit").items()]
    assert "\n".join(table) in read("README.md")


# --- Persian pages -----------------------------------------------------------------------------------------

_BLOCK = re.compile("```.*?```", re.DOTALL)


def oddities(text: str) -> list[str]:
    """What a Persian page does not do: a missing half-space, Latin letters or punctuation, code that begins at the wrong end."""
    spans = _BLOCK.sub("", text)
    bare = re.sub("`[^`\n]*`|<!--.*?-->", "", spans)
    return [
        *re.findall(r"(?<!\w)ن?می \w+", bare),
        *re.findall(r"\w+ (?:ها|های|هایی|تر|ترین)(?!\w)", bare),
        *re.findall(r"[آ-ی] *[,;?](?!\w)", bare),
        *re.findall(r"[يك](?=\w)|(?<=\w)[يك]", bare),
        *re.findall(r"(?<=[^\w`\u200e])`[-./][^`\n]*`", spans),
    ]


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.startswith("docs/fa/")])
def test_a_persian_page_runs_from_right_to_left_and_its_code_from_left_to_right(name: str) -> None:
    text = read(name)
    assert text.startswith('<div dir="rtl">\n')
    assert text.count('<div dir="ltr">\n\n```') == len(_BLOCK.findall(text)) == text.count("</div>") - 1
    assert oddities(text) == []


@pytest.mark.parametrize("text", ["می رود", "نامه ها", "بله, نه", "كد", "با `--force`"])
def test_what_is_odd_on_a_persian_page_is_noticed(text: str) -> None:
    assert len(oddities(text)) == 1


# --- command lines -----------------------------------------------------------------------------------------

COMMANDS = {
    each.path.removeprefix("siaghsync "): {word for one in GENERATOR.parameters(each.callback) for word in one.words}
    for each in GENERATOR.declared()
}
COMMON = {word for each in GENERATOR.parameters(common) for word in each.words}
COMMON |= {"--help", "--install-completion", "--show-completion"}
GROUPS = {"report", "review"}
_LINE = re.compile(r"(?:^\s*|&& |; |\bsh |bin/|Scripts\\)siaghsync(?:\.exe)?((?: +[^\s`|;&>)\"']+)+)", re.MULTILINE)


def command_lines(text: str) -> Iterator[str]:
    """What stands behind `siaghsync` wherever a command is meant, in code and not in prose; also `sync --full` alone."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", text, re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^ *```.*?^ *```", "", text, flags=re.MULTILINE | re.DOTALL))
    for code in (*blocks, *spans):
        for found in _LINE.finditer(re.sub(r"(?m)(^|\s)#.*$", "", code)):
            yield found[1]
    yield from (span for span in spans if span.partition(" ")[0] in {*COMMANDS, *GROUPS} and " --" in span)


def wrong(line: str) -> str | None:
    """What is wrong with a command line, or None."""
    words = [
        word.rstrip(".,:") for word in shlex.split(line) if word not in ("[OPTIONS]", "COMMAND", "[COMMAND]", "...")
    ]
    rest = list(words)
    while rest and rest[0].startswith("-"):
        option, sign, _ = rest.pop(0).partition("=")
        if option not in COMMON:
            return f"{option} is no option of siaghsync"
        if option in ("--env-file", "--state") and not sign and rest:
            rest.pop(0)
    if not rest:
        return None
    name = " ".join(rest[:2]) if " ".join(rest[:2]) in COMMANDS else rest[0]
    if name not in COMMANDS and name not in GROUPS:
        return f"there is no command {name}"
    for word in rest:
        option = word.strip("[]").partition("=")[0]
        if option.startswith("--") and option not in COMMANDS.get(name, set()) | {"--help"}:
            return f"{name} has no option {option}"
    return None


@pytest.mark.parametrize(
    "name", [name for name in WRITTEN if name.endswith((".md", ".service", ".timer", ".example", ".yaml"))]
)
def test_each_command_line_is_one_that_the_program_takes(name: str) -> None:
    text = read(name) if name.endswith(".md") else f"```\n{read(name)}\n```"
    found = {line: wrong(line) for line in command_lines(text)}
    assert {line: why for line, why in found.items() if why} == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("`siaghsync snyc`", "there is no command snyc"),
        ("`siaghsync sync --fast`", "sync has no option --fast"),
        ("`siaghsync --fast sync`", "--fast is no option of siaghsync"),
        ("`status --quick`", "status has no option --quick"),
        (
            "```sh\ncd x && siaghsync --env-file a/.env report invoices --years 1\n```",
            "report invoices has no option --years",
        ),
        ("`siaghsync review resolve 7 --drop`", "review resolve has no option --drop"),
    ],
)
def test_a_wrong_command_line_is_noticed(text: str, why: str) -> None:
    (line,) = command_lines(text)
    assert (wrong(line) or "").startswith(why)


def test_commands_are_found_where_they_stand() -> None:
    text = "siaghsync keeps books.\n\n`status` and `siaghsync log --failed`\n```\nsiaghsync sync  # and siaghsync no\n```\n"
    text += "`sync --full`"
    assert sorted(line.strip() for line in command_lines(text)) == ["log --failed", "sync", "sync --full"]
    assert len([line for name in WRITTEN if name.endswith(".md") for line in command_lines(read(name))]) > 60


# --- the sandbox -------------------------------------------------------------------------------------------


def test_each_switch_is_in_the_table_of_tests_and_has_one() -> None:
    table = read("docs/sandbox.md").partition("## Tests of both positions")[2]
    rows = dict(re.findall(r"^\| `(\w+\.\w+)` \|.*\| ([^|]*) \|$", table, re.MULTILINE))
    systems = {"crm": CrmSwitches, "finance": FinanceSwitches}
    assert rows.keys() == {f"{name}.{each.name}" for name, switches in systems.items() for each in fields(switches)}
    assert [name for name, tests in rows.items() if not tests.strip()] == []


# --- facts that nobody has seen for sure -------------------------------------------------------------------

STRENGTHS = {"assumed", "vendor", "claimed"}
SWITCHES = {
    f"{system}.{each.name}"
    for system, table in (("crm", CrmSwitches), ("finance", FinanceSwitches))
    for each in fields(table)
}
_PLAIN = ("not used", "the story", "the story with other codes")


def facts(text: str) -> list[list[str]]:
    """The rows of a page: fact, section, strength, switch, tests if it holds, tests if it does not."""
    return [line.strip("| ").split(" | ") for line in text.splitlines() if " | §" in line and "| fact |" not in line]


@cache
def functions_of(path: str) -> set[str]:
    """The functions of a module; none if there is no such file."""
    tree = ast.parse(read(path) if (ROOT / path).is_file() else "")
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def exists(named: str) -> bool:
    """Whether a test function is there, by its file and name in backticks."""
    path, _, name = named.strip("`").partition("::")
    return name in functions_of(path)


def unknown(row: Sequence[str]) -> Iterator[str]:
    """What a row names that does not exist."""
    _, _, strength, switch, *both = row
    names = [] if switch.startswith("none: ") else switch.replace("`", "").split(", ")
    yield from ({strength} - STRENGTHS) | (set(names) - SWITCHES)
    positions = {each for name in names for each in GENERATOR.story_positions(*name.split("."))}
    for named in (each for cell in both for each in re.split(r", (?=`tests/|the story)", cell)):
        is_position = named.removeprefix("the story with ") in positions
        if not (named in _PLAIN or is_position or exists(named)):
            yield named


def test_what_the_page_of_unproven_facts_names_exists() -> None:
    text = read("docs/unproven-facts.md")
    assert len(facts(text)) > 70
    assert {row[0]: wrong for row in facts(text) if (wrong := list(unknown(row)))} == {}
    assert [named for named in re.findall(r"`tests/[^`]+::[^`]+`", text) if not exists(named)] == []


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("| A. | §1 | seen | none: x | not used | not used |", "seen"),
        ("| A. | §1 | vendor | `crm.page_gap` | not used | not used |", "crm.page_gap"),
        ("| A. | §1 | vendor | `finance.page_cap` | not used | not used |", "finance.page_cap"),
        ("| A. | §1 | vendor | `crm.page_cap` | the story with `3` | not used |", "the story with `3`"),
        ("| A. | §1 | vendor | none: x | `tests/test_docs.py::test_none` | not used |", "`tests/test_docs.py::test_none`"),
        ("| A. | §1 | vendor | none: x | not used | `tests/test_no.py::test_a` |", "`tests/test_no.py::test_a`"),
        ("| A. | §1 | vendor | none: x | not used | some test |", "some test"),
    ],
)  # fmt: skip
def test_a_row_that_names_what_does_not_exist_is_noticed(row: str, what: str) -> None:
    (found,) = facts(row)
    assert list(unknown(found)) == [what]


# --- running it --------------------------------------------------------------------------------------------


def test_the_rules_for_prometheus_name_figures_that_exist() -> None:
    told = metrics_text(Figures({("sync", "ok"): 1}, "sync", 1.0, {}, 0, 0, 1.0, {}, {}))
    named = set(re.findall(r"\bsiaghsync_\w+", read("docs/running.md")))
    assert len(named) >= 2
    assert named <= set(re.findall(r"^# TYPE (\w+)", told, re.MULTILINE))


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in (ROOT / "docs" / "systemd").iterdir():
        (tmp_path / unit.name).write_text(unit.read_text("utf-8").replace("/opt/siaghsync", str(tmp_path)), "utf-8")
    command = tmp_path / ".venv" / "bin" / "siaghsync"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\n", "utf-8")
    command.chmod(0o755)
    call = ["systemd-analyze", "verify", *(str(tmp_path / unit.name) for unit in (ROOT / "docs" / "systemd").iterdir())]
    ended = subprocess.run(call, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


# --- links -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in WRITTEN if name.endswith(".md")])
def test_links_lead_to_files_and_headings_that_exist(name: str) -> None:
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", read(name)):
        path, _, heading = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        if heading:
            heads = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
            assert heading in slugs, link
