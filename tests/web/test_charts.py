"""The charts: a scale that fits, bars of the right height, and nothing that a label could smuggle in."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from siaghsync.web.charts import Bar, bar_chart, scale_step

SVG = "{http://www.w3.org/2000/svg}"


def draw(bars: list[Bar], *, mirrored: bool = False) -> ET.Element:
    text = bar_chart(bars, "Last week", ("Day", "Records & more"), str, mirrored=mirrored)
    return ET.fromstring(text.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))


@given(st.integers(0, 10**9))
def test_the_scale_fits_and_wastes_at_most_two_and_a_half_times(highest: int) -> None:
    step = scale_step(highest)
    assert step * 4 >= highest
    assert step == 1 or step * 4 < highest * 2.5 + 4
    assert str(step).rstrip("0") in ("1", "2", "5")


def test_bars_are_as_high_as_their_numbers() -> None:
    drawing = draw([Bar("a", 40, 10, "a: 40 & 10"), Bar("b", 0, 0), Bar("c", 20, 0, "c: 20")])
    heights = [(box.get("class"), float(box.get("height") or 0)) for box in drawing.iter(f"{SVG}rect")]
    assert [name for name, _ in heights] == ["done", "failed", "done"]
    assert heights[0][1] == pytest.approx(4 * heights[1][1], abs=0.5)
    assert heights[0][1] == pytest.approx(2 * heights[2][1], abs=0.5)
    tips = [title.text for group in drawing.iter(f"{SVG}g") for title in group.iter(f"{SVG}title")]
    assert tips == ["a: 40 & 10", None, "c: 20"]


def test_time_runs_from_right_to_left_in_persian() -> None:
    bars = [Bar(str(n), n + 1, 0) for n in range(7)]
    plain, mirrored = (
        [float(box.get("x") or 0) for box in draw(bars, mirrored=flip).iter(f"{SVG}rect")] for flip in (False, True)
    )
    assert plain == sorted(plain)
    assert mirrored == sorted(mirrored, reverse=True)
    assert all(0 <= x <= 640 for x in mirrored)


def test_labels_are_text_and_nothing_else() -> None:
    drawing = draw([Bar("<script>alert(1)</script>\"'", 1, 0)])
    assert {element.tag.removeprefix(SVG) for element in drawing.iter()} == {
        "svg",
        "title",
        "line",
        "text",
        "g",
        "rect",
    }
    assert "<script>alert(1)</script>\"'" in [text.text for text in drawing.iter(f"{SVG}text")]


@given(
    st.lists(
        st.builds(Bar, st.text("ab\u06f1<&", max_size=3), st.integers(0, 10**6), st.integers(0, 10**6), st.just("")),
        max_size=30,
    )
)
def test_any_figures_make_a_drawing_within_its_frame(bars: list[Bar]) -> None:
    for box in draw(bars).iter(f"{SVG}rect"):
        x, y, width, height = (float(box.get(name) or 0) for name in ("x", "y", "width", "height"))
        assert x >= 0
        assert y >= 0
        assert x + width <= 640
        assert y + height <= 200


def test_the_axes_say_what_they_count() -> None:
    texts = {text.text: text for text in draw([Bar("a", 3, 0)]).iter(f"{SVG}text")}
    assert texts.keys() == {"Day", "Records & more", "a", "0", "1", "2", "3", "4"}
    assert float(texts["Records & more"].get("y") or 0) < float(texts["4"].get("y") or 0)
    assert float(texts["Day"].get("y") or 0) > float(texts["a"].get("y") or 0)
