"""The colours of the style sheet, light and dark: texts, and what charts show, stand out from what is beside them (WCAG AA)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import siaghsync.web as web

SHEET = (Path(web.__file__).parent / "static" / "site.css").read_text("utf-8")
LIGHT, DARK = (
    dict(re.findall(r"--([\w-]+): (#\w{3,6});", part)) for part in SHEET.partition("\n* {")[0].split("@media", 1)
)
TEXTS = [
    ("ink", "paper"), ("ink", "ground"), ("ink", "tag-bg"), ("ink", "hover"), ("soft", "paper"), ("soft", "ground"),
    ("soft", "hover"), ("brand", "paper"), ("brand", "ground"), ("brand", "hover"), ("brand-ink", "brand"),
    ("brand-ink", "brand-hover"), ("good", "good-bg"), ("good", "paper"), ("bad", "bad-bg"), ("bad", "paper"), ("bad", "hover"),
    ("warn", "warn-bg"), ("busy", "busy-bg"), ("focus", "paper"), ("brand", "bad-bg"), ("ink", "bad-bg"), ("ink", "good-bg"),
    ("ink", "busy-bg"), ("bar-ink", "bar"), ("badge-ink", "badge"),
]  # fmt: skip
SHAPES = [
    ("done", "paper"), ("failed", "paper"), ("failed", "done"), ("edge", "paper"), ("focus", "ground"),
    ("bar-focus", "bar"),
]  # fmt: skip
PAIRS = [(*pair, least) for pairs, least in ((TEXTS, 4.5), (SHAPES, 3.0)) for pair in pairs]


def luminance(colour: str) -> float:
    digits = colour.removeprefix("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("shape", "ground", "least"), PAIRS)
def test_what_is_to_be_seen_stands_out(colours: dict[str, str], shape: str, ground: str, least: float) -> None:
    lighter, darker = sorted((luminance(colours[shape]), luminance(colours[ground])), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= least


def test_both_schemes_have_every_colour_and_nothing_has_one_of_its_own() -> None:
    assert LIGHT.keys() == DARK.keys()
    rules = SHEET.partition("\n* {")[2]
    assert set(re.findall(r"#[0-9a-f]{3,8}\b", rules)) <= {"#ffffff26", "#ffffff80"}, "only a veil over the bar"
