"""Files for other programs: replaced whole or not at all, private, and no cell that a spreadsheet runs."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path

import pytest

from siaghsync.errors import UsageError
from siaghsync.files import atomic_file, csv_cell, write_csv, write_text_atomic


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_a_file_gets_its_text_and_mode_whatever_the_umask_is(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o666)
    before = os.umask(0o077)
    try:
        write_text_atomic(path, "تازه\n", mode)
    finally:
        os.umask(before)
    assert path.read_bytes().decode() == "تازه\n"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert names(tmp_path) == {"a.txt"}


def test_a_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), atomic_file(path, encoding="ascii") as file:
        file.write("half of the new, then what the encoding can't carry: ی")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"a.txt"}


def test_a_full_disk_is_a_usage_error(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(UsageError) as raised, atomic_file(path):
        raise OSError(28, "No space left on device")
    assert raised.value.message.params == {"path": str(path), "problem": "No space left on device"}
    assert names(tmp_path) == set()


def test_a_symbolic_link_stays_and_leads_to_the_new_text(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real" / "a.txt")
    write_text_atomic(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / "a.txt").read_text() == "new"


def test_what_is_no_regular_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/null")):
        with pytest.raises(UsageError, match=r"file\.not_regular"):
            write_text_atomic(path, "x")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == {"pipe", "folder"}


def test_a_folder_that_is_missing_or_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in ("nowhere", "file"):
        with pytest.raises(UsageError, match=r"file\.not_writable"):
            write_text_atomic(tmp_path / folder / "x", "x")


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "@SUM(1)",
        "+cmd|' /C calc'!A0",
        "-2+3+cmd|' /C calc'!A0",
        "\t=1",
        "\r=1",
        "\n=1",
        "+",
        "-a",
        "-",
        " =1",
        "\ufeff=1",
        "\u200f\u202e=1",
        "＝1",
        "＋a",
        "\xa0@x",
    ],
)
def test_what_a_spreadsheet_would_run_is_disarmed(text: str) -> None:
    assert csv_cell(text) == f"'{text}"


@pytest.mark.parametrize(
    ("text", "disarmed"),
    [
        ('علی;=HYPERLINK("http://example.com";"x")', 'علی;\'=HYPERLINK("http://example.com";"x")'),
        ("=1; @x;-1", "'=1;' @x;-1"),
        ('a;"=1"', 'a;\'"=1"'),
    ],
)
def test_what_begins_behind_a_semicolon_is_disarmed_too(text: str, disarmed: str) -> None:
    assert csv_cell(text) == disarmed


@pytest.mark.parametrize(
    "text",
    [
        "0912;+98 912",
        "a; b; 1-2",
        "+98 912 345 6789",
        "+98 (21) 8888-0000",
        "-300",
        "-301.5",
        "-1,000",
        "1404/09/30",
        "علی = رضا",
        "",
        "'x",
    ],
)
def test_numbers_phones_and_plain_words_stay_as_they_are(text: str) -> None:
    assert csv_cell(text) == text


def test_a_table_opens_in_a_spreadsheet(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows: list[list[object]] = [["علی، رضا", None], ['="x"', 7]]
    write_csv(path, ["name", "number"], iter(rows))
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [["name", "number"], ["علی، رضا", ""], ['\'="x"', "7"]]
