"""`rehearse` as a person meets it: each question on a real terminal, answered, misunderstood, and given up."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.test_rehearse import MARK, books, marked, world
from tests.environment import machine
from tests.patience import PATIENCE, wait_for
from tests.world import World, holding

__all__ = ["world"]
_ON_ITS_OWN_TERMINAL = (
    "import fcntl, os, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); os.execv(sys.argv[1], sys.argv[1:])"
)
GO_ON, NAME, IS_IT_THERE = "Go on? [y/N]:", "نامی که نشان می‌دهد", "آیا وجود دارد؟"


class Terminal:
    """`siaghsync ARGS` with a terminal of its own, where Ctrl-C is a signal."""

    def __init__(self, world: World, *args: str) -> None:
        self._master, slave = pty.openpty()
        command = [sys.executable, "-m", "siaghsync", "--env-file", str(world.env_file), *args]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _ON_ITS_OWN_TERMINAL, *command],
            stdin=slave, stdout=slave, stderr=slave, cwd=world.folder, env=machine(), start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        self._seen = 0
        self.text = ""

    def until(self, words: str) -> None:
        """Waits until the terminal shows these words after what was waited for before. Line ends don't count."""
        while (place := self._plain().find(_plain(words), self._seen)) < 0:
            assert self._read(), f"{words!r} did not come:\n{self.text}"
        self._seen = place + len(_plain(words))

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    def answer(self, question: str, keys: str) -> None:
        """Waits for a question and answers it."""
        self.until(question)
        self.type(f"{keys}\n")

    def end(self) -> int:
        """The exit code, once the command has ended by itself."""
        while self._read():
            pass
        return self._process.wait(PATIENCE)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _plain(self) -> str:
        return _plain(self.text)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._master], [], [], PATIENCE)
        assert ready, f"nothing more came:\n{self.text}"
        try:
            came = os.read(self._master, 65536)
        except OSError:  # the other end is closed
            return False
        self.text += came.decode("utf-8", "replace")
        return bool(came)


def _plain(text: str) -> str:
    return "".join(text.split())


@pytest.fixture
def terminal(world: World) -> Iterator[Terminal]:
    found = Terminal(world, "rehearse")
    yield found
    found.close()


def facts(world: World) -> dict[str, Any]:
    document = world.json("check-apis")["facts"]
    return {each["question"]: each["answer"] for each in document if each["how"] == "rehearsal"}


def test_each_step_is_asked_and_each_question_in_both_languages(world: World, terminal: Terminal) -> None:
    before = books(world)
    for written in ("Creates up to four", "Creates one test contact", "Changes the test contact", "Creates a second"):
        terminal.until(written)
        terminal.answer(GO_ON, "y")
    terminal.answer(GO_ON, "maybe")
    terminal.until("invalid input")
    assert not world.finance.preinvoices, "no answer is no yes"
    terminal.answer(GO_ON, "yes")
    terminal.until("Whose name does it show?")
    terminal.until("نام چه کسی روی آن است؟")
    terminal.answer(NAME, marked(world)[0])
    terminal.answer(GO_ON, "y")
    terminal.until("There should be none.")
    terminal.until("نباید چنین پیش‌فاکتوری باشد.")
    terminal.answer(IS_IT_THERE, "شاید")
    terminal.answer(IS_IT_THERE, "خیر")
    assert terminal.end() == 0
    for name in marked(world):
        assert _plain(name) in _plain(terminal.text), "what is left behind is listed"
    assert books(world) == before
    learned = facts(world)
    assert (learned["preinvoice_customer"], learned["script_error_saves_nothing"]) == ("contact", True)
    assert len(learned) == 10


def test_what_is_declined_is_not_written_and_what_nobody_says_stays_open(world: World, terminal: Terminal) -> None:
    for _ in range(4):
        terminal.answer(GO_ON, "")
    assert not marked(world)
    terminal.answer(GO_ON, "y")
    terminal.answer(NAME, "")
    terminal.answer(GO_ON, "y")
    terminal.answer(IS_IT_THERE, "")
    assert terminal.end() == 0
    learned = facts(world)
    assert "preinvoice_customer" not in learned
    assert "script_error_saves_nothing" not in learned
    later = Terminal(world, "rehearse", "--yes", "--only", "crm")
    assert later.end() == 0
    later.close()


def test_it_is_there_after_all(world: World, terminal: Terminal) -> None:
    for _ in range(4):
        terminal.answer(GO_ON, "n")
    terminal.answer(GO_ON, "y")
    terminal.answer(NAME, "بازرگانی دیگر")
    terminal.answer(GO_ON, "y")
    terminal.answer(IS_IT_THERE, "بله")
    assert terminal.end() == 0
    learned = facts(world)
    assert learned["script_error_saves_nothing"] is False
    assert "preinvoice_customer" not in learned, "somebody else's name says nothing"


def test_ctrl_c_while_a_request_is_under_way_waits_for_its_answer(world: World, terminal: Terminal) -> None:
    with holding(world, "SaveFormData/create"):
        terminal.answer(GO_ON, "n")
        terminal.answer(GO_ON, "y")
        wait_for(lambda: world.journal.count("finance", "SaveFormData/create"))
        terminal.type("\x03")
        terminal.until("^C")
    assert terminal.end() == 130
    told = world.run("rehearse", "--yes", "--only", "crm", "--json")
    assert [each["name"] for each in told.json["left_behind"]] == marked(world)
    assert len(marked(world)) == 1


@pytest.mark.parametrize("question", [GO_ON, NAME])
def test_ctrl_c_at_a_question_ends_it_and_keeps_the_list(world: World, terminal: Terminal, question: str) -> None:
    terminal.answer(GO_ON, "n")
    terminal.answer(GO_ON, "y")
    terminal.answer(GO_ON, "n")
    terminal.answer(GO_ON, "n")
    if question == NAME:
        terminal.answer(GO_ON, "y")
    terminal.until(question)
    terminal.type("\x03")
    assert terminal.end() == 130
    (name,) = marked(world)
    told = world.run("rehearse", "--yes", "--only", "crm", "--json")
    assert name in told.stderr
    assert name in str(told.json["left_behind"])
    assert bool(world.finance.preinvoices) == (question == NAME)
    if question == NAME:
        (world.folder / "answers.toml").write_text(f'preinvoice_customer = "{MARK}"', "utf-8")
        settled = world.json("rehearse", "--yes", "--answers", "answers.toml")
        assert {each["question"]: each["answer"] for each in settled["facts"]} == {"preinvoice_customer": "contact"}
