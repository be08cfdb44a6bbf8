"""Bar charts as SVG text, drawn on the server: no script, no style attribute, readable by screen readers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 640, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 8, 36, 56
_MOST_LABELS = 8


@dataclass(frozen=True, slots=True)
class Bar:
    """An hour or a day: its label, how many records went through and how many did not, and both in words."""

    label: str
    done: int
    failed: int
    tip: str = ""


def bar_chart(
    bars: Sequence[Bar], title: str, axes: tuple[str, str], number: Callable[[int], str], *, mirrored: bool = False
) -> str:
    """An `<svg>` with one column per bar, failures on top of what was done.

    `axes` are the titles of the axes, of time and of the counts. `number` writes a number for people, `mirrored` lets time run
    from right to left.
    """
    step = scale_step(max((bar.done + bar.failed for bar in bars), default=0))
    top = step * 4
    parts = [_titles(axes, mirrored=mirrored), _grid(step, number, mirrored=mirrored)]
    width = (_WIDTH - _LEFT - _RIGHT) / max(len(bars), 1)
    for place, bar in enumerate(bars):
        x = _LEFT + width * place
        parts.append(_column(bar, x, width, top, mirrored=mirrored))
        if place % -(-len(bars) // _MOST_LABELS) == 0:
            middle = _flip(x + width / 2, mirrored)
            parts.append(f'<text class="tick" x="{middle:.1f}" y="{_HEIGHT - _BOTTOM + 20}">{escape(bar.label)}</text>')
    inside = "".join(parts)
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{inside}</svg>"
    )


def scale_step(highest: int) -> int:
    """The distance of the four lines of the scale: 1, 2 or 5 times a power of ten, so that `highest` fits under the last."""
    step, power = 1, 1
    while step * 4 < highest:
        step = next((f * power for f in (1, 2, 5) if f * power * 4 >= highest), 10 * power)
        power *= 10
    return step


def _titles(axes: tuple[str, str], *, mirrored: bool) -> str:
    of_time, of_counts = map(escape, axes)
    side, x = ("end", _WIDTH - 2) if mirrored else ("start", 2)
    return (
        f'<text class="axis {side}" x="{x}" y="15">{of_counts}</text>'
        f'<text class="axis" x="{_WIDTH / 2:.0f}" y="{_HEIGHT - 6}">{of_time}</text>'
    )


def _grid(step: int, number: Callable[[int], str], *, mirrored: bool) -> str:
    lines = []
    x = _flip(_LEFT - 6, mirrored)
    side = "tick start" if mirrored else "tick end"
    for place in range(5):
        y = _y(step * place, step * 4)
        left, right = sorted((_flip(_LEFT, mirrored), _flip(_WIDTH - _RIGHT, mirrored)))
        lines.append(f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}"/>')
        lines.append(f'<text class="{side}" x="{x}" y="{y + 4:.1f}">{escape(number(step * place))}</text>')
    return "".join(lines)


def _column(bar: Bar, x: float, width: float, top: int, *, mirrored: bool) -> str:
    base, low = _y(0, top), _y(bar.done, top)
    high = _y(bar.done + bar.failed, top)
    wide = width * 0.72
    left = _flip(x + width / 2, mirrored) - wide / 2
    boxes = "".join(
        f'<rect class="{name}" x="{left:.1f}" y="{upper:.1f}" width="{wide:.1f}" height="{lower - upper:.1f}"/>'
        for name, upper, lower in (("done", low, base), ("failed", high, low))
        if lower > upper
    )
    return f"<g><title>{escape(bar.tip)}</title>{boxes}</g>"


def _y(value: int, top: int) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / top


def _flip(x: float, mirrored: bool) -> float:
    return _WIDTH - x if mirrored else x
