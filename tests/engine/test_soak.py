"""The soak in small: a few bad hours."""

from __future__ import annotations

from pathlib import Path

from tests.engine.bench import Bench
from tests.engine.soak import Soak


def test_a_few_bad_hours_end_in_step(tmp_path: Path) -> None:
    with Bench(tmp_path) as bench:
        figures = Soak(bench, seed=2, failing=0.1, killed=0.2, jumping=0.2).run(45)
    assert figures.killed
    assert figures.disturbed
    assert figures.jumps
    assert figures.restored == 1
    assert figures.verdict.good, figures.verdict
