"""Completion of commands and options in the shell, as `--install-completion` sets it up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import machine

BIN = Path(sys.executable).parent
COMPLETE = """
source "$HOME"/.bash_completions/siaghsync.sh
COMP_WORDS=({words}) COMP_CWORD={place}
_siaghsync_completion siaghsync
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

pytestmark = pytest.mark.skipif(not (BIN / "siaghsync").exists(), reason="the command is not installed beside Python")


def bash(script: str, home: Path) -> str:
    environ = {**machine(), "HOME": str(home), "PATH": f"{BIN}:{os.environ['PATH']}", "SHELL": "/bin/bash"}
    shell = shutil.which("bash") or "/bin/bash"
    ended = subprocess.run([shell, "-c", script], env=environ, cwd=home, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert not ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which the completion has been installed."""
    folder = tmp_path_factory.mktemp("home")
    assert "installed" in bash("siaghsync --install-completion; exit $?", folder)
    assert "siaghsync.sh" in (folder / ".bashrc").read_text()
    return folder


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("siaghsync re", {"rehearse", "report", "review"}),
        ("siaghsync review re", {"reopen", "resolve"}),
        ("siaghsync sync --save", {"--save-plan"}),
        ("siaghsync sync --only c", {"customers"}),
    ],
)
def test_words_are_completed(home: Path, words: str, found: set[str]) -> None:
    script = COMPLETE.format(words=words, place=len(words.split()) - 1)
    assert {word.strip() for word in bash(script, home).split()} == found


def test_it_can_be_shown_without_being_installed(tmp_path: Path) -> None:
    assert "_siaghsync_completion" in bash("siaghsync --show-completion; exit $?", tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_other_shells_have_theirs(tmp_path: Path, shell: str) -> None:
    assert "siaghsync" in bash(f"_SIAGHSYNC_COMPLETE=source_{shell} siaghsync", tmp_path)
