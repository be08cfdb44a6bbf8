"""The metrics text."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from siaghsync.features.notifications.metrics import Figures, metrics_text

WORDS = st.text(max_size=20)


@given(WORDS, st.none() | st.floats(0, 2e9), st.integers(0, 10**9))
def test_the_metrics_text_is_well_formed_whatever_stands_in_it(text: str, success: float | None, count: int) -> None:
    runs = {(f'a"\\\n{text}', "ok"): count}
    figures = Figures(runs, text, 1.5, {"customer": {"created": count}}, count, 0, success, {"crm": 1}, {"crm": 0})
    written = metrics_text(figures)
    value = r'"(?:[^"\\\n]|\\["\\n])*"'
    sample = re.compile(rf"siaghsync_\w+(\{{\w+={value}(,\w+={value})*\}})? [0-9.e+-]+")
    lines = written.removesuffix("\n").split("\n")
    assert all(one.startswith(("# HELP siaghsync_", "# TYPE siaghsync_")) or sample.fullmatch(one) for one in lines)
    assert ("\nsiaghsync_last_success_timestamp_seconds " in written) == (success is not None)
