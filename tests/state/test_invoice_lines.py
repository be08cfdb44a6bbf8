"""The lines of the invoice report while they are gathered."""

from __future__ import annotations

from contextlib import closing

from siaghsync.state.database import memory_state
from siaghsync.state.invoice_lines import InvoiceLines


def test_lines_come_in_their_order_and_newer_ones_replace_older_ones() -> None:
    with closing(memory_state()) as state:
        lines = InvoiceLines(state)
        for n in range(1100):
            order = (f"2026-01-{n % 28 + 1:02}", "quote", f"{n:04}")
            lines.put(f"q-{n}", order, f"q-{n}", counted=True, line={"n": n, "day": order[0]})
        lines.put("q-5", ("2025-01-01", "quote", ""), "q-5", counted=False, line={"n": "newer", "day": ""})
        found = list(lines.all())
        assert len(found) == 1100
        assert found[0] == {"n": "newer", "day": ""}
        assert [line["day"] for line in found] == sorted(line["day"] for line in found)


def test_one_of_a_family_counts() -> None:
    with closing(memory_state()) as state:
        lines = InvoiceLines(state)
        lines.put("q-1", ("2026-01-01", "quote", "1"), "q-1", counted=True, line={})
        lines.put("q-2", ("2026-01-01", "quote", "2"), "q-2", counted=False, line={})
        assert lines.another_counts("q-1", "i-1")
        assert not lines.another_counts("q-1", "q-1")
        assert not lines.another_counts("q-2", "i-2")
