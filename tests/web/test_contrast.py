"""The colours of the style sheet: text stands out from what is behind it (WCAG AA: 4.5 to 1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import siaghsync.web as web

SHEET = (Path(web.__file__).parent / "static" / "site.css").read_text("utf-8")
COLOURS = dict(re.findall(r"--([\w-]+): (#\w{3,6});", SHEET))
PAIRS = [
    ("ink", "paper"), ("ink", "ground"), ("soft", "paper"), ("soft", "ground"), ("brand", "paper"),
    ("brand-ink", "brand"), ("good", "good-bg"), ("good", "paper"), ("bad", "bad-bg"), ("bad", "paper"),
    ("warn", "warn-bg"), ("busy", "busy-bg"), ("focus", "paper"), ("brand", "bad-bg"),
]  # fmt: skip


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out(text: str, ground: str) -> None:
    lighter, darker = sorted((luminance(COLOURS[text]), luminance(COLOURS[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
