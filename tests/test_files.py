"""Files for other programs: replaced whole or not at all, private, and no cell that a spreadsheet runs."""

from __future__ import annotations

import csv
import os
import stat
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.errors import UsageError
from siaghsync.files import atomic_file, csv_cell, spelled, write_csv, write_text_atomic


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


NAMES = st.text("aZ0.-_ یک", min_size=1, max_size=8).filter(lambda name: name.strip(". ") == name)
FOLDERS = st.lists(NAMES, max_size=3)


@given(FOLDERS, NAMES, st.sampled_from(["C:/", "//host/share/"]), st.text(". ", max_size=3), st.booleans())
def test_on_windows_a_file_is_the_same_in_every_spelling(
    folders: list[str], name: str, root: str, end: str, is_upper: bool
) -> None:
    path = PureWindowsPath(root, *folders, name)
    other = str(path).replace("\\", "/") + end
    other = other.upper() if is_upper else other.lower()
    assert spelled(PureWindowsPath(other)) == spelled(path) == path
    assert spelled(spelled(path)) == spelled(path)


@given(FOLDERS, NAMES, NAMES)
def test_on_windows_other_names_are_other_files(folders: list[str], one: str, other: str) -> None:
    paths = [PureWindowsPath("C:/", *folders, name) for name in (one, other)]
    assert (spelled(paths[0]) == spelled(paths[1])) == (one.lower() == other.lower())


@given(FOLDERS, NAMES)
def test_elsewhere_a_name_is_what_it_is(folders: list[str], name: str) -> None:
    path = PurePosixPath("/", *folders, name)
    assert spelled(path) is path


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
