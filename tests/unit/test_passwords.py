"""The hash that Siagh wants, and an env file that is otherwise left as it is."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from io import StringIO
from pathlib import Path

import pytest
from dotenv import dotenv_values
from hypothesis import given, settings
from hypothesis import strategies as st

from siaghsync.errors import SettingsError, UsageError
from siaghsync.messages.catalog import render
from siaghsync.passwords import finance_hash, save_hash

HASH = "0123456789ABCDEF0123456789ABCDEF"
LINE = f"FINANCE_PASSWORD={HASH}"


def test_known_hashes() -> None:
    assert finance_hash("123456") == "E10ADC3949BA59ABBE56E057F20F883E"
    assert finance_hash("") == "D41D8CD98F00B204E9800998ECF8427E"
    assert finance_hash("گذر") == hashlib.md5("گذر".encode()).hexdigest().upper()


def test_a_password_that_is_no_text() -> None:
    with pytest.raises(UsageError) as caught:
        finance_hash("hush\udcff")
    assert "hush" not in render(caught.value.message)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", f"{LINE}\n"),
        ("A=1\n", f"A=1\n{LINE}\n"),
        ("A=1", f"A=1\n{LINE}\n"),
        ("A=1\r\n", f"A=1\r\n{LINE}\r\n"),
        ("A=1\r\nB=2", f"A=1\r\nB=2\r\n{LINE}\r\n"),
        ("# FINANCE_PASSWORD=old\n", f"# FINANCE_PASSWORD=old\n{LINE}\n"),
        ("FINANCE_PASSWORD=old", LINE),
        ("FINANCE_PASSWORD=\n", f"{LINE}\n"),
        ("FINANCE_PASSWORD\nA=1\n", f"{LINE}\nA=1\n"),
        ("FINANCE_PASSWORD # later\n", f"{LINE} # later\n"),
        ("FINANCE_PASSWORD= # later\n", f"{LINE} # later\n"),
        ("FINANCE_PASSWORD=#old\n", f"{LINE}\n"),
        ("FINANCE_PASSWORD=old # the hash\n", f"{LINE} # the hash\n"),
        ("FINANCE_PASSWORD=old#1 2  \n", f"{LINE}  \n"),
        ("FINANCE_PASSWORD='a # b' # c\n", f"{LINE} # c\n"),
        ('FINANCE_PASSWORD = "a # \\" b"\n', f"FINANCE_PASSWORD = {HASH}\n"),
        ("FINANCE_PASSWORD='two\nlines'\nA=1\n", f"{LINE}\nA=1\n"),
        ("FINANCE_PASSWORD='a'#b\n", f"{LINE}\n"),
        ("'FINANCE_PASSWORD'=old\n", f"'FINANCE_PASSWORD'={HASH}\n"),
        ("\n\n  export  FINANCE_PASSWORD=old\r\nA=1\r\n", f"\n\n  export  {LINE}\r\nA=1\r\n"),
        ("FINANCE_PASSWORD=1\nA=1\nFINANCE_PASSWORD=2\n", f"{LINE}\nA=1\n{LINE}\n"),
        ("A='\nFINANCE_PASSWORD=x\n'\n", f"A='\nFINANCE_PASSWORD=x\n'\n{LINE}\n"),
        ("MY_FINANCE_PASSWORD=1\nFINANCE_PASSWORD_2=2\n", f"MY_FINANCE_PASSWORD=1\nFINANCE_PASSWORD_2=2\n{LINE}\n"),
        ('A="broken\n', f'A="broken\n{LINE}\n'),
        ("\ufeffFINANCE_PASSWORD=old\n", f"\ufeff{LINE}\n"),
        ("\ufeff", f"\ufeff{LINE}\n"),
    ],
)  # fmt: skip
def test_only_the_value_is_replaced(tmp_path: Path, old: str, new: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes(old.encode())
    save_hash(file, HASH)
    assert file.read_bytes().decode() == new
    assert dotenv_values(stream=StringIO(new, newline=""))["FINANCE_PASSWORD"] == HASH
    assert list(tmp_path.iterdir()) == [file]


_pieces = st.sampled_from(
    ["A=1", "B='x y'", 'C="\n"', "# c", "", "  ", "FINANCE_PASSWORD=old", "export FINANCE_PASSWORD='o # d' # c"]
)
_ends = st.sampled_from(["\n", "\r\n"])


@settings(deadline=None)
@given(st.lists(st.tuples(_pieces, _ends)), _pieces)
def test_everything_else_stays(lines: list[tuple[str, str]], last: str) -> None:
    old = "".join(piece + end for piece, end in lines) + last
    # Not `tmp_path`: pytest makes that once for all of Hypothesis' examples.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / ".env"
        file.write_bytes(old.encode())
        save_hash(file, HASH)
        new = file.read_bytes().decode()
        save_hash(file, HASH)
        assert file.read_bytes().decode() == new
    expected = old.replace("=old", f"={HASH}").replace("='o # d'", f"={HASH}")
    assert new == expected or (HASH not in expected and new.startswith(expected) and new.strip().endswith(LINE))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_modes(tmp_path: Path) -> None:
    new, old = tmp_path / "new.env", tmp_path / "old.env"
    old.touch()
    old.chmod(0o640)
    for file in (new, old):
        save_hash(file, HASH)
    assert [stat.S_IMODE(file.stat().st_mode) for file in (new, old)] == [0o600, 0o640]


def test_a_symbolic_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "real" / "env", tmp_path / ".env"
    target.parent.mkdir()
    target.write_text("A=1\n")
    link.symlink_to(target)
    save_hash(link, HASH)
    assert link.is_symlink()
    assert target.read_text() == f"A=1\n{LINE}\n"


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / ".env"
    file.write_text("A=1\n")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SettingsError) as caught:
        save_hash(file, HASH)
    assert "no space left" in render(caught.value.message)
    assert file.read_text() == "A=1\n"
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    ("place", "why"),
    [(".", "is not a file"), ("missing/.env", "no such file"), ("utf16.env", "UTF-8")],
)
def test_what_cannot_be_written(tmp_path: Path, place: str, why: str) -> None:
    other = "A=1\n".encode("utf-16")
    (tmp_path / "utf16.env").write_bytes(other)
    with pytest.raises(SettingsError) as caught:
        save_hash(tmp_path / place, HASH)
    assert why in render(caught.value.message)
    assert (tmp_path / "utf16.env").read_bytes() == other
