"""The wheel holds all that the program needs beside its code."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="the build backend is not installed here")
def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    call = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(call, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name.endswith("-py3-none-any.whl"), "one wheel for every system"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "siaghsync"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    tracked = set(filter(None, listed.split("\0")))
    assert {Path(name).suffix for name in tracked} >= {".html", ".css", ".js", ".toml", ".typed"}
    with zipfile.ZipFile(wheel) as content:
        assert tracked - set(content.namelist()) == set()
        (points,) = (name for name in content.namelist() if name.endswith("entry_points.txt"))
        assert "siaghsync = siaghsync.__main__:main" in content.read(points).decode()
